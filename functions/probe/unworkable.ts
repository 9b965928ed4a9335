// What becomes of requests that cannot be worked on: those that nobody can read, that come too late, or that are for an
// egress by which this machine cannot leave. It asks no provider.
import type { SQSRecord } from "aws-lambda";
import { deadLetter, laterMessage } from "../queue/record.ts";
import type { Probe, SelfCheckMessage, SelfCheckRequest } from "../queue/request.ts";
import { queueNames } from "../queue/queues.ts";
import { skippedFigure } from "../report/probed.ts";
import { findSelfCheck } from "../state/self-checks.ts";
import { done, sendBack, type Result, type Runs } from "./runs.ts";

/** It does not come again by itself: somebody reads its reason, mends that, and moves it back. */
export async function bury(record: SQSRecord, faults: readonly string[], { deps, queues }: Runs): Promise<Result> {
  deps.log({ level: "error", event: "dead-letter", messageId: record.messageId, faults });
  await queues.send(queueNames(deps.config, deps.runner).probeDead, [deadLetter(record, faults)]);
  return done;
}

/** Its `notAfter` is over: it is counted, and nobody is asked. */
export function tooLate({ id, egress }: Probe | SelfCheckRequest, { deps }: Runs): Result {
  deps.log({ level: "warn", event: "skipped", id, reason: "too late: notAfter is over" });
  return { kind: "done", figures: [skippedFigure(egress, 1)] };
}

/** As long as SQS delays. */
const againS = 900;

/**
 * One cause, one page. A request without an end is a dead letter, whose alarm tells. One that has an end, as all of the
 * schedule's have, comes every round, and nobody wants those back: it waits until the egress is mended or its time is over,
 * when it is counted as skipped. The egress's self-check finds the same fault, and its alarm tells.
 */
export async function withoutEgress(record: SQSRecord, probe: Probe, fault: string, runs: Runs): Promise<Result> {
  const { deps } = runs;
  const { id, egress, notAfterMs } = probe;
  deps.log({ level: "error", event: "egress-fault", id, egress, fault });
  if (notAfterMs === null) return await bury(record, [fault], runs);
  await wantSelfCheck(egress, runs);
  const delayS = Math.min(againS, (notAfterMs - deps.now().getTime()) / 1000 + 1);
  return await sendBack(laterMessage(record, delayS), runs);
}

/** Now, and not at its time of the day; once a day, however many requests meet the fault. */
async function wantSelfCheck(egress: string, runs: Runs): Promise<void> {
  const now = runs.deps.now();
  const id = `egress-fault/${egress}/${now.toISOString().slice(0, 10)}`;
  if ((await findSelfCheck(id, runs.table)) !== null) return;
  const notAfter = new Date(now.getTime() + dayMs).toISOString();
  const request: SelfCheckMessage = { v: 1, kind: "self-check", id, egress, notAfter };
  await sendBack({ body: JSON.stringify(request), attributes: {}, delayS: 0 }, runs);
}

const dayMs = 86_400_000;
