// What stands between us and a provider, in an embedded DynamoDB: the lease among racing processes, and the last word.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withLease } from "../../functions/state/lease.ts";
import { acquire, release, renew, settle, statesOf, type Lease, type PairState } from "../../functions/state/pairs.ts";
import type { Table } from "../../functions/state/table.ts";
import { settled } from "../support/settled.ts";
import { freshTable, type FreshTable } from "./fresh-table.ts";

const aMinuteMs = 60_000;

describe("pairs", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  /** Of a provider that no other test has. */
  const leaseOf = (provider: string, owner: string): Lease => ({ provider, egress: "aws", owner });
  const nothing = (provider: string): PairState => {
    return { provider, egress: "aws", block: null, clearedAt: null, last: null, notBefore: null };
  };

  it("of fifty that want a lease one has it, and the next only when it is given back", async () => {
    const owners = Array.from({ length: 50 }, (_, index) => leaseOf("race", `owner-${index}`));
    const winners = new Set<string>();
    for (let round = 0; round < 8; round += 1) {
      const left = owners.filter(({ owner }) => !winners.has(owner));
      const all = await Promise.all(left.map(async (each) => await acquire(each, aMinuteMs, table)));
      const [won, ...others] = all.flatMap(({ lease }) => lease ?? []);
      assert.ok(won !== undefined && others.length === 0, `${others.length + 1} have it`);
      winners.add(won.owner);
      for (const each of all) if (each.lease === null) assert.ok(each.waitMs > 0 && each.waitMs <= 250);
      await release(won, 0, table);
    }
    assert.equal(winners.size, 8);
  });

  it("a lease comes with the pair's state, which it leaves as it is", async () => {
    const state: PairState = {
      ...nothing("state"),
      block: { stage: "rcpt", host: "mx.example", since: "2026-11-24T10:00:00.000Z", id: "a" },
      last: { id: "b", at: "2026-11-24T11:00:00.000Z" },
      notBefore: "2026-11-24T12:00:00.000Z",
    };
    const [first, later] = [leaseOf("state", "a"), leaseOf("state", "b")];
    assert.deepEqual(await acquire(first, aMinuteMs, table), { lease: first, state: nothing("state") });
    assert.equal(await settle(first, state, table), true);
    await release(first, 0, table);
    assert.deepEqual(await acquire(later, aMinuteMs, table), { lease: later, state });
  });

  it("another egress is another lease", async () => {
    const [one, other] = [leaseOf("egresses", "a"), { ...leaseOf("egresses", "b"), egress: "mail-1" }];
    assert.deepEqual((await acquire(one, aMinuteMs, table)).lease, one);
    assert.deepEqual((await acquire(other, aMinuteMs, table)).lease, other);
  });

  it("one that ran out is taken over, and its owner cannot renew it nor give it back", async () => {
    const [dead, heir] = [leaseOf("dead", "a"), leaseOf("dead", "b")];
    await acquire(dead, 1, table);
    await sleep(10);
    assert.deepEqual((await acquire(heir, aMinuteMs, table)).lease, heir);
    assert.equal(await renew(dead, aMinuteMs, table), false);
    await release(dead, 0, table);
    assert.equal((await acquire(leaseOf("dead", "c"), aMinuteMs, table)).lease, null);
  });

  it("one that was renewed in time is not taken over", async () => {
    const mine = leaseOf("renewed", "a");
    await acquire(mine, 1, table);
    assert.equal(await renew(mine, aMinuteMs, table), true);
    await sleep(10);
    assert.equal((await acquire(leaseOf("renewed", "b"), aMinuteMs, table)).lease, null);
  });

  it("given back with a gap nobody has it before the gap is over, and is told how long that is", async () => {
    const mine = leaseOf("gap", "a");
    await acquire(mine, aMinuteMs, table);
    await release(mine, aMinuteMs, table);
    const soon = await acquire(leaseOf("gap", "b"), aMinuteMs, table);
    assert.ok(soon.lease === null && soon.waitMs > 250 && soon.waitMs <= aMinuteMs);
    await release(mine, 0, table);
    assert.equal((await acquire(leaseOf("gap", "b"), aMinuteMs, table)).lease, null, "it was not its any more");
  });

  describe("holding a lease while something runs", () => {
    it("gives it back with the gap, if somebody was asked", async () => {
      const held = await withLease(leaseOf("asked", "a"), aMinuteMs, table, (state, asks) => {
        assert.deepEqual(state, nothing("asked"));
        asks();
        return Promise.resolve({ of: 5 });
      });
      assert.deepEqual(held, { result: { of: 5 } });
      const next = await acquire(leaseOf("asked", "b"), aMinuteMs, table);
      assert.ok(next.lease === null && next.waitMs > 250);
    });

    it("gives it back without a gap, if nobody was", async () => {
      await withLease(leaseOf("unasked", "a"), aMinuteMs, table, () => Promise.resolve({}));
      assert.notEqual((await acquire(leaseOf("unasked", "b"), aMinuteMs, table)).lease, null);
    });

    it("gives it back when what ran throws, which the caller is told", async () => {
      const failing = withLease(leaseOf("throws", "a"), 0, table, () => Promise.reject(new Error("no")));
      await assert.rejects(failing, /^Error: no$/);
      assert.notEqual((await acquire(leaseOf("throws", "b"), aMinuteMs, table)).lease, null);
    });

    it("leaves no gap when what ran throws before it asked anybody", async () => {
      const failing = withLease(leaseOf("throws-early", "a"), aMinuteMs, table, () => Promise.reject(new Error("no")));
      await assert.rejects(failing, /^Error: no$/);
      assert.notEqual((await acquire(leaseOf("throws-early", "b"), aMinuteMs, table)).lease, null);
    });

    it("leaves the gap when what ran throws after it had asked somebody", async () => {
      const failing = withLease(leaseOf("throws-late", "a"), aMinuteMs, table, (_, asks) => {
        asks();
        return Promise.reject(new Error("no"));
      });
      await assert.rejects(failing, /^Error: no$/);
      assert.equal((await acquire(leaseOf("throws-late", "b"), aMinuteMs, table)).lease, null);
    });

    it("waits a little for one that is held, and runs one at a time", async () => {
      let running = 0;
      const runs = Array.from({ length: 4 }, async (_, index) =>
        withLease(leaseOf("short", `owner-${index}`), 0, table, async () => {
          running += 1;
          assert.equal(running, 1);
          await sleep(20);
          running -= 1;
          return {};
        }),
      );
      const held = await Promise.all(runs);
      const ran = held.filter(({ result }) => result !== null);
      assert.ok(ran.length >= 2, "the second waited for the first");
      for (const each of held) if (each.result === null) assert.ok(each.waitMs >= 0);
    });

    it("does not run where it is held for longer, and says how long to wait", async () => {
      const theirs = leaseOf("long", "a");
      await acquire(theirs, aMinuteMs, table);
      await release(theirs, aMinuteMs, table);
      const held = await withLease(leaseOf("long", "b"), 0, table, () => assert.fail("it ran"));
      assert.ok(held.result === null && held.waitMs > 1_500 && held.waitMs <= aMinuteMs);
    });
  });

  describe("what a verdict changes", () => {
    const at = (minute: number): string => `2026-11-24T12:0${minute}:00.000Z`;
    const after = (provider: string, minute: number): PairState => {
      return { ...nothing(provider), last: { id: `v-${minute}`, at: at(minute) }, notBefore: at(minute + 1) };
    };

    it("is written by who has the lease, and by nobody else, whatever the clocks say", async () => {
      const [ours, theirs] = [leaseOf("settled", "a"), leaseOf("settled", "b")];
      const pair = [{ provider: "settled", egress: "aws" }];
      await acquire(ours, aMinuteMs, table);
      assert.equal(await settle(ours, after("settled", 5), table), true);
      assert.equal(await settle(theirs, after("settled", 6), table), false);
      assert.deepEqual(await statesOf(pair, table), [after("settled", 5)]);
      assert.equal(await settle(ours, after("settled", 3), table), true);
      assert.deepEqual(await statesOf(pair, table), [after("settled", 3)]);
      await release(ours, 0, table);
      assert.equal(await settle(ours, after("settled", 7), table), false);
    });

    it("ends a block and a back-off too", async () => {
      const block = { stage: "rcpt", host: "mx", since: at(1), id: "v-1" } as const;
      await settled({ ...after("ended", 1), block }, table);
      await settled({ ...after("ended", 2), notBefore: null }, table);
      const [state] = await statesOf([{ provider: "ended", egress: "aws" }], table);
      assert.deepEqual(state, { ...nothing("ended"), last: { id: "v-2", at: at(2) } });
    });

    it("is read for more pairs than one call takes, in the order asked, also where nothing is known", async () => {
      const pairs = Array.from({ length: 230 }, (_, index) => ({ provider: `many-${index}`, egress: "aws" }));
      const known = [0, 99, 100, 150, 229];
      for (const index of known) await settled(after(`many-${index}`, 1), table);
      const asked = [...pairs.toReversed(), ...pairs.slice(0, 2)];
      const states = await statesOf(asked, table);
      assert.deepEqual(
        states.map(({ provider }) => provider),
        asked.map(({ provider }) => provider),
      );
      const found = states.slice(0, 230).filter(({ last }) => last !== null);
      assert.deepEqual(found, known.toReversed().map((index) => after(`many-${index}`, 1))); // prettier-ignore
      assert.deepEqual(await statesOf([], table), []);
    });
  });
});
