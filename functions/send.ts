// Sends: takes requests from a queue, has each message delivered once to each recipient, and sees to it that what came of
// it is written down and told. What is tried again later comes by a message of its own; a record fails for our faults alone.
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { secretFields } from "./config/secret-fields.ts";
import { overAfter, tableOf, type Context } from "./handler.ts";
import { Queues } from "./queue/queues.ts";
import { remembered } from "./remembered.ts";
import { faultText } from "./report/log.ts";
import { tellFigures, type Stamped } from "./report/metrics.ts";
import { loadAuthentication } from "./send/authentication.ts";
import type { Result, Runs, SendDeps } from "./send/runs.ts";
import { work } from "./send/work.ts";
import { sealKey } from "./state/seal-key.ts";
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
  const key = remembered(async () => await sealKey(table));
  const loaded = remembered(loadAuthentication);
  let unsent: readonly Stamped[] = [];
  return async ({ Records }, context) => {
    // Loaded by the first to need it, it would hold up the replies of another's session.
    await loaded();
    await deps.secrets.load(secrets);
    const remainingMs = context.getRemainingTimeInMillis();
    const runs: Runs = {
      deps,
      sends,
      table: boundedTable(table, overAfter(remainingMs * tableShare)),
      queues,
      key,
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
    const all = [...unsent, ...stamped].filter(({ figures }) => figures.length > 0);
    const signal = overAfter(context.getRemainingTimeInMillis() * 0.6);
    unsent = (await tellFigures(all, deps, signal)) ? [] : all.slice(-unsentLimit);
    const failed = Records.filter((_, index) => results[index]?.kind === "failed");
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}
