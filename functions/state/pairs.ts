// What stands between us and a provider over one egress: the lease of the one session at a time, the block that stands,
// how long to stay away. One row a pair. It does not know why a block was seen, or what follows from it.
//
// Probes have the lease when they write; sends, many at a time, have none. So whoever writes what it made of the row does
// so only if the row still says what was read, and else makes it anew.
import { setTimeout as sleep } from "node:timers/promises";
import type { Stage } from "../smtp/transcript.ts";
import { asRead } from "./as-read.ts";
import { pairOf } from "./verdicts.ts";
import { isConditionFault, rowsOf, type Table } from "./table.ts";

/** A refusal of the IP that no later session has got past. */
export interface Block {
  /** The furthest stage at which it was said. */
  readonly stage: Stage;
  readonly host: string;
  /** RFC 3339: the first verdict with it; and the request's id. */
  readonly since: string;
  readonly id: string;
}

export interface PairState {
  readonly provider: string;
  readonly egress: string;
  readonly block: Block | null;
  /** RFC 3339: when a session last got past a block, or met none; null: not yet. */
  readonly clearedAt: string | null;
  /** The verdict that was written last, and when it was decided; null: none yet. */
  readonly last: { readonly id: string; readonly at: string } | null;
  /** RFC 3339: the schedule leaves the pair alone until then; null: it does not. */
  readonly notBefore: string | null;
}

/** The right to one session with the provider. */
export interface Lease {
  readonly provider: string;
  readonly egress: string;
  readonly owner: string;
}

export type Leased =
  | { readonly lease: Lease; readonly state: PairState }
  /** Somebody else's, or too soon after it: milliseconds to wait. */
  | { readonly lease: null; readonly waitMs: number };

/**
 * Leases are in the time of the machines' clocks, whatever time the schedule is in: a session takes as long as it takes.
 * @param holdMs how long it is ours if we are not heard of again
 */
export async function acquire({ provider, egress, owner }: Lease, holdMs: number, table: Table): Promise<Leased> {
  const nowMs = Date.now();
  try {
    const { Attributes } = await table.client.update({
      TableName: table.name,
      Key: { pk: keyOf(provider, egress) },
      UpdateExpression: "SET leaseOwner = :owner, leaseUntilMs = :until, provider = :provider, egress = :egress",
      ConditionExpression: "attribute_not_exists(leaseUntilMs) OR leaseUntilMs <= :now OR leaseOwner = :owner",
      ExpressionAttributeValues: {
        ":owner": owner,
        ":until": nowMs + holdMs,
        ":now": nowMs,
        ":provider": provider,
        ":egress": egress,
      },
      ReturnValues: "ALL_NEW",
    });
    return { lease: { provider, egress, owner }, state: fromRow(Attributes ?? {}) };
  } catch (error) {
    if (!isConditionFault(error)) throw error;
    return { lease: null, waitMs: await waitFor(provider, egress, nowMs, table) };
  }
}

/** @returns whether it is still ours */
export async function renew({ provider, egress, owner }: Lease, holdMs: number, table: Table): Promise<boolean> {
  return await updateOwn(
    { provider, egress, owner },
    "SET leaseUntilMs = :until",
    { ":until": Date.now() + holdMs },
    table,
  );
}

/** Gives the lease back; nobody has the next one before the gap is over. */
export async function release({ provider, egress, owner }: Lease, gapMs: number, table: Table): Promise<void> {
  const values = { ":until": Date.now() + gapMs };
  await updateOwn({ provider, egress, owner }, "SET leaseUntilMs = :until REMOVE leaseOwner", values, table);
}

/** What is made of the pair as it is; called again where it has become another meanwhile. */
type Change = (pair: PairState) => PairState;

/**
 * Writes what a verdict has changed. Only who has the lease may: the order of its sessions is the leases', not the clocks'.
 * @param before the pair as it was read
 * @returns the pair as it was written; null where the lease is no longer ours: then nothing is written
 */
export async function settle(lease: Lease, before: PairState, change: Change, table: Table): Promise<PairState | null> {
  return await changed(lease, before, table, async (pair) => {
    const next = change(pair);
    const { notBefore } = next;
    const isWritten = await writeState(
      pair,
      next,
      { set: ", notBefore = :notBefore", only: " AND leaseOwner = :owner" },
      { ":notBefore": notBefore, ":owner": lease.owner },
      table,
    );
    return isWritten ? next : null;
  });
}

/**
 * Writes what a verdict has changed of the block, whoever has the lease: neither it nor `notBefore` is touched.
 * @param change its `state` is the pair as it is to be; null: nothing is to be written
 * @returns what was made of it last
 */
