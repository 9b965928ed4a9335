// Every alarm of a configuration over time: on a clock that the test turns, through the real SDK, the embedded
// CloudWatch and the page's handler. A round is fifteen minutes, the targets' own.
import assert from "node:assert/strict";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { after, before, test } from "node:test";
import { closeClients, openClients } from "../../functions/clients.ts";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { createPage } from "../../functions/page.ts";
import { openSecrets } from "../../functions/secrets.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import { tableDefinition } from "../../functions/state/table.ts";
import { putAlarms } from "../../infra/local/alarm-commands.ts";
import { turnedClock } from "../../infra/local/clock.ts";
import { lambdaEvent, snsMessage } from "../../infra/local/cloudwatch/alarm-change.ts";
import { startCloudWatch } from "../../infra/local/cloudwatch/server.ts";
import { accountId, region } from "../../infra/local/queues.ts";
import { startSink, type Sink } from "../../infra/local/sink.ts";
import { startTable, type TableService } from "../../infra/local/table.ts";
import { context } from "../support/services.ts";

const roundMs = 900_000;
const lambdaArn = `arn:aws:lambda:${region}:${accountId}:function:test-page`;
const topicArn = `arn:aws:sns:${region}:${accountId}:test-pages`;

let tables: TableService;
let sink: Sink;
let count = 0;

before(async () => {
  tables = await startTable(0, null);
  sink = await startSink({ port: 0, onPage: () => {} });
});
after(async () => {
  await sink[Symbol.asyncDispose]();
  await tables[Symbol.asyncDispose]();
});

