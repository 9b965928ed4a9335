import assert from "node:assert/strict";
import { createServer } from "node:net";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { configHash } from "../functions/config/hash.ts";
import { version } from "../functions/config/version.ts";
import { createProbe } from "../functions/probe.ts";
import { openSecrets } from "../functions/secrets.ts";
import type { ProbeDeps } from "../functions/probe/runs.ts";
import { closeClients } from "../functions/clients.ts";
import { acquire, release, statesOf } from "../functions/state/pairs.ts";
import { runningOf } from "../functions/state/running.ts";
import { lastSelfCheck } from "../functions/state/self-checks.ts";
import { findVerdict, lastVerdicts } from "../functions/state/verdicts.ts";
import { parseDialog } from "../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../infra/local/mail/mail-host.ts";
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
} from "./support/services.ts";

const thread = new MailHosts();
let services: Services;
let icloud: MailHost;
let open: MailHost;
let asked = 0;

before(async () => {
  icloud = await thread.start(
    parseDialog(
      [
        "# Refuses RCPT and hangs up.",
        "S: 220 mx.example ESMTP",
        "C: EHLO probe.example",
        "S: 250-mx.example",
        "S: 250 PIPELINING",
        "C~ ^MAIL FROM",
        "C~ ^RCPT TO",
        "C: QUIT",
        "S: 250 2.1.0 ok",
        "S: 550 5.7.1 192.0.2.25 is listed in Spamhaus PBL",
        "S! rst",
      ].join("\n"),
      "icloud",
    ),
    { repeat: true },
  );
  open = await thread.start(
    parseDialog(
      [
        "# Takes everybody.",
        "S: 220 mx.example ESMTP",
        "C: EHLO probe.example",
        "S: 250-mx.example",
        "S: 250 PIPELINING",
        "C~ ^MAIL FROM",
        "C~ ^RCPT TO",
        "C: QUIT",
        "S: 250 2.1.0 ok",
        "S: 250 2.1.5 ok",
        "S: 221 bye",
      ].join("\n"),
      "open",
    ),
    { repeat: true },
  );
  services = await startServices(
    configFor({ "icloud.example": [`127.0.0.1:${icloud.port}`], "open.example": [`127.0.0.1:${open.port}`] }),
  );
});

after(async () => {
  await services[Symbol.asyncDispose]();
  await thread.close();
});

function deps(more: Partial<ProbeDeps> = {}): ProbeDeps {
  const { config, clients, log } = services;
  return {
    config,
    clients,
    log,
    now: () => new Date(),
    runner: "functions",
    resolver: "127.0.0.1:9",
    secrets: openSecrets({}, { log: () => {} }),
    logsBecomeMetrics: false,
    ...more,
  };
}

function request(domain: string, more: object = {}): { readonly id: string } {
  asked += 1;
  return { v: 1, kind: "probe", id: `test-${asked}`, recipient: `probe@${domain}`, egress: "aws", ...more } as {
    id: string;
  };
}

test("a refusal is a success of its record, and is in the table, the metrics and the log", async () => {
  const { id } = request("icloud.example");
  const probe = createProbe(deps());
  const response = await probe({ Records: [recordOf({ ...request("icloud.example"), id })] }, context);
  assert.deepEqual(response, { batchItemFailures: [] });

  const stored = await findVerdict(id, services.table);
  assert.equal(stored?.verdict.outcome, "rejected");
  assert.equal(stored.verdict.class, "ip-reputation");
  assert.equal(stored.provider, "icloud");
  assert.equal(stored.blocked, true);
  assert.equal(stored.reported, true);
  assert.equal(stored.verdict.egress.name, "aws");
  assert.equal((await lastVerdicts("icloud", "aws", 5, services.table))[0]?.id, id);

  const pair = { Provider: "icloud", Egress: "aws" };
  assert.equal(await sumOf(services, "Blocked", pair), 1);
  assert.equal(await sumOf(services, "Attempts", pair), 1);
  assert.equal(await sumOf(services, "Rejections", { ...pair, Class: "ip-reputation" }), 1);
  assert.equal(await sumOf(services, "RepliesUnmasked", { Egress: "aws" }), 1);
  assert.equal(await sumOf(services, "Probes", { Egress: "aws" }), 1);

  const entry = services.entries.find((each) => each.event === "verdict" && each["id"] === id);
  assert.match(String(entry?.["dialog"]), /^S: 550 5\.7\.1 192\.0\.2\.25 is listed in Spamhaus PBL$/m);
  assert.equal(entry?.["code"], 550);
  const [state] = await statesOf([{ provider: "icloud", egress: "aws" }], services.table);
  assert.equal(state?.block?.stage, "rcpt");
  assert.equal(state.block.id, id);
});

