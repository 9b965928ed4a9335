// What a send is about: its request and its message as it goes on the wire, one row an id, written once. That the same id
// with other content is a fault rests on this row. What became of it, the rows of its deliveries know.
import { createHash } from "node:crypto";
import { findRow } from "./request-rows.ts";
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
  /** The fields that we added, the signature too: fixed for all attempts, so that receivers can tell a repeated message. */
  readonly head: Uint8Array;
  readonly body: StoredBody;
  /** Head and body together. */
  readonly octets: number;
  /** Whose the message says it is, and what receivers can verify of that. */
  readonly fromDomain: string;
  readonly dkimDomain: string | null;
}

/** The normalised message, or where it lies. */
export type StoredBody =
  | { readonly kind: "inline"; readonly bytes: Uint8Array }
  | { readonly kind: "s3"; readonly bucket: string; readonly key: string; readonly etag: string | null };

/** A body up to this waits in its row, a longer one in S3: an item holds 400 kB. */
export const inlineLimit = 200_000; // octets

/** Rows outlive the send by so long that a redrive of its dead letter, which SQS keeps for 14 days, sends nothing twice. */
const keptDays = 14;

/** Seconds since the epoch, as TTL wants them. */
export function keptUntilS(expiresAtMs: number): number {
  return Math.ceil(expiresAtMs / 1000) + keptDays * 86_400;
}

export async function findMessage(id: string, table: Table): Promise<StoredMessage | null> {
  const row = await findRow(keyOf(id), table);
  return row === null ? null : fromRow(row);
}

/** @returns false where the id has a message already, which stays */
export async function putMessageOnce(message: StoredMessage, table: Table): Promise<boolean> {
  try {
    await table.client.put({
      TableName: table.name,
      Item: { ...message, pk: keyOf(message.id), expiresAt: keptUntilS(message.expiresAtMs) },
      ConditionExpression: "attribute_not_exists(pk) OR expiresAt <= :now",
      ExpressionAttributeValues: { ":now": Math.floor(table.now().getTime() / 1000) },
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
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
  const { head, body, octets, fromDomain, dkimDomain } = row as unknown as StoredMessage;
  return { id, asked, content, from, domains, createdAt, expiresAtMs, head, body, octets, fromDomain, dkimDomain };
}
