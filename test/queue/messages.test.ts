// Every shape of message that version 1 writes to a queue, kept as it was written: runners of different versions share
// queues while they are updated, the readers first. A shape that is in the file stays there, however new ones look.
import assert from "node:assert/strict";
import { after, before, describe, it, test } from "node:test";
import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { createProbe } from "../../functions/probe.ts";
import { firstDeadLetters, redriveDeadLetters } from "../../functions/queue/dead-letters.ts";
import { dueIn, selfChecksIn, slotMs } from "../../functions/queue/due.ts";
import { documentOf } from "../../functions/queue/producer.ts";
import { homeOf, type Outgoing } from "../../functions/queue/queues.ts";
import {
  deadLetter,
  forwardedMessage,
  laterMessage,
  recordedMessage,
  recordedOf,
  untoldMessage,
} from "../../functions/queue/record.ts";
import { readRequest } from "../../functions/queue/request.ts";
import { openSecrets } from "../../functions/secrets.ts";
import { wakeMessage } from "../../functions/send/wake.ts";
import type { Delivery } from "../../functions/state/deliveries.ts";
import { findSelfCheck, type StoredSelfCheck } from "../../functions/state/self-checks.ts";
import { findVerdict, type StoredVerdict } from "../../functions/state/verdicts.ts";
import {
  configFor,
  context,
  drained,
  recordOf,
  recordOfMessage,
  startServices,
  type Services,
} from "../support/services.ts";
import kept from "./messages-v1.json" with { type: "json" };

interface Kept {
  readonly what: string;
  /** What becomes of it. */
  readonly comes: string;
  readonly body: string;
  /** As SQS has them, but octets in Base64. */
  readonly attributes: Readonly<Record<string, { DataType: string; StringValue?: string; BinaryValue?: string }>>;
}

const messages: readonly Kept[] = kept;
/** Nobody listens there: a probe is over at once. */
const config = configFor(
  { "icloud.example": ["127.0.0.1:9"] },
  { sends: {}, requests: { recipients: ["*"], ports: "any", buckets: ["mine"], privateAddresses: true } },
);
/** What is recorded in the file is sealed with it. */
const key = Buffer.alloc(32, 1);

/** Of a version to come. */
const unknown = { Future: { DataType: "String.v2", StringValue: "7" } };

function attributesOf(message: Kept): Record<string, MessageAttributeValue> {
  const own = Object.entries(message.attributes).map(([name, { DataType, StringValue, BinaryValue }]) => {
    const value = BinaryValue === undefined ? { StringValue } : { BinaryValue: Buffer.from(BinaryValue, "base64") };
    return [name, { DataType, ...value }];
  });
  return { ...Object.fromEntries(own), ...unknown };
}

function recordOfKept(message: Kept): SQSRecord {
  return recordOfMessage({ MessageId: "m-1", Body: message.body, MessageAttributes: attributesOf(message) });
}

/** The queue that it is for. */
function homeOfKept({ body }: Kept): string {
  const { value, faults } = readRequest(body, config);
  assert.ok(value !== null, String(faults));
  return homeOf(value, config);
}

function idOf({ body }: Kept): string {
  return (JSON.parse(body) as { readonly id: string }).id;
}

describe("this version understands each, with an attribute that it does not know", () => {
  let services: Services;
  before(async () => {
    services = await startServices(config);
    await services.table.client.put({ TableName: services.table.name, Item: { pk: "seal", key } });
  });
  after(async () => await services[Symbol.asyncDispose]());

  const expectForwarded = async (message: Kept, attributes: Record<string, MessageAttributeValue>): Promise<void> => {
    const [found] = await drained(services, homeOfKept(message));
    assert.equal(found?.Body, message.body);
    assert.deepEqual(plain(found.MessageAttributes ?? {}), plain(attributes));
  };

  const expected: Readonly<Record<string, (message: Kept) => Promise<void>>> = {
    verdict: async (message) => {
      const stored = await findVerdict(idOf(message), services.table);
      assert.equal(stored?.verdict.outcome, "unanswered");
      assert.equal(stored.reported, true);
    },
    "self-check": async (message) => {
      assert.equal((await findSelfCheck(idOf(message), services.table))?.reported, true);
    },
    "recorded verdict": async (message) => {
      const carried = recordedOf(recordOfKept(message), key) as StoredVerdict;
      const stored = await findVerdict(idOf(message), services.table);
      assert.deepEqual(stored?.verdict, carried.verdict);
      assert.deepEqual(
        [stored.id, stored.at, stored.blocked, stored.reported],
        [carried.id, carried.at, carried.blocked, true],
      );
      assert.equal(stored.verdict.class, "ip-reputation");
    },
    "recorded self-check": async (message) => {
      const carried = recordedOf(recordOfKept(message), key) as StoredSelfCheck;
      const stored = await findSelfCheck(idOf(message), services.table);
      assert.deepEqual(stored?.selfCheck, carried.selfCheck);
      assert.deepEqual([stored.at, stored.since, stored.reported], [carried.at, carried.since, true]);
    },
    forwarded: async (message) => await expectForwarded(message, attributesOf(message)),
  };

  for (const message of messages.filter(({ comes }) => comes !== "dead letter")) {
    it(`${message.what}: ${message.comes}`, async () => {
      const deps = {
        ...services,
        now: () => new Date(),
        runner: "functions" as const,
        resolver: "127.0.0.1:9",
        secrets: openSecrets({}, { log: () => {} }),
        logsBecomeMetrics: false,
      };
      const before = services.entries.length;
      const response = await createProbe(deps)({ Records: [recordOfKept(message)] }, context);
      assert.deepEqual(response, { batchItemFailures: [] });
      await expected[message.comes]?.(message);
      assert.deepEqual(await drained(services, "test-probe-dead"), []);
      // Only what was asked now is judged now.
      const judged = services.entries.slice(before).some(({ event }) => event === "verdict");
      assert.equal(judged, message.comes === "verdict");
      assert.ok(expected[message.comes] !== undefined, message.comes);
    });
  }

  for (const message of messages.filter(({ comes }) => comes === "dead letter")) {
    it(`${message.what}: it is told, and moved back`, async () => {
      const { clients, queues } = services;
      const home = homeOfKept(message);
      const [from, to] = [await queues.url(`${home}-dead`), await queues.url(home)];
      const attributes = attributesOf(message);
      await clients.sqs.sendMessage({ QueueUrl: from, MessageBody: message.body, MessageAttributes: attributes });
      const [letter] = await firstDeadLetters(from, 1, clients.sqs);
      assert.deepEqual([letter?.id, letter?.reason], [idOf(message), attributes["Reason"]?.StringValue]);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      assert.equal((await redriveDeadLetters({ from, to }, null, clients.sqs)).length, 1);
      const [found] = await drained(services, home);
      const { Reason: _, MessageId: __, Waits: ___, ...theirs } = attributes;
      assert.deepEqual(plain(found?.MessageAttributes ?? {}), plain(theirs));
      assert.equal(found?.Body, message.body);
    });
  }
});