function configOf(name: string, more: object): Config {
  const { value, faults } = checkConfig({
    name,
    identity: { helo: "probe.example", sender: "probe@sender.example" },
    egresses: [{ name: "aws", runner: "functions", address: "192.0.2.25" }],
    targets: ["icloud", "gmx", "yahoo"].map((provider) => ({ provider, recipient: `probe@${provider}.example` })),
    onCall: { routes: [{ name: "hook", type: "webhook", url: `${sink.url}/webhook` }] },
    ...more,
  });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

interface Rig extends AsyncDisposable {
  /** One value of a metric of ours, now, or so many milliseconds from now. */
  readonly put: (
    name: string,
    dimensions: Readonly<Record<string, string>>,
    value: number,
    fromNowMs?: number,
  ) => Promise<void>;
  readonly blocked: (provider: string, value: number) => Promise<void>;
  readonly queue: (name: string, queue: string, value: number) => void;
  readonly advance: (ms: number) => Promise<void>;
  readonly state: (name: string) => string;
  /** What reached on-call: the alarm without the system's name, and the page's state. */
  readonly pages: () => readonly string[];
}

async function rig(more: object = {}): Promise<Rig> {
  count += 1;
  const name = `rig-${count}`;
  const config = configOf(name, more);
  const clock = turnedClock(Date.UTC(2026, 0, 5, 6));
  const clients = await openClients(["dynamo", "sns"], { dynamo: tables.url, sns: "http://127.0.0.1:9" });
  await clients.dynamo.send(new CreateTableCommand(tableDefinition(name)));
  const log = (): void => {};
  const page = createPage({
    config,
    clients,
    now: () => new Date(clock.now()),
    secrets: openSecrets({}, { log }),
    log,
  });
  const cloudWatch = await startCloudWatch({
    clock,
    state: null,
    port: 0,
    region,
    accountId,
    // Both ways, as an operator may have them: they are told once.
    act: async (arn, change) => {
      const bySns = { Records: [{ EventSource: "aws:sns", Sns: { Message: snsMessage(change) } }] };
      await page(arn === lambdaArn ? lambdaEvent(change) : bySns, context);
    },
  });
  const own = await openClients(["cloudWatch"], { cloudWatch: cloudWatch.url });
  await putAlarms(alarmsOf(config), `${name}-`, [lambdaArn, topicArn], own.cloudWatch);
  const put: Rig["put"] = async (MetricName, dimensions, Value, fromNowMs = 0) => {
    const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
    const MetricData = [{ MetricName, Dimensions, Value, Timestamp: new Date(clock.now() + fromNowMs) }];
    await own.cloudWatch.send(new PutMetricDataCommand({ Namespace: "DeliveryProbe", MetricData }));
  };
  return {
    put,
    blocked: async (provider, value) => await put("Blocked", { Provider: provider, Egress: "aws" }, value),
    queue: (MetricName, queue, Value) => {
      const Dimensions = [{ Name: "QueueName", Value: `${name}-${queue}` }];
      cloudWatch.publish("AWS/SQS", [{ MetricName, Dimensions, Value, Timestamp: new Date(clock.now()) }]);
    },
    advance: async (ms) => await clock.advance(ms),
    state: (alarm) => cloudWatch.alarms().find((each) => each.name === `${name}-${alarm}`)?.state ?? "none",
    pages: () =>
      sink
        .received()
        .map(({ body }) => body as { readonly alarm: string; readonly state: string })
        .filter(({ alarm }) => alarm.startsWith(`${name}-`))
        .map(({ alarm, state }) => `${alarm.slice(name.length + 1)} ${state}`),
    [Symbol.asyncDispose]: async () => {
      await cloudWatch.close();
      closeClients(clients);
      closeClients(own);
    },
  };
}

/** Plays what a provider's rounds say of the block: `1`, `0`, or `-` for nothing. Each is said in mid-round. */
async function rounds(rig: Rig, said: Readonly<Record<string, string>>): Promise<void> {
  const length = Math.max(...Object.values(said).map((each) => each.length));
  for (let round = 0; round < length; round++) {
    await rig.advance(roundMs / 2);
    for (const [provider, each] of Object.entries(said)) {
      const value = each[round] ?? "-";
      if (value !== "-") await rig.blocked(provider, Number(value));
    }
    await rig.advance(roundMs / 2);
  }
  // The wider alarm is waited for, and CloudWatch looks once a minute.
  await rig.advance(240_000);
}

for (const [said, state, pages] of [
  ["1", "OK", []],
  ["01", "OK", []],
  ["11", "ALARM", ["blocked-icloud-aws firing"]],
  ["101", "ALARM", ["blocked-icloud-aws firing"]],
  ["1001", "OK", []],
  ["0000", "OK", []],
  ["----", "OK", []],
  ["1111", "ALARM", ["blocked-icloud-aws firing"]],
  ["11----", "ALARM", ["blocked-icloud-aws firing"]],
  ["110", "ALARM", ["blocked-icloud-aws firing"]],
  ["1100", "OK", ["blocked-icloud-aws firing", "blocked-icloud-aws recovered"]],
  ["110011", "ALARM", ["blocked-icloud-aws firing", "blocked-icloud-aws recovered", "blocked-icloud-aws firing"]],
] as const) {
  test(`blocked, 2 of 3: rounds that say ${said} leave it ${state}, with ${pages.length} pages`, async () => {
    await using it = await rig();
    await rounds(it, { icloud: said });
    assert.equal(it.state("blocked-icloud-aws"), state);
    assert.deepEqual(
      it.pages().filter((each) => each.startsWith("blocked")),
      pages,
    );
  });
}

test("blocked goes by the configuration's M of N", async () => {
  await using it = await rig({ alarms: { blocked: { datapoints: 1, of: 1 } } });
  await rounds(it, { icloud: "1" });
  assert.equal(it.state("blocked-icloud-aws"), "ALARM");
});

test("two providers that block at once are one page, blocked-widely, and the single ones are suppressed", async () => {
  await using it = await rig();
  await rounds(it, { icloud: "11", gmx: "11", yahoo: "00" });
  const blocked = (): readonly string[] => it.pages().filter((each) => each.startsWith("blocked"));
  assert.deepEqual(blocked(), ["blocked-widely-aws firing"]);
  assert.equal(it.state("blocked-icloud-aws"), "ALARM");
  assert.equal(it.state("blocked-yahoo-aws"), "OK");

  await rounds(it, { icloud: "00", gmx: "11", yahoo: "00" });
  assert.equal(it.state("blocked-widely-aws"), "OK");
  assert.deepEqual(blocked(), ["blocked-widely-aws firing", "blocked-widely-aws recovered"]);
  // One is left, which nobody speaks for any more; it has had a round to end as well.
  await it.advance(roundMs);
  assert.deepEqual(blocked(), ["blocked-widely-aws firing", "blocked-widely-aws recovered", "blocked-gmx-aws firing"]);
});

test("two providers that block once each, in one round, are believed at once", async () => {
  await using it = await rig();
  await rounds(it, { icloud: "1", gmx: "1" });
  assert.deepEqual(it.pages(), ["blocked-widely-aws firing"]);
});

test("providers that are asked at other times of the round, and end at other times, are no single pages", async () => {
  await using it = await rig();
  for (const value of [1, 1, 1, 0, 0, 0]) {
    await it.advance(200_000);
    await it.blocked("icloud", value);
    await it.advance(600_000);
    await it.blocked("gmx", value);
    await it.advance(100_000);
  }
  await it.advance(2 * roundMs);
  assert.deepEqual(
    it.pages().filter((each) => each.startsWith("blocked")),
    ["blocked-widely-aws firing", "blocked-widely-aws recovered"],
  );
});

test("a provider that follows while the wider alarm stands is no page of its own", async () => {
  await using it = await rig();
  await rounds(it, { icloud: "11", gmx: "11" });
  await rounds(it, { icloud: "11", gmx: "11", yahoo: "11" });
  assert.equal(it.state("blocked-yahoo-aws"), "ALARM");
  assert.deepEqual(
    it.pages().filter((each) => each.startsWith("blocked")),
    ["blocked-widely-aws firing"],
  );
});

test("a block that became wide after it paged alone pages once more, as the wider one", async () => {
  await using it = await rig();
  await rounds(it, { icloud: "11" });
  await rounds(it, { icloud: "11", gmx: "11" });
  assert.deepEqual(
    it.pages().filter((each) => each.startsWith("blocked")),
    ["blocked-icloud-aws firing", "blocked-widely-aws firing"],
  );
});

/** So many rounds with these sums by egress. */
async function egressRounds(it: Rig, howMany: number, sums: Readonly<Record<string, number>>): Promise<void> {
  for (let round = 0; round < howMany; round++) {
    await it.advance(roundMs / 2);
    for (const [name, value] of Object.entries(sums)) await it.put(name, { Egress: "aws" }, value);
    await it.advance(roundMs / 2);
  }
  await it.advance(60_000);
}

for (const [what, sums, howMany, state] of [
  ["everybody is out of reach for two rounds", { Attempts: 3, Unreachable: 3 }, 2, "ALARM"],
  ["everybody is out of reach for one round", { Attempts: 3, Unreachable: 3 }, 1, "OK"],
  ["one of three answers", { Attempts: 3, Unreachable: 2 }, 4, "OK"],
  ["one provider was asked, and is down", { Attempts: 1, Unreachable: 1 }, 4, "OK"],
] as const) {
  test(`egress-down is ${state} when ${what}`, async () => {
    await using it = await rig();
    await egressRounds(it, 1, { Attempts: 3, Unreachable: 0 });
    await egressRounds(it, howMany, sums);
    assert.equal(it.state("egress-down-aws"), state);
    assert.equal(it.pages().includes("egress-down-aws firing"), state === "ALARM");
  });
}

test("egress-down clears when somebody answers again", async () => {
  await using it = await rig();
  await egressRounds(it, 2, { Attempts: 3, Unreachable: 3 });
  await egressRounds(it, 2, { Attempts: 3, Unreachable: 1 });
  assert.deepEqual(
    it.pages().filter((each) => each.startsWith("egress-down")),
    ["egress-down-aws firing", "egress-down-aws recovered"],
  );
});

for (const [what, sums, state] of [
  ["nothing is said at all", {}, "ALARM"],
  ["probes are attempted", { Probes: 3 }, "OK"],
  ["there are sends and no probes", { Attempts: 3 }, "ALARM"],
  ["all is left out on purpose", { Skipped: 3 }, "OK"],
] as const) {
  test(`probe-silent is ${state} when for four rounds ${what}`, async () => {
    await using it = await rig();
    await egressRounds(it, 4, { ...sums });
    assert.equal(it.state("probe-silent-aws"), state);
    assert.equal(it.pages().filter((each) => each === "probe-silent-aws firing").length, state === "ALARM" ? 1 : 0);
  });
}

test("probe-silent is for three rounds: two that are silent are not enough; and it recovers", async () => {
  await using it = await rig();
  await egressRounds(it, 3, { Probes: 3 });
  await egressRounds(it, 2, {});
  assert.equal(it.state("probe-silent-aws"), "OK");
  await egressRounds(it, 2, {});
  assert.equal(it.state("probe-silent-aws"), "ALARM");
  await egressRounds(it, 1, { Probes: 3 });
  assert.deepEqual(
    it.pages().filter((each) => each.startsWith("probe-silent")),
    ["probe-silent-aws firing", "probe-silent-aws recovered"],
  );
});

test("misconfigured is two such verdicts within two rounds, whoever says so", async () => {
  await using it = await rig();
  await egressRounds(it, 1, { Misconfigured: 1 });
  await egressRounds(it, 3, { Misconfigured: 0 });
  assert.equal(it.state("misconfigured-aws"), "OK");
  await egressRounds(it, 1, { Misconfigured: 2 });
  assert.equal(it.state("misconfigured-aws"), "ALARM");
  await egressRounds(it, 3, { Misconfigured: 0 });
  assert.deepEqual(
    it.pages().filter((each) => each.startsWith("misconfigured")),
    ["misconfigured-aws firing", "misconfigured-aws recovered"],
  );
});

/** What the daily checks of aws find: a digit, or `-` for nothing; seconds earlier or later, as a queue has it. */
async function selfChecks(it: Rig, said: string): Promise<void> {
  for (const [day, each] of Array.from(said).entries()) {
    await it.advance(dayMs + (day % 2 === 0 ? 20_000 : -20_000));
    if (each !== "-") await it.put("SelfCheckFaults", { Egress: "aws" }, Number(each));
  }
  await it.advance(3_600_000);
}

const dayMs = 86_400_000;
const [firing, recovered] = ["self-check-aws firing", "self-check-aws recovered"] as const;

for (const [said, state, pages] of [
  ["0", "OK", []],
  ["1", "ALARM", [firing]],
  ["002", "ALARM", [firing]],
  ["13", "ALARM", [firing]],
  ["10", "OK", [firing, recovered]],
  ["1-", "ALARM", [firing]],
  ["1----", "ALARM", [firing]],
  ["1-0", "OK", [firing, recovered]],
  ["101", "ALARM", [firing, recovered, firing]],
] as const) {
  test(`self-check: days that find ${said} faults leave it ${state}, with ${pages.length} pages`, async () => {
    await using it = await rig();
    await selfChecks(it, said);
    assert.equal(it.state("self-check-aws"), state);
    assert.deepEqual(
      it.pages().filter((each) => each.startsWith("self-check")),
      pages,
    );
  });
}

test("a self-check's fault that is told hours late pages all the same", async () => {
  await using it = await rig();
  await it.put("SelfCheckFaults", { Egress: "aws" }, 1, -6 * 3_600_000);
  await it.advance(120_000);
  assert.deepEqual(
    it.pages().filter((each) => each.startsWith("self-check")),
    [firing],
  );
});

test("refused pages for other classes that page, 2 of 3, and silence is a good sign", async () => {
  await using it = await rig();
  const refuse = async (): Promise<void> => {
    await it.put("Refused", { Provider: "icloud", Egress: "aws" }, 1);
    await it.advance(roundMs);
  };
  await it.advance(roundMs / 2);
  await refuse();
  assert.equal(it.state("refused-icloud-aws"), "OK");
  await refuse();
  assert.equal(it.state("refused-icloud-aws"), "ALARM");
  // Where data are missing CloudWatch looks further back than three rounds: five.
  await it.advance(6 * roundMs);
  assert.deepEqual(
    it.pages().filter((each) => each.startsWith("refused")),
    ["refused-icloud-aws firing", "refused-icloud-aws recovered"],
  );
});

for (const [alarm, metric, queue, quiet, loud] of [
  ["failures-dead-functions", "ApproximateNumberOfMessagesVisible", "probe-dead", 0, 1],
  ["failures-dead-schedule", "ApproximateNumberOfMessagesVisible", "schedule-dead", 0, 1],
  ["failures-late-functions", "ApproximateAgeOfOldestMessage", "probe", 1_799, 1_800],
] as const) {
  test(`${alarm} fires at ${loud} and not at ${quiet}, and a queue of which nothing is told is a good one`, async () => {
    await using it = await rig();
    it.queue(metric, queue, quiet);
    await it.advance(360_000);
    assert.equal(it.state(alarm), "OK");
    it.queue(metric, queue, loud);
    await it.advance(360_000);
    assert.equal(it.state(alarm), "ALARM");
    await it.advance(720_000);
    assert.deepEqual(
      it.pages().filter((each) => each.startsWith("failures")),
      [`${alarm} firing`, `${alarm} recovered`],
    );
  });
}