test("what a runner runs is noted when its batch is done, at most every five minutes", async () => {
  const [before] = await runningOf(["worker/mail-1"], services.table);
  assert.equal(before, undefined);
  let ms = Date.now();
  const probe = createProbe(deps({ runner: { worker: "mail-1" }, now: () => new Date(ms) }));
  const its = (): object => request("open.example", { egress: "mail-1" });
  const [first] = [new Date(ms).toISOString()];
  const heard = async (): Promise<unknown> => await runningOf(["worker/mail-1"], services.table);
  const noted = { runner: "worker/mail-1", hash: configHash(services.config), version } as const;
  await probe({ Records: [recordOf(its())] }, context);
  assert.deepEqual(await heard(), [{ ...noted, at: first }]);
  ms += 299_000;
  await probe({ Records: [recordOf(its())] }, context);
  assert.deepEqual(await heard(), [{ ...noted, at: first }]);
  ms += 1_000;
  await probe({ Records: [recordOf(its())] }, context);
  assert.deepEqual(await heard(), [{ ...noted, at: new Date(ms).toISOString() }]);
});

test("of a batch of ten with a malformed record nine are probed, and one is a dead letter with its reason", async () => {
  const good = Array.from({ length: 9 }, () => request("open.example"));
  const bad = { ...request("open.example"), depth: "deep", colour: "red" };
  const records = [...good.slice(0, 4), bad, ...good.slice(4)].map((each) => recordOf(each));
  const response = await createProbe(deps())({ Records: records }, context);
  assert.deepEqual(response.batchItemFailures, []);
  for (const { id } of good) assert.equal((await findVerdict(id, services.table))?.verdict.outcome, "accepted", id);
  const [letter, ...more] = await drained(services, "test-probe-dead");
  assert.deepEqual(more, []);
  assert.deepEqual(JSON.parse(letter?.Body ?? ""), bad);
  const reason = letter?.MessageAttributes?.["Reason"]?.StringValue ?? "";
  assert.match(reason, /^depth: .*rcpt.*; colour: there is no such field$/);
});

for (const [what, body, reason] of [
  ["no JSON", "hello", /^\$: this is no JSON/],
  ["a stranger's mailbox", JSON.stringify({ v: 1, kind: "probe", id: "x", recipient: "no mailbox" }), /^recipient: /],
  [
    "another version",
    JSON.stringify({ v: 2, kind: "probe", id: "x", recipient: "a@b.example" }),
    /^v: 2 is a version that this runner /,
  ],
  [
    "an egress that is not there",
    JSON.stringify({ v: 1, kind: "probe", id: "x", recipient: "a@b.example", egress: "moon" }),
    /^egress: expected one of aws, mail-1/,
  ],
] as const) {
  test(`a message that holds ${what} ends as a dead letter that says so`, async () => {
    const response = await createProbe(deps())({ Records: [recordOf(body)] }, context);
    assert.deepEqual(response.batchItemFailures, []);
    const [letter] = await drained(services, "test-probe-dead");
    assert.equal(letter?.Body, body);
    assert.match(letter?.MessageAttributes?.["Reason"]?.StringValue ?? "", reason);
  });
}

test("a request that comes again, in the same batch, at the same time or later, is probed once", async () => {
  const { id, ...rest } = request("open.example");
  const before = await open.connections();
  const body = { id, ...rest };
  const probe = createProbe(deps());
  const other = createProbe(deps());
  await Promise.all([
    probe({ Records: [recordOf(body), recordOf(body)] }, context),
    other({ Records: [recordOf(body)] }, context),
  ]);
  await probe({ Records: [recordOf(body)] }, context);
  // One that had to wait for the other process's lease is in the queue again.
  for (const message of await drained(services, "test-probe")) {
    await probe({ Records: [recordOfMessage(message)] }, context);
  }
  assert.equal((await open.connections()) - before, 1);
  assert.equal((await findVerdict(id, services.table))?.duplicates, 3);
});

