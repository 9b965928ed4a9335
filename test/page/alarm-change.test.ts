import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { alarmChangeOf, AlarmChangeFault, type AlarmChange } from "../../functions/page/alarm-change.ts";

/** AWS's example of a metric alarm's event to a Lambda function ("Lambda action payload"). */
const lambdaMetric = {
  source: "aws.cloudwatch",
  alarmArn: "arn:aws:cloudwatch:us-east-1:444455556666:alarm:lambda-demo-metric-alarm",
  accountId: "444455556666",
  time: "2023-08-04T12:36:15.490+0000",
  region: "us-east-1",
  alarmData: {
    alarmName: "lambda-demo-metric-alarm",
    state: { value: "ALARM", reason: "test", timestamp: "2023-08-04T12:36:15.490+0000" },
    previousState: {
      value: "INSUFFICIENT_DATA",
      reason: "Insufficient Data: 5 datapoints were unknown.",
      reasonData: '{"version":"1.0","queryDate":"2023-08-04T12:31:29.591+0000","statistic":"Average","period":60}',
      timestamp: "2023-08-04T12:31:29.595+0000",
    },
    configuration: {
      description: "Metric Alarm to test Lambda actions",
      metrics: [
        {
          id: "1234e046-06f0-a3da-9534-EXAMPLEe4c",
          metricStat: {
            metric: { namespace: "AWS/Logs", name: "CallCount", dimensions: { InstanceId: "i-12345678" } },
            period: 60,
            stat: "Average",
            unit: "Percent",
          },
          returnData: true,
        },
      ],
    },
  },
};

/** AWS's example of a composite alarm that a suppressor's wait had kept from acting: it comes from ALARM. */
const lambdaComposite = {
  source: "aws.cloudwatch",
  alarmArn: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:SuppressionDemo.Main",
  accountId: "111122223333",
  time: "2023-08-04T12:56:46.138+0000",
  region: "us-east-1",
  alarmData: {
    alarmName: "CompositeDemo.Main",
    state: {
      value: "ALARM",
      reason: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.FirstChild transitioned to ALARM",
      reasonData: '{"triggeringAlarms":[]}',
      timestamp: "2023-08-04T12:56:46.138+0000",
    },
    previousState: {
      value: "ALARM",
      reason: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.FirstChild transitioned to ALARM",
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
};

/** A metric alarm's message to SNS, as CloudWatch has sent one; and a composite alarm's, of AWS's schema for it. */
const snsMetric = {
  AlarmName: "ServerCpuTooHigh",
  AlarmDescription: null,
  AWSAccountId: "123456789012",
  AlarmConfigurationUpdatedTimestamp: "2022-10-18T20:01:25.573+0000",
  NewStateValue: "OK",
  NewStateReason: "Threshold Crossed: 1 out of the last 1 datapoints [0.05 (18/10/22 20:13:00)] was not greater …",
  StateChangeTime: "2022-10-18T20:15:10.941+0000",
  Region: "US West (Oregon)",
  AlarmArn: "arn:aws:cloudwatch:us-west-2:123456789012:alarm:ServerCpuTooHigh",
  OldStateValue: "ALARM",
  OKActions: [],
  AlarmActions: [],
  InsufficientDataActions: [],
  Trigger: { MetricName: "CPUUtilization", Namespace: "AWS/ECS", Period: 60, Threshold: 0.059 },
};
const snsComposite = {
  AlarmName: "if-sim-app",
  AlarmDescription: "two of them",
  AWSAccountId: "123456789012",
  NewStateValue: "ALARM",
  NewStateReason: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:child transitioned to ALARM",
  StateChangeTime: "2021-11-10T02:45:55.640+0000",
  Region: "US East (N. Virginia)",
  AlarmArn: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:if-sim-app",
  OKActions: [],
  AlarmActions: [],
  InsufficientDataActions: [],
  OldStateValue: "OK",
  AlarmRule: "ALARM(child) OR ALARM(other)",
  TriggeringChildren: [{ Arn: "…", State: { Value: "ALARM", Timestamp: "2021-11-10T02:45:55.640+0000" } }],
};

const changes: readonly (readonly [what: string, event: unknown, change: AlarmChange])[] = [
  [
    "a metric alarm's event to a function",
    lambdaMetric,
    {
      alarmName: "lambda-demo-metric-alarm",
      from: "INSUFFICIENT_DATA",
      to: "ALARM",
      at: "2023-08-04T12:36:15.490Z",
      reason: "test",
      description: "Metric Alarm to test Lambda actions",
      suppressed: null,
      via: "lambda",
    },
  ],
  [
    "a composite alarm that was suppressed",
    lambdaComposite,
    {
      alarmName: "CompositeDemo.Main",
      from: "ALARM",
      to: "ALARM",
      at: "2023-08-04T12:56:46.138Z",
      reason: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:CompositeDemo.FirstChild transitioned to ALARM",
      description: null,
      suppressed: "WaitPeriod",
      via: "lambda",
    },
  ],
  [
    "a metric alarm's message to SNS",
    snsMetric,
    {
      alarmName: "ServerCpuTooHigh",
      from: "ALARM",
      to: "OK",
      at: "2022-10-18T20:15:10.941Z",
      reason: "Threshold Crossed: 1 out of the last 1 datapoints [0.05 (18/10/22 20:13:00)] was not greater …",
      description: null,
      suppressed: null,
      via: "sns",
    },
  ],
  [
    "a composite alarm's message to SNS",
    snsComposite,
    {
      alarmName: "if-sim-app",
      from: "OK",
      to: "ALARM",
      at: "2021-11-10T02:45:55.640Z",
      reason: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:child transitioned to ALARM",
      description: "two of them",
      suppressed: null,
      via: "sns",
    },
  ],
];

for (const [what, event, change] of changes) {
  test(`${what} is read`, () => {
    assert.deepEqual(alarmChangeOf(event), change);
  });
}

const message = JSON.stringify(snsMetric);
const envelope = JSON.stringify({ Type: "Notification", MessageId: "1", TopicArn: "arn:…", Message: message });
const wrapped: Readonly<Record<string, unknown>> = {
  "SNS's event to a function": { Records: [{ EventSource: "aws:sns", Sns: { Message: message } }] },
  "SNS's envelope": JSON.parse(envelope) as unknown,
  "an SQS record without raw delivery": { Records: [{ eventSource: "aws:sqs", body: envelope }] },
  "an SQS record with raw delivery": { Records: [{ eventSource: "aws:sqs", body: message }] },
  "JSON as text": message,
};

for (const [what, event] of Object.entries(wrapped)) {
  test(`the same change comes out of ${what}`, () => {
    assert.deepEqual(alarmChangeOf(event), alarmChangeOf(snsMetric));
  });
}

for (const [given, at] of [
  ["2019-10-02T17:04:40.985+0000", "2019-10-02T17:04:40.985Z"],
  ["2019-10-02T17:04:40.985+00:00", "2019-10-02T17:04:40.985Z"],
  ["2019-10-02T17:04:40.985Z", "2019-10-02T17:04:40.985Z"],
  ["2019-10-02T17:04:40Z", "2019-10-02T17:04:40.000Z"],
  ["2019-10-02T19:04:40.985+0200", "2019-10-02T17:04:40.985Z"],
  ["2019-10-02T13:34:40.985-0330", "2019-10-02T17:04:40.985Z"],
] as const) {
  test(`the time of change ${given} is one with that of every other form`, () => {
    assert.equal(alarmChangeOf({ ...snsMetric, StateChangeTime: given }).at, at);
  });
}

test("the same change has the same name and time by both ways", () => {
  const times = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true });
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), times, (name, time) => {
      const text = time.toISOString().replace("Z", "+0000");
      const { state } = lambdaMetric.alarmData;
      const data = { ...lambdaMetric.alarmData, alarmName: name, state: { ...state, timestamp: text } };
      const direct = alarmChangeOf({ ...lambdaMetric, alarmData: data });
      const bySns = alarmChangeOf({ ...snsMetric, AlarmName: name, StateChangeTime: text });
      assert.deepEqual([direct.alarmName, direct.at], [bySns.alarmName, bySns.at]);
      assert.equal(direct.at, time.toISOString());
    }),
  );
});

