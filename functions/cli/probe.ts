// Runs the probe command: one probe a domain, all at once, their verdicts in the order asked.
// What a probe is, functions/route knows; what the options mean, arguments.ts.
import process from "node:process";
import { probe, type Progress } from "../route/attempts.ts";
import type { Outcome } from "../verdict/reconcile.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { readProbeArguments } from "./arguments.ts";
import { exitStatusOf } from "./exit.ts";
import { print, type Form } from "./print.ts";
import { progressOn } from "./progress.ts";
import { write } from "./write.ts";

export { probeOptions } from "./arguments.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** @throws UsageFault for whatever the person who typed can mend, before any connection is made */
export async function probeCommand(args: readonly string[]): Promise<number> {
  const { requests, json } = await readProbeArguments(args);
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  // Ctrl-C, a supervisor's stop or a closed terminal end the sessions, and their verdicts are still told; a second
  // signal ends the program.
  for (const signal of signals) process.once(signal, onInterrupt);
  const progress = progressOn(process.stderr);
  try {
    const probes = requests.map((request) => {
      const domain = request.recipients[0]?.domain ?? "";
      const show = (event: Progress): void => progress.show(domain, event);
      return probe({ ...request, signal: interrupt.signal, progress: show });
    });
    const form: Form = { json, pretty: process.stdout.isTTY, alone: probes.length === 1 };
    const outcomes: Outcome[] = [];
    for await (const verdict of inOrder(probes)) {
      progress.clear();
      await write(process.stdout, print(verdict, form));
      outcomes.push(verdict.outcome);
    }
    return exitStatusOf(outcomes);
  } finally {
    progress.clear();
    for (const signal of signals) process.removeListener(signal, onInterrupt);
  }
}

/** Each verdict as soon as all before it are there. A fault of ours in one of them keeps none of the others back. */
async function* inOrder(probes: readonly Promise<Verdict>[]): AsyncGenerator<Verdict> {
  const settled = Promise.allSettled(probes);
  for (const each of probes) {
    const verdict = await each.catch(() => null);
    if (verdict !== null) yield verdict;
  }
  const fault = (await settled).find((each) => each.status === "rejected");
  if (fault !== undefined) throw fault.reason as unknown;
}
