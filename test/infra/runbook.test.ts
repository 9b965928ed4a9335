import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { alarmKinds } from "../../functions/report/alarms.ts";

test("the runbook has a heading for each kind of alarm, and something under it, and no other", async () => {
  const text = await readFile(new URL("../../infra/RUNBOOK.md", import.meta.url), "utf8");
  const [, ...parts] = text.split(/^## /m);
  assert.deepEqual(
    parts.map((part) => part.split("\n")[0]),
    alarmKinds,
  );
  for (const part of parts) {
    assert.ok(part.length > 150, part);
    assert.match(part, /^- It ends /m);
  }
});
