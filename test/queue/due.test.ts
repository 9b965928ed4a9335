// Which probes are due in a slot: each as often as it should be, at its own place, the same for the same slot.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { checkConfig, pairsOf, type Config, type Pair } from "../../functions/config/config.ts";
import { dueIn, selfChecksIn, slotMs, type Due, type DueSelfCheck } from "../../functions/queue/due.ts";
import { readRequest } from "../../functions/queue/request.ts";

const dayMs = 86_400_000;
const names = fc.stringMatching(/^[a-z]{3,8}$/);
const days = fc.integer({ min: 0, max: 40_000 }).map((day) => day * dayMs);

function configWith(targets: readonly object[], egresses: readonly string[] = ["aws"]): Config {
  const { value, faults } = checkConfig({
    identity: { helo: "probe.example", sender: "" },
    egresses: egresses.map((name) => ({ name, runner: "functions" })),
    targets,
  });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

/** Every slot of a time, in its order. */
function dueOver(fromMs: number, lengthMs: number, config: Config): readonly Due[] {
  const slots = Array.from({ length: lengthMs / slotMs }, (_, index) => new Date(fromMs + index * slotMs));
  return slots.flatMap((slot) => dueIn(slot.toISOString(), config));
}

const configs = fc
  .uniqueArray(fc.record({ provider: names, everyMinutes: fc.constantFrom(5, 10, 15, 30, 60, 120, 360, 720, 1_440) }), {
    minLength: 1,
    maxLength: 4,
    selector: ({ provider }) => provider,
  })
  .map((rows) => rows.map((each) => ({ ...each, recipient: `probe@${each.provider}.example` })))
  .map((targets) => configWith(targets, ["aws", "mail-1"]));

test("over a day each pair is due as often as its interval says, evenly spaced, at places that stay", () => {
  fc.assert(
    fc.property(configs, days, (config, fromMs) => {
      const due = dueOver(fromMs, dayMs, config);
      const tomorrow = dueOver(fromMs + dayMs, dayMs, config);
      for (const pair of pairsOf(config)) {
        const times = timesOf(pair, due);
        const everyMs = pair.target.everyMinutes * 60_000;
        assert.equal(times.length, 1_440 / pair.target.everyMinutes);
        for (const [index, each] of times.entries()) assert.equal(each, (times[0] ?? NaN) + index * everyMs);
        assert.deepEqual(
          timesOf(pair, tomorrow),
          times.map((each) => each + dayMs),
        );
      }
    }),
    { numRuns: 30 },
  );
});

test("an interval that does not divide the day is kept over its end", () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 1_440 }), names, days, (everyMinutes, provider, fromMs) => {
      const config = configWith([{ provider, recipient: `probe@${provider}.example`, everyMinutes }]);
      const times = dueOver(fromMs, 3 * dayMs, config).map(({ atMs }) => atMs);
      for (const [index, each] of times.entries()) {
        assert.equal(each, (times[0] ?? NaN) + index * everyMinutes * 60_000);
      }
      assert.ok(times.length >= Math.floor(4_320 / everyMinutes));
    }),
    { numRuns: 50 },
  );
});

test("the same slot gives the same requests with the same ids, which are another slot's never", () => {
  fc.assert(
    fc.property(configs, days, (config, fromMs) => {
      const week = dueOver(fromMs, 7 * dayMs, config);
      assert.equal(new Set(week.map(({ request }) => request.id)).size, week.length);
      const slot = new Date(fromMs + 5 * slotMs).toISOString();
      assert.deepEqual(dueIn(slot, config), dueIn(slot, structuredClone(config)));
      // Whatever zone the Scheduler writes it in.
      assert.deepEqual(dueIn(slot.replace("Z", "+00:00"), config), dueIn(slot, config));
    }),
    { numRuns: 10 },
  );
});

test("a request waits less than a slot, and never for longer than SQS lets it", () => {
  fc.assert(
    fc.property(configs, days, (config, fromMs) => {
      for (let at = fromMs; at < fromMs + dayMs / 4; at += slotMs) {
        for (const { atMs, delayS } of dueIn(new Date(at).toISOString(), config)) {
          assert.ok(Number.isInteger(delayS) && delayS >= 0 && delayS < slotMs / 1_000, `${delayS} s`);
          assert.equal(at + delayS * 1_000, atMs);
        }
      }
    }),
  );
});

for (const everyMinutes of [5, 10, 15, 20, 30, 60, 120, 480, 1_440]) {
  test(`every ${everyMinutes} minutes nobody is probed at the top of the hour`, () => {
    fc.assert(
      fc.property(names, days, (provider, fromMs) => {
        const config = configWith([{ provider, recipient: `probe@${provider}.example`, everyMinutes }]);
        for (const { atMs } of dueOver(fromMs, dayMs, config)) {
          const pastS = (atMs / 1_000) % 3_600;
          assert.ok(pastS >= 60 && pastS <= 3_540, `${pastS} s past the hour`);
        }
      }),
      { numRuns: 40 },
    );
  });
}

test("a day's round is not always in the same hour", () => {
  const targets = Array.from({ length: 50 }, (_, index) => {
    return { provider: `p${index}`, recipient: `probe@p${index}.example`, everyMinutes: 1_440 };
  });
  const hours = dueOver(0, dayMs, configWith(targets)).map(({ atMs }) => Math.floor(atMs / 3_600_000));
  assert.equal(hours.length, 50);
  assert.ok(new Set(hours).size > 12, `only ${new Set(hours).size} hours of the day`);
});