function plain(attributes: Readonly<Record<string, MessageAttributeValue>>): object {
  const rows = Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => {
    const value = BinaryValue === undefined ? StringValue : Buffer.from(BinaryValue).toString("base64");
    return [name, DataType, value];
  });
  return rows.toSorted(([a = ""], [b = ""]) => a.localeCompare(b));
}

/** The names of a message's fields and attributes, and the attributes' types. */
function shapeOf({
  body,
  attributes,
}: Pick<Kept, "body"> & { readonly attributes: Kept["attributes"] | Outgoing["attributes"] }): string {
  const types = Object.entries(attributes).map(([name, { DataType }]) => `${name}: ${DataType}`);
  return [...Object.keys(JSON.parse(body) as object).toSorted(), ...types.toSorted()].join(", ");
}

const send = {
  id: "a",
  from: "probe@sender.example",
  to: ["someone@icloud.example"],
  message: "From: probe@sender.example\r\n\r\nhello\r\n",
};
const delivery: Delivery = {
  id: "a",
  domain: "icloud.example",
  egress: "mail-1",
  anyEgress: true,
  from: send.from,
  fromDomain: "sender.example",
  dkimDomain: null,
  onUnknown: "stop",
  priority: "normal",
  createdAt: "2026-11-24T00:00:00.000Z",
  expiresAtMs: 0,
  attempts: [],
  recipients: [],
  heldBy: null,
  isDelayTold: false,
  untold: [],
  lease: null,
  wakeAtMs: null,
  written: "",
};

test("whatever this version writes has a shape that the file has: a new one is added there, and none is taken out", () => {
  const slots = Array.from({ length: 288 }, (_, index) =>
    new Date(Date.UTC(2026, 10, 24) + index * slotMs).toISOString(),
  );
  const probes = slots.flatMap((slot) => dueIn(slot, config).map(({ request }) => request));
  const checks = slots.flatMap((slot) => selfChecksIn(slot, config).map(({ request }) => request));
  assert.ok(probes.length > 100 && checks.length === 2);
  const sends = [
    documentOf(send),
    documentOf({ ...send, egress: "aws", expires: new Date(0), onUnknown: "stop", priority: "high" }),
    documentOf({ ...send, message: { s3: { bucket: "mine", key: "a" } } }),
  ];
  const wake = wakeMessage(delivery, 0);
  const woken = recordOfMessage({ Body: wake.body, MessageAttributes: { ...wake.attributes } });
  const records = [...probes, ...checks].map((each) => recordOf(each));
  const sent = sends.map((each) => recordOf(each));
  const ofSends = sent.flatMap((record): readonly Outgoing[] => [
    { body: record.body, attributes: {}, delayS: 0 },
    laterMessage(record, 1),
    forwardedMessage(record),
    deadLetter(record, ["why"]),
    deadLetter(recordOfMessage({ Body: record.body, MessageAttributes: laterMessage(record, 1).attributes }), ["why"]),
  ]);
  const ofWakes: readonly Outgoing[] = [
    wake,
    { ...wake, attributes: {} },
    forwardedMessage(woken),
    recordedMessage(woken, {}, key, 1),
    deadLetter(woken, ["why"]),
    deadLetter(recordOf(wake.body), ["why"]),
  ];
  const written = records.flatMap((record): readonly Outgoing[] => [
    { body: record.body, attributes: {}, delayS: 0 },
    laterMessage(record, 1),
    untoldMessage(record, 1),
    recordedMessage(record, {}, key, 1),
    forwardedMessage(record),
    deadLetter(record, ["why"]),
    deadLetter(recordOfMessage({ Body: record.body, MessageAttributes: laterMessage(record, 1).attributes }), ["why"]),
  ]);
  const known = new Set(messages.map(shapeOf));
  // A producer's own attributes are no shape of ours.
  known.delete(
    shapeOf(
      messages.find(({ what }) => what.startsWith("a request that is sent on")) ?? { body: "{}", attributes: {} },
    ),
  );
  const unknownShapes = new Set([...written, ...ofSends, ...ofWakes].map(shapeOf).filter((each) => !known.has(each)));
  assert.deepEqual([...unknownShapes], []);
});
