import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { setTimeout as sleep } from "node:timers/promises";
import { openPolling } from "../functions/clients.ts";
import { startWorker, type Worker } from "../functions/worker.ts";
import { configFor, drained, put, startServices, type Services } from "./support/services.ts";

let services: Services;

before(async () => void (services = await startServices(configFor({ "icloud.example": ["127.0.0.1"] }))));
after(async () => services[Symbol.asyncDispose]());

async function until(met: () => boolean): Promise<void> {
  for (let left = 200; left > 0 && !met(); left--) await sleep(50);
  assert.ok(met(), "it came to pass within ten seconds");
}

/** A queue of its own for each test. */
let queue = "";
let queueCount = 0;
beforeEach(async () => {
  queueCount += 1;
  queue = `worker-${queueCount}`;
  await services.clients.sqs.send(new CreateQueueCommand({ QueueName: queue }));
});

async function start(handler: (event: SQSEvent) => Promise<SQSBatchResponse>, batchSize = 10): Promise<Worker> {
  const { clients, queues, log } = services;
  const queueUrl = await queues.url(queue);
  return startWorker({ sqs: clients.sqs, queueUrl, handler, pollers: 2, visibilityS: 2, batchSize, log });
}

test("messages come as Lambda's records, and are acknowledged but for those that failed", async () => {
  const seen: string[] = [];
  const worker = await start(async ({ Records }) => {
    seen.push(...Records.map(({ body }) => body));
    return {
      batchItemFailures: Records.filter(({ body }) => body === "bad").map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    };
  });
  for (const body of ["a", "bad", "b"]) await put(services, queue, body);
  // What failed comes again when its time is over, the others do not.
  await until(() => seen.filter((each) => each === "bad").length >= 2);
  await worker.stop();
  assert.equal(seen.filter((each) => each === "a").length, 1);
  assert.equal(seen.filter((each) => each === "b").length, 1);
});

test("a batch is no larger than it may be, so that one that is slow holds back none but itself", async () => {
  for (const body of ["slow", "a", "b", "c"]) await put(services, queue, body);
  const [sizes, done]: [number[], string[]] = [[], []];
  const worker = await start(async ({ Records }) => {
    sizes.push(Records.length);
    const bodies = Records.map(({ body }) => body);
    if (bodies.includes("slow")) await sleep(1_500);
    done.push(...bodies);
    return { batchItemFailures: [] };
  }, 1);
  await until(() => done.length === 4);
  await worker.stop();
  assert.deepEqual(sizes, [1, 1, 1, 1]);
  assert.equal(done.at(-1), "slow");
});

test("while it is worked on a message stays with us, however long that takes", async () => {
  let runs = 0;
  let done = false;
  const worker = await start(async () => {
    runs += 1;
    await sleep(5_000);
    done = true;
    return { batchItemFailures: [] };
  });
  await put(services, queue, "slow");
  await until(() => done);
  await worker.stop();
  assert.equal(runs, 1);
  assert.deepEqual(await drained(services, queue, 3), []);
});

test("a stop waits for what is worked on, acknowledges it and takes nothing more", async () => {
  const began = Promise.withResolvers<void>();
  let done = 0;
  const worker = await start(async ({ Records }) => {
    began.resolve();
    await sleep(300);
    done += Records.length;
    return { batchItemFailures: [] };
  });
  await put(services, queue, "last");
  await began.promise;
  await worker.stop();
  assert.equal(done, 1);
  await put(services, queue, "later");
  await sleep(500);
  assert.equal(done, 1);
  assert.deepEqual(
    (await drained(services, queue, 3)).map(({ Body }) => Body),
    ["later"],
  );
});

test("an idle worker stops at once, not when its long poll is over", async () => {
  const worker = await start(async () => ({ batchItemFailures: [] }));
  await sleep(200);
  const stopped = await Promise.race([worker.stop().then(() => "stopped"), sleep(5_000, "still polling")]);
  assert.equal(stopped, "stopped");
});

test("a handler that throws acknowledges nothing, and the fault is in the log", async () => {
  let runs = 0;
  const worker = await start(async () => {
    runs += 1;
    throw new Error("out of order");
  });
  await put(services, queue, "again");
  await until(() => runs >= 2);
  await worker.stop();
  assert.ok(services.entries.some((each) => each.event === "worker" && /out of order/.test(String(each["fault"]))));
});

test("a hundred polls leave a connection for what is to be acknowledged", async () => {
  const sqs = await openPolling(services.endpoints);
  const end = new AbortController();
  const QueueUrl = await services.queues.url(queue);
  const polls = Array.from({ length: 100 }, async () => {
    await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 }, { abortSignal: end.signal }).catch(() => null);
  });
  await sleep(500);
  // With the SDK's 50 connections it would find none, and time out.
  await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] }, { abortSignal: AbortSignal.timeout(10_000) });
  end.abort();
  await Promise.all(polls);
  sqs.destroy();
});
