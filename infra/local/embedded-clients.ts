// The SDK's clients of the embedded services, as the handlers of the local stack have them. They differ from those in AWS
// in where they go, and in that the delays of the schedule are of the local clock, which may run fast.
import type { SendMessageBatchRequestEntry, ServiceInputTypes, SQSClient } from "@aws-sdk/client-sqs";
import { allClients, openClients, type Clients } from "../../functions/clients.ts";
import { waitsName } from "../../functions/queue/record.ts";
import type { Started } from "./endpoints.ts";

/** @param speed of the clock: a delay of 60 s takes 1 s at 60 */
export async function embeddedClients(
  { sqs, dynamodb, cloudwatch }: Pick<Started, "sqs" | "dynamodb" | "cloudwatch">,
  speed: number,
): Promise<Clients> {
  const clients = await openClients(allClients, { sqs, sns: sqs, dynamo: dynamodb, cloudWatch: cloudwatch });
  if (speed !== 1) hurry(clients.sqs, speed);
  return clients;
}

/** fauxqs takes fractions of a second. */
function hurry(client: SQSClient, speed: number): void {
  client.middlewareStack.add((next) => (args) => next({ ...args, input: hurriedInput(args.input, speed) }), {
    step: "initialize",
    name: "hurried",
  });
}

function hurriedInput(input: ServiceInputTypes, speed: number): ServiceInputTypes {
  if ("Entries" in input && input.Entries !== undefined) {
    const entries = input.Entries as SendMessageBatchRequestEntry[];
    return { ...input, Entries: entries.map((each) => hurriedMessage(each, speed)) };
  }
  return "MessageBody" in input ? hurriedMessage(input, speed) : input;
}

/** A turn that is waited for takes as long as somebody's session, which no clock hurries. */
function hurriedMessage<T extends Pick<SendMessageBatchRequestEntry, "DelaySeconds" | "MessageAttributes">>(
  message: T,
  speed: number,
): T {
  if (message.DelaySeconds === undefined || message.MessageAttributes?.[waitsName] !== undefined) return message;
  return { ...message, DelaySeconds: message.DelaySeconds / speed };
}
