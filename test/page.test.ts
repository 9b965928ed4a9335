import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { CreateTopicCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { openClients } from "../functions/clients.ts";
import { createPage, PageFault, type PageDeps, type PageHandler } from "../functions/page.ts";
import { openSecrets, type Secrets } from "../functions/secrets.ts";
import { AlarmChangeFault } from "../functions/page/alarm-change.ts";
import { begin, BusyFault } from "../functions/page/telling.ts";
import { alarmsOf } from "../functions/report/alarms.ts";
import type { Entry } from "../functions/report/log.ts";
import { settled } from "./support/settled.ts";
import { tableDefinition, type Table } from "../functions/state/table.ts";
import { putVerdict } from "../functions/state/verdicts.ts";
import { startSink, type Sink } from "../infra/local/sink.ts";
import { alarmOf, changed, configWith, icloudBlocks, stored } from "./page/sample.ts";
import { context, drained, startServices, type Services } from "./support/services.ts";

let services: Services;
before(async () => {
  services = await startServices(configWith({ name: "pages" }));
});
after(async () => services[Symbol.asyncDispose]());

/** A function with routes and a table of its own. */
interface Setting {
  readonly page: PageHandler;
  readonly deps: PageDeps;
  readonly table: Table;
  readonly entries: readonly Entry[];
}

async function setting(routes: readonly object[], more: Partial<PageDeps> = {}): Promise<Setting> {
  const name = `probes-${crypto.randomUUID().slice(0, 8)}`;
  await services.clients.dynamo.send(new CreateTableCommand(tableDefinition(name)));
  const entries: Entry[] = [];
  const deps: PageDeps = {
    config: configWith({ name, onCall: { routes } }),
    clients: services.clients,
    now: () => new Date(),
    secrets: secretsIn({}),
    log: (entry) => void entries.push(entry),
    ...more,
  };
  return { page: createPage(deps), deps, table: { ...services.table, name }, entries };
}

function secretsIn(env: NodeJS.ProcessEnv): Secrets {
  return openSecrets(env, { log: () => {} });
}

async function oneSink(): Promise<Sink> {
  return await startSink({ port: 0, onPage: () => {} });
}

function hook(name: string, { url }: Pick<Sink, "url">): object {
  return { type: "webhook", name, url: `${url}/webhook` };
}

const firedAt = "2026-11-24T11:31:00.000Z";
const laterAt = "2026-11-24T11:41:00.000Z";

interface Given {
  readonly alarm?: string;
  readonly from?: string;
  readonly to?: string;
  readonly at?: string;
  readonly suppressed?: string;
  readonly reason?: string;
}

/** As CloudWatch calls a function. */
function direct({ page: _, deps }: Setting, given: Given = {}): object {
  const { alarm, from = "OK", to = "ALARM", at = firedAt, suppressed, reason = changed.reason } = given;
  return {
    source: "aws.cloudwatch",
    alarmData: {
      alarmName: alarm ?? `${deps.config.name}-blocked-icloud-mail-1`,
      state: { value: to, reason, timestamp: at.replace("Z", "+0000") },
      previousState: { value: from, ...(suppressed === undefined ? {} : { actionsSuppressedBy: suppressed }) },
      configuration: { description: "iCloud refuses the IP" },
    },
  };
}

/** The same as SNS calls it. */
function bySns({ deps }: Setting, { alarm, from = "OK", to = "ALARM", at = firedAt }: Given = {}): object {
  const message = {
    AlarmName: alarm ?? `${deps.config.name}-blocked-icloud-mail-1`,
    NewStateValue: to,
    NewStateReason: changed.reason,
    OldStateValue: from,
    StateChangeTime: at.replace("Z", "+0000"),
  };
  return { Records: [{ EventSource: "aws:sns", Sns: { Type: "Notification", Message: JSON.stringify(message) } }] };
}

const firing = { from: "OK", to: "ALARM", at: firedAt };
const clearing = { from: "ALARM", to: "OK", at: laterAt };

test("a page has the host's words out of the table, and goes by every kind of route", async () => {
  await using sink = await oneSink();
  const topic = await topicWithQueue("pages");
  const given = await setting(
    [
      { type: "sns", name: "mail", topicArn: topic },
      { type: "slack", name: "chat", url: `${sink.url}/slack` },
      { type: "teams", name: "teams", url: { env: "TEAMS" } },
      { type: "pagerduty", name: "pager", routingKey: { env: "KEY" }, url: `${sink.url}/pagerduty/v2/enqueue` },
      hook("hook", sink),
    ],
    { secrets: secretsIn({ TEAMS: `${sink.url}/teams`, KEY: "k".repeat(32) }) },
  );
  const verdict = stored("icloud", [icloudBlocks]);
  await putVerdict({ ...verdict, at: new Date().toISOString() }, given.table);
  const block = {
    stage: "rcpt",
    host: "mx01.mail.icloud.com",
    since: "2026-11-24T11:15:00.000Z",
    id: verdict.id,
  } as const;
  const last = { id: verdict.id, at: verdict.at };
  await settled({ provider: "icloud", egress: "mail-1", block, last, notBefore: null, clearedAt: null }, given.table);
  const { page, deliveries, why } = await given.page(direct(given), context);
  assert.equal(why, "delivered");
  assert.deepEqual(
    deliveries.map(({ route, ok, tries }) => `${route} ${ok} ${tries}`),
    ["mail true 1", "chat true 1", "teams true 1", "pager true 1", "hook true 1"],
  );
  assert.match(page?.title ?? "", /^iCloud blocks 192\.0\.2\.25: 550 5\.7\.1 192\.0\.2\.25 is in Spamhaus PBL/);
  assert.match(page?.facts.find(({ label }) => label === "Since")?.value ?? "", /^2026-11-24 11:15 UTC/);
  assert.deepEqual(sink.received().map(({ kind }) => kind).toSorted(), ["pagerduty", "slack", "teams", "webhook"]); // prettier-ignore
  assert.ok(sink.received().every(({ title }) => title.startsWith("iCloud blocks 192.0.2.25")));
  const mails = await drained(services, "pages", 1);
  assert.equal(mails.length, 1);
  assert.match(mails[0]?.Body ?? "", /^iCloud blocks 192\.0\.2\.25.*\n[^]*> 550-5\.7\.1 192/);
  assert.deepEqual(given.entries.map(({ event, level }) => `${event} ${level}`), ["page info"]); // prettier-ignore
});

async function topicWithQueue(queue: string): Promise<string> {
  const { sns, sqs } = services.clients;
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: queue }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: queue }));
  const raw = { RawMessageDelivery: "true" };
  await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: Attributes?.["QueueArn"], Attributes: raw }),
  );
  return TopicArn;
}

