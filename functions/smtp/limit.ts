// A time limit that does not mask a reply. Node runs expired timers before it reads sockets, so that after a busy
// loop, or a thawed Lambda, a plain timer fires with the reply unread in the kernel (60 of 60 lost).
// It knows no SMTP: only whether something arrived.

export interface Limit {
  cancel(): void;
}

/** All limits of one connection: they end with it, and leave no timer that keeps the process alive. */
export class Limits {
  readonly #received: () => number;
  readonly #running = new Set<Limit>();
  #isOver = false;

  /** `received`: how much has come so far; a limit looks twice whether it grew. */
  constructor(received: () => number) {
    this.#received = received;
  }

  start(ms: number, expire: () => void): Limit {
    return this.#keep(() => startLimit(ms, this.#received, expire));
  }

  /** The limit that an abort sets. */
  follow(signal: AbortSignal, expire: () => void): Limit {
    return this.#keep(() => onAbort(signal, this.#received, expire));
  }

  end(): void {
    this.#isOver = true;
    for (const limit of this.#running) limit.cancel();
  }

  #keep(make: () => Limit): Limit {
    if (this.#isOver) return { cancel() {} };
    const limit = make();
    const kept: Limit = {
      cancel: () => {
        limit.cancel();
        this.#running.delete(kept);
      },
    };
    this.#running.add(kept);
    return kept;
  }
}

/** Turns of the loop in which nothing arrives before time is really up; TLS may need a second one. */
const quietTurns = 2;
/** A peer that never stops sending does not hold the clock for ever. */
const turnsLimit = 50;

/** Calls `expire` once `ms` milliseconds are over and a second look at the sockets found `received` unchanged. */
export function startLimit(ms: number, received: () => number, expire: () => void): Limit {
  let cancelled = false;
  const timer = setTimeout(() => lookAgain(received, () => cancelled, expire), Math.max(0, Math.min(ms, 2 ** 31 - 1)));
  return {
    cancel() {
      cancelled = true;
      clearTimeout(timer);
    },
  };
}

/** The same second look for an AbortSignal, whose listener may run ahead of the socket as well. */
export function onAbort(signal: AbortSignal, received: () => number, expire: () => void): Limit {
  let cancelled = false;
  const look = (): void => lookAgain(received, () => cancelled, expire);
  if (signal.aborted) setImmediate(look);
  else signal.addEventListener("abort", look, { once: true });
  return {
    cancel() {
      cancelled = true;
      signal.removeEventListener("abort", look);
    },
  };
}

function lookAgain(received: () => number, cancelled: () => boolean, expire: () => void): void {
  let quiet = 0;
  let turns = 0;
  let before = received();
  const turn = (): void => {
    if (cancelled()) return;
    quiet = received() === before ? quiet + 1 : 0;
    turns += 1;
    before = received();
    if (quiet >= quietTurns || turns >= turnsLimit) expire();
    else setImmediate(turn);
  };
  setImmediate(turn);
}
