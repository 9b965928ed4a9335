// The rows of verdicts, in an embedded DynamoDB: the first of a request stays, long ones are packed, old ones are gone.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Table } from "../../functions/state/table.ts";
import {
  countDuplicate,
  findVerdict,
  lastVerdicts,
  markReported,
  putVerdict,
  type StoredVerdict,
} from "../../functions/state/verdicts.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { blocked } from "../cli/sample.ts";
import { daysLater, freshTable, noon, type FreshTable } from "./fresh-table.ts";

const verdict = judge([blocked], { name: "aws", address: null });

function storedAs(id: string, more: Partial<StoredVerdict> = {}): StoredVerdict {
  return {
    id,
    provider: "icloud",
    egress: "aws",
    recipient: "someone@mx.example",
    at: noon.toISOString(),
    verdict,
    blocked: null,
    digest: "d",
    reported: false,
    duplicates: 0,
    ...more,
  };
}

/** A host that talks: its lines repeat themselves, as transcripts' do. */
function talkative(octets: number): StoredVerdict["verdict"] {
  const text = "550-5.7.1 blocked, see https://mx.example/ for the reason, Grüße\n".repeat(octets / 64);
  return { ...verdict, primary: { ...verdict.primary, text } };
}

describe("verdicts", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  const rowOf = async (id: string): Promise<Readonly<Record<string, unknown>>> => {
    const { Item = {} } = await table.client.get({ TableName: "test", Key: { pk: `request#${id}` } });
    return Item;
  };

  it("what was put is found, field by field", async () => {
    for (const blocked of [true, false, null]) {
      const stored = storedAs(`found-${blocked}`, { blocked });
      assert.equal(await putVerdict(stored, table), true);
      assert.deepEqual(await findVerdict(stored.id, table), stored);
    }
  });

  it("what was never put is not found", async () => {
    assert.equal(await findVerdict("never", table), null);
  });

  it("the second of a request is refused, and the first stays", async () => {
    assert.equal(await putVerdict(storedAs("twice"), table), true);
    assert.equal(await putVerdict(storedAs("twice", { digest: "other" }), table), false);
    assert.equal((await findVerdict("twice", table))?.digest, "d");
  });

  it("of many at once one is the first", async () => {
    const puts = Array.from({ length: 20 }, (_, index) => putVerdict(storedAs("race", { digest: `${index}` }), table));
    const first = (await Promise.all(puts)).flatMap((isFirst, index) => (isFirst ? [index] : []));
    assert.equal(first.length, 1);
    assert.equal((await findVerdict("race", table))?.digest, String(first[0]));
  });

  it("a document that is longer than a row may be is packed, and found whole", async () => {
    const long = storedAs("long", { verdict: talkative(900_000) });
    assert.ok(JSON.stringify(long.verdict).length > 400_000);
    assert.equal(await putVerdict(long, table), true);
    assert.deepEqual(await findVerdict("long", table), long);
    const { packed, document } = await rowOf("long");
    assert.ok(packed instanceof Uint8Array && packed.length < 50_000);
    assert.equal(document, undefined);
  });

  it("a document that is short can be read in a console, with a summary beside it", async () => {
    await putVerdict(storedAs("short"), table);
    const { document, outcome, class: kind, severity, stage, code, text } = await rowOf("short");
    assert.deepEqual(JSON.parse(String(document)), verdict);
    assert.deepEqual(
      { outcome, kind, severity, stage, code, text },
      {
        outcome: verdict.outcome,
        kind: verdict.class,
        severity: verdict.severity,
        stage: verdict.primary.stage,
        code: verdict.primary.code,
        text: verdict.primary.text,
      },
    );
  });

  it("a row whose time is over is none, whether DynamoDB has deleted it or not, and makes room", async () => {
    await putVerdict(storedAs("old"), table);
    const later = daysLater(31, table);
    assert.notEqual(await findVerdict("old", daysLater(29, table)), null);
    assert.equal(await findVerdict("old", later), null);
    assert.equal(await putVerdict(storedAs("old", { digest: "new" }), later), true);
    assert.equal((await findVerdict("old", later))?.digest, "new");
  });

  it("that its figures are told, and how often it came again, is written on it", async () => {
    await putVerdict(storedAs("told"), table);
    await markReported("told", table);
    await countDuplicate("told", table);
    await countDuplicate("told", table);
    assert.deepEqual(await findVerdict("told", table), storedAs("told", { reported: true, duplicates: 2 }));
  });

  it("the last of a pair are the newest first, as many as asked for, and of no other pair", async () => {
    const pair = { provider: "gmx", egress: "aws" };
    const minutes = [3, 1, 5, 2, 4];
    for (const minute of minutes) {
      await putVerdict(storedAs(`gmx-${minute}`, { ...pair, at: `2026-11-24T12:0${minute}:00.000Z` }), table);
    }
    await putVerdict(storedAs("gmx-other", { ...pair, egress: "mail-1" }), table);
    const ids = async (limit: number, at: Table = table): Promise<readonly string[]> => {
      return (await lastVerdicts("gmx", "aws", limit, at)).map(({ id }) => id);
    };
    assert.deepEqual(await ids(10), ["gmx-5", "gmx-4", "gmx-3", "gmx-2", "gmx-1"]);
    assert.deepEqual(await ids(2), ["gmx-5", "gmx-4"]);
    assert.deepEqual(await ids(10, daysLater(31, table)), []);
    assert.deepEqual(await lastVerdicts("nobody", "aws", 10, table), []);
  });

  it("they are as many as asked for, though DynamoDB answers with a megabyte at a time", async () => {
    for (let minute = 0; minute < 8; minute += 1) {
      const at = `2026-11-24T12:0${minute}:00.000Z`;
      await putVerdict(storedAs(`big-${minute}`, { provider: "big", at, verdict: talkative(280_000) }), table);
    }
    const found = await lastVerdicts("big", "aws", 7, table);
    assert.deepEqual(
      found.map(({ id }) => id),
      [7, 6, 5, 4, 3, 2, 1].map((minute) => `big-${minute}`),
    );
  });
});
