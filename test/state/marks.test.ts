// Marks, in an embedded DynamoDB: what must not be done twice is the first one's, and a claim is one's at a time.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  claimMark,
  isMarked,
  noteLatest,
  readMark,
  setMark,
  settleMark,
  type Mark,
} from "../../functions/state/marks.ts";
import type { Table } from "../../functions/state/table.ts";
import { freshTable, noon, type FreshTable } from "./fresh-table.ts";

const aMinuteMs = 60_000;

describe("marks", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  const slotOf = (slot: string): Mark => ({ kind: "slot", slot });
  const pageOf = (alarm: string): Mark => ({ kind: "page", alarm, at: "2026-11-24T12:00:00.000Z" });

  it("what was marked is, and nothing else is", async () => {
    const mark = slotOf("a");
    assert.equal(await isMarked(mark, table), false);
    assert.equal(await setMark(mark, table), true);
    assert.equal(await isMarked(mark, table), true);
    for (const other of [slotOf("b"), pageOf("a"), { kind: "told", alarm: "a" } as const]) {
      assert.equal(await isMarked(other, table), false);
    }
  });

  it("an alarm's other change is another mark", async () => {
    await setMark(pageOf("changes"), table);
    assert.equal(await isMarked({ kind: "page", alarm: "changes", at: "2026-11-24T12:05:00.000Z" }, table), false);
  });

  it("of many that mark the same one is the first", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, async () => await setMark(slotOf("race"), table)));
    assert.equal(all.filter((isFirst) => isFirst).length, 1);
    assert.equal(await setMark(slotOf("race"), table), false);
  });

  it("a mark goes by itself, after as many days as rows are kept", async () => {
    await setMark(slotOf("expires"), table);
    const row = await readMark(slotOf("expires"), table);
    assert.equal(row?.["expiresAt"], noon.getTime() / 1000 + 30 * 86_400);
  });

  it("of many that claim the same one has it, and the others are told that it is not done", async () => {
    const claims = Array.from({ length: 20 }, async (_, index) => {
      return await claimMark(pageOf("claimed"), `owner-${index}`, aMinuteMs, table);
    });
    const all = await Promise.all(claims);
    assert.deepEqual(all.filter(({ isOurs }) => isOurs), [{ isOurs: true, note: null }]); // prettier-ignore
    assert.equal(all.filter((each) => !each.isOurs && !each.isDone).length, 19);
  });

  it("given back undone, the next has it with what was noted", async () => {
    const mark = pageOf("undone");
    await claimMark(mark, "a", aMinuteMs, table);
    await settleMark(mark, { owner: "a", note: [{ route: "slack", ok: false }], isDone: false }, table);
    assert.deepEqual(await claimMark(mark, "b", aMinuteMs, table), {
      isOurs: true,
      note: [{ route: "slack", ok: false }],
    });
  });

  it("given back done, nobody has it again", async () => {
    const mark = pageOf("done");
    await claimMark(mark, "a", aMinuteMs, table);
    await settleMark(mark, { owner: "a", note: "sent", isDone: true }, table);
    assert.deepEqual(await claimMark(mark, "b", aMinuteMs, table), { isOurs: false, isDone: true });
  });

  it("a claim that ran out is taken over, and what its owner says afterwards is not heard", async () => {
    const mark = pageOf("taken-over");
    await claimMark(mark, "dead", 1, table);
    await sleep(10);
    assert.deepEqual(await claimMark(mark, "heir", aMinuteMs, table), { isOurs: true, note: null });
    await settleMark(mark, { owner: "dead", note: "mine", isDone: true }, table);
    assert.deepEqual(await claimMark(mark, "other", aMinuteMs, table), { isOurs: false, isDone: false });
    await settleMark(mark, { owner: "heir", note: "sent", isDone: true }, table);
    assert.equal((await readMark(mark, table))?.["note"], "sent");
  });

  it("the latest note stands, in whatever order notes come", async () => {
    const mark: Mark = { kind: "told", alarm: "order" };
    const at = (minute: number): string => `2026-11-24T12:0${minute}:00.000Z`;
    assert.equal(await noteLatest(mark, at(2), "two", table), true);
    assert.equal(await noteLatest(mark, at(1), "one", table), false);
    assert.equal((await readMark(mark, table))?.["note"], "two");
    assert.equal(await noteLatest(mark, at(2), "two again", table), true);
    assert.equal(await noteLatest(mark, at(3), null, table), true);
    assert.equal((await readMark(mark, table))?.["note"], null);
  });
});
