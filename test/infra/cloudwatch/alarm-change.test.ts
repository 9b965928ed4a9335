// What is told of an alarm's change, to a function and to a topic, against AWS's own examples.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { lambdaEvent, snsMessage, type AlarmChange } from "../../../infra/local/cloudwatch/alarm-change.ts";
import { alarmNamed, datum, minuteMs, startMs, startRig, topic } from "./rig.ts";

const before = {
  value: "OK",
  reason: "it was fine",
  reasonData: null,
  atMs: Date.parse("2023-08-04T12:54:46.138Z"),
  suppressedBy: null,
  suppressedReason: null,
} as const;

const composite: AlarmChange = {
  name: "CompositeDemo.Main",
  arn: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.Main",
  accountId: "111122223333",
  region: "us-east-1",
  configuredAtMs: Date.parse("2023-08-01T00:00:00Z"),
  alarm: {
    kind: "composite",
    input: {
      AlarmName: "CompositeDemo.Main",
      AlarmRule: "ALARM(CompositeDemo.FirstChild) OR ALARM(CompositeDemo.SecondChild)",
      ActionsSuppressor: "CompositeDemo.ActionsSuppressor",
      ActionsSuppressorWaitPeriod: 120,
      ActionsSuppressorExtensionPeriod: 180,
    },
  },
  previous: {
    ...before,
    value: "ALARM",
    reason: "child transitioned to ALARM",
    reasonData: '{"triggeringAlarms":[]}',
    suppressedBy: "WaitPeriod",
    suppressedReason: "Actions suppressed by WaitPeriod",
  },
  state: {
    ...before,
    value: "ALARM",
    reason: "child transitioned to ALARM",
    reasonData:
      '{"triggeringAlarms":[{"arn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.FirstChild","state":{"value":"ALARM","timestamp":"2023-08-04T12:54:46.138+0000"}}]}',
    atMs: Date.parse("2023-08-04T12:56:46.138Z"),
  },
};

test("a composite alarm's change is told to a function as in AWS's example of suppression", () => {
  assert.deepEqual(lambdaEvent(composite), {
    source: "aws.cloudwatch",
    alarmArn: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.Main",
    accountId: "111122223333",
    time: "2023-08-04T12:56:46.138+0000",
    region: "us-east-1",
    alarmData: {
      alarmName: "CompositeDemo.Main",
      state: {
        value: "ALARM",
        reason: "child transitioned to ALARM",
        reasonData: composite.state.reasonData,
        timestamp: "2023-08-04T12:56:46.138+0000",
      },
      previousState: {
        value: "ALARM",
        reason: "child transitioned to ALARM",
        reasonData: '{"triggeringAlarms":[]}',
        timestamp: "2023-08-04T12:54:46.138+0000",
        actionsSuppressedBy: "WaitPeriod",
        actionsSuppressedReason: "Actions suppressed by WaitPeriod",
      },
      configuration: {
        alarmRule: "ALARM(CompositeDemo.FirstChild) OR ALARM(CompositeDemo.SecondChild)",
        actionsSuppressor: "CompositeDemo.ActionsSuppressor",
        actionsSuppressorWaitPeriod: 120,
        actionsSuppressorExtensionPeriod: 180,
      },
    },
  });
});

test("a composite alarm's change is told to a topic with its rule and its children", () => {
  assert.deepEqual(JSON.parse(snsMessage(composite)), {
    AlarmName: "CompositeDemo.Main",
    AlarmDescription: null,
    AWSAccountId: "111122223333",
    AlarmConfigurationUpdatedTimestamp: "2023-08-01T00:00:00.000+0000",
    NewStateValue: "ALARM",
    NewStateReason: "child transitioned to ALARM",
    StateChangeTime: "2023-08-04T12:56:46.138+0000",
    Region: "US East (N. Virginia)",
    AlarmArn: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.Main",
    OldStateValue: "ALARM",
    OKActions: [],
    AlarmActions: [],
    InsufficientDataActions: [],
    AlarmRule: "ALARM(CompositeDemo.FirstChild) OR ALARM(CompositeDemo.SecondChild)",
    TriggeringChildren: [
      {
        Arn: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.FirstChild",
        State: { Value: "ALARM", Timestamp: "2023-08-04T12:54:46.138+0000" },
      },
    ],
  });
});

