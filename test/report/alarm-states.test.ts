// How alarms stand, asked of the embedded CloudWatch over HTTP: however many there are, of both types.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import {
  CloudWatch,
  DescribeAlarmsCommand,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
} from "@aws-sdk/client-cloudwatch";
import { alarmStates, setAlarmState } from "../../functions/report/alarm-states.ts";
import { turnedClock } from "../../infra/local/clock.ts";
import { startCloudWatch } from "../../infra/local/cloudwatch/server.ts";

const clock = turnedClock(Date.parse("2026-11-24T17:00:00Z"));
const server = await startCloudWatch({
  clock,
  act: async () => {},
  state: null,
  port: 0,
  region: "us-east-1",
  accountId: "000000000000",
});
const client = new CloudWatch({
  endpoint: server.url,
  region: "us-east-1",
  credentials: { accessKeyId: "a", secretAccessKey: "b" },
});
after(async () => {
  client.destroy();
  await server.close();
});

const names = Array.from({ length: 230 }, (_, index) => `alarm-${index}`);
for (const AlarmName of names) {
  await client.send(
    new PutMetricAlarmCommand({
      AlarmName,
      Namespace: "Test",
      MetricName: "m",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "ignore",
      AlarmActions: AlarmName === "alarm-1" ? [] : ["arn:aws:sns:us-east-1:000000000000:t"],
      ActionsEnabled: AlarmName !== "alarm-2",
    }),
  );
}
await client.send(
  new PutCompositeAlarmCommand({ AlarmName: "both", AlarmRule: 'ALARM("alarm-0") OR ALARM("alarm-229")' }),
);

test("all that are asked for are told, of both types, and none that is not there", async () => {
  const found = await alarmStates([...names, "both", "none"], client);
  assert.deepEqual(new Set(found.keys()), new Set([...names, "both"]));
  assert.deepEqual((await alarmStates([], client)).size, 0);
});

test("a state tells since when, why, and whether anybody hears of it", async () => {
  await clock.advance(60_000);
  await setAlarmState("alarm-229", "ALARM", { reason: `drill: ${"x".repeat(2_000)}`, data: { drill: true } }, client);
  const found = await alarmStates(["alarm-229", "both", "alarm-1", "alarm-2"], client);
  const { state, since, reason, suppressedBy, isHeard } = found.get("alarm-229") ?? {};
  assert.deepEqual([state, since, suppressedBy, isHeard], ["ALARM", "2026-11-24T17:01:00.000Z", null, true]);
  assert.match(reason ?? "", /^drill: x{1016}$/, "cut to CloudWatch's limit");
  assert.equal(found.get("both")?.state, "ALARM");
  assert.deepEqual([found.get("alarm-1")?.isHeard, found.get("alarm-2")?.isHeard], [false, false]);
  const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ AlarmNames: ["alarm-229"] }));
  assert.deepEqual(JSON.parse(MetricAlarms[0]?.StateReasonData ?? "null"), { drill: true });
});
