import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeClients } from "../functions/clients.ts";
import { configHash } from "../functions/config/hash.ts";
import { version } from "../functions/config/version.ts";
import type { HandlerDeps } from "../functions/handler.ts";
import { dueIn, selfChecksIn, slotMs } from "../functions/queue/due.ts";
import { readRequest } from "../functions/queue/request.ts";
import { createSchedule } from "../functions/schedule.ts";
import { isMarked } from "../functions/state/marks.ts";
import { runningOf } from "../functions/state/running.ts";
import { settled } from "./support/settled.ts";
import { pause, resume } from "../functions/state/pauses.ts";
import {
  configFor,
  context,
  drained,
  hurriedClients,
  startServices,
  sumOf,
  type Services,
} from "./support/services.ts";

const config = configFor({
  "icloud.example": ["127.0.0.1"],
  "gmx.example": ["127.0.0.1"],
  "yahoo.example": ["127.0.0.1"],
});
let services: Services;

before(async () => void (services = await startServices(config)));
after(async () => services[Symbol.asyncDispose]());

function deps(more: Partial<HandlerDeps> = {}): HandlerDeps {
  const { clients, log } = services;
  return { config, clients, log, now: () => new Date(), ...more };
}

/** Slots one after the other, none used by two tests. */
let slots = 0;
const firstMs = Math.floor(Date.now() / slotMs) * slotMs;
function nextSlot(): string {
  slots += 1;
  return new Date(firstMs + slots * slotMs).toISOString();
}

/** So many slots, one after the other, in which no self-check is due. */
function quietSlots(count: number): readonly string[] {
  const all = Array.from({ length: count }, nextSlot);
  return all.every((slot) => selfChecksIn(slot, config).length === 0) ? all : quietSlots(count);
}

/** The next slot in which a probe is due, and no self-check. */
function slotWithWork(): string {
  const [slot = ""] = quietSlots(1);
  return dueIn(slot, config).length > 0 ? slot : slotWithWork();
}

/** The next slot in which the self-check of an egress is due. */
function slotOfSelfCheck(egress: string): string {
  const slot = nextSlot();
  return selfChecksIn(slot, config).some((each) => each.egress === egress) ? slot : slotOfSelfCheck(egress);
}

async function requestsIn(queue: string): Promise<readonly { readonly id: string; readonly egress: string }[]> {
  return (await drained(services, queue)).map(({ Body = "" }) => JSON.parse(Body) as { id: string; egress: string });
}

test("a round has every target over each egress once, each in its runner's queue", async () => {
  const schedule = createSchedule(deps());
  let sent = 0;
  for (const slot of quietSlots(3)) sent += (await schedule({ slot }, context)).sent;
  const [aws, worker] = [await requestsIn("test-probe"), await requestsIn("test-probe-mail-1")];
  assert.equal(sent, 6);
  assert.deepEqual(
    aws.map(({ egress }) => egress),
    ["aws", "aws", "aws"],
  );
  assert.deepEqual(
    worker.map(({ egress }) => egress),
    ["mail-1", "mail-1", "mail-1"],
  );
  assert.equal(new Set([...aws, ...worker].map(({ id }) => id)).size, 6);
  for (const each of [...aws, ...worker]) assert.deepEqual(readRequest(JSON.stringify(each), config).faults, null);
});

test("each slot says which configuration and version the schedule runs", async () => {
  const now = new Date(Date.now() - 3_600_000);
  const heard = async () => await runningOf(["schedule"], services.table);
  await createSchedule(deps({ now: () => now }))({ slot: nextSlot() }, context);
  const first = { runner: "schedule", hash: configHash(config), version, at: now.toISOString() } as const;
  assert.deepEqual(await heard(), [first]);
  const other = { ...config, history: { ...config.history, days: 31 } };
  await createSchedule(deps({ config: other, now: () => now }))({ slot: nextSlot() }, context);
  assert.deepEqual(await heard(), [{ ...first, hash: configHash(other) }]);
  await requestsIn("test-probe");
  await requestsIn("test-probe-mail-1");
});

test("a slot that is called twice is done once", async () => {
  const slot = slotWithWork();
  const schedule = createSchedule(deps());
  const first = await schedule({ slot }, context);
  assert.equal(first.already, false);
  assert.deepEqual(await schedule({ slot }, context), { slot, sent: 0, skipped: 0, already: true, woken: 0 });
  const all = [...(await requestsIn("test-probe")), ...(await requestsIn("test-probe-mail-1"))];
  assert.equal(all.length, first.sent);
});

