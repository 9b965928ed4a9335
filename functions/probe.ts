// The probe: takes requests from a queue, has each probed once, and sees to it that what came of it is written down and
// told. Every verdict, a rejection too, is a success of its record: only our own faults fail one. A provider is never
// asked again because it refused us, nor because something of ours could not be reached.
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { overAfter, tableOf, type Context } from "./handler.ts";
import type { ProbeDeps, Result, Runs } from "./probe/runs.ts";
import { tell } from "./probe/tell.ts";
import { work } from "./probe/work.ts";
import { Queues } from "./queue/queues.ts";
import { Turns } from "./queue/turns.ts";
import { faultText } from "./report/log.ts";
import { sealKey } from "./state/seal-key.ts";
import { boundedTable } from "./state/table.ts";

export type ProbeHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** Of an invocation's time: until when there are sessions, and until when the table is waited for. The rest is for telling. */
const sessionsShare = 0.75;
const tableShare = 0.85;
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
  const { concurrency, sessionSeconds } = deps.config.limits;
  return async ({ Records }, context) => {
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
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** What is found out once; a failure is not remembered. */
function remembered<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | null = null;
  return async () => {
    found ??= find().catch((error: unknown) => {
      found = null;
      throw error;
    });
    return await found;
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
