// What runs, in an embedded DynamoDB: the last word of each runner, and a note that fails nothing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { configHash } from "../../functions/config/hash.ts";
import { version } from "../../functions/config/version.ts";
import { seldomTellRunning, tellRunning } from "../../functions/note-running.ts";
import type { Entry } from "../../functions/report/log.ts";
import { noteRunning, runningOf } from "../../functions/state/running.ts";
import type { Table } from "../../functions/state/table.ts";
import { configWith } from "../page/sample.ts";
import { daysLater, freshTable, noon, type FreshTable } from "./fresh-table.ts";

const config = configWith();
const at = noon.toISOString();

describe("what runs", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  it("each runner's last word is found, until it is forgotten", async () => {
    await noteRunning({ runner: "schedule", hash: "aaaaaaaaaaaa", version: "0.0.1" }, table);
    await noteRunning({ runner: "worker/mail-1", hash: "bbbbbbbbbbbb", version: "0.0.1" }, table);
    const later = daysLater(1, table);
    await noteRunning({ runner: "schedule", hash: "cccccccccccc", version: "0.0.2" }, later);
    const asked = ["schedule", "functions", "worker/mail-1"] as const;
    const found = await runningOf(asked, later);
    assert.deepEqual(
      found.toSorted((a, b) => a.runner.localeCompare(b.runner)),
      [
        { runner: "schedule", hash: "cccccccccccc", version: "0.0.2", at: later.now().toISOString() },
        { runner: "worker/mail-1", hash: "bbbbbbbbbbbb", version: "0.0.1", at },
      ],
    );
    assert.deepEqual(await runningOf(asked, daysLater(table.days + 2, table)), []);
  });

  it("a process notes it at most every five minutes, and again when its clock was set back", async () => {
    let ms = noon.getTime();
    const now = (): Date => new Date(ms);
    const moving = { ...table, now };
    const note = seldomTellRunning("functions", { config, now, log: (entry) => assert.fail(entry.event) }, moving);
    const noted = async (): Promise<string | undefined> => (await runningOf(["functions"], moving))[0]?.at;
    await note(60_000);
    assert.deepEqual(await runningOf(["functions"], moving), [
      { runner: "functions", hash: configHash(config), version, at },
    ]);
    ms += 299_999;
    await note(60_000);
    assert.equal(await noted(), at);
    ms += 1;
    await note(60_000);
    assert.equal(await noted(), new Date(noon.getTime() + 300_000).toISOString());
    ms -= 3_600_000;
    await note(60_000);
    assert.equal(await noted(), new Date(ms).toISOString());
  });

  it("what cannot be noted is logged, and fails nothing", async () => {
    const entries: Entry[] = [];
    const deps = { config, now: () => noon, log: (entry: Entry) => void entries.push(entry) };
    await tellRunning("functions", deps, { ...table, name: "none" });
    assert.deepEqual(
      entries.map(({ level, event, runner }) => [level, event, runner]),
      [["warn", "running-unnoted", "functions"]],
    );
  });
});
