// Actions under way: each is tried, tried again, and at last given up; what is not done yet can be written down and
// taken up again. It knows nothing of what an action is.
import type { Clock, Timer } from "../clock.ts";
import type { AlarmChange } from "./alarm-change.ts";

export interface Delivery {
  readonly arn: string;
  readonly change: AlarmChange;
  /** How often it was tried. */
  readonly tries: number;
}

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly act: (arn: string, change: AlarmChange) => Promise<void>;
  /** Told once of each: null if it was done, else the last error. */
  readonly ended: (delivery: Delivery, error: unknown) => void;
}

/** How long after each failed try the next one is. AWS says only that actions may be tried again. */
const waitsMs: readonly number[] = [1_000, 5_000, 30_000];

export class Deliveries {
  readonly #options: DeliveryOptions;
  readonly #open = new Map<Delivery, Timer | null>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Begins at once. */
  add(delivery: Delivery): void {
    this.#open.set(delivery, null);
    const running = this.#try(delivery).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** What is not done, and not given up. */
  get open(): readonly Delivery[] {
    return [...this.#open.keys()];
  }

  /** Resolves when no try is running. What waits to be tried again may still wait. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** No further tries. */
  async close(): Promise<void> {
    this.#cancel();
    await this.settle();
    this.#cancel();
  }

  #cancel(): void {
    for (const timer of this.#open.values()) timer?.cancel();
  }

  async #try(delivery: Delivery): Promise<void> {
    const { clock, act, ended } = this.#options;
    try {
      await act(delivery.arn, delivery.change);
    } catch (error) {
      const waitMs = waitsMs[delivery.tries];
      this.#open.delete(delivery);
      if (waitMs === undefined) return ended(delivery, error);
      const next = { ...delivery, tries: delivery.tries + 1 };
      this.#open.set(
        next,
        clock.after(waitMs, () => {
          this.add(next);
          return this.settle();
        }),
      );
      return;
    }
    this.#open.delete(delivery);
    ended(delivery, null);
  }
}
