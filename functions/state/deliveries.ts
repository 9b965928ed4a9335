// What stands of a send at one domain: each recipient's state, the attempts, who has it in hand, what is still to be told.
// One row an id and domain, which is the truth about it; a message in a queue only says that it is worth a look. Each write
// is conditional on what was read, so that of two who have read the same row one alone goes on. It decides nothing.
import { createHash, randomUUID } from "node:crypto";
import type { LastWord } from "../verdict/last-word.ts";
import { keptUntilS } from "./messages.ts";
import { findRow } from "./request-rows.ts";
import { isConditionFault, type Row, type Table } from "./table.ts";
import { wakeShardOf } from "./wakes.ts";

export interface Delivery {
  readonly id: string;
  readonly domain: string;
  /** The way out that it takes now; another where the request allows any and this one is held. */
  readonly egress: string;
  readonly anyEgress: boolean;
  /** The reverse-path; and, as in its message's row, whose the message is. */
  readonly from: string;
  readonly fromDomain: string;
  readonly dkimDomain: string | null;
  readonly onUnknown: "stop" | "retry";
  readonly priority: "high" | "normal" | "low";
  /** RFC 3339. */
  readonly createdAt: string;
  readonly expiresAtMs: number;
  /** Of sessions that were had, the first one first. */
  readonly attempts: readonly { readonly at: string; readonly egress: string }[];
  readonly recipients: readonly Recipient[];
  /** Why it waits although it is due, in a line; null: it does not. */
  readonly heldBy: string | null;
  readonly isDelayTold: boolean;
  /** What became of recipients and was not told yet. */
  readonly untold: readonly Told[];
  readonly lease: { readonly owner: string; readonly untilMs: number } | null;
  /** When the sweep looks at it, by the clock of schedules; null: everything is done. */
  readonly wakeAtMs: number | null;
  /** Of the last write, each of which has another: whoever takes it on says which one it has read. */
  readonly written: string;
}

/**
 * `committing`: a message for it may be on its way. Written before the write that holds DATA or BDAT, so that whoever finds
 * it so, and nobody at it, knows that it may have been delivered (RFC 1047). The last four are final.
 */
export type RecipientState = "waiting" | "committing" | "delivered" | "failed" | "expired" | "unknown";

export interface Recipient {
  readonly address: string;
  readonly state: RecipientState;
  /** Not before, by the clock of schedules. */
  readonly nextAtMs: number;
  /** The numbers of those that it was part of, from 1. */
  readonly attempts: readonly number[];
  /** The most telling answer of all of them; null: none yet. */
  readonly word: LastWord | null;
}

export type EventName = "delivered" | "delayed" | "failed" | "expired" | "unknown";

/** What is to be told of a recipient. */
export interface Told {
  readonly recipient: string;
  readonly event: EventName;
  /** RFC 3339. */
  readonly at: string;
  /** In our words, where no answer says why: what was not begun, or not heard of again; null: the recipient's word does. */
  readonly reason: string | null;
  /** The attempt whose verdict tells it, from 1; null: none was made, or none was heard of. */
  readonly attempt: number | null;
}

/** In hand until then: nobody else may touch it. Leases are in the machines' own time. */
export function isLeased({ lease }: Delivery): boolean {
  return lease !== null && lease.untilMs > Date.now();
}

export function isOpen({ state }: Recipient): boolean {
  return state === "waiting" || state === "committing";
}

export async function findDelivery(id: string, domain: string, table: Table): Promise<Delivery | null> {
  const row = await findRow(keyOf(id, domain), table);
  return row === null ? null : fromRow(row);
}

/** @returns false where there is one already, which stays */
export async function putDeliveryOnce(delivery: Delivery, table: Table): Promise<boolean> {
  const ofNobody = "attribute_not_exists(pk) OR expiresAt <= :now";
  const now = Math.floor(table.now().getTime() / 1000);
  return (await put({ ...delivery, written: randomUUID() }, ofNobody, { ":now": now }, table)) !== null;
}

/**
 * Writes a delivery as long as it stands as it was read, or as we have written it since: of two who have read the same, one
 * alone goes on, and a write that the network brings late changes nothing.
 * @param seen what may stand there: `written` of what was read, and of a write of ours whose answer we may not have heard
 * @param written of this write: where it is tried again, the same
 * @returns as it stands in the table then; null where somebody else has written
 */
export async function writeDelivery(
  next: Delivery,
  seen: readonly string[],
  table: Table,
  written: string = randomUUID(),
): Promise<Delivery | null> {
  const values = Object.fromEntries(seen.map((each, index) => [`:seen${index}`, each]));
  return await put({ ...next, written }, `written IN (${Object.keys(values).join(", ")})`, values, table);
}

async function put(next: Delivery, condition: string, values: object, table: Table): Promise<Delivery | null> {
  const { id, domain, wakeAtMs, written, ...rest } = next;
  // An index holds what has its keys: a delivery that is done is not in it.
  const wake = wakeAtMs === null ? {} : { wakeAtMs: Math.ceil(wakeAtMs), wakeShard: wakeShardOf(id) };
  const pk = keyOf(id, domain);
  try {
    await table.client.put({
      TableName: table.name,
      Item: { ...rest, ...wake, pk, id, domain, written, expiresAt: keptUntilS(next) },
      ConditionExpression: condition,
      ExpressionAttributeValues: { ...values },
    });
    return next;
  } catch (error) {
    if (!isConditionFault(error)) throw error;
    // A try whose answer was lost is made again, and finds what it wrote itself.
    return (await findRow(pk, table))?.["written"] === written ? next : null;
  }
}

/** Of a recipient's event: the same however often it is told. */
export function eventIdOf(id: string, { recipient, event }: Pick<Told, "recipient" | "event">): string {
  return createHash("sha256")
    .update(JSON.stringify([id, recipient, event]))
    .digest("hex");
}

/** Under which an attempt's verdict stands in the table. */
export function verdictIdOf({ id, domain }: Pick<Delivery, "id" | "domain">, number: number): string {
  return `send/${id}/${domain}/${number}`;
}

function keyOf(id: string, domain: string): string {
  return `delivery#${id}#${domain}`;
}

function fromRow(row: Row): Delivery {
  const { id, domain, egress, anyEgress, from, fromDomain, dkimDomain } = row as unknown as Delivery;
  const { onUnknown, priority, createdAt, expiresAtMs, attempts, recipients } = row as unknown as Delivery;
  const { heldBy, isDelayTold, untold, lease, wakeAtMs, written } = row as unknown as Delivery;
  const asked = { id, domain, egress, anyEgress, from, fromDomain, dkimDomain, onUnknown, priority };
  const stands = { attempts, recipients, heldBy, isDelayTold, untold, lease, wakeAtMs: wakeAtMs ?? null, written };
  return { ...asked, createdAt, expiresAtMs, ...stands };
}
