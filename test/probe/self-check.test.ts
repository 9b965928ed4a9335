// A request for a self-check in the handler, over real services, a real DNS server and real mail hosts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeClients } from "../../functions/clients.ts";
import { createProbe } from "../../functions/probe.ts";
import type { ProbeDeps } from "../../functions/probe/runs.ts";
import { acquire, release } from "../../functions/state/pairs.ts";
import { pause, resume } from "../../functions/state/pauses.ts";
import { findSelfCheck, lastSelfCheck, type StoredSelfCheck } from "../../functions/state/self-checks.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";
import { startNameServer, type NameServer } from "../../infra/local/name-server.ts";
import {
  configFor,
  context,
  drained,
  hurriedClients,
  recordOf,
  recordOfMessage,
  startServices,
  sumOf,
  type Services,
} from "../support/services.ts";
import { settled } from "../support/settled.ts";

const address = "192.0.2.25";
const own = { helo: "probe.example", senderDomain: "sender.example", addresses: [address] };
const egresses = [
  { name: "aws", runner: "functions", address },
  { name: "spare", runner: "functions", address },
  { name: "wrong", runner: "functions", address: "192.0.2.99" },
  { name: "busy", runner: "functions", address },
  { name: "mail-1", runner: "worker", address },
];

const thread = new MailHosts();
let services: Services;
let names: NameServer;
let blank: NameServer;
let one: MailHost;
let other: MailHost;
let asked = 0;

before(async () => {
  [one, other] = [await startHost("one"), await startHost("other")];
  names = await startNameServer([], own);
  blank = await startNameServer([], { helo: "nobody.example", senderDomain: null, addresses: [] });
  const hosts = { "one.example": [`127.0.0.1:${one.port}`], "other.example": [`127.0.0.1:${other.port}`] };
  services = await startServices(configFor(hosts, { egresses }));
});

after(async () => {
  await services[Symbol.asyncDispose]();
  await names[Symbol.asyncDispose]();
  await blank[Symbol.asyncDispose]();
  await thread.close();
});

/** Greets, and is told QUIT after EHLO: whoever says more leaves the script. */
async function startHost(name: string): Promise<MailHost> {
  const lines = ["# Greets.", "S: 220 mx.example ESMTP", "C: EHLO probe.example", "S: 250 mx.example", "C: QUIT", "S: 221 bye"]; // prettier-ignore
  return await thread.start(parseDialog(lines.join("\n"), name), { repeat: true });
}

function deps(more: Partial<ProbeDeps> = {}): ProbeDeps {
  const { config, clients, log } = services;
  return {
    config,
    clients,
    log,
    now: () => new Date(),
    runner: "functions",
    env: {},
    resolver: names.address,
    logsBecomeMetrics: false,
    ...more,
  };
}

function request(egress: string, more: object = {}): { readonly id: string } {
  asked += 1;
  return { v: 1, kind: "self-check", id: `check-${asked}`, egress, ...more } as { id: string };
}

async function found({ id }: { readonly id: string }): Promise<StoredSelfCheck> {
  const stored = await findSelfCheck(id, services.table);
  assert.ok(stored !== null, `there is no row of ${id}`);
  return stored;
}

async function standingsOf(its: { readonly id: string }): Promise<Readonly<Record<string, string>>> {
  const { checks } = (await found(its)).selfCheck;
  return Object.fromEntries(checks.map(({ check, standing }) => [check, standing]));
}

test("where all is as it must be, each check says so; a zero is told, and one host is asked up to EHLO", async () => {
  const its = request("aws");
  const connections = (await one.connections()) + (await other.connections());
  const response = await createProbe(deps())({ Records: [recordOf(its)] }, context);
  assert.deepEqual(response, { batchItemFailures: [] });
  const stored = await found(its);
  assert.deepEqual([...new Set(Object.values(await standingsOf(its)))], ["ok"], JSON.stringify(stored.selfCheck));
  assert.deepEqual([stored.reported, stored.since, stored.egress], [true, {}, "aws"]);
  assert.equal(await sumOf(services, "SelfCheckFaults", { Egress: "aws" }), 0);
  assert.equal((await one.connections()) + (await other.connections()), connections + 1);
  assert.deepEqual([...(await one.result()), ...(await other.result())], []);
  const entry = services.entries.find((each) => each.event === "self-check" && each["id"] === its.id);
  assert.deepEqual([entry?.level, entry?.["standing"], entry?.["egress"]], ["info", "ok", "aws"]);
});