export async function changeBlock<T extends { readonly state: PairState | null }>(
  pair: { readonly provider: string; readonly egress: string },
  change: (pair: PairState) => T,
  table: Table,
): Promise<T> {
  const { provider, egress } = pair;
  const [before = { provider, egress, ...nothingKnown }] = await statesOf([pair], table);
  const made = await changed({ provider, egress, owner: null }, before, table, async (read) => {
    const next = change(read);
    if (next.state === null) return next;
    const values = { ":provider": provider, ":egress": egress };
    const more = { set: ", provider = :provider, egress = :egress", only: "" };
    return (await writeState(read, next.state, more, values, table)) ? next : null;
  });
  return made ?? change(before);
}

/** Of each pair, in the order asked; one that was never probed has nothing. */
export async function statesOf(
  pairs: readonly { readonly provider: string; readonly egress: string }[],
  table: Table,
): Promise<readonly PairState[]> {
  const keys = pairs.map(({ provider, egress }) => keyOf(provider, egress));
  const rows = new Map((await rowsOf(keys, table)).map((row) => [String(row["pk"]), fromRow(row)]));
  return pairs.map(
    ({ provider, egress }) => rows.get(keyOf(provider, egress)) ?? { provider, egress, ...nothingKnown },
  );
}

const nothingKnown = { block: null, clearedAt: null, last: null, notBefore: null } as const;

/** A usual session. */
const sessionMs = 250;

function keyOf(provider: string, egress: string): string {
  return `pair#${pairOf(provider, egress)}`;
}

async function waitFor(provider: string, egress: string, nowMs: number, table: Table): Promise<number> {
  const [row = {}] = await rowsOf([keyOf(provider, egress)], table);
  const restMs = Math.max(0, Number(row["leaseUntilMs"] ?? nowMs) - nowMs);
  // Held, it is given back as soon as a session is over; what is left of it is only for one that died.
  return row["leaseOwner"] === undefined ? restMs : Math.min(restMs, sessionMs);
}

/** Conflicts are of a few sends that end at once; more than so many in turn are a fault. */
const triesLimit = 10;

/**
 * Writes until it is written, each time with the row as it is.
 * @param write null: the row is another by now
 * @returns null where there is an owner that has the lease no longer
 */
async function changed<T>(
  { provider, egress, owner }: { readonly provider: string; readonly egress: string; readonly owner: string | null },
  before: PairState,
  table: Table,
  write: (pair: PairState) => Promise<T | null>,
): Promise<T | null> {
  let pair = before;
  for (let tries = 1; tries <= triesLimit; tries++) {
    const written = await write(pair);
    if (written !== null) return written;
    await sleep(Math.random() * 20 * tries);
    const [row = {}] = await rowsOf([keyOf(provider, egress)], table);
    if (owner !== null && row["leaseOwner"] !== owner) return null;
    pair = { ...fromRow(row), provider, egress };
  }
  throw new Error(`the row of ${provider} over ${egress} was written by others ${triesLimit} times meanwhile`);
}

/** @returns false where the row says something else than was read, or the rest of the condition is not met */
async function writeState(
  read: PairState,
  { block, clearedAt, last }: PairState,
  { set, only }: { readonly set: string; readonly only: string },
  values: Readonly<Record<string, unknown>>,
  table: Table,
): Promise<boolean> {
  const known = asRead({ block: read.block, clearedAt: read.clearedAt, last: read.last });
  try {
    await table.client.update({
      TableName: table.name,
      Key: { pk: keyOf(read.provider, read.egress) },
      UpdateExpression: `SET #block = :block, #clearedAt = :clearedAt, #last = :last${set}`,
      ConditionExpression: known.text + only,
      ExpressionAttributeNames: known.names,
      ExpressionAttributeValues: {
        ":block": block,
        ":clearedAt": clearedAt,
        ":last": last,
        ...known.values,
        ...values,
      },
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

async function updateOwn(lease: Lease, expression: string, values: object, table: Table): Promise<boolean> {
  const { provider, egress, owner } = lease;
  try {
    await table.client.update({
      TableName: table.name,
      Key: { pk: keyOf(provider, egress) },
      UpdateExpression: expression,
      ConditionExpression: "leaseOwner = :owner",
      ExpressionAttributeValues: { ":owner": owner, ...values },
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

function fromRow(row: Readonly<Record<string, unknown>>): PairState {
  const { provider, egress, block, clearedAt, last, notBefore } = row as unknown as Partial<PairState>;
  const known = {
    block: block ?? null,
    clearedAt: clearedAt ?? null,
    last: last ?? null,
    notBefore: notBefore ?? null,
  };
  return { provider: provider ?? "", egress: egress ?? "", ...known };
}
