// How many sessions at a time a provider gets over an egress, and how many sends in a minute, so that we do not earn the
// block. Pure: what the table's row says, and what a turn makes of it. It does not know who sends what.

export interface RateLimits {
  readonly concurrency: number;
  readonly perMinute: number;
}

export type Priority = "high" | "normal" | "low";

/** The turns of one provider over one egress. Milliseconds are of the machines' clocks, as leases are. */
export interface Turns {
  /** Who has a session, and until when it is his if he is not heard of again. */
  readonly slots: Readonly<Record<string, number>>;
  /** How many turns were taken, by the time at which a few seconds began; of the last minute. */
  readonly taken: Readonly<Record<string, number>>;
}

export interface Asked {
  /** Of this turn alone. */
  readonly owner: string;
  readonly holdMs: number;
  readonly priority: Priority;
}

export type Turn =
  | { readonly taken: true; readonly turns: Turns }
  /** Milliseconds to wait. */
  | { readonly taken: false; readonly waitMs: number };

export const noTurns: Turns = { slots: {}, taken: {} };

const minuteMs = 60_000;

/** What was taken is forgotten in such steps, so that no minute has more than its limit, wherever it begins. */
const stepMs = 5_000;

/** Waits are between these. */
const leastWaitMs = 1_000;
const mostWaitMs = 30_000;

/** A session is over after some seconds; who is in less of a hurry asks later, and over a longer time. */
const waits: Readonly<Record<Priority, { readonly baseMs: number; readonly spreadMs: number }>> = {
  high: { baseMs: 1_000, spreadMs: 2_000 },
  normal: { baseMs: 2_000, spreadMs: 6_000 },
  low: { baseMs: 6_000, spreadMs: 14_000 },
};

/**
 * Takes a turn, if there is one.
 * @param random 0 to 1: those who wait do not all come at once
 */
export function turnAfter(before: Turns, asked: Asked, limits: RateLimits, nowMs: number, random: number): Turn {
  const { owner, holdMs, priority } = asked;
  const { slots, taken } = standingAt(before, nowMs);
  // A write whose answer was lost is made once more, and finds itself.
  if (Object.hasOwn(slots, owner)) return { taken: true, turns: before };
  const { baseMs, spreadMs } = waits[priority];
  const waitOf = (restMs: number): Turn => {
    return {
      taken: false,
      waitMs: Math.round(Math.min(mostWaitMs, Math.max(leastWaitMs, restMs + random * spreadMs))),
    };
  };
  const full = fullUntilMs(taken, shareOf(limits.perMinute, priority));
  // Some of the spread is always kept: else all who wait for long would come after the longest wait.
  if (full > nowMs) return waitOf(Math.min(full - nowMs, mostWaitMs - spreadMs));
  if (Object.keys(slots).length >= shareOf(limits.concurrency, priority)) return waitOf(baseMs);
  const step = String(Math.floor(nowMs / stepMs) * stepMs);
  return {
    taken: true,
    turns: {
      slots: { ...slots, [owner]: nowMs + holdMs },
      taken: { ...taken, [step]: (taken[step] ?? 0) + 1 },
    },
  };
}

/** What is over is left out; so is what a clock that is wrong by more than a minute has written. */
function standingAt({ slots, taken }: Turns, nowMs: number): Turns {
  return {
    slots: only(slots, (_, untilMs) => untilMs > nowMs),
    taken: only(taken, (step) => Number(step) + stepMs + minuteMs > nowMs && Number(step) <= nowMs + minuteMs),
  };
}

/** Others have a quarter for themselves; but for one at least there is room. */
function shareOf(limit: number, priority: Priority): number {
  return priority === "low" ? Math.max(1, Math.floor((limit * 3) / 4)) : limit;
}

/** Until when no more than so many may be taken: when enough of the oldest ones are more than a minute ago. */
function fullUntilMs(taken: Turns["taken"], limit: number): number {
  const steps = Object.entries(taken).toSorted(([a], [b]) => Number(a) - Number(b));
  let left = steps.reduce((sum, [, count]) => sum + count, 0);
  if (left < limit) return 0;
  for (const [step, count] of steps) {
    left -= count;
    if (left < limit) return Number(step) + stepMs + minuteMs;
  }
  return 0;
}

function only(
  all: Readonly<Record<string, number>>,
  isKept: (name: string, value: number) => boolean,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => isKept(name, value)));
}
