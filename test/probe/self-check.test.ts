// A request for a self-check in the handler, over real services, a real DNS server and real mail hosts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeClients } from "../../functions/clients.ts";
import { createProbe } from "../../functions/probe.ts";
import { openSecrets } from "../../functions/secrets.ts";
import type { ProbeDeps } from "../../functions/probe/runs.ts";
import { acquire, release, statesOf } from "../../functions/state/pairs.ts";
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
import { serveDns } from "../route/dns-server.ts";
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
    secrets: openSecrets({}, { log: () => {} }),
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

test("the configuration's resolver is asked where the runner has none of its own", async () => {
  const its = request("aws");
  const config = { ...services.config, resolver: names.address };
  await createProbe(deps({ config, resolver: null }))({ Records: [recordOf(its)] }, context);
  assert.deepEqual([...new Set(Object.values(await standingsOf(its)))], ["ok"]);
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
  const clients = {
    ...services.clients,
    cloudWatch: { putMetricData: async () => await new Promise<never>(() => {}) },
  };
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
  const clients = await hurriedClients({ ...services.endpoints, cloudWatch: "http://127.0.0.1:9" });
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
  const away = Object.create(dynamo, {
    put: { value: () => Promise.reject(new Error("the table is away")) },
  }) as typeof dynamo;
  const clients = { ...services.clients, dynamo: away };
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

/** With providers of its own, whose hosts say this, over an egress of its own. */
async function startProviders(egress: string, says: Readonly<Record<string, string>>, more: object = {}) {
  const rows = await Promise.all(
    Object.entries(says).map(async ([name, script]) => {
      const host = await thread.start(parseDialog(`# ${name}\n${script}`, name), { repeat: true });
      return [name, host] as const;
    }),
  );
  const places = rows.map(([name, { port }]) => [`${name}.example`, [`127.0.0.1:${port}`]] as const);
  const config = configFor(Object.fromEntries(places), {
    egresses: [{ name: egress, runner: "functions", address, ...more }],
  });
  const hosts = Object.fromEntries(rows);
  const connections = async (): Promise<readonly number[]> =>
    await Promise.all(rows.map(async ([, host]) => await host.connections()));
  return { config, hosts, connections };
}

async function portOf(its: { readonly id: string }): Promise<{ readonly standing: string; readonly text: string }> {
  const { checks } = (await found(its)).selfCheck;
  return checks.find(({ check }) => check === "port-25") ?? assert.fail("there is no such check");
}

const greets = "S: 220 mx.example ESMTP\nC~ ^EHLO\nS: 250 mx.example\nC: QUIT\nS: 221 bye";
const nothingKnown = { clearedAt: null, last: null, notBefore: null };

test("a provider that refuses our IP is not asked; where all do nobody is, and the check says why", async () => {
  const { config, connections } = await startProviders("blocked", { hard: greets, soft: greets });
  const block = { stage: "rcpt", host: "mx.example", since: "2026-11-24T10:00:00.000Z", id: "a" } as const;
  const [first, second] = [request("blocked"), request("blocked")];
  await settled({ ...nothingKnown, provider: "hard", egress: "blocked", block }, services.table);
  await createProbe(deps({ config }))({ Records: [recordOf(first)] }, context);
  assert.deepEqual([await connections(), (await portOf(first)).standing], [[0, 1], "ok"]);
  await settled({ ...nothingKnown, provider: "soft", egress: "blocked", block }, services.table);
  await createProbe(deps({ config }))({ Records: [recordOf(second)] }, context);
  assert.deepEqual(await connections(), [0, 1]);
  assert.deepEqual(await portOf(second), {
    check: "port-25",
    standing: "unknown",
    text: "nobody could be asked: hard refuses the egress's IP since 2026-11-24T10:00:00.000Z, soft refuses the egress's IP since 2026-11-24T10:00:00.000Z",
    remedy: {
      text: "Nothing: the scheduled probes tell how these providers stand (delivery-probe status), and the next check asks again.",
      url: null,
    },
  });
  const [state] = await statesOf([{ provider: "soft", egress: "blocked" }], services.table);
  assert.deepEqual(state?.block, block);
});

for (const [what, script, words] of [
  ["greeting", "S: 421-4.7.0 Too many connections from 192.0.2.25,\nS: 421 4.7.0 stay away\nS! fin", /^127\.0\.0\.1 answers on port \d+; 127\.0\.0\.1 said at greeting: 421-4\.7\.0 Too many connections from 192\.0\.2\.25, 421 4\.7\.0 stay away$/], // prettier-ignore
  ["EHLO", "S: 220 mx\nC~ ^EHLO\nS: 450 4.7.1 later\nC: QUIT\nS: 221 bye", /; 127\.0\.0\.1 said at ehlo: 450 4\.7\.1 later$/], // prettier-ignore
] as const) {
  test(`a provider that puts us off at ${what} is quoted, and left alone by the schedule and the next check`, async () => {
    const egress = `put-off-${what.toLowerCase()}`;
    const { config, connections } = await startProviders(egress, { later: script });
    const [first, second] = [request(egress), request(egress)];
    const began = Date.now();
    await createProbe(deps({ config }))({ Records: [recordOf(first)] }, context);
    const { standing, text } = await portOf(first);
    assert.equal(standing, "ok");
    assert.match(text, words);
    const [state] = await statesOf([{ provider: "later", egress }], services.table);
    const notBefore = Date.parse(state?.notBefore ?? "");
    assert.ok(notBefore >= began + config.limits.backOffMinutes * 60_000, String(state?.notBefore));
    await createProbe(deps({ config }))({ Records: [recordOf(second)] }, context);
    assert.deepEqual(await connections(), [1]);
    assert.match((await portOf(second)).text, /^nobody could be asked: later asked to be left alone until 20/);
  });
}

test("a refusal for good is quoted too, and asks nobody to stay away", async () => {
  const script = "S: 554 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org\nC: QUIT\nS: 221 bye";
  const { config } = await startProviders("refused", { hard: script });
  const its = request("refused");
  await createProbe(deps({ config }))({ Records: [recordOf(its)] }, context);
  const { standing, text } = await portOf(its);
  assert.equal(standing, "ok");
  assert.match(text, /said at greeting: 554 5\.7\.1 Client host \[192\.0\.2\.25\] blocked using zen\.spamhaus\.org$/);
  const [state] = await statesOf([{ provider: "hard", egress: "refused" }], services.table);
  assert.equal(state?.notBefore, null);
});

test("a provider's turn is over with its session, and not with the check's last look-up", async () => {
  const { config, hosts } = await startProviders("slow", { quick: greets });
  const dns = await serveDns({ "sender.example": "silent" });
  const its = request("slow");
  let isOver = false;
  const checking = createProbe(deps({ config, resolver: dns.server }))({ Records: [recordOf(its)] }, context);
  const ended = checking.then(() => (isOver = true));
  while ((await hosts["quick"]?.connections()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const lease = { provider: "quick", egress: "slow", owner: "somebody" };
  while ((await acquire(lease, 60_000, services.table)).lease === null)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(isOver, false);
  await release(lease, 0, services.table);
  await ended;
  await dns.close();
  assert.equal((await portOf(its)).standing, "ok");
});

for (const [what, via, says] of [
  [
    "a secret that is not set",
    { type: "socks5", host: "127.0.0.1", username: "us", password: { env: "NOT_SET" } },
    /NOT_SET is not set/,
  ],
  [
    "an address that is not this machine's",
    { type: "direct", bind: "203.0.113.77" },
    /203\.0\.113\.77 is not an address of this machine/,
  ],
] as const) {
  test(`an egress with ${what} is a fault of its address check, also where no target is probed over it`, async () => {
    const egress = `${via.type}-fault`;
    const given = { address: via.type === "direct" ? null : address, via };
    const { config, connections } = await startProviders(egress, { one: greets }, given);
    const idle = { ...config, targets: config.targets.map((each) => ({ ...each, egresses: [] })) };
    let figures = 0;
    for (const each of [config, idle]) {
      const its = request(egress);
      const response = await createProbe(deps({ config: each }))({ Records: [recordOf(its)] }, context);
      assert.deepEqual(response, { batchItemFailures: [] });
      const { checks } = (await found(its)).selfCheck;
      const { standing, text, remedy } = checks.find(({ check }) => check === "address") ?? assert.fail();
      assert.equal(standing, "fault");
      assert.match(text, says);
      assert.ok(remedy !== null);
      assert.equal((await portOf(its)).standing, "unknown");
      figures += checks.filter((check) => check.standing === "fault").length;
      assert.equal(await sumOf(services, "SelfCheckFaults", { Egress: egress }), figures);
    }
    assert.deepEqual(await connections(), [0]);
  });
}

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
