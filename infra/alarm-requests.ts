// Alarm rows as CloudWatch's own requests: what the local stack puts, and, field by field, what the template declares. It
// knows neither what an alarm is about nor when it fires.
import type {
  Dimension,
  MetricDataQuery,
  PutCompositeAlarmCommandInput,
  PutMetricAlarmCommandInput,
} from "@aws-sdk/client-cloudwatch";
import type { Alarm, AlarmMetric, CompositeAlarm, MetricAlarm } from "../functions/report/alarms.ts";

/** One metric is asked for plainly; an expression needs its metrics as queries. */
export function metricAlarm(alarm: MetricAlarm, actions: readonly string[]): PutMetricAlarmCommandInput {
  const { metrics, expression, periodS, datapoints, of, comparison, threshold, missing } = alarm;
  const [first] = metrics;
  const watched =
    expression === null
      ? {
          Namespace: first.namespace,
          MetricName: first.name,
          Dimensions: dimensionsOf(first),
          Statistic: first.statistic,
          Period: periodS,
        }
      : { Metrics: [...metrics.map((each) => queryOf(each, periodS)), { Id: "value", Expression: expression }] };
  return {
    ...factsOf(alarm, actions),
    ...watched,
    EvaluationPeriods: of,
    DatapointsToAlarm: datapoints,
    ComparisonOperator: comparison,
    Threshold: threshold,
    TreatMissingData: missing,
    ...warmUp(alarm),
  };
}

/**
 * Where missing data breaches, an alarm that is new would fire before there can be any. The whole time is waited for: an
 * expression that fills what is missing has "enough metric data" at once.
 */
function warmUp({ missing, periodS, of }: MetricAlarm): Pick<PutMetricAlarmCommandInput, "WarmUpConfiguration"> {
  if (missing !== "breaching") return {};
  const WarmUpPeriodDurationInMinutes = Math.ceil(((of + 1) * periodS) / 60);
  return { WarmUpConfiguration: { WarmUpPeriodDurationInMinutes, OnlyStartEvaluatingAfterWarmUpPeriodEnds: true } };
}

export function compositeAlarm(alarm: CompositeAlarm, actions: readonly string[]): PutCompositeAlarmCommandInput {
  const { rule, suppressor } = alarm;
  const suppression =
    suppressor === null
      ? {}
      : {
          ActionsSuppressor: suppressor.alarm,
          ActionsSuppressorWaitPeriod: suppressor.waitS,
          ActionsSuppressorExtensionPeriod: suppressor.extensionS,
        };
  return { ...factsOf(alarm, actions), AlarmRule: rule, ...suppression };
}

function factsOf({ name, description, pages }: Alarm, actions: readonly string[]) {
  const told = pages ? [...actions] : [];
  return { AlarmName: name, AlarmDescription: description, AlarmActions: told, OKActions: told };
}

function queryOf(metric: AlarmMetric, periodS: number): MetricDataQuery {
  const { id, namespace, name, statistic } = metric;
  const Metric = { Namespace: namespace, MetricName: name, Dimensions: dimensionsOf(metric) };
  return { Id: id, MetricStat: { Metric, Period: periodS, Stat: statistic }, ReturnData: false };
}

function dimensionsOf({ dimensions }: AlarmMetric): Dimension[] {
  return Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
}