test("a change that comes by both ways at once, and again later, is one page by each route", async () => {
  await using one = await oneSink();
  await using other = await oneSink();
  const given = await setting([hook("one", one), hook("other", other)]);
  const events = [direct(given), bySns(given), direct(given), bySns(given)];
  const results = await Promise.all(events.map(async (event) => await given.page(event, context)));
  results.push(await given.page(bySns(given), context));
  assert.deepEqual(
    results.map(({ why }) => why).toSorted(),
    ["delivered", "duplicate", "duplicate", "duplicate", "duplicate"],
  ); // prettier-ignore
  assert.deepEqual([one.received().length, other.received().length], [1, 1]);
});

const untold: readonly (Given & { readonly is: string; readonly why: string; readonly event?: typeof direct })[] = [
  { is: "no data after an alarm", from: "ALARM", to: "INSUFFICIENT_DATA", why: "no-page-state" },
  { is: "no data from the start", from: "OK", to: "INSUFFICIENT_DATA", why: "no-page-state" },
  { is: "OK after no data", from: "INSUFFICIENT_DATA", to: "OK", why: "no-page-state" },
  { is: "another's alarm", alarm: "their-cpu", why: "not-ours" },
  { is: "the end of a block that a wider alarm spoke for", from: "ALARM", to: "OK", suppressed: "Alarm", why: "not-told" }, // prettier-ignore
  { is: "the end of a block that SNS alone tells, and nobody heard of", from: "ALARM", to: "OK", why: "not-told", event: bySns }, // prettier-ignore
];

for (const { is, why, event = direct, ...change } of untold) {
  test(`nobody is woken for ${is}`, async () => {
    await using sink = await oneSink();
    const given = await setting([hook("hook", sink)]);
    const result = await given.page(event(given, change), context);
    assert.deepEqual(result, { page: null, deliveries: [], why });
    assert.equal(sink.received().length, 0);
    assert.deepEqual(given.entries.map(({ event }) => event), ["no-page"]); // prettier-ignore
  });
}