test("a new alarm has no state before", () => {
  const { previousState: _, ...data } = lambdaMetric.alarmData;
  assert.equal(alarmChangeOf({ ...lambdaMetric, alarmData: data }).from, "INSUFFICIENT_DATA");
});

for (const [what, event, fault] of [
  ["nothing", undefined, /nothing/],
  ["a number", 7, /: 7$/],
  ["another event", { source: "aws.ec2", detail: {} }, /an object with source, detail/],
  ["an empty object", {}, /an empty object/],
  ["text that is no JSON", "hello", /no JSON: "hello"/],
  ["no records", { Records: [] }, /nothing as a record/],
  ["two records", { Records: [{ body: message }, { body: message }] }, /2 came/],
  ["an S3 record", { Records: [{ s3: {} }] }, /an object with s3/],
  ["a state that there is not", { ...snsMetric, NewStateValue: "ok" }, /NewStateValue: one of OK, ALARM.*not "ok"/],
  ["a time that is none", { ...snsMetric, StateChangeTime: "yesterday" }, /StateChangeTime: a time such as/],
  ["a day that there is not", { ...snsMetric, StateChangeTime: "2019-13-02T17:04:40Z" }, /StateChangeTime/],
  ["no name", { ...snsMetric, AlarmName: "" }, /AlarmName: a text/],
  ["no state", { alarmData: { alarmName: "a" } }, /alarmData.state: an object, not nothing/],
] as const) {
  test(`${what} is a fault that says what came`, () => {
    assert.throws(
      () => alarmChangeOf(event),
      (error) => error instanceof AlarmChangeFault && fault.test(error.message),
    );
  });
}
