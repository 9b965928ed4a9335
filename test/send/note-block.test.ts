// The block that probes and sends share, in an embedded DynamoDB: what the one writes while the other is at it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { lateState, recordingOf } from "../../functions/report/recording.ts";
import { noteBlock } from "../../functions/send/note-block.ts";
import { acquire, settle, statesOf, type Lease, type PairState } from "../../functions/state/pairs.ts";
import type { Table } from "../../functions/state/table.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { freshTable, type FreshTable } from "../state/fresh-table.ts";
import { settled } from "../support/settled.ts";
import { transcriptOf } from "../verdict/transcripts.ts";

const envelope = "< 220 mx\n> EHLO probe.example\n< 250 mx\n> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n";
const rcpt = (reply: string): string => `${envelope}> QUIT\n< 250 ok\n< ${reply}\n< 221 bye`;
const message = (reply: string): string =>
  `${envelope}> DATA\n< 250 ok\n< 250 ok\n< 354 go on\n> .\n< ${reply}\n> QUIT\n< 221 bye`;
const listed = "550 5.7.1 198.51.100.7 is listed in zen.spamhaus.org";

const at = (minute: number): string => `2026-11-24T12:${String(minute).padStart(2, "0")}:00.000Z`;

function said(provider: string, says: string, minute: number) {
  const verdict = judge([transcriptOf(says)], { name: "aws", address: null });
  return {
    id: `v-${minute}`,
    provider,
    egress: "aws",
    recipient: "x@mx.example",
    at: at(minute),
    verdict,
    digest: "d",
  };
}

describe("a block that probes and sends share", () => {
  let fresh: FreshTable;
  let table: Table;
  before(async () => {
    fresh = await freshTable();
    ({ table } = fresh);
  });
  after(async () => await fresh[Symbol.asyncDispose]());

  const send = async (provider: string, says: string, minute: number): Promise<boolean | null> =>
    await noteBlock(said(provider, says, minute), table);
  const stateOf = async (provider: string): Promise<PairState> => {
    const [state] = await statesOf([{ provider, egress: "aws" }], table);
    assert.ok(state !== undefined);
    return state;
  };
  const leaseOf = (provider: string): Lease => ({ provider, egress: "aws", owner: crypto.randomUUID() });
  /** A probe that has read the row, and what it writes when its session is over. */
  const startProbe = async (provider: string) => {
    const lease = leaseOf(provider);
    const { state } = await acquire(lease, 60_000, table).then((each) => {
      assert.ok(each.lease !== null);
      return each;
    });
    return async (says: string, minute: number): Promise<PairState | null> => {
      const { stored, state: own } = recordingOf(said(provider, says, minute), state, 60_000);
      const change = (pair: PairState): PairState => (pair === state ? own : lateState(stored, pair, 60_000));
      return await settle(lease, state, change, table);
    };
  };

  it("a probe's green rcpt does not wipe a send's block at the message, though it had read the row before", async () => {
    const write = await startProbe("kept");
    assert.equal(await send("kept", message(listed), 1), true);
    const written = await write(rcpt("250 ok"), 2);
    assert.deepEqual(written?.block, { stage: "message", host: "mx.example", since: at(1), id: "v-1" });
    assert.deepEqual((await stateOf("kept")).block, written.block);
  });

  it("a send's refusal beside a probe's is one block, from its first word, at the furthest stage", async () => {
    const write = await startProbe("both");
    await send("both", message(listed), 1);
    await write(rcpt(listed), 2);
    assert.deepEqual((await stateOf("both")).block, { stage: "message", host: "mx.example", since: at(1), id: "v-1" });
  });

  it("a send that got past a probe's block ends it, and a late yes of a probe ends none that a send has said since", async () => {
    await settled(recordingOf(said("turns", rcpt(listed), 1), await stateOf("turns"), 0).state, table);
    assert.equal(await send("turns", message("250 ok"), 2), false);
    assert.deepEqual((await stateOf("turns")).block, null);
    assert.equal((await stateOf("turns")).clearedAt, at(2));
    const write = await startProbe("turns");
    await send("turns", message(listed), 4);
    await write(message("250 ok"), 3);
    assert.equal((await stateOf("turns")).block?.id, "v-4");
  });

  it("of many sends at a time, taken and refused, the last word stands, whoever writes last", async () => {
    for (let round = 0; round < 5; round++) {
      const provider = `round-${round}`;
      const sends = Array.from({ length: 8 }, async (_, index) => {
        const isLast = index === 7;
        await send(provider, message(isLast || index % 2 === 0 ? listed : "250 ok"), index);
      });
      await Promise.all(sends);
      assert.equal((await stateOf(provider)).block?.stage, "message");
    }
  });

  it("a send that is taken where no block stands writes nothing", async () => {
    assert.equal(await send("taken", message("250 ok"), 1), false);
    const { Item } = await table.client.get({ TableName: table.name, Key: { pk: "pair#taken#aws" } });
    assert.equal(Item, undefined);
  });

  it("of hosts that nobody has named nothing is kept: a yes of one would end the block of another", async () => {
    assert.equal(await send("other", message(listed), 1), null);
    assert.equal((await stateOf("other")).block, null);
  });
});