test("what is wrong is told by its number, and stands since it was first seen", async () => {
  const first = request("wrong");
  await createProbe(deps())({ Records: [recordOf(first)] }, context);
  const standings = await standingsOf(first);
  assert.deepEqual(
    ["helo", "reverse-dns", "spf", "port-25", "sender"].map((each) => standings[each]),
    ["fault", "fault", "fault", "ok", "ok"],
  );
  assert.equal(await sumOf(services, "SelfCheckFaults", { Egress: "wrong" }), 3);
  const entry = services.entries.find((each) => each.event === "self-check" && each["id"] === first.id);
  assert.equal(entry?.level, "error");
  const again = request("wrong");
  await createProbe(deps())({ Records: [recordOf(again)] }, context);
  const { at, since } = await found(first);
  assert.deepEqual((await found(again)).since, since);
  assert.equal(since["reverse-dns"], at);
  assert.equal((await lastSelfCheck("wrong", services.table))?.id, again.id);
});

test("a request that comes again, in the same batch, at the same time or later, is checked once", async () => {
  const its = request("aws");
  const connections = (await one.connections()) + (await other.connections());
  const [probe, process] = [createProbe(deps()), createProbe(deps())];
  await Promise.all([
    probe({ Records: [recordOf(its), recordOf(its)] }, context),
    process({ Records: [recordOf(its)] }, context),
  ]);
  await probe({ Records: [recordOf(its)] }, context);
  for (const message of await drained(services, "test-probe")) {
    await probe({ Records: [recordOfMessage(message)] }, context);
  }
  assert.equal((await one.connections()) + (await other.connections()), connections + 1);
  assert.equal(await sumOf(services, "SelfCheckFaults", { Egress: "aws" }), 0);
});

