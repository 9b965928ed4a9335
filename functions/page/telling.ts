// Whether an alarm's change is to be told, by us, now. A change is told once, whichever ways and however often it comes;
// one whose teller died is told by the next to come; a recovery is told to those who heard of the firing. It keeps that
// in the table, and knows nothing of what is told.
import { setTimeout as sleep } from "node:timers/promises";
import type { Alarm } from "../report/alarms.ts";
import { claimMark, noteLatest, readMark, settleMark, type Claimed, type Mark } from "../state/marks.ts";
import type { Table } from "../state/table.ts";
import { isDrill, type AlarmChange } from "./alarm-change.ts";
import type { Delivery } from "./deliver.ts";
import { inTime } from "./time-limit.ts";

/** Why nothing is told. */
export type Silence =
  /** It was told before. */
  | "duplicate"
  /** It clears, and nobody had been told that it stood: a wider alarm had spoken for it. */
  | "not-told"
  /** A later change of the same alarm has been told: a page now would open again what that one has closed. */
  | "overtaken";

export interface Telling {
  /** By the routes that have it already. */
  readonly delivered: readonly Delivery[];
  /** When on-call was told that it fires, where this is a recovery: RFC 3339. */
  readonly firedAt: string | null;
  /** Whether what is over now was a drill. */
  readonly wasDrill: boolean;
}

export interface Teller {
  /** Of this call alone. */
  readonly owner: string;
  /** As long as the call can last. Another's that died is over after as long. */
  readonly holdMs: number;
  /** For an answer of the table. */
  readonly tableLimitMs: number;
}

/** What on-call was last told of an alarm. */
interface LastTold {
  readonly state: "firing" | "recovered";
  readonly at: string;
  readonly firedAt: string | null;
  readonly isDrill: boolean;
}

/** Whether a change may be told at all; no data never is. */
export function isPageState({ from, to, suppressed }: AlarmChange): boolean {
  // Whatever it was before: a composite alarm whose actions were suppressed comes from ALARM when they no longer are.
  if (to === "ALARM") return true;
  return to === "OK" && (from === "ALARM" || suppressed !== null);
}

/** @throws Error when the table does not answer, or somebody else is still at it when our own time is over */
export async function begin(
  change: AlarmChange,
  alarm: Alarm,
  teller: Teller,
  table: Table,
): Promise<Telling | Silence> {
  const { at, to } = change;
  const mark: Mark = { kind: "told", alarm: alarm.name };
  const limitMs = teller.tableLimitMs;
  const untilMs = performance.now() + teller.holdMs - limitMs;
  const last = ((await inTime(readMark(mark, table), limitMs))?.["note"] ?? null) as LastTold | null;
  const isFiring = to === "ALARM";
  if (!isFiring && !hasFired(change, alarm, last)) return "not-told";
  const firedAt = isFiring && last?.state !== "firing" ? at : (last?.firedAt ?? null);
  const wasDrill = !isFiring && (last?.isDrill ?? false);
  const told: LastTold = {
    state: isFiring ? "firing" : "recovered",
    at,
    firedAt,
    isDrill: isFiring ? isDrill(change) : wasDrill,
  };
  if (!(await inTime(noteLatest(mark, at, told, table), limitMs))) return "overtaken";
  const claimed = await claim(markOf(change), teller, untilMs, table);
  if (!claimed.isOurs) return "duplicate";
  const before = (claimed.note ?? []) as readonly Delivery[];
  return { delivered: before.filter(({ ok }) => ok), firedAt: isFiring ? null : firedAt, wasDrill };
}

/** Without the table nobody knows who was told, only what the change itself shows: better twice than never. */
export function beginUnknown({ to, from }: AlarmChange): Telling | Silence {
  return to === "ALARM" || from === "ALARM" ? { delivered: [], firedAt: null, wasDrill: false } : "not-told";
}

/** Notes what came of it, by every route. What is not done is for the next call, at once. */
export async function settle(
  change: AlarmChange,
  { owner, tableLimitMs }: Teller,
  { deliveries, isDone }: { readonly deliveries: readonly Delivery[]; readonly isDone: boolean },
  table: Table,
): Promise<void> {
  await inTime(settleMark(markOf(change), { owner, note: deliveries, isDone }, table), tableLimitMs);
}

/** Somebody else's is waited for: they may die, and then it is ours. */
async function claim(
  mark: Mark,
  { owner, holdMs, tableLimitMs }: Teller,
  untilMs: number,
  table: Table,
): Promise<Claimed> {
  for (;;) {
    const claimed = await inTime(claimMark(mark, owner, holdMs, table), tableLimitMs);
    if (claimed.isOurs || claimed.isDone) return claimed;
    if (performance.now() + pollMs > untilMs) throw new BusyFault();
    await sleep(pollMs);
  }
}

const pollMs = 200;

/** It is thrown, so that the change comes again: whoever is at it may not come to an end. */
export class BusyFault extends Error {
  override readonly name = "BusyFault";

  constructor() {
    super("another call is telling this change, and has not come to an end in our time");
  }
}

/**
 * A single block that a wider alarm spoke for clears too, sooner or later: then there is nothing to take back. Where nothing
 * is noted yet, the change shows whether it had been suppressed; SNS's message does not.
 */
function hasFired({ at, from, suppressed, via }: AlarmChange, alarm: Alarm, last: LastTold | null): boolean {
  if (last !== null && (last.state === "firing" || last.at === at)) return true;
  // What fired while the table was away is noted nowhere.
  if (from !== "ALARM" || suppressed !== null) return false;
  return via === "lambda" || alarm.type === "metric" || alarm.suppressor === null;
}

function markOf({ alarmName, at }: AlarmChange): Mark {
  return { kind: "page", alarm: alarmName, at };
}
