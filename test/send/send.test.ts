// The send's handler over real parts: queues, table and topic embedded, SMTP servers on loopback.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { SQSRecord } from "aws-lambda";
import { openClients } from "../../functions/clients.ts";
import { createSend, type SendHandler } from "../../functions/send.ts";
import type { SendDeps, SendsConfig } from "../../functions/send/runs.ts";
import type { SendResult } from "../../functions/send/results.ts";
import { eventIdOf, findDelivery } from "../../functions/state/deliveries.ts";
import { cancelMessage } from "../../functions/state/messages.ts";
import { recordOf, type Services } from "../support/services.ts";
import { startReceiver, type Receiver } from "./receiver.ts";
import { messageText, sendDeps, sendOf, sendingConfig, startSending, taken, told } from "./sending.ts";

let services: Services;
let receiver: Receiver;
let handler: SendHandler;
let nowMs = Date.parse("2026-11-24T10:00:00Z");

const context = { getRemainingTimeInMillis: () => 60_000 };
before(async () => {
  receiver = await startReceiver();
  const { host } = receiver;
  services = await startSending(
    sendingConfig({ "there.example": [host], "second.example": [host], "third.example": [host] }),
  );
  handler = createSend(deps());
});

const deps = (): SendDeps => sendDeps(services, () => new Date(nowMs));

const sends = (): SendsConfig => {
  assert.ok(services.config.sends !== null);
  return services.config.sends;
};

