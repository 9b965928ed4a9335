// What a probe is told holds sends, and lets them go: through the handler, with a host on loopback.
import { GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createProbe } from "../../functions/probe.ts";
import type { ProbeDeps } from "../../functions/probe/runs.ts";
import { openSecrets } from "../../functions/secrets.ts";
import { holdsOn } from "../../functions/state/holds.ts";
import { changeBlock, statesOf } from "../../functions/state/pairs.ts";
import { findVerdict } from "../../functions/state/verdicts.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";
import {
  configFor,
  context,
  drained,
  hurriedClients,
  recordOf,
  startServices,
  type Services,
} from "../support/services.ts";

const thread = new MailHosts();
let services: Services;
let asked = 0;

const session = (name: string, reply: string): string =>
  [
    `# ${name}.`,
    "S: 220 mx.example ESMTP",
    "C: EHLO probe.example",
    "S: 250-mx.example",
    "S: 250 PIPELINING",
    "C~ ^MAIL FROM",
    "C~ ^RCPT TO",
    "C: QUIT",
    "S: 250 2.1.0 ok",
    `S: ${reply}`,
    "S: 221 bye",
  ].join("\n");

async function hostThatSays(reply: string): Promise<MailHost> {
  return await thread.start(parseDialog(session("Says so", reply), "host"), { repeat: true });
}

before(async () => {
  const places = await Promise.all(
    [
      ["listed.example", "550 5.7.1 192.0.2.25 is listed in Spamhaus PBL"],
      ["unsigned.example", "550 5.7.26 sender.example fails DMARC"],
      ["open.example", "250 2.1.5 ok"],
      ["nobody.example", "550 5.1.1 no such user"],
    ].map(async ([domain = "", reply = ""]) => [domain, [`127.0.0.1:${(await hostThatSays(reply)).port}`]] as const),
  );
  services = await startServices(configFor(Object.fromEntries(places), { sends: {} }));
});

after(async () => {
  await services[Symbol.asyncDispose]();
  await thread.close();
});

function deps(more: Partial<ProbeDeps> = {}): ProbeDeps {
  const { config, clients, log } = services;
  const secrets = openSecrets({}, { log: () => {} });
  const given = { config, clients, log, secrets, now: () => new Date(), resolver: "127.0.0.1:9" };
  return { ...given, runner: "functions", logsBecomeMetrics: false, ...more };
}

async function probe(domain: string, more: Partial<ProbeDeps> = {}): Promise<string> {
  const id = `held-${++asked}`;
  const request = { v: 1, kind: "probe", id, recipient: `probe@${domain}`, egress: "aws" };
  const response = await createProbe(deps(more))({ Records: [recordOf(request)] }, context);
  assert.deepEqual(response, { batchItemFailures: [] });
  return id;
}

async function heldAt(provider: string): Promise<readonly string[]> {
  const holds = await holdsOn({ provider, egress: "aws", domain: "sender.example" }, services.table);
  return holds.map(({ key, class: kind }) => `${key.about} ${kind}`);
}

for (const [provider, held] of [
  ["listed", ["ip ip-reputation"]],
  ["unsigned", ["domain authentication"]],
  ["nobody", []],
  ["open", []],
] as const) {
  test(`a probe of "${provider}" holds ${held.join() || "nobody"}`, async () => {
    const id = await probe(`${provider}.example`);
    assert.deepEqual(await heldAt(provider), held);
    const told = services.entries.filter((each) => each.event === "held" && each["id"] === id);
    assert.deepEqual(told.map(({ about }) => about), held.map((each) => each.split(" ")[0])); // prettier-ignore
  });
}

test("a probe that gets past the refusal lets sends go, and the log says so", async () => {
  await probe("listed.example");
  assert.equal((await heldAt("listed")).length, 1);
  const { config } = services;
  const hosts = { ...config.hosts, "listed.example": config.hosts["open.example"] ?? [] };
  const id = await probe("listed.example", { config: { ...config, hosts } });
  assert.deepEqual(await heldAt("listed"), []);
  assert.ok(services.entries.some((each) => each.event === "released" && each["id"] === id));
});

test("where holds cannot be written, the probe is none the worse, and the log says so", async () => {
  const dynamo = await onPut(async (pk) => {
    if (pk.startsWith("hold#")) throw new Error("no holds today");
    return await Promise.resolve();
  });
  await holdsGone("listed");
  const id = await probe("listed.example", { clients: { ...services.clients, dynamo } });
  assert.ok(services.entries.some((each) => each.event === "holds-unwritten" && each["id"] === id));
  assert.equal((await findVerdict(id, services.table))?.reported, true);
});

/** The real client, which does something else before it puts a row. */
async function onPut(act: (pk: string) => Promise<void>): Promise<Services["clients"]["dynamo"]> {
  const { dynamo } = await hurriedClients(services.endpoints);
  dynamo.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { Item } = args.input as { readonly Item?: { readonly pk?: unknown } };
        if (commandName === "PutItemCommand") await act(String(Item?.pk));
        return await next(args);
      },
    { step: "initialize" },
  );
  return dynamo;
}

/** How often something was told in the last hour, whatever it was. */
async function countOf(name: string, dimensions: Readonly<Record<string, string>>): Promise<number> {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: "DeliveryProbe", MetricName: name, Dimensions };
  const { MetricDataResults = [] } = await services.clients.cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [{ Id: "m", MetricStat: { Metric, Period: 60, Stat: "SampleCount" } }],
    }),
  );
  return (MetricDataResults[0]?.Values ?? []).reduce((sum, each) => sum + each, 0);
}

async function holdsGone(provider: string): Promise<void> {
  const pk = `hold#ip#${provider}#aws`;
  await services.table.client.delete({ TableName: services.table.name, Key: { pk } });
}

test("a green probe says nothing of a block that a send was told of while it ran, and does not end it", async () => {
  const its = { provider: "open", egress: "aws" };
  const block = { stage: "message", host: "127.0.0.1", since: new Date().toISOString(), id: "send/1" } as const;
  // The send writes when the probe's session is over, and before the probe writes what follows from it.
  const dynamo = await onPut(async (pk) => {
    if (!pk.startsWith("request#")) return;
    const last = { id: block.id, at: block.since };
    await changeBlock(its, (pair) => ({ state: { ...pair, block, last } }), services.table);
  });
  const pair = { Provider: "open", Egress: "aws" };
  const told = await countOf("Blocked", pair);
  const accepted = await countOf("Accepted", pair);
  await probe("open.example", { clients: { ...services.clients, dynamo } });
  const [state] = await statesOf([its], services.table);
  assert.deepEqual(state?.block, block);
  assert.equal(await countOf("Accepted", pair), accepted + 1);
  assert.equal(await countOf("Blocked", pair), told);
});

test("a send that came to the queue of probes is sent on to its own", async () => {
  const request = { v: 1, kind: "wake", id: "order-1", domain: "open.example", egress: "aws" };
  await createProbe(deps())({ Records: [recordOf(request)] }, context);
  const [message] = await drained(services, "test-send");
  assert.deepEqual(JSON.parse(message?.Body ?? "{}"), request);
});
