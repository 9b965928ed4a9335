// What became of one send, read from a table with its rows in it.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { readSend, sendExitStatus, sendText } from "../../functions/cli/send-status.ts";
import { closeClients, openClients } from "../../functions/clients.ts";
import { putDeliveryOnce, type Recipient } from "../../functions/state/deliveries.ts";
import { putMessageOnce } from "../../functions/state/messages.ts";
import { tableDefinition, type Table } from "../../functions/state/table.ts";
import type { LastWord } from "../../functions/verdict/last-word.ts";
import { setUpTable, startTable } from "../../infra/local/table.ts";

const service = await startTable(0, null);
const clients = await openClients(["dynamo"], { dynamo: service.url });
await setUpTable(tableDefinition("test"), clients.dynamo);
const noon = new Date("2026-11-24T12:00:00.000Z");
const table: Table = { client: clients.dynamo, name: "test", days: 30, now: () => noon };
after(async () => {
  closeClients(clients);
  await service[Symbol.asyncDispose]();
});

const word: LastWord = {
  outcome: "rejected",
  class: "mailbox-unknown",
  scope: "recipient",
  stage: "rcpt",
  code: 550,
  status: "5.1.1",
  text: "550 5.1.1 no such user\u001b[2J",
  host: "mx.there.example",
  blocklist: null,
  rule: "mailbox-unknown",
  attempt: 1,
  at: noon.toISOString(),
};

async function given(id: string, recipients: Readonly<Record<string, readonly Recipient[]>>): Promise<void> {
  const whose = { from: "us@sender.example", fromDomain: "sender.example", dkimDomain: null };
  const times = { createdAt: noon.toISOString(), expiresAtMs: noon.getTime() + 86_400_000 };
  await putMessageOnce(
    {
      ...whose,
      ...times,
      id,
      asked: "a",
      content: "c",
      domains: Object.keys(recipients),
      body: { kind: "inline", bytes: new Uint8Array([1]) },
      octets: 1,
    },
    table,
  );
  for (const [domain, its] of Object.entries(recipients)) {
    const stands = { attempts: [], heldBy: "held: there", isDelayTold: false, untold: [], lease: null, wakeAtMs: null };
    const asked = { egress: "aws", anyEgress: true, onUnknown: "stop", priority: "normal", written: "" } as const;
    await putDeliveryOnce({ ...whose, ...times, ...asked, ...stands, id, domain, recipients: its }, table);
  }
}

function recipient(address: string, state: Recipient["state"], last: LastWord | null): Recipient {
  return { address, state, nextAtMs: noon.getTime() + 600_000, attempts: last === null ? [] : [1], word: last };
}

suite("how one send stands", () => {
  test("each recipient of each domain, with the server's words and where to read more", async () => {
    await given("one", {
      "there.example": [recipient("a@there.example", "failed", word), recipient("b@there.example", "waiting", null)],
      "here.example": [recipient("c@here.example", "delivered", null)],
    });
    const status = await readSend("one", table);
    assert.ok(status !== null);
    const text = sendText(status, " --state dir");
    assert.match(text, /^one: from us@sender\.example, taken on 2026-11-24T12:00:00\.000Z, tried until 2026-11-25T12/);
    assert.match(text, /\na@there\.example: failed \(1 attempt over aws\)\n {2}550 5\.1\.1 no such user/);
    assert.match(text, /\n {2}npx delivery-probe replay --request 'send\/one\/there\.example\/1' --state dir\n/);
    assert.match(text, /\nb@there\.example: waiting \(not tried, next at 2026-11-24T12:10:00\.000Z\)\n {2}held/);
    assert.match(text, /\nc@here\.example: delivered \(not tried\)\n$/);
    assert.ok(!text.includes("\u001b"), "a server's words move no cursor");
  });

  for (const [states, exit] of [
    [["delivered", "delivered"], 0],
    [["delivered", "failed"], 1],
    [["expired", "delivered"], 1],
    [["failed", "waiting"], 2],
    [["delivered", "committing"], 2],
    [["waiting", "unknown"], 3],
  ] as const) {
    test(`of ${states.join(" and ")} the exit status is ${exit}`, async () => {
      const id = states.join("-");
      await given(id, {
        "there.example": states.map((each, index) => recipient(`${index}@there.example`, each, null)),
      });
      const status = await readSend(id, table);
      assert.equal(status && sendExitStatus(status), exit);
    });
  }

  test("a domain whose recipients are not taken on yet is told, and keeps the whole from being done", async () => {
    await given("half", { "there.example": [recipient("a@there.example", "delivered", null)] });
    await table.client.update({
      TableName: "test",
      Key: { pk: "message#half" },
      UpdateExpression: "SET domains = :domains",
      ExpressionAttributeValues: { ":domains": ["there.example", "here.example"] },
    });
    const status = await readSend("half", table);
    assert.ok(status !== null);
    assert.equal(sendExitStatus(status), 2);
    assert.match(sendText(status, ""), /\nhere\.example: not taken on yet\n$/);
  });

  test("nothing is known of a send that nobody has taken on", async () => {
    assert.equal(await readSend("nobody", table), null);
  });
});
