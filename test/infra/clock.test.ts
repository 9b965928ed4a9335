// The clocks of the local stack: what is due when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { realClock, turnedClock } from "../../infra/local/clock.ts";

test("a turned clock stands still, and runs what falls due in the order of its time, each waited for", async () => {
  const clock = turnedClock(1_000);
  const seen: string[] = [];
  const note = (what: string) => async (): Promise<void> => {
    await delay(1);
    seen.push(`${what} ${clock.now()}`);
  };
  clock.after(300, note("third"));
  clock.after(100, note("first"));
  clock.after(200, note("second"));
  clock.after(100, note("first too"));
  clock.after(150, note("never")).cancel();
  await delay(5);
  assert.deepEqual(seen, []);
  assert.equal(clock.now(), 1_000);
  await clock.advance(200);
  assert.deepEqual(seen, ["first 1100", "first too 1100", "second 1200"]);
  await clock.advance(99);
  assert.equal(seen.length, 3);
  await clock.advance(1);
  assert.equal(seen.at(-1), "third 1300");
});

test("what a timer begins falls due within the same turn, if its time comes", async () => {
  const clock = turnedClock(0);
  const seen: number[] = [];
  const again = (): void => {
    seen.push(clock.now());
    clock.after(10, again);
  };
  clock.after(10, again);
  await clock.advance(35);
  assert.deepEqual(seen, [10, 20, 30]);
  assert.equal(clock.now(), 35);
});

test("a fault of what a timer runs comes out of the turn", async () => {
  const clock = turnedClock(0);
  clock.after(1, () => Promise.reject(new Error("broken")));
  await assert.rejects(clock.advance(1), /broken/);
});

test("a real clock runs as fast as it is told, from where it is told, its timers too", async () => {
  const clock = realClock(1_000, 5_000);
  const startedMs = clock.now();
  assert.ok(startedMs >= 5_000 && startedMs < 60_000);
  // A minute of it is 60 ms; were it the machine's own, the test would be ended first.
  const atMs = await new Promise<number>((resolve) => {
    // Its own timers keep no process alive.
    const alive = setTimeout(() => undefined, 10_000);
    clock.after(60_000, () => {
      clearTimeout(alive);
      resolve(clock.now());
    });
  });
  assert.ok(atMs - startedMs >= 59_000, `${atMs - startedMs} ms`);
});

test("a timer of a real clock that is cancelled does not run", async () => {
  const clock = realClock(1_000);
  let runs = 0;
  using timer = clock.after(1_000, () => {
    runs += 1;
  });
  timer.cancel();
  await delay(20);
  assert.equal(runs, 0);
});
