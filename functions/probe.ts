// The probe: takes requests from a queue, has each probed once, and sees to it that what came of it is written down and
// told. Every verdict, a rejection too, is a success of its record: only our own faults fail one. A provider is never
// asked again because it refused us, nor because something of ours could not be reached.
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { sessionsShare, tableShare } from "./config/invocation.ts";
import { secretFields } from "./config/secret-fields.ts";
import { overAfter, tableOf, type Context } from "./handler.ts";
import { runningNameOf, seldomTellRunning } from "./note-running.ts";
import type { ProbeDeps, Result, Runs } from "./probe/runs.ts";
import { tell } from "./probe/tell.ts";
import { work } from "./probe/work.ts";
import { Queues } from "./queue/queues.ts";
import { Turns } from "./queue/turns.ts";
import { faultText } from "./report/log.ts";
import { remembered } from "./remembered.ts";
import { sealKey } from "./state/seal-key.ts";
import { boundedTable } from "./state/table.ts";

export type ProbeHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** With less time no session is begun, however short an invocation is. */
const leastMs = 3_000;

/** @returns the handler of SQS events, which answers with the records that failed (ReportBatchItemFailures) */
export function createProbe(deps: ProbeDeps): ProbeHandler {
  const table = tableOf(deps);
  const shared = {
    deps,
    queues: new Queues(deps.clients.sqs),
    turns: new Turns(),
    key: remembered(() => sealKey(table)),
  };
  const note = seldomTellRunning(runningNameOf(deps.runner), deps, table);
  const { concurrency, sessionSeconds } = deps.config.limits;
  const reader = deps.runner === "functions" ? "probe" : "worker";
  const secrets = secretFields(deps.config).filter((each) => each.reader === reader);
  return async ({ Records }, context) => {
    // Loaded by the first to need one, it would hold up the replies of another's session.
    await deps.secrets.load(secrets.map(({ secret }) => secret));
    const remainingMs = context.getRemainingTimeInMillis();
    const runs: Runs = {
      ...shared,
      table: boundedTable(table, overAfter(remainingMs * tableShare)),
      sessionsUntilMs: Date.now() + remainingMs * sessionsShare,
      // A session that our own time would cut says nothing about anybody.
      leastMs: Math.max(leastMs, Math.min(sessionSeconds * 1000, (remainingMs * sessionsShare) / 2)),
    };
    const results = await bounded(Records, concurrency, async (record): Promise<Result> => {
      try {
        return await work(record, runs);
      } catch (error) {
        deps.log({ level: "error", event: "failed", messageId: record.messageId, fault: faultText(error) });
        return { kind: "failed", record };
      }
    });
    const failed = await tell(results, context, runs);
    // All of its sessions are over, and what came of them is written.
    await note(context.getRemainingTimeInMillis());
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** All, so many at a time, in their order. */
async function bounded<T, R>(all: readonly T[], limit: number, run: (each: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = all.entries();
  const lane = async (): Promise<void> => {
    for (const [index, each] of queue) results[index] = await run(each);
  };
  await Promise.all(Array.from({ length: Math.min(limit, all.length) }, lane));
  return results;
}
