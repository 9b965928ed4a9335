// The schedule's sweep: which deliveries are woken in a slot, whose queue they go to, and that each is woken once, and
// again where its message was lost.
import assert from "node:assert/strict";
import { after, before, beforeEach, suite, test } from "node:test";
import { DeleteQueueCommand } from "@aws-sdk/client-sqs";
import { closeClients } from "../../functions/clients.ts";
import type { Context, HandlerDeps } from "../../functions/handler.ts";
import { slotMs } from "../../functions/queue/due.ts";
import { readRequest } from "../../functions/queue/request.ts";
import { createSchedule, type ScheduleResult } from "../../functions/schedule.ts";
import { dueWakes, wakeShardOf, type Waking } from "../../functions/state/wakes.ts";
import { configFor, context, drained, hurriedClients, startServices, type Services } from "../support/services.ts";

const config = configFor({ "icloud.example": ["127.0.0.1"] }, { sends: {} });
let services: Services;

before(async () => void (services = await startServices(config)));
after(async () => services[Symbol.asyncDispose]());

/** No slot is used by two tests, and nothing is left to wake. */
let fromMs = Math.floor(Date.now() / slotMs) * slotMs;
beforeEach(async () => {
  fromMs += slotMs;
  const { table } = services;
  for await (const { id, domain } of dueWakes(Number.MAX_SAFE_INTEGER, 1_000, table)) {
    await table.client.delete({ TableName: table.name, Key: { pk: `delivery#${id}#${domain}` } });
  }
});

function deps(more: Partial<HandlerDeps> = {}): HandlerDeps {
  const { clients, log } = services;
  return { config, clients, log, now: () => new Date(fromMs), ...more };
}

async function call(more: Partial<HandlerDeps> = {}, its: Context = context): Promise<ScheduleResult> {
  return await createSchedule(deps(more))({ slot: new Date(fromMs).toISOString() }, its);
}

/** A delivery that waits until so long after the slot's beginning. */
async function waiting(id: string, afterMs: number, egress = "aws"): Promise<void> {
  const { table } = services;
  const key = { id, domain: "mx.example", egress, createdAt: new Date(fromMs).toISOString() };
  const wake = { wakeAtMs: fromMs + afterMs, wakeShard: wakeShardOf(id) };
  await table.client.put({ TableName: table.name, Item: { pk: `delivery#${id}#mx.example`, ...key, ...wake } });
}

/** The ids of those that were woken, in no order. */
async function wokenIn(queue: string): Promise<readonly string[]> {
  const bodies = (await drained(services, queue)).map(({ Body = "" }) => Body);
  const wakes = bodies.map((body) => {
    const { value } = readRequest(body, config);
    assert.ok(value?.kind === "wake", body);
    assert.equal(value.domain, "mx.example");
    return value.id;
  });
  return wakes.toSorted();
}

/** When each is to be woken next, after the slot's beginning. */
async function next(): Promise<readonly (readonly [id: string, afterMs: number])[]> {
  const all: Waking[] = [];
  for await (const each of dueWakes(Number.MAX_SAFE_INTEGER, 1_000, services.table)) all.push(each);
  return all.map(({ id, wakeAtMs }) => [id, wakeAtMs - fromMs]);
}

const quarterMs = 900_000;