describe("a request of the schedule", () => {
  const config = configWith(
    [
      { provider: "icloud", recipient: "probe@icloud.example", depth: "ehlo", egresses: ["mail-1"] },
      { provider: "icloud", recipient: "probe@icloud.example" },
    ],
    ["aws", "mail-1"],
  );
  const due = dueOver(Date.UTC(2026, 10, 24), 15 * 60_000, config);

  it("is one that is taken", () => {
    assert.equal(due.length, 3);
    for (const { request } of due) assert.equal(readRequest(JSON.stringify(request), config).faults, null);
  });

  it("asks for the target's own recipient and depth over the pair's egress, until the next round", () => {
    for (const { request, pair, atMs } of due) {
      assert.deepEqual(
        [request.recipient, request.depth, request.egress, request.notAfter],
        [pair.target.recipient, pair.target.depth, pair.egress.name, new Date(atMs + 15 * 60_000).toISOString()],
      );
      assert.ok(request.id.startsWith(`scheduled/icloud/${pair.egress.name}/${new Date(atMs).toISOString()}/`));
    }
  });

  it("has a place of its own for each depth and egress", () => {
    assert.equal(new Set(due.map(({ atMs }) => atMs)).size, 3);
  });
});

/** Of any length, from any slot on. */
function selfChecksOver(fromMs: number, lengthMs: number, config: Config): readonly DueSelfCheck[] {
  const slots = Array.from({ length: lengthMs / slotMs }, (_, index) => new Date(fromMs + index * slotMs));
  return slots.flatMap((slot) => selfChecksIn(slot.toISOString(), config));
}

const anyTarget = [{ provider: "icloud", recipient: "probe@icloud.example" }];

describe("self-checks", () => {
  const egresses = fc.uniqueArray(names, { minLength: 1, maxLength: 5 });
  const slots = fc.integer({ min: 0, max: 20_000 * 288 }).map((slot) => slot * slotMs);

  it("each egress is due once in any day, wherever the day begins, at a time that stays", () => {
    fc.assert(
      fc.property(egresses, slots, (names, fromMs) => {
        const due = selfChecksOver(fromMs, dayMs, configWith(anyTarget, names));
        assert.deepEqual(due.map(({ egress }) => egress).toSorted(), names.toSorted());
        const next = selfChecksOver(fromMs + dayMs, dayMs, configWith(anyTarget, names));
        assert.deepEqual(
          next.map(({ egress, atMs }) => ({ egress, atMs })),
          due.map(({ egress, atMs }) => ({ egress, atMs: atMs + dayMs })),
        );
      }),
      { numRuns: 40 },
    );
  });

  it("an egress that no target is probed over is due as well", () => {
    const targets = [{ ...anyTarget[0], egresses: ["aws"] }];
    const due = selfChecksOver(0, dayMs, configWith(targets, ["aws", "spare"]));
    assert.deepEqual(new Set(due.map(({ egress }) => egress)), new Set(["aws", "spare"]));
  });

  it("is never at the top of the hour, waits less than a slot, and gives the same request for the same slot", () => {
    fc.assert(
      fc.property(names, slots, (name, fromMs) => {
        const config = configWith(anyTarget, [name]);
        for (const { atMs, delayS } of selfChecksOver(fromMs, dayMs, config)) {
          const pastS = (atMs / 1_000) % 3_600;
          assert.ok(pastS >= 60 && pastS <= 3_540, `${pastS} s past the hour`);
          const slotAtMs = Math.floor(atMs / slotMs) * slotMs;
          assert.equal(slotAtMs + delayS * 1_000, atMs);
          assert.ok(delayS < slotMs / 1_000);
          const slot = new Date(slotAtMs).toISOString();
          assert.deepEqual(selfChecksIn(slot, config), selfChecksIn(slot.replace("Z", "+00:00"), config));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("different egresses are not all in one hour", () => {
    const names = Array.from({ length: 50 }, (_, index) => `e${index}`);
    const hours = selfChecksOver(0, dayMs, configWith(anyTarget, names)).map(({ atMs }) =>
      Math.floor(atMs / 3_600_000),
    );
    assert.ok(new Set(hours).size > 12, `only ${new Set(hours).size} hours of the day`);
  });

  it("asks for what is taken, until the next day's, with an id of its own", () => {
    const config = configWith(anyTarget, ["aws", "mail-1"]);
    const due = selfChecksOver(0, 3 * dayMs, config);
    assert.equal(due.length, 6);
    assert.equal(new Set(due.map(({ request }) => request.id)).size, 6);
    for (const { request, egress, atMs } of due) {
      assert.equal(readRequest(JSON.stringify(request), config).faults, null);
      const at = new Date(atMs).toISOString();
      assert.deepEqual(request, {
        v: 1,
        kind: "self-check",
        id: `scheduled/self-check/${egress}/${at}`,
        egress,
        notAfter: new Date(atMs + dayMs).toISOString(),
      });
    }
  });
});

function timesOf({ target, egress }: Pair, due: readonly Due[]): readonly number[] {
  return due
    .filter(({ pair }) => pair.target.provider === target.provider && pair.egress.name === egress.name)
    .map(({ atMs }) => atMs)
    .toSorted((a, b) => a - b);
}
