// A composite alarm looked at once: what its rule comes to, and CloudWatch's sentence for it. It knows nothing of what
// an alarm does about it.
import { childrenIn, nameIn, suppressorIn, type Alarm } from "./alarm.ts";
import { timeText } from "./alarm-change.ts";
import type { AlarmDefinition } from "./alarm-input.ts";
import type { Finding } from "./metric-alarm.ts";
import { Refusal } from "./protocol.ts";
import { holds, parseRule } from "./rule.ts";

/** Who looks: it names other alarms, and has ARNs for them. */
export interface Others {
  readonly get: (name: string) => Alarm | null;
  readonly arnOf: (name: string) => string;
}

/** Why it is looked at: another alarm changed, or it was put itself. */
export type Cause = { readonly changed: Alarm } | { readonly put: "created" | "updated" };

/** Null: it stays in the state it is in. It is in INSUFFICIENT_DATA only until it is first looked at. */
export function evaluateCompositeAlarm({ definition, state }: Alarm, cause: Cause, others: Others): Finding | null {
  if (definition.kind === "metric") return null;
  const { AlarmName, AlarmRule } = definition.input;
  const value = holds(parseRule(AlarmRule), (child) => others.get(child)?.state.value ?? null) ? "ALARM" : "OK";
  if (value === state.value) return null;
  const children = [...childrenIn(definition)].map((child) => others.get(child));
  const causes = "put" in cause ? children.filter((each) => each !== null) : [cause.changed];
  const triggeringAlarms = causes.map((each) => ({
    arn: others.arnOf(nameIn(each)),
    state: { value: each.state.value, timestamp: timeText(each.state.atMs) },
  }));
  return { value, reason: reasonOf(AlarmName, value, cause, others), reasonData: JSON.stringify({ triggeringAlarms }) };
}

function reasonOf(name: string, value: string, cause: Cause, others: Others): string {
  if ("put" in cause) return `${others.arnOf(name)} was ${cause.put} and its alarm rule evaluates to ${value}`;
  const { state } = cause.changed;
  return `${others.arnOf(nameIn(cause.changed))} transitioned to ${state.value} at ${longDate(state.atMs)}`;
}

/** Throws a ValidationError where its rule is none, or it names alarms that do not exist. */
export function checkNames(definition: AlarmDefinition, exists: (name: string) => boolean): void {
  const suppressor = suppressorIn(definition);
  const names = [...childrenIn(definition), ...(suppressor === null ? [] : [suppressor])];
  const missing = names.filter((name) => !exists(name));
  if (missing.length === 0) return;
  const told = `Could not save the composite alarm as alarms in it do not exist: ${missing.join(", ")}`;
  throw new Refusal("ValidationError", told);
}

/** "Friday 04 August, 2023 12:54:46 UTC" */
function longDate(ms: number): string {
  const part = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }).format(ms);
  const date = `${part({ day: "2-digit" })} ${part({ month: "long" })}, ${part({ year: "numeric" })}`;
  return `${part({ weekday: "long" })} ${date} ${part({ timeStyle: "medium" })} UTC`;
}
