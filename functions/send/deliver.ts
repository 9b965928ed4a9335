// Looking at a delivery: whether something is due, who has it in hand, whether it may go now; then one attempt. The row is
// the truth: a message that wakes too early, twice or for nothing changes nothing.
import { randomUUID } from "node:crypto";
import { eventFigures, triedAgainFigures } from "../report/send-figures.ts";
import { findDelivery, isLeased, writeDelivery, type Delivery } from "../state/deliveries.ts";
import { findMessage } from "../state/messages.ts";
import { attempt } from "./attempt.ts";
import { atTime, dueAtMsOf, dueOf } from "./outcome.ts";
import { claimTurn } from "./turn.ts";
import { done, type Held, type Result, type Runs } from "./runs.ts";
import { giveUp, putDown, putOff } from "./settle.ts";

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
  const unheard =
    delivery.onUnknown === "retry" ? delivery.recipients.filter(({ state }) => state === "committing") : [];
  const again = { at: now, figures: triedAgainFigures(delivery.egress, unheard.length) };
  const stamped = [...eventFigures(delivery, next, now), again];
  return { delivery: taken, sessionsUntilMs: nowMs + attemptMs, progress: { isBegun: false }, stamped };
}

/** As far as the table answers: else the lease ends by itself. */
async function letGo(held: Held, runs: Runs): Promise<void> {
  const due = dueOf(held.delivery, runs.deps.now().getTime());
  await putOff(held, due, { waitMs: letGoMs, heldBy: null }, runs).catch(() => null);
}

async function carryOn(held: Held, runs: Runs): Promise<Result> {
  const { deps, table } = runs;
  const { delivery } = held;
  const due = dueOf(delivery, deps.now().getTime());
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
      return await putOff({ ...held, stamped: [...held.stamped, ...turn.stamped] }, due, turn, runs);
    case "now":
      try {
        return await attempt({ ...held, message, due, turn }, runs);
      } finally {
        // Not given back it ends by itself.
        await turn.giveBack().catch(() => null);
      }
  }
}
