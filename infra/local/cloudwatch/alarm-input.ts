// What may be asked of alarms: the shapes of PutMetricAlarm, PutCompositeAlarm and the calls about alarms, with AWS's
// limits, those between parameters too. It knows no alarm that exists.
import * as z from "zod/mini";
import { treatments } from "./evaluation.ts";
import {
  checked,
  dimensions,
  list,
  metricName,
  namespace,
  period,
  query,
  statisticName,
  text,
  unit,
} from "./metric-input.ts";
import type { Query } from "./metric-input.ts";
import { checkQueries, periodOf, seriesOf } from "./query.ts";
import { Refusal } from "./protocol.ts";
import { stateValues } from "./rule.ts";

const alarmName = text(1, 255);
const names = list(alarmName, 100);
const reason = text(0, 1023);
/** Five actions a state. */
const actions = list(text(1, 1024), 5);
const facts = {
  AlarmName: alarmName,
  AlarmDescription: z.optional(text(0, 1024)),
  ActionsEnabled: z.optional(z.boolean()),
  OKActions: z.optional(actions),
  AlarmActions: z.optional(actions),
  InsufficientDataActions: z.optional(actions),
};

const putMetricAlarm = z.strictObject({
  ...facts,
  MetricName: z.optional(metricName),
  Namespace: z.optional(namespace),
  Statistic: z.optional(z.enum(["SampleCount", "Average", "Sum", "Minimum", "Maximum"])),
  ExtendedStatistic: z.optional(statisticName),
  Dimensions: z.optional(dimensions),
  Period: z.optional(period),
  Unit: z.optional(unit),
  EvaluationPeriods: z.int().check(z.minimum(1)),
  DatapointsToAlarm: z.optional(z.int().check(z.minimum(1))),
  Threshold: z.number(),
  ComparisonOperator: z.enum([
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
  ]),
  TreatMissingData: z.optional(z.enum(treatments)),
  /** The default; the other value is `ignore`. */
  EvaluateLowSampleCountPercentile: z.optional(z.literal("evaluate")),
  Metrics: z.optional(list(query, 20)),
  /** A wall clock is that of UTC here. */
  EvaluationWindow: z.optional(
    z.union([
      z.strictObject({ SlidingWindow: z.strictObject({}) }),
      z.strictObject({ WallClockWindow: z.strictObject({}) }),
    ]),
  ),
  WarmUpConfiguration: z.optional(
    z.strictObject({
      WarmUpPeriodDurationInMinutes: z.int().check(z.minimum(1)),
      OnlyStartEvaluatingAfterWarmUpPeriodEnds: z.optional(z.boolean()),
    }),
  ),
});

const seconds = z.int().check(z.minimum(0));
const putCompositeAlarm = z.strictObject({
  ...facts,
  AlarmRule: text(1, 10_240),
  ActionsSuppressor: z.optional(text(1, 1600)),
  ActionsSuppressorWaitPeriod: z.optional(seconds),
  ActionsSuppressorExtensionPeriod: z.optional(seconds),
});

export const describeAlarms = z.strictObject({
  AlarmNames: z.optional(names),
  AlarmNamePrefix: z.optional(alarmName),
  AlarmTypes: z.optional(list(z.enum(["MetricAlarm", "CompositeAlarm"]), 2)),
  StateValue: z.optional(z.enum(stateValues)),
  ActionPrefix: z.optional(text(1, 1024)),
  MaxRecords: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
  NextToken: z.optional(z.string()),
});

export const describeAlarmHistory = z.strictObject({
  AlarmName: z.optional(alarmName),
  AlarmTypes: z.optional(list(z.enum(["MetricAlarm", "CompositeAlarm"]), 2)),
  HistoryItemType: z.optional(z.enum(["ConfigurationUpdate", "StateUpdate", "Action"])),
  StartDate: z.optional(z.number()),
  EndDate: z.optional(z.number()),
  ScanBy: z.optional(z.enum(["TimestampDescending", "TimestampAscending"])),
  MaxRecords: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
  NextToken: z.optional(z.string()),
});

export const alarmNames = z.strictObject({ AlarmNames: names });
export const setAlarmState = z.strictObject({
  AlarmName: alarmName,
  StateValue: z.enum(stateValues),
  StateReason: reason,
  StateReasonData: z.optional(text(0, 4000)),
});

