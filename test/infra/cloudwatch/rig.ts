// The embedded CloudWatch under a clock that tests turn, the SDK's own client before it, and a list of the actions
// taken.
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { MetricDatum, PutMetricAlarmCommandInput } from "@aws-sdk/client-cloudwatch";
import { turnedClock, type TurnedClock } from "../../../infra/local/clock.ts";
import type { AlarmChange } from "../../../infra/local/cloudwatch/alarm-change.ts";
import { startCloudWatch, type CloudWatch, type CloudWatchOptions } from "../../../infra/local/cloudwatch/server.ts";

export interface Rig extends AsyncDisposable {
  readonly cloudWatch: CloudWatch;
  readonly clock: TurnedClock;
  readonly client: CloudWatchClient;
  /** What was acted on, the first first. */
  readonly acts: readonly { readonly arn: string; readonly change: AlarmChange; readonly atMs: number }[];
  /** "name: OLD -> NEW" of each, and forgets them. */
  taken(): readonly string[];
}

/** A whole minute. */
export const startMs = Date.parse("2026-11-24T12:00:00Z");
export const minuteMs = 60_000;
export const topic = "arn:aws:sns:eu-west-1:123456789012:pages";

export async function startRig(options: Partial<CloudWatchOptions> = {}, atMs = startMs): Promise<Rig> {
  const clock = turnedClock(atMs);
  const acts: { arn: string; change: AlarmChange; atMs: number }[] = [];
  const cloudWatch = await startCloudWatch({
    clock,
    act: async (arn, change) => {
      acts.push({ arn, change, atMs: clock.now() });
    },
    state: null,
    port: 0,
    region: "eu-west-1",
    accountId: "123456789012",
    ...options,
  });
  const client = new CloudWatchClient({
    region: "eu-west-1",
    endpoint: cloudWatch.url,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
  return {
    cloudWatch,
    clock,
    client,
    acts,
    taken: () =>
      acts.splice(0).map(({ change: { name, previous, state } }) => `${name}: ${previous.value} -> ${state.value}`),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await cloudWatch.close();
    },
  };
}

/** A metric alarm on one metric, that pages for each state. */
export function alarmNamed(name: string, others: Partial<PutMetricAlarmCommandInput> = {}): PutMetricAlarmCommandInput {
  return {
    AlarmName: name,
    Namespace: "Probe",
    MetricName: "Blocked",
    Dimensions: [{ Name: "Provider", Value: "acme" }],
    Statistic: "Maximum",
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 1,
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    AlarmActions: [topic],
    OKActions: [topic],
    ...others,
  };
}

export function datum(value: number, atMs: number, others: Partial<MetricDatum> = {}): MetricDatum {
  return {
    MetricName: "Blocked",
    Dimensions: [{ Name: "Provider", Value: "acme" }],
    Value: value,
    Timestamp: new Date(atMs),
    ...others,
  };
}