after(async () => {
  await receiver[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
});

const call = async (...records: readonly SQSRecord[]): Promise<void> => {
  const { batchItemFailures } = await handler({ Records: [...records] }, context);
  assert.deepEqual(batchItemFailures, [], JSON.stringify(services.entries.slice(-5)));
};

const briefly = (all: readonly SendResult[]): readonly string[] => {
  return all.map(({ recipient, event, attempts }) => `${recipient} ${event} ${attempts}`).toSorted();
};

test("a message is delivered to the recipients of each domain in one transaction, and each is told", async () => {
  const to = ["a@there.example", "b@there.example", "c@second.example"];
  await call(recordOf(sendOf("once/1", to)));
  const wakes = await taken("test-send", services);
  await call(...wakes);
  assert.deepEqual(
    briefly(await told(services)),
    to.map((each) => `${each} delivered 1`),
  );
  const got = receiver.received.filter(({ data }) => data.includes("hello"));
  assert.deepEqual(got.map(({ to }) => to.join(" ")).toSorted(), [
    "a@there.example b@there.example",
    "c@second.example",
  ]);
  const [first, second] = got;
  assert.equal(first?.data, second?.data);
  assert.ok(first?.data.endsWith(messageText), first?.data);
  assert.match(first?.data ?? "", /^Received: by probe\.example .*\r\n(?:.*\r\n)*?Message-ID: <[\w.-]+@\S+>\r\nDate: /);
});

test("a record that comes again, and the same request once more, send nothing and tell nothing", async () => {
  const before = receiver.received.length;
  const record = recordOf(sendOf("once/2", ["a@there.example"]));
  await call(record);
  await call(record, recordOf(sendOf("once/2", ["a@there.example"])));
  assert.equal(receiver.received.length, before + 1);
  assert.deepEqual(briefly(await told(services)), ["a@there.example delivered 1"]);
});

test("two copies at once send once", async () => {
  const before = receiver.received.length;
  const copies = Array.from({ length: 8 }, () => recordOf(sendOf("once/3", ["a@there.example"])));
  await call(...copies);
  assert.equal(receiver.received.length, before + 1);
  assert.deepEqual(briefly(await told(services)), ["a@there.example delivered 1"]);
});

test("the same id with another content is a dead letter with its reason", async () => {
  await call(recordOf(sendOf("once/2", ["b@there.example"])));
  const [dead] = await taken("test-send-dead", services);
  assert.match(dead?.messageAttributes["Reason"]?.stringValue ?? "", /id: "once\/2" was used before/);
});

test("who defers is asked again by a message of its own, and not before its time", async () => {
  receiver.plan("later@there.example", ["451 4.7.1 Greylisted, please try again later", "250 ok"]);
  await call(recordOf(sendOf("later/1", ["later@there.example", "a@there.example"])));
  assert.deepEqual(briefly(await told(services)), ["a@there.example delivered 1"]);
  const wakes = await taken("test-send", services);
  assert.equal(wakes.length, 1);
  await call(...wakes);
  assert.deepEqual(await told(services), []);
  assert.deepEqual(await taken("test-send", services), []);
  nowMs += 10 * 60_000;
  await call(...wakes, ...wakes);
  const [result, ...others] = await told(services);
  assert.deepEqual(others, []);
  assert.equal(result?.event, "delivered");
  assert.equal(result?.attempts, 2);
  assert.equal(result?.attemptTimes.length, 2);
  assert.equal(result?.verdict?.outcome, "accepted");
  assert.equal((await findDelivery("later/1", "there.example", services.table))?.wakeAtMs, null);
});

test("who refuses for good has failed, in the server's own words and for that recipient alone", async () => {
  receiver.plan("gone@there.example", ["550 5.1.1 <gone@there.example>: user unknown"]);
  await call(recordOf(sendOf("gone/1", ["gone@there.example", "a@there.example"])));
  const all = await told(services);
  assert.deepEqual(briefly(all), ["a@there.example delivered 1", "gone@there.example failed 1"]);
  const failed = all.find(({ event }) => event === "failed");
  assert.equal(failed?.verdict?.class, "mailbox-unknown");
  assert.match(failed?.reason ?? "", /550 5\.1\.1 <gone@there\.example>: user unknown/);
  const delivered = all.find(({ event }) => event === "delivered");
  assert.equal(delivered?.verdict?.outcome, "accepted");
  assert.deepEqual(
    delivered?.verdict?.recipients.map(({ address }) => address),
    ["a@there.example"],
  );
});

test("a message that was taken whole and never answered is unknown, and is not sent again", async () => {
  receiver.plan("silent@there.example", ["swallow"]);
  const before = receiver.received.length;
  await call(recordOf(sendOf("silent/1", ["silent@there.example"])));
  assert.deepEqual(briefly(await told(services)), ["silent@there.example unknown 1"]);
  assert.deepEqual(await taken("test-send", services), []);
  assert.equal(receiver.received.length, before + 1);
});

test("one that is unknown is sent again where its sender says so, octet by octet the same", async () => {
  receiver.plan("silent@there.example", ["swallow", "250 ok"]);
  const before = receiver.received.length;
  await call(recordOf(sendOf("silent/2", ["silent@there.example"], { onUnknown: "retry" })));
  assert.deepEqual(await told(services), []);
  nowMs += 30 * 60_000;
  await call(...(await taken("test-send", services)));
  assert.deepEqual(briefly(await told(services)), ["silent@there.example delivered 2"]);
  const [first, second] = receiver.received.slice(before);
  assert.equal(first?.data, second?.data);
});

test("a process that died after it had begun leaves its recipients unknown, once its lease is over", async () => {
  const { table } = services;
  await call(recordOf(sendOf("dead/1", ["a@second.example"])));
  await told(services);
  const done = await findDelivery("dead/1", "second.example", table);
  assert.ok(done !== null);
  const { wakeAtMs: _, ...rest } = done;
  const [recipient] = rest.recipients;
  assert.ok(recipient !== undefined);
  const begun = {
    ...rest,
    attempts: [],
    recipients: [{ ...recipient, state: "committing", attempts: [], word: null }],
    lease: { owner: "somebody", untilMs: Date.now() + 400 },
  };
  await table.client.put({
    TableName: table.name,
    Item: { ...begun, pk: "delivery#dead/1#second.example", expiresAt: Math.ceil(nowMs / 1000) + 90_000 },
  });
  const wake = recordOf({ v: 1, kind: "wake", id: "dead/1", domain: "second.example", egress: "aws" });
  await call(wake);
  assert.deepEqual(await told(services), []);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = receiver.received.length;
  await call(wake);
  const [result] = await told(services);
  assert.equal(result?.event, "unknown");
  assert.match(result?.reason ?? "", /not heard of again/);
  assert.equal(receiver.received.length, before);
});

test("while a provider blocks our IP, sends to it are held and not burnt, and go when it is over", async () => {
  receiver.plan("first@second.example", [
    "550 5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Spamhaus",
    "250 ok",
  ]);
  await call(recordOf(sendOf("held/1", ["first@second.example"], { egress: "aws" })));
  const before = receiver.received.length;
  const sessions = receiver.sessions;
  await call(recordOf(sendOf("held/2", ["a@second.example"], { egress: "aws" })));
  assert.deepEqual(await told(services), []);
  assert.equal(receiver.sessions, sessions);
  const held = await findDelivery("held/2", "second.example", services.table);
  assert.match(held?.heldBy ?? "", /held: second has refused egress aws since .*blocked using Spamhaus/);
  assert.equal(held?.attempts.length, 0);
  // Nobody probes: after half an hour one send goes ahead, and what it learns releases the others.
  nowMs += 45 * 60_000;
  await call(...(await taken("test-send", services)));
  nowMs += 10 * 60_000;
  await call(...(await taken("test-send", services)));
  assert.equal(receiver.received.length, before + 2);
  assert.deepEqual(
    briefly((await told(services)).filter(({ event }) => event !== "delayed")).map((each) => each.replace(/ \d$/, "")),
    ["a@second.example delivered", "first@second.example delivered"],
  );
});

test("where the request names no egress, what one is blocked for goes by another at once", async () => {
  const to = "around@third.example";
  receiver.plan(to, ["550 5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Spamhaus", "250 ok"]);
  await call(recordOf(sendOf("around/1", [to])));
  assert.deepEqual(await told(services), []);
  nowMs += 10_000;
  await call(...(await taken("test-send", services)));
  // The other egress is a worker's, whose queue it is on now.
  const delivery = await findDelivery("around/1", "third.example", services.table);
  assert.equal(delivery?.egress, "mail-1");
  assert.deepEqual(await taken("test-send", services), []);
  const wakes = await taken("test-send-mail-1", services);
  assert.equal(wakes.length, 1);
  const worker = createSend({ ...deps(), runner: { worker: "mail-1" } });
  await worker({ Records: [...wakes] }, context);
  assert.deepEqual(briefly(await told(services)), [`${to} delivered 2`]);
});

test("a send that was called off is not begun any more, and its recipients are told so", async () => {
  receiver.plan("off@there.example", ["451 4.3.0 later", "250 ok"]);
  await call(recordOf(sendOf("off/1", ["off@there.example"])));
  assert.equal(await cancelMessage("off/1", services.table), true);
  const { sessions } = receiver;
  nowMs += 60 * 60_000;
  await call(...(await taken("test-send", services)));
  const result = (await told(services)).find(({ event }) => event !== "delayed");
  assert.equal(result?.event, "failed");
  assert.match(result?.reason ?? "", /^cancelled at 2026/);
  assert.equal(receiver.sessions, sessions);
  assert.equal(await cancelMessage("off/none", services.table), false);
});

test("a key that cannot be read is ours to mend: nothing is sent unsigned, and the send waits and expires as others do", async () => {
  const dkim = [{ domain: "sender.example", selector: "s1", key: { env: "NO_SUCH_KEY" } }];
  const signing = createSend({ ...deps(), config: { ...services.config, sends: { ...sends(), dkim } } });
  const record = recordOf(sendOf("unsigned/1", ["a@there.example"]));
  assert.deepEqual(await signing({ Records: [record] }, context), { batchItemFailures: [] });
  const delivery = await findDelivery("unsigned/1", "there.example", services.table);
  assert.match(delivery?.heldBy ?? "", /sends\.dkim\[0\]\.key/);
  assert.equal(delivery?.attempts.length, 0);
  await taken("test-send", services);
  nowMs += 25 * 3_600_000;
  await signing(
    { Records: [recordOf({ v: 1, kind: "wake", id: "unsigned/1", domain: "there.example", egress: "aws" })] },
    context,
  );
  assert.deepEqual(briefly(await told(services)), ["a@there.example expired 0"]);
});

test("what had expired weeks before it came is told as any other", async () => {
  await call(recordOf(sendOf("late/2", ["a@there.example"], { expires: "1970-01-01T00:00:00Z" })));
  assert.deepEqual(briefly(await told(services)), ["a@there.example expired 0"]);
  await call(recordOf(sendOf("late/2", ["a@there.example"], { expires: "1970-01-01T00:00:00Z" })));
  assert.deepEqual(await told(services), []);
});

const faults = [
  ["no id", { id: undefined }, /^id: /],
  ["a bad address", { to: ["nobody"] }, /^to\[0\]: /],
  ["a sender that is not ours", { from: "ceo@elsewhere.example" }, /^from: /],
  ["a message without From", { message: "Subject: x\r\n\r\nhi\r\n" }, /^message: .*From/],
  ["an end too far away", { expires: "2027-11-24T10:00:00Z" }, /^expires: 14 days/],
  [
    "an object in a bucket that is not listed",
    { message: { s3: { bucket: "not-ours", key: "k" } } },
    /^message\.s3\.bucket: /,
  ],
] as const;

for (const [what, more, reason] of faults) {
  test(`a request with ${what} is a dead letter with its reason`, async () => {
    await call(recordOf(sendOf(`bad/${what.replaceAll(" ", "-")}`, ["a@there.example"], more)));
    const [dead] = await taken("test-send-dead", services);
    assert.match(dead?.messageAttributes["Reason"]?.stringValue ?? "", reason);
  });
}

test("a request that has expired at its arrival is told as expired, and asks nobody", async () => {
  const { sessions } = receiver;
  await call(recordOf(sendOf("late/1", ["a@there.example"], { expires: "2026-11-24T09:00:00Z" })));
  const [result] = await told(services);
  assert.equal(result?.event, "expired");
  assert.equal(result?.attempts, 0);
  assert.match(result?.reason ?? "", /its time was over before it could be tried/);
  assert.equal(receiver.sessions, sessions);
});

/** A handler whose table takes no delivery while `isAway` says so. */
const withTable = async (
  isAway: () => boolean,
): Promise<{ readonly handler: SendHandler; readonly close: () => void }> => {
  const { endpoints } = services;
  const { dynamo } = await openClients(["dynamo"], endpoints);
  dynamo.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const { Item } = args.input as { readonly Item?: { readonly pk?: string } };
        const isDelivery = commandName.startsWith("Put") && String(Item?.pk).startsWith("delivery#");
        if (isDelivery && isAway()) throw new Error("the table is away");
        return await next(args);
      },
    { step: "initialize" },
  );
  const all = deps();
  const handler = createSend({ ...all, clients: { ...all.clients, dynamo } });
  return { handler, close: () => dynamo.destroy() };
};

