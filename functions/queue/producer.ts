// For who puts sends on a queue from their own program: writes a request as the queue takes it, tells at once what is wrong
// with its shape, and sends it. Which senders and egresses are allowed the runner's configuration says, and not this.
import { createHash } from "node:crypto";
import { checked } from "../config/shape-faults.ts";
import { parseSender } from "../smtp/address.ts";
import { longestExpiryMs, readRecipients, sendOctets, sendSchema, type SendMessage } from "./send-request.ts";

export interface SendRequest {
  /** The message's own: the same again sends nothing again. */
  readonly id: string;
  /** The envelope's sender; empty for the null one. */
  readonly from: string;
  readonly to: readonly string[];
  /** An RFC 5322 message: its text, its octets, or an object that holds them. */
  readonly message: string | Uint8Array | { readonly s3: { readonly bucket: string; readonly key: string } };
  readonly egress?: string | undefined;
  /** RFC 3339, or a date. */
  readonly expires?: string | Date | undefined;
  readonly onUnknown?: "stop" | "retry" | undefined;
  readonly priority?: "high" | "normal" | "low" | undefined;
}

/** The queue of the egress's runner, and where a message waits that no queue takes; of the SDK's clients what is called. */
export interface Destination {
  readonly sqs: {
    sendMessage(input: { QueueUrl: string; MessageBody: string }): Promise<{ MessageId?: string | undefined }>;
  };
  readonly queueUrl: string;
  readonly large?: Bucket | null | undefined;
}

/** One of the configuration's requests.buckets. */
export interface Bucket {
  readonly s3: {
    putObject(input: { Bucket: string; Key: string; Body: Uint8Array; ContentType: string }): Promise<unknown>;
  };
  readonly bucket: string;
}

export interface Enqueued {
  readonly id: string;
  /** SQS's own. */
  readonly messageId: string | null;
  /** Where the message was put that was too large for the queue; null: it went along. */
  readonly object: { readonly bucket: string; readonly key: string } | null;
}

/** What is wrong with a request: each fault begins with the path of its field. */
export class SendRequestFault extends Error {
  override readonly name = "SendRequestFault";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the send cannot be asked for: ${faults.join("; ")}`);
    this.faults = faults;
  }
}

/** Of SQS's 1 MiB: a runner that cannot work on a request sends it on with its reason beside it. */
const bodyOctets = sendOctets - 8_192;

/**
 * @throws SendRequestFault before anything is sent
 * @throws what the SDK throws; then the request may be there or not, and can be put there again: its id sees to it
 */
export async function enqueue({ sqs, queueUrl, large = null }: Destination, request: SendRequest): Promise<Enqueued> {
  const document = documentOf(request);
  if (document.expires !== undefined && Date.parse(document.expires) > Date.now() + longestExpiryMs) {
    throw new SendRequestFault(["expires: 14 days from now or less"]);
  }
  const isLarge = isTooLarge(document);
  if (isLarge && large === null) throw new SendRequestFault([tooLarge]);
  const object = isLarge && large !== null ? await putAway(request, large) : null;
  const body = object === null ? document : { ...document, message: { s3: object } };
  const { MessageId = null } = await sqs.sendMessage({ QueueUrl: queueUrl, MessageBody: JSON.stringify(body) });
  return { id: request.id, messageId: MessageId, object };
}

/**
 * The request as it lies in the queue.
 * @throws SendRequestFault
 */
export function documentOf(request: SendRequest): SendMessage {
  const { expires, message, ...rest } = Object(request) as Partial<SendRequest>;
  const document = {
    ...rest,
    v: 1,
    kind: "send",
    expires: expires instanceof Date ? timeText(expires) : expires,
    message: message instanceof Uint8Array ? writtenAs(message) : message,
  };
  // Fields that are not given are not there.
  const { value, faults } = checked(sendSchema, JSON.parse(JSON.stringify(document)));
  if (value === null) throw new SendRequestFault(faults);
  const wrong: string[] = [];
  const sender = parseSender(value.from);
  if ("fault" in sender) wrong.push(`from: ${sender.fault}`);
  readRecipients(value.to, wrong);
  if (wrong.length > 0) throw new SendRequestFault(wrong);
  return value;
}

/** Whether it is more than a queue takes. */
export function isTooLarge(document: SendMessage): boolean {
  return Buffer.byteLength(JSON.stringify(document)) > bodyOctets;
}

const tooLarge = `message: with it the request has more than ${bodyOctets} octets, and SQS takes 1 MiB in all; give an S3 bucket for it, or put it there and write {"s3": …}`;

/** A time that is none is told by the schema, in its own words. */
function timeText(date: Date): string {
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/** As text where that is shorter and can be told: no octets that are no UTF-8, nothing that SQS refuses in a body. */
function writtenAs(bytes: Uint8Array): SendMessage["message"] {
  const base64 = Buffer.from(bytes).toString("base64");
  const text = textOf(bytes);
  if (text === null || /[\ufffe\uffff]/.test(text)) return { base64 };
  return Buffer.byteLength(JSON.stringify(text)) <= base64.length + 14 ? text : { base64 };
}

function textOf(bytes: Uint8Array): string | null {
  try {
    // A mark of byte order is kept: the octets are to be the same.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Named after its content too: the same id with another message overwrites nothing that a runner still has to read. */
async function putAway({ id, message }: SendRequest, { s3, bucket }: Bucket): Promise<Enqueued["object"]> {
  if (typeof message === "object" && "s3" in message) throw new SendRequestFault([tooLarge]);
  const bytes = Buffer.from(message as Uint8Array);
  const hash = createHash("sha256").update(bytes).digest("hex");
  const key = `requests/${encodeURIComponent(id)}/${hash}.eml`;
  await s3.putObject({ Bucket: bucket, Key: key, Body: bytes, ContentType: "message/rfc822" });
  return { bucket, key };
}
