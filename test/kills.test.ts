import assert from "node:assert/strict";
import { test } from "node:test";
import { runKills } from "./bench/kills.ts";

test("no request vanishes when its worker is killed: each ends in a verdict or the dead-letter queue", async () => {
  const requests = 140;
  const { lost, verdicts, dead, sessionsAgain } = await runKills({ requests, kills: 4, limitMs: 120_000 });
  assert.deepEqual(lost, []);
  assert.ok(verdicts + dead >= requests, `${verdicts} verdicts and ${dead} dead letters of ${requests} requests`);
  assert.ok(sessionsAgain >= 0, "no verdict without a session");
});
