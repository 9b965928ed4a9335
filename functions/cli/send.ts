// Runs the send command: puts a message on the queue of whoever runs its egress, or asks the recipients' hosts from here.
// What the options mean, send-arguments.ts knows; what becomes of what lies in a queue, functions/send.
import process from "node:process";
import { tableOf } from "../handler.ts";
import { documentOf, enqueue, isTooLarge, type Bucket, type SendRequest } from "../queue/producer.ts";
import { homeOf, Queues } from "../queue/queues.ts";
import { readRequest } from "../queue/request.ts";
import { longestExpiryMs, type Send } from "../queue/send-request.ts";
import { cancelMessage, inlineLimit } from "../state/messages.ts";
import { visibleJson, visibleLine } from "../verdict/visible.ts";
import { missingStatus } from "./exit.ts";
import { quote, UsageFault } from "./options.ts";
import { atPlace, type Place } from "./place.ts";
import { probeDomains, untilInterrupted } from "./probe.ts";
import { urlOf } from "./queue-url.ts";
import { optionFault, readSendArguments, type CancelArguments, type QueueArguments } from "./send-arguments.ts";
import { write } from "./write.ts";

export { sendOptions } from "./send-arguments.ts";

/**
 * @returns 0 when it is on the queue, or called off; 66 where there is nothing to call off; 70 where the services do not
 *   answer; with --now what the hosts' answers make
 * @throws UsageFault
 */
export async function sendCommand(args: readonly string[]): Promise<number> {
  const given = await readSendArguments(args);
  if (given.kind === "now") return await untilInterrupted(async (watch) => await probeDomains(given, watch));
  if (given.kind === "cancel") return await atPlace(given.options, async (place) => await cancel(given, place));
  return await atPlace(given.options, async (place) => await putOnQueue(given, place));
}

async function cancel({ id, options }: CancelArguments, place: Place): Promise<number> {
  const isThere = await cancelMessage(id, tableOf(place));
  const text = isThere
    ? `nothing more of ${id} is begun; status --send tells what was`
    : `nothing is known of a send ${quote(id)}: it waits in its queue, is a dead letter, or was over two weeks ago`;
  if (!isThere) {
    await write(process.stderr, `delivery-probe: ${visibleLine(text)}\n`);
    return missingStatus;
  }
  const document = { v: 1, id, cancelled: true };
  await write(process.stdout, `${options.has("json") ? visibleJson(JSON.stringify(document)) : visibleLine(text)}\n`);
  return 0;
}

async function putOnQueue({ request, json }: QueueArguments, place: Place): Promise<number> {
  const { config, clients } = place;
  if (config.sends === null) {
    throw new UsageFault("this system takes no sends: its configuration has no section sends; add one, or write --now");
  }
  const octets = request.message instanceof Uint8Array ? request.message.length : 0;
  if (octets > inlineLimit && config.sends.bucket === null && !isTooLarge(documentOf(request))) {
    throw new UsageFault(
      `the message has more than ${inlineLimit} octets, and no bucket to wait in; name one in the configuration's sends.bucket`,
    );
  }
  const large = await bucketFor(request, place);
  const queue = homeOf(checkedBy(request, large, place), config);
  const queueUrl = await urlOf(queue, new Queues(clients.sqs), place);
  const { id, messageId, object } = await enqueue({ sqs: clients.sqs, queueUrl, large }, request);
  const where = object === null ? "" : `, its message in the bucket ${object.bucket} as ${object.key}`;
  const document = { v: 1, id, queue, messageId, object };
  const text = json ? visibleJson(JSON.stringify(document)) : visibleLine(`${id} is on the queue ${queue}${where}`);
  await write(process.stdout, `${text}\n`);
  return 0;
}

/** Where it waits if no queue takes it. */
async function bucketFor(request: SendRequest, { config, s3 }: Place): Promise<Bucket | null> {
  if (!isTooLarge(documentOf(request))) return null;
  const [bucket] = config.requests.buckets;
  if (bucket !== undefined) return { s3: await s3(), bucket };
  throw new UsageFault(
    "the message is larger than a queue takes, 1 MiB in all; list a bucket for it in the configuration's requests.buckets",
  );
}

/** By the rules by which its runner reads it: here they can be told at once. */
function checkedBy(request: SendRequest, large: Bucket | null, { config, now }: Place): Send {
  const message = large === null ? request.message : { s3: { bucket: large.bucket, key: request.id } };
  const { value, faults } = readRequest(JSON.stringify(documentOf({ ...request, message })), config);
  if (value === null) throw optionFault(faults);
  if (value.kind !== "send") throw new Error(`a send was read as ${value.kind}`);
  const leftMs = value.expiresAtMs === null ? null : value.expiresAtMs - now().getTime();
  if (leftMs !== null && (leftMs <= 0 || leftMs > longestExpiryMs)) {
    const wrong = leftMs <= 0 ? "is over" : "is more than 14 days away";
    throw new UsageFault(`--expires ${quote(String(request.expires))} ${wrong}; write a time within the next 14 days`);
  }
  return value;
}
