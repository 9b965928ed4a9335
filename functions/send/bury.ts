// What becomes of a record that nobody can work on: a dead letter with its reason.
import type { SQSRecord } from "aws-lambda";
import { deadLetter } from "../queue/record.ts";
import { queueNames } from "../queue/queues.ts";
import { done, type Result, type Runs } from "./runs.ts";

/** It does not come again by itself: somebody reads its reason, mends that, and moves it back. */
export async function bury(record: SQSRecord, faults: readonly string[], { deps, queues }: Runs): Promise<Result> {
  deps.log({ level: "error", event: "dead-letter", messageId: record.messageId, id: idIn(record.body), faults });
  await queues.send(queueNames(deps.config, deps.runner).sendDead, [deadLetter(record, faults)]);
  return done;
}

/** For whoever looks for it; null: the body tells none. */
function idIn(body: string): string | null {
  try {
    const { id } = JSON.parse(body) as { readonly id?: unknown };
    return typeof id === "string" ? id.slice(0, 200) : null;
  } catch {
    return null;
  }
}
