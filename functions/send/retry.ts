// How long a recipient that was not reached waits for the next attempt, by what was said. Pure. It does not know when a
// send expires, or what is held.
//
// RFC 5321 §4.5.4.1 asks for 30 minutes at least, and lets a sender do better that knows why it failed; it names two tries
// in the first hour and then one every two or three. Postfix begins with 5 minutes and ends at 67
// (minimal_backoff_time, maximal_backoff_time); Exim's usual rule is every 15 minutes for two hours, then 1.5 times as
// long each time, then every 6 hours. Ours doubles from 10 minutes to 4 hours: some ten tries on the first day.
import type { Class } from "../verdict/classes.ts";
import type { LastWord } from "../verdict/last-word.ts";

/** The first wait, which doubles until it is the longest. */
interface BackOff {
  readonly firstMs: number;
  readonly mostMs: number;
  /** Waits before that, all of one length. */
  readonly early?: { readonly times: number; readonly ms: number };
}

const minute = 60_000;
const hour = 60 * minute;

const usual: BackOff = { firstMs: 10 * minute, mostMs: 4 * hour };
/** What stands between all our mail and the provider: the hold, not this, says when it is over. */
const reputation: BackOff = { firstMs: 30 * minute, mostMs: 4 * hour };

// prettier-ignore
const byClass: Readonly<Partial<Record<Class, BackOff>>> = {
  // Most greylists open after 5 minutes (Postgrey's default), and an attempt before that may begin the wait anew.
  "greylist":          { ...usual, early: { times: 3, ms: 6 * minute } },
  "rate-limit":        { firstMs: 30 * minute, mostMs: 6 * hour },
  "network":           { firstMs:  5 * minute, mostMs: 4 * hour },
  "mailbox-full":      { firstMs:      1 * hour, mostMs: 8 * hour },
  "ip-reputation":     reputation,
  "reverse-dns":       reputation,
  "domain-reputation": reputation,
  "authentication":    reputation,
};

/** Of each wait, to both sides: what failed together does not come back together. */
export const jitter = 0.2;

/**
 * @param attempts made so far for the recipient, this one too
 * @param random from 0 to 1, for each use another
 * @returns whole milliseconds until the next
 */
export function retryAfterMs(
  word: Pick<LastWord, "outcome" | "class">,
  attempts: number,
  random: () => number,
): number {
  return Math.round(plainWaitMs(word, attempts) * (1 - jitter + 2 * jitter * random()));
}

/** The same without the jitter. */
export function plainWaitMs(word: Pick<LastWord, "outcome" | "class">, attempts: number): number {
  const { firstMs, mostMs, early } = backOffOf(word);
  const before = Math.max(0, attempts - 1);
  if (early !== undefined && before < early.times) return early.ms;
  return Math.min(mostMs, firstMs * 2 ** (before - (early?.times ?? 0)));
}

/** Without an answer it is the way that failed, whatever at. Who may have the message already is not asked sooner. */
function backOffOf({ outcome, class: kind }: Pick<LastWord, "outcome" | "class">): BackOff {
  if (outcome === "unanswered") return byClass.network ?? usual;
  if (outcome === "unknown" || kind === null) return usual;
  return byClass[kind] ?? usual;
}
