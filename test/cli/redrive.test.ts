// Redriving dead letters beside a local stack: what is told, what is moved whole and once, and that a death in between
// loses nothing.
import { after, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { redriveCommand } from "../../functions/cli/redrive.ts";
import { Queues } from "../../functions/queue/queues.ts";
import { startStack } from "../../infra/local/stack.ts";
import { checked, config, refused, run, start, startSite } from "./operator.ts";

const site = await startSite();
after(async () => await site[Symbol.asyncDispose]());
const at = ["--state", site.folder];
const { sqs } = site.stack.clients;
const queues = new Queues(sqs);

const dead = "delivery-probe-probe-dead";
const queue = "delivery-probe-probe";
const workerDead = "delivery-probe-probe-mail-1-dead";
const workerQueue = "delivery-probe-probe-mail-1";
const scheduleDead = "delivery-probe-schedule-dead";

beforeEach(async () => {
  for (const name of [dead, queue, workerDead, workerQueue, scheduleDead]) {
    await sqs.purgeQueue({ QueueUrl: await queues.url(name) });
  }
});

type Attributes = NonNullable<Parameters<typeof sqs.sendMessage>[0]["MessageAttributes"]>;

async function put(name: string, body: string, attributes: Attributes = {}): Promise<string> {
  const QueueUrl = await queues.url(name);
  const { MessageId = "" } = await sqs.sendMessage({ QueueUrl, MessageBody: body, MessageAttributes: attributes });
  return MessageId;
}

function requestOf(id: string): string {
  return JSON.stringify({ v: 1, kind: "probe", id, recipient: "probe@icloud.example", egress: "aws" });
}

const buried: Attributes = {
  Reason: { DataType: "String", StringValue: "egress aws: the environment variable PROXY is not set" },
  MessageId: { DataType: "String", StringValue: "the-first-one" },
  Waits: { DataType: "Number", StringValue: "41" },
};

/** What lies in a queue, taken out. */
async function taken(name: string) {
  const QueueUrl = await queues.url(name);
  const found = [];
  for (;;) {
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
    });
    if (Messages.length === 0) return found;
    for (const { ReceiptHandle } of Messages) await sqs.deleteMessage({ QueueUrl, ReceiptHandle });
    found.push(...Messages);
  }
}

/** How many lie in a queue, whether or not anybody holds them. */
async function countIn(name: string): Promise<number> {
  const { Attributes = {} } = await sqs.getQueueAttributes({
    QueueUrl: await queues.url(name),
    AttributeNames: ["All"],
  });
  return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
}