test("a process that died between the row and its figures has them told by the next, without another check", async () => {
  const its = request("wrong");
  const before = (await sumOf(services, "SelfCheckFaults", { Egress: "wrong" })) ?? 0;
  const dying = { getRemainingTimeInMillis: (): number => 60_000 };
  const clients = { ...services.clients, cloudWatch: { send: async () => await new Promise<never>(() => {}) } };
  // It never comes back from telling: as far as the queue can see, it is dead.
  void createProbe(deps({ clients: clients as unknown as ProbeDeps["clients"] }))({ Records: [recordOf(its)] }, dying);
  while ((await findSelfCheck(its.id, services.table)) === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const connections = (await one.connections()) + (await other.connections());
  assert.equal((await found(its)).reported, false);
  const attributes = { ...recordOf(its).attributes, ApproximateReceiveCount: "2" };
  // The lease of the dead may still stand: then the record waits in the queue.
  await createProbe(deps())({ Records: [recordOf(its, { attributes })] }, context);
  assert.equal((await found(its)).reported, true);
  assert.equal(await sumOf(services, "SelfCheckFaults", { Egress: "wrong" }), before + 3);
  assert.equal((await one.connections()) + (await other.connections()), connections);
  // The copy that comes after is nobody's.
  await createProbe(deps())({ Records: [recordOf(its, { attributes })] }, context);
  assert.equal(await sumOf(services, "SelfCheckFaults", { Egress: "wrong" }), before + 3);
});

test("figures that cannot be sent are told later, and nothing is checked again for them", async () => {
  const its = request("spare");
  const clients = hurriedClients({ ...services.endpoints, cloudWatch: "http://127.0.0.1:9" });
  try {
    await createProbe(deps({ clients }))({ Records: [recordOf(its)] }, context);
  } finally {
    closeClients(clients);
  }
  assert.equal((await found(its)).reported, false);
  const connections = (await one.connections()) + (await other.connections());
  const [message] = await drained(services, "test-probe");
  assert.ok(message !== undefined);
  await createProbe(deps())({ Records: [recordOfMessage(message)] }, context);
  assert.equal((await found(its)).reported, true);
  assert.equal(await sumOf(services, "SelfCheckFaults", { Egress: "spare" }), 0);
  assert.equal((await one.connections()) + (await other.connections()), connections);
});

test("a self-check that the table does not take travels in the queue, and is written later", async () => {
  const its = request("spare");
  const { dynamo } = services.clients;
  const send = async (command: { readonly constructor: { readonly name: string } }, options: never) => {
    if (command.constructor.name === "PutCommand") throw new Error("the table is away");
    return await dynamo.send(command as never, options);
  };
  const clients = { ...services.clients, dynamo: { send } as unknown as typeof dynamo };
  await createProbe(deps({ clients }))({ Records: [recordOf(its)] }, context);
  assert.equal(await findSelfCheck(its.id, services.table), null);
  const [message] = await drained(services, "test-probe");
  assert.ok(message !== undefined);
  const connections = (await one.connections()) + (await other.connections());
  await createProbe(deps())({ Records: [recordOfMessage(message)] }, context);
  assert.equal((await found(its)).reported, true);
  assert.equal((await one.connections()) + (await other.connections()), connections);
});

test("a provider that somebody else speaks to, that asked to be left alone, or that is paused, is not asked", async () => {
  const pair = { provider: "one", egress: "busy" } as const;
  const lease = { ...pair, owner: "somebody" };
  const connections = await one.connections();
  await acquire(lease, 60_000, services.table);
  const leased = request("busy");
  await createProbe(deps())({ Records: [recordOf(leased)] }, context);
  await release(lease, 0, services.table);

  const state = { ...pair, block: null, clearedAt: null, last: null };
  await settled({ ...state, notBefore: new Date(Date.now() + 3_600_000).toISOString() }, services.table);
  const waiting = request("busy");
  await createProbe(deps())({ Records: [recordOf(waiting)] }, context);
  await settled({ ...state, notBefore: null }, services.table);

  const paused = { kind: "provider", name: "one" } as const;
  const [since, until] = [new Date().toISOString(), new Date(Date.now() + 3_600_000).toISOString()];
  await pause({ ...paused, reason: "a test's", since, until }, services.table);
  const left = request("busy");
  await createProbe(deps())({ Records: [recordOf(left)] }, context);
  await resume(paused, services.table);

  assert.equal(await one.connections(), connections);
  for (const each of [leased, waiting, left]) assert.equal((await standingsOf(each))["port-25"], "ok");
});

test("where no provider may be asked, port 25 is not known, and the rest is checked", async () => {
  const pauses = ["one", "other"].map((name) => ({ kind: "provider", name }) as const);
  const [since, until] = [new Date().toISOString(), new Date(Date.now() + 3_600_000).toISOString()];
  for (const each of pauses) await pause({ ...each, reason: "a test's", since, until }, services.table);
  const its = request("spare");
  await createProbe(deps())({ Records: [recordOf(its)] }, context);
  for (const each of pauses) await resume(each, services.table);
  const { "port-25": port, spf } = await standingsOf(its);
  assert.deepEqual([port, spf], ["unknown", "ok"]);
});

test("a request that comes too late is not worked on, and counted as skipped", async () => {
  const its = request("spare", { notAfter: "2020-01-01T00:00:00Z" });
  const skipped = (await sumOf(services, "Skipped", { Egress: "spare" })) ?? 0;
  await createProbe(deps())({ Records: [recordOf(its)] }, context);
  assert.equal(await findSelfCheck(its.id, services.table), null);
  assert.equal(await sumOf(services, "Skipped", { Egress: "spare" }), skipped + 1);
});

test("a record for another runner's egress is sent on, and a malformed one is a dead letter that says so", async () => {
  const theirs = request("mail-1");
  await createProbe(deps())({ Records: [recordOf(theirs), recordOf({ ...request("aws"), depth: "ehlo" })] }, context);
  assert.equal(await findSelfCheck(theirs.id, services.table), null);
  const [message] = await drained(services, "test-probe-mail-1");
  assert.deepEqual(JSON.parse(message?.Body ?? ""), theirs);
  const [letter] = await drained(services, "test-probe-dead");
  assert.equal(letter?.MessageAttributes?.["Reason"]?.StringValue, "depth: there is no such field");
});

test("names that nobody knows are faults of ours, and none of the record's", async () => {
  const its = request("spare");
  const response = await createProbe(deps({ resolver: blank.address }))({ Records: [recordOf(its)] }, context);
  assert.deepEqual(response, { batchItemFailures: [] });
  const { helo, "reverse-dns": reverse } = await standingsOf(its);
  assert.deepEqual([helo, reverse], ["fault", "fault"]);
});
