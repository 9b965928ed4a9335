// The producer's helper against an embedded SQS and S3: what lies in the queue is what a runner reads, and what is wrong is
// told before anything is sent.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it, test } from "node:test";
import { S3 } from "@aws-sdk/client-s3";
import { SQS } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { checkConfig } from "../../functions/config/config.ts";
import * as producer from "../../functions/queue/producer.ts";
import { documentOf, enqueue, SendRequestFault, type SendRequest } from "../../functions/queue/producer.ts";
import type * as published from "../../functions/queue/published-producer.d.ts";
import { readRequest } from "../../functions/queue/request.ts";
import { sendOctets, type Send } from "../../functions/queue/send-request.ts";
import { startQueues, type QueueService } from "../../infra/local/queues.ts";

const { value: config } = checkConfig({
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [{ name: "aws", runner: "functions" }],
  targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
  requests: { senders: ["@shop.example", ""], buckets: ["large"] },
  sends: {},
});
assert.ok(config !== null);

const message = "From: a@shop.example\r\n\r\nhello\r\n";
const least: SendRequest = { id: "order-4711", from: "a@shop.example", to: ["x@y.example"], message };

function readBack(body: string): Send {
  const { value, faults } = readRequest(body, config as NonNullable<typeof config>);
  assert.ok(value?.kind === "send", String(faults));
  return value;
}

describe("a send is put on the queue", () => {
  let service: QueueService;
  let sqs: SQS;
  let s3: S3;
  let queueUrl = "";
  before(async () => {
    service = await startQueues(0, null);
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    const settings = { endpoint: service.url, region: "us-east-1", credentials };
    sqs = new SQS({ ...settings, useQueueUrlAsEndpoint: false });
    s3 = new S3({ ...settings, forcePathStyle: true });
    ({ QueueUrl: queueUrl = "" } = await sqs.createQueue({ QueueName: "sends" }));
    await s3.createBucket({ Bucket: "large" });
  });
  after(async () => {
    for (const each of [sqs, s3]) each.destroy();
    await service[Symbol.asyncDispose]();
  });

  async function taken(): Promise<string> {
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl: queueUrl });
    const [{ ReceiptHandle, Body = "" } = {}] = Messages;
    await sqs.deleteMessage({ QueueUrl: queueUrl, ReceiptHandle });
    return Body;
  }

  it("with the least that it takes, and a runner reads it", async () => {
    const { messageId, ...told } = await enqueue({ sqs, queueUrl }, least);
    assert.deepEqual(told, { id: "order-4711", object: null });
    assert.match(messageId ?? "", /^\S+$/);
    const { id, from, to, message: read } = readBack(await taken());
    assert.deepEqual(
      [id, from, to.map(({ text }) => text), read],
      ["order-4711", "a@shop.example", ["x@y.example"], { kind: "inline", bytes: Buffer.from(message) }],
    );
  });

  it("with every field", async () => {
    const expires = new Date("2026-11-24T17:00:00Z");
    await enqueue(
      { sqs, queueUrl },
      { ...least, egress: "aws", expires, onUnknown: "retry", priority: "high", message: Buffer.from([0, 255]) },
    );
    const { egress, expiresAtMs, onUnknown, priority, message } = readBack(await taken());
    assert.deepEqual(
      [egress, expiresAtMs, onUnknown, priority, message],
      ["aws", expires.getTime(), "retry", "high", { kind: "inline", bytes: Buffer.from([0, 255]) }],
    );
  });

  it("octets that a queue refuses as text go in base64", async () => {
    const message = Buffer.from("From: a@shop.example\r\n\r\n\u0007\uffff\uff00\r\n");
    await enqueue({ sqs, queueUrl }, { ...least, message });
    assert.deepEqual(readBack(await taken()).message, { kind: "inline", bytes: message });
  });

  it("one that no queue takes waits in the bucket, under its id and its content", async () => {
    const message = Buffer.alloc(sendOctets, "0123456789abcdef\r\n");
    const id = "a/../b?c%ü".replace("ü", "~");
    const { object } = await enqueue({ sqs, queueUrl, large: { s3, bucket: "large" } }, { ...least, id, message });
    assert.match(object?.key ?? "", /^requests\/a%2F\.\.%2Fb%3Fc%25~\/[0-9a-f]{64}\.eml$/);
    assert.deepEqual(readBack(await taken()).message, { kind: "s3", ...object });
    const { Body } = await s3.getObject({ Bucket: object?.bucket, Key: object?.key });
    const stored = await Body?.transformToByteArray();
    assert.equal(
      createHash("sha256")
        .update(stored ?? "")
        .digest("hex"),
      object?.key.slice(-68, -4),
    );
  });

  it("without a bucket that is a fault, and nothing is sent", async () => {
    const message = "x".repeat(sendOctets);
    await assert.rejects(enqueue({ sqs, queueUrl }, { ...least, message }), (error) => {
      assert.ok(error instanceof SendRequestFault);
      assert.match(error.message, /^the send cannot be asked for: message: with it the request has more than \d+ octets, and SQS takes 1 MiB in all; give an S3 bucket/); // prettier-ignore
      return true;
    });
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl: queueUrl });
    assert.deepEqual(Messages, []);
  });
});

const wrong: readonly (readonly [change: Partial<SendRequest>, ...faults: string[]])[] = [
  [{ id: "" }, "id: 1 to 200 visible ASCII characters"],
  [{ to: [] }, "to: expected array to have >=1 items"],
  [{ from: "a" }, 'from: "a" has no "@"; write local@domain'],
  [{ to: ["x@y.example", "x@Y.example"] }, "to[1]: the same as to[0]"],
  [{ message: "" }, "message: a message with a header and a body"],
  [{ message: new Uint8Array() }, "message: a message with a header and a body"],
  [{ expires: "tomorrow" }, "expires: an RFC 3339 time such as 2026-11-24T17:00:00Z"],
  [{ expires: new Date(Number.NaN) }, "expires: an RFC 3339 time such as 2026-11-24T17:00:00Z"],
  [{ id: "a b", to: [] }, "id: 1 to 200 visible ASCII characters", "to: expected array to have >=1 items"],
];

describe("what is wrong with a request is told in one error that names the fields", () => {
  for (const [change, ...faults] of wrong) {
    it(JSON.stringify(change), () => {
      assert.throws(() => documentOf({ ...least, ...change }), {
        name: "SendRequestFault",
        message: `the send cannot be asked for: ${faults.join("; ")}`,
        faults,
      });
    });
  }
});

test("any octets come out of the document as they went in", () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 100 }),
    fc.string({ unit: "binary", minLength: 1 }).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(octets, (message) => {
      const { message: read } = readBack(JSON.stringify(documentOf({ ...least, message })));
      assert.deepEqual(read, { kind: "inline", bytes: Buffer.from(message) });
    }),
  );
});

test("what the package publishes of it is what it is", () => {
  const same: Pick<typeof published, "enqueue" | "SendRequestFault"> = producer;
  const request: published.SendRequest = least;
  const back: SendRequest = request;
  assert.equal(typeof same.enqueue, "function");
  assert.deepEqual(back, least);
});
