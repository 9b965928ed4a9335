// What a metric math expression comes to, period by period. Where values are missing it does what AWS documents ("Using
// metric math"): between two series, a value missing in one counts as 0 where the other has one; where both have none,
// there is none. It knows nothing of where the series come from.
import { ExpressionFault, type Expression, type Operator } from "./expression.ts";

/** Oldest first; null: missing. All series of an expression are of the same periods. */
export type Series = readonly (number | null)[];

export type Value =
  | { readonly kind: "scalar"; readonly value: number | null }
  | { readonly kind: "series"; readonly points: Series }
  | { readonly kind: "array"; readonly series: readonly Series[] };

/** The series that an expression may name, each by its id, and those among them that are metrics: METRICS(). */
export interface Names {
  readonly valueOf: (id: string) => Value | null;
  readonly metrics: ReadonlyMap<string, Series>;
}

/** Throws an ExpressionFault where the kinds of values do not fit, whatever the values are. */
export function valueOf(expression: Expression, names: Names): Value {
  const inner = (each: Expression): Value => valueOf(each, names);
  switch (expression.kind) {
    case "number":
      return scalar(expression.value);
    case "id":
      return names.valueOf(expression.name) ?? fail(expression.at, `There is no "${expression.name}"`);
    case "negate":
      return each(inner(expression.of), (value) => -value);
    case "array":
      return { kind: "array", series: expression.items.flatMap((item) => seriesIn(inner(item), expression.at)) };
    case "operation":
      return operate(expression.operator, inner(expression.left), inner(expression.right), expression.at);
    case "call":
      return call(expression, names, inner);
    case "text":
    case "word":
      return fail(
        expression.at,
        `A value cannot be "${expression.kind === "text" ? expression.value : expression.name}"`,
      );
  }
}

const operators: Readonly<Record<Operator, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "==": (left, right) => Number(left === right),
  "!=": (left, right) => Number(left !== right),
  "<": (left, right) => Number(left < right),
  "<=": (left, right) => Number(left <= right),
  ">": (left, right) => Number(left > right),
  ">=": (left, right) => Number(left >= right),
  AND: (left, right) => Number(left !== 0 && right !== 0),
  OR: (left, right) => Number(left !== 0 || right !== 0),
};
const arithmetic: readonly Operator[] = ["+", "-", "*", "/"];

function operate(operator: Operator, left: Value, right: Value, at: number): Value {
  const arrays = [left, right].filter(({ kind }) => kind === "array").length;
  // "TS[], TS" and "TS[], S" of arithmetic alone.
  if (arrays === 2 || (arrays === 1 && !arithmetic.includes(operator))) fail(at, `"${operator}" does not take arrays`);
  const two = operators[operator];
  const point = (one: number | null, other: number | null): number | null =>
    one === null && other === null ? null : finite(two(one ?? 0, other ?? 0));
  if (left.kind === "array") return mapArray(left, (series) => operate(operator, series, right, at));
  if (right.kind === "array") return mapArray(right, (series) => operate(operator, left, series, at));
  if (left.kind === "scalar") return each(right, (value) => withScalar(left.value, (one) => two(one, value)));
  if (right.kind === "scalar") return each(left, (value) => withScalar(right.value, (other) => two(value, other)));
  return series(left.points.map((value, index) => point(value, right.points[index] ?? null)));
}

function withScalar(value: number | null, make: (value: number) => number): number | null {
  return value === null ? null : make(value);
}

type Call = Extract<Expression, { readonly kind: "call" }>;

function call(expression: Call, names: Names, inner: (each: Expression) => Value): Value {
  const { name, items, at } = expression;
  const [first, second] = items;
  const counts = functions[name] ?? fail(at, `There is no function ${name} here`);
  if (!counts.includes(items.length)) fail(at, `${name} takes ${counts.join(" or ")} arguments, not ${items.length},`);
  if (name === "METRICS") return metrics(first, names, at);
  const value = inner(first ?? expression);
  switch (name) {
    case "ABS":
      return each(value, Math.abs);
    case "CEIL":
      return each(value, Math.ceil);
    case "FLOOR":
      return each(value, Math.floor);
    case "FILL":
      return fill(value, second, inner, at);
    case "IF":
      return choose(value, items.slice(1).map(inner), at);
    default:
      return reduce(value, aggregates[name as keyof typeof aggregates], at);
  }
}

