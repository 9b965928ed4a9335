// Alarm rows as CloudWatch's own requests, and a CloudWatch that has these alarms and no others of ours. It knows neither
// what an alarm is about nor when it fires.
import {
  DeleteAlarmsCommand,
  paginateDescribeAlarms,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  type CloudWatchClient,
  type Dimension,
  type MetricDataQuery,
  type PutCompositeAlarmCommandInput,
  type PutMetricAlarmCommandInput,
} from "@aws-sdk/client-cloudwatch";
import type { Alarm, AlarmMetric, CompositeAlarm, MetricAlarm } from "../../functions/report/alarms.ts";

/**
 * Puts alarms in their order, and deletes those of an earlier configuration.
 * @param prefix of our alarms' names
 * @param actions ARNs that hear of the changes to ALARM and to OK of what pages
 */
export async function putAlarms(
  alarms: readonly Alarm[],
  prefix: string,
  actions: readonly string[],
  client: CloudWatchClient,
): Promise<void> {
  for (const alarm of alarms) {
    if (alarm.type === "metric") await client.send(new PutMetricAlarmCommand(metricAlarm(alarm, actions)));
    else await client.send(new PutCompositeAlarmCommand(compositeAlarm(alarm, actions)));
  }
  const names = new Set(alarms.map(({ name }) => name));
  const pages = paginateDescribeAlarms(
    { client },
    { AlarmNamePrefix: prefix, AlarmTypes: ["MetricAlarm", "CompositeAlarm"] },
  );
  const gone: { readonly name: string; readonly turn: number }[] = [];
  for await (const { CompositeAlarms = [], MetricAlarms = [] } of pages) {
    // What names another goes before it: what has a suppressor first, and the metric alarms last.
    const composites = CompositeAlarms.map(({ AlarmName = "", ActionsSuppressor }) => {
      return { name: AlarmName, turn: ActionsSuppressor === undefined ? 1 : 0 };
    });
    const found = [...composites, ...MetricAlarms.map(({ AlarmName = "" }) => ({ name: AlarmName, turn: 2 }))];
    gone.push(...found.filter(({ name }) => !names.has(name)));
  }
  // CloudWatch takes one composite a call.
  for (const { name } of gone.toSorted((a, b) => a.turn - b.turn)) {
    await client.send(new DeleteAlarmsCommand({ AlarmNames: [name] }));
  }
}

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