test("an id that comes again for another request is a fault", async () => {
  const { id } = request("open.example");
  const probe = createProbe(deps());
  await probe({ Records: [recordOf({ ...request("open.example"), id })] }, context);
  await probe({ Records: [recordOf({ ...request("icloud.example"), id })] }, context);
  const [letter] = await drained(services, "test-probe-dead");
  assert.match(
    letter?.MessageAttributes?.["Reason"]?.StringValue ?? "",
    /^id: .* was used before, for another request$/,
  );
});

test("a request that comes too late is not probed, and counted as skipped", async () => {
  const before = await open.connections();
  const skipped = (await sumOf(services, "Skipped", { Egress: "aws" })) ?? 0;
  const late = request("open.example", { notAfter: "2020-01-01T00:00:00Z" });
  assert.deepEqual(await createProbe(deps())({ Records: [recordOf(late)] }, context), { batchItemFailures: [] });
  assert.equal(await open.connections(), before);
  assert.equal(await findVerdict(late.id, services.table), null);
  assert.equal(await sumOf(services, "Skipped", { Egress: "aws" }), skipped + 1);
});

test("a record for another egress is sent on to its runner's queue, and not run", async () => {
  const before = await open.connections();
  const its = request("open.example", { egress: "mail-1" });
  await createProbe(deps())({ Records: [recordOf(its)] }, context);
  assert.equal(await open.connections(), before);
  const [message] = await drained(services, "test-probe-mail-1");
  assert.deepEqual(JSON.parse(message?.Body ?? ""), its);
});

test("while another process has the lease a request is put back, which is no attempt", async () => {
  const lease = { provider: "open", egress: "aws", owner: "somebody" };
  assert.notEqual((await acquire(lease, 60_000, services.table)).lease, null);
  const before = await open.connections();
  const its = request("open.example");
  assert.deepEqual(await createProbe(deps())({ Records: [recordOf(its)] }, context), { batchItemFailures: [] });
  assert.equal(await open.connections(), before);
  await acquire(lease, 0, services.table);
  const [message, ...more] = await drained(services, "test-probe");
  assert.deepEqual(more, []);
  assert.deepEqual(JSON.parse(message?.Body ?? ""), its);
  assert.equal(message?.MessageAttributes?.["Waits"]?.StringValue, "1");
  await createProbe(deps())({ Records: [recordOfMessage(message)] }, context);
  assert.equal((await findVerdict(its.id, services.table))?.verdict.outcome, "accepted");
});

test("one session at a time: requests of one provider never overlap", async () => {
  const records = Array.from({ length: 8 }, () => recordOf(request("open.example")));
  await Promise.all([
    createProbe(deps())({ Records: records.slice(0, 4) }, context),
    createProbe(deps())({ Records: records.slice(4) }, context),
  ]);
  const its = (await lastVerdicts("open", "aws", 50, services.table)).flatMap(({ verdict }) => verdict.attempts);
  const spans = its
    .map(({ startedAt, timings }) => ({ from: Date.parse(startedAt), to: Date.parse(startedAt) + timings.decidedMs }))
    .toSorted((a, b) => a.from - b.from);
  const overlapping = spans.filter(({ to }, index) => to > (spans[index + 1]?.from ?? Infinity) + 2);
  assert.deepEqual(overlapping, []);
  assert.ok(spans.length >= 8);
  await drained(services, "test-probe");
});

test("metrics that cannot be sent are told later, and nobody is probed again for them", async () => {
  const { endpoints } = services;
  const clients = await hurriedClients({ ...endpoints, cloudWatch: "http://127.0.0.1:9" });
  try {
    const its = request("open.example");
    const before = await open.connections();
    const attempts = (await sumOf(services, "Attempts", { Provider: "open", Egress: "aws" })) ?? 0;
    assert.deepEqual(await createProbe(deps({ clients }))({ Records: [recordOf(its)] }, context), {
      batchItemFailures: [],
    });
    assert.equal((await findVerdict(its.id, services.table))?.reported, false);
    assert.ok(services.entries.some((each) => each.event === "figures-unsent" && each.level === "error"));
    const [message] = await drained(services, "test-probe");
    assert.ok(message !== undefined);
    await createProbe(deps())({ Records: [recordOfMessage(message)] }, context);
    assert.equal(await open.connections(), before + 1);
    assert.equal((await findVerdict(its.id, services.table))?.reported, true);
    assert.equal(await sumOf(services, "Attempts", { Provider: "open", Egress: "aws" }), attempts + 1);
  } finally {
    closeClients(clients);
  }
});

