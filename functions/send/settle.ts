// Putting a delivery down: it is written, what became of recipients is told, and it is seen to that somebody looks at it
// when the next thing is due. The row first: what is told twice has the same eventId, what is never told is a loss.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { recordedMessage } from "../queue/record.ts";
import { faultText } from "../report/log.ts";
import type { Stamped } from "../report/metrics.ts";
import { eventFigures } from "../report/send-figures.ts";
import { writeDelivery, type Delivery, type Recipient } from "../state/deliveries.ts";
import { dueAtMsOf, failedAtHome, waiting } from "./outcome.ts";
import { publish, type Fresh } from "./results.ts";
import { done, sendTo, type Held, type Result, type Runs } from "./runs.ts";
import { longestDelayS, wakeMessage } from "./wake.ts";

/** What came of a delivery that the table did not take: carried along in the queue, sealed, until it does. */
export interface Late {
  readonly kind: "delivery";
  readonly delivery: Delivery;
  /** What may stand in the table in its place. */
  readonly seen: readonly string[];
}

/** How long the sweep leaves a wake to its message. */
const graceMs = 300_000;
/** What could not be told is told again after that, and later and later. */
const tellAgain = { leastMs: 60_000, mostMs: 3_600_000 } as const;
/** The table is asked again so often, a little later each time. */
const tries = 5;

/**
 * Tells what became of recipients, and gives the delivery back.
 * @param delivery in our hands, and in the table as it is, but for what time or a hold has changed
 * @param stamped figures of what was done
 */
export async function putDown(
  delivery: Delivery,
  stamped: readonly Stamped[],
  runs: Runs,
  fresh: Fresh | null = null,
): Promise<Result> {
  const untold = await publish(delivery, fresh, runs);
  const last = await persist(freed({ ...delivery, untold }, runs), [delivery.written], runs);
  if (last !== null) await seeTo(last, runs);
  return { kind: "done", stamped };
}

/** Puts off what is due, for a time and a reason; nobody was asked. */
export async function putOff(
  { delivery, stamped }: Held,
  due: readonly Recipient[],
  { waitMs, heldBy }: { readonly waitMs: number; readonly heldBy: string | null },
  runs: Runs,
): Promise<Result> {
  return await putDown(waiting(delivery, due, runs.deps.now().getTime() + waitMs, heldBy), stamped, runs);
}

/** Gives up what is not begun: for a reason of ours, nobody is asked. */
export async function giveUp({ delivery, stamped }: Held, reason: string, runs: Runs): Promise<Result> {
  const now = runs.deps.now();
  const failed = failedAtHome(delivery, reason, now);
  const written = await persist(failed, [delivery.written], runs);
  const figures = [...stamped, ...eventFigures(delivery, failed, now)];
  return written === null ? { kind: "done", stamped: figures } : await putDown(written, figures, runs);
}

/** A delivery that was carried along: written as it was to be, unless somebody else has it by now. */
export async function writeLate({ delivery, seen }: Late, runs: Runs): Promise<Result> {
  const written = await persist(delivery, seen, runs);
  return written === null ? done : await putDown(written, [], runs);
}

/** In nobody's hands, and when somebody is to look at it again. */
function freed(delivery: Delivery, { deps }: Runs): Delivery {
  const nowMs = deps.now().getTime();
  const dueAtMs = lookAtMsOf(delivery, nowMs);
  if (dueAtMs === null) return { ...delivery, lease: null, wakeAtMs: null };
  const hasMessage = dueAtMs - nowMs <= longestDelayS * 1000;
  return { ...delivery, lease: null, wakeAtMs: hasMessage ? Math.max(dueAtMs, nowMs) + graceMs : dueAtMs };
}

/** What could not be told waits a while, and nobody's attempt waits for that. */
function lookAtMsOf(delivery: Delivery, nowMs: number): number | null {
  const dueAtMs = dueAtMsOf({ ...delivery, untold: [] });
  if (delivery.untold.length === 0) return dueAtMs;
  return Math.min(dueAtMs ?? Infinity, nowMs + tellAgainMs(delivery, nowMs));
}

function tellAgainMs({ untold }: Delivery, nowMs: number): number {
  const sinceMs = Math.min(...untold.map(({ at }) => Date.parse(at)));
  return Math.min(tellAgain.mostMs, Math.max(tellAgain.leastMs, (nowMs - sinceMs) / 2));
}

/** Whoever is due within a quarter of an hour has a message of its own; the sweep makes good for one that is lost. */
async function seeTo(delivery: Delivery, runs: Runs): Promise<void> {
  const { deps } = runs;
  const nowMs = deps.now().getTime();
  const dueAtMs = lookAtMsOf(delivery, nowMs);
  if (dueAtMs === null) return;
  const delayS = (dueAtMs - nowMs) / 1000;
  if (delayS > longestDelayS) return;
  try {
    await sendTo(delivery.egress, wakeMessage(delivery, delayS), runs);
  } catch (error) {
    deps.log({ level: "warn", event: "wake-unsent", id: delivery.id, fault: faultText(error) });
  }
}

/**
 * As the table takes it; null where it is somebody else's by now, or is carried along. An answer that a host has given is
 * not lost because the table is away for a while: it is tried again, and then put into the queue.
 * @param seen what may stand there: as `writeDelivery` has it
 */
export async function persist(next: Delivery, seen: readonly string[], runs: Runs): Promise<Delivery | null> {
  const { deps, table } = runs;
  const { id, domain } = next;
  const written = randomUUID();
  for (let attempt = 1; ; attempt++) {
    try {
      const there = await writeDelivery(next, seen, table, written);
      if (there === null) deps.log({ level: "error", event: "delivery-lost", id, domain, states: statesOf(next) });
      return there;
    } catch (error) {
      deps.log({ level: "error", event: "delivery-unwritten", id, domain, attempt, fault: faultText(error) });
      if (attempt === tries) {
        await carryAlong(next, [...seen, written], runs);
        return null;
      }
      await sleep(100 * 2 ** attempt);
    }
  }
}

/** What would be lost with it, without naming anybody. */
function statesOf({ recipients }: Delivery): readonly string[] {
  return recipients.map(({ state }) => state);
}

const carriedS = 30;

async function carryAlong(delivery: Delivery, seen: readonly string[], runs: Runs): Promise<void> {
  const { body, attributes } = wakeMessage(delivery, 0);
  const late: Late = { kind: "delivery", delivery, seen };
  const message = recordedMessage({ body, messageAttributes: {} }, late, await runs.key(), carriedS);
  await sendTo(delivery.egress, { ...message, attributes: { ...attributes, ...message.attributes } }, runs);
}
