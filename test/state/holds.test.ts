// What sends are held for, in an embedded DynamoDB: holds that begin and end while many look, and the one send that tries.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { noteHolds } from "../../functions/send/note-holds.ts";
import {
  changeHolds,
  claimCanary,
  holdsOn,
  holdsStanding,
  triedAtMs,
  type Hold,
  type Whose,
} from "../../functions/state/holds.ts";
import type { Table } from "../../functions/state/table.ts";
import { judge, type Verdict } from "../../functions/verdict/verdict.ts";
import { transcriptOf } from "../verdict/transcripts.ts";
import { daysLater, freshTable, noon, type FreshTable } from "./fresh-table.ts";

const envelope = "< 220 mx\n> EHLO probe.example\n< 250 mx\n> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n";

function verdictOf(reply: string): Verdict {
  const says = `${envelope}> QUIT\n< 250 ok\n< ${reply}\n< 221 bye`;
  return judge([transcriptOf(says)], { name: "aws", address: null });
}

const listed = verdictOf("550 5.7.1 198.51.100.7 is listed in zen.spamhaus.org");
const unsigned = verdictOf("550 5.7.26 sender.example fails DMARC");
const taken = verdictOf("250 2.1.5 ok");
const greylisted = verdictOf("450 4.2.0 greylisted");

const minuteMs = 60_000;

/** Minutes after noon. */
const at = (minute: number): string => new Date(noon.getTime() + minute * minuteMs).toISOString();

