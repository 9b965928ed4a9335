// The clock of a local stack, seen from another process: by the file that the stack writes.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { stackClock } from "../../functions/cli/stack-clock.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
after(async () => await rm(folder, { recursive: true }));
const file = path.join(folder, "clock.json");
const hourMs = 3_600_000;

/** As if the stack had written it so many milliseconds ago. */
async function writtenAgo(ms: number, content: object | string): Promise<void> {
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  const then = (Date.now() - ms) / 1000;
  await utimes(file, then, then);
}

test("what the stack wrote goes on from when it was written, as fast as the stack's clock runs", async () => {
  const ahead = new Date(Date.now() + 5 * hourMs).toISOString();
  await writtenAgo(hourMs, { now: ahead });
  const plain = stackClock(folder)().getTime() - Date.parse(ahead);
  assert.ok(plain >= hourMs && plain < 1.5 * hourMs, String(plain));
  await writtenAgo(hourMs, { now: ahead, speed: 60 });
  const fast = stackClock(folder)().getTime() - Date.parse(ahead);
  assert.ok(fast >= 60 * hourMs && fast < 90 * hourMs, String(fast));
});

test("it never goes back", async () => {
  await writtenAgo(0, { now: new Date(Date.now() + hourMs).toISOString(), speed: 1000 });
  const now = stackClock(folder);
  let last = 0;
  for (let count = 0; count < 1_000; count += 1) {
    const ms = now().getTime();
    assert.ok(ms >= last);
    last = ms;
  }
});

for (const content of ["", "[]", '{"now":"soon"}', null]) {
  test(`without a time in the file (${content ?? "no file"}) it is the machine's`, async () => {
    if (content === null) await rm(file, { force: true });
    else await writtenAgo(hourMs, content);
    const before = Date.now();
    const ms = stackClock(folder)().getTime();
    assert.ok(ms >= before && ms <= Date.now(), `${ms}`);
  });
}
