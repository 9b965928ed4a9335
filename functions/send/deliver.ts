// Looking at a delivery: whether something is due, who has it in hand, whether it may go now; then one attempt. The row is
// the truth: a message that wakes too early, twice or for nothing changes nothing.
import { randomUUID } from "node:crypto";
import { findDelivery, isLeased, takeDelivery, type Delivery, type Recipient } from "../state/deliveries.ts";
import { findMessage } from "../state/messages.ts";
import { attempt } from "./attempt.ts";
import { atTime, dueAtMsOf, dueOf, failedAtHome, waiting } from "./outcome.ts";
import { claimTurn } from "./turn.ts";
import { done, type Held, type Result, type Runs } from "./runs.ts";
import { putDown } from "./settle.ts";

/** What a delivery is known by. */
export interface Key {
  readonly id: string;
  readonly domain: string;
}

/** A lease outlives what it is for by so long: an answer must still be written under it. */
const leaseMarginMs = 75_000;
/** Of an invocation's time, for what is to be written and told behind the sessions. */
const reserveMs = 30_000;
/** A message may come a little early: SQS counts whole seconds. */
const earlyMs = 1_500;

export async function lookAt({ id, domain }: Key, runs: Runs): Promise<Result> {
  const { table, deps } = runs;
  const { log } = deps;
  const delivery = await findDelivery(id, domain, table);
  if (delivery === null) {
    log({ level: "warn", event: "wake-unknown", id, domain });
    return done;
  }
  const dueAtMs = dueAtMsOf(delivery);
  // Whoever has it in hand, or nobody any more: the sweep looks at it when the lease is over.
  if (dueAtMs === null || dueAtMs > deps.now().getTime() + earlyMs || isLeased(delivery)) return done;
  const held = await take(delivery, runs);
  return held === null ? done : await carryOn(held, runs);
}

async function take(delivery: Delivery, runs: Runs): Promise<Held | null> {
  const { table, sends, deps, untilMs } = runs;
  const nowMs = Date.now();
  const attemptMs = Math.min(sends.attemptSeconds * 1000, Math.max(untilMs - nowMs - reserveMs, (untilMs - nowMs) / 2));
  const lease = { owner: randomUUID(), untilMs: nowMs + sends.attemptSeconds * 1000 + leaseMarginMs };
  const wakeAtMs = deps.now().getTime() + (lease.untilMs - nowMs);
  const taken = await takeDelivery({ ...atTime(delivery, deps.now()), lease, wakeAtMs }, table);
  return taken === null ? null : { delivery: taken, sessionsUntilMs: nowMs + attemptMs };
}

async function carryOn(held: Held, runs: Runs): Promise<Result> {
  const { deps, table } = runs;
  const { delivery } = held;
  const now = deps.now();
  const due = dueOf(delivery, now.getTime());
  if (due.length === 0) return await putDown(delivery, [], runs);
  const message = await findMessage(delivery.id, table);
  if (message === null) {
    return await putDown(failedAtHome(delivery, "its message is not in the table any more", now), [], runs);
  }
  const turn = await claimTurn(held, message, runs);
  switch (turn.kind) {
    case "elsewhere":
      return await putDown({ ...delivery, egress: turn.egress }, [], runs);
    case "later":
      return await putDown(later(delivery, due, turn, now), turn.stamped, runs);
    case "now":
      try {
        return await attempt({ ...held, message, due, turn }, runs);
      } finally {
        // Not given back it ends by itself.
        await turn.giveBack().catch(() => null);
      }
  }
}

function later(
  delivery: Delivery,
  due: readonly Recipient[],
  { waitMs, heldBy }: { readonly waitMs: number; readonly heldBy: string | null },
  now: Date,
): Delivery {
  return waiting(delivery, due, now.getTime() + waitMs, heldBy);
}
