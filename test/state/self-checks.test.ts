// Rows of self-checks: one a request, the last of an egress in front, and since when its faults stand.
import assert from "node:assert/strict";
import { after, before, describe, it, test } from "node:test";
import type { Check } from "../../functions/self-check/found.ts";
import {
  findSelfCheck,
  lastSelfCheck,
  markSelfCheckReported,
  putSelfCheck,
  standingSince,
  type Since,
  type StoredSelfCheck,
} from "../../functions/state/self-checks.ts";
import type { Table } from "../../functions/state/table.ts";
import { noPtr, selfCheckOf, storedSelfCheck } from "../page/sample.ts";
import { freshTable, type FreshTable } from "./fresh-table.ts";

let fresh: FreshTable;
let table: Table;
before(async () => {
  fresh = await freshTable();
  table = fresh.table;
});
after(async () => await fresh[Symbol.asyncDispose]());

function stored(id: string, more: Partial<StoredSelfCheck> = {}): StoredSelfCheck {
  return { ...storedSelfCheck(selfCheckOf(noPtr)), id, reported: false, ...more };
}

test("a self-check is found by its request's id, and the first stays", async () => {
  const first = stored("a");
  assert.equal(await putSelfCheck(first, table), true);
  assert.equal(await putSelfCheck(stored("a", { egress: "other" }), table), false);
  assert.deepEqual(await findSelfCheck("a", table), first);
  assert.equal(await findSelfCheck("b", table), null);
  await markSelfCheckReported("a", table);
  assert.equal((await findSelfCheck("a", table))?.reported, true);
});

test("the last of an egress is the newest, and no other egress's", async () => {
  assert.equal(await lastSelfCheck("mail-9", table), null);
  await putSelfCheck(stored("new", { egress: "mail-9", at: "2026-11-24T11:30:00.000Z" }), table);
  await putSelfCheck(stored("old", { egress: "mail-9", at: "2026-11-23T11:30:00.000Z" }), table);
  await putSelfCheck(stored("else", { egress: "mail-99", at: "2026-11-25T11:30:00.000Z" }), table);
  assert.equal((await lastSelfCheck("mail-9", table))?.id, "new");
});

test("what has expired is not there, though its row still is, and may be written anew", async () => {
  const later = { ...table, now: () => new Date(Date.now() + 31 * 86_400_000) };
  await putSelfCheck(stored("gone", { egress: "gone" }), table);
  assert.equal(await findSelfCheck("gone", later), null);
  assert.equal(await lastSelfCheck("gone", later), null);
  assert.equal(await putSelfCheck(stored("gone", { egress: "gone" }), later), true);
});

test("what DNS says at length is cut to what a row holds", async () => {
  const long: Check = { ...noPtr, text: "x".repeat(900_000) };
  assert.equal(await putSelfCheck(stored("long", { selfCheck: selfCheckOf(long) }), table), true);
  const text = (await findSelfCheck("long", table))?.selfCheck.checks.find(({ check }) => check === noPtr.check)?.text;
  assert.match(text ?? "", /^x{4000}…$/);
});

describe("a fault stands since it was first seen", () => {
  const [before, now] = ["2026-11-23T11:30:00.000Z", "2026-11-24T11:30:00.000Z"];
  const rows: readonly (readonly [name: string, standing: Check["standing"], before: Since, since: Since])[] = [
    ["a new one since now", "fault", {}, { spf: now }],
    ["one that goes on since then", "fault", { spf: before }, { spf: before }],
    ["one that is mended, no more", "ok", { spf: before }, {}],
    ["one that could not be looked at again, since then", "unknown", { spf: before }, { spf: before }],
    ["what was never seen to be one, not at all", "unknown", {}, {}],
  ];
  for (const [name, standing, given, since] of rows) {
    it(name, () => {
      assert.deepEqual(standingSince([{ check: "spf", standing, text: "", remedy: null }], given, now), since);
    });
  }
});