test("nobody is woken for an alarm of ours that pages by another", async () => {
  await using sink = await oneSink();
  const given = await setting([hook("hook", sink)]);
  const quiet = alarmsOf(given.deps.config).filter(({ pages }) => !pages);
  assert.ok(quiet.length > 0);
  for (const { name } of quiet) {
    assert.equal((await given.page(direct(given, { alarm: name }), context)).why, "not-ours");
  }
  assert.equal(sink.received().length, 0);
});

test("what is no change of an alarm's state is a fault that says what came", async () => {
  const given = await setting([]);
  await assert.rejects(given.page({ Records: [{ s3: {} }] }, context), (error: unknown) => {
    return error instanceof AlarmChangeFault && error.message.includes("s3");
  });
});

test("a firing and its end are two pages of one key, and a firing that comes after its end is none", async () => {
  await using sink = await oneSink();
  const given = await setting([hook("hook", sink)]);
  const states = [];
  for (const change of [firing, clearing, clearing]) {
    states.push((await given.page(direct(given, change), context)).page);
  }
  assert.deepEqual(states.map((page) => page?.state), ["firing", "recovered", undefined]); // prettier-ignore
  assert.equal(states[0]?.dedupKey, states[1]?.dedupKey);
  assert.match(states[1]?.facts.find(({ label }) => label === "Stood")?.value ?? "", /^10 min, from/);
  const late = await given.page(direct(given, { ...firing, at: "2026-11-24T11:40:00.000Z" }), context);
  assert.equal(late.why, "overtaken");
  assert.equal(sink.received().length, 2);
});

test("a recovery is told although its firing was noted nowhere, for the table was away when it went out", async () => {
  await using sink = await oneSink();
  const given = await setting([hook("hook", sink)]);
  await given.page(direct(given, firing), context);
  await given.page(direct(given, clearing), context);
  const unnoted = await given.page(direct(given, { ...clearing, at: "2026-11-24T12:30:00.000Z" }), context);
  assert.equal(unnoted.page?.state, "recovered");
});

test("the end of a drill says that it was one", async () => {
  await using sink = await oneSink();
  const given = await setting([hook("hook", sink)]);
  await given.page(direct(given, { ...firing, reason: "drill: a rehearsal" }), context);
  await given.page(direct(given, clearing), context);
  assert.deepEqual(
    sink.received().map(({ title }) => /^(?:DRILL: )?(?:Recovered: )?/.exec(title)?.[0]),
    ["DRILL: ", "DRILL: Recovered: "],
  );
});

test("where one route fails, the others have the page, and the next call brings it by that one alone", async () => {
  await using well = await oneSink();
  await using ill = await oneSink();
  const given = await setting([hook("well", well), hook("ill", ill)]);
  ill.fail({ status: 503, times: 3 });
  await assert.rejects(given.page(direct(given), context), (error: unknown) => {
    return error instanceof PageFault && /ill: it answered 503/.test(error.message) && !/well/.test(error.message);
  });
  assert.deepEqual([well.received().length, ill.received().length], [1, 0]);
  const again = await given.page(direct(given), context);
  assert.deepEqual(again.deliveries.map(({ route, ok }) => `${route} ${ok}`), ["well true", "ill true"]); // prettier-ignore
  assert.deepEqual([well.received().length, ill.received().length], [1, 1]);
  assert.equal((await given.page(bySns(given), context)).why, "duplicate");
});

test("a route that refuses for good does not call for another try where another has the page", async () => {
  await using well = await oneSink();
  await using revoked = await oneSink();
  const given = await setting([hook("well", well), hook("revoked", revoked)]);
  revoked.fail({ status: 403, times: 1 });
  const { deliveries, why } = await given.page(direct(given), context);
  assert.equal(why, "delivered");
  assert.deepEqual(deliveries.map(({ ok, tries }) => `${ok} ${tries}`), ["true 1", "false 1"]); // prettier-ignore
  assert.equal(given.entries.find(({ event }) => event === "page")?.level, "error");
  assert.equal((await given.page(direct(given), context)).why, "duplicate");
});

test("where every route fails it throws, and logs the page as text, and the next call is not too late", async () => {
  await using sink = await oneSink();
  const given = await setting([hook("hook", sink)]);
  sink.fail({ status: 401, times: 1 });
  await assert.rejects(given.page(direct(given), context), PageFault);
  const logged = given.entries.find(({ event }) => event === "page");
  assert.match(String(logged?.["text"]), /^iCloud blocks/);
  await given.page(direct(given), context);
  assert.equal(sink.received().length, 1);
});

