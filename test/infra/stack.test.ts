// The whole local stack, end to end: what a client puts on the queue becomes a verdict, a figure, an alarm and a page,
// by the SDK over HTTP; and what it keeps in a folder survives a SIGKILL.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { DeleteTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { lastSelfCheck } from "../../functions/state/self-checks.ts";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import type { Endpoints } from "../../infra/local/endpoints.ts";
import { selfChecksIn } from "../../functions/queue/due.ts";
import { startStack, type Stack, type StackEvent, type StackOptions } from "../../infra/local/stack.ts";

const folders: string[] = [];
const children: ChildProcess[] = [];
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(folders.map((each) => rm(each, { recursive: true, force: true })));
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "stack-"));
  folders.push(made);
  return made;
}

const document = {
  name: "test",
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [
    { name: "aws", runner: "functions", address: "192.0.2.25" },
    { name: "mail-1", runner: "worker", address: "192.0.2.26" },
  ],
  targets: [{ provider: "icloud", recipient: "probe@icloud.example", everyMinutes: 5 }],
  alarms: { blocked: { datapoints: 1, of: 1 } },
  limits: { sessionSeconds: 3 },
};
const config = checkConfig(document).value as Config;
const options: StackOptions = { config, state: null, speed: 240, blocked: [], env: {}, run: true };

/** A stranger's client: it knows the URL of a queue and nothing else. */
function plainClient(): SQSClient {
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  return new SQSClient({ region: "us-east-1", credentials: { accessKeyId: "x", secretAccessKey: "x" }, logger });
}

function requestOf(id: string, more: object = {}): string {
  return JSON.stringify({ v: 1, kind: "probe", id, recipient: "probe@icloud.example", ...more });
}

/** Looks again until there is something. What never comes fails the test. */
async function found<T>(what: string, look: () => Promise<T | null | undefined> | T | null | undefined): Promise<T> {
  for (const endMs = Date.now() + 40_000; Date.now() < endMs; await sleep(50)) {
    const it = await look();
    if (it !== null && it !== undefined) return it;
  }
  return assert.fail(`never came: ${what}`);
}

interface Row {
  readonly id: string;
  readonly egress: string;
  readonly outcome: string;
  readonly stage: string;
}

/** Verdicts in the table, as a stranger reads it. */
async function rowOf(id: string, { dynamodb, table }: Endpoints): Promise<Row | undefined> {
  const credentials = { accessKeyId: "x", secretAccessKey: "x" };
  const client = new DynamoDBClient({ endpoint: dynamodb, region: "us-east-1", credentials });
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
  client.destroy();
  const row = Items.find((each) => each["id"]?.S === id && each["outcome"] !== undefined);
  const text = (name: string): string => row?.[name]?.S ?? "";
  return row === undefined ? undefined : { id, egress: text("egress"), outcome: text("outcome"), stage: text("stage") };
}

function listen(stack: Stack): StackEvent[] {
  const events: StackEvent[] = [];
  stack.onEvent((event) => events.push(event));
  return events;
}

