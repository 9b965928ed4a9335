// The data of metrics: what is kept how fine and for how long, and percentiles of what was counted.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addDatum,
  metricsFromJson,
  metricsToJson,
  pointsOf,
  settleMetrics,
  type Metrics,
} from "../../../infra/local/cloudwatch/metric-store.ts";
import { addValue, emptyCell, isStatistic, statistic } from "../../../infra/local/cloudwatch/statistic.ts";

const hourMs = 3_600_000;
const nowMs = Date.parse("2026-11-24T12:00:00Z");
const metric = { Namespace: "Probe", MetricName: "SessionTime", Dimensions: [] };

function add(metrics: Metrics, value: number, atMs: number, resolution: 1 | 60 = 60): void {
  addDatum(
    metrics,
    "Probe",
    { MetricName: "SessionTime", Value: value, Timestamp: atMs / 1000, StorageResolution: resolution },
    nowMs,
  );
}

/** Sum and number of slots. */
function kept(metrics: Metrics): readonly [number, number] {
  const [sum = null] = pointsOf(metrics, metric, "Sum", null, { startMs: 0, periodMs: 2 * nowMs, count: 1 });
  return [sum ?? 0, [...metrics.values()].reduce((count, { slots }) => count + slots.length, 0)];
}

test("seconds are kept for three hours, minutes for two days, five minutes for two weeks, and then nothing", () => {
  const metrics: Metrics = new Map();
  for (let second = 0; second < 600; second += 1) add(metrics, 1, nowMs - 600_000 + second * 1_000, 1);
  assert.deepEqual(kept(metrics), [600, 600]);
  settleMetrics(metrics, nowMs);
  assert.deepEqual(kept(metrics), [600, 600]);
  settleMetrics(metrics, nowMs + 4 * hourMs);
  assert.deepEqual(kept(metrics), [600, 10]);
  settleMetrics(metrics, nowMs + 49 * hourMs);
  assert.deepEqual(kept(metrics), [600, 2]);
  settleMetrics(metrics, nowMs + 13 * 24 * hourMs);
  assert.deepEqual(kept(metrics), [600, 2]);
  settleMetrics(metrics, nowMs + 15 * 24 * hourMs);
  assert.deepEqual(kept(metrics), [0, 0]);
  assert.equal(metrics.size, 0);
});

test("data that come in in any order are in their periods, also after they were written down", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.integer({ min: 0, max: 99 }),
          fc.integer({ min: -5, max: 5 }),
          fc.constantFrom(1 as const, 60 as const),
        ),
        { maxLength: 60 },
      ),
      (data) => {
        const metrics: Metrics = new Map();
        for (const [at, value, resolution] of data) add(metrics, value, nowMs + at * 10_000, resolution);
        const expected = Array.from({ length: 20 }, (_, index) => {
          const values = data.filter(([at]) => Math.floor((at * 10_000) / 60_000) === index).map(([, value]) => value);
          return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0);
        });
        const range = { startMs: nowMs, periodMs: 60_000, count: 20 };
        assert.deepEqual(pointsOf(metrics, metric, "Sum", null, range), expected);
        const part = { startMs: nowMs + 5 * 60_000, periodMs: 60_000, count: 4 };
        assert.deepEqual(pointsOf(metrics, metric, "Sum", null, part), expected.slice(5, 9));
        const again = metricsFromJson(JSON.parse(JSON.stringify(metricsToJson(metrics))));
        assert.deepEqual(pointsOf(again, metric, "Sum", null, range), expected);
      },
    ),
  );
});

test("dimensions are told apart by their names and values, in whatever order they come", () => {
  const metrics: Metrics = new Map();
  const dimensions = [
    { Name: "Provider", Value: "acme" },
    { Name: "Egress", Value: "one" },
  ];
  addDatum(metrics, "Probe", { MetricName: "SessionTime", Value: 1, Dimensions: dimensions }, nowMs);
  addDatum(metrics, "Probe", { MetricName: "SessionTime", Value: 1, Dimensions: dimensions.toReversed() }, nowMs);
  addDatum(metrics, "Probe", { MetricName: "SessionTime", Value: 1 }, nowMs);
  assert.equal(metrics.size, 2);
});

test("a percentile is the value that so many per cent are not above", () => {
  const cell = emptyCell();
  for (let value = 1; value <= 100; value += 1) addValue(cell, value, 2);
  assert.deepEqual(
    ["p0", "p50", "p99", "p99.5", "p100"].map((name) => statistic(name, cell)),
    [1, 50, 99, 100, 100],
  );
  assert.deepEqual(["p50", "p101", "median", "Sum", "toString"].map(isStatistic), [true, false, false, true, false]);
});

test("however many different values come, few are kept, and percentiles stay within a few per cent", () => {
  const cell = emptyCell();
  for (let value = 1; value <= 100_000; value += 1) addValue(cell, value, 1);
  assert.ok((cell.values?.size ?? 0) < 1_500, `${cell.values?.size} values`);
  const median = statistic("p50", cell) ?? 0;
  assert.ok(Math.abs(median - 50_000) < 2_500, String(median));
  assert.equal(statistic("Average", cell), 50_000.5);
});