test("a service that never answers holds up no other route", async () => {
  await using sink = await oneSink();
  await using hanging = await startHanging();
  const given = await setting([hook("hangs", hanging), hook("hook", sink)]);
  const untilMs = performance.now() + 5_000;
  const hurried = { getRemainingTimeInMillis: (): number => untilMs - performance.now() };
  await assert.rejects(given.page(direct(given), hurried), /hangs: it did not answer in time$/);
  assert.equal(sink.received().length, 1);
});

async function startHanging(): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("a page whose teller died is told by the next call", async () => {
  await using sink = await oneSink();
  const given = await setting([hook("hook", sink)]);
  await dyingTeller(given, 500);
  const { why } = await given.page(direct(given), context);
  assert.equal(why, "delivered");
  assert.equal(sink.received().length, 1);
});

test("while another call is at it and outlasts ours, ours fails, so that the change comes again", async () => {
  await using sink = await oneSink();
  const given = await setting([hook("hook", sink)]);
  await dyingTeller(given, 60_000);
  await assert.rejects(given.page(direct(given), { getRemainingTimeInMillis: () => 3_000 }), BusyFault);
  assert.equal(sink.received().length, 0);
});

/** Who begins, and is not heard of again. */
async function dyingTeller({ deps, table }: Setting, holdMs: number): Promise<void> {
  const alarm = alarmOf("blocked", deps.config, { provider: "icloud" });
  const change = { ...changed, alarmName: alarm.name, at: firedAt };
  const begun = await begin(change, alarm, { owner: "dead", holdMs, tableLimitMs: 5_000 }, table);
  assert.ok(typeof begun !== "string");
}

test("without the table the page goes out all the same, without history, and so do the other pages", async () => {
  await using sink = await oneSink();
  const away = await openClients(["dynamo", "sns"], { ...services.endpoints, dynamo: "http://127.0.0.1:1" });
  const given = await setting([hook("hook", sink)], { clients: away });
  for (const change of [firing, clearing]) {
    const { why, page } = await given.page(direct(given, change), context);
    assert.equal(why, "delivered");
    assert.match(page?.facts.find(({ label }) => label === "History")?.value ?? "", /^not read/);
  }
  assert.deepEqual(sink.received().map(({ title }) => title.startsWith("Recovered")), [false, true]); // prettier-ignore
  assert.equal(given.entries.filter(({ event }) => event === "page-unmarked").length, 2);
  // A wider alarm had spoken for it, as the change itself shows.
  const freed = await given.page(direct(given, { from: "INSUFFICIENT_DATA", to: "OK", suppressed: "Alarm" }), context);
  assert.equal(freed.why, "not-told");
});

test("without the table and without a route that works it throws", async () => {
  const away = await openClients(["dynamo", "sns"], { ...services.endpoints, dynamo: "http://127.0.0.1:1" });
  const given = await setting([hook("gone", { url: "http://127.0.0.1:1" })], { clients: away });
  await assert.rejects(given.page(direct(given), context), PageFault);
});

test("where no route is configured the page is in the log", async () => {
  const given = await setting([]);
  const { why, page } = await given.page(direct(given), context);
  assert.equal(why, "no-routes");
  assert.equal(page?.state, "firing");
  const [logged] = given.entries;
  assert.equal(logged?.level, "warn");
  assert.match(String(logged["text"]), /^iCloud blocks/);
});

test("a key that a route needs and that is not set is named, and no secret is in result or log", async () => {
  await using sink = await oneSink();
  const given = await setting([
    { type: "slack", name: "chat", url: { env: "CHAT_URL" } },
    { type: "webhook", name: "hook", url: `${sink.url}/T0123SECRET`, headers: { authorization: "Bearer hidden-key" } },
    hook("well", sink),
  ]);
  const { deliveries } = await given.page(direct(given), context);
  assert.match(deliveries[0]?.fault ?? "", /CHAT_URL is not set/);
  assert.match(deliveries[1]?.fault ?? "", /^it answered 404/);
  const told = JSON.stringify([deliveries, given.entries]);
  assert.doesNotMatch(told, /SECRET|hidden-key/);
});