async function json(args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { status, stdout, stderr } = await run(["redrive", ...args, "--json", ...at]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.equal(stdout.indexOf("\n"), stdout.length - 1, "one line");
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

for (const [args, says] of [
  [["functions", "mail-1"], /^redrive takes one name, not 2; write redrive functions$/],
  [["--id", "a"], /^--id of whose dead letters\? write redrive functions --id$/],
  [["--discard"], /^--discard of whose dead letters\? write redrive functions --discard$/],
  [
    ["functions", "--discard"],
    /^--discard deletes for good, and wants each --id; write those that redrive alone tells$/,
  ],
  [["mail-2"], /^nobody called "mail-2" has dead letters; write mail-1$/],
  [["nowhere"], /^nobody called "nowhere" has dead letters; write one of functions, mail-1, schedule$/],
  [["aws"], /^the egress "aws" is the functions'; write redrive functions$/],
  [["schedule"], /^the slots that the schedule gave up are over, .*; write --discard and each --id$/],
  [["functions", "--ids", "a"], /^there is no option "--ids"; write --id$/],
] as const) {
  test(`redrive ${args.join(" ")} is refused, with what to write`, async () => {
    assert.match(await refused(() => redriveCommand([...args, ...at])), says);
  });
}

test("alone it tells what lies in every queue, changes nothing, and whoever looks next sees the same", async () => {
  const [first, second] = [await put(dead, requestOf("order-1"), buried), await put(dead, "no JSON\u202e")];
  await put(workerDead, requestOf("order-2"));
  for (let index = 0; index < 23; index++) await put(scheduleDead, JSON.stringify({ requestPayload: { slot: index } }));
  const told = await json([]);
  const lists = told["queues"] as readonly {
    readonly name: string;
    readonly queue: string | null;
    readonly dead: string;
    readonly count: number;
    readonly letters: readonly Readonly<Record<string, unknown>>[];
  }[];
  assert.deepEqual(
    lists.map(({ name, queue, dead, count, letters }) => [name, queue, dead, count, letters.length]),
    [
      ["functions", queue, dead, 2, 2],
      ["mail-1", workerQueue, workerDead, 1, 1],
      ["schedule", null, scheduleDead, 23, 20],
    ],
  );
  const [one, other] = lists[0]?.letters ?? [];
  assert.ok(Math.abs(Date.parse(String(one?.["at"])) - Date.now()) < 60_000);
  assert.deepEqual(
    { ...one, at: "" },
    { id: "order-1", messageId: first, at: "", reason: buried["Reason"]?.StringValue, receives: 1 },
  );
  assert.deepEqual({ ...other, at: "" }, { id: second, messageId: second, at: "", reason: null, receives: 1 });

  // A second until they can be seen again.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const { status, stdout, stderr } = await run(["redrive", ...at]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const lines = stdout.split("\n");
  assert.equal(lines[0], `functions: 2 dead letters in ${dead}`);
  assert.match(
    lines[1] ?? "",
    /^ {2}order-1, sent \S+ \S+ UTC, received 2 times: egress aws: the environment variable /,
  );
  assert.match(lines[2] ?? "", /^ {2}\S+, sent .*, received 2 times: no reason; the runner's log has it$/);
  assert.equal(lines[3], `mail-1: 1 dead letter in ${workerDead}`);
  assert.equal(lines.at(-2), "  and 3 more");
  assert.deepEqual([await countIn(dead), await countIn(queue), await countIn(workerQueue)], [2, 0, 0]);
});

test("with a runner all of its letters go back, more than ten, whole, without what made them dead letters", async () => {
  const theirs: Attributes = {
    Trace: { DataType: "String", StringValue: "t-1" },
    Tries: { DataType: "Number.int", StringValue: "3" },
    Blob: { DataType: "Binary.gzip", BinaryValue: Buffer.from([0, 255, 128]) },
    Untold: { DataType: "Number", StringValue: "1" },
    FutureField: { DataType: "String.v2", StringValue: "kept" },
  };
  const ids = Array.from({ length: 25 }, (_, index) => `order-${index}`);
  for (const id of ids) await put(dead, requestOf(id), { ...theirs, ...buried });
  await put(workerDead, requestOf("another's"));
  const told = await json(["functions"]);
  const moved = told["moved"] as readonly { readonly id: string }[];
  assert.deepEqual(new Set(moved.map(({ id }) => id)), new Set(ids));
  assert.deepEqual([told["malformed"], told["missing"], told["left"]], [[], [], 0]);
  const found = await taken(queue);
  assert.deepEqual(new Set(found.map(({ Body }) => Body)), new Set(ids.map(requestOf)));
  assert.equal(found.length, ids.length);
  for (const { MessageAttributes = {} } of found) {
    const attributes = Object.entries(MessageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => {
      return [name, BinaryValue === undefined ? { DataType, StringValue } : { DataType, BinaryValue: Buffer.from(BinaryValue) }] as const; // prettier-ignore
    });
    assert.deepEqual(Object.fromEntries(attributes), theirs);
  }
  assert.deepEqual([await countIn(dead), await countIn(workerDead)], [0, 1]);
});

test("of a worker's letters those of the ids go, by the request's or the message's, and the others are seen again", async () => {
  await put(workerDead, requestOf("order-1"));
  const messageId = await put(workerDead, "no JSON");
  for (let index = 0; index < 12; index++) await put(workerDead, requestOf(`other-${index}`));
  const { status, stdout } = await run([
    "redrive",
    "mail-1",
    "--id",
    "order-1",
    "--id",
    messageId,
    "--id",
    "none",
    ...at,
  ]);
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines[0], `2 dead letters moved from ${workerDead} to ${workerQueue}`);
  assert.deepEqual(lines.slice(1, 3).toSorted(), [`  ${messageId}`, "  order-1"].toSorted());
  assert.deepEqual(lines.slice(3), [
    `${messageId} is still no request that can be worked on, and will come back: $: this is no JSON; write one JSON object`,
    `nothing of the id "none" was found in ${workerDead}`,
    `what fails again comes back; look later: delivery-probe redrive --state ${site.folder}`,
  ]);
  assert.equal((await taken(workerQueue)).length, 2);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.equal((await taken(workerDead)).length, 12);
});

test("what comes back at once is left where it is, and the command ends", async () => {
  // A runner that buries everything at once.
  const QueueUrl = await queues.url(queue);
  const ending = new AbortController();
  const runner = (async () => {
    while (!ending.signal.aborted) {
      for (const { Body = "" } of await taken(queue)) await put(dead, Body, buried);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  for (let index = 0; index < 15; index++) await put(dead, "no JSON");
  const told = await json(["functions"]);
  ending.abort();
  await runner;
  assert.equal((told["moved"] as readonly unknown[]).length, 15);
  assert.equal((told["malformed"] as readonly unknown[]).length, 15);
  assert.equal((await countIn(dead)) + (await countIn(queue)), 15, QueueUrl);
});

test("an empty queue is told, and nothing is waited for", async () => {
  const { status, stdout } = await run(["redrive", "functions", ...at]);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: `0 dead letters moved from ${dead} to ${queue}\n` });
});

test("what is discarded is deleted, and nothing else; of the schedule's too", async () => {
  await put(dead, requestOf("order-1"));
  await put(dead, requestOf("order-2"), buried);
  const slot = await put(scheduleDead, "{}");
  const { stdout } = await run(["redrive", "functions", "--discard", "--id", "order-2", ...at]);
  assert.match(stdout, /^1 dead letter deleted from .*\n {2}order-2, sent .*, received once: egress aws: .*\n$/);
  assert.deepEqual([await countIn(dead), await countIn(queue)], [1, 0]);
  const told = await json(["schedule", "--discard", "--id", slot, "--id", "order-1"]);
  assert.deepEqual(
    [(told["discarded"] as readonly unknown[]).length, told["missing"], told["left"]],
    [1, ["order-1"], 0],
  );
});

test("where sends are taken, their dead letters are told beside the probes', and a name moves both", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
  const sending = checked({ ...config, sends: {} });
  const options = { config: sending, state: folder, speed: 1, blocked: [], env: {}, run: false };
  const stack = await startStack(options);
  try {
    const { sqs } = stack.clients;
    const queues = new Queues(sqs);
    const send = JSON.stringify({
      v: 1,
      kind: "send",
      id: "mail-1",
      from: "probe@sender.example",
      to: ["x@y.example"],
      message: "From: probe@sender.example\r\n\r\nhello\r\n",
    });
    const lay = async (queue: string, MessageBody: string): Promise<unknown> =>
      await sqs.sendMessage({ QueueUrl: await queues.url(queue), MessageBody });
    const count = async (queue: string): Promise<number> => {
      const QueueUrl = await queues.url(queue);
      const { Attributes = {} } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] });
      return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
    };
    const sendDead = "delivery-probe-send-dead";
    await lay(dead, requestOf("order-1"));
    await lay(sendDead, send);
    await lay(sendDead, "no JSON");
    const state = ["--state", folder];
    const told = JSON.parse((await run(["redrive", "--json", ...state])).stdout) as {
      readonly queues: readonly { readonly name: string; readonly dead: string; readonly count: number }[];
    };
    assert.deepEqual(
      told.queues.map(({ name, dead, count }) => [name, dead, count]),
      [
        ["functions", dead, 1],
        ["functions", sendDead, 2],
        ["mail-1", workerDead, 0],
        ["mail-1", "delivery-probe-send-mail-1-dead", 0],
        ["schedule", scheduleDead, 0],
      ],
    );
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const moved = await run(["redrive", "functions", "--id", "order-1", "--id", "mail-1", "--id", "none", ...state]);
    assert.equal(moved.status, 0, moved.stderr);
    assert.deepEqual(moved.stdout.split("\n").slice(0, 5), [
      `1 dead letter moved from ${dead} to ${queue}`,
      "  order-1",
      `1 dead letter moved from ${sendDead} to delivery-probe-send`,
      "  mail-1",
      `nothing of the id "none" was found in ${dead} or ${sendDead}`,
    ]);
    assert.deepEqual(await Promise.all([dead, sendDead, queue, "delivery-probe-send"].map(count)), [0, 1, 1, 1]);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const { stdout } = await run(["redrive", "functions", "--json", ...state]);
    const { malformed, left, queues: ways } = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    assert.deepEqual([(malformed as readonly unknown[]).length, left], [1, 0]);
    assert.deepEqual(ways, [
      { queue, dead, moved: 0, left: 0 },
      { queue: "delivery-probe-send", dead: sendDead, moved: 1, left: 0 },
    ]);
  } finally {
    await stack[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});

test("a process that is killed between sending and deleting has lost nothing", async () => {
  await put(dead, requestOf("order-1"), buried);
  // All goes through here; the first deletion is the end of whoever asks for it.
  const asked = Promise.withResolvers<void>();
  const { host } = new URL(site.stack.endpoints.sqs);
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = String(request.headers["x-amz-target"]);
    if (target.endsWith("DeleteMessage")) {
      asked.resolve();
      return;
    }
    const headers = { "content-type": String(request.headers["content-type"]), "x-amz-target": target };
    const body = await buffer(request);
    const answer = await fetch(`http://${host}${request.url}`, { method: "POST", headers, body: new Uint8Array(body) });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
  const proxy = createServer((request, response) => void pass(request, response));
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
  try {
    const endpoints = JSON.parse(await readFile(path.join(site.folder, "endpoints.json"), "utf8")) as object;
    const sqs = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await writeFile(path.join(folder, "endpoints.json"), JSON.stringify({ ...endpoints, sqs }));
    await copyFile(path.join(site.folder, "config.json"), path.join(folder, "config.json"));
    const child = start(["redrive", "functions", "--state", folder]);
    const closed = once(child, "close");
    await asked.promise;
    child.kill("SIGKILL");
    await closed;
    assert.deepEqual([await countIn(dead), await countIn(queue)], [1, 1], "there twice, and lost nowhere");
    const [message] = await taken(queue);
    assert.equal(message?.Body, requestOf("order-1"));
  } finally {
    proxy.closeAllConnections();
    proxy.close();
    await rm(folder, { recursive: true });
  }
});

test("a queue that is not there is named, and the others are told; without services the exit status is 70", async () => {
  await sqs.deleteQueue({ QueueUrl: await queues.url(workerDead) });
  const { status, stdout } = await run(["redrive", ...at]);
  assert.equal(status, 0);
  assert.match(stdout, /^functions: 0 dead letters .*\nmail-1: there is no queue \S+\nschedule: 0 dead letters /);
  const gone = await run(["redrive", "mail-1", ...at]);
  assert.deepEqual({ status: gone.status, stdout: gone.stdout }, { status: 64, stdout: "" });
  assert.match(
    gone.stderr,
    /^delivery-probe: there is no queue "delivery-probe-probe-mail-1-dead"; look at the folder/,
  );
  await site.stack[Symbol.asyncDispose]();
  const silent = await run(["redrive", ...at]);
  assert.equal(silent.status, 70);
  assert.match(silent.stderr, /^delivery-probe: the local stack does not answer /);
});