suite("the sweep over sends", () => {
  test("what is due before the slot's end is woken by its runner's queue, what is due later is not", async () => {
    await waiting("due", 0);
    await waiting("soon", slotMs - 1, "mail-1");
    await waiting("next", slotMs);
    assert.equal((await call()).woken, 2);
    assert.deepEqual(await wokenIn("test-send"), ["due"]);
    assert.deepEqual(await wokenIn("test-send-mail-1"), ["soon"]);
    assert.deepEqual(await next(), [
      ["next", slotMs],
      ["due", quarterMs],
      ["soon", slotMs - 1 + quarterMs],
    ]);
  });

  test("a slot whose probes were sent before wakes what is due all the same", async () => {
    assert.equal((await call()).already, false);
    await waiting("late", 1_000);
    const again = await call();
    assert.deepEqual([again.already, again.woken], [true, 1]);
    assert.deepEqual(await wokenIn("test-send"), ["late"]);
    assert.equal((await call()).woken, 0);
  });

  test("one whose message was lost is woken again a quarter of an hour later, however long it was due", async () => {
    await waiting("lost", -3_600_000);
    assert.equal((await call()).woken, 1);
    assert.deepEqual(await wokenIn("test-send"), ["lost"]);
    for (const woken of [0, 0, 1]) {
      fromMs += slotMs;
      assert.equal((await call()).woken, woken);
    }
    assert.deepEqual(await wokenIn("test-send"), ["lost"]);
  });

  test("two sweeps at once wake each once", async () => {
    const ids = Array.from({ length: 120 }, (_, index) => `one-of-${index}`);
    await Promise.all(ids.map(async (id) => await waiting(id, 1_000)));
    const results = await Promise.all([call(), call()]);
    assert.equal(
      results.reduce((sum, { woken }) => sum + woken, 0),
      120,
    );
    assert.deepEqual(await wokenIn("test-send"), ids.toSorted());
  });

  test("a message comes at its time or after it, never before, and at once where it is due", async () => {
    const delays: number[] = [];
    const clients = await hurriedClients(services.endpoints);
    clients.sqs.middlewareStack.add(
      (handle) => async (args) => {
        const { Entries = [] } = args.input as { readonly Entries?: readonly { DelaySeconds?: number }[] };
        delays.push(...Entries.map(({ DelaySeconds = -1 }) => DelaySeconds));
        return await handle(args);
      },
      { step: "initialize", priority: "high" },
    );
    await waiting("past", -5_000);
    await waiting("now", 0);
    await waiting("then", 61_001);
    await waiting("last", slotMs - 1);
    await call(); // the slot's probes have their own delays
    await Promise.all([
      waiting("past", -5_000),
      waiting("now", 0),
      waiting("then", 61_001),
      waiting("last", slotMs - 1),
    ]);
    try {
      assert.equal((await call({ clients })).woken, 4);
    } finally {
      closeClients(clients);
    }
    assert.deepEqual(delays, [0, 0, 62, 300]);
    await wokenIn("test-send");
  });

  test("what waits for an egress that the configuration has no more goes to the functions, and is told", async () => {
    await waiting("orphan", 0, "gone");
    services.entries.length = 0;
    assert.equal((await call()).woken, 1);
    assert.deepEqual(await wokenIn("test-send"), ["orphan"]);
    const told = services.entries.filter(({ event }) => event === "wake-egress-unknown");
    assert.deepEqual(told, [{ level: "warn", event: "wake-egress-unknown", egress: "gone", count: 1 }]);
  });

  test("what the invocation has no time for is counted, and woken by the next slot", async () => {
    for (const id of ["a", "b", "c"]) await waiting(id, 0);
    services.entries.length = 0;
    assert.equal((await call({}, { getRemainingTimeInMillis: () => 9_000 })).woken, 0);
    const left = services.entries.filter(({ event }) => event === "wakes-left").map((each) => each["left"]);
    assert.deepEqual(left, [3]);
    fromMs += slotMs;
    assert.equal((await call()).woken, 3);
    assert.deepEqual(await wokenIn("test-send"), ["a", "b", "c"]);
  });

  test("without a section sends nothing is woken", async () => {
    await waiting("never", 0);
    assert.equal((await call({ config: { ...config, sends: null } })).woken, 0);
    assert.deepEqual(await next(), [["never", 0]]);
  });

  test("a queue that is not there fails the call, and no other queue waits for it; then it is woken again", async () => {
    await waiting("here", 0);
    await waiting("there", 0, "mail-1");
    const { clients, queues } = services;
    await clients.sqs.send(new DeleteQueueCommand({ QueueUrl: await queues.url("test-send-mail-1") }));
    await assert.rejects(call(), /1 messages could not be sent to test-send-mail-1/);
    assert.deepEqual(await wokenIn("test-send"), ["here"]);
    assert.deepEqual(await next(), [
      ["here", quarterMs],
      ["there", quarterMs],
    ]);
  });

  test("probes that cannot be sent do not keep sends from being woken", async () => {
    await waiting("awake", 0);
    const { clients, queues } = services;
    await clients.sqs.send(new DeleteQueueCommand({ QueueUrl: await queues.url("test-probe") }));
    await clients.sqs.send(new DeleteQueueCommand({ QueueUrl: await queues.url("test-probe-mail-1") }));
    // A round has a probe in one of its slots.
    const slots = config.targets[0]?.everyMinutes ?? 0;
    const results: string[] = [];
    for (let minutes = 0; minutes < slots; minutes += 5, fromMs += slotMs) {
      results.push(
        await call().then(
          () => "done",
          (error: unknown) => String(error),
        ),
      );
    }
    assert.ok(results.some((each) => each.includes("could not be sent to test-probe")));
    assert.ok((await wokenIn("test-send")).includes("awake"));
  });
});
