// Sets an alarm back after a rehearsal, and sees to it that none stays quiet that has a reason to fire. It knows nothing
// of pages.
import { drillReason } from "../page/alarm-change.ts";
import type { Alarm } from "../report/alarms.ts";
import { alarmStates, setAlarmState, type AlarmStanding } from "../report/alarm-states.ts";
import type { Place } from "./place.ts";

export type Restored =
  /** It is as it was. */
  | "restored"
  /** It had changed by itself meanwhile, and was left alone. */
  | "changed"
  /** What it watches went to ALARM meanwhile: it was set to ALARM anew, so that it pages in earnest. */
  | "firing"
  /** It could not be set: it is in ALARM by our hand. */
  | "failed"
  /** It was never set. */
  | "untouched";

type CloudWatch = Place["clients"]["cloudWatch"];

/**
 * By way of OK, which closes what was opened. A metric alarm has often gone back by then ("Metric alarms returns to their
 * actual state quickly"). A composite alarm has not, nor does it hear of children that fire while it is in ALARM: "It
 * returns to its actual state only once any of its children alarms change state."
 * @param reason with which we set it: what has another is no longer by our hand
 */
export async function restore(
  alarm: Alarm,
  before: AlarmStanding,
  reason: string,
  client: CloudWatch,
): Promise<Restored> {
  const { name, state } = before;
  try {
    const now = (await alarmStates([name], client)).get(name);
    if (now?.state !== "ALARM" || now.reason !== reason) return "changed";
    await setAlarmState(name, "OK", end, client);
    const firing = await firingChildren(alarm, client);
    if (firing !== null) {
      await setAlarmState(name, "ALARM", { reason: `in ALARM: ${firing.join(", ")}`, data: {} }, client);
      return "firing";
    }
    if (state !== "OK") await setAlarmState(name, state, end, client);
    return "restored";
  } catch {
    return "failed";
  }
}

const end = { reason: `${drillReason}: the rehearsal is over`, data: { drill: true } };

/** The children of a composite alarm for which its rule holds; null: it does not hold, or the alarm is a metric's. */
async function firingChildren(alarm: Alarm, client: CloudWatch): Promise<readonly string[] | null> {
  if (alarm.type === "metric") return null;
  const children = [...alarm.rule.matchAll(/"([^"]+)"/g)].map(([, child = ""]) => child);
  const least = Number(/^AT_LEAST\((\d+)/.exec(alarm.rule)?.[1] ?? 1);
  const states = await alarmStates(children, client);
  const firing = children.filter((child) => states.get(child)?.state === "ALARM");
  return firing.length >= least ? firing : null;
}
