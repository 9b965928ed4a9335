// What EventBridge Scheduler is in AWS: calls the schedule every five minutes of the clock, with the time that the call
// was meant for. It knows nothing of what a schedule does.
import { slotMs } from "../../functions/queue/due.ts";
import type { Clock, Timer } from "./clock.ts";

export interface Scheduler {
  /** No further calls; waits for those under way. */
  stop(): Promise<void>;
}

/** @param call with the slot, RFC 3339: `<aws.scheduler.scheduled-time>`; its failures are its own */
export function startScheduler(clock: Clock, call: (slot: string) => Promise<unknown>): Scheduler {
  const running = new Set<Promise<unknown>>();
  let timer: Timer = schedule(firstAfter(clock.now()));

  function schedule(slot: number): Timer {
    return clock.after(slot - clock.now(), () => {
      // A clock that ran ahead, or a machine that slept, has missed slots: they are gone, as in AWS.
      timer = schedule(Math.max(slot + slotMs, firstAfter(clock.now())));
      const calling = call(slotText(slot))
        .catch(() => {})
        .finally(() => running.delete(calling));
      running.add(calling);
    });
  }

  return {
    stop: async () => {
      timer.cancel();
      await Promise.allSettled(running);
    },
  };
}

/** The slot that a time is in. */
export function slotAt(ms: number): string {
  return slotText(firstAfter(ms) - slotMs);
}

function firstAfter(ms: number): number {
  return (Math.floor(ms / slotMs) + 1) * slotMs;
}

function slotText(ms: number): string {
  return new Date(ms).toISOString();
}