test("in Lambda, metrics that cannot be sent go to the log, of which CloudWatch makes metrics", async () => {
  const clients = await hurriedClients({ ...services.endpoints, cloudWatch: "http://127.0.0.1:9" });
  try {
    const its = request("icloud.example");
    await createProbe(deps({ clients, logsBecomeMetrics: true }))({ Records: [recordOf(its)] }, context);
    assert.equal((await findVerdict(its.id, services.table))?.reported, true);
    const lines = services.entries.filter((each) => each.event === "figures");
    assert.ok(
      lines.some((each) => each["Provider"] === "icloud" && Array.isArray(each["Blocked"]) && each["Blocked"][0] === 1),
    );
  } finally {
    closeClients(clients);
  }
});

test("metrics at a service that never answers cost the record no more than its time", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const address = silent.address();
  const port = typeof address === "object" ? address?.port : 0;
  const clients = await hurriedClients({ ...services.endpoints, cloudWatch: `http://127.0.0.1:${port}` });
  try {
    const its = request("open.example");
    const untilMs = Date.now() + 4_500;
    const short = { getRemainingTimeInMillis: () => untilMs - Date.now() };
    const response = await createProbe(deps({ clients }))({ Records: [recordOf(its)] }, short);
    assert.deepEqual(response, { batchItemFailures: [] });
    assert.equal((await findVerdict(its.id, services.table))?.reported, false);
    assert.ok(Date.now() < untilMs, "it returned while it still had time");
  } finally {
    closeClients(clients);
    silent.close();
  }
});

test("a verdict that the table does not take travels in the queue, and is written later without another session", async () => {
  const its = request("icloud.example");
  const before = await icloud.connections();
  // The table answers until the session is over.
  const { table } = services;
  const failing = { ...services.clients, dynamo: await failingOn("PutCommand", its.id) };
  const response = await createProbe(deps({ clients: failing }))({ Records: [recordOf(its)] }, context);
  assert.deepEqual(response, { batchItemFailures: [] });
  assert.equal(await findVerdict(its.id, table), null);
  assert.ok(services.entries.some((each) => each.event === "row-unwritten" && each["id"] === its.id));
  const messages = await drained(services, "test-probe");
  const message = messages.find(({ Body }) => Body?.includes(`"${its.id}"`));
  assert.ok(message !== undefined);
  await createProbe(deps())({ Records: [recordOfMessage(message)] }, context);
  const stored = await findVerdict(its.id, table);
  assert.equal(stored?.verdict.class, "ip-reputation");
  assert.equal(stored.reported, true);
  assert.equal(await icloud.connections(), before + 1);
});

test("what a producer writes where we carry a verdict is believed by nobody", async () => {
  const its = request("open.example");
  const before = await open.connections();
  const value = gzipSync(JSON.stringify({ id: its.id, provider: "icloud", egress: "aws", blocked: false }));
  const Recorded = { dataType: "Binary" as const, binaryValue: value.toString("base64") };
  const response = await createProbe(deps())(
    { Records: [recordOf(its, { messageAttributes: { Recorded } })] },
    context,
  );
  assert.deepEqual(response, { batchItemFailures: [] });
  assert.equal(await findVerdict(its.id, services.table), null);
  assert.equal(await open.connections(), before);
  const [letter] = await drained(services, "test-probe-dead");
  assert.match(
    letter?.MessageAttributes?.["Reason"]?.StringValue ?? "",
    /^Recorded: an attribute of this name is ours/,
  );
});

test("a verdict that was carried along counts once, however often its message comes", async () => {
  const its = request("icloud.example");
  const failing = { ...services.clients, dynamo: await failingOn("PutCommand", its.id) };
  await createProbe(deps({ clients: failing }))({ Records: [recordOf(its)] }, context);
  const [message] = (await drained(services, "test-probe")).filter(({ Body }) => Body?.includes(`"${its.id}"`));
  assert.ok(message !== undefined);
  const attempts = await sumOf(services, "Attempts", { Provider: "icloud", Egress: "aws" });
  for (let copy = 0; copy < 3; copy++) await createProbe(deps())({ Records: [recordOfMessage(message)] }, context);
  assert.equal(await sumOf(services, "Attempts", { Provider: "icloud", Egress: "aws" }), attempts);
  assert.equal((await findVerdict(its.id, services.table))?.duplicates, 2);
});

