// Deliveries that somebody must be woken for, by the real SDK over HTTP: which are due, in which order, and who wakes them.
import assert from "node:assert/strict";
import { after, before, beforeEach, suite, test } from "node:test";
import { dueWakes, postponeWake, wakeShardOf, type Waking } from "../../functions/state/wakes.ts";
import type { Table } from "../../functions/state/table.ts";
import { freshTable, noon, type FreshTable } from "./fresh-table.ts";

let fresh: FreshTable;
let table: Table;
before(async () => void (fresh = await freshTable()));
after(async () => await fresh[Symbol.asyncDispose]());
beforeEach(() => void (table = fresh.table));

const createdAt = noon.toISOString();
const domain = "mx.example";
const keyOf = ({ id, domain }: Pick<Waking, "id" | "domain">): string => `delivery#${id}#${domain}`;

/** A row as deliveries.ts writes it, as far as the index goes; null: done. */
async function put(id: string, wakeAtMs: number | null, more: object = {}): Promise<Waking> {
  const wake = wakeAtMs === null ? {} : { wakeAtMs, wakeShard: wakeShardOf(id) };
  const Item = { pk: keyOf({ id, domain }), id, domain, egress: "aws", createdAt, recipients: ["x"], ...wake, ...more };
  await table.client.put({ TableName: table.name, Item });
  return { id, domain, egress: "aws", createdAt, wakeAtMs: wakeAtMs ?? 0 };
}

async function due(untilMs: number, limit = 10_000, its = table): Promise<readonly Waking[]> {
  const found: Waking[] = [];
  for await (const each of dueWakes(untilMs, limit, its)) found.push(each);
  return found;
}

async function wakeOf(wake: Waking): Promise<unknown> {
  const { Item } = await table.client.get({ TableName: table.name, Key: { pk: keyOf(wake) } });
  return Item?.["wakeAtMs"];
}

suite("wakes", () => {
  test("what is due before a time is found, and nothing later or done", async () => {
    const first = await put("first", 1_000);
    const second = await put("second", 1_999);
    await put("third", 2_000);
    await put("done", null);
    assert.deepEqual(await due(2_000), [first, second]);
    assert.deepEqual(await due(1_000), []);
  });

  test("the longest due comes first over all shards, pages and all, and so many at most", async () => {
    const ids = Array.from({ length: 1_200 }, (_, index) => `many-${index}`);
    const times = ids.map((_, index) => 10_000 + ((index * 7_919) % 1_200));
    for (let from = 0; from < ids.length; from += 50) {
      await Promise.all(
        ids
          .slice(from, from + 50)
          .map(async (id, index) => await put(id, times[from + index] ?? 0, { pad: "x".repeat(99) })),
      );
    }
    assert.equal(new Set(ids.map(wakeShardOf)).size, 4);
    const found = (await due(20_000)).filter(({ id }) => id.startsWith("many-"));
    assert.deepEqual(
      found.map(({ wakeAtMs }) => wakeAtMs),
      times.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(found.map(({ id }) => id)).size, 1_200);
    const few = await due(20_000, 700);
    assert.equal(few.length, 700);
    assert.deepEqual(few.slice(3), found.slice(0, 697), "those before them are the other test's");
  });

  test("of two who have read the same, one alone moves it on; what is moved is found at its new time", async () => {
    const wake = await put("twice", 30_000);
    const moved = await Promise.all([postponeWake(wake, 40_000.4, table), postponeWake(wake, 40_000.4, table)]);
    assert.deepEqual(moved.toSorted(), [false, true]);
    assert.equal(await wakeOf(wake), 40_001);
    const itsOwn = async (untilMs: number) => (await due(untilMs)).filter(({ id }) => id === "twice");
    assert.deepEqual(await itsOwn(40_001), []);
    assert.deepEqual(await itsOwn(40_002), [{ ...wake, wakeAtMs: 40_001 }]);
  });

  test("what was done, or taken away, since it was read is not woken, and no row comes of it", async () => {
    const wake = await put("gone", 50_000);
    await put("gone", null);
    assert.equal(await postponeWake(wake, 60_000, table), false);
    await table.client.delete({ TableName: table.name, Key: { pk: keyOf(wake) } });
    assert.equal(await postponeWake(wake, 60_000, table), false);
    assert.equal(await wakeOf(wake), undefined);
  });

  test("a table that is away is a fault", async () => {
    const away = { ...table, name: "away" };
    await assert.rejects(postponeWake({ id: "x", domain, wakeAtMs: 1 }, 2, away), {
      name: "ResourceNotFoundException",
    });
    await assert.rejects(due(1, 1, away), { name: "ResourceNotFoundException" });
  });
});
