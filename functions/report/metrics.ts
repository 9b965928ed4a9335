// Brings figures to CloudWatch: one PutMetricData for all of a batch; or, where CloudWatch does not answer, as lines in
// the embedded metric format, of which CloudWatch makes metrics when it reads the log. It does not know what is counted.
import type { CloudWatch, MetricDatum } from "@aws-sdk/client-cloudwatch";
import { faultText, type Entry, type Log } from "./log.ts";
import type { Figure } from "./figures.ts";
import { namespace } from "./names.ts";

/** CloudWatch's own limits: metrics a call, distinct values a metric; and values a metric in a line of the log. */
const dataLimit = 1_000;
const valuesLimit = 150;
const lineValuesLimit = 100;

/** Figures of one time. */
export interface Stamped {
  readonly at: Date;
  readonly figures: readonly Figure[];
}

/** @throws what the SDK throws when CloudWatch refuses or does not answer within the client's limits or the signal's */
export async function putFigures(stamped: readonly Stamped[], client: CloudWatch, signal: AbortSignal): Promise<void> {
  const data = stamped.flatMap(({ figures, at }) => dataOf(figures, at));
  for (let from = 0; from < data.length; from += dataLimit) {
    const MetricData = data.slice(from, from + dataLimit);
    await client.putMetricData({ Namespace: namespace, MetricData }, { abortSignal: signal });
  }
}

export interface Tellers {
  readonly clients: { readonly cloudWatch: CloudWatch };
  readonly log: Log;
  /** Whether CloudWatch makes metrics of what is logged, as in Lambda: figures that it does not take go there. */
  readonly logsBecomeMetrics: boolean;
}

/** @returns whether they are with CloudWatch, or in the log for it */
export async function tellFigures(
  stamped: readonly Stamped[],
  { clients, log, logsBecomeMetrics }: Tellers,
  signal: AbortSignal,
): Promise<boolean> {
  const some = stamped.filter(({ figures }) => figures.length > 0);
  if (some.length === 0) return true;
  try {
    await putFigures(some, clients.cloudWatch, signal);
    return true;
  } catch (error) {
    const count = some.reduce((sum, { figures }) => sum + figures.length, 0);
    log({ level: "error", event: "figures-unsent", count, fault: faultText(error) });
    if (!logsBecomeMetrics) return false;
    for (const { figures, at } of some) for (const entry of metricEntries(figures, at)) log(entry);
    return true;
  }
}

/** One datum a series, its values with how often each came: averages would hide the slow ones. */
export function dataOf(figures: readonly Figure[], at: Date): readonly MetricDatum[] {
  return seriesOf(figures).flatMap(({ name, unit, dimensions, values }) => {
    const counts = new Map<number, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return chunksOf([...counts], valuesLimit).map((chunk) => ({
      MetricName: name,
      Unit: unit,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      Timestamp: at,
      Values: chunk.map(([value]) => value),
      Counts: chunk.map(([, count]) => count),
    }));
  });
}

/** The same as entries of the log (CloudWatch embedded metric format). */
export function metricEntries(figures: readonly Figure[], at: Date): readonly Entry[] {
  return seriesOf(figures).flatMap(({ name, unit, dimensions, values }) =>
    chunksOf(values, lineValuesLimit).map((chunk) => ({
      level: "warn" as const,
      event: "figures",
      _aws: {
        Timestamp: at.getTime(),
        CloudWatchMetrics: [
          { Namespace: namespace, Dimensions: [Object.keys(dimensions)], Metrics: [{ Name: name, Unit: unit }] },
        ],
      },
      ...dimensions,
      [name]: chunk,
    })),
  );
}

interface Series extends Omit<Figure, "value"> {
  readonly values: readonly number[];
}

function seriesOf(figures: readonly Figure[]): readonly Series[] {
  const groups = Map.groupBy(figures, ({ name, dimensions }) => JSON.stringify([name, Object.entries(dimensions)]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { name, unit, dimensions } = first;
    return [{ name, unit, dimensions, values: group.map(({ value }) => value) }];
  });
}

/** In their order, so many together at most. */
export function chunksOf<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, index) => all.slice(index * size, (index + 1) * size));
}
