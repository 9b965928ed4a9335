// The local scheduler and the invocations of functions, by a clock that the test turns.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../functions/report/log.ts";
import { turnedClock } from "../../infra/local/clock.ts";
import { Invocations } from "../../infra/local/invocations.ts";
import { slotAt, startScheduler } from "../../infra/local/scheduler.ts";

const noon = Date.parse("2026-11-24T12:00:00Z");
const minute = 60_000;

suite("the scheduler", () => {
  test("calls at every fifth minute with that minute's time, however the call before went", async () => {
    const clock = turnedClock(noon + minute);
    const slots: string[] = [];
    const scheduler = startScheduler(clock, async (slot) => {
      slots.push(`${slot} at ${new Date(clock.now()).toISOString()}`);
      if (slots.length === 1) throw new Error("the first fails");
      if (slots.length === 2) await new Promise(() => {});
    });
    await clock.advance(3.9 * minute);
    assert.deepEqual(slots, []);
    await clock.advance(9 * minute);
    const times = ["12:05", "12:10"].map((time) => `2026-11-24T${time}:00.000Z at 2026-11-24T${time}:00.000Z`);
    assert.deepEqual(slots, times);
    await clock.advance(2 * minute);
    assert.equal(slots.length, 3);
    void scheduler.stop();
    await clock.advance(60 * minute);
    assert.equal(slots.length, 3, "stopped");
  });

  test("a slot is the multiple of five minutes at or before its time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => {
        const slotMs = Date.parse(slotAt(ms));
        return slotMs % (5 * minute) === 0 && slotMs <= ms && ms - slotMs < 5 * minute;
      }),
    );
  });
});

suite("a function that is invoked asynchronously", () => {
  test("is tried again after one minute and after two more, with the same event, and then given up", async () => {
    const clock = turnedClock(noon);
    const entries: Entry[] = [];
    const invocations = new Invocations(clock, (entry) => entries.push(entry));
    const calls: number[] = [];
    const told: unknown[] = [];
    const invoked = invocations.invoke({
      name: "page",
      call: async (context) => {
        assert.ok(context.getRemainingTimeInMillis() > 50_000);
        calls.push((clock.now() - noon) / minute);
        throw new Error("no");
      },
      givenUp: async (error) => void told.push(error),
    });
    await clock.advance(0);
    assert.equal(invocations.pending, 1);
    await advance(clock, 59_000);
    assert.deepEqual(calls, [0]);
    await advance(clock, 1_000);
    assert.deepEqual(calls, [0, 1]);
    await advance(clock, 2 * minute);
    assert.equal(await invoked, null);
    assert.deepEqual(calls, [0, 1, 3]);
    assert.deepEqual(told.map(String), ["Error: no"]);
    assert.equal(invocations.pending, 0);
    assert.deepEqual(
      entries.map(({ level, event, fault }) => [level, event, fault]),
      Array.from({ length: 3 }, () => ["error", "function-failed", "Error: no"]),
    );
  });

  test("that succeeds the second time is not given up; without a destination the last fault is thrown", async () => {
    const clock = turnedClock(noon);
    const invocations = new Invocations(clock, () => {});
    let times = 0;
    const second = invocations.invoke({
      name: "schedule",
      call: async () => {
        times += 1;
        if (times < 2) throw new Error("not yet");
        return "done";
      },
      givenUp: () => assert.fail("given up"),
    });
    const never = invocations.invoke({
      name: "schedule",
      call: async () => Promise.reject(new Error("no")),
      givenUp: null,
    });
    const thrown = assert.rejects(never, { message: "no" });
    for (let minutes = 0; minutes < 4; minutes += 1) await advance(clock, minute);
    assert.equal(await second, "done");
    await thrown;
  });

  test("waits no longer when all is stopped, and is not given up by that", async () => {
    const invocations = new Invocations(turnedClock(noon), () => {});
    const call = async () => Promise.reject(new Error("no"));
    const invoked = invocations.invoke({ name: "page", call, givenUp: () => assert.fail("given up") });
    const thrown = assert.rejects(invoked, { message: "no" });
    await new Promise((resolve) => setImmediate(resolve));
    await invocations.stop();
    await thrown;
  });
});

/** What was begun by one turn may set the next timer a few promises later. */
async function advance(clock: ReturnType<typeof turnedClock>, ms: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(ms);
  await new Promise((resolve) => setImmediate(resolve));
}