describe("holds", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  const whoseOf = (provider: string, egress = "aws"): Whose => ({ provider, egress, domain: "sender.example" });
  const note = async (verdict: Verdict, provider: string, minute: number, its: Table = table) =>
    await noteHolds(verdict, { ...whoseOf(provider), id: `v-${minute}`, at: at(minute) }, its);
  const onThese = async (whose: Whose) => (await holdsOn(whose, table)).map(({ key }) => key);
  const laterBy = (minutes: number): Table => ({ ...table, now: () => new Date(noon.getTime() + minutes * minuteMs) });
  const firstOn = async (provider: string, its: Table = table) => {
    const [hold] = await holdsOn(whoseOf(provider), its);
    assert.ok(hold !== undefined, "it is held");
    return hold;
  };
  /** The same table, whose writes are counted. */
  const counting = () => {
    const { client } = table;
    const calls = { writes: 0, reads: 0 };
    const counted: Table["client"] = {
      get: (...given) => client.get(...given),
      query: (...given) => client.query(...given),
      update: (...given) => client.update(...given),
      put: (...given) => ((calls.writes += 1), client.put(...given)),
      delete: (...given) => ((calls.writes += 1), client.delete(...given)),
      batchGet: (...given) => ((calls.reads += 1), client.batchGet(...given)),
    };
    return { calls, table: { ...table, client: counted } };
  };

  it("a refused IP holds what leaves by it, in any domain's name, and nothing else", async () => {
    const { began, ended } = await note(listed, "ip", 0);
    assert.deepEqual(
      began.map(({ key, stage, since, lastAt, class: kind }) => ({ key, stage, since, lastAt, kind })),
      [{ key: { about: "ip", provider: "ip", egress: "aws" }, stage: "rcpt", since: at(0), lastAt: at(0), kind: "ip-reputation" }], // prettier-ignore
    );
    assert.deepEqual(ended, []);
    assert.equal((await onThese({ ...whoseOf("ip"), domain: "other.example" })).length, 1);
    assert.equal((await onThese({ ...whoseOf("ip"), domain: null })).length, 1);
    assert.equal((await onThese(whoseOf("ip", "mail-1"))).length, 0);
    assert.equal((await onThese(whoseOf("ip-2"))).length, 0);
  });

  it("a refused domain holds what is sent in its name, over any egress, and nothing else", async () => {
    await note(unsigned, "domain", 0);
    const key = { about: "domain", provider: "domain", domain: "sender.example" };
    assert.deepEqual(await onThese(whoseOf("domain")), [key]);
    assert.deepEqual(await onThese(whoseOf("domain", "mail-1")), [key]);
    assert.deepEqual(await onThese({ ...whoseOf("domain"), domain: "other.example" }), []);
    assert.deepEqual(await onThese({ ...whoseOf("domain"), domain: null }), []);
  });

  it("a session that gets past the refusal ends both, and says so", async () => {
    await note(listed, "ends", 0);
    await note(unsigned, "ends", 1);
    // The refusal of the domain comes at the stage at which the IP's stood, which says nothing of the IP.
    assert.equal((await onThese(whoseOf("ends"))).length, 2);
    const { began, ended } = await note(taken, "ends", 2);
    assert.deepEqual(began, []);
    assert.deepEqual(ended.map(({ key, id }) => [key.about, id]), [["ip", "v-0"], ["domain", "v-1"]]); // prettier-ignore
    assert.deepEqual(await onThese(whoseOf("ends")), []);
  });

  it("what changes nothing costs one read and no write", async () => {
    const { calls, table: its } = counting();
    await note(taken, "cheap", 0, its);
    assert.deepEqual(calls, { reads: 1, writes: 0 });
    await note(listed, "cheap", 1, its);
    assert.deepEqual(calls, { reads: 2, writes: 1 });
    await note(greylisted, "cheap", 2, its);
    assert.deepEqual(calls, { reads: 3, writes: 1 });
    assert.equal((await firstOn("cheap")).lastAt, at(1));
  });

  it("of many that are told of a refusal at a time one begins the hold, which knows the last of them", async () => {
    const noted = await Promise.all(Array.from({ length: 6 }, async (_, index) => await note(listed, "many", index)));
    assert.equal(noted.flatMap(({ began }) => began).length, 1);
    const hold = await firstOn("many");
    assert.equal(hold.lastAt, at(5));
  });

  it("a yes that was noted after a later refusal, and was over before it, ends nothing", async () => {
    await note(listed, "late", 5);
    assert.deepEqual((await note(taken, "late", 4)).ended, []);
    assert.equal((await firstOn("late")).lastAt, at(5));
  });

  it("one that was changed meanwhile is judged anew", async () => {
    await note(listed, "anew", 0);
    const seen: (string | null)[] = [];
    let isFirst = true;
    // Before it writes what it made of the row, another refusal is noted.
    const { client } = table;
    const slow: Table["client"] = {
      ...client,
      batchGet: async (...given) => {
        const found = await client.batchGet(...given);
        if (isFirst) await note(listed, "anew", 7);
        isFirst = false;
        return found;
      },
      put: (...given) => client.put(...given),
      delete: (...given) => client.delete(...given),
    };
    const change = (_: unknown, before: Hold | null): null => (seen.push(before?.lastAt ?? null), null);
    await changeHolds({ ...whoseOf("anew"), domain: null }, change, { ...table, client: slow });
    assert.deepEqual(seen, [at(0), at(7)]);
    assert.deepEqual(await onThese(whoseOf("anew")), []);
  });

  describe("the canary", () => {
    const intervalMs = 30 * minuteMs;

    it("goes when nobody has put the hold to the test for an interval, one of many that want to", async () => {
      await note(listed, "canary", 0);
      const hold = await firstOn("canary");
      assert.equal(await claimCanary(hold, intervalMs, laterBy(29)), false);
      const claims = await Promise.all(
        Array.from({ length: 20 }, async () => await claimCanary(hold, intervalMs, laterBy(30))),
      );
      assert.equal(claims.filter((each) => each).length, 1);
      const next = await firstOn("canary", laterBy(30));
      assert.deepEqual([next.canaryAt, next.lastAt, next.since], [at(30), at(0), at(0)]);
      assert.equal(triedAtMs(next), Date.parse(at(30)));
      assert.equal(await claimCanary(next, intervalMs, laterBy(59)), false);
      assert.equal(await claimCanary(next, intervalMs, laterBy(60)), true);
    });

    it("waits an interval from when the refusal was last said", async () => {
      await note(listed, "said", 0);
      await note(listed, "said", 20);
      assert.equal(await claimCanary(await firstOn("said"), intervalMs, laterBy(49)), false);
      assert.equal(await claimCanary(await firstOn("said"), intervalMs, laterBy(50)), true);
    });

    it("does not go for a hold that has ended, or that was said again since it was read", async () => {
      await note(listed, "gone", 0);
      const hold = await firstOn("gone");
      await note(taken, "gone", 1);
      assert.equal(await claimCanary(hold, intervalMs, laterBy(40)), false);
      assert.deepEqual(await onThese(whoseOf("gone")), []);
      await note(listed, "gone", 2);
      assert.equal(await claimCanary(hold, intervalMs, laterBy(40)), false);
    });

    it("that is told that the IP is still refused leaves the hold from its first word", async () => {
      await note(listed, "still", 0);
      await claimCanary(await firstOn("still"), intervalMs, laterBy(30));
      const { began, ended } = await note(listed, "still", 31, laterBy(31));
      assert.deepEqual([began, ended], [[], []]);
      const { since, lastAt, canaryAt } = await firstOn("still", laterBy(31));
      assert.deepEqual({ since, lastAt, canaryAt }, { since: at(0), lastAt: at(31), canaryAt: at(30) });
    });
  });

  it("those that stand are told of all pairs, and of all domains at their providers", async () => {
    await note(listed, "one", 0);
    await note(unsigned, "two", 0);
    const pairs = ["one", "two", "three"].flatMap((provider) => ["aws", "mail-1"].map((egress) => ({ provider, egress }))); // prettier-ignore
    const standing = await holdsStanding({ pairs, domains: ["sender.example", "other.example"] }, table);
    assert.deepEqual(standing.map(({ key }) => key), [
      { about: "ip", provider: "one", egress: "aws" },
      { about: "domain", provider: "two", domain: "sender.example" },
    ]); // prettier-ignore
    assert.ok(standing.every((each) => !("revision" in each)));
  });

  it("one that nobody has said or tried for as long as rows are kept holds nobody, and can begin anew", async () => {
    await note(listed, "old", 0);
    const much = daysLater(31, table);
    assert.deepEqual(await holdsOn(whoseOf("old"), much), []);
    const { began } = await note(listed, "old", 31 * 24 * 60, much);
    assert.equal(began[0]?.since, at(31 * 24 * 60));
  });
});
