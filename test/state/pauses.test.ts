// Pauses, in an embedded DynamoDB: in force until their end, or until somebody ends them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { pause, pausesOf, resume, type Pause } from "../../functions/state/pauses.ts";
import type { Table } from "../../functions/state/table.ts";
import { daysLater, freshTable, noon, type FreshTable } from "./fresh-table.ts";

const tomorrow = new Date(noon.getTime() + 86_400_000).toISOString();

function pauseOf(kind: Pause["kind"], name: string, more: Partial<Pause> = {}): Pause {
  return { kind, name, reason: "delisting asked for", since: noon.toISOString(), until: tomorrow, ...more };
}

describe("pauses", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  it("one in force is found, with its reason and its end, among those asked for", async () => {
    const given = pauseOf("provider", "icloud");
    await pause(given, table);
    const asked = [given, { kind: "egress", name: "icloud" }, { kind: "provider", name: "gmx" }, given] as const;
    assert.deepEqual(await pausesOf(asked, table), [given]);
    assert.deepEqual(await pausesOf([], table), []);
  });

  it("a second one of the same takes the place of the first", async () => {
    await pause(pauseOf("egress", "mail-1"), table);
    const second = pauseOf("egress", "mail-1", { reason: "moving" });
    await pause(second, table);
    assert.deepEqual(await pausesOf([second], table), [second]);
  });

  it("one whose end has come is none, to the moment", async () => {
    const given = pauseOf("provider", "over");
    await pause(given, table);
    const at = (moment: Date): Table => ({ ...table, now: () => moment });
    assert.deepEqual(await pausesOf([given], at(new Date(Date.parse(tomorrow) - 1))), [given]);
    assert.deepEqual(await pausesOf([given], at(new Date(tomorrow))), []);
  });

  it("one that somebody ends is none any more, and tells which it was", async () => {
    const given = pauseOf("provider", "ended");
    await pause(given, table);
    assert.deepEqual(await resume({ kind: "provider", name: "ended" }, table), given);
    assert.deepEqual(await pausesOf([given], table), []);
    assert.equal(await resume(given, table), null);
  });

  it("to end one that is over is to end none", async () => {
    const given = pauseOf("egress", "late");
    await pause(given, table);
    assert.equal(await resume(given, daysLater(2, table)), null);
  });

  it("they are found among more than one call takes", async () => {
    const all = Array.from({ length: 230 }, (_, index) => pauseOf("provider", `many-${index}`));
    const given = [0, 99, 100, 229].flatMap((index) => all[index] ?? []);
    for (const each of given) await pause(each, table);
    const found = await pausesOf(all, table);
    const byName = (a: Pause, b: Pause): number => a.name.localeCompare(b.name);
    assert.deepEqual(found.toSorted(byName), given.toSorted(byName));
  });
});
