// The worker command beside a local stack: what it works on, how it ends, and what is refused.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import {
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { workerCommand } from "../../functions/cli/worker.ts";
import { tableOf } from "../../functions/handler.ts";
import { queueNames, Queues } from "../../functions/queue/queues.ts";
import { lastVerdicts } from "../../functions/state/verdicts.ts";
import example from "../../infra/config/example.json" with { type: "json" };
import { startStack } from "../../infra/local/stack.ts";
import { checked, config, refused, run, start, startSite } from "./operator.ts";

const site = await startSite();
after(async () => await site[Symbol.asyncDispose]());
const at = ["--state", site.folder];
const { clients, clock } = site.stack;
const table = tableOf({ config, clients, now: () => new Date(clock.now()) });

for (const [args, says] of [
  [["mail-1"], /^worker takes no argument; write --egress "mail-1"$/],
  [[], /^whose queue is not given; write --egress mail-1 or --egress functions$/],
  [["--egress"], /^--egress lacks its value; write --egress name$/],
  [["--egress", "mail-2"], /^the configuration has no egress "mail-2"; write mail-1$/],
  [["--egress", "nowhere"], /^the configuration has no egress "nowhere"; write one of mail-1, functions$/],
  [["--egress", "aws"], /^the egress "aws" is the functions'; write --egress functions to work on their queue$/],
  ...["0", "101", "-1", "1.5", "two", "", "1e1"].map(
    (number) =>
      [
        ["--egress", "mail-1", `--pollers=${number}`],
        /^--pollers ".*" is no such number; write a whole one from 1 to 100$/,
      ] as const,
  ),
  ...["0", "101", "many"].map(
    (number) =>
      [
        ["--egress", "mail-1", `--sends=${number}`],
        /^--sends ".*" is no such number; write a whole one from 1 to 100$/,
      ] as const,
  ),
  ...["2", "43201", "1m"].map(
    (number) =>
      [
        ["--egress", "mail-1", "--visibility", number],
        /^--visibility ".*" is no such number; write a whole one from 3 to 43200$/,
      ] as const,
  ),
] as const) {
  test(`worker ${args.join(" ")} is refused, with what to write`, async () => {
    assert.match(await refused(() => workerCommand([...args, ...at])), says);
  });
}

type Entries = AsyncIterableIterator<Readonly<Record<string, unknown>>>;

/** What a worker logs: a JSON object a line, and nothing else. */
async function* entriesOf(child: ChildProcessWithoutNullStreams): Entries {
  for await (const line of createInterface({ input: child.stdout }))
    yield JSON.parse(line) as Readonly<Record<string, unknown>>;
}

async function next(entries: Entries, event: string): Promise<Readonly<Record<string, unknown>>> {
  for (let each = await entries.next(); !each.done; each = await entries.next()) {
    if (each.value["event"] === event) return each.value;
  }
  throw new Error(`the worker never logged ${event}`);
}

async function ask(egress: string, queue: string): Promise<string> {
  const id = `${egress}-${queue}`;
  const MessageBody = JSON.stringify({ v: 1, kind: "probe", id, recipient: "probe@icloud.example", egress });
  const QueueUrl = await new Queues(clients.sqs).url(queue);
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  return id;
}

async function messagesIn(queue: string): Promise<number> {
  const { Attributes = {} } = await clients.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: await new Queues(clients.sqs).url(queue), AttributeNames: ["All"] }),
  );
  return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
}

/** What the embedded queue hands to a long poll whose worker has ended comes again after so long. */
const soon = ["--visibility", "3"];

const functionsQueue = queueNames(config, "functions").probe;
const workersQueue = queueNames(config, { worker: "mail-1" }).probe;

for (const [name, queue, egress] of [
  ["mail-1", workersQueue, "mail-1"],
  ["functions", functionsQueue, "aws"],
] as const) {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`a worker of ${name} probes what is in its queue, and ends with exit status 0 at ${signal}`, async () => {
      const child = start(["worker", "--egress", name, "--pollers", "1", ...soon, ...at]);
      const entries = entriesOf(child);
      const started = await next(entries, "worker-started");
      assert.deepEqual([started["queue"], started["pollers"], started["visibilityS"]], [queue, 1, 3]);
      const id = await ask(egress, queue);
      const closed = once(child, "close");
      // Where a test of the same queue has asked before, it comes again as a duplicate.
      for (let each = await entries.next(); !each.done; each = await entries.next()) {
        if (["verdict", "duplicate"].includes(String(each.value["event"]))) {
          assert.equal(each.value["id"], id);
          break;
        }
      }
      child.kill(signal);
      const stopping = await next(entries, "worker-stopping");
      assert.equal(stopping["signal"], signal);
      await next(entries, "worker-stopped");
      assert.deepEqual(await closed, [0, null]);
      // What it had was acknowledged before it ended.
      assert.equal(await messagesIn(queue), 0);
      const [last] = await lastVerdicts("icloud", egress, 1, table);
      assert.deepEqual([last?.id, last?.verdict.outcome, last?.verdict.class], [id, "rejected", "ip-reputation"]);
    });
  }
}

