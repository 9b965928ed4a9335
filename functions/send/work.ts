// What becomes of one record: it is sent on, buried, taken on as a send, looked at because something is due, or only
// written down.
import type { SQSRecord } from "aws-lambda";
import { forwardedMessage, isRecorded, recordedOf } from "../queue/record.ts";
import { readRequest } from "../queue/request.ts";
import { homeOf, queueNames } from "../queue/queues.ts";
import { bury } from "./bury.ts";
import { lookAt } from "./deliver.ts";
import { takeOn } from "./intake.ts";
import { done, egressesOf, queueOf, type Result, type Runs } from "./runs.ts";
import { writeLate, type Late } from "./settle.ts";

export async function work(record: SQSRecord, runs: Runs): Promise<Result> {
  const { config, log, runner } = runs.deps;
  const { value: request, faults } = readRequest(record.body, config);
  if (request === null) return await bury(record, faults, runs);
  const here = queueNames(config, runner).send;
  const egress = request.egress ?? egressHere(runs);
  const home = homeOf({ kind: request.kind, egress }, config);
  if (home !== here) {
    log({ level: "warn", event: "forwarded", id: request.id, egress });
    await runs.queues.send(home, [forwardedMessage(record)]);
    return done;
  }
  if (request.kind === "send")
    return await takeOn(record, { ...request, egress, anyEgress: request.egress === null }, runs);
  if (request.kind !== "wake") throw new Error(`a request of kind ${request.kind} is none of the queue ${here}`);
  if (!isRecorded(record)) return await lookAt(request, runs);
  const recorded = recordedOf(record, await runs.key());
  if (recorded === null) return await bury(record, ["Recorded: an attribute of this name is ours alone"], runs);
  return await writeLate(recorded as Late, runs);
}

/** Where a request allows any way out: the first that leaves from here, else the first. */
function egressHere(runs: Runs): string {
  const { config, runner } = runs.deps;
  const here = queueNames(config, runner).send;
  const all = egressesOf(runs);
  return all.find((each) => queueOf(each, runs.deps) === here) ?? all[0] ?? "";
}