/** How many arguments each function takes. */
// prettier-ignore
const functions: Readonly<Record<string, readonly number[]>> = {
  ABS: [1], AVG: [1], CEIL: [1], FILL: [2], FLOOR: [1], IF: [2, 3], MAX: [1], METRICS: [0, 1], MIN: [1], SUM: [1],
};

/**
 * Of all values; `count` is how many there might have been: AVG takes missing ones as 0, SUM cannot tell, others leave
 * them out.
 */
const aggregates = {
  SUM: (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0),
  AVG: (values: readonly number[], count: number) => values.reduce((sum, each) => sum + each, 0) / count,
  MIN: (values: readonly number[]) => Math.min(...values),
  MAX: (values: readonly number[]) => Math.max(...values),
} as const;

/** Of an array, a series; of a series, a number. */
function reduce(value: Value, make: (values: readonly number[], count: number) => number, at: number): Value {
  if (value.kind === "scalar") return fail(at, "A number has nothing to sum up");
  const of = (points: Series): number | null => {
    const present = points.filter((each) => each !== null);
    return present.length === 0 ? null : make(present, points.length);
  };
  if (value.kind === "series") return { kind: "scalar", value: of(value.points) };
  const [first = []] = value.series;
  return series(first.map((_, index) => of(value.series.map((points) => points[index] ?? null))));
}

function metrics(filter: Expression | undefined, names: Names, at: number): Value {
  if (filter !== undefined && filter.kind !== "text") fail(at, "METRICS takes a text in quotes, or nothing,");
  const part = filter?.kind === "text" ? filter.value : "";
  return { kind: "array", series: [...names.metrics].filter(([id]) => id.includes(part)).map(([, points]) => points) };
}

function fill(value: Value, filler: Expression | undefined, inner: (each: Expression) => Value, at: number): Value {
  if (value.kind === "scalar" || filler === undefined) return fail(at, "FILL takes a series");
  if (value.kind === "array") return mapArray(value, (points) => fill(points, filler, inner, at));
  if (filler.kind === "word") {
    if (filler.name !== "REPEAT") fail(filler.at, `FILL does not take ${filler.name} here`);
    let last: number | null = null;
    return series(value.points.map((each) => (last = each ?? last)));
  }
  const other = inner(filler);
  if (other.kind === "array") return fail(at, "FILL fills with a number or a series");
  return series(value.points.map((each, index) => each ?? pointOf(other, index)));
}

/** "Using IF expressions": where the condition is missing there is nothing; a value missing where it is true is 0. */
function choose(condition: Value, [yes, no]: readonly Value[], at: number): Value {
  if (condition.kind === "array" || yes?.kind === "array" || no?.kind === "array") return fail(at, "IF takes no array");
  if (yes === undefined) return fail(at, "IF takes two or three arguments");
  const long = [condition, yes, no].find((each) => each?.kind === "series");
  if (condition.kind === "scalar") {
    const chosen = condition.value === 0 || condition.value === null ? no : yes;
    if (long?.kind !== "series") return fail(at, "IF of numbers alone is no series");
    return series(long.points.map((_, index) => (chosen === undefined ? null : pointOf(chosen, index))));
  }
  return series(
    condition.points.map((each, index) => {
      if (each === null) return null;
      if (each === 0) return no === undefined ? null : pointOf(no, index);
      return pointOf(yes, index) ?? 0;
    }),
  );
}

function pointOf(value: Exclude<Value, { readonly kind: "array" }>, index: number): number | null {
  return value.kind === "scalar" ? value.value : (value.points[index] ?? null);
}

/** Missing stays missing; what cannot be told (a division by zero) is dropped. */
function each(value: Value, make: (value: number) => number | null): Value {
  const one = (point: number | null): number | null => (point === null ? null : finite(make(point)));
  if (value.kind === "scalar") return { kind: "scalar", value: one(value.value) };
  if (value.kind === "series") return series(value.points.map(one));
  return { kind: "array", series: value.series.map((points) => points.map(one)) };
}

function mapArray(value: Extract<Value, { readonly kind: "array" }>, make: (one: Value) => Value): Value {
  return { kind: "array", series: value.series.flatMap((points) => seriesIn(make(series(points)), 0)) };
}

function seriesIn(value: Value, at: number): readonly Series[] {
  if (value.kind === "scalar") return fail(at, "An array holds series, no numbers,");
  return value.kind === "series" ? [value.points] : value.series;
}

function scalar(value: number): Value {
  return { kind: "scalar", value };
}

function series(points: Series): Value {
  return { kind: "series", points };
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function fail(at: number, what: string): never {
  throw new ExpressionFault(at, what);
}
