// Holds the lease of a pair while something runs: waits a little for it, renews it, and gives it back. One session with
// a provider over an egress at a time, over all processes (DESIGN §10).
import { setTimeout as sleep } from "node:timers/promises";
import { acquire, release, renew, type Lease, type PairState } from "./pairs.ts";
import type { Table } from "./table.ts";

/** A process that dies keeps a provider from being asked for so long at most. */
const holdMs = 9_000;
const renewMs = 3_000;
/** Shorter waits are waited out here; longer ones go back to the queue. */
const patienceMs = 1_500;

export type Held<T> =
  | { readonly result: T }
  /** It was not our turn: milliseconds to wait. */
  | { readonly result: null; readonly waitMs: number };

/**
 * Runs something while the lease is ours.
 * @param gapMs how long nobody has the lease after it, if it asked somebody
 * @param run says by `asks`, before it does, that it asks somebody: should it throw then, somebody may have been asked
 */
export async function withLease<T extends object>(
  lease: Lease,
  gapMs: number,
  table: Table,
  run: (state: PairState, asks: () => void) => Promise<T>,
): Promise<Held<T>> {
  const leased = await patiently(lease, table);
  if (leased.lease === null) return { result: null, waitMs: leased.waitMs };
  // A renewal that fails is no fault yet: the next one may not, and the lease is ours until it runs out.
  const renewing = setInterval(() => void renew(lease, holdMs, table).catch(() => false), renewMs);
  let asked = false;
  const asks = (): void => void (asked = true);
  try {
    return { result: await run(leased.state, asks) };
  } finally {
    clearInterval(renewing);
    // Not given back it runs out by itself: nothing that was done is undone for that.
    await release(lease, asked ? gapMs : 0, table).catch(() => null);
  }
}

async function patiently(lease: Lease, table: Table): ReturnType<typeof acquire> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const leased = await acquire(lease, holdMs, table);
    if (leased.lease !== null || Date.now() + leased.waitMs > until) return leased;
    await sleep(Math.max(20, leased.waitMs));
  }
}