test("hosts that a request names end no block of the provider whose mailbox it asks for", async () => {
  await createProbe(deps())({ Records: [recordOf(request("icloud.example"))] }, context);
  const pair = [{ provider: "icloud", egress: "aws" }];
  const [before] = await statesOf(pair, services.table);
  assert.equal(before?.block?.stage, "rcpt");
  const its = request("icloud.example", { mx: [`127.0.0.1:${open.port}`] });
  await createProbe(deps())({ Records: [recordOf(its)] }, context);
  const stored = await findVerdict(its.id, services.table);
  assert.equal(stored?.verdict.outcome, "accepted");
  assert.equal(stored.provider, "other");
  assert.equal(stored.blocked, null);
  assert.deepEqual(await statesOf(pair, services.table), [before]);
});

test("a message that is worked on again after its process died tells its figures, also if it had to wait first", async () => {
  const its = request("open.example");
  const dying = await hurriedClients({ ...services.endpoints, cloudWatch: "http://127.0.0.1:9" });
  await createProbe(deps({ clients: dying }))({ Records: [recordOf(its)] }, context);
  await drained(services, "test-probe");
  closeClients(dying);
  // As it comes again: received twice, while somebody else has the lease.
  const lease = { provider: "open", egress: "aws", owner: "somebody" };
  await acquire(lease, 60_000, services.table);
  const record = recordOf(its);
  const again = { ...record, attributes: { ...record.attributes, ApproximateReceiveCount: "2" } };
  await createProbe(deps())({ Records: [again] }, context);
  await acquire(lease, 0, services.table);
  const [message] = await drained(services, "test-probe");
  assert.ok(message !== undefined);
  await createProbe(deps())({ Records: [recordOfMessage(message)] }, context);
  assert.equal((await findVerdict(its.id, services.table))?.reported, true);
});

test("a host that answers in books is asked once, and its verdict is kept as far as a row can hold it", async () => {
  const noise = (): string => randomBytes(700).toString("base64");
  const lines = Array.from({ length: 90 }, (_, index) => `S: 550${index === 89 ? " " : "-"}5.7.1 blocked ${noise()}`);
  const group = ["C~ ^MAIL FROM", "C~ ^RCPT TO", "C: QUIT", ...lines, ...lines, ...lines, "S! fin"];
  const script = [
    "# Answers in books.",
    "S: 220 mx.example",
    "C: EHLO probe.example",
    "S: 250-mx",
    "S: 250 PIPELINING",
    ...group,
  ];
  const host = await thread.start(parseDialog(script.join("\n"), "books"), { repeat: true });
  const { config } = services;
  const given = { ...config, hosts: { ...config.hosts, "books.example": [`127.0.0.1:${host.port}`] } };
  const its = request("books.example");
  assert.deepEqual(await createProbe(deps({ config: given }))({ Records: [recordOf(its)] }, context), {
    batchItemFailures: [],
  });
  const stored = await findVerdict(its.id, services.table);
  assert.equal(stored?.verdict.outcome, "rejected");
  assert.match(stored.verdict.primary.text, /^550-5\.7\.1 blocked /);
  assert.equal(await host.connections(), 1);
});

/** Egresses that this machine cannot leave by, and a gap that would keep others from the provider. */
function misconfigured(more: Partial<ProbeDeps> = {}): ProbeDeps {
  const password = { env: "NOT_SET" };
  const given = configFor(services.config.hosts, {
    egresses: [
      { name: "gone", runner: "functions", via: { type: "direct", bind: "203.0.113.77" } },
      { name: "unset", runner: "functions", via: { type: "socks5", host: "127.0.0.1", username: "us", password } },
    ],
    limits: { sessionSeconds: 5, gapSeconds: 60 },
  });
  return deps({ config: given, ...more });
}

/** The same egress, mended. */
function wholeFor(egress: string): ProbeDeps["config"] {
  return configFor(services.config.hosts, { egresses: [{ name: egress, runner: "functions" }] });
}

/** Whether somebody may ask the provider now: no gap is left. */
async function isFree(provider: string, egress: string): Promise<boolean> {
  const lease = { provider, egress, owner: "somebody" };
  const { lease: ours } = await acquire(lease, 60_000, services.table);
  if (ours !== null) await release(lease, 0, services.table);
  return ours !== null;
}

