// Turns: never more sessions at a time than the limit, nor more sends in any minute, whoever asks when.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { noTurns, turnAfter, type Asked, type Priority, type Turns } from "../../functions/state/rate.ts";

const nowMs = 1_800_000_000_000;
const limits = { concurrency: 4, perMinute: 8 };
const asked: Asked = { owner: "me", holdMs: 30_000, priority: "normal" };

/** So many that have a session until then. */
function slots(count: number, untilMs: number): Turns["slots"] {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`owner-${index}`, untilMs]));
}

const rows: readonly {
  readonly name: string;
  readonly before: Turns;
  readonly priority?: Priority;
  /** Milliseconds, where the chance is none and where it is all; null: it is taken. */
  readonly waitMs: readonly [number, number] | null;
}[] = [
  { name: "where nobody has a session one is taken", before: noTurns, waitMs: null },
  { name: "the last session is taken", before: { slots: slots(3, nowMs + 1), taken: {} }, waitMs: null },
  {
    name: "where all sessions are taken, somebody waits",
    before: { slots: slots(4, nowMs + 1), taken: {} },
    waitMs: [2_000, 8_000],
  },
  {
    name: "who is in a hurry waits for less",
    before: { slots: slots(4, nowMs + 1), taken: {} },
    priority: "high",
    waitMs: [1_000, 3_000],
  },
  {
    name: "who is in none leaves a quarter of the sessions, and waits for longer",
    before: { slots: slots(3, nowMs + 1), taken: {} },
    priority: "low",
    waitMs: [6_000, 20_000],
  },
  { name: "a session of who died ends by itself", before: { slots: slots(4, nowMs), taken: {} }, waitMs: null },
  {
    name: "a minute that is full is waited for as long as it is",
    before: { slots: {}, taken: { [nowMs - 55_000]: 3, [nowMs - 5_000]: 5 } },
    waitMs: [10_000, 16_000],
  },
  {
    name: "but no longer than the longest wait, chance and all",
    before: { slots: {}, taken: { [nowMs - 5_000]: 8 } },
    waitMs: [24_000, 30_000],
  },
  {
    name: "who is in no hurry leaves a quarter of the minute",
    before: { slots: {}, taken: { [nowMs - 55_000]: 6 } },
    priority: "low",
    waitMs: [10_000, 24_000],
  },
  {
    name: "and who is in a hurry takes it",
    before: { slots: {}, taken: { [nowMs - 55_000]: 6 } },
    priority: "high",
    waitMs: null,
  },
  {
    name: "what was taken more than a minute ago does not count",
    before: { slots: {}, taken: { [nowMs - 65_000]: 8 } },
    waitMs: null,
  },
  {
    name: "nor does what a wrong clock wrote",
    before: { slots: {}, taken: { [nowMs + 86_400_000]: 8 } },
    waitMs: null,
  },
];

describe("a turn", () => {
  for (const { name, before, priority = "normal", waitMs } of rows) {
    it(name, () => {
      const waits = [0, 1].map((random) => {
        const turn = turnAfter(before, { ...asked, priority }, limits, nowMs, random);
        return turn.taken ? null : turn.waitMs;
      });
      assert.deepEqual(waits, waitMs ?? [null, null]);
    });
  }

  it("is in the row until its time, with what the minute has had", () => {
    const before = { slots: { ...slots(1, nowMs + 5), dead: nowMs }, taken: { [nowMs - 70_000]: 3, [nowMs]: 1 } };
    assert.deepEqual(turnAfter(before, asked, limits, nowMs, 0), {
      taken: true,
      turns: { slots: { ...slots(1, nowMs + 5), me: nowMs + 30_000 }, taken: { [nowMs]: 2 } },
    });
  });

  it("that is taken already is not counted twice", () => {
    const before = { slots: { ...slots(3, nowMs + 5), me: nowMs + 5 }, taken: { [nowMs]: 8 } };
    assert.deepEqual(turnAfter(before, asked, limits, nowMs, 0), { taken: true, turns: before });
  });

  it("there is for who is in no hurry where there is one at all", () => {
    const low: Asked = { ...asked, priority: "low" };
    assert.ok(turnAfter(noTurns, low, { concurrency: 1, perMinute: 1 }, nowMs, 0).taken);
  });
});

const step = fc.record({
  afterMs: fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(40_000)),
  holdMs: fc.integer({ min: 1, max: 20_000 }),
  priority: fc.constantFrom<Priority>("high", "normal", "low"),
  /** Which of the sessions that are held is given back first, if any. */
  givesBack: fc.option(fc.nat()),
});

test("there are never more sessions at a time than the limit, nor more turns in any minute", () => {
  const limited = fc.record({
    concurrency: fc.integer({ min: 1, max: 6 }),
    perMinute: fc.integer({ min: 1, max: 12 }),
  });
  let full = 0;
  fc.assert(
    fc.property(limited, fc.array(step, { maxLength: 80 }), (limits, steps) => {
      let turns = noTurns;
      let atMs = nowMs;
      const taken: number[] = [];
      for (const [index, { afterMs, holdMs, priority, givesBack }] of steps.entries()) {
        atMs += afterMs;
        const names = Object.keys(turns.slots);
        const gone = givesBack === null ? undefined : names[givesBack % Math.max(1, names.length)];
        const { [gone ?? ""]: _, ...slots } = turns.slots;
        const turn = turnAfter({ ...turns, slots }, { owner: `o-${index}`, holdMs, priority }, limits, atMs, 0.5);
        if (turn.taken) {
          ({ turns } = turn);
          taken.push(atMs);
        } else {
          full += 1;
          turns = { ...turns, slots };
          assert.ok(turn.waitMs >= 1_000 && turn.waitMs <= 30_000);
        }
        assert.ok(Object.values(turns.slots).filter((untilMs) => untilMs > atMs).length <= limits.concurrency);
        assert.ok(taken.filter((each) => each > atMs - 60_000).length <= limits.perMinute);
        assert.ok(Object.keys(turns.taken).length <= 14, "a row stays small");
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(full > 300, `only ${full} had to wait`);
});
