// What CloudWatch tells when an alarm changes: to a function (its documented event) and to a topic (its JSON). It knows
// nothing of when an alarm changes, nor how it is told.
import type { CloudWatchAlarmEvent, CloudWatchAlarmMetricDataQuery, CloudWatchAlarmState } from "aws-lambda";
import { queriesOf, type AlarmDefinition, type MetricAlarmInput } from "./alarm-input.ts";
import type { StateValue } from "./rule.ts";

/** Why the actions of a composite alarm are held back. */
export type SuppressedBy = "WaitPeriod" | "ExtensionPeriod" | "Alarm";

export interface AlarmState {
  readonly value: StateValue;
  readonly reason: string;
  /** JSON in a text, as AWS has it. */
  readonly reasonData: string | null;
  /** When it came to this value, or its actions came to be held back or let go, in ms since the epoch. */
  readonly atMs: number;
  readonly suppressedBy: SuppressedBy | null;
  readonly suppressedReason: string | null;
}

/**
 * One change of an alarm, as plain data. Where the actions of a composite alarm were held back and are now due, `state`
 * and `previous` have the same value: `previous` says what held them back. AWS tells it so, in the example of its
 * guide.
 */
export interface AlarmChange {
  readonly name: string;
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly alarm: AlarmDefinition;
  /** When the alarm was last put, in ms since the epoch. */
  readonly configuredAtMs: number;
  readonly state: AlarmState;
  readonly previous: AlarmState;
}

/** As Lambda gets it: "Invoke a Lambda function from an alarm" in CloudWatch's guide. */
export function lambdaEvent(change: AlarmChange): CloudWatchAlarmEvent {
  const { alarm } = change;
  const description = alarm.input.AlarmDescription;
  const described = description === undefined ? {} : { description };
  return {
    source: "aws.cloudwatch",
    alarmArn: change.arn,
    accountId: change.accountId,
    time: timeText(change.state.atMs),
    region: change.region,
    alarmData: {
      alarmName: change.name,
      state: stateOf(change.state),
      previousState: stateOf(change.previous),
      configuration:
        alarm.kind === "metric"
          ? { ...described, metrics: queriesOf(alarm.input).map(metricOf) }
          : { ...described, alarmRule: alarm.input.AlarmRule, ...suppressorOf(change) },
    },
  };
}

/** As subscribers of a topic get it, in the message's text. */
export function snsMessage(change: AlarmChange): string {
  const { alarm, state, previous } = change;
  const { input } = alarm;
  return JSON.stringify({
    AlarmName: change.name,
    AlarmDescription: input.AlarmDescription ?? null,
    AWSAccountId: change.accountId,
    AlarmConfigurationUpdatedTimestamp: timeText(change.configuredAtMs),
    NewStateValue: state.value,
    NewStateReason: state.reason,
    StateChangeTime: timeText(state.atMs),
    Region: regionNames[change.region] ?? change.region,
    AlarmArn: change.arn,
    OldStateValue: previous.value,
    OKActions: input.OKActions ?? [],
    AlarmActions: input.AlarmActions ?? [],
    InsufficientDataActions: input.InsufficientDataActions ?? [],
    ...(alarm.kind === "metric"
      ? { Trigger: triggerOf(alarm.input) }
      : { AlarmRule: alarm.input.AlarmRule, TriggeringChildren: childrenIn(state) }),
  });
}

/** "2019-10-02T17:04:40.985+0000" */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "+0000");
}

/** A topic's JSON names a region for people; its id is in the alarm's ARN alone. */
const regionNames: Readonly<Record<string, string>> = {
  "us-east-1": "US East (N. Virginia)",
  "us-east-2": "US East (Ohio)",
  "us-west-2": "US West (Oregon)",
  "eu-central-1": "EU (Frankfurt)",
  "eu-north-1": "EU (Stockholm)",
  "eu-west-1": "EU (Ireland)",
  "eu-west-2": "EU (London)",
};