export type MetricAlarmInput = z.infer<typeof putMetricAlarm>;
export type CompositeAlarmInput = z.infer<typeof putCompositeAlarm>;
/** An alarm, as it was put. */
export type AlarmDefinition =
  | { readonly kind: "metric"; readonly input: MetricAlarmInput }
  | { readonly kind: "composite"; readonly input: CompositeAlarmInput };

/** An alarm's queries: one where it was put as a metric. */
export function queriesOf(input: MetricAlarmInput): readonly Query[] {
  const { Metrics, Namespace, MetricName, Dimensions = [], Period, Unit } = input;
  if (Metrics !== undefined) return Metrics;
  if (Namespace === undefined || MetricName === undefined || Period === undefined) return [];
  const Stat = input.Statistic ?? input.ExtendedStatistic ?? "";
  return [
    { Id: "m1", MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period, Stat, Unit }, ReturnData: true },
  ];
}

/** Which of the queries the alarm looks at. */
export function watchedOf(queries: readonly Query[]): string {
  return queries.find(({ ReturnData = true }) => ReturnData)?.Id ?? "";
}

/**
 * Throws a refusal by AWS's names for what it does not take, and NotImplemented for what AWS takes and this does not.
 */
export function metricAlarmOf(input: unknown): MetricAlarmInput {
  const alarm = checked("PutMetricAlarm", putMetricAlarm, input);
  checkMetric(alarm);
  const queries = queriesOf(alarm);
  checkQueries(queries);
  const returned = queries.filter(({ ReturnData = true }) => ReturnData);
  if (returned.length !== 1) throw invalid("Exactly one element of the metrics list should return data");
  if (queries.filter(({ MetricStat }) => MetricStat !== undefined).length > 10) {
    throw invalid("The metrics list of an alarm must not have more than 10 metrics");
  }
  const periodS = periodOf(queries, watchedOf(queries));
  if (periodS < 10) throw invalid("The period of an alarm must be 10, 20, 30 or a multiple of 60");
  // An expression that is none, or makes no single series, is none whatever the data: none will do.
  seriesOf(new Map(), queries, watchedOf(queries), { startMs: 0, periodMs: 1, count: 1 });
  const { EvaluationPeriods: of, DatapointsToAlarm: datapoints = of } = alarm;
  if (datapoints > of) throw invalid("DatapointsToAlarm must not be greater than EvaluationPeriods");
  const [longest, what] =
    periodS < 3600 ? [86_400, "a day, with periods of less than an hour,"] : [604_800, "seven days"];
  if (of * periodS > longest) throw invalid(`EvaluationPeriods times Period must not be longer than ${what}`);
  return alarm;
}

/** Throws a refusal by AWS's names. Whether the alarms that it names exist is not looked at. */
export function compositeAlarmOf(input: unknown): CompositeAlarmInput {
  const alarm = checked("PutCompositeAlarm", putCompositeAlarm, input);
  const { ActionsSuppressor, ActionsSuppressorWaitPeriod: wait, ActionsSuppressorExtensionPeriod: extension } = alarm;
  const given = [wait, extension].filter((each) => each !== undefined).length;
  if (given !== (ActionsSuppressor === undefined ? 0 : 2)) {
    throw invalid(
      "ActionsSuppressor must be given with ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod",
    );
  }
  return alarm;
}

function checkMetric(alarm: MetricAlarmInput): void {
  const { MetricName, Namespace, Period, Statistic, ExtendedStatistic, Dimensions, Unit, Metrics } = alarm;
  const single = [MetricName, Namespace, Period, Statistic, ExtendedStatistic, Dimensions, Unit];
  if (Metrics !== undefined) {
    if (single.every((each) => each === undefined)) return;
    throw new Refusal(
      "InvalidParameterCombination",
      "Metrics must not be given with a metric: MetricName, Namespace, Dimensions, Period, Unit or a statistic",
    );
  }
  if (MetricName === undefined) throw invalid("Either MetricName or Metrics must be given");
  if (Namespace === undefined) throw new Refusal("MissingParameter", "The parameter Namespace is required.");
  if (Period === undefined) throw new Refusal("MissingParameter", "The parameter Period is required.");
  if ((Statistic === undefined) === (ExtendedStatistic === undefined)) {
    throw invalid("Exactly one of Statistic and ExtendedStatistic must be given");
  }
}

function invalid(message: string): Refusal {
  return new Refusal("ValidationError", message);
}
