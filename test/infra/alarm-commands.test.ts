// Alarm rows in the embedded CloudWatch, by the SDK over HTTP.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DescribeAlarmsCommand, type DescribeAlarmsCommandOutput } from "@aws-sdk/client-cloudwatch";
import { allClients, closeClients, openClients, type Clients } from "../../functions/clients.ts";
import { loadConfig } from "../../functions/config/load.ts";
import { alarmsOf, type CompositeAlarm, type MetricAlarm } from "../../functions/report/alarms.ts";
import { compositeAlarm, metricAlarm } from "../../infra/alarm-requests.ts";
import { putAlarms } from "../../infra/local/alarm-commands.ts";
import { turnedClock } from "../../infra/local/clock.ts";
import { startCloudWatch, type CloudWatch } from "../../infra/local/cloudwatch/server.ts";
import { fileURLToPath } from "node:url";

const example = await loadConfig(fileURLToPath(new URL("../../infra/config/example.json", import.meta.url)));

function start(): Promise<CloudWatch> {
  const clock = turnedClock(Date.parse("2026-11-24T12:00:00Z"));
  return startCloudWatch({ clock, act: async () => {}, state: null, port: 0, region: "us-east-1", accountId: "1" });
}

async function clientsOf(url: string): Promise<Clients> {
  return await openClients(allClients, { sqs: url, sns: url, dynamo: url, cloudWatch: url });
}

async function describe({ cloudWatch }: Clients): Promise<DescribeAlarmsCommandOutput> {
  return await cloudWatch.send(
    new DescribeAlarmsCommand({ AlarmTypes: ["MetricAlarm", "CompositeAlarm"], MaxRecords: 100 }),
  );
}

suite("alarm rows", () => {
  test("of the example are all taken, and those that page have actions", async () => {
    await using service = await start();
    const clients = await clientsOf(service.url);
    const rows = alarmsOf(example);
    await putAlarms(rows, "delivery-probe-", ["arn:one", "arn:two"], clients.cloudWatch);
    const { MetricAlarms = [], CompositeAlarms = [] } = await describe(clients);
    const found = [...MetricAlarms, ...CompositeAlarms];
    const names = found.map(({ AlarmName = "" }) => AlarmName);
    assert.deepEqual(names.toSorted(), rows.map(({ name }) => name).toSorted());
    for (const { AlarmName, AlarmActions, OKActions } of found) {
      const told = rows.find(({ name }) => name === AlarmName)?.pages === true ? ["arn:one", "arn:two"] : [];
      assert.deepEqual([AlarmActions, OKActions], [told, told], AlarmName);
    }
    closeClients(clients);
  });

  test("that are no more are deleted, composites before those that they name, and no others", async () => {
    await using service = await start();
    const clients = await clientsOf(service.url);
    const others = alarmsOf({ ...example, name: "other" });
    await putAlarms(others, "other-", [], clients.cloudWatch);
    await putAlarms(alarmsOf(example), "delivery-probe-", [], clients.cloudWatch);
    const fewer = alarmsOf({ ...example, targets: example.targets.slice(0, 1) });
    await putAlarms(fewer, "delivery-probe-", [], clients.cloudWatch);
    const names = service.alarms().map(({ name }) => name);
    assert.deepEqual(names.toSorted(), [...others, ...fewer].map(({ name }) => name).toSorted());
    closeClients(clients);
  });
});

const facts = { kind: "blocked", provider: "icloud", egress: "aws", description: "about it" } as const;
const metric = { id: "m", namespace: "N", name: "M", dimensions: { Egress: "aws" }, statistic: "Sum" } as const;
const row: MetricAlarm = {
  ...facts,
  type: "metric",
  name: "a",
  pages: true,
  metrics: [metric],
  expression: null,
  periodS: 300,
  datapoints: 2,
  of: 3,
  comparison: "GreaterThanThreshold",
  threshold: 4,
  missing: "ignore",
};

test("one metric is asked for plainly, several by an expression that alone returns data", () => {
  const plain = metricAlarm(row, ["arn:one"]);
  assert.deepEqual(plain, {
    AlarmName: "a",
    AlarmDescription: "about it",
    AlarmActions: ["arn:one"],
    OKActions: ["arn:one"],
    Namespace: "N",
    MetricName: "M",
    Dimensions: [{ Name: "Egress", Value: "aws" }],
    Statistic: "Sum",
    Period: 300,
    EvaluationPeriods: 3,
    DatapointsToAlarm: 2,
    ComparisonOperator: "GreaterThanThreshold",
    Threshold: 4,
    TreatMissingData: "ignore",
  });
  const { Metrics, MetricName } = metricAlarm({ ...row, expression: "m / 2" }, []);
  const Metric = { Namespace: "N", MetricName: "M", Dimensions: [{ Name: "Egress", Value: "aws" }] };
  assert.deepEqual(Metrics, [
    { Id: "m", MetricStat: { Metric, Period: 300, Stat: "Sum" }, ReturnData: false },
    { Id: "value", Expression: "m / 2" },
  ]);
  assert.equal(MetricName, undefined);
});

test("a new probe-silent waits three rounds and one before it fires", async () => {
  const clock = turnedClock(Date.parse("2026-11-24T12:00:00Z"));
  const options = { act: async () => {}, state: null, port: 0, region: "us-east-1", accountId: "1" };
  await using service = await startCloudWatch({ ...options, clock });
  const clients = await clientsOf(service.url);
  const rows = alarmsOf(example).filter(({ kind }) => kind === "probe-silent");
  await putAlarms(rows, "delivery-probe-", [], clients.cloudWatch);
  const states = () => [...new Set(service.alarms().map(({ state }) => state))];
  await clock.advance(59 * 60_000);
  assert.deepEqual(states(), ["INSUFFICIENT_DATA"]);
  await clock.advance(2 * 60_000);
  assert.deepEqual(states(), ["ALARM"]);
  closeClients(clients);
});

test("an alarm that fires by missing data waits until there can be some", () => {
  assert.deepEqual(metricAlarm({ ...row, missing: "breaching" }, []).WarmUpConfiguration, {
    WarmUpPeriodDurationInMinutes: 20,
    OnlyStartEvaluatingAfterWarmUpPeriodEnds: true,
  });
});

test("a composite names its rule, and its suppressor where it has one", () => {
  const composite: CompositeAlarm = {
    ...facts,
    type: "composite",
    name: "c",
    pages: false,
    rule: 'ALARM("a")',
    suppressor: null,
  };
  const plain = {
    AlarmName: "c",
    AlarmDescription: "about it",
    AlarmActions: [],
    OKActions: [],
    AlarmRule: 'ALARM("a")',
  };
  assert.deepEqual(compositeAlarm(composite, ["arn:one"]), plain);
  const suppressor = { alarm: "wide", waitS: 60, extensionS: 120 };
  assert.deepEqual(compositeAlarm({ ...composite, suppressor }, []), {
    ...plain,
    ActionsSuppressor: "wide",
    ActionsSuppressorWaitPeriod: 60,
    ActionsSuppressorExtensionPeriod: 120,
  });
});
