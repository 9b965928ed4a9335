// The data points of all metrics: taken in, told by period, made coarser and forgotten as they get old. It knows
// nothing of alarms.
import type { Datum, Metric } from "./metric-input.ts";
import { addCell, addValue, emptyCell, statistic, type Cell } from "./statistic.ts";

/** A metric's data, by the start of the time each slot stands for. */
interface Stored {
  readonly metric: Metric;
  slots: Slot[];
}

interface Slot {
  readonly atMs: number;
  readonly lengthMs: number;
  readonly unit: string;
  readonly cell: Cell;
}

export type Metrics = Map<string, Stored>;

/** So many periods, one after the other. */
export interface Range {
  readonly startMs: number;
  readonly periodMs: number;
  readonly count: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
export const weekMs = 7 * 24 * hourMs;

/**
 * How old data are kept how fine: by the second for 3 hours, as at AWS; by the minute then, and by five minutes after
 * two days, sooner than at AWS: an alarm with periods of less than an hour sees one day at most.
 */
const ages = [
  { fromMs: 0, lengthMs: 1_000 },
  { fromMs: 3 * hourMs, lengthMs: minuteMs },
  { fromMs: 48 * hourMs, lengthMs: 5 * minuteMs },
] as const;
const keptMs = 2 * weekMs;

/** Takes in a data point that was found good. `StorageResolution` 1 keeps its second, else its minute is kept. */
export function addDatum(metrics: Metrics, namespace: string, datum: Datum, nowMs: number): void {
  const metric = { Namespace: namespace, MetricName: datum.MetricName, Dimensions: datum.Dimensions ?? [] };
  const key = keyOf(metric);
  const stored = metrics.get(key) ?? { metric, slots: [] };
  metrics.set(key, stored);
  const lengthMs = datum.StorageResolution === 1 ? 1_000 : minuteMs;
  const atMs = down((datum.Timestamp ?? nowMs / 1000) * 1000, lengthMs);
  addCell(slotAt(stored.slots, atMs, lengthMs, datum.Unit ?? "None").cell, cellOf(datum));
}

/**
 * A statistic of a metric, oldest period first, null where there are no data. A unit leaves out data of other units;
 * null: whatever unit they have.
 */
export function pointsOf(
  metrics: Metrics,
  metric: Metric,
  name: string,
  unit: string | null,
  range: Range,
): (number | null)[] {
  return cellsOf(metrics, metric, unit, range).map((cell) => statistic(name, cell));
}

/** All that came in in each period, oldest first. */
export function cellsOf(metrics: Metrics, metric: Metric, unit: string | null, range: Range): readonly Cell[] {
  const { startMs, periodMs, count } = range;
  const cells = Array.from({ length: count }, emptyCell);
  const slots = metrics.get(keyOf(metric))?.slots ?? [];
  for (let index = firstFrom(slots, startMs); index < slots.length; index += 1) {
    const slot = slots[index];
    const cell = slot === undefined ? undefined : cells[Math.floor((slot.atMs - startMs) / periodMs)];
    if (slot === undefined || cell === undefined) break;
    if (unit === null || slot.unit === unit) addCell(cell, slot.cell);
  }
  return cells;
}

/** Forgets what is older than two weeks, and makes coarser what is old. */
export function settleMetrics(metrics: Metrics, nowMs: number): void {
  for (const [key, stored] of metrics) {
    stored.slots = settled(stored.slots, nowMs);
    if (stored.slots.length === 0) metrics.delete(key);
  }
}

function keyOf({ Namespace, MetricName, Dimensions = [] }: Metric): string {
  const sorted = Dimensions.map(({ Name, Value }) => [Name, Value]).toSorted(([one = ""], [other = ""]) =>
    one < other ? -1 : 1,
  );
  return JSON.stringify([Namespace, MetricName, sorted]);
}

/** All of it, as JSON can hold it. */
export function metricsToJson(metrics: Metrics): unknown {
  return [...metrics.values()].map(({ metric, slots }) => ({
    metric,
    slots: slots.map(({ atMs, lengthMs, unit, cell: { count, sum, minimum, maximum, values } }) => {
      return [atMs, lengthMs, unit, count, sum, minimum, maximum, values === null ? null : [...values]];
    }),
  }));
}

type StoredJson = readonly {
  readonly metric: Metric;
  readonly slots: readonly [number, number, string, number, number, number, number, [number, number][] | null][];
}[];

/** What metricsToJson made. */
export function metricsFromJson(json: unknown): Metrics {
  return new Map(
    (json as StoredJson).map(({ metric, slots }) => [
      keyOf(metric),
      {
        metric,
        slots: slots.map(([atMs, lengthMs, unit, count, sum, minimum, maximum, values]) => {
          return { atMs, lengthMs, unit, cell: { count, sum, minimum, maximum, values: values && new Map(values) } };
        }),
      },
    ]),
  );
}

function cellOf({ Value, Values = [], Counts, StatisticValues }: Datum): Cell {
  const cell = emptyCell();
  if (StatisticValues !== undefined) {
    const { SampleCount, Sum, Minimum, Maximum } = StatisticValues;
    const [count, sum, minimum, maximum] = [Number(SampleCount), Number(Sum), Number(Minimum), Number(Maximum)];
    // A set of equal values is the one kind of set that has percentiles.
    if (minimum === maximum) addValue(cell, minimum, count);
    else Object.assign(cell, { count, sum, minimum, maximum, values: null });
    return cell;
  }
  if (Value !== undefined) addValue(cell, Number(Value), 1);
  for (const [index, value] of Values.entries()) addValue(cell, Number(value), Number(Counts?.[index] ?? 1));
  return cell;
}

/** Slots are in the order of their time: what comes in late is put where it belongs. */
function slotAt(slots: Slot[], atMs: number, lengthMs: number, unit: string): Slot {
  let index = firstFrom(slots, atMs);
  for (; slots[index]?.atMs === atMs; index += 1) {
    const slot = slots[index];
    if (slot?.lengthMs === lengthMs && slot.unit === unit) return slot;
  }
  const slot = { atMs, lengthMs, unit, cell: emptyCell() };
  slots.splice(index, 0, slot);
  return slot;
}

/** The index of the first slot that begins then or later. */
function firstFrom(slots: readonly Slot[], atMs: number): number {
  let low = 0;
  for (let high = slots.length; low < high;) {
    const middle = (low + high) >>> 1;
    if ((slots[middle]?.atMs ?? atMs) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function settled(slots: readonly Slot[], nowMs: number): Slot[] {
  const kept: Slot[] = [];
  for (const slot of slots.filter(({ atMs }) => atMs >= nowMs - keptMs)) {
    const lengthMs = ages.findLast(({ fromMs }) => nowMs - slot.atMs >= fromMs)?.lengthMs ?? 0;
    if (slot.lengthMs >= lengthMs) kept.push(slot);
    else addCell(slotAt(kept, down(slot.atMs, lengthMs), lengthMs, slot.unit).cell, slot.cell);
  }
  return kept;
}

export function down(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs) * stepMs;
}
