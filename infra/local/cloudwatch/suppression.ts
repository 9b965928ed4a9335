// When the actions of a composite alarm are held back by its suppressor: AWS's "Suppressing composite alarm actions",
// as one step from one hold to the next. It knows nothing of actions.
import type { SuppressedBy } from "./alarm-change.ts";

/** `untilMs`: when a period ends; null while the suppressor is in ALARM. */
export interface Hold {
  readonly by: SuppressedBy;
  readonly untilMs: number | null;
}

export interface Suppressor {
  readonly inAlarm: boolean;
  readonly waitS: number;
  readonly extensionS: number;
}

/**
 * The composite alarm changed its state, the suppressor went into or out of ALARM, it was replaced, or a period ended.
 */
export type SuppressionEvent = "changed" | "suppressor-on" | "suppressor-off" | "replaced" | "ended";

/** The hold after it; null: actions that are owed are taken now, by the state the alarm is in then. */
export function holdAfter(
  event: SuppressionEvent,
  { inAlarm, waitS, extensionS }: Suppressor,
  nowMs: number,
): Hold | null {
  switch (event) {
    // "The WaitPeriod that started at t2 is discarded, and the suppressor alarm now stops the composite alarm."
    case "suppressor-on":
      return { by: "Alarm", untilMs: null };
    case "suppressor-off":
      return period("ExtensionPeriod", extensionS, nowMs);
    // Also back to OK, in a WaitPeriod or an ExtensionPeriod: it is discarded, and a new WaitPeriod begins.
    case "changed":
      return inAlarm ? { by: "Alarm", untilMs: null } : period("WaitPeriod", waitS, nowMs);
    // "If you replace the action suppressor alarm, any active WaitPeriod or ExtensionPeriod is discarded."
    case "replaced":
      return inAlarm ? { by: "Alarm", untilMs: null } : null;
    case "ended":
      return null;
  }
}

function period(by: SuppressedBy, lengthS: number, nowMs: number): Hold | null {
  return lengthS === 0 ? null : { by, untilMs: nowMs + lengthS * 1000 };
}
