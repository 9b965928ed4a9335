// What Amazon SQS tells CloudWatch of its queues, once a minute of the clock. It reads the queues and touches nothing.
import type { MetricDatum } from "@aws-sdk/client-cloudwatch";
import { queueNamespace } from "../../functions/report/names.ts";
import type { Clock, Timer } from "./clock.ts";
import type { QueueContents } from "./queues.ts";

export interface QueueMetricsOptions {
  /** The queues' names. */
  readonly queues: readonly string[];
  readonly contents: (queue: string) => QueueContents | null;
  readonly publish: (namespace: string, data: readonly MetricDatum[]) => void;
  readonly clock: Clock;
  /** Of the clock: messages are sent in the machine's time, and age in the clock's. */
  readonly speed: number;
}

export interface QueueMetrics {
  stop(): void;
}

const everyMs = 60_000;
/** "CloudWatch considers a queue to be active for up to six hours if it contains any messages […]." */
const activeMs = 6 * 3_600_000;

export function startQueueMetrics({ queues, contents, publish, clock, speed }: QueueMetricsOptions): QueueMetrics {
  /** Of the clock: when a queue last held something. A queue that never did says nothing. */
  const lastHeldMs = new Map<string, number>();
  let timer = next();

  function next(): Timer {
    return clock.after(everyMs - (clock.now() % everyMs), () => {
      timer = next();
      tell();
    });
  }

  function tell(): void {
    const nowMs = clock.now();
    const data = queues.flatMap((queue) => {
      const held = contents(queue);
      if (held === null) return [];
      if (held.oldestMs !== null) lastHeldMs.set(queue, nowMs);
      const lastMs = lastHeldMs.get(queue);
      return lastMs !== undefined && nowMs - lastMs <= activeMs ? dataOf(queue, held, speed, new Date(nowMs)) : [];
    });
    if (data.length > 0) publish(queueNamespace, data);
  }

  return { stop: () => timer.cancel() };
}

function dataOf(queue: string, { visible, oldestMs }: QueueContents, speed: number, at: Date): MetricDatum[] {
  const ageS = oldestMs === null ? 0 : ((Date.now() - oldestMs) / 1000) * speed;
  const shared = { Dimensions: [{ Name: "QueueName", Value: queue }], Timestamp: at };
  return [
    { ...shared, MetricName: "ApproximateNumberOfMessagesVisible", Value: visible, Unit: "Count" },
    { ...shared, MetricName: "ApproximateAgeOfOldestMessage", Value: Math.round(ageS), Unit: "Seconds" },
  ];
}
