// CloudWatch's calls over HTTP, with the SDK's own client: what it takes, what it answers, what it refuses and how.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DeleteAlarmsCommand,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListDashboardsCommand,
  ListMetricsCommand,
  paginateDescribeAlarms,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
  type DescribeAlarmsCommandInput,
  type MetricDatum,
  type PutCompositeAlarmCommandInput,
  type PutMetricAlarmCommandInput,
} from "@aws-sdk/client-cloudwatch";
import { alarmNamed, datum, minuteMs, startMs, startRig, topic, type Rig } from "./rig.ts";

/** How the client tells an error: its name by the older protocol too. */
async function refusalOf(sent: Promise<unknown>): Promise<string> {
  try {
    await sent;
    return "taken";
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}

function put(rig: Rig, data: readonly MetricDatum[], namespace = "Probe"): Promise<unknown> {
  return rig.client.send(new PutMetricDataCommand({ Namespace: namespace, MetricData: [...data] }));
}

test("a metric comes back by its periods and statistics, and with math", async () => {
  await using rig = await startRig();
  await put(rig, [datum(1, startMs), datum(3, startMs + 59_000), datum(5, startMs + minuteMs)]);
  const stat = (Id: string, Stat: string, Period = 60) => ({
    Id,
    MetricStat: {
      Metric: { Namespace: "Probe", MetricName: "Blocked", Dimensions: [{ Name: "Provider", Value: "acme" }] },
      Period,
      Stat,
    },
  });
  const { MetricDataResults } = await rig.client.send(
    new GetMetricDataCommand({
      MetricDataQueries: [
        stat("sum", "Sum"),
        { ...stat("most", "Maximum"), ReturnData: false },
        stat("p", "p50", 120),
        { Id: "e1", Expression: "sum - most", Label: "the others" },
      ],
      StartTime: new Date(startMs),
      EndTime: new Date(startMs + 2 * minuteMs),
      ScanBy: "TimestampAscending",
    }),
  );
  assert.deepEqual(
    MetricDataResults?.map(({ Id, Label, Values, Timestamps }) => [Id, Label, Values, Timestamps?.map(Number)]),
    [
      ["sum", "Blocked", [4, 5], [startMs, startMs + minuteMs]],
      ["p", "Blocked", [3], [startMs]],
      ["e1", "the others", [1, 0], [startMs, startMs + minuteMs]],
    ],
  );
});

test("the newest data come first unless asked for otherwise", async () => {
  await using rig = await startRig();
  await put(rig, [datum(1, startMs), datum(5, startMs + minuteMs)]);
  const { MetricDataResults } = await rig.client.send(
    new GetMetricDataCommand({
      MetricDataQueries: [
        {
          Id: "m",
          MetricStat: {
            Metric: { Namespace: "Probe", MetricName: "Blocked", Dimensions: [{ Name: "Provider", Value: "acme" }] },
            Period: 60,
            Stat: "Sum",
          },
        },
      ],
      StartTime: new Date(startMs),
      EndTime: new Date(startMs + 2 * minuteMs),
    }),
  );
  assert.deepEqual(MetricDataResults?.[0]?.Values, [5, 1]);
});

test("statistics of a metric, values with their counts, and statistic sets", async () => {
  await using rig = await startRig();
  const { Value: _, ...bare } = datum(0, startMs);
  await put(rig, [
    { ...bare, Values: [10, 20], Counts: [3, 1], Unit: "Milliseconds" },
    { ...bare, StatisticValues: { SampleCount: 2, Sum: 100, Minimum: 40, Maximum: 60 }, Unit: "Milliseconds" },
    { ...bare, Value: 1_000, Unit: "Count" },
  ]);
  const { Datapoints } = await rig.client.send(
    new GetMetricStatisticsCommand({
      Namespace: "Probe",
      MetricName: "Blocked",
      Dimensions: [{ Name: "Provider", Value: "acme" }],
      StartTime: new Date(startMs),
      EndTime: new Date(startMs + minuteMs),
      Period: 60,
      Statistics: ["SampleCount", "Average", "Sum", "Minimum", "Maximum"],
      Unit: "Milliseconds",
    }),
  );
  assert.deepEqual(Datapoints, [
    {
      Timestamp: new Date(startMs),
      Unit: "Milliseconds",
      SampleCount: 6,
      Average: 25,
      Sum: 150,
      Minimum: 10,
      Maximum: 60,
    },
  ]);
});

test("a call of a thousand data arrives, compressed as the client does it", async () => {
  await using rig = await startRig();
  const many = Array.from({ length: 1_000 }, (_, index) => datum(index, startMs, { MetricName: `m${index}` }));
  await put(rig, many);
  const first = await rig.client.send(new ListMetricsCommand({ Namespace: "Probe" }));
  assert.equal(first.Metrics?.length, 500);
  const second = await rig.client.send(new ListMetricsCommand({ Namespace: "Probe", NextToken: first.NextToken }));
  assert.equal(second.Metrics?.length, 500);
  assert.equal(second.NextToken, undefined);
  const named = await rig.client.send(
    new ListMetricsCommand({ MetricName: "m7", Dimensions: [{ Name: "Provider", Value: "acme" }] }),
  );
  assert.deepEqual(named.Metrics, [
    { Namespace: "Probe", MetricName: "m7", Dimensions: [{ Name: "Provider", Value: "acme" }] },
  ]);
});

const dimension = { Name: "Provider", Value: "acme" };
const { Value: _value, ...valueless } = datum(1, startMs);
const refusedData: readonly (readonly [string, readonly MetricDatum[], RegExp])[] = [
  ["a value that is no number", [datum(Number.NaN, startMs)], /^InvalidParameterValue\w*: The value NaN/],
  ["an infinite value", [{ ...valueless, Values: [1, Infinity] }], /^InvalidParameterValue\w*: The value Infinity/],
  ["a value beyond 2^360", [datum(2 ** 361, startMs)], /^InvalidParameterValue/],
  ["data of three weeks ago", [datum(1, startMs - 21 * 86_400_000)], /^InvalidParameterValue.*two weeks/],
  ["data of the day after", [datum(1, startMs + 86_400_000)], /^InvalidParameterValue.*two hours/],
  ["151 values", [{ ...valueless, Values: Array.from({ length: 151 }, () => 1) }], /^Validation\w+: .*Values/],
  [
    "counts that are not the values'",
    [{ ...valueless, Values: [1, 2], Counts: [1] }],
    /^InvalidParameterValue.*length/,
  ],
  ["31 dimensions", [datum(1, startMs, { Dimensions: Array.from({ length: 31 }, () => dimension) })], /^Validation\w+/],
  ["1,001 data", Array.from({ length: 1_001 }, () => datum(1, startMs)), /^Validation\w+: .*MetricData/],
  ["no value", [valueless], /^InvalidParameterCombination/],
  ["a value and values", [datum(1, startMs, { Values: [1] })], /^InvalidParameterCombination/],
];
for (const [what, data, expected] of refusedData) {
  test(`PutMetricData refuses ${what}`, async () => {
    await using rig = await startRig();
    assert.match(await refusalOf(put(rig, data)), expected);
    assert.deepEqual((await rig.client.send(new ListMetricsCommand({}))).Metrics, []);
  });
}

test("Amazon's namespaces are refused from outside, and published from within", async () => {
  await using rig = await startRig();
  assert.match(await refusalOf(put(rig, [datum(1, startMs)], "AWS/SQS")), /^InvalidParameterValue\w*: The value AWS\//);
  rig.cloudWatch.publish("AWS/SQS", [{ MetricName: "ApproximateNumberOfMessagesVisible", Value: 3, Unit: "Count" }]);
  const { Metrics } = await rig.client.send(new ListMetricsCommand({ Namespace: "AWS/SQS" }));
  assert.deepEqual(Metrics, [
    { Namespace: "AWS/SQS", MetricName: "ApproximateNumberOfMessagesVisible", Dimensions: [] },
  ]);
});

test("an operation and a parameter that are not supported are told by name", async () => {
  await using rig = await startRig();
  assert.match(await refusalOf(rig.client.send(new ListDashboardsCommand({}))), /^UnknownOperation.*ListDashboards/);
  assert.match(
    await refusalOf(
      rig.client.send(new PutMetricAlarmCommand({ ...alarmNamed("a"), Tags: [{ Key: "k", Value: "v" }] })),
    ),
    /^NotImplemented: PutMetricAlarm: Tags/,
  );
  assert.match(
    await refusalOf(rig.client.send(new DescribeAlarmsCommand({ ChildrenOfAlarmName: "a" }))),
    /^NotImplemented: DescribeAlarms: ChildrenOfAlarmName/,
  );
});

test("what is not a call of CloudWatch is refused as such", async () => {
  await using rig = await startRig();
  const target = "GraniteServiceVersion20100801.ListMetrics";
  const texts = await Promise.all(
    [
      fetch(rig.cloudWatch.url),
      fetch(rig.cloudWatch.url, { method: "POST", body: "{}" }),
      fetch(rig.cloudWatch.url, { method: "POST", headers: { "x-amz-target": target }, body: "{" }),
    ].map(async (sent) => {
      const response = await sent;
      return `${response.status} ${response.headers.get("x-amzn-query-error")} ${await response.text()}`;
    }),
  );
  assert.match(texts[0] ?? "", /^400 UnknownOperationException;Sender/);
  assert.match(texts[1] ?? "", /^400 UnknownOperationException;Sender/);
  assert.match(texts[2] ?? "", /^400 SerializationException;Sender/);
});

const metricStat = {
  Metric: { Namespace: "Probe", MetricName: "Blocked" },
  Period: 60,
  Stat: "Sum",
};
function math(...metrics: NonNullable<PutMetricAlarmCommandInput["Metrics"]>): PutMetricAlarmCommandInput {
  return {
    AlarmName: "a",
    EvaluationPeriods: 1,
    Threshold: 1,
    ComparisonOperator: "GreaterThanThreshold",
    Metrics: metrics,
  };
}
const hidden = (Id: string, Period = 60) => ({ Id, MetricStat: { ...metricStat, Period }, ReturnData: false });
const refusedAlarms: readonly (readonly [string, PutMetricAlarmCommandInput, RegExp])[] = [
  ["a period of 45 s", alarmNamed("a", { Period: 45 }), /^Validation\w+: .*Period/],
  ["a period of 5 s", alarmNamed("a", { Period: 5 }), /^Validation\w+: .*[Pp]eriod/],
  ["more than a day of minutes", alarmNamed("a", { EvaluationPeriods: 1_441 }), /^Validation\w+: .*a day/],
  [
    "more than a week of days",
    alarmNamed("a", { Period: 86_400, EvaluationPeriods: 8 }),
    /^Validation\w+: .*seven days/,
  ],
  ["3 of 2", alarmNamed("a", { EvaluationPeriods: 2, DatapointsToAlarm: 3 }), /^Validation\w+: DatapointsToAlarm/],
  [
    "six actions",
    alarmNamed("a", { AlarmActions: Array.from({ length: 6 }, () => topic) }),
    /^Validation\w+: .*AlarmActions/,
  ],
  ["a metric without a statistic", alarmNamed("a", { Statistic: undefined }), /^Validation\w+: .*Statistic/],
  ["a metric without a period", alarmNamed("a", { Period: undefined }), /^MissingRequiredParameter\w*: .*Period/],
  ["a metric and math", { ...math(hidden("m")), MetricName: "Blocked" }, /^InvalidParameterCombination/],
  ["math without a result", math(hidden("m")), /^Validation\w+: Exactly one/],
  [
    "math with two results",
    math({ ...hidden("m"), ReturnData: true }, { Id: "e", Expression: "m" }),
    /^Validation\w+: Exactly one/,
  ],
  [
    "eleven metrics",
    math({ Id: "e", Expression: "m0" }, ...Array.from({ length: 11 }, (_, n) => hidden(`m${n}`))),
    /^Validation\w+: .*10 metrics/,
  ],
  [
    "metrics of two periods",
    math({ Id: "e", Expression: "m + n" }, hidden("m"), hidden("n", 300)),
    /^Validation\w+: .*different periods/,
  ],
  [
    "an expression that is none",
    math({ Id: "e", Expression: "m +" }, hidden("m")),
    /^Validation\w+: Error in expression 'e': .*position 3/,
  ],
  [
    "an expression that makes a number",
    math({ Id: "e", Expression: "SUM(m)" }, hidden("m")),
    /^Validation\w+: .*single time series/,
  ],
  [
    "expressions that go round",
    math({ Id: "e", Expression: "f + m" }, { Id: "f", Expression: "e", ReturnData: false }, hidden("m")),
    /^Validation\w+: .*names itself/,
  ],
  ["two of one id", math({ Id: "m", Expression: "m" }, hidden("m")), /^Validation\w+: .*not unique/],
];
for (const [what, input, expected] of refusedAlarms) {
  test(`PutMetricAlarm refuses ${what}`, async () => {
    await using rig = await startRig();
    assert.match(await refusalOf(rig.client.send(new PutMetricAlarmCommand(input))), expected);
    assert.deepEqual(rig.cloudWatch.alarms(), []);
  });
}

const refusedComposites: readonly (readonly [string, Partial<PutCompositeAlarmCommandInput>, RegExp])[] = [
  ["a child that does not exist", { AlarmRule: "ALARM(gone)" }, /^Validation\w+: .*do not exist: gone/],
  [
    "a suppressor that does not exist",
    { ActionsSuppressor: "gone", ActionsSuppressorWaitPeriod: 1, ActionsSuppressorExtensionPeriod: 1 },
    /^Validation\w+: .*gone/,
  ],
  ["a suppressor without its periods", { ActionsSuppressor: "child" }, /^Validation\w+: .*WaitPeriod/],
  ["a rule that is none", { AlarmRule: "ALARM(child) AND" }, /^Validation\w+: AlarmRule: .*position 16/],
  [
    "101 children",
    { AlarmRule: Array.from({ length: 101 }, (_, n) => `ALARM(c${n})`).join(" OR ") },
    /^Validation\w+: .*100 children/,
  ],
  ["the name of a metric alarm", { AlarmName: "child" }, /^Validation\w+: .*another type/],
];
for (const [what, input, expected] of refusedComposites) {
  test(`PutCompositeAlarm refuses ${what}`, async () => {
    await using rig = await startRig();
    await rig.client.send(new PutMetricAlarmCommand(alarmNamed("child")));
    const command = new PutCompositeAlarmCommand({ AlarmName: "whole", AlarmRule: "ALARM(child)", ...input });
    assert.match(await refusalOf(rig.client.send(command)), expected);
    assert.equal(rig.cloudWatch.alarms().length, 1);
  });
}

test("alarms are described by name, prefix, state, type and page", async () => {
  await using rig = await startRig();
  for (const name of ["b-2", "b-1", "a"]) await rig.client.send(new PutMetricAlarmCommand(alarmNamed(name)));
  await rig.client.send(new PutCompositeAlarmCommand({ AlarmName: "b-whole", AlarmRule: "ALARM(a)" }));
  await rig.client.send(new SetAlarmStateCommand({ AlarmName: "b-2", StateValue: "ALARM", StateReason: "drill" }));
  const named = async (input: DescribeAlarmsCommandInput): Promise<readonly string[]> => {
    const { MetricAlarms = [], CompositeAlarms = [] } = await rig.client.send(new DescribeAlarmsCommand(input));
    return [...MetricAlarms, ...CompositeAlarms].map(({ AlarmName }) => AlarmName ?? "");
  };
  assert.deepEqual(await named({}), ["a", "b-1", "b-2"]);
  assert.deepEqual(await named({ AlarmTypes: ["CompositeAlarm"] }), ["b-whole"]);
  assert.deepEqual(await named({ AlarmTypes: ["CompositeAlarm", "MetricAlarm"], AlarmNamePrefix: "b" }), [
    "b-1",
    "b-2",
    "b-whole",
  ]);
  assert.deepEqual(await named({ AlarmNames: ["a", "none"] }), ["a"]);
  assert.deepEqual(await named({ StateValue: "ALARM" }), ["b-2"]);
  assert.deepEqual(await named({ ActionPrefix: topic }), ["a", "b-1", "b-2"]);
  assert.deepEqual(await named({ ActionPrefix: "arn:aws:lambda" }), []);
  assert.match(await refusalOf(named({ AlarmNames: ["a"], AlarmNamePrefix: "b" })), /^InvalidParameterCombination/);
  assert.match(await refusalOf(named({ NextToken: "none" })), /^InvalidNextToken/);
  const pages: number[] = [];
  const all = { AlarmTypes: ["CompositeAlarm" as const, "MetricAlarm" as const] };
  for await (const page of paginateDescribeAlarms({ client: rig.client, pageSize: 3 }, all)) {
    pages.push((page.MetricAlarms?.length ?? 0) + (page.CompositeAlarms?.length ?? 0));
  }
  assert.deepEqual(pages, [3, 1]);
});

test("a described alarm has all that was put, its state, and when", async () => {
  await using rig = await startRig();
  await rig.client.send(
    new PutMetricAlarmCommand(alarmNamed("a", { AlarmDescription: "blocked", DatapointsToAlarm: 1 })),
  );
  await rig.clock.advance(30_000);
  await rig.client.send(
    new SetAlarmStateCommand({ AlarmName: "a", StateValue: "ALARM", StateReason: "drill", StateReasonData: '{"n":1}' }),
  );
  const { MetricAlarms } = await rig.client.send(new DescribeAlarmsCommand({}));
  const { InsufficientDataActions, ...alarm } = MetricAlarms?.[0] ?? {};
  assert.deepEqual(InsufficientDataActions, []);
  assert.deepEqual(alarm, {
    ...alarmNamed("a", { AlarmDescription: "blocked", DatapointsToAlarm: 1 }),
    ActionsEnabled: true,
    AlarmArn: "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a",
    AlarmConfigurationUpdatedTimestamp: new Date(startMs),
    StateValue: "ALARM",
    StateReason: "drill",
    StateReasonData: '{"n":1}',
    StateTransitionedTimestamp: new Date(startMs + 30_000),
    StateUpdatedTimestamp: new Date(startMs + 30_000),
  });
});

test("SetAlarmState takes JSON only as its data, and an alarm that exists", async () => {
  await using rig = await startRig();
  await rig.client.send(new PutMetricAlarmCommand(alarmNamed("a")));
  const set = (AlarmName: string, StateReasonData?: string): Promise<string> =>
    refusalOf(
      rig.client.send(new SetAlarmStateCommand({ AlarmName, StateValue: "OK", StateReason: "x", StateReasonData })),
    );
  assert.match(await set("a", "{"), /^InvalidFormat/);
  assert.match(await set("none"), /^ResourceNotFound/);
});

test("alarms are deleted, but none that another depends on, nor two composites at once", async () => {
  await using rig = await startRig();
  for (const name of ["a", "b", "quiet"]) await rig.client.send(new PutMetricAlarmCommand(alarmNamed(name)));
  await rig.client.send(new PutCompositeAlarmCommand({ AlarmName: "whole", AlarmRule: "ALARM(a)" }));
  await rig.client.send(
    new PutCompositeAlarmCommand({
      AlarmName: "other",
      AlarmRule: "FALSE",
      ActionsSuppressor: "quiet",
      ActionsSuppressorWaitPeriod: 60,
      ActionsSuppressorExtensionPeriod: 60,
    }),
  );
  const drop = (...AlarmNames: string[]): Promise<string> =>
    refusalOf(rig.client.send(new DeleteAlarmsCommand({ AlarmNames })));
  assert.match(await drop("a"), /^Validation\w+: .*whole depends/);
  assert.match(await drop("quiet"), /^Validation\w+: .*other depends/);
  assert.match(await drop("whole", "other"), /^Validation\w+: .*one composite/);
  assert.equal(rig.cloudWatch.alarms().length, 5);
  assert.equal(await drop("whole", "a"), "taken");
  assert.match(await drop("b", "none"), /^ResourceNotFound\w*: .*none/);
  assert.deepEqual(
    rig.cloudWatch.alarms().map(({ name }) => name),
    ["other", "quiet"],
  );
});

test("actions are taken only while they are enabled", async () => {
  await using rig = await startRig();
  await rig.client.send(new PutMetricAlarmCommand(alarmNamed("a", { TreatMissingData: "ignore" })));
  const set = async (StateValue: "OK" | "ALARM"): Promise<void> => {
    await rig.client.send(new SetAlarmStateCommand({ AlarmName: "a", StateValue, StateReason: "drill" }));
  };
  await rig.client.send(new DisableAlarmActionsCommand({ AlarmNames: ["a"] }));
  await set("ALARM");
  assert.deepEqual(rig.taken(), []);
  await rig.client.send(new EnableAlarmActionsCommand({ AlarmNames: ["a"] }));
  await set("OK");
  assert.deepEqual(rig.taken(), ["a: ALARM -> OK"]);
  assert.match(
    await refusalOf(rig.client.send(new EnableAlarmActionsCommand({ AlarmNames: ["none"] }))),
    /^ResourceNotFound/,
  );
});

test("an alarm's history tells how it was put, its changes and its actions, the failed ones with why", async () => {
  let tries = 0;
  await using rig = await startRig({
    act: async () => {
      tries += 1;
      if (tries > 1) throw new Error("the topic is gone");
    },
  });
  await rig.client.send(new PutMetricAlarmCommand(alarmNamed("a", { TreatMissingData: "ignore" })));
  await rig.client.send(new SetAlarmStateCommand({ AlarmName: "a", StateValue: "ALARM", StateReason: "drill" }));
  await rig.clock.advance(minuteMs);
  await rig.client.send(new SetAlarmStateCommand({ AlarmName: "a", StateValue: "OK", StateReason: "over" }));
  await rig.clock.advance(minuteMs);
  assert.equal(tries, 5, "one that was done, one that was tried four times");
  const items = async (input: object): Promise<readonly string[]> => {
    const { AlarmHistoryItems = [] } = await rig.client.send(
      new DescribeAlarmHistoryCommand({ AlarmName: "a", ...input }),
    );
    return AlarmHistoryItems.map(({ HistorySummary }) => HistorySummary ?? "");
  };
  assert.deepEqual(await items({ ScanBy: "TimestampAscending" }), [
    'Alarm "a" created',
    "Alarm updated from INSUFFICIENT_DATA to ALARM",
    `Successfully executed action ${topic}`,
    "Alarm updated from ALARM to OK",
    `Failed to execute action ${topic}`,
  ]);
  assert.deepEqual(await items({ HistoryItemType: "StateUpdate", MaxRecords: 1 }), ["Alarm updated from ALARM to OK"]);
  const { AlarmHistoryItems } = await rig.client.send(new DescribeAlarmHistoryCommand({ HistoryItemType: "Action" }));
  assert.match(AlarmHistoryItems?.[0]?.HistoryData ?? "", /"Failed".*"tries":4.*the topic is gone/);
});
