// What the local SQS tells CloudWatch, by a clock that the test turns.
import assert from "node:assert/strict";
import { test } from "node:test";
import { turnedClock } from "../../infra/local/clock.ts";
import { startQueueMetrics } from "../../infra/local/queue-metrics.ts";
import type { QueueContents } from "../../infra/local/queues.ts";

const noon = Date.parse("2026-11-24T12:00:00Z");
const minute = 60_000;
const empty: QueueContents = { visible: 0, delayed: 0, inFlight: 0, oldestMs: null };

test("a queue tells each minute what it holds, in the clock's time, and goes on for six hours when it is empty", async () => {
  const clock = turnedClock(noon + 30_000);
  const held = new Map<string, QueueContents>([
    ["never", empty],
    ["one", empty],
  ]);
  const told: string[] = [];
  const metrics = startQueueMetrics({
    queues: ["never", "one", "gone"],
    contents: (queue) => held.get(queue) ?? null,
    publish: (namespace, data) => {
      for (const { MetricName, Dimensions, Value = 0, Timestamp } of data) {
        const at = Timestamp?.toISOString().slice(11, 16);
        const of = Dimensions?.map(({ Name, Value: name }) => `${Name}=${name}`).join();
        told.push(`${at} ${namespace} ${MetricName} ${of} ${MetricName?.includes("Age") ? Value > 0 : Value}`);
      }
    },
    clock,
    speed: 60,
  });
  await clock.advance(5 * minute);
  assert.equal(told.length, 0, "nothing of queues that never held anything");

  // Ten seconds of the machine's time are ten minutes of the clock's.
  held.set("one", { visible: 3, delayed: 1, inFlight: 1, oldestMs: Date.now() - 10_000 });
  await clock.advance(minute);
  held.set("one", empty);
  await clock.advance(minute);
  assert.deepEqual(told, [
    "12:06 AWS/SQS ApproximateNumberOfMessagesVisible QueueName=one 3",
    "12:06 AWS/SQS ApproximateAgeOfOldestMessage QueueName=one true",
    "12:07 AWS/SQS ApproximateNumberOfMessagesVisible QueueName=one 0",
    "12:07 AWS/SQS ApproximateAgeOfOldestMessage QueueName=one false",
  ]);
  await clock.advance(7 * 60 * minute);
  assert.equal(told.at(-1)?.slice(0, 5), "18:06");
  metrics.stop();
  held.set("one", { ...empty, visible: 1, oldestMs: 0 });
  const before = told.length;
  await clock.advance(minute);
  assert.equal(told.length, before);
});

test("a message's age is that of the clock", async () => {
  const clock = turnedClock(noon);
  const ages: number[] = [];
  for (const speed of [1, 60]) {
    const metrics = startQueueMetrics({
      queues: ["one"],
      contents: () => ({ ...empty, inFlight: 1, oldestMs: Date.now() - 100_000 }),
      publish: (_namespace, data) => ages.push(...data.flatMap(({ MetricName, Value }) => (MetricName?.includes("Age") ? (Value ?? 0) : []))), // prettier-ignore
      clock,
      speed,
    });
    await clock.advance(minute);
    metrics.stop();
  }
  const [real = 0, fast = 0] = ages;
  assert.ok(real >= 100 && real < 6_000, String(real));
  assert.ok(fast >= 6_000, String(fast));
});
