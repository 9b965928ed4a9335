// What stands between us and a provider, in an embedded DynamoDB: the lease among racing processes, and the last word.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withLease } from "../../functions/state/lease.ts";
import {
  acquire,
  changeBlock,
  release,
  renew,
  settle,
  statesOf,
  type Block,
  type Lease,
  type PairState,
} from "../../functions/state/pairs.ts";
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
    assert.deepEqual(await settle(first, nothing("state"), () => state, table), state);
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
      const first = after("settled", 5);
      const write = async (lease: Lease, minute: number, before: PairState): Promise<PairState | null> =>
        await settle(lease, before, () => after("settled", minute), table);
      assert.deepEqual(await write(ours, 5, nothing("settled")), first);
      assert.equal(await write(theirs, 6, first), null);
      assert.deepEqual(await statesOf(pair, table), [first]);
      assert.deepEqual(await write(ours, 3, first), after("settled", 3));
      assert.deepEqual(await statesOf(pair, table), [after("settled", 3)]);
      await release(ours, 0, table);
      assert.equal(await write(ours, 7, after("settled", 3)), null);
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

  describe("beside those that have no lease", () => {
    const at = (minute: number): string => `2026-11-24T12:0${minute}:00.000Z`;
    const blockAt = (minute: number, stage: Block["stage"] = "message"): Block => {
      return { stage, host: "mx.example", since: at(minute), id: `send-${minute}` };
    };
    const pairOf = (provider: string) => ({ provider, egress: "aws" });
    const stateOf = async (provider: string): Promise<PairState | undefined> => {
      return (await statesOf([pairOf(provider)], table))[0];
    };
    const blockWith = (block: Block | null) => (pair: PairState) => {
      return { state: { ...pair, block, last: { id: "send", at: at(2) } } };
    };

    it("what a send writes while a probe is at it is there when the probe makes its own of the row", async () => {
      const lease = leaseOf("beside", "a");
      const leased = await acquire(lease, aMinuteMs, table);
      assert.ok(leased.lease !== null);
      await changeBlock(pairOf("beside"), blockWith(blockAt(1)), table);
      const seen: (Block | null)[] = [];
      const change = (pair: PairState): PairState => {
        seen.push(pair.block);
        return { ...pair, last: { id: "probe", at: at(3) }, notBefore: at(9) };
      };
      const written = await settle(lease, leased.state, change, table);
      assert.deepEqual(seen, [null, blockAt(1)]);
      const state = { ...nothing("beside"), block: blockAt(1), last: { id: "probe", at: at(3) }, notBefore: at(9) };
      assert.deepEqual(written, state);
      assert.deepEqual(await stateOf("beside"), state);
    });

    it("a send leaves the lease, and how long to stay away, as they are", async () => {
      const lease = leaseOf("untouched", "a");
      await settled({ ...nothing("untouched"), notBefore: at(9) }, table);
      await acquire(lease, aMinuteMs, table);
      await changeBlock(pairOf("untouched"), blockWith(blockAt(1)), table);
      assert.equal((await stateOf("untouched"))?.notBefore, at(9));
      assert.equal(await renew(lease, aMinuteMs, table), true);
      assert.equal((await acquire(leaseOf("untouched", "b"), aMinuteMs, table)).lease, null);
    });

    it("where nothing is to be written, nothing is, and what was made of the row is told", async () => {
      const made = await changeBlock(pairOf("unwritten"), () => ({ state: null, of: 5 }), table);
      assert.deepEqual(made, { state: null, of: 5 });
      const { Item } = await table.client.get({ TableName: table.name, Key: { pk: "pair#unwritten#aws" } });
      assert.equal(Item, undefined);
    });

    it("the row of a pair that only sends know is as any other", async () => {
      await changeBlock(pairOf("sent"), blockWith(blockAt(1)), table);
      const state = { ...nothing("sent"), block: blockAt(1), last: { id: "send", at: at(2) } };
      const lease = leaseOf("sent", "a");
      assert.deepEqual(await acquire(lease, aMinuteMs, table), { lease, state });
    });

    it("of many that write at a time none overwrites another", async () => {
      const lease = leaseOf("counted", "a");
      const leased = await acquire(lease, aMinuteMs, table);
      assert.ok(leased.lease !== null);
      // Each makes one more of what it found.
      const oneMore = (pair: PairState): PairState => {
        return { ...pair, block: { ...blockAt(1), id: String(Number(pair.block?.id ?? 0) + 1) } };
      };
      const sends = Array.from({ length: 6 }, async () =>
        changeBlock(pairOf("counted"), (pair) => ({ state: oneMore(pair) }), table),
      );
      await Promise.all([...sends, settle(lease, leased.state, oneMore, table)]);
      assert.equal((await stateOf("counted"))?.block?.id, "7");
    });

    it("a probe whose lease ran out writes nothing, however often the row changes", async () => {
      const [dead, heir] = [leaseOf("late", "a"), leaseOf("late", "b")];
      const leased = await acquire(dead, 1, table);
      assert.ok(leased.lease !== null);
      await sleep(10);
      await acquire(heir, aMinuteMs, table);
      await changeBlock(pairOf("late"), blockWith(blockAt(1)), table);
      assert.equal(await settle(dead, leased.state, () => nothing("late"), table), null);
      assert.deepEqual((await stateOf("late"))?.block, blockAt(1));
    });
  });
});