test("an answer that the table does not take travels in the queue, and is written later without another session", async () => {
  const to = "carried@there.example";
  const isReceived = (): boolean => receiver.received.some((each) => each.to.includes(to));
  const away = await withTable(isReceived);
  try {
    const response = await away.handler({ Records: [recordOf(sendOf("carried/1", [to]))] }, context);
    assert.deepEqual(response, { batchItemFailures: [] });
  } finally {
    away.close();
  }
  assert.ok(isReceived());
  assert.deepEqual(await told(services), []);
  const before = await findDelivery("carried/1", "there.example", services.table);
  assert.equal(before?.recipients[0]?.state, "committing");
  const { sessions } = receiver;
  const carried = await taken("test-send", services);
  await call(...carried);
  assert.deepEqual(briefly(await told(services)), [`${to} delivered 1`]);
  await call(...carried);
  assert.deepEqual(await told(services), []);
  assert.equal(receiver.sessions, sessions);
});

test("where the table does not take it that a message is begun, none is begun", async () => {
  const to = "uncommitted@there.example";
  let puts = 0;
  // The first write creates the delivery, the second takes it in hand.
  const away = await withTable(() => (puts += 1) > 2);
  try {
    await away.handler({ Records: [recordOf(sendOf("uncommitted/1", [to]))] }, context);
  } finally {
    away.close();
  }
  assert.ok(!receiver.received.some((each) => each.to.includes(to)));
  await call(...(await taken("test-send", services)));
  nowMs += 20 * 60_000;
  await call(...(await taken("test-send", services)));
  assert.deepEqual(
    (await told(services)).map(({ recipient, event }) => `${recipient} ${event}`),
    [`${to} delivered`],
  );
  assert.equal(receiver.received.filter((each) => each.to.includes(to)).length, 1);
});

