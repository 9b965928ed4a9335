// Rehearses a page: sets an alarm by hand, waits for what the page function notes, and sets the alarm back; or calls
// the page function's own code with a change that nobody made. It does not choose the alarm, and prints nothing.
import { randomUUID } from "node:crypto";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { tableOf } from "../handler.ts";
import { createPage, PageFault } from "../page.ts";
import type { Delivery } from "../page/deliver.ts";
import { drillReason } from "../page/alarm-change.ts";
import type { Alarm } from "../report/alarms.ts";
import { setAlarmState, type AlarmStanding } from "../report/alarm-states.ts";
import { faultText, type Entry } from "../report/log.ts";
import { openSecrets } from "../secrets.ts";
import { readMark } from "../state/marks.ts";
import type { Table } from "../state/table.ts";
import type { Place } from "./place.ts";
import { restore, type Restored } from "./restore.ts";

/** What came of a rehearsal. */
export interface Rehearsed {
  /** By every route, in the configuration's order; none where nobody was told within the time. */
  readonly deliveries: readonly Delivery[];
  /** From the alarm's being set to the page's being delivered. */
  readonly elapsedMs: number;
  /** Why nobody was told; null: there are deliveries. */
  readonly fault: string | null;
  /** What the alarm was left as. */
  readonly restored: Restored;
}

export interface Rehearsal {
  readonly alarm: Alarm;
  readonly place: Place;
  /** Ends the waiting; the alarm is set back all the same. */
  readonly signal: AbortSignal;
  /** How long the page is waited for, besides what CloudWatch holds it back. */
  readonly limitMs: number;
}

/** How long CloudWatch waits for a wider alarm before it tells this one. */
export function heldBackS(alarm: Alarm): number {
  return alarm.type === "composite" && alarm.suppressor !== null ? alarm.suppressor.waitS : 0;
}

/** The whole way: CloudWatch, its actions, the page function, the routes. */
export async function rehearse(
  { alarm, place, signal, limitMs }: Rehearsal,
  before: AlarmStanding,
): Promise<Rehearsed> {
  const { cloudWatch } = place.clients;
  const table = tableOf(place);
  const reason = `${drillReason}: a rehearsal of the page (${randomUUID()})`;
  const toldBefore = await lastToldAt(alarm.name, table);
  const startMs = performance.now();
  await setAlarmState(alarm.name, "ALARM", { reason, data: { drill: true } }, cloudWatch);
  const untilMs = startMs + limitMs + heldBackS(alarm) * 1000;
  const { deliveries, fault } = await waitForDeliveries(alarm.name, toldBefore, { untilMs, signal }, table);
  const elapsedMs = Math.round(performance.now() - startMs);
  return { deliveries, elapsedMs, fault, restored: await restore(alarm, before, reason, cloudWatch) };
}

/** The routes alone: our own code, in this process, with its secrets. A recovery follows, which closes it. */
export async function rehearseRoutes({ alarm, place, limitMs }: Rehearsal): Promise<Rehearsed> {
  const entries: Entry[] = [];
  const { config, clients, now } = place;
  const log = (entry: Entry): void => void entries.push(entry);
  const page = createPage({ config, clients, now, secrets: openSecrets(process.env, { log }), log });
  const startMs = performance.now();
  const atMs = now().getTime();
  const call = async (to: "ALARM" | "OK", ms: number): Promise<void> => {
    const untilMs = performance.now() + limitMs;
    const context = { getRemainingTimeInMillis: () => untilMs - performance.now() };
    try {
      await page(changeEvent(alarm, to, new Date(ms)), context);
    } catch (error) {
      // Its log has said which routes failed, and why.
      if (!(error instanceof PageFault)) throw error;
    }
  };
  await call("ALARM", atMs);
  const elapsedMs = Math.round(performance.now() - startMs);
  const told = entries.find(({ event }) => event === "page");
  await call("OK", atMs + 1);
  const deliveries = (told?.["deliveries"] ?? []) as readonly Delivery[];
  const silence = entries.find(({ event }) => event === "no-page")?.["why"];
  const fault = told === undefined ? `the page function told nobody: ${String(silence)}` : null;
  return { deliveries, elapsedMs, fault, restored: "untouched" };
}

/** Whether on-call was told that it fires, and not yet that it is over: a rehearsal would close that. */
export async function isFiring(alarm: Alarm, table: Table): Promise<boolean> {
  return (await readTold(alarm.name, table))?.state === "firing";
}

interface LastTold {
  readonly state: "firing" | "recovered";
  readonly at: string;
}

async function readTold(alarm: string, table: Table): Promise<LastTold | null> {
  return ((await readMark({ kind: "told", alarm }, table))?.["note"] ?? null) as LastTold | null;
}

async function lastToldAt(alarm: string, table: Table): Promise<string> {
  return (await readTold(alarm, table))?.at ?? "";
}

const pollMs = 250;

type Told = Pick<Rehearsed, "deliveries" | "fault">;

/**
 * The page function notes first which change it tells, then what came of it by every route. Never throws: the alarm
 * is to be set back, whatever happens.
 */
async function waitForDeliveries(
  alarm: string,
  after: string,
  { untilMs, signal }: { readonly untilMs: number; readonly signal: AbortSignal },
  table: Table,
): Promise<Told> {
  let hint = "look at its log, and at the alarm's actions";
  while (performance.now() < untilMs && !signal.aborted) {
    try {
      const deliveries = await deliveriesAfter(alarm, after, table);
      if (deliveries !== null) return { deliveries, fault: null };
    } catch (error) {
      hint = `the table does not answer (${faultText(error)})`;
    }
    await sleep(pollMs, null, { signal }).catch(() => {});
  }
  const why = signal.aborted ? "interrupted before the page was out" : `no page is out in time; ${hint}`;
  return { deliveries: [], fault: why };
}

async function deliveriesAfter(alarm: string, after: string, table: Table): Promise<readonly Delivery[] | null> {
  const told = await readTold(alarm, table);
  if (told === null || told.at <= after) return null;
  const note = (await readMark({ kind: "page", alarm, at: told.at }, table))?.["note"];
  return Array.isArray(note) ? (note as readonly Delivery[]) : null;
}

/** As CloudWatch tells it to a function ("Invoke a Lambda function from an alarm" in its guide). */
function changeEvent({ name, description }: Alarm, to: "ALARM" | "OK", at: Date): object {
  const timestamp = at.toISOString().replace("Z", "+0000");
  const reason = `${drillReason}: a rehearsal of the routes`;
  return {
    source: "aws.cloudwatch",
    time: timestamp,
    alarmData: {
      alarmName: name,
      state: { value: to, reason, timestamp },
      previousState: { value: to === "ALARM" ? "OK" : "ALARM" },
      configuration: { description },
    },
  };
}