suite("the local stack", () => {
  test("a request becomes a verdict, a figure, an alarm and one page a route, and the recovery likewise", async () => {
    await using stack = await startStack({ ...options, blocked: ["icloud"] });
    const events = listen(stack);
    const { endpoints, cloudWatch, clients } = stack;
    assert.deepEqual(
      stack.providers.filter(({ blocked }) => blocked).map(({ name }) => name),
      ["icloud"],
    );
    const sqs = plainClient();
    const QueueUrl = endpoints.queues.probe;
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: requestOf("mine") }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: requestOf("theirs", { egress: "mail-1" }) }));
    sqs.destroy();

    const mine = await found("the verdict", () => rowOf("mine", endpoints));
    assert.deepEqual(mine, { id: "mine", egress: "aws", outcome: "rejected", stage: "rcpt" });
    const theirs = await found("the verdict of the worker", () => rowOf("theirs", endpoints));
    assert.equal(theirs.egress, "mail-1");

    const sum = await found("the figure", async () => {
      const Metric = {
        Namespace: "DeliveryProbe",
        MetricName: "Rejected",
        Dimensions: Object.entries({ Provider: "icloud", Egress: "aws" }).map(([Name, Value]) => ({ Name, Value })),
      };
      const { MetricDataResults = [] } = await clients.cloudWatch.send(
        new GetMetricDataCommand({
          MetricDataQueries: [{ Id: "m", MetricStat: { Metric, Period: 300, Stat: "Sum" } }],
          StartTime: new Date(stack.clock.now() - 6 * 3_600_000),
          EndTime: new Date(stack.clock.now() + 600_000),
        }),
      );
      return MetricDataResults[0]?.Values?.[0];
    });
    assert.ok(sum >= 1);

    const alarm = "test-blocked-icloud-aws";
    const stateOf = (): string | undefined => cloudWatch.alarms().find(({ name }) => name === alarm)?.state;
    await found("the alarm", () => stateOf() === "ALARM" || null);
    // The lab's hosts see both egresses at one address.
    const told = () => stack.sink.received().filter(({ body }) => JSON.stringify(body).includes(alarm));
    const about = (text: RegExp) => told().filter(({ title }) => text.test(title));
    const blocks = /^iCloud blocks 192\.0\.2\.25: 550/;
    await found("the pages", () => about(blocks).length >= 4 || null);

    await stack.setBlocked("icloud", false);
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: requestOf("again") }));
    await found("the recovery", () => stateOf() === "OK" || null);
    // PagerDuty is told which incident is over, and not why.
    const recovers = /^Recovered: .* 192\.0\.2\.25$|^resolve test-blocked-icloud-aws$/;
    await found("the recovery's pages", () => about(recovers).length >= 4 || null);
    await stack.idle();

    // Both ways, and told once: one page a route for each change. There can be two changes: requests besides the schedule's
    // lie in one period or in two, as the window slides over them.
    for (const each of [blocks, recovers]) {
      const byRoute = Map.groupBy(about(each), ({ kind }) => kind);
      assert.deepEqual([...byRoute.keys()].toSorted(), ["pagerduty", "slack", "teams", "webhook"]);
      const changes = (byRoute.get("webhook") ?? []).map(({ body }) => (body as { readonly at: string }).at);
      assert.equal(new Set(changes).size, changes.length);
      for (const [kind, its] of byRoute) assert.equal(its.length, changes.length, kind);
    }
    const changes = events.filter((event) => event.kind === "alarm" && event.change.name === alarm);
    assert.ok(changes.length >= 2);
    const kinds = new Set(events.map(({ kind }) => kind));
    assert.deepEqual([...kinds].toSorted(), ["alarm", "log", "page", "tick"]);
  });

  test("a send is delivered to the lab over each runner, once, and what became of it can be read from a queue", async () => {
    const sends = { dkim: [{ domain: "sender.example", selector: "s1", key: { secretsManager: "not/here" } }] };
    const sending = checkConfig({ ...document, sends }).value as Config;
    await using stack = await startStack({ ...options, config: sending, speed: 1, blocked: ["icloud"] });
    const { endpoints, lab } = stack;
    const { results, send } = endpoints.queues;
    const sqs = plainClient();
    const ask = async (id: string, to: readonly string[], more: object = {}): Promise<void> => {
      const message = `From: me@sender.example\r\nSubject: ${id}\r\n\r\n.hello\r\n`;
      const body = { v: 1, kind: "send", id, from: "me@sender.example", to, message, ...more };
      await sqs.send(new SendMessageCommand({ QueueUrl: send, MessageBody: JSON.stringify(body) }));
    };
    await ask("two-domains", ["someone@gmail.example", "someone@gmx.example"]);
    await ask("by-the-worker", ["someone@gmail.example"], { egress: "mail-1" });
    await ask("blocked", ["someone@icloud.example"]);
    const told = new Map<string, string>();
    await found("three results", async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: results, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body = "" } of Messages) {
        const { id, recipient, event } = JSON.parse(Body) as Readonly<Record<string, string>>;
        told.set(`${id} ${recipient}`, String(event));
      }
      return told.size >= 3 || null;
    });
    // A block of the IP burns no mail: that one waits.
    assert.deepEqual(Object.fromEntries(told), {
      "two-domains someone@gmail.example": "delivered",
      "two-domains someone@gmx.example": "delivered",
      "by-the-worker someone@gmail.example": "delivered",
    });
    const messagesOf = async (provider: string): Promise<readonly string[]> => {
      const host = lab.hosts.find(({ dialog }) => dialog.provider === provider)?.host;
      const all = (await host?.messages()) ?? [];
      return all.map((each) => Buffer.from(each).toString()).toSorted();
    };
    const subjects = (messages: readonly string[]) =>
      messages.map((each) => /^Subject: (.*)\r$/m.exec(each)?.[1] ?? "").toSorted();
    const byGmail = await messagesOf("gmail");
    assert.deepEqual(subjects(byGmail), ["by-the-worker", "two-domains"]);
    assert.deepEqual(subjects(await messagesOf("gmx")), ["two-domains"]);
    for (const each of byGmail) assert.ok(each.endsWith("\r\n\r\n.hello\r\n"), each);
    sqs.destroy();
  });

  test("our own set-up is as it must be here, over each egress, and no alarm says otherwise", async () => {
    await using stack = await startStack({ ...options, blocked: ["icloud"] });
    const events = listen(stack);
    const { endpoints, config, clients, cloudWatch } = stack;
    const sqs = plainClient();
    for (const { name, runner } of config.egresses) {
      const QueueUrl = runner === "worker" ? endpoints.queues.workers[name]?.probe : endpoints.queues.probe;
      const MessageBody = JSON.stringify({ v: 1, kind: "self-check", id: `check-${name}`, egress: name });
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    }
    sqs.destroy();
    const now = (): Date => new Date(stack.clock.now());
    const table = { client: clients.dynamo, name: config.name, days: config.history.days, now };
    for (const { name } of config.egresses) {
      const last = await found(`the self-check of ${name}`, async () => {
        const stored = await lastSelfCheck(name, table);
        return stored?.reported === true ? stored : null;
      });
      assert.equal(last.selfCheck.standing, "ok", JSON.stringify(last.selfCheck));
    }
    const stateOf = (name: string) =>
      cloudWatch.alarms().find((each) => each.name === `test-self-check-${name}`)?.state;
    await found("the alarms' states", () => config.egresses.every(({ name }) => stateOf(name) === "OK") || null);
    const faults = events.filter((each) => each.kind === "log" && each.entry.level === "error" && each.entry.event !== "verdict"); // prettier-ignore
    assert.deepEqual(faults, []);
  });

  test("without running anything it is there to be used by others, and says where", async () => {
    const state = await folder();
    await using stack = await startStack({ ...options, state, run: false });
    const { endpoints } = stack;
    const written = JSON.parse(await readFile(join(state, "endpoints.json"), "utf8")) as unknown;
    assert.deepEqual(written, endpoints);
    const { value, faults } = checkConfig(JSON.parse(await readFile(join(state, "config.json"), "utf8")));
    assert.equal(faults, null);
    assert.deepEqual(value, stack.config);
    assert.deepEqual(value?.hosts["icloud.example"], [endpoints.lab["icloud"]]);
    assert.equal(endpoints.bucket, "test-messages");
    assert.deepEqual(value.requests.buckets, ["test-messages"]);
    assert.deepEqual(value.requests.senders, ["@sender.example"]);
    assert.deepEqual(
      Object.keys(endpoints.lab),
      stack.providers.map(({ name }) => name),
    );
    assert.ok(stack.providers.every(({ blocked }) => !blocked));
    const { sqs, sns, s3, dynamodb, cloudwatch, sink } = endpoints;
    for (const url of [sqs, sns, s3, dynamodb, cloudwatch, sink, ...Object.values(endpoints.env).slice(3)]) {
      assert.equal(new URL(url).hostname, "127.0.0.1");
    }

    const before = await stack.tick();
    // Once a day an egress is checked besides.
    const checked = selfChecksIn(before.slot, stack.config).map(({ egress }) => egress);
    assert.deepEqual(
      { ...before, slot: "" },
      { slot: "", sent: 2 + checked.length, skipped: 0, already: false, woken: 0 },
    );
    assert.deepEqual(await stack.tick(before.slot), {
      slot: before.slot,
      sent: 0,
      skipped: 0,
      already: true,
      woken: 0,
    });
    const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"] as const;
    const { Attributes = {} } = await stack.clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: endpoints.queues.probe, AttributeNames: [...names] }),
    );
    assert.equal(
      names.reduce((sum, name) => sum + Number(Attributes[name]), 0),
      1 + checked.filter((egress) => egress === "aws").length,
      "nobody reads it",
    );
  });

  test("a slot that the schedule gives up is a dead letter of its own, as Lambda tells it, and an alarm", async () => {
    await using stack = await startStack({ ...options, run: false });
    const { clients, config, cloudWatch } = stack;
    const table = { TableName: config.name };
    await clients.dynamo.send(new DeleteTableCommand(table));
    const slot = "2026-01-05T08:00:00.000Z";
    await assert.rejects(
      stack.tick(slot),
      /^Error: the schedule was given up for the slot 2026-01-05T08:00:00\.000Z; see/,
    );
    const alarm = "test-failures-dead-schedule";
    await found(
      "the alarm",
      () => cloudWatch.alarms().some((each) => each.name === alarm && each.state === "ALARM") || null,
    );
    const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: "test-schedule-dead" }));
    const { Messages = [] } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    const record = JSON.parse(Messages[0]?.Body ?? "") as Record<string, unknown>;
    assert.deepEqual(record["requestPayload"], { slot });
    assert.deepEqual(record["requestContext"], {
      functionArn: "arn:aws:lambda:us-east-1:000000000000:function:test-schedule:$LATEST",
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    });
    assert.match(JSON.stringify(record["responsePayload"]), /^\{"errorMessage":".*ResourceNotFoundException/);
  });

  test("refuses a provider that the lab does not have, and a folder that is in use", async () => {
    const state = await folder();
    const fault = { name: "StackFault" };
    await assert.rejects(startStack({ ...options, blocked: ["hotmail"] }), {
      ...fault,
      message: /^the lab has no provider hotmail; it has accepting, .*, yahoo$/,
    });
    await using _one = await startStack({ ...options, state, run: false });
    const message = `${state} is in use by process ${process.pid}; end that one, or use another folder`;
    await assert.rejects(startStack({ ...options, state, run: false }), { ...fault, message });
  });
});

