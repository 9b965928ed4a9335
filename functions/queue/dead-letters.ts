// Dead letters: reads through such a queue once, moves its letters back to the queue that they were for, or deletes them.
// Why one is there its reason says; whether it can be worked on now, it does not know.
import type { Message, MessageAttributeValue, SQS } from "@aws-sdk/client-sqs";
import { messageIdName, reasonName, waitsName } from "./record.ts";

export interface DeadLetter {
  /** The request's, where the body has one; else SQS's own of the message. */
  readonly id: string;
  readonly messageId: string;
  /** When it was sent: RFC 3339, UTC, of SQS's clock. */
  readonly at: string | null;
  /** What the runner said of it; null: it was received too often and never finished, and SQS put it there. */
  readonly reason: string | null;
  /** How often it was received, by those who only looked at it too. */
  readonly receives: number;
  readonly body: string;
}

/** The first so many, and all again to be seen by others. */
export async function firstDeadLetters(url: string, limit: number, sqs: SQS): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  await readThrough(url, sqs, async (letter) => {
    letters.push(letterOf(letter));
    return letters.length < limit ? "kept" : "enough";
  });
  return letters.slice(0, limit);
}

/** How many there are, by SQS's own reckoning, which may be a minute late. */
export async function countDeadLetters(url: string, sqs: SQS): Promise<number> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const { Attributes = {} } = await sqs.getQueueAttributes({ QueueUrl: url, AttributeNames: [...names] });
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}

/**
 * Moves letters back: each is sent, and only then deleted, so that who dies in between has it twice and loses nothing; a
 * request that comes twice is probed once.
 * @param ids of which ones, as a DeadLetter's `id` or `messageId`; null: all
 * @returns those that were moved
 * @throws what the SDK throws; what was moved until then is
 */
export async function redriveDeadLetters(
  { from, to }: { readonly from: string; readonly to: string },
  ids: readonly string[] | null,
  sqs: SQS,
): Promise<readonly DeadLetter[]> {
  return await takeAway(from, ids, sqs, async ({ Body = "", MessageAttributes = {} }) => {
    const attributes = redriven(MessageAttributes);
    await sqs.sendMessage({ QueueUrl: to, MessageBody: Body, MessageAttributes: attributes });
  });
}

/**
 * @param ids as redriveDeadLetters'
 * @returns those that are deleted
 */
export async function discardDeadLetters(
  url: string,
  ids: readonly string[],
  sqs: SQS,
): Promise<readonly DeadLetter[]> {
  return await takeAway(url, ids, sqs, async () => {});
}

/** Deletes these, each after what has to be done with it first. */
async function takeAway(
  QueueUrl: string,
  ids: readonly string[] | null,
  sqs: SQS,
  first: (message: Message) => Promise<void>,
): Promise<readonly DeadLetter[]> {
  const taken: DeadLetter[] = [];
  await readThrough(QueueUrl, sqs, async (message) => {
    const letter = letterOf(message);
    if (!isOneOf(letter, ids)) return "kept";
    await first(message);
    await sqs.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
    taken.push(letter);
    return "gone";
  });
  return taken;
}

type Visited = "kept" | "gone" | "enough";

/** Nobody else gets a letter for so long after we got it, unless we give it back before. */
const holdS = 60;
/** A long poll asks all of SQS's servers, so that an empty answer is an empty queue. */
const waitS = 1;
const batchSize = 10;

/**
 * Visits each message once, ten at a time. It ends when the queue is empty, when nothing comes that has not been seen, or
 * when a visit says that it is enough; then whatever was kept can be seen by others again. What was sent after we began
 * is left alone: what we moved and came back, and what a producer sends faster than anybody reads.
 */
async function readThrough(url: string, sqs: SQS, visit: (message: Message) => Promise<Visited>): Promise<void> {
  /** By message: its last receipt, with which it is given back. */
  const held = new Map<string, string>();
  const seen = new Set<string>();
  const beganMs = Date.now();
  try {
    for (let isOver = false; !isOver;) {
      const messages = await receive(url, sqs);
      const fresh = messages.filter((each) => !seen.has(each.MessageId ?? "") && (sentMsOf(each) ?? 0) <= beganMs);
      for (const { MessageId = "", ReceiptHandle = "" } of messages) {
        seen.add(MessageId);
        held.set(MessageId, ReceiptHandle);
      }
      const visits = await Promise.allSettled(fresh.map(visit));
      visits.forEach((each, index) => {
        if (each.status === "fulfilled" && each.value === "gone") held.delete(fresh[index]?.MessageId ?? "");
      });
      const failed = visits.find((each) => each.status === "rejected");
      if (failed !== undefined) throw failed.reason;
      isOver = fresh.length === 0 || visits.some((each) => each.status === "fulfilled" && each.value === "enough");
    }
  } finally {
    // What cannot be given back comes back by itself.
    await giveBack(url, [...held.values()], sqs).catch(() => {});
  }
}

async function receive(QueueUrl: string, sqs: SQS): Promise<readonly Message[]> {
  const { Messages = [] } = await sqs.receiveMessage({
    QueueUrl,
    MaxNumberOfMessages: batchSize,
    VisibilityTimeout: holdS,
    WaitTimeSeconds: waitS,
    MessageAttributeNames: ["All"],
    MessageSystemAttributeNames: ["All"],
  });
  return Messages;
}

/** A second and not none: the embedded SQS loses its hold of a message that is to be seen at once. */
const backS = 1;

async function giveBack(QueueUrl: string, receipts: readonly string[], sqs: SQS): Promise<void> {
  for (let from = 0; from < receipts.length; from += batchSize) {
    const some = receipts.slice(from, from + batchSize);
    const Entries = some.map((ReceiptHandle, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: backS,
    }));
    await sqs.changeMessageVisibilityBatch({ QueueUrl, Entries });
  }
}

function letterOf(message: Message): DeadLetter {
  const { MessageId = "", Body = "", Attributes = {}, MessageAttributes = {} } = message;
  const sentMs = sentMsOf(message);
  return {
    id: idIn(Body) ?? MessageId,
    messageId: MessageId,
    at: sentMs === null ? null : new Date(sentMs).toISOString(),
    reason: MessageAttributes[reasonName]?.StringValue ?? null,
    receives: Number(Attributes.ApproximateReceiveCount ?? 0),
    body: Body,
  };
}

function sentMsOf({ Attributes }: Message): number | null {
  const sent = Attributes?.SentTimestamp;
  return sent === undefined ? null : Number(sent);
}

/** Of what may be no request at all. */
function idIn(body: string): string | null {
  try {
    const id = (JSON.parse(body) as { readonly id?: unknown } | null)?.id;
    return typeof id === "string" && id !== "" ? id : null;
  } catch {
    return null;
  }
}

function isOneOf({ id, messageId }: DeadLetter, ids: readonly string[] | null): boolean {
  return ids === null || ids.includes(id) || ids.includes(messageId);
}

/** Without what was said of it as a dead letter; and it has not waited for its turn yet. */
function redriven(attributes: Readonly<Record<string, MessageAttributeValue>>): Record<string, MessageAttributeValue> {
  const others = Object.entries(attributes).filter(([name]) => ![reasonName, messageIdName, waitsName].includes(name));
  return Object.fromEntries(
    others.map(([name, { DataType, StringValue, BinaryValue }]) => {
      const value = BinaryValue === undefined ? { StringValue } : { BinaryValue };
      return [name, { DataType, ...value }];
    }),
  );
}
