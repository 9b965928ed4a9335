// CloudWatch on one machine: metrics and alarms behind AWS's own protocol, on 127.0.0.1. It puts the parts together,
// and knows nothing of what an alarm's action does.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { MetricDatum } from "@aws-sdk/client-cloudwatch";
import type { Clock, Timer } from "../clock.ts";
import type { AlarmChange } from "./alarm-change.ts";
import { alarmOperations } from "./alarm-operations.ts";
import { Alarms, type SavedAlarms } from "./alarms.ts";
import { dataOf, metricOperations } from "./metric-operations.ts";
import { addDatum, metricsFromJson, metricsToJson, settleMetrics, type Metrics } from "./metric-store.ts";
import { answer, readCall, refuse, Refusal } from "./protocol.ts";
import type { StateValue } from "./rule.ts";
import { openSnapshot, readSnapshot } from "./snapshot.ts";

export interface CloudWatchOptions {
  /** All times are this clock's. */
  readonly clock: Clock;
  /** Runs an action of an alarm that changed; where it throws it is tried a few times again. */
  readonly act: (arn: string, change: AlarmChange) => Promise<void>;
  /** A file to keep everything in between runs; null: nothing is kept. */
  readonly state: string | null;
  /** 0: any that is free. */
  readonly port: number;
  readonly region: string;
  readonly accountId: string;
}

export interface CloudWatch extends AsyncDisposable {
  readonly url: string;
  /** Data of Amazon's own namespaces (AWS/SQS), which no client may put; limits and refusals as for PutMetricData. */
  publish(namespace: string, data: readonly MetricDatum[]): void;
  /** Looks at all metric alarms now, due or not. Resolves when the actions that follow were tried once. */
  evaluate(): Promise<void>;
  /** By name. */
  alarms(): readonly AlarmStanding[];
  /** Is told of every change of an alarm's state, whether or not its actions are held back. */
  onChange(listener: (change: AlarmChange) => void): void;
  /** Waits for actions under way, and for the file. */
  close(): Promise<void>;
}

export interface AlarmStanding {
  readonly name: string;
  readonly kind: "metric" | "composite";
  readonly state: StateValue;
  readonly since: Date;
  readonly reason: string;
  /** Whether its actions are held back by another alarm, or wait to see whether they will be. */
  readonly suppressed: boolean;
}

const version = 1;
const settleEveryMs = 3_600_000;

/** Throws where the port is taken, or the file is not a state of ours. */
export async function startCloudWatch(options: CloudWatchOptions): Promise<CloudWatch> {
  const { clock, act, region, accountId } = options;
  const saved = await savedIn(options.state);
  const { metrics } = saved;
  const snapshot = openSnapshot(options.state, () => ({ version, metrics: metricsToJson(metrics), ...alarms.save() }));
  const { changed } = snapshot;
  const alarms: Alarms = new Alarms({ clock, act, region, accountId, metrics, changed }, saved);
  const operations = new Map([
    ...Object.entries(metricOperations(metrics, () => clock.now(), changed)),
    ...Object.entries(alarmOperations(alarms)),
  ]);

  const server = createServer((request, response) => {
    readCall(request)
      .then(({ operation, input }) => {
        const run = operations.get(operation);
        if (run === undefined) {
          throw new Refusal("UnknownOperationException", `${operation} is not an operation of this CloudWatch`);
        }
        answer(response, run(input));
      })
      .catch((error: unknown) => refuse(response, error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  alarms.start();
  const settling = every(clock, settleEveryMs, () => settleMetrics(metrics, clock.now()));

  async function close(): Promise<void> {
    settling.cancel();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await alarms.close();
    await snapshot.close();
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publish(namespace, data) {
      const MetricData = data.map(({ Timestamp, ...datum }) => {
        return Timestamp === undefined ? datum : { ...datum, Timestamp: Timestamp.getTime() / 1000 };
      });
      const nowMs = clock.now();
      for (const datum of dataOf({ Namespace: namespace, MetricData }, nowMs).MetricData)
        addDatum(metrics, namespace, datum, nowMs);
      changed();
    },
    evaluate: () => alarms.evaluate(),
    alarms: () =>
      alarms.all.map(({ definition, state, changedAtMs, hold }) => ({
        name: definition.input.AlarmName,
        kind: definition.kind,
        state: state.value,
        since: new Date(changedAtMs),
        reason: state.reason,
        suppressed: hold !== null,
      })),
    onChange: (listener) => alarms.onChange(listener),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function savedIn(file: string | null): Promise<SavedAlarms & { readonly metrics: Metrics }> {
  const json = file === null ? null : await readSnapshot(file);
  if (json === null) return { metrics: new Map(), alarms: [], history: [], deliveries: [] };
  const saved = json as SavedAlarms & { readonly version: number; readonly metrics: unknown };
  if (saved.version !== version) throw new Error(`${file}: not a state of this version; move it away to start afresh`);
  return { ...saved, metrics: metricsFromJson(saved.metrics) };
}

function every(clock: Clock, ms: number, run: () => void): Pick<Timer, "cancel"> {
  let timer = clock.after(ms, again);
  function again(): void {
    timer = clock.after(ms, again);
    run();
  }
  return { cancel: () => timer.cancel() };
}
