// The turns that sends take with a provider over an egress, shared by all processes: one row each, changed by who finds it
// as it was read. How many there are, rate.ts knows; who is let go first, nobody does.
import { setTimeout as sleep } from "node:timers/promises";
import { noTurns, turnAfter, type Priority, type RateLimits, type Turns } from "./rate.ts";
import { isConditionFault, rowsOf, type Table } from "./table.ts";

export interface Turn {
  readonly provider: string;
  readonly egress: string;
  /** Of this turn alone. */
  readonly owner: string;
}

export type Taken =
  | { readonly taken: true }
  /** Milliseconds to wait. */
  | { readonly taken: false; readonly waitMs: number };

/** So many may change a row at the same time; who meets more comes again in a second or two. */
const triesLimit = 6;

/** @param asked `holdMs`: how long a session of the limit is its if it is not heard of again */
export async function takeTurn(
  asked: Turn & { readonly holdMs: number; readonly priority: Priority },
  limits: RateLimits,
  table: Table,
): Promise<Taken> {
  for (let tries = 1; tries <= triesLimit; tries++) {
    const { turns, version } = await turnsOf(asked, table);
    const turn = turnAfter(turns, asked, limits, Date.now(), Math.random());
    if (!turn.taken) return turn;
    if (turn.turns === turns || (await isWritten(asked, turn.turns, version, table))) return { taken: true };
    await sleep(Math.random() * 25 * tries);
  }
  return { taken: false, waitMs: 1_000 + Math.round(Math.random() * 1_000) };
}

/** It goes on: the session is its for so long again. One that ran out meanwhile may be somebody else's by now. */
export async function keepTurn(turn: Turn, holdMs: number, table: Table): Promise<void> {
  await changeSlot(
    turn,
    "SET #version = #version + :one, slots.#owner = :until",
    { ":until": Date.now() + holdMs },
    table,
  );
}

/** Gives the session back; the send stays counted. One that ran out is no fault. */
export async function giveBack(turn: Turn, table: Table): Promise<void> {
  await changeSlot(turn, "SET #version = #version + :one REMOVE slots.#owner", {}, table);
}

/** Who has read the row before must not put the slot back as it was: its version is another. */
async function changeSlot(
  { provider, egress, owner }: Turn,
  UpdateExpression: string,
  values: Readonly<Record<string, number>>,
  table: Table,
): Promise<void> {
  try {
    await table.client.update({
      TableName: table.name,
      Key: { pk: keyOf(provider, egress) },
      UpdateExpression,
      ConditionExpression: "attribute_exists(slots.#owner)",
      ExpressionAttributeNames: { "#owner": owner, "#version": "version" },
      ExpressionAttributeValues: { ":one": 1, ...values },
    });
  } catch (error) {
    if (!isConditionFault(error)) throw error;
  }
}

async function turnsOf(
  { provider, egress }: Turn,
  table: Table,
): Promise<{ readonly turns: Turns; readonly version: number }> {
  const [row] = await rowsOf([keyOf(provider, egress)], table);
  if (row === undefined) return { turns: noTurns, version: 0 };
  const { slots, taken, version } = row as unknown as Turns & { readonly version: number };
  return { turns: { slots, taken }, version };
}

async function isWritten({ provider, egress }: Turn, turns: Turns, version: number, table: Table): Promise<boolean> {
  try {
    await table.client.put({
      TableName: table.name,
      // The row of a provider that nobody sends to any more says nothing.
      Item: { ...turns, pk: keyOf(provider, egress), version: version + 1, expiresAt: secondsIn(dayMs) },
      ...(version === 0
        ? { ConditionExpression: "attribute_not_exists(pk)" }
        : {
            ConditionExpression: "#version = :version",
            ExpressionAttributeNames: { "#version": "version" },
            ExpressionAttributeValues: { ":version": version },
          }),
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

const dayMs = 86_400_000;

function secondsIn(ms: number): number {
  return Math.ceil((Date.now() + ms) / 1000);
}

function keyOf(provider: string, egress: string): string {
  return `rate#${provider}#${egress}`;
}
