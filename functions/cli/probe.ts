// Runs the probe command: one probe a domain, all at once, their verdicts in the order asked; or a self-check.
// What a probe is, functions/route knows, and functions/self-check the other; what the options mean, arguments.ts.
import process from "node:process";
import { probe } from "../route/attempts.ts";
import type { Progress } from "../route/probe-request.ts";
import { direct, EgressFault } from "../route/egress.ts";
import type { Outcome } from "../verdict/reconcile.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { readProbeArguments, type HostArguments, type SelfCheckArguments } from "./arguments.ts";
import { exitStatusOf, outcomeAcrossHosts } from "./exit.ts";
import { hostVerdicts, printHosts } from "./host-table.ts";
import { UsageFault } from "./options.ts";
import { print, type Form } from "./print.ts";
import { progressOn } from "./progress.ts";
import { write } from "./write.ts";

export { probeOptions } from "./arguments.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** @throws UsageFault for whatever the person who typed can mend, before any connection is made */
export async function probeCommand(args: readonly string[]): Promise<number> {
  const given = await readProbeArguments(args);
  return await untilInterrupted(async (watch) => {
    return given.kind === "probe" ? await probeDomains(given, watch) : await checkOurselves(given, watch);
  });
}

/** @returns what `run` returns */
export async function untilInterrupted(run: (watch: Watch) => Promise<number>): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  // Ctrl-C, a supervisor's stop or a closed terminal end the sessions, and their verdicts are still told; a second
  // signal ends the program.
  for (const signal of signals) process.once(signal, onInterrupt);
  const watch: Watch = { progress: progressOn(process.stderr), signal: interrupt.signal };
  try {
    return await run(watch);
  } finally {
    watch.progress.clear();
    for (const signal of signals) process.removeListener(signal, onInterrupt);
  }
}

/** What a person sees of it meanwhile, and how they end it. */
export interface Watch {
  readonly progress: ReturnType<typeof progressOn>;
  readonly signal: AbortSignal;
}

/**
 * Asks all at once, and prints each verdict in its turn.
 * @returns the exit status
 * @throws UsageFault where this machine cannot leave by the egress
 */
export async function probeDomains(
  { requests, json, allHosts }: Omit<HostArguments, "kind">,
  { progress, signal }: Watch,
): Promise<number> {
  const probes = requests.map((request) => {
    const domain = request.recipients[0]?.domain ?? "";
    return probe({ ...request, signal, progress: (event: Progress) => progress.show(domain, event) });
  });
  const alone = probes.length === 1;
  const form: Form = { json, pretty: process.stdout.isTTY, alone };
  const egress = requests[0]?.egress ?? direct;
  const outcomes: Outcome[] = [];
  for await (const verdict of inOrder(probes)) {
    progress.clear();
    const hosts = allHosts ? hostVerdicts(verdict) : [verdict];
    const isTable = allHosts && !json;
    const text = isTable ? `${printHosts(verdict, egress, hosts)}${alone ? "" : "\n"}` : print(verdict, form);
    await write(process.stdout, text);
    outcomes.push(outcomeAcrossHosts(hosts.map(({ outcome }) => outcome)));
  }
  return exitStatusOf(outcomes);
}

/** Each verdict as soon as all before it are there. A fault of ours in one of them keeps none of the others back. */
async function* inOrder(probes: readonly Promise<Verdict>[]): AsyncGenerator<Verdict> {
  const settled = Promise.allSettled(probes);
  for (const each of probes) {
    const verdict = await each.catch(() => null);
    if (verdict !== null) yield verdict;
  }
  const fault = (await settled).find((each) => each.status === "rejected");
  if (fault === undefined) return;
  const reason: unknown = fault.reason;
  throw reason instanceof EgressFault ? new UsageFault(reason.message) : reason;
}

async function checkOurselves(given: SelfCheckArguments, { progress, signal }: Watch): Promise<number> {
  // When it is wanted: SPF comes with a library that takes a while to load.
  const [{ selfCheck }, { printSelfCheck, selfCheckStatusOf }] = await Promise.all([
    import("../self-check/self-check.ts"),
    import("./self-check.ts"),
  ]);
  const { asked, egress, helo, from, timeoutMs, resolver, allowPrivate, json } = given;
  const open = async (domain: string): Promise<Verdict> => {
    const request = asked.find(({ recipients }) => recipients[0]?.domain === domain);
    if (request === undefined) throw new Error(`${domain} is no domain that was to be asked`);
    return await probe({ ...request, signal, progress: (event: Progress) => progress.show("self-check", event) });
  };
  const document = await selfCheck({
    egress,
    helo,
    from,
    lookup: { server: resolver, timeoutMs, families: "both", signal },
    ask: asked.flatMap(({ recipients }) => recipients.map(({ domain }) => domain)),
    allowPrivate,
    open,
  });
  progress.clear();
  await write(process.stdout, printSelfCheck(document, { json, pretty: process.stdout.isTTY, alone: true }));
  return selfCheckStatusOf([document.standing]);
}