function stateOf({
  value,
  reason,
  reasonData,
  atMs,
  suppressedBy,
  suppressedReason,
}: AlarmState): CloudWatchAlarmState {
  return {
    value,
    reason,
    ...(reasonData === null ? {} : { reasonData }),
    timestamp: timeText(atMs),
    ...(suppressedBy === null ? {} : { actionsSuppressedBy: suppressedBy }),
    ...(suppressedReason === null ? {} : { actionsSuppressedReason: suppressedReason }),
  };
}

function metricOf(query: ReturnType<typeof queriesOf>[number]): CloudWatchAlarmMetricDataQuery {
  const { Id: id, Expression: expression, Label: label = id, ReturnData: returnData = true, MetricStat } = query;
  if (MetricStat === undefined) return { id, expression: expression ?? "", label, returnData };
  const { Metric, Period: period, Stat: stat, Unit: unit } = MetricStat;
  const dimensions = Object.fromEntries((Metric.Dimensions ?? []).map(({ Name, Value }) => [Name, Value]));
  const metric = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions };
  return { id, metricStat: { metric, period, stat, ...(unit === undefined ? {} : { unit }) }, returnData };
}

function suppressorOf({ alarm }: AlarmChange): object {
  if (alarm.kind === "metric" || alarm.input.ActionsSuppressor === undefined) return {};
  return {
    actionsSuppressor: alarm.input.ActionsSuppressor,
    actionsSuppressorWaitPeriod: alarm.input.ActionsSuppressorWaitPeriod,
    actionsSuppressorExtensionPeriod: alarm.input.ActionsSuppressorExtensionPeriod,
  };
}

function triggerOf(input: MetricAlarmInput): object {
  const common = {
    Period: input.Period ?? queriesOf(input).find(({ MetricStat }) => MetricStat !== undefined)?.MetricStat?.Period,
    EvaluationPeriods: input.EvaluationPeriods,
    DatapointsToAlarm: input.DatapointsToAlarm,
    ComparisonOperator: input.ComparisonOperator,
    Threshold: input.Threshold,
    TreatMissingData: input.TreatMissingData ?? "missing",
    EvaluateLowSampleCountPercentile: "",
  };
  if (input.Metrics !== undefined) return { ...common, Metrics: input.Metrics.map(topicQuery) };
  return {
    MetricName: input.MetricName,
    Namespace: input.Namespace,
    ...(input.Statistic === undefined
      ? { StatisticType: "ExtendedStatistic", ExtendedStatistic: input.ExtendedStatistic }
      : { StatisticType: "Statistic", Statistic: input.Statistic.replace(/(?<=[a-z])(?=[A-Z])/, "_").toUpperCase() }),
    Unit: input.Unit ?? null,
    Dimensions: topicDimensions(input.Dimensions),
    ...common,
  };
}

function topicQuery(query: ReturnType<typeof queriesOf>[number]): object {
  const { MetricStat, ...others } = query;
  if (MetricStat === undefined) return others;
  const metric = { ...MetricStat.Metric, Dimensions: topicDimensions(MetricStat.Metric.Dimensions) };
  return { ...others, MetricStat: { ...MetricStat, Metric: metric } };
}

/** In small letters here, in capitals in the alarm itself. */
function topicDimensions(dimensions: MetricAlarmInput["Dimensions"]): readonly object[] {
  return (dimensions ?? []).map(({ Name, Value }) => ({ value: Value, name: Name }));
}

function childrenIn({ reasonData }: AlarmState): readonly object[] {
  const { triggeringAlarms = [] } = JSON.parse(reasonData ?? "{}") as {
    readonly triggeringAlarms?: readonly {
      readonly arn: string;
      readonly state: { value: string; timestamp: string };
    }[];
  };
  return triggeringAlarms.map(({ arn, state: { value, timestamp } }) => ({
    Arn: arn,
    State: { Value: value, Timestamp: timestamp },
  }));
}