test("two calls at once, and one that died before its mark, send the same ids again", async () => {
  const slot = slotWithWork();
  const wanted = dueIn(slot, config).map(({ request }) => request.id);
  await Promise.all([createSchedule(deps())({ slot }, context), createSchedule(deps())({ slot }, context)]);
  const all = [...(await requestsIn("test-probe")), ...(await requestsIn("test-probe-mail-1"))];
  assert.deepEqual(new Set(all.map(({ id }) => id)), new Set(wanted));
});

test("what is paused is left out and counted, until it is resumed", async () => {
  const egress = { kind: "egress", name: "mail-1" } as const;
  const until = new Date(Date.now() + 86_400_000).toISOString();
  await pause({ ...egress, reason: "moving house", since: new Date().toISOString(), until }, services.table);
  const slot = slotWithWork();
  const its = dueIn(slot, config).filter(({ pair }) => pair.egress.name === "mail-1").length;
  const before = (await sumOf(services, "Skipped", { Egress: "mail-1" })) ?? 0;
  const { skipped, sent } = await createSchedule(deps())({ slot }, context);
  assert.equal(skipped, its);
  assert.equal(sent, dueIn(slot, config).length - its);
  assert.equal((await sumOf(services, "Skipped", { Egress: "mail-1" })) ?? 0, before + its);
  assert.equal((await requestsIn("test-probe-mail-1")).length, 0);
  assert.equal((await resume(egress, services.table))?.reason, "moving house");
  await requestsIn("test-probe");
});

test("over a day each egress is sent one self-check, into its runner's queue", async () => {
  const schedule = createSchedule(deps());
  // Between two of one egress there is a day.
  const slots = [slotOfSelfCheck("mail-1"), slotOfSelfCheck("aws")];
  const wanted = slots.flatMap((slot) => selfChecksIn(slot, config));
  for (const slot of slots) await schedule({ slot }, context);
  for (const [queue, egress] of [
    ["test-probe", "aws"],
    ["test-probe-mail-1", "mail-1"],
  ] as const) {
    const found = (await requestsIn(queue)).filter(({ id }) => id.startsWith("scheduled/self-check/"));
    assert.deepEqual(
      found,
      wanted.filter((each) => each.egress === egress).map(({ request }) => request),
    );
    assert.equal(found.length, 1);
  }
});

test("the self-check of a paused egress is left out and counted, and another's is not", async () => {
  const egress = { kind: "egress", name: "mail-1" } as const;
  const until = new Date(Date.now() + 7 * 86_400_000).toISOString();
  await pause({ ...egress, reason: "moving house", since: new Date().toISOString(), until }, services.table);
  const slot = slotOfSelfCheck("mail-1");
  const its = dueIn(slot, config).filter(({ pair }) => pair.egress.name === "mail-1").length;
  const before = (await sumOf(services, "Skipped", { Egress: "mail-1" })) ?? 0;
  assert.equal((await createSchedule(deps())({ slot }, context)).skipped, its + 1);
  assert.equal((await sumOf(services, "Skipped", { Egress: "mail-1" })) ?? 0, before + its + 1);
  assert.equal((await requestsIn("test-probe-mail-1")).length, 0);
  await createSchedule(deps())({ slot: slotOfSelfCheck("aws") }, context);
  assert.ok((await requestsIn("test-probe")).some(({ id }) => id.startsWith("scheduled/self-check/aws/")));
  await resume(egress, services.table);
});

test("a provider that asked us to slow down is left alone until its time is over", async () => {
  const slot = slotWithWork();
  const [one] = dueIn(slot, config);
  assert.ok(one !== undefined);
  const pair = { provider: one.pair.target.provider, egress: one.pair.egress.name };
  const state = { ...pair, block: null, clearedAt: null, last: { id: "x", at: new Date().toISOString() } };
  await settled({ ...state, notBefore: new Date(one.atMs + 1).toISOString() }, services.table);
  assert.equal((await createSchedule(deps())({ slot }, context)).skipped, 1);
  await settled({ ...state, notBefore: null }, services.table);
  await requestsIn("test-probe");
  await requestsIn("test-probe-mail-1");
});

test("requests that cannot be sent fail the call, and the slot is not marked", async () => {
  const slot = slotWithWork();
  const clients = await hurriedClients({ ...services.endpoints, sqs: "http://127.0.0.1:9" });
  try {
    await assert.rejects(
      createSchedule(deps({ clients }))({ slot }, context),
      /messages could not be sent to test-probe/,
    );
    assert.equal(await isMarked({ kind: "slot", slot }, services.table), false);
  } finally {
    closeClients(clients);
  }
  assert.equal((await createSchedule(deps())({ slot }, context)).already, false);
});

for (const event of [null, {}, { slot: "soon" }, "x"]) {
  test(`an event without a slot says what is wanted: ${JSON.stringify(event)}`, async () => {
    await assert.rejects(createSchedule(deps())(event, context), /scheduled-time/);
  });
}
