// Sends: takes requests from a queue, has each message delivered once to each recipient, and sees to it that what came of
// it is written down and told. What is tried again later comes by a message of its own; a record fails for our faults alone.
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { secretFields } from "./config/secret-fields.ts";
import { overAfter, tableOf, type Context } from "./handler.ts";
import { sealKey } from "./state/seal-key.ts";
import { Queues } from "./queue/queues.ts";
import { faultText } from "./report/log.ts";
import { metricEntries, putFigures, type Stamped } from "./report/metrics.ts";
import { loadAuthentication } from "./send/authentication.ts";
import type { Result, Runs, SendDeps } from "./send/runs.ts";
import { work } from "./send/work.ts";
import { boundedTable } from "./state/table.ts";

export type SendHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** Of an invocation's time: until when the table is waited for. The rest is for telling. */
const tableShare = 0.97;
/** Figures that are kept for the next batch, where CloudWatch did not take them. */
const unsentLimit = 1_000;

/** @returns the handler of SQS events, which answers with the records that failed (ReportBatchItemFailures) */
export function createSend(deps: SendDeps): SendHandler {
  const { sends } = deps.config;
  if (sends === null) throw new Error("sends: the configuration has no such section, so that nothing is sent");
  const table = tableOf(deps);
  const queues = new Queues(deps.clients.sqs);
  const reader = deps.runner === "functions" ? "send" : "worker";
  const secrets = secretFields(deps.config).flatMap((each) => (each.reader === reader ? [each.secret] : []));
  let key: Promise<Uint8Array> | null = null;
  let unsent: readonly Stamped[] = [];
  let loaded: Promise<unknown> | null = null;
  return async ({ Records }, context) => {
    // Loaded by the first to need it, it would hold up the replies of another's session.
    await (loaded ??= loadAuthentication());
    await deps.secrets.load(secrets);
    const remainingMs = context.getRemainingTimeInMillis();
    const runs: Runs = {
      deps,
      sends,
      table: boundedTable(table, overAfter(remainingMs * tableShare)),
      queues,
      key: async () =>
        await (key ??= sealKey(table).catch((error: unknown) => {
          key = null;
          throw error;
        })),
      untilMs: Date.now() + remainingMs,
    };
    const results = await Promise.all(
      Records.map(async (record): Promise<Result> => {
        try {
          return await work(record, runs);
        } catch (error) {
          deps.log({ level: "error", event: "failed", messageId: record.messageId, fault: faultText(error) });
          return { kind: "failed" };
        }
      }),
    );
    const stamped = results.flatMap((each) => (each.kind === "done" ? each.stamped : []));
    unsent = await putAll([...unsent, ...stamped], context, deps);
    const failed = Records.filter((_, index) => results[index]?.kind === "failed");
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** @returns what is left to be told with the next batch */
async function putAll(stamped: readonly Stamped[], context: Context, deps: SendDeps): Promise<readonly Stamped[]> {
  const some = stamped.filter(({ figures }) => figures.length > 0);
  if (some.length === 0) return [];
  try {
    await putFigures(some, deps.clients.cloudWatch, overAfter(context.getRemainingTimeInMillis() * 0.6));
    return [];
  } catch (error) {
    deps.log({ level: "error", event: "figures-unsent", fault: faultText(error) });
    if (!deps.logsBecomeMetrics) return some.slice(-unsentLimit);
    for (const { figures, at } of some) for (const entry of metricEntries(figures, at)) deps.log(entry);
    return [];
  }
}
