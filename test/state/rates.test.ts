// The turns of sends in an embedded DynamoDB: many processes that take them at the same time.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { giveBack, keepTurn, takeTurn, type Turn } from "../../functions/state/rates.ts";
import { noTurns, type Turns } from "../../functions/state/rate.ts";
import type { Table } from "../../functions/state/table.ts";
import { freshTable, type FreshTable } from "./fresh-table.ts";

describe("rates", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  const many = { concurrency: 100, perMinute: 1_000 };

  const turnOf = (provider: string, owner: string): Turn => ({ provider, egress: "aws", owner });
  const take = async (turn: Turn, limits = many, holdMs = 60_000): Promise<boolean> => {
    return (await takeTurn({ ...turn, holdMs, priority: "normal" }, limits, table)).taken;
  };
  /** Until it has one: what a send does with the waits left out. */
  const insist = async (turn: Turn, limits = many): Promise<void> => {
    while (!(await take(turn, limits)));
  };
  const rowOf = async (provider: string): Promise<Turns> => {
    const { Item } = await table.client.get({ TableName: table.name, Key: { pk: `rate#${provider}#aws` } });
    const { slots, taken } = { ...noTurns, ...(Item as Turns | undefined) };
    return { slots, taken };
  };

  it("of twenty that come at a time as many go as there are sessions", async () => {
    const limits = { concurrency: 3, perMinute: 1_000 };
    const turns = Array.from({ length: 20 }, (_, index) => turnOf("race", `owner-${index}`));
    const taken = await Promise.all(turns.map(async (each) => await take(each, limits)));
    const went = taken.filter((each) => each).length;
    assert.ok(went >= 1 && went <= 3, `${went} went`);
    while (Object.keys((await rowOf("race")).slots).length < 3) await take(turnOf("race", crypto.randomUUID()), limits);
    assert.equal(await take(turnOf("race", "another"), limits), false);
  });

  it("twenty that insist all have their turn, with no more at a time than may be", async () => {
    const limits = { concurrency: 4, perMinute: 1_000 };
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const turn = turnOf("insisting", `owner-${index}`);
        await insist(turn, limits);
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        await giveBack(turn, table);
      }),
    );
    assert.ok(most <= 4, `${most} at a time`);
    const { slots, taken } = await rowOf("insisting");
    assert.deepEqual(slots, {});
    assert.equal(Object.values(taken).reduce((sum, each) => sum + each, 0), 20); // prettier-ignore
  });

  it("of twenty that come at a time no more go in a minute than may", async () => {
    const limits = { concurrency: 100, perMinute: 7 };
    const turns = Array.from({ length: 20 }, (_, index) => turnOf("minute", `owner-${index}`));
    let went = 0;
    for (let round = 0; round < 4; round++) {
      const taken = await Promise.all(turns.map(async (each) => await take({ ...each, owner: `${each.owner}-${round}` }, limits))); // prettier-ignore
      went += taken.filter((each) => each).length;
    }
    assert.equal(went, 7);
  });

  it("a session that is given back is there for another, and the send stays counted", async () => {
    const limits = { concurrency: 1, perMinute: 2 };
    const [one, two, three] = [turnOf("back", "1"), turnOf("back", "2"), turnOf("back", "3")];
    assert.equal(await take(one, limits), true);
    assert.equal(await take(two, limits), false);
    await giveBack(one, table);
    assert.equal(await take(two, limits), true);
    await giveBack(two, table);
    assert.equal(await take(three, limits), false);
  });

  it("one who died keeps nobody waiting for longer than he said", async () => {
    const limits = { concurrency: 1, perMinute: 10 };
    assert.equal(await take(turnOf("dead", "1"), limits, 1), true);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await take(turnOf("dead", "2"), limits), true);
    // He was not, and gives back what is his no more.
    await giveBack(turnOf("dead", "1"), table);
    assert.equal(await take(turnOf("dead", "3"), limits), false);
  });

  it("giving back what nobody has taken changes nothing", async () => {
    await giveBack(turnOf("nobody", "1"), table);
    assert.deepEqual(await rowOf("nobody"), noTurns);
  });

  it("another egress has turns of its own", async () => {
    const limits = { concurrency: 1, perMinute: 1 };
    assert.equal(await take(turnOf("egresses", "1"), limits), true);
    assert.equal(await take({ ...turnOf("egresses", "1"), egress: "mail-1", owner: "2" }, limits), true);
  });

  it("who keeps its session has it for longer, and who has lost it does not take another's", async () => {
    const limits = { concurrency: 1, perMinute: 1_000 };
    const [first, second] = [turnOf("kept", "first"), turnOf("kept", "second")];
    assert.equal(await take(first, limits, 300), true);
    await keepTurn(first, 5_000, table);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(await take(second, limits), false);
    await giveBack(first, table);
    assert.equal(await take(second, limits), true);
    await keepTurn(first, 5_000, table);
    assert.deepEqual(Object.keys((await rowOf("kept")).slots), ["second"]);
  });
});
