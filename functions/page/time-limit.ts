// A limit on how long something is waited for that cannot be told to end. It does not end it.
import { setTimeout as sleep } from "node:timers/promises";

/** @throws Error when the time is over; what comes later is heard by nobody */
export async function inTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const over = new AbortController();
  const limit = sleep(limitMs, null, { signal: over.signal }).then(
    () => {
      throw new Error(`no answer within ${Math.round(limitMs)} ms`);
    },
    // Ended because the work was done.
    () => new Promise<never>(() => {}),
  );
  work.catch(() => {});
  try {
    return await Promise.race([work, limit]);
  } finally {
    over.abort();
  }
}
