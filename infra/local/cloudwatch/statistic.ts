// What a period of one metric comes to: a cell that values are counted into, and CloudWatch's statistics of it. It
// knows nothing of time.

/** The values of some time, counted. `values` is null where only statistics came in: then there are no percentiles. */
export interface Cell {
  count: number;
  sum: number;
  minimum: number;
  maximum: number;
  values: Map<number, number> | null;
}

/** More different values than this are kept to two figures each: a percentile is off by a few per cent at most. */
const exactValues = 500;

const simple = {
  Average: ({ sum, count }: Cell) => sum / count,
  Maximum: ({ maximum }: Cell) => maximum,
  Minimum: ({ minimum }: Cell) => minimum,
  SampleCount: ({ count }: Cell) => count,
  Sum: ({ sum }: Cell) => sum,
} as const;

export function emptyCell(): Cell {
  return { count: 0, sum: 0, minimum: Infinity, maximum: -Infinity, values: new Map() };
}

/** Counts a value in, so many times. */
export function addValue(cell: Cell, value: number, count: number): void {
  cell.count += count;
  cell.sum += value * count;
  cell.minimum = Math.min(cell.minimum, value);
  cell.maximum = Math.max(cell.maximum, value);
  if (cell.values !== null) countValue(cell.values, value, count);
}

/** Counts in what came as another cell. */
export function addCell(cell: Cell, other: Readonly<Cell>): void {
  if (other.values !== null && cell.values !== null) {
    for (const [value, count] of other.values) countValue(cell.values, value, count);
  } else {
    cell.values = null;
  }
  cell.count += other.count;
  cell.sum += other.sum;
  cell.minimum = Math.min(cell.minimum, other.minimum);
  cell.maximum = Math.max(cell.maximum, other.maximum);
}

function countValue(values: Map<number, number>, value: number, count: number): void {
  const kept = values.size < exactValues || values.has(value) ? value : Number(value.toPrecision(2));
  values.set(kept, (values.get(kept) ?? 0) + count);
}

/** Whether it names a statistic: one of the five, or a percentile such as p99 or p99.9. */
export function isStatistic(name: string): boolean {
  return Object.hasOwn(simple, name) || percentOf(name) !== null;
}

/** Null where there is nothing to tell it of. */
export function statistic(name: string, cell: Readonly<Cell>): number | null {
  if (cell.count === 0) return null;
  if (Object.hasOwn(simple, name)) return simple[name as keyof typeof simple](cell);
  return cell.values === null ? null : percentile(cell.values, percentOf(name) ?? 0);
}

function percentOf(name: string): number | null {
  const percent = Number(/^p(\d{1,2}(?:\.\d{1,10})?|100)$/.exec(name)?.[1] ?? Number.NaN);
  return Number.isNaN(percent) ? null : percent;
}

/** The smallest value that so many per cent of all are not above. */
function percentile(values: ReadonlyMap<number, number>, percent: number): number | null {
  const sorted = [...values].toSorted(([one], [other]) => one - other);
  const rank = (sorted.reduce((sum, [, count]) => sum + count, 0) * percent) / 100;
  let below = 0;
  for (const [value, count] of sorted) {
    below += count;
    if (below >= rank) return value;
  }
  return sorted.at(-1)?.[0] ?? null;
}