test("a metric alarm's change has its metric, its reason in CloudWatch's words, and the data it saw", async () => {
  await using rig = await startRig();
  const description = { AlarmDescription: "acme refuses us", TreatMissingData: "notBreaching", DatapointsToAlarm: 1 };
  await rig.client.send(new PutMetricAlarmCommand(alarmNamed("blocked", { ...description, EvaluationPeriods: 3 })));
  await rig.client.send(new PutMetricDataCommand({ Namespace: "Probe", MetricData: [datum(1, startMs)] }));
  await rig.clock.advance(minuteMs);
  const [act] = rig.acts;
  assert.ok(act !== undefined);
  const reason =
    "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (24/11/26 12:00:00)] was greater than or equal to the threshold (1.0) and 2 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK -> ALARM transition).";
  const event = lambdaEvent(act.change);
  assert.equal(act.arn, topic);
  assert.deepEqual(event.alarmData.state, {
    value: "ALARM",
    reason,
    reasonData:
      '{"version":"1.0","queryDate":"2026-11-24T12:01:00.000+0000","startDate":"2026-11-24T12:00:00.000+0000","statistic":"Maximum","period":60,"recentDatapoints":[1],"threshold":1}',
    timestamp: "2026-11-24T12:01:00.000+0000",
  });
  assert.deepEqual(event.alarmData.previousState, {
    value: "INSUFFICIENT_DATA",
    reason: "Unchecked: Initial alarm creation",
    timestamp: "2026-11-24T12:00:00.000+0000",
  });
  assert.deepEqual(event.alarmData.configuration, {
    description: "acme refuses us",
    metrics: [
      {
        id: "m1",
        metricStat: {
          metric: { namespace: "Probe", name: "Blocked", dimensions: { Provider: "acme" } },
          period: 60,
          stat: "Maximum",
        },
        returnData: true,
      },
    ],
  });
  const told = JSON.parse(snsMessage(act.change)) as Record<string, unknown>;
  assert.equal(told["Region"], "EU (Ireland)");
  assert.equal(told["NewStateReason"], reason);
  assert.equal(told["OldStateValue"], "INSUFFICIENT_DATA");
  assert.deepEqual(told["AlarmActions"], [topic]);
  assert.deepEqual(told["Trigger"], {
    MetricName: "Blocked",
    Namespace: "Probe",
    StatisticType: "Statistic",
    Statistic: "MAXIMUM",
    Unit: null,
    Dimensions: [{ value: "acme", name: "Provider" }],
    Period: 60,
    EvaluationPeriods: 3,
    DatapointsToAlarm: 1,
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    Threshold: 1,
    TreatMissingData: "notBreaching",
    EvaluateLowSampleCountPercentile: "",
  });
});

test("a math alarm's change has its expression and its metrics", async () => {
  await using rig = await startRig();
  const { Namespace, MetricName, Dimensions, Period, Statistic, ...others } = alarmNamed("rate");
  const Metric = { Namespace: "Probe", MetricName: "Blocked", Dimensions: [{ Name: "Provider", Value: "acme" }] };
  assert.deepEqual(
    [Namespace, MetricName, Dimensions, Period, Statistic],
    ["Probe", "Blocked", Metric.Dimensions, 60, "Maximum"],
  );
  const metrics = [
    { Id: "e1", Expression: "100 * m1", Label: "rate", ReturnData: true },
    { Id: "m1", MetricStat: { Metric, Period: 60, Stat: "Sum", Unit: "Count" as const }, ReturnData: false },
  ];
  await rig.client.send(new PutMetricAlarmCommand({ ...others, Metrics: metrics }));
  await rig.client.send(new SetAlarmStateCommand({ AlarmName: "rate", StateValue: "ALARM", StateReason: "drill" }));
  const [act] = rig.acts;
  assert.ok(act !== undefined);
  assert.deepEqual(lambdaEvent(act.change).alarmData.configuration, {
    metrics: [
      { id: "e1", expression: "100 * m1", label: "rate", returnData: true },
      {
        id: "m1",
        metricStat: {
          metric: { namespace: "Probe", name: "Blocked", dimensions: { Provider: "acme" } },
          period: 60,
          stat: "Sum",
          unit: "Count",
        },
        returnData: false,
      },
    ],
  });
  const { Trigger } = JSON.parse(snsMessage(act.change)) as { readonly Trigger: Record<string, unknown> };
  assert.equal(Trigger["Period"], 60);
  assert.equal("MetricName" in Trigger, false);
  assert.deepEqual(Trigger["Metrics"], [
    { Expression: "100 * m1", Id: "e1", Label: "rate", ReturnData: true },
    {
      Id: "m1",
      MetricStat: {
        Metric: { Namespace: "Probe", MetricName: "Blocked", Dimensions: [{ value: "acme", name: "Provider" }] },
        Period: 60,
        Stat: "Sum",
        Unit: "Count",
      },
      ReturnData: false,
    },
  ]);
});

test("silence is told in words that say so", async () => {
  await using rig = await startRig();
  await rig.client.send(
    new PutMetricAlarmCommand(alarmNamed("silent", { EvaluationPeriods: 2, TreatMissingData: "breaching" })),
  );
  await rig.client.send(new PutCompositeAlarmCommand({ AlarmName: "whole", AlarmRule: "ALARM(silent)" }));
  await rig.clock.advance(minuteMs);
  assert.equal(
    rig.cloudWatch.alarms().find(({ name }) => name === "silent")?.reason,
    "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].",
  );
});
