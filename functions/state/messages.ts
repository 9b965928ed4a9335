// What a send is about: its request and its message as it goes on the wire, one row an id, written once. That the same id
// with other content is a fault rests on this row. What became of it, the rows of its deliveries know.
import { createHash } from "node:crypto";
import { findRow, putOnce } from "./request-rows.ts";
import { isConditionFault, type Row, type Table } from "./table.ts";

export interface StoredMessage {
  readonly id: string;
  /** The digest of all that was asked; and of the normalised message's octets, wherever they lie. */
  readonly asked: string;
  readonly content: string;
  /** The reverse-path, empty for the null one. */
  readonly from: string;
  /** The recipients' domains: there is a delivery for each. */
  readonly domains: readonly string[];
  /** RFC 3339: when it was taken on. */
  readonly createdAt: string;
  readonly expiresAtMs: number;
  /**
   * The fields that we added, the signature too: made for the first attempt and fixed for all, so that receivers can tell a
   * repeated message. Null: nobody has tried yet.
   */
  readonly head: Uint8Array | null;
  readonly body: StoredBody;
  /** Of the body. */
  readonly octets: number;
  /** Whose the message says it is, and who signs it; null: nobody. */
  readonly fromDomain: string;
  readonly dkimDomain: string | null;
  /** RFC 3339: when somebody called it off, so that nothing of it is begun any more; null: nobody has. */
  readonly cancelledAt: string | null;
}

/** The normalised message, or where it lies. */
export type StoredBody =
  | { readonly kind: "inline"; readonly bytes: Uint8Array }
  | { readonly kind: "s3"; readonly bucket: string; readonly key: string; readonly etag: string | null };

/** As it is taken on. */
export type NewMessage = Omit<StoredMessage, "head" | "cancelledAt">;

/** A body up to this waits in its row, a longer one in S3: an item holds 400 kB. */
export const inlineLimit = 200_000; // octets

/** Rows outlive the send by so long that a redrive of its dead letter, which SQS keeps for 14 days, sends nothing twice. */
const keptDays = 14;

/** Seconds since the epoch, as TTL wants them. What was over when it came is kept as long as any other. */
export function keptUntilS({ createdAt, expiresAtMs }: Pick<StoredMessage, "createdAt" | "expiresAtMs">): number {
  return Math.ceil(Math.max(expiresAtMs, Date.parse(createdAt)) / 1000) + keptDays * 86_400;
}

export async function findMessage(id: string, table: Table): Promise<StoredMessage | null> {
  const row = await findRow(keyOf(id), table);
  return row === null ? null : fromRow(row);
}

/** @returns false where the id has a message already, which stays */
export async function putMessageOnce(message: NewMessage, table: Table): Promise<boolean> {
  return await putOnce({ ...message, pk: keyOf(message.id), expiresAt: keptUntilS(message) }, table);
}

/**
 * Fixes what is added to a message.
 * @returns what stands: this, or what another attempt has fixed before
 */
export async function fixHead(id: string, head: Uint8Array, table: Table): Promise<Uint8Array> {
  const { Attributes } = await table.client.update({
    TableName: table.name,
    Key: { pk: keyOf(id) },
    UpdateExpression: "SET fixedHead = if_not_exists(fixedHead, :head)",
    ConditionExpression: "attribute_exists(pk)",
    ExpressionAttributeValues: { ":head": head },
    ReturnValues: "ALL_NEW",
  });
  return (Attributes?.["fixedHead"] ?? head) as Uint8Array;
}

/**
 * Calls a send off: what is not begun by then is not.
 * @returns false where there is no such send
 */
export async function cancelMessage(id: string, table: Table): Promise<boolean> {
  try {
    await table.client.update({
      TableName: table.name,
      Key: { pk: keyOf(id) },
      UpdateExpression: "SET cancelledAt = if_not_exists(cancelledAt, :at)",
      ConditionExpression: "attribute_exists(pk)",
      ExpressionAttributeValues: { ":at": table.now().toISOString() },
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

/** Without the message, which may be long. */
export async function isCancelled(id: string, table: Table): Promise<boolean> {
  const { Item } = await table.client.get({
    TableName: table.name,
    Key: { pk: keyOf(id) },
    ConsistentRead: true,
    ProjectionExpression: "cancelledAt",
  });
  return Item?.["cancelledAt"] !== undefined;
}

/** Of the normalised octets. */
export function contentDigest(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

/** Of whom a receiver speaks that speaks of the sender's domain: the envelope's, else the message's own. */
export function senderDomainOf({ from, fromDomain }: Pick<StoredMessage, "from" | "fromDomain">): string {
  return from === "" ? fromDomain : from.slice(from.lastIndexOf("@") + 1).toLowerCase();
}

function keyOf(id: string): string {
  return `message#${id}`;
}

function fromRow(row: Row): StoredMessage {
  const { id, asked, content, from, domains, createdAt, expiresAtMs } = row as unknown as StoredMessage;
  const { body, octets, fromDomain, dkimDomain } = row as unknown as StoredMessage;
  const { fixedHead = null, cancelledAt = null } = row as {
    readonly fixedHead?: Uint8Array;
    readonly cancelledAt?: string;
  };
  const known = { id, asked, content, from, domains, createdAt, expiresAtMs };
  return { ...known, head: fixedHead, body, octets, fromDomain, dkimDomain, cancelledAt };
}