for (const [egress, reason] of [
  ["gone", /^egress gone: 203\.0\.113\.77 is not an address of this machine/],
  ["unset", /^egress unset: .* NOT_SET is not set/],
] as const) {
  test(`requests for the egress ${egress}, which cannot be left by, are dead letters at once, each with the reason`, async () => {
    const its = [1, 2, 3].map(() => request("open.example", { egress }));
    const before = await open.connections();
    const response = await createProbe(misconfigured())({ Records: its.map((each) => recordOf(each)) }, context);
    assert.deepEqual(response, { batchItemFailures: [] });
    const letters = await drained(services, "test-probe-dead");
    assert.deepEqual(letters.map(({ Body }) => (JSON.parse(Body ?? "") as { id: string }).id).toSorted(), its.map(({ id }) => id).toSorted()); // prettier-ignore
    for (const each of letters) assert.match(each.MessageAttributes?.["Reason"]?.StringValue ?? "", reason);
    assert.deepEqual(await drained(services, "test-probe"), []);
    assert.equal(await open.connections(), before);
    assert.ok(await isFree("open", egress), "nobody was asked, and nobody waits for that");
  });

  test(`what the schedule asks of the egress ${egress} waits, floods nothing, and one self-check tells`, async () => {
    const notAfter = new Date(Date.now() + 600_000).toISOString();
    const rounds = [1, 2, 3].map(() => request("open.example", { egress, notAfter }));
    const probe = createProbe(misconfigured());
    for (const each of rounds) {
      assert.deepEqual(await probe({ Records: [recordOf(each)] }, context), { batchItemFailures: [] });
      // What is put back is worked on after a while, with the self-check that was wanted.
      const messages = await drained(services, "test-probe");
      const checks = messages.filter(({ Body }) => Body?.includes('"self-check"'));
      assert.equal(checks.length, each === rounds[0] ? 1 : 0, "one is enough");
      const [waiting, ...more] = messages.filter((message) => !checks.includes(message));
      assert.deepEqual([JSON.parse(waiting?.Body ?? ""), more], [each, []]);
      await probe({ Records: checks.map(recordOfMessage) }, context);
    }
    assert.deepEqual(await drained(services, "test-probe-dead"), []);
    const { selfCheck } = (await lastSelfCheck(egress, services.table)) ?? assert.fail("there is no self-check");
    const address = selfCheck.checks.find(({ check }) => check === "address");
    assert.equal(address?.standing, "fault");
    assert.match(address.text, reason);
    // The alarm's figure is there, and no second alarm's.
    assert.ok(((await sumOf(services, "SelfCheckFaults", { Egress: egress })) ?? 0) >= 1);
    assert.equal(await sumOf(services, "Misconfigured", { Egress: egress }), null);
    assert.ok(await isFree("open", egress));
  });

  test(`what waits for the egress ${egress} is probed when that is mended, or counted as skipped when its time is over`, async () => {
    const [mended, late] = [600_000, -1_000].map((leftMs) => {
      return request("open.example", { egress, notAfter: new Date(Date.now() + leftMs).toISOString() });
    });
    assert.ok(mended !== undefined && late !== undefined);
    const earlier = (): Date => new Date(Date.now() - 60_000);
    await createProbe(misconfigured({ now: earlier }))({ Records: [recordOf(mended), recordOf(late)] }, context);
    const messages = await drained(services, "test-probe");
    const recordFor = ({ id }: { readonly id: string }) =>
      recordOfMessage(messages.find(({ Body }) => Body?.includes(`"${id}"`)) ?? assert.fail(`${id} is lost`));
    await createProbe(deps({ config: wholeFor(egress) }))({ Records: [recordFor(mended)] }, context);
    assert.equal((await findVerdict(mended.id, services.table))?.verdict.outcome, "accepted");
    const before = (await sumOf(services, "Skipped", { Egress: egress })) ?? 0;
    await createProbe(misconfigured())({ Records: [recordFor(late)] }, context);
    assert.equal(await findVerdict(late.id, services.table), null);
    assert.equal(await sumOf(services, "Skipped", { Egress: egress }), before + 1);
  });
}

test("another copy of a request that was probed is one, though its egress cannot be left by any more", async () => {
  const its = request("open.example", { egress: "gone" });
  await createProbe(deps({ config: wholeFor("gone") }))({ Records: [recordOf(its)] }, context);
  await createProbe(misconfigured())({ Records: [recordOf(its)] }, context);
  assert.equal((await findVerdict(its.id, services.table))?.duplicates, 1);
  assert.deepEqual(await drained(services, "test-probe-dead"), []);
});

