// What the probe's parts share: what the handler is given, what one invocation has, and what can become of a record.
import type { SQSRecord } from "aws-lambda";
import type { RunnerDeps } from "../handler.ts";
import { queueNames, type Outgoing, type Queues } from "../queue/queues.ts";
import type { Turns } from "../queue/turns.ts";
import type { Figure } from "../report/figures.ts";
import type { StoredSelfCheck } from "../state/self-checks.ts";
import type { Table } from "../state/table.ts";
import type { StoredVerdict } from "../state/verdicts.ts";

export type ProbeDeps = RunnerDeps;

/** One invocation. */
export interface Runs {
  readonly deps: ProbeDeps;
  /** Answers within the invocation's time, or not at all. */
  readonly table: Table;
  readonly queues: Queues;
  readonly turns: Turns;
  /** What is carried in the queue is sealed with it. */
  readonly key: () => Promise<Uint8Array>;
  /** Sessions end by then (machine's time), and are not begun with less left. */
  readonly sessionsUntilMs: number;
  readonly leastMs: number;
}

/** What became of a record. Only the failed one comes again by itself. */
export type Result =
  | { readonly kind: "done"; readonly figures: readonly Figure[] }
  /** `isWritten`: with its row and what follows for the pair; else that is left to do. */
  | {
      readonly kind: "verdict";
      readonly record: SQSRecord;
      readonly stored: StoredVerdict;
      readonly isWritten: boolean;
    }
  | {
      readonly kind: "self-check";
      readonly record: SQSRecord;
      readonly stored: StoredSelfCheck;
      readonly isWritten: boolean;
    }
  | { readonly kind: "failed"; readonly record: SQSRecord };

export const done: Result = { kind: "done", figures: [] };

/** Puts a message on this runner's own queue, to be worked on later. */
export async function sendBack(message: Outgoing, { deps, queues }: Runs): Promise<Result> {
  await queues.send(queueNames(deps.config, deps.runner).probe, [message]);
  return done;
}

/** Until what could not be written or told is tried again: CloudWatch and the table are away for minutes, not for ever. */
export const againS = 30;
