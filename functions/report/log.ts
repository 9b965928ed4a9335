// The log: one JSON object a line on standard output, which CloudWatch Logs and every other collector read.
// It does not know what is worth logging.
import { visibleJson } from "../verdict/visible.ts";

export type Level = "info" | "warn" | "error";

/** Of every entry; what else it holds is the event's. */
export interface Entry {
  readonly level: Level;
  /** What happened, a fixed word to search by. */
  readonly event: string;
  readonly [field: string]: unknown;
}

export type Log = (entry: Entry) => void;

/** CloudWatch Logs takes 1 MiB an event; what is longer would be cut in two, and be no JSON. */
const entryLimit = 200_000; // characters

/** Standard output as the log. Hosts' texts in it can move no cursor (DESIGN §5). */
export function consoleLog(now: () => Date): Log {
  return (entry) => {
    // A log that nobody takes any more stops no probe; unheard, the failure would end the process.
    if (process.stdout.listenerCount("error", unread) === 0) process.stdout.on("error", unread);
    process.stdout.write(`${entryText(entry, now())}\n`);
  };
}

function unread(): void {}

export function entryText(entry: Entry, time: Date): string {
  const whole = { time: time.toISOString(), ...entry };
  const text = visibleJson(JSON.stringify(whole));
  if (text.length <= entryLimit) return text;
  const cut = Object.entries(whole).map(([name, value]) => [
    name,
    typeof value === "string" ? shortened(value) : value,
  ]);
  const shorter = visibleJson(JSON.stringify({ ...Object.fromEntries(cut), cut: true }));
  return shorter.length <= entryLimit ? shorter : visibleJson(JSON.stringify({ ...head(entry, time), cut: true }));
}

/** What a fault was, in a line, for an entry's field `fault`. */
export function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error.name}: ${error.message}${cause}`;
}

function head({ level, event }: Entry, time: Date): object {
  return { time: time.toISOString(), level, event };
}

function shortened(text: string): string {
  return text.length <= 20_000 ? text : `${text.slice(0, 20_000)}… (${text.length} characters)`;
}
