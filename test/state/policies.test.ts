// MTA-STS policies kept in an embedded DynamoDB: as they were, as long as they themselves say.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { CachedPolicy, StsPolicy } from "../../functions/route/mta-sts.ts";
import { tablePolicies } from "../../functions/state/policies.ts";
import type { Table } from "../../functions/state/table.ts";
import { freshTable, noon, type FreshTable } from "./fresh-table.ts";

function cachedAs(more: Partial<StsPolicy> = {}): CachedPolicy {
  const policy: StsPolicy = { id: "one", mode: "enforce", mx: ["mx.a.test", "*.b.test"], maxAgeS: 604_800, ...more };
  return { policy, fetchedAtMs: noon.getTime() };
}

function secondsLater(seconds: number, table: Table): Table {
  return { ...table, now: () => new Date(noon.getTime() + seconds * 1000) };
}

describe("policies", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  it("what was set is found, field by field, by whoever looks", async () => {
    for (const mode of ["enforce", "testing", "none"] as const) {
      const cached = cachedAs({ mode, mx: mode === "none" ? [] : ["mx.a.test"] });
      await tablePolicies(table).set(`${mode}.test`, cached);
      assert.deepEqual(await tablePolicies(table).get(`${mode}.test`), cached);
    }
  });

  it("a domain that nobody set has none, nor has one above or below", async () => {
    const policies = tablePolicies(table);
    await policies.set("a.test", cachedAs());
    assert.equal(await policies.get("b.test"), null);
    assert.equal(await policies.get("sub.a.test"), null);
    assert.equal(await policies.get("test"), null);
  });

  it("the second of a domain takes the place of the first", async () => {
    const policies = tablePolicies(table);
    await policies.set("twice.test", cachedAs());
    const second = cachedAs({ id: "two", mode: "testing", maxAgeS: 10 });
    await policies.set("twice.test", second);
    assert.deepEqual(await policies.get("twice.test"), second);
  });

  it("one whose time is over is none, to the second, and DynamoDB may delete it then", async () => {
    await tablePolicies(table).set("over.test", cachedAs({ maxAgeS: 90 }));
    assert.notEqual(await tablePolicies(secondsLater(89, table)).get("over.test"), null);
    assert.equal(await tablePolicies(secondsLater(90, table)).get("over.test"), null);
    const { Item = {} } = await table.client.get({ TableName: "test", Key: { pk: "policy#over.test" } });
    assert.equal(Item["expiresAt"], noon.getTime() / 1000 + 90);
  });

  it("its time is the policy's own, whatever that of other rows", async () => {
    await tablePolicies(table).set("long.test", cachedAs({ maxAgeS: 31_557_600 }));
    assert.notEqual(await tablePolicies(secondsLater(31_557_599, table)).get("long.test"), null);
    await tablePolicies(table).set("short.test", cachedAs({ maxAgeS: 0 }));
    assert.equal(await tablePolicies(table).get("short.test"), null);
  });

  it("one as large as a file may be is found whole", async () => {
    // 65,536 octets of lines such as `mx:a1.test`.
    const mx = Array.from({ length: 5_400 }, (_, index) => `a${index}.test`);
    const cached = cachedAs({ mx });
    await tablePolicies(table).set("large.test", cached);
    assert.deepEqual(await tablePolicies(table).get("large.test"), cached);
  });

  it("a table that does not answer rejects, which is for the caller to bear", async () => {
    const gone = tablePolicies({ ...table, name: "no-such-table" });
    await assert.rejects(gone.get("a.test"));
    await assert.rejects(gone.set("a.test", cachedAs()));
  });
});
