// What was done and must not be done twice: a slot of the schedule, a page. One row each, which the first to write owns.
import { expiryOf, isConditionFault, type Table } from "./table.ts";

/** What a mark is about. */
export type Mark =
  | { readonly kind: "slot"; readonly slot: string }
  /** An alarm's change, told by the alarm and the time of its change. */
  | { readonly kind: "page"; readonly alarm: string; readonly at: string }
  /** What on-call was last told of an alarm. */
  | { readonly kind: "told"; readonly alarm: string };

export type Claimed =
  /** What was noted by those who had it before us; null: nobody had. */
  | { readonly isOurs: true; readonly note: unknown }
  /** It is done, or somebody else is at it. */
  | { readonly isOurs: false; readonly isDone: boolean };

export async function isMarked(mark: Mark, table: Table): Promise<boolean> {
  return (await readMark(mark, table)) !== null;
}

/** @returns whether we are the first */
export async function setMark(mark: Mark, table: Table): Promise<boolean> {
  try {
    await table.client.put({
      TableName: table.name,
      Item: { ...mark, pk: keyOf(mark), expiresAt: expiryOf(table) },
      ConditionExpression: "attribute_not_exists(pk)",
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

/**
 * Takes on what a mark is about, unless it is done or somebody else is at it. Claims are in the time of the machines'
 * clocks, as leases are.
 * @param owner of this claim alone
 * @param holdMs how long it is ours if we are not heard of again
 */
export async function claimMark(mark: Mark, owner: string, holdMs: number, table: Table): Promise<Claimed> {
  const nowMs = Date.now();
  try {
    const { Attributes } = await table.client.update({
      TableName: table.name,
      Key: { pk: keyOf(mark) },
      UpdateExpression: "SET claimOwner = :owner, claimUntilMs = :until, expiresAt = :expiresAt",
      ConditionExpression:
        "attribute_not_exists(doneAt) AND (attribute_not_exists(claimUntilMs) OR claimUntilMs <= :now)",
      ExpressionAttributeValues: {
        ":owner": owner,
        ":until": nowMs + holdMs,
        ":now": nowMs,
        ":expiresAt": expiryOf(table),
      },
      ReturnValues: "ALL_NEW",
    });
    return { isOurs: true, note: Attributes?.["note"] ?? null };
  } catch (error) {
    if (!isConditionFault(error)) throw error;
    return { isOurs: false, isDone: (await readMark(mark, table))?.["doneAt"] !== undefined };
  }
}

/** Gives a claim back with what came of it. One that somebody else has taken over stays theirs. */
export async function settleMark(
  mark: Mark,
  { owner, note, isDone }: { readonly owner: string; readonly note: unknown; readonly isDone: boolean },
  table: Table,
): Promise<void> {
  const done = isDone ? ", doneAt = :at" : "";
  try {
    await table.client.update({
      TableName: table.name,
      Key: { pk: keyOf(mark) },
      UpdateExpression: `SET note = :note, expiresAt = :expiresAt${done} REMOVE claimOwner, claimUntilMs`,
      ConditionExpression: "claimOwner = :owner",
      ExpressionAttributeValues: {
        ":owner": owner,
        ":note": note,
        ":expiresAt": expiryOf(table),
        ...(isDone ? { ":at": table.now().toISOString() } : {}),
      },
    });
  } catch (error) {
    if (!isConditionFault(error)) throw error;
  }
}

/**
 * Notes on a mark what it came to at a time, unless something later was noted.
 * @param at RFC 3339, UTC, with milliseconds
 * @returns whether nothing later was
 */
export async function noteLatest(mark: Mark, at: string, note: unknown, table: Table): Promise<boolean> {
  try {
    await table.client.update({
      TableName: table.name,
      Key: { pk: keyOf(mark) },
      UpdateExpression: "SET note = :note, lastAt = :at, expiresAt = :expiresAt",
      ConditionExpression: "attribute_not_exists(lastAt) OR lastAt <= :at",
      ExpressionAttributeValues: { ":note": note, ":at": at, ":expiresAt": expiryOf(table) },
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

/** The mark's row, with its `note` if there is one; null: not marked. */
export async function readMark(mark: Mark, table: Table): Promise<Readonly<Record<string, unknown>> | null> {
  const { Item } = await table.client.get({ TableName: table.name, Key: { pk: keyOf(mark) }, ConsistentRead: true });
  return Item ?? null;
}

function keyOf(mark: Mark): string {
  switch (mark.kind) {
    case "slot":
      return `slot#${mark.slot}`;
    case "page":
      return `page#${mark.alarm}#${mark.at}`;
    case "told":
      return `told#${mark.alarm}`;
  }
}