test("a carried answer with another's seal is a dead letter, and changes nothing", async () => {
  const body = { v: 1, kind: "wake", id: "carried/1", domain: "there.example", egress: "aws" };
  const forged = Buffer.concat([Buffer.alloc(32), Buffer.from("forged")]).toString("base64");
  await call(recordOf(body, { messageAttributes: { Recorded: { dataType: "Binary", binaryValue: forged } } }));
  const [dead] = await taken("test-send-dead", services);
  assert.match(dead?.messageAttributes["Reason"]?.stringValue ?? "", /Recorded/);
});

test("where the topic is away, results are told later, with the same eventId", async () => {
  const { sns } = await openClients(["sns"], { sns: "http://127.0.0.1:9" });
  const all = deps();
  const mute = createSend({ ...all, clients: { ...all.clients, sns } });
  await mute({ Records: [recordOf(sendOf("mute/1", ["a@there.example"]))] }, context);
  sns.destroy();
  assert.deepEqual(await told(services), []);
  const { sessions } = receiver;
  nowMs += 2 * 60_000;
  await call(...(await taken("test-send", services)));
  const [result] = await told(services);
  assert.equal(result?.event, "delivered");
  assert.equal(result?.eventId, eventIdOf("mute/1", { recipient: "a@there.example", event: "delivered" }));
  assert.equal(result?.verdict?.outcome, "accepted");
  assert.equal(receiver.sessions, sessions);
});