test("a provider that was asked is left alone for the gap", async () => {
  const whole = wholeFor("spaced");
  const config = { ...whole, limits: { ...whole.limits, gapSeconds: 60 } };
  await createProbe(deps({ config }))({ Records: [recordOf(request("open.example", { egress: "spaced" }))] }, context);
  assert.equal(await isFree("open", "spaced"), false);
});

test("a fault of ours before anybody is asked fails the record, and keeps nobody from the provider", async () => {
  const its = request("open.example");
  const record = recordOf(its);
  const { config } = services;
  const patient = { ...config, limits: { ...config.limits, gapSeconds: 60 } };
  const clients = { ...services.clients, dynamo: await failingOn("GetCommand", its.id) };
  const response = await createProbe(deps({ config: patient, clients }))({ Records: [record] }, context);
  assert.deepEqual(response, { batchItemFailures: [{ itemIdentifier: record.messageId }] });
  assert.ok(await isFree("open", "aws"));
});

/** The real client, whose requests of one kind that hold a text find nobody. */
async function failingOn(name: string, text: string): Promise<Services["clients"]["dynamo"]> {
  const { dynamo } = await hurriedClients(services.endpoints);
  dynamo.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const isIts = JSON.stringify(args.input).includes(text);
        if (isIts && commandName === name.replace("Command", "ItemCommand"))
          throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
        return await next(args);
      },
    { step: "initialize" },
  );
  return dynamo;
}

test("where there is no time left for a session the request is put back", async () => {
  const its = request("open.example");
  const before = await open.connections();
  const response = await createProbe(deps())({ Records: [recordOf(its)] }, { getRemainingTimeInMillis: () => 2_000 });
  assert.deepEqual(response, { batchItemFailures: [] });
  assert.equal(await open.connections(), before);
  const [message] = await drained(services, "test-probe");
  assert.deepEqual(JSON.parse(message?.Body ?? ""), its);
});

test("where the table is away before a session the record fails, and nobody is asked", async () => {
  const clients = await hurriedClients({ ...services.endpoints, dynamo: "http://127.0.0.1:9" });
  try {
    const before = await open.connections();
    const record = recordOf(request("open.example"));
    const response = await createProbe(deps({ clients }))({ Records: [record] }, context);
    assert.deepEqual(response, { batchItemFailures: [{ itemIdentifier: record.messageId }] });
    assert.equal(await open.connections(), before);
  } finally {
    closeClients(clients);
  }
});

test("hosts that a request names are guarded where the configuration does not allow private addresses", async () => {
  const { config } = services;
  const strict = { ...config, requests: { ...config.requests, privateAddresses: false } };
  const before = await open.connections();
  const its = request("open.example", { mx: [`127.0.0.1:${open.port}`] });
  await createProbe(deps({ config: strict }))({ Records: [recordOf(its)] }, context);
  const stored = await findVerdict(its.id, services.table);
  assert.equal(stored?.verdict.outcome, "unanswered");
  assert.match(stored.verdict.primary.text, /loopback/);
  assert.equal(await open.connections(), before);
});

test("recipients are masked in all that is kept and logged, where the configuration says so", async () => {
  const { config } = services;
  const discreet = { ...config, history: { ...config.history, maskRecipients: true } };
  const its = request("open.example");
  await createProbe(deps({ config: discreet }))({ Records: [recordOf(its)] }, context);
  const stored = await findVerdict(its.id, services.table);
  assert.equal(stored?.recipient, "p***@open.example");
  assert.doesNotMatch(JSON.stringify(stored), /probe@open\.example/);
  const entry = services.entries.find((each) => each.event === "verdict" && each["id"] === its.id);
  assert.doesNotMatch(JSON.stringify(entry), /probe@open\.example/);
});

test("a domain that is called like something of every object has no hosts of the configuration's", async () => {
  const { config } = services;
  const its = request("open.example", { recipient: "probe@constructor" });
  await createProbe(deps())({ Records: [recordOf(its)] }, context);
  const stored = await findVerdict(its.id, services.table);
  assert.equal(stored?.verdict.primary.stage, "dns");
  assert.equal(Object.hasOwn(config.hosts, "constructor"), false);
});