test("a request for another egress is sent on to that one's queue, and not probed here", async () => {
  const child = start(["worker", "--egress", "functions", ...soon, ...at]);
  const entries = entriesOf(child);
  await next(entries, "worker-started");
  const id = await ask("mail-1", functionsQueue);
  const forwarded = await next(entries, "forwarded");
  assert.deepEqual([forwarded["id"], forwarded["egress"]], [id, "mail-1"]);
  child.kill("SIGTERM");
  await once(child, "close");
  assert.equal(await messagesIn(functionsQueue), 0);
  assert.equal(await messagesIn(workersQueue), 1);
});

test("a second signal ends it at once", async () => {
  // A host that never says anything keeps the worker busy.
  const host = net.createServer((socket) => socket.on("error", () => {})).unref();
  await once(host.listen(0, "127.0.0.1"), "listening");
  const mx = [`127.0.0.1:${(host.address() as net.AddressInfo).port}`];
  const MessageBody = JSON.stringify({ v: 1, kind: "probe", id: "hangs", recipient: "probe@icloud.example", mx });
  const child = start(["worker", "--egress", "functions", ...soon, ...at]);
  const entries = entriesOf(child);
  await next(entries, "worker-started");
  const connected = once(host, "connection");
  const QueueUrl = await new Queues(clients.sqs).url(functionsQueue);
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  await connected;
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await next(entries, "worker-stopping");
  child.kill("SIGTERM");
  assert.deepEqual(await closed, [null, "SIGTERM"]);
  // What it had begun comes again, to another.
  assert.equal(await messagesIn(functionsQueue), 1);
  await clients.sqs.send(new PurgeQueueCommand({ QueueUrl }));
});

test("an idle worker waits in silence, for longer than any other call may take", async () => {
  const child = start(["worker", "--egress", "functions", ...at]);
  const entries = entriesOf(child);
  const started = await next(entries, "worker-started");
  assert.deepEqual([started["pollers"], started["visibilityS"]], [2, 60]);
  await new Promise((resolve) => setTimeout(resolve, 9_000));
  child.kill("SIGTERM");
  const rest: unknown[] = [];
  for await (const { level, event } of entries) rest.push([level, event]);
  assert.deepEqual(rest, [
    ["info", "worker-stopping"],
    ["info", "worker-stopped"],
  ]);
});

test("where the configuration takes sends a worker sends too, and ends when both of its queues are at rest", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-worker-"));
  after(async () => await rm(folder, { recursive: true }));
  const sending = { ...config, name: "sending", sends: checked({ ...example, sends: {} }).sends };
  await using stack = await startStack({ config: sending, state: folder, speed: 1, blocked: [], env: {}, run: false });
  const { queues } = stack.endpoints;
  const child = start(["worker", "--egress", "mail-1", "--sends", "3", "--state", folder]);
  const entries = entriesOf(child);
  const started = await next(entries, "worker-started");
  assert.deepEqual(
    [started["queue"], started["sendQueue"], started["sends"]],
    ["sending-probe-mail-1", "sending-send-mail-1", 3],
  );
  const send = { v: 1, kind: "send", id: "order-4711", from: "probe@sender.example", to: ["someone@gmx.example"] };
  const message = "From: probe@sender.example\r\nSubject: an order\r\n\r\nIt is on its way.\r\n";
  const body = JSON.stringify({ ...send, egress: "mail-1", message });
  await stack.clients.sqs.sendMessage({ QueueUrl: queues.workers["mail-1"]?.send, MessageBody: body });
  const result = await next(entries, "result");
  assert.deepEqual([result["id"], result["result"]], ["order-4711", "delivered"]);
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await next(entries, "worker-stopped");
  assert.deepEqual(await closed, [0, null]);
  const host = stack.lab.hosts.find(({ dialog }) => dialog.provider === "gmx")?.host;
  const [received = new Uint8Array(), ...more] = (await host?.messages()) ?? [];
  assert.ok(Buffer.from(received).toString().endsWith("Subject: an order\r\n\r\nIt is on its way.\r\n"));
  assert.equal(more.length, 0);
  const { Messages = [] } = await stack.clients.sqs.receiveMessage({ QueueUrl: queues.results, WaitTimeSeconds: 5 });
  const { recipient, event } = JSON.parse(Messages[0]?.Body ?? "{}") as Readonly<Record<string, unknown>>;
  assert.deepEqual([recipient, event], ["someone@gmx.example", "delivered"]);
});

test("a queue that is not there is named", async () => {
  await clients.sqs.send(new DeleteQueueCommand({ QueueUrl: await new Queues(clients.sqs).url(workersQueue) }));
  const { status, stdout, stderr } = await run(["worker", "--egress", "mail-1", ...at]);
  assert.deepEqual({ status, stdout }, { status: 64, stdout: "" });
  assert.match(
    stderr,
    /^delivery-probe: there is no queue "delivery-probe-probe-mail-1"; look at the folder of the stack, --egress and [^\n]*\n$/,
  );
});
