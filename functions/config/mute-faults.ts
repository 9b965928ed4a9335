// What of a mute window CloudWatch does not take (PutAlarmMuteRule): found here, it is a line at once, and not a deployment
// that is taken back after minutes. It does not know which alarms a window keeps quiet.
import type { Config } from "./config.ts";

type Mute = Config["aws"]["mutes"][number];

/** @returns every fault with its path and what may stand there */
export function muteFaults({ schedule, minutes, timezone }: Mute, path: string): readonly string[] {
  return [
    ...(isSchedule(schedule)
      ? []
      : [`${path}.schedule: ${schedule} is none; write cron(0 2 * * SUN), of five fields, or at(2026-12-24T18:00)`]),
    ...(minutes >= 1 && minutes <= longestMinutes ? [] : [`${path}.minutes: 1 to ${longestMinutes}, which is 15 days`]),
    ...(isTimezone(timezone) ? [] : [`${path}.timezone: ${timezone} is none; write one such as UTC or Europe/Berlin`]),
  ];
}

const longestMinutes = 21_600;

function isSchedule(text: string): boolean {
  const [, kind, inner = ""] = /^(cron|at)\((.*)\)$/.exec(text) ?? [];
  if (kind === "at") return isTime(inner);
  const parts = inner.split(" ");
  return (
    kind === "cron" && parts.length === fields.length && fields.every((each, at) => isField(parts[at] ?? "", each))
  );
}

/** To the minute; a 31st of February is none. */
function isTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text)) return false;
  const time = new Date(`${text}:00.000Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text);
}

interface Field {
  readonly from: number;
  readonly to: number;
  /** In the place of numbers, from the first on. */
  readonly names: readonly string[];
}

const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** Minute, hour, day of the month, month, day of the week. */
const fields: readonly Field[] = [
  { from: 0, to: 59, names: [] },
  { from: 0, to: 23, names: [] },
  { from: 1, to: 31, names: [] },
  { from: 1, to: 12, names: months },
  { from: 0, to: 6, names: weekdays },
];

/** "The characters *, -, and , are supported in all fields"; no others are. */
function isField(text: string, field: Field): boolean {
  return text.split(",").every((part) => part === "*" || isRange(part.split("-"), field));
}

function isRange(ends: readonly string[], { from, to, names }: Field): boolean {
  if (ends.length > 2) return false;
  const numbers = ends.map((end) => {
    const named = names.indexOf(end);
    return named === -1 ? (/^\d{1,2}$/.test(end) ? Number(end) : Number.NaN) : from + named;
  });
  const [first = Number.NaN, last = first] = numbers;
  return first >= from && first <= last && last <= to;
}

/** "between 1 and 50 characters in length" */
function isTimezone(text: string): boolean {
  if (text.length > 50 || !/^[A-Z]/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).format() !== "";
  } catch {
    return false;
  }
}
