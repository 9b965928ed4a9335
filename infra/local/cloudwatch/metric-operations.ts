// What CloudWatch does when it is asked about metrics: an answer to each call, in AWS's words. It knows no alarm.
import {
  checked,
  getMetricData,
  getMetricStatistics,
  listMetrics,
  putMetricData,
  type Datum,
  type Metric,
} from "./metric-input.ts";
import { addDatum, cellsOf, down, weekMs, type Metrics, type Range } from "./metric-store.ts";
import { Refusal } from "./protocol.ts";
import { checkQueries, periodOf, seriesOf } from "./query.ts";
import { statistic } from "./statistic.ts";
import { pageOf } from "./page.ts";

/** "If you omit this, the default of 100,800 is used": of one call. */
const mostPoints = 100_800;
const mostStatistics = 1_440;
const metricsInPage = 500;

export type Operation = (input: unknown) => unknown;

export function metricOperations(
  metrics: Metrics,
  now: () => number,
  changed: () => void,
): Readonly<Record<string, Operation>> {
  return {
    PutMetricData(input) {
      const { Namespace, MetricData } = dataOf(input, now());
      // "Namespaces that begin with AWS/" are Amazon's own.
      if (Namespace.startsWith("AWS/")) throw wrong(`The value AWS/ for parameter Namespace is invalid.`);
      for (const datum of MetricData) addDatum(metrics, Namespace, datum, now());
      changed();
      return {};
    },
    GetMetricData(input) {
      const { MetricDataQueries: queries, StartTime, EndTime, ScanBy } = checked("GetMetricData", getMetricData, input);
      checkQueries(queries);
      let points = 0;
      const results = queries.map((query) => {
        const { Id, Expression, MetricStat } = query;
        const periodS = periodOf(queries, Id);
        const range = rangeOf(StartTime, EndTime, periodS);
        points += range.count;
        if (points > mostPoints) {
          throw new Refusal("NotImplemented", `GetMetricData: more than ${mostPoints} data points`);
        }
        const series = seriesOf(metrics, queries, Id, range);
        if (query.ReturnData === false) return null;
        const found = series.flatMap((value, index) => (value === null ? [] : [{ value, atS: timeOf(range, index) }]));
        const ordered = ScanBy === "TimestampAscending" ? found : found.toReversed();
        return {
          Id,
          Label: query.Label ?? (Expression === undefined ? MetricStat?.Metric.MetricName : Id),
          Timestamps: ordered.map(({ atS }) => atS),
          Values: ordered.map(({ value }) => value),
          StatusCode: "Complete",
        };
      });
      return { MetricDataResults: results.filter((each) => each !== null), Messages: [] };
    },
    GetMetricStatistics(input) {
      const asked = checked("GetMetricStatistics", getMetricStatistics, input);
      const { Statistics = [], ExtendedStatistics = [], StartTime, EndTime, Period, Unit = null, ...rest } = asked;
      if (Statistics.length + ExtendedStatistics.length === 0) {
        throw new Refusal("MissingParameter", "Either Statistics or ExtendedStatistics is required.");
      }
      const range = rangeOf(StartTime, EndTime, Period);
      if (range.count > mostStatistics) {
        throw new Refusal(
          "InvalidParameterCombination",
          `You have requested up to ${range.count} datapoints, which exceeds the limit of ${mostStatistics}.`,
        );
      }
      const told = (names: readonly string[], of: Parameters<typeof statistic>[1]): Record<string, number | null> =>
        Object.fromEntries(names.map((name) => [name, statistic(name, of)]));
      const Datapoints = cellsOf(metrics, metricIn(rest), Unit, range).flatMap((cell, index) => {
        if (cell.count === 0) return [];
        const extended = ExtendedStatistics.length === 0 ? {} : { ExtendedStatistics: told(ExtendedStatistics, cell) };
        return [{ Timestamp: timeOf(range, index), Unit: Unit ?? undefined, ...told(Statistics, cell), ...extended }];
      });
      return { Label: asked.MetricName, Datapoints };
    },
    ListMetrics(input) {
      const { NextToken, Namespace, MetricName, Dimensions = [] } = checked("ListMetrics", listMetrics, input);
      const found = [...metrics.values()]
        .map(({ metric }) => metric)
        .filter((metric) => Namespace === undefined || metric.Namespace === Namespace)
        .filter((metric) => MetricName === undefined || metric.MetricName === MetricName)
        .filter(({ Dimensions: has = [] }) =>
          Dimensions.every(({ Name, Value }) =>
            has.some((each) => each.Name === Name && (Value === undefined || each.Value === Value)),
          ),
        );
      const { items, next } = pageOf(found, metricsInPage, NextToken);
      return { Metrics: items, ...next };
    },
  };
}

/** Checks what its shape cannot tell. Throws a refusal by AWS's names. */
export function dataOf(
  input: unknown,
  nowMs: number,
): { readonly Namespace: string; readonly MetricData: readonly Datum[] } {
  const data = checked("PutMetricData", putMetricData, input);
  for (const [index, datum] of data.MetricData.entries()) checkDatum(datum, `MetricData.member.${index + 1}`, nowMs);
  return data;
}

/** "Values must be in the range of -2^360 to 2^360"; no NaN, no infinity. */
const largest = 2 ** 360;

function checkDatum(datum: Datum, where: string, nowMs: number): void {
  const { Value, Values, Counts, StatisticValues, Timestamp } = datum;
  const given = [Value, Values, StatisticValues].filter((each) => each !== undefined).length;
  if (given !== 1) {
    throw new Refusal(
      "InvalidParameterCombination",
      `${where} must have exactly one of Value, Values and StatisticValues`,
    );
  }
  if (Counts !== undefined && Counts.length !== Values?.length) {
    throw wrong(`The parameters ${where}.Values and ${where}.Counts must be of the same length.`);
  }
  const numbers = [Value ?? [], Values ?? [], Counts ?? [], Object.values(StatisticValues ?? {})].flat();
  const bad = numbers.find((each) => typeof each === "string" || Math.abs(each) > largest);
  if (bad !== undefined) throw wrong(`The value ${bad} for parameter ${where} is invalid.`);
  const negative = [...(Counts ?? []), ...(StatisticValues === undefined ? [] : [StatisticValues.SampleCount])];
  if (negative.some((each) => Number(each) <= 0)) throw wrong(`The counts of ${where} must be greater than 0.`);
  const ageMs = nowMs - (Timestamp ?? nowMs / 1000) * 1000;
  if (ageMs > 2 * weekMs) {
    throw wrong(`The parameter ${where}.Timestamp must specify a time no more than two weeks before the current time.`);
  }
  if (ageMs < -2 * 3_600_000) {
    throw wrong(`The parameter ${where}.Timestamp must specify a time within two hours of the current time.`);
  }
}

/** Periods begin at multiples of their length since the epoch, the first with the one that the start is in. */
function rangeOf(startS: number, endS: number, periodS: number): Range {
  if (endS <= startS) {
    throw new Refusal("ValidationError", "The parameter StartTime must be less than the parameter EndTime.");
  }
  const periodMs = periodS * 1000;
  const startMs = down(startS * 1000, periodMs);
  return { startMs, periodMs, count: Math.ceil((endS * 1000 - startMs) / periodMs) };
}

function timeOf({ startMs, periodMs }: Range, index: number): number {
  return (startMs + index * periodMs) / 1000;
}

function metricIn({ Namespace, MetricName, Dimensions = [] }: Metric): Metric {
  return { Namespace, MetricName, Dimensions };
}

function wrong(message: string): Refusal {
  return new Refusal("InvalidParameterValue", message);
}
