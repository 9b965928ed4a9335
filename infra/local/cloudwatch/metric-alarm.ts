// A metric alarm looked at once: its data points, what they come to, and CloudWatch's sentence for it. It knows nothing
// of what an alarm does about it.
import { timeText, type AlarmState } from "./alarm-change.ts";
import { queriesOf, watchedOf, type MetricAlarmInput } from "./alarm-input.ts";
import type { Series } from "./expression-value.ts";
import { judge, rangeOf, type Criteria, type Judgement } from "./evaluation.ts";
import { down, type Metrics, type Range } from "./metric-store.ts";
import { periodOf, seriesOf } from "./query.ts";
import type { StateValue } from "./rule.ts";

export type Finding = Pick<AlarmState, "value" | "reason" | "reasonData">;

const comparisons = {
  GreaterThanOrEqualToThreshold: {
    breaches: (value: number, threshold: number) => value >= threshold,
    words: "greater than or equal to",
  },
  GreaterThanThreshold: { breaches: (value: number, threshold: number) => value > threshold, words: "greater than" },
  LessThanOrEqualToThreshold: {
    breaches: (value: number, threshold: number) => value <= threshold,
    words: "less than or equal to",
  },
  LessThanThreshold: { breaches: (value: number, threshold: number) => value < threshold, words: "less than" },
} as const;

/** In seconds: high-resolution alarms, with periods of less than a minute, are looked at every ten seconds. */
export function evaluatedEveryS(input: MetricAlarmInput): number {
  return periodSOf(input) < 60 ? 10 : 60;
}

/** Null: it keeps the state it is in, because of missing data, or because it is still warming up. */
export function evaluateMetricAlarm(
  metrics: Metrics,
  input: MetricAlarmInput,
  createdAtMs: number,
  nowMs: number,
): Finding | null {
  const criteria = criteriaOf(input);
  const range = rangeAt(input, nowMs);
  const queries = queriesOf(input);
  const points = seriesOf(metrics, queries, watchedOf(queries), range);
  if (isWarmingUp(input, points.slice(-criteria.of), createdAtMs, nowMs)) return null;
  const { breaches } = comparisons[input.ComparisonOperator];
  const judgement = judge(
    points.map((each) => (each === null ? null : breaches(each, input.Threshold))),
    criteria,
  );
  if (judgement.state === null) return null;
  return {
    value: judgement.state,
    reason: reasonOf(input, judgement.state, judgement, points, range),
    reasonData: JSON.stringify(reasonDataOf(input, judgement, points, range, nowMs)),
  };
}

/**
 * What is looked at. A sliding window, the default, "advances each time the alarm is evaluated": it ends with the last
 * whole minute (or ten seconds), wherever that is in the clock's own periods; a wall clock window ends with one of
 * them.
 */
function rangeAt(input: MetricAlarmInput, nowMs: number): Range {
  const periodMs = periodSOf(input) * 1000;
  const wallClock = input.EvaluationWindow !== undefined && "WallClockWindow" in input.EvaluationWindow;
  const endMs = down(nowMs, wallClock ? periodMs : evaluatedEveryS(input) * 1000);
  const count = rangeOf(input.EvaluationPeriods);
  return { startMs: endMs - count * periodMs, periodMs, count };
}

/** "If false, […] evaluation begins as soon as the alarm has enough metric data to fill its evaluation window." */
function isWarmingUp(
  { WarmUpConfiguration }: MetricAlarmInput,
  window: Series,
  createdAtMs: number,
  nowMs: number,
): boolean {
  if (WarmUpConfiguration === undefined) return false;
  const { WarmUpPeriodDurationInMinutes, OnlyStartEvaluatingAfterWarmUpPeriodEnds = false } = WarmUpConfiguration;
  if (nowMs >= createdAtMs + WarmUpPeriodDurationInMinutes * 60_000) return false;
  return OnlyStartEvaluatingAfterWarmUpPeriodEnds || window.includes(null);
}

function criteriaOf({ EvaluationPeriods: of, DatapointsToAlarm, TreatMissingData }: MetricAlarmInput): Criteria {
  return { of, datapoints: DatapointsToAlarm ?? of, missing: TreatMissingData ?? "missing" };
}

function periodSOf(input: MetricAlarmInput): number {
  const queries = queriesOf(input);
  return periodOf(queries, watchedOf(queries));
}

/** CloudWatch's own sentences: people know them, and programs have come to read them. */
function reasonOf(
  input: MetricAlarmInput,
  state: StateValue,
  { counted, filled }: Judgement,
  points: Series,
  { startMs, periodMs }: Range,
): string {
  const { datapoints, of, missing } = criteriaOf(input);
  const { breaches, words } = comparisons[input.ComparisonOperator];
  const were = plural(filled, "datapoint was", "datapoints were");
  if (state === "INSUFFICIENT_DATA") {
    return `Insufficient Data: ${filled} ${were} unknown.`;
  }
  const as = missing === "notBreaching" ? "NonBreaching" : missing.replace(/^./, (first) => first.toUpperCase());
  const treated = `${filled} missing ${were} treated as [${as}]`;
  if (counted.length === 0) {
    const periods = `${of} ${plural(of, "period", "periods")}`;
    return `Threshold Crossed: no datapoints were received for ${periods} and ${treated}.`;
  }
  const alarm = state === "ALARM";
  const told = counted.flatMap((index) => {
    const value = points[index] ?? null;
    if (value === null || breaches(value, input.Threshold) !== alarm) return [];
    return [`${numberText(value)} (${dateText(startMs + index * periodMs)})`];
  });
  const least = alarm ? datapoints : of - datapoints + 1;
  const verb = `${plural(told.length, "was", "were")}${alarm ? "" : " not"}`;
  const transition = alarm ? "OK -> ALARM" : "ALARM -> OK";
  return [
    `Threshold Crossed: ${told.length} out of the last ${of} datapoints [${told.toReversed().join(", ")}]`,
    `${verb} ${words} the threshold (${numberText(input.Threshold)})`,
    ...(filled === 0 ? [] : [`and ${treated}`]),
    `(minimum ${least} ${plural(least, "datapoint", "datapoints")} for ${transition} transition).`,
  ].join(" ");
}

function reasonDataOf(
  input: MetricAlarmInput,
  { counted }: Judgement,
  points: Series,
  { startMs, periodMs }: Range,
  nowMs: number,
): object {
  const [first = points.length - input.EvaluationPeriods] = counted;
  return {
    version: "1.0",
    queryDate: timeText(nowMs),
    startDate: timeText(startMs + first * periodMs),
    statistic: input.Statistic ?? input.ExtendedStatistic,
    period: periodMs / 1000,
    recentDatapoints: counted.map((index) => points[index]),
    threshold: input.Threshold,
  };
}

function plural(count: number, one: string, more: string): string {
  return count === 1 ? one : more;
}

/** As Java writes a double: 1.0, never 1. */
function numberText(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** "24/11/26 16:58:00", in UTC. */
function dateText(ms: number): string {
  const [, year = "", month = "", day = "", time = ""] =
    /^\d\d(\d\d)-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)/.exec(new Date(ms).toISOString()) ?? [];
  return `${day}/${month}/${year} ${time}`;
}
