// Notes which configuration and version a process runs, for `status` to tell. A note that cannot be written is logged, and
// is no reason for anything to fail. Who reads it, it does not know.
import { configHash } from "./config/hash.ts";
import { version } from "./config/version.ts";
import { overAfter, type HandlerDeps } from "./handler.ts";
import type { Runner } from "./queue/queues.ts";
import { faultText } from "./report/log.ts";
import { noteRunning, type RunningName } from "./state/running.ts";
import { boundedTable, type Table } from "./state/table.ts";

type NoteDeps = Pick<HandlerDeps, "config" | "now" | "log">;

/** Rows are cheap, and batches many. */
const seldomMs = 300_000;
const patienceMs = 2_000;

/** @param leftMs of the time that there is, half is taken at most */
export async function tellRunning(
  runner: RunningName,
  { config, log }: NoteDeps,
  table: Table,
  leftMs: number = Infinity,
): Promise<void> {
  try {
    const bounded = boundedTable(table, overAfter(Math.min(patienceMs, leftMs / 2)));
    await noteRunning({ runner, hash: configHash(config), version }, bounded);
  } catch (error) {
    log({ level: "warn", event: "running-unnoted", runner, fault: faultText(error) });
  }
}

/** @returns what notes the same at most every five minutes, however often it is called */
export function seldomTellRunning(
  runner: RunningName,
  deps: NoteDeps,
  table: Table,
): (leftMs: number) => Promise<void> {
  let lastMs = Number.NEGATIVE_INFINITY;
  return async (leftMs) => {
    const nowMs = deps.now().getTime();
    // A clock may be set back.
    if (Math.abs(nowMs - lastMs) < seldomMs) return;
    lastMs = nowMs;
    await tellRunning(runner, deps, table, leftMs);
  };
}

export function runningNameOf(runner: Runner): RunningName {
  return runner === "functions" ? runner : `worker/${runner.worker}`;
}