const bin = fileURLToPath(new URL("../../functions/cli/bin.js", import.meta.url));

interface Local {
  readonly child: ChildProcess;
  readonly endpoints: Endpoints;
  readonly said: readonly string[];
}

/** `delivery-probe local` in a process of its own, when it is ready. */
async function startLocal(state: string, ...more: readonly string[]): Promise<Local> {
  const child = spawn(process.execPath, [bin, "local", "--state", state, ...more], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => said.push(...text.split("\n").filter((line) => line !== "")));
  }
  const endpoints = await found("the endpoints", async () => {
    assert.equal(child.exitCode, null, said.join("\n"));
    const text = await readFile(join(state, "endpoints.json"), "utf8").catch(() => null);
    const read = text === null ? null : (JSON.parse(text) as Endpoints);
    return read?.pid === child.pid ? read : null;
  });
  return { child, endpoints, said };
}

suite("delivery-probe local", () => {
  test("keeps requests, dead letters, verdicts and alarms in its folder over a SIGKILL, at the same addresses", async () => {
    const state = await folder();
    const file = join(await folder(), "config.json");
    await writeFile(file, JSON.stringify(document));
    const args = ["--config", file, "--speed", "240", "--block", "icloud"];
    const first = await startLocal(state, ...args);
    const sqs = plainClient();
    const send = (QueueUrl: string, MessageBody: string, DelaySeconds = 0) =>
      sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, DelaySeconds }));
    const { queues } = first.endpoints;
    await send(queues.probe, requestOf("mine"));
    await send(queues.probe, '{"v": 1, "kind": "probe"}');
    await send(queues.send, "not for now", 900);
    const row = await found("the verdict", () => rowOf("mine", first.endpoints));
    const blocking = await found("the alarm", () => alarmOf("test-blocking-icloud-aws", "ALARM", first.endpoints));
    await found("the dead letter", async () => {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queues.probeDead, AttributeNames: ["ApproximateNumberOfMessages"] }),
      );
      return Attributes?.["ApproximateNumberOfMessages"] === "1" || null;
    });
    await found("a line of the page", () =>
      first.said.find((line) => /^\d\d:\d\d {2}page {5}iCloud blocks/.test(line)),
    );
    // The embedded CloudWatch writes what it knows a moment later.
    await sleep(1_500);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");

    const second = await startLocal(state, ...args);
    const places = ({ sqs, dynamodb, cloudwatch, sink, lab }: Endpoints) => ({ sqs, dynamodb, cloudwatch, sink, lab });
    assert.deepEqual(places(second.endpoints), places(first.endpoints));
    assert.deepEqual(await rowOf("mine", second.endpoints), row);
    const still = await alarmOf("test-blocking-icloud-aws", "ALARM", second.endpoints);
    assert.deepEqual(still, blocking, "it stands since the same time");
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queues.probeDead, MessageAttributeNames: ["All"] }),
    );
    assert.equal(Messages[0]?.Body, '{"v": 1, "kind": "probe"}');
    assert.match(Messages[0].MessageAttributes?.["Reason"]?.StringValue ?? "", /^id: .*recipient: /);
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queues.send, AttributeNames: ["ApproximateNumberOfMessagesDelayed"] }),
    );
    assert.equal(Attributes?.["ApproximateNumberOfMessagesDelayed"], "1");
    await send(queues.probe, requestOf("another"));
    await found("a verdict of the second run", () => rowOf("another", second.endpoints));
    sqs.destroy();

    second.child.kill("SIGTERM");
    const [status] = (await once(second.child, "close")) as [number | null];
    assert.equal(status, 0, second.said.join("\n"));
    assert.equal(second.said[0], `ready      ${state}/endpoints.json; refused by icloud`);
    assert.ok(
      second.said.some((line) =>
        /^\d\d:\d\d {2}verdict {2}icloud over aws: rejected at rcpt: 550 5\.7\.1 .*\[another\]$/.test(line),
      ),
    );
    assert.ok(second.said.includes("SIGTERM: stopping"));
  });

  test("says in a line what is wrong with its options, and starts nothing", async () => {
    for (const [args, told] of [
      [["--speed", "0"], /^delivery-probe: --speed "0" is no speed; write a number from 1 to 3600\n$/],
      [["--block", "hotmail"], /^delivery-probe: the lab has no provider hotmail; it has accepting, .*\n$/],
      [["--config", "/nowhere.json"], /^delivery-probe: \/nowhere\.json cannot be read \(ENOENT\).*\n$/],
      [["icloud"], /^delivery-probe: local takes no operand such as "icloud".*\n$/],
    ] as const) {
      const child = spawn(process.execPath, [bin, "local", ...args], { stdio: ["ignore", "ignore", "pipe"] });
      children.push(child);
      const [said, [status]] = await Promise.all([text(child.stderr), once(child, "exit")]);
      assert.match(said, told);
      assert.equal(status, 64);
    }
  });
});

/** Since when an alarm is in a state; null: it is in another. */
async function alarmOf(name: string, state: "ALARM", { cloudwatch }: Endpoints): Promise<Date | null> {
  const credentials = { accessKeyId: "x", secretAccessKey: "x" };
  const client = new CloudWatchClient({ endpoint: cloudwatch, region: "us-east-1", credentials });
  const { MetricAlarms: [alarm] = [] } = await client.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
  client.destroy();
  return alarm?.StateValue === state ? (alarm.StateTransitionedTimestamp ?? null) : null;
}
