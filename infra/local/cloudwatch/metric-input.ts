// What may be asked of metrics: the shapes of PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics, with
// AWS's limits. Nothing that is not here is taken: a parameter left out in silence would be a different question.
import * as z from "zod/mini";
import { Refusal } from "./protocol.ts";
import { isStatistic } from "./statistic.ts";

z.config(z.locales.en());

/** Strings of so many characters. */
export function text(shortest: number, longest: number): z.ZodMiniString {
  return z.string().check(z.minLength(shortest), z.maxLength(longest));
}

export function list<T extends z.core.SomeType>(of: T, longest: number): z.ZodMiniArray<T> {
  return z.array(of).check(z.maxLength(longest));
}

/** Seconds since the epoch. */
const time = z.number();
/** JSON has no word for these: clients send them as text, and are told what AWS tells. */
const value = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]);
const unit = z.enum(
  "Seconds,Microseconds,Milliseconds,Bytes,Kilobytes,Megabytes,Gigabytes,Terabytes,Bits,Kilobits,Megabits,Gigabits,\
Terabits,Percent,Count,Bytes/Second,Kilobytes/Second,Megabytes/Second,Gigabytes/Second,Terabytes/Second,Bits/Second,\
Kilobits/Second,Megabits/Second,Gigabits/Second,Terabits/Second,Count/Second,None".split(","),
);
const statisticName = z
  .string()
  .check(z.refine(isStatistic, { error: "must be SampleCount, Average, Sum, Minimum, Maximum or a percentile (p99)" }));

export const metricName = text(1, 255);
export const namespace = text(1, 255).check(
  z.regex(/^[^:]/, { error: "must not begin with a colon" }),
  z.regex(/^[\w.\-/#:]+$/, { error: "must be letters, digits and . - _ / # :" }),
);
export const dimensions = list(z.strictObject({ Name: text(1, 255), Value: text(1, 1024) }), 30);

/** "Valid values are 10, 20, 30, and any multiple of 60"; data are read at 1 and 5 seconds too. */
export const period = z
  .int()
  .check(z.minimum(1), z.refine(isPeriod, { error: "must be 1, 5, 10, 20, 30 or a multiple of 60" }));

function isPeriod(seconds: number): boolean {
  return [1, 5, 10, 20, 30].includes(seconds) || seconds % 60 === 0;
}

const datum = z.strictObject({
  MetricName: metricName,
  Dimensions: z.optional(dimensions),
  Timestamp: z.optional(time),
  Value: z.optional(value),
  StatisticValues: z.optional(z.strictObject({ SampleCount: value, Sum: value, Minimum: value, Maximum: value })),
  Values: z.optional(list(value, 150)),
  Counts: z.optional(list(value, 150)),
  Unit: z.optional(unit),
  StorageResolution: z.optional(z.literal([1, 60])),
});

/** "Each request is also limited to no more than 1000 different metrics." */
export const putMetricData = z.strictObject({ Namespace: namespace, MetricData: list(datum, 1000) });

const metric = z.strictObject({
  Namespace: namespace,
  MetricName: metricName,
  Dimensions: z.optional(dimensions),
});

export const query = z.strictObject({
  Id: text(1, 255).check(z.regex(/^[a-z]\w*$/, { error: "must be letters, digits and _, the first a small letter" })),
  MetricStat: z.optional(
    z.strictObject({ Metric: metric, Period: period, Stat: statisticName, Unit: z.optional(unit) }),
  ),
  Expression: z.optional(text(1, 2048)),
  Label: z.optional(z.string()),
  ReturnData: z.optional(z.boolean()),
  Period: z.optional(period),
});

export const getMetricData = z.strictObject({
  MetricDataQueries: list(query, 500),
  StartTime: time,
  EndTime: time,
  ScanBy: z.optional(z.enum(["TimestampDescending", "TimestampAscending"])),
});

export const getMetricStatistics = z.strictObject({
  Namespace: namespace,
  MetricName: metricName,
  Dimensions: z.optional(dimensions),
  StartTime: time,
  EndTime: time,
  Period: period,
  Statistics: z.optional(list(statisticName, 5)),
  ExtendedStatistics: z.optional(list(statisticName, 10)),
  Unit: z.optional(unit),
});

export const listMetrics = z.strictObject({
  Namespace: z.optional(namespace),
  MetricName: z.optional(metricName),
  Dimensions: z.optional(list(z.strictObject({ Name: text(1, 255), Value: z.optional(text(1, 1024)) }), 30)),
  NextToken: z.optional(z.string()),
});

export type Datum = z.infer<typeof datum>;
export type Metric = z.infer<typeof metric>;
export type Query = z.infer<typeof query>;
export { unit, statisticName };

/** Checks an input against its shape. Throws a refusal by AWS's names that says where and what. */
export function checked<T>(operation: string, shape: z.ZodMiniType<T>, input: unknown): T {
  const { success, data, error } = shape.safeParse(input);
  if (success) return data;
  const [issue] = error.issues;
  const path = (issue?.path ?? [])
    .map((part) => (typeof part === "number" ? `member.${part + 1}` : String(part)))
    .join(".");
  if (issue?.code === "unrecognized_keys") {
    const which = issue.keys.map((key) => (path === "" ? key : `${path}.${key}`)).join(", ");
    throw new Refusal("NotImplemented", `${operation}: ${which} is not supported by this CloudWatch`);
  }
  if (issue?.code === "invalid_type" && issue.input === undefined) {
    throw new Refusal("MissingParameter", `The parameter ${path} is required.`);
  }
  throw new Refusal("ValidationError", `${operation}: ${path}: ${issue?.message ?? "not understood"}`);
}
