// The time that all hosts of a request have together, and each one's share of it. Whoever goes on after it ends by `over`.

/** A time that has begun to run. */
export interface Budget {
  readonly totalMs: number;
  /** Zero as soon as it is too little to ask anybody. */
  readonly leftMs: () => number;
  /** As much of what is left as one of so many is due, but no more than `mostMs`. */
  readonly shareMs: (parts: number, mostMs: number) => number;
  /** Aborts when the time is over, or nobody needs it any more. */
  readonly over: AbortSignal;
  /** Nobody needs it any more: what still goes on for hosts that will not be asked is to end. */
  readonly end: () => void;
}

/** Who is dialled with less has no time to say a word, and would be told to have been silent. */
const tooLittleMs = 100;

/** Begins now. Whoever has it calls `end`, or the timer runs on. */
export function startBudget(totalMs: number): Budget {
  const untilMs = performance.now() + totalMs;
  const over = new AbortController();
  const expiry = setTimeout(() => over.abort(), totalMs);
  const leftMs = (): number => {
    const left = untilMs - performance.now();
    return left < tooLittleMs ? 0 : left;
  };
  const shareMs: Budget["shareMs"] = (parts, mostMs) => Math.min(mostMs, leftMs() / Math.max(1, parts));
  const end = (): void => {
    clearTimeout(expiry);
    over.abort();
  };
  return { totalMs, leftMs, shareMs, over: over.signal, end };
}
