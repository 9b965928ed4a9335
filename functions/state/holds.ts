// What sends are held for: an IP that a provider refuses, or a sender's domain that it does. One row a hold, gone when it is
// over. It does not know why a hold is begun, nor who waits for it.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Class } from "../verdict/classes.ts";
import type { Block } from "./pairs.ts";
import { expiryOf, isConditionFault, isExpired, rowsOf, type Row, type Table } from "./table.ts";

/** What is held: all sends to a provider over an egress, or all of a sender's domain to it over any. */
export type HoldKey =
  | { readonly about: "ip"; readonly provider: string; readonly egress: string }
  | { readonly about: "domain"; readonly provider: string; readonly domain: string };

/** Whose sends these are. */
export interface Whose {
  /** The provider, or whatever else leases of its hosts are on. */
  readonly provider: string;
  readonly egress: string;
  /** Of the sender; null: it has none, and no domain is held. */
  readonly domain: string | null;
}

export interface Hold extends Block {
  readonly key: HoldKey;
  /** RFC 3339: when it was last said; and what, as the server did, up to a limit. */
  readonly lastAt: string;
  readonly text: string;
  readonly class: Class;
  /** RFC 3339: when a send was last let go ahead to try it; null: none yet. */
  readonly canaryAt: string | null;
}

/** A hold as it was read, so that it is changed only as long as it is that. */
export interface ReadHold extends Hold {
  readonly revision: string;
}

/** Those that stand, that of the IP first. */
export async function holdsOn(whose: Whose, table: Table): Promise<readonly ReadHold[]> {
  return await holdsOf(keysOf(whose), table);
}

/** Those that stand of all these pairs, and of these domains at the pairs' providers. */
export async function holdsStanding(
  { pairs, domains }: { readonly pairs: readonly Omit<Whose, "domain">[]; readonly domains: readonly string[] },
  table: Table,
): Promise<readonly Hold[]> {
  const ofIps = pairs.map(({ provider, egress }): HoldKey => ({ about: "ip", provider, egress }));
  const providers = [...new Set(pairs.map(({ provider }) => provider))];
  const ofDomains = providers.flatMap((provider) =>
    domains.map((domain): HoldKey => ({ about: "domain", provider, domain })),
  );
  return (await holdsOf([...ofIps, ...ofDomains], table)).map(({ revision: _, ...hold }) => hold);
}

/** When a hold was last put to the test, or told: a canary may go an interval later. */
export function triedAtMs({ since, lastAt, canaryAt }: Hold): number {
  return Math.max(...[since, lastAt, canaryAt ?? since].map((each) => Date.parse(each)));
}

/**
 * Whether this send goes ahead as the canary: where nobody has put the hold to the test for so long, one may, and of many
 * that want to, one does.
 */
export async function claimCanary(hold: ReadHold, intervalMs: number, table: Table): Promise<boolean> {
  const now = table.now();
  if (triedAtMs(hold) + intervalMs > now.getTime()) return false;
  const { revision, ...rest } = hold;
  return await written({ ...rest, canaryAt: now.toISOString() }, revision, table);
}

/** What was made of a hold. */
export interface Changed {
  readonly key: HoldKey;
  readonly before: Hold | null;
  readonly after: Hold | null;
}

/**
 * Makes of each hold on these sends what `change` makes of it; where it leaves it as it is, nothing is written.
 * @param change called again where the row has become another meanwhile
 */
export async function changeHolds(
  whose: Whose,
  change: (key: HoldKey, before: Hold | null) => Hold | null,
  table: Table,
): Promise<readonly Changed[]> {
  const keys = keysOf(whose);
  const read = await holdsOf(keys, table);
  return await Promise.all(
    keys.map(async (key) => {
      const its = read.find((each) => pkOf(each.key) === pkOf(key)) ?? null;
      return await changeOne(key, its, change, table);
    }),
  );
}

/** Conflicts are of a few sends that end at once; more than so many in turn are a fault. */
const triesLimit = 10;

async function changeOne(
  key: HoldKey,
  first: ReadHold | null,
  change: (key: HoldKey, before: Hold | null) => Hold | null,
  table: Table,
): Promise<Changed> {
  let read = first;
  for (let tries = 1; tries <= triesLimit; tries++) {
    const after = change(key, read);
    const isWritten =
      after === read ||
      (after === null
        ? await removed(key, read?.revision ?? null, table)
        : await written(after, read?.revision ?? null, table));
    if (isWritten) return { key, before: read, after };
    await sleep(Math.random() * 20 * tries);
    [read = null] = await holdsOf([key], table);
  }
  throw new Error(`the row ${pkOf(key)} was written by others ${triesLimit} times meanwhile`);
}

/** @param revision what was read; null: no row, or one that is over */
async function written(hold: Hold, revision: string | null, table: Table): Promise<boolean> {
  const { key, stage, host, since, id, lastAt, text, class: kind, canaryAt } = hold;
  const facts = { key, stage, host, since, id, lastAt, text, class: kind, canaryAt };
  return await met(
    table.client.put({
      TableName: table.name,
      Item: { ...facts, pk: pkOf(key), revision: randomUUID(), expiresAt: expiryOf(table) },
      ...(revision === null
        ? {
            ConditionExpression: "attribute_not_exists(pk) OR expiresAt <= :now",
            ExpressionAttributeValues: { ":now": Math.floor(table.now().getTime() / 1000) },
          }
        : unchanged(revision)),
    }),
  );
}

async function removed(key: HoldKey, revision: string | null, table: Table): Promise<boolean> {
  if (revision === null) return true;
  return await met(table.client.delete({ TableName: table.name, Key: { pk: pkOf(key) }, ...unchanged(revision) }));
}

function unchanged(revision: string) {
  return { ConditionExpression: "revision = :revision", ExpressionAttributeValues: { ":revision": revision } };
}

/** Whether the condition of a write was met. */
async function met(writing: Promise<unknown>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

async function holdsOf(keys: readonly HoldKey[], table: Table): Promise<readonly ReadHold[]> {
  const rows = new Map((await rowsOf(keys.map(pkOf), table)).map((row) => [String(row["pk"]), row]));
  return keys.flatMap((key) => {
    const row = rows.get(pkOf(key));
    return row === undefined || isExpired(row, table) ? [] : [fromRow(row)];
  });
}

function keysOf({ provider, egress, domain }: Whose): readonly HoldKey[] {
  const ofIp: HoldKey = { about: "ip", provider, egress };
  return domain === null ? [ofIp] : [ofIp, { about: "domain", provider, domain }];
}

function pkOf(key: HoldKey): string {
  return key.about === "ip" ? `hold#ip#${key.provider}#${key.egress}` : `hold#domain#${key.provider}#${key.domain}`;
}

function fromRow(row: Row): ReadHold {
  const { key, stage, host, since, id, lastAt, text, class: kind, canaryAt, revision } = row as unknown as ReadHold;
  return { key, stage, host, since, id, lastAt, text, class: kind, canaryAt, revision };
}
