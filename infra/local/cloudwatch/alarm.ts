// One alarm: as it was put, and what became of it. It knows nothing of when it is looked at.
import type { AlarmState } from "./alarm-change.ts";
import type { AlarmDefinition } from "./alarm-input.ts";
import { childrenOf, nameOf, parseRule } from "./rule.ts";
import type { Hold } from "./suppression.ts";

export interface Alarm {
  readonly definition: AlarmDefinition;
  readonly createdAtMs: number;
  readonly configuredAtMs: number;
  readonly state: AlarmState;
  /** When it came to this value. */
  readonly changedAtMs: number;
  readonly hold: Hold | null;
  /** Whether the actions for this state are still to be taken. */
  readonly owes: boolean;
}

/** "When this operation creates an alarm, the alarm state is immediately set to INSUFFICIENT_DATA." */
export function createdAlarm(definition: AlarmDefinition, nowMs: number): Alarm {
  const state: AlarmState = {
    value: "INSUFFICIENT_DATA",
    reason: "Unchecked: Initial alarm creation",
    reasonData: null,
    atMs: nowMs,
    suppressedBy: null,
    suppressedReason: null,
  };
  const times = { createdAtMs: nowMs, configuredAtMs: nowMs, changedAtMs: nowMs };
  return { definition, ...times, state, hold: null, owes: false };
}

export function nameIn({ definition }: Alarm): string {
  return definition.input.AlarmName;
}

/** The actions for the state that it is in; none while they are disabled. */
export function actionsOf({ definition, state }: Alarm): ReadonlySet<string> {
  const { ActionsEnabled = true, OKActions, AlarmActions, InsufficientDataActions } = definition.input;
  const actions = { OK: OKActions, ALARM: AlarmActions, INSUFFICIENT_DATA: InsufficientDataActions }[state.value];
  return new Set(ActionsEnabled ? actions : []);
}

/** The names of the alarms that a composite alarm's rule looks at; none of a metric alarm. */
export function childrenIn({ input, kind }: AlarmDefinition): ReadonlySet<string> {
  return kind === "composite" ? childrenOf(parseRule(input.AlarmRule)) : new Set();
}

export function suppressorIn({ input, kind }: AlarmDefinition): string | null {
  if (kind === "metric" || input.ActionsSuppressor === undefined) return null;
  return nameOf(input.ActionsSuppressor);
}
