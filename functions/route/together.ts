// Questions that are asked at once, of which one answer may be enough to go on with: how long the others are waited for
// then. It does not know what is asked.
import type { AskOptions } from "./dns-servers.ts";

/** Longer than it takes to ask again for what a lost datagram held. */
const patienceMs = 3_000;

/**
 * All answers, in the order of the questions. Once one of them is enough, the others have three seconds, or half of a
 * look-up's time where that is less, and are then given up (RFC 8305 §3, which waits for milliseconds: nobody sits here).
 */
export async function askTogether<T>(
  questions: readonly ((options: AskOptions) => Promise<T>)[],
  options: AskOptions,
  isEnough: (answer: T) => boolean,
): Promise<readonly T[]> {
  const { signal = null, timeoutMs } = options;
  const over = new AbortController();
  const until = signal === null ? over.signal : AbortSignal.any([signal, over.signal]);
  let patience: NodeJS.Timeout | null = null;
  const asked = questions.map(async (question) => {
    const answer = await question({ ...options, signal: until });
    if (isEnough(answer)) patience ??= setTimeout(() => over.abort(), Math.min(patienceMs, timeoutMs / 2));
    return answer;
  });
  try {
    return await Promise.all(asked);
  } finally {
    if (patience !== null) clearTimeout(patience);
  }
}
