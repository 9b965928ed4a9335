// A record that a queue delivered, and the messages that can follow from it: the same request again, later or to another
// queue, and a dead letter. Our own numbers travel as attributes, never in the request.
import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { gunzipSync, gzipSync } from "node:zlib";
import { isSealed, sealOctets, sealOf } from "./seal.ts";
import type { Outgoing } from "./queues.ts";

/** What our attributes are called. */
export const waitsName = "Waits";
const recordedName = "Recorded";
const untoldName = "Untold";
export const reasonName = "Reason";
export const messageIdName = "MessageId";

/** SQS's own limits: attributes a message, seconds of delay. */
const attributesLimit = 10;
const delayLimitS = 900;
/** Characters: a reason with a thousand faults in it is not read to its end. */
const reasonLimit = 4_000;

/** What a record holds, whoever delivered it. */
type Contents = Pick<SQSRecord, "body" | "messageAttributes">;

/** How often a request was put back because it was not its turn. */
export function waitsOf({ messageAttributes }: Contents): number {
  const text = messageAttributes[waitsName]?.stringValue ?? "0";
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/** The same request again: not its turn yet. It is a new message, for receive counts tell of our own faults alone. */
export function laterMessage(record: SQSRecord, delayS: number): Outgoing {
  const own = { [waitsName]: textValue(String(waitsOf(record) + 1), "Number") };
  // What this very message has left to do, the new one has.
  return isOwnAgain(record) ? untoldMessage(record, delayS) : again(record, own, delayS);
}

/** The same request, probed and written down, whose figures could not be told. */
export function untoldMessage(record: SQSRecord, delayS: number): Outgoing {
  const own = {
    [waitsName]: textValue(String(waitsOf(record) + 1), "Number"),
    [untoldName]: textValue("1", "Number"),
  };
  return again(record, own, delayS);
}

/**
 * Whether this is the very message that was worked on before, so that what is left undone is this one's to do. Another
 * copy leaves it to the one that has it.
 */
export function isOwnAgain({ attributes, messageAttributes }: SQSRecord): boolean {
  return Number(attributes.ApproximateReceiveCount) > 1 || messageAttributes[untoldName] !== undefined;
}

/** The same request for another queue, with what is carried along: it is sealed with its request. */
export function forwardedMessage(record: SQSRecord): Outgoing {
  return { body: record.body, attributes: allAttributesOf(record), delayS: 0 };
}

/**
 * The same request with what came of it, where that could not be written down: only that is left to do. It is sealed with
 * its request, for it is believed when it comes back.
 */
export function recordedMessage(record: Contents, recorded: unknown, key: Uint8Array, delayS: number): Outgoing {
  const packed = gzipSync(JSON.stringify(recorded));
  const own = {
    [waitsName]: textValue(String(waitsOf(record) + 1), "Number"),
    [recordedName]: { DataType: "Binary", BinaryValue: Buffer.concat([sealOf(key, record.body, packed), packed]) },
  };
  return again(record, own, delayS);
}

export function isRecorded({ messageAttributes }: SQSRecord): boolean {
  return messageAttributes[recordedName] !== undefined;
}

/** What came of a request, from recordedMessage; null: it is none of ours. Nothing is unpacked before its seal is right. */
export function recordedOf({ body, messageAttributes }: SQSRecord, key: Uint8Array): unknown {
  const value = Buffer.from(messageAttributes[recordedName]?.binaryValue ?? "", "base64");
  const packed = value.subarray(sealOctets);
  if (!isSealed(value.subarray(0, sealOctets), key, body, packed)) return null;
  return JSON.parse(gunzipSync(packed).toString()) as unknown;
}

/** A message that nobody can work on, and why. The body is as it came, and may leave little room for the rest. */
export function deadLetter(record: SQSRecord, faults: readonly string[]): Outgoing {
  const room = messageOctets - Buffer.byteLength(record.body) - namesOctets;
  // Of what SQS takes in an attribute: no controls, and not without end.
  const reason = cutTo(faults.join("; ").slice(0, reasonLimit), room);
  const own = {
    [reasonName]: textValue(reason.replaceAll(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "?"), "String"),
    [messageIdName]: textValue(record.messageId, "String"),
  };
  const attributes = room > attributesOctets ? withOwn(record, own) : own;
  return { body: record.body, attributes: room > 0 ? attributes : {}, delayS: 0 };
}

/** SQS's own limit, 1 MiB with the attributes; what ours take beside the reason; and what others' may. */
const messageOctets = 1_048_576;
const namesOctets = 250;
const attributesOctets = 65_536;

function cutTo(text: string, octets: number): string {
  let cut = text.slice(0, Math.max(1, octets));
  while (Buffer.byteLength(cut) > Math.max(1, octets)) cut = cut.slice(0, -1);
  return cut;
}

function again(record: Contents, own: Outgoing["attributes"], delayS: number): Outgoing {
  return { body: record.body, attributes: withOwn(record, own), delayS: delayOf(delayS) };
}

/** The record's attributes, but for what SQS would not take beside ours. */
function withOwn(record: Contents, own: Outgoing["attributes"]): Outgoing["attributes"] {
  const others = Object.entries(attributesOf(record)).filter(([name]) => !Object.hasOwn(own, name));
  // Ours first: a request that was put back must not forget how often.
  const ours = others.toSorted(([a], [b]) => Number(isOurs(b)) - Number(isOurs(a)));
  return { ...Object.fromEntries(ours.slice(0, attributesLimit - Object.keys(own).length)), ...own };
}

function isOurs(name: string): boolean {
  return [waitsName, untoldName, reasonName, messageIdName].includes(name);
}

function delayOf(delayS: number): number {
  return Math.min(delayLimitS, Math.max(0, Math.ceil(delayS)));
}

/** But what was carried along: what comes of the record now takes its place. */
function attributesOf(record: Contents): Readonly<Record<string, MessageAttributeValue>> {
  const { [recordedName]: _, ...others } = allAttributesOf(record);
  return others;
}

function allAttributesOf({ messageAttributes }: Contents): Readonly<Record<string, MessageAttributeValue>> {
  return Object.fromEntries(
    Object.entries(messageAttributes).map(([name, { dataType, stringValue, binaryValue }]) => {
      const value = binaryValue === undefined ? {} : { BinaryValue: Buffer.from(binaryValue, "base64") };
      return [name, { DataType: dataType, ...(stringValue === undefined ? value : { StringValue: stringValue }) }];
    }),
  );
}

function textValue(StringValue: string, DataType: "String" | "Number"): MessageAttributeValue {
  return { DataType, StringValue };
}
