// Metrics and math together: what a list of MetricDataQueries comes to over some periods. It knows nothing of who asks:
// alarms and GetMetricData do.
import { ExpressionFault, parseExpression } from "./expression.ts";
import { valueOf, type Series, type Value } from "./expression-value.ts";
import type { Query } from "./metric-input.ts";
import { pointsOf, type Metrics, type Range } from "./metric-store.ts";
import { Refusal } from "./protocol.ts";

/**
 * The series of the query of that id; all queries that it names must have one period, that of the range. Throws a
 * ValidationError where an expression is none, names what is not there, names itself, or makes no single series.
 */
export function seriesOf(metrics: Metrics, queries: readonly Query[], id: string, range: Range): Series {
  const value = read(metrics, queries, id, range, []);
  if (value.kind === "series") return value.points;
  throw new Refusal("ValidationError", `The expression '${id}' must make a single time series, not ${value.kind}`);
}

/** The period that a query is told by, in seconds: that of all metrics in it, which must be the same. */
export function periodOf(queries: readonly Query[], id: string): number {
  const periods = new Set(metricsIn(queries, id, []).map(({ MetricStat }) => MetricStat?.Period));
  const [period] = periods;
  if (periods.size === 1 && period !== undefined) return period;
  const what = periods.size === 0 ? "names no metric" : "names metrics of different periods";
  throw new Refusal("ValidationError", `The expression '${id}' ${what}`);
}

/** Throws a ValidationError where two have the same id, or one is both a metric and an expression, or neither. */
export function checkQueries(queries: readonly Query[]): void {
  if (new Set(queries.map(({ Id }) => Id)).size < queries.length) {
    throw new Refusal("ValidationError", "The values for parameter id in MetricDataQuery are not unique");
  }
  const wrong = queries.find(({ MetricStat, Expression }) => (MetricStat === undefined) === (Expression === undefined));
  if (wrong === undefined) return;
  throw new Refusal("ValidationError", `'${wrong.Id}' must have either MetricStat or Expression, and not both`);
}

/** `asked`: those that are being read, so that one that names itself is found. */
function read(metrics: Metrics, queries: readonly Query[], id: string, range: Range, asked: readonly string[]): Value {
  const query = queries.find(({ Id }) => Id === id);
  if (asked.includes(id)) throw new Refusal("ValidationError", `The expression '${id}' names itself`);
  if (query?.Expression === undefined) {
    return { kind: "series", points: query === undefined ? [] : raw(metrics, query, range) };
  }
  const all = queries.filter(({ MetricStat }) => MetricStat !== undefined);
  try {
    return valueOf(parseExpression(query.Expression), {
      valueOf: (name) =>
        queries.some(({ Id }) => Id === name) ? read(metrics, queries, name, range, [...asked, id]) : null,
      metrics: new Map(all.map((each) => [each.Id, raw(metrics, each, range)])),
    });
  } catch (error) {
    if (error instanceof ExpressionFault) {
      throw new Refusal("ValidationError", `Error in expression '${id}': ${error.message}`);
    }
    throw error;
  }
}

function raw(metrics: Metrics, { MetricStat }: Query, range: Range): Series {
  if (MetricStat === undefined) return [];
  return pointsOf(metrics, MetricStat.Metric, MetricStat.Stat, MetricStat.Unit ?? null, range);
}

/** The metrics that a query names, itself or through others. METRICS() names all. */
function metricsIn(queries: readonly Query[], id: string, asked: readonly string[]): readonly Query[] {
  const query = queries.find(({ Id }) => Id === id);
  if (query === undefined || asked.includes(id)) return [];
  const text = query.Expression;
  if (text === undefined) return [query];
  if (/\bMETRICS\b/.test(text)) return queries.filter(({ MetricStat }) => MetricStat !== undefined);
  const names = text.match(/\b[a-z]\w*/g) ?? [];
  return names.flatMap((name) => metricsIn(queries, name, [...asked, id]));
}
