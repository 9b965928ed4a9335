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
  /** Those that it was part of. */
  readonly attempts: number;
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
  readonly reason: string;
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
  return (await put(delivery, ofNobody, { ":now": Math.floor(table.now().getTime() / 1000) }, table)) !== null;
}

/**
 * Takes a delivery in hand as it was read: of two who have read the same, one alone does.
 * @returns as it stands in the table then; null where somebody has written since
 */
export async function takeDelivery(next: Delivery, table: Table): Promise<Delivery | null> {
  return await put(next, "written = :seen", { ":seen": next.written }, table);
}

/**
 * Writes a delivery that is in our hands.
 * @returns as it stands in the table then; null where it is not ours any more
 */
export async function writeDelivery(next: Delivery, owner: string, table: Table): Promise<Delivery | null> {
  return await put(next, "lease.#owner = :owner", { ":owner": owner }, table);
}

async function put(delivery: Delivery, condition: string, values: object, table: Table): Promise<Delivery | null> {
  const { id, domain, expiresAtMs, wakeAtMs, ...rest } = delivery;
  const next: Delivery = { ...delivery, written: randomUUID() };
  // An index holds what has its keys: a delivery that is done is not in it.
  const wake = wakeAtMs === null ? {} : { wakeAtMs: Math.ceil(wakeAtMs), wakeShard: wakeShardOf(id) };
  const pk = keyOf(id, domain);
  const { written } = next;
  const Item = { ...rest, ...wake, pk, id, domain, expiresAtMs, expiresAt: keptUntilS(expiresAtMs), written };
  try {
    await table.client.put({
      TableName: table.name,
      Item,
      ConditionExpression: condition,
      ExpressionAttributeValues: { ...values },
      ...(condition.includes("#owner") ? { ExpressionAttributeNames: { "#owner": "owner" } } : {}),
    });
    return next;
  } catch (error) {
    if (!isConditionFault(error)) throw error;
    // A try whose answer was lost is made again by the client, and finds what it wrote itself.
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
