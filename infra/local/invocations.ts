// Functions invoked as Lambda invokes them when nobody waits for the answer: taken at once, tried three times in all, and
// then given up to a failure destination. It knows no event.
import { faultText, type Log } from "../../functions/report/log.ts";
import type { Context } from "../../functions/handler.ts";
import type { Clock, Timer } from "./clock.ts";

export interface Invocation<T> {
  /** The function's name. */
  readonly name: string;
  readonly call: (context: Context) => Promise<T>;
  /** The failure destination: told what the last try threw. Null: there is none. */
  readonly givenUp: ((error: unknown) => Promise<void>) | null;
}

/** "Lambda […] waits one minute before the second attempt, and two minutes before the third", of the clock here. */
const waitsMs: readonly number[] = [60_000, 120_000];
/** What a function of ours is given; of the machine's time. */
const timeoutMs = 60_000;

export class Invocations {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Set<Promise<unknown>>();
  readonly #waiting = new Map<Timer, () => void>();
  #isOver = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** How many are being tried, or wait to be. */
  get pending(): number {
    return this.#open.size;
  }

  /**
   * @returns what the function returned in the end; null: it was given up, and the failure destination knows
   * @throws what the last try threw, where there is no failure destination, or where we stop before the last try
   */
  async invoke<T>(invocation: Invocation<T>): Promise<T | null> {
    const running = this.#try(invocation);
    this.#open.add(running);
    try {
      return await running;
    } finally {
      this.#open.delete(running);
    }
  }

  /** No further tries; waits for those that are running. */
  async stop(): Promise<void> {
    this.#isOver = true;
    for (const [timer, go] of this.#waiting) {
      timer.cancel();
      go();
    }
    await Promise.allSettled(this.#open);
  }

  async #try<T>({ name, call, givenUp }: Invocation<T>): Promise<T | null> {
    for (const waitMs of [...waitsMs, null]) {
      const untilMs = Date.now() + timeoutMs;
      try {
        return await call({ getRemainingTimeInMillis: () => untilMs - Date.now() });
      } catch (error) {
        this.#log({ level: "error", event: "function-failed", function: name, fault: faultText(error) });
        if (waitMs === null && givenUp !== null) {
          await givenUp(error);
          return null;
        }
        if (waitMs !== null && !this.#isOver) await this.#wait(waitMs);
        if (waitMs === null || this.#isOver) throw error;
      }
    }
    return null;
  }

  async #wait(ms: number): Promise<void> {
    let timer: Timer | null = null;
    await new Promise<void>((resolve) => {
      timer = this.#clock.after(ms, resolve);
      this.#waiting.set(timer, resolve);
    });
    if (timer !== null) this.#waiting.delete(timer);
  }
}
