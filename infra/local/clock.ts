// Which time it is in the local stack, and what is due when: the real time, the real time run faster, or one that tests
// turn by hand. It knows nothing of what runs by it.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs it once, so many milliseconds of this clock from now. */
  after(ms: number, run: () => void | Promise<void>): Timer;
}

/** Something due. Cancelling it twice, or after it ran, does nothing. */
export interface Timer extends Disposable {
  cancel(): void;
}

export interface TurnedClock extends Clock {
  /**
   * Moves on by so many milliseconds: what falls due on the way runs in the order of its time, each waited for before
   * the next, and sees the time at which it was due.
   */
  advance(ms: number): Promise<void>;
}

/** What timers take at most: 2^31-1 ms, a good 24 days. */
const longestMs = 2_147_483_647;

/**
 * The machine's own time, run `speed` times as fast from now on; `startMs` is what it shows first. Its timers keep no
 * process alive. A wall clock that is set meanwhile changes nothing.
 */
export function realClock(speed = 1, startMs = Date.now()): Clock {
  const startedMs = performance.now();
  return {
    now: () => startMs + (performance.now() - startedMs) * speed,
    after(ms, run) {
      const timeout = setTimeout(() => void run(), Math.min(ms / speed, longestMs)).unref();
      return timer(() => clearTimeout(timeout));
    },
  };
}

/** A clock that stands still until it is advanced. */
export function turnedClock(startMs: number): TurnedClock {
  let nowMs = startMs;
  const due = new Set<{ readonly atMs: number; readonly run: () => void | Promise<void> }>();
  return {
    now: () => nowMs,
    after(ms, run) {
      const each = { atMs: nowMs + Math.max(0, ms), run };
      due.add(each);
      return timer(() => due.delete(each));
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        // Of two that are due at once, the one set first comes first: a set keeps its order, and `<` the earlier.
        const [first, ...others] = [...due].filter(({ atMs }) => atMs <= untilMs);
        if (first === undefined) break;
        const next = others.reduce((earliest, each) => (each.atMs < earliest.atMs ? each : earliest), first);
        due.delete(next);
        nowMs = next.atMs;
        await next.run();
      }
      nowMs = untilMs;
    },
  };
}

function timer(cancel: () => void): Timer {
  return { cancel, [Symbol.dispose]: cancel };
}
