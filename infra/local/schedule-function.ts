// The schedule as AWS would call it: by EventBridge Scheduler, asynchronously, and with what is given up put into the queue
// of its dead letters, as a function's failure destination is. What a slot is for, the function knows.
import type { SQS } from "@aws-sdk/client-sqs";
import type { Context } from "../../functions/handler.ts";
import { faultText, type Log } from "../../functions/report/log.ts";
import type { ScheduleResult } from "../../functions/schedule.ts";
import type { Invocations } from "./invocations.ts";
import { accountId, region } from "./queues.ts";

export interface ScheduleFunctionOptions {
  readonly schedule: (event: unknown, context: Context) => Promise<ScheduleResult>;
  /** The function's. */
  readonly name: string;
  readonly invocations: Invocations;
  readonly sqs: SQS;
  /** The URL of the queue that takes what is given up. */
  readonly deadUrl: string;
  readonly log: Log;
}

/**
 * Calls it for a slot.
 * @throws Error where it was given up
 */
export async function callSchedule(slot: string, options: ScheduleFunctionOptions): Promise<ScheduleResult> {
  const { schedule, invocations } = options;
  const requestPayload = { slot };
  const result = await invocations.invoke({
    name: "schedule",
    call: (context) => schedule(requestPayload, context),
    givenUp: (error) => giveUp(requestPayload, error, options),
  });
  if (result === null) throw new Error(`the schedule was given up for the slot ${slot}; see the log`);
  return result;
}

/** Lambda's own record of an invocation that failed. */
async function giveUp(requestPayload: object, error: unknown, options: ScheduleFunctionOptions): Promise<void> {
  const { name, sqs, deadUrl, log } = options;
  const record = {
    version: "1.0",
    timestamp: new Date().toISOString(),
    requestContext: {
      functionArn: `arn:aws:lambda:${region}:${accountId}:function:${name}:$LATEST`,
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    },
    requestPayload,
    responsePayload: { errorMessage: faultText(error) },
  };
  log({ level: "error", event: "schedule-given-up", fault: faultText(error) });
  await sqs.sendMessage({ QueueUrl: deadUrl, MessageBody: JSON.stringify(record) });
}
