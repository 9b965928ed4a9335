// Looking at a delivery: whether something is due, who has it in hand, whether it may go now; then one attempt. The row is
// the truth: a message that wakes too early, twice or for nothing changes nothing.
import { randomUUID } from "node:crypto";
import type { Stamped } from "../report/metrics.ts";
import { eventFigures, sendFigures } from "../report/send-figures.ts";
import { findDelivery, isLeased, writeDelivery, type Delivery, type Recipient } from "../state/deliveries.ts";
import { findMessage } from "../state/messages.ts";
import { attempt } from "./attempt.ts";
import { atTime, dueAtMsOf, dueOf, waiting } from "./outcome.ts";
import { claimTurn } from "./turn.ts";
import { done, type Held, type Result, type Runs } from "./runs.ts";
import { giveUp, putDown } from "./settle.ts";

/** What a delivery is known by. */
export interface Key {
  readonly id: string;
  readonly domain: string;
}

/** A lease outlives what it is for by so long: an answer must still be written under it. */
const leaseMarginMs = 75_000;
/** Of an invocation's time, for what is to be written and told behind the sessions. */
const reserveMs = 30_000;
/** After a fault of ours, and nothing begun. */
const letGoMs = 60_000;
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
  if (held === null) return done;
  try {
    return await carryOn(held, runs);
  } catch (error) {
    // Nothing was begun: somebody may have it soon, and not only when the lease is over.
    if (!held.progress.isBegun) await letGo(held, runs);
    throw error;
  }
}

async function take(delivery: Delivery, runs: Runs): Promise<Held | null> {
  const { table, sends, deps, untilMs } = runs;
  const nowMs = Date.now();
  const attemptMs = Math.min(sends.attemptSeconds * 1000, Math.max(untilMs - nowMs - reserveMs, (untilMs - nowMs) / 2));
  const lease = { owner: randomUUID(), untilMs: nowMs + sends.attemptSeconds * 1000 + leaseMarginMs };
  const now = deps.now();
  const wakeAtMs = now.getTime() + (lease.untilMs - nowMs);
  const next = { ...atTime(delivery, now), lease, wakeAtMs };
  const taken = await writeDelivery(next, [delivery.written], table);
  if (taken === null) return null;
  const stamped = [...eventFigures(delivery, next, now), ...unheardFigures(delivery, now)];
  return { delivery: taken, sessionsUntilMs: nowMs + attemptMs, progress: { isBegun: false }, stamped };
}

/** Whoever is unknown and tried again is told to nobody, and counted all the same. */
function unheardFigures({ onUnknown, recipients, egress }: Delivery, at: Date): readonly Stamped[] {
  const unheard = onUnknown === "retry" ? recipients.filter(({ state }) => state === "committing") : [];
  const figures = sendFigures(
    egress,
    unheard.map(() => ({ event: "unknown" })),
  );
  return [{ at, figures }];
}

/** As far as the table answers: else the lease ends by itself. */
async function letGo({ delivery }: Held, runs: Runs): Promise<void> {
  const now = runs.deps.now();
  const due = dueOf(delivery, now.getTime());
  await putDown(waiting(delivery, due, now.getTime() + letGoMs, null), [], runs).catch(() => null);
}

async function carryOn(held: Held, runs: Runs): Promise<Result> {
  const { deps, table } = runs;
  const { delivery } = held;
  const now = deps.now();
  const due = dueOf(delivery, now.getTime());
  if (due.length === 0) return await putDown(delivery, held.stamped, runs);
  const message = await findMessage(delivery.id, table);
  if (message === null) {
    return await giveUp(held, "its message is not in the table any more", runs);
  }
  if (message.cancelledAt !== null) {
    return await giveUp(held, `cancelled at ${message.cancelledAt}`, runs);
  }
  const turn = await claimTurn(held, message, runs);
  switch (turn.kind) {
    case "elsewhere":
      return await putDown({ ...delivery, egress: turn.egress }, held.stamped, runs);
    case "later":
      return await putDown(later(delivery, due, turn, now), [...held.stamped, ...turn.stamped], runs);
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
