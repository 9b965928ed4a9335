// What the send's parts share: what the handler is given, what one invocation has, and what can become of a record.
import type { S3 } from "@aws-sdk/client-s3";
import type { Clients } from "../clients.ts";
import type { Config } from "../config/config.ts";
import type { RunnerDeps } from "../handler.ts";
import { queueNames, runnerOf, type Outgoing, type Queues } from "../queue/queues.ts";
import type { Stamped } from "../report/metrics.ts";
import type { Delivery } from "../state/deliveries.ts";
import type { Table } from "../state/table.ts";

export interface SendDeps extends RunnerDeps {
  readonly clients: RunnerDeps["clients"] &
    Pick<Clients, "sns"> & {
      /** Loaded by the first message that lies there. */
      readonly s3: () => Promise<S3>;
    };
}

export type SendsConfig = NonNullable<Config["sends"]>;

/** One invocation. */
export interface Runs {
  readonly deps: SendDeps;
  readonly sends: SendsConfig;
  /** Answers within the invocation's time, or not at all. */
  readonly table: Table;
  readonly queues: Queues;
  /** What is carried in the queue is sealed with it. */
  readonly key: () => Promise<Uint8Array>;
  /** When the invocation is to be over (machine's time). */
  readonly untilMs: number;
}

/** A delivery in our hands: nobody else touches it before the lease is over, and by then we do not any more. */
export interface Held {
  /** As it stands in the table. */
  readonly delivery: Delivery;
  /** Until when sessions may go on (machine's time): the lease outlives it. */
  readonly sessionsUntilMs: number;
  /** Whether a host may have been asked: then nothing but its answer, or the lease's end, gives the delivery back. */
  readonly progress: { isBegun: boolean };
  /** Figures of what was found when it was taken. */
  readonly stamped: readonly Stamped[];
}

/** What became of a record. Only the failed one comes again by itself. */
export type Result = { readonly kind: "done"; readonly stamped: readonly Stamped[] } | { readonly kind: "failed" };

export const done: Result = { kind: "done", stamped: [] };

/** The queue of sends that leave by an egress. */
export function queueOf(egress: string, { config }: SendDeps): string {
  return queueNames(config, runnerOf(egress, config)).send;
}

/** By which sends leave, in the order of preference. */
export function egressesOf({ deps, sends }: Runs): readonly string[] {
  return sends.egresses ?? deps.config.egresses.map(({ name }) => name);
}

/** Puts a message on the queue of an egress, for whoever reads that. */
export async function sendTo(egress: string, message: Outgoing, { deps, queues }: Runs): Promise<void> {
  await queues.send(queueOf(egress, deps), [message]);
}
