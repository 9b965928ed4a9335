// What alarms are about, by a word each: the configuration keeps kinds of them quiet, and the runbook has a heading for each.
// It does not know the alarms; functions/report/alarms.ts does.

export const alarmKinds = [
  "blocked",
  "blocked-widely",
  "refused",
  "egress-down",
  "probe-silent",
  "misconfigured",
  "self-check",
  "failures",
] as const;
export type AlarmKind = (typeof alarmKinds)[number];
