// A send ends at an await, each time at another one: a sample of what `npm run crashes` does with all of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runCrashes } from "../bench/crashes.ts";

test("a process that dies at any await of a send loses no message, repeats none, and leaves in doubt only what it had begun", async () => {
  // Each run of the tests has others.
  const every = 160;
  const from = 1 + Math.floor(Math.random() * every);
  const { broken, crashes, deadLetters, stillToWake } = await runCrashes({ every, from, say: () => {} });
  assert.deepEqual(
    { broken, deadLetters, stillToWake },
    { broken: [], deadLetters: 0, stillToWake: 0 },
    `from ${from}`,
  );
  assert.ok(crashes > 10, `${crashes} crashes`);
});
