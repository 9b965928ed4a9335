// Runs the drill command: chooses an alarm that may be rehearsed, and tells how each route took the page. How it is
// rehearsed, rehearsal.ts knows.
import process from "node:process";
import { tableOf } from "../handler.ts";
import { alarmKinds, alarmsOf, type Alarm, type AlarmKind } from "../report/alarms.ts";
import { alarmStates, type AlarmStanding } from "../report/alarm-states.ts";
import { visibleJson, visibleLine } from "../verdict/visible.ts";
import { faultStatus } from "./exit.ts";
import { nearest, quote, readOptions, UsageFault, type OptionSpec } from "./options.ts";
import { atPlace, placeOptions, type Place } from "./place.ts";
import { heldBackS, isFiring, rehearse, rehearseRoutes, type Rehearsal, type Rehearsed } from "./rehearsal.ts";
import type { Restored } from "./restore.ts";
import { write } from "./write.ts";

export const drillOptions: readonly OptionSpec[] = [
  { name: "direct", value: null, many: false, about: "leave CloudWatch alone: try the routes from this machine" },
  { name: "json", value: null, many: false, about: "print one document and nothing else" },
  ...placeOptions,
];

/** Besides what CloudWatch holds a page back. */
const limitMs = 60_000;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * `drill [alarm or kind]`
 * @returns 0 where every route delivered, 1 where one did not or nobody was told, 70 where a service did not answer
 * @throws UsageFault
 */
export async function drillCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, drillOptions);
  const [wanted = "blocked", ...more] = options.positionals;
  if (more.length > 0) throw new UsageFault(`drill takes one alarm, not ${more.length + 1}; write drill ${wanted}`);
  const json = options.has("json");
  return await atPlace(options, async (place) => {
    if (place.config.onCall.routes.length === 0) {
      throw new UsageFault("the configuration has no route, so that nobody is told; add one to onCall.routes");
    }
    const candidates = candidatesFor(wanted, place);
    const interrupt = new AbortController();
    const onInterrupt = (): void => interrupt.abort();
    // The alarm is set back, whatever happens; a second signal ends the program.
    for (const signal of signals) process.once(signal, onInterrupt);
    try {
      const asked = { place, signal: interrupt.signal, limitMs };
      return options.has("direct") ? await drillRoutes(candidates, asked, json) : await drill(candidates, asked, json);
    } finally {
      for (const signal of signals) process.removeListener(signal, onInterrupt);
    }
  });
}

type Asked = Omit<Rehearsal, "alarm">;

async function drill(candidates: readonly Alarm[], asked: Asked, json: boolean): Promise<number> {
  const names = candidates.flatMap((alarm) => [alarm.name, ...suppressorOf(alarm)]);
  const states = await alarmStates([...new Set(names)], asked.place.clients.cloudWatch);
  const alarm = await choose(candidates, states, asked.place);
  const before = states.get(alarm.name);
  if (before === undefined) return await say(`CloudWatch has no alarm ${alarm.name}; is it deployed there?`);
  if (!before.isHeard) return await say(`${alarm.name} has no action, or they are disabled, so that nobody is told`);
  if (!json) await print(beginning(alarm, heldBackS(alarm)));
  return await tell(alarm, await rehearse({ alarm, ...asked }, before), { json, before });
}

async function drillRoutes(candidates: readonly Alarm[], asked: Asked, json: boolean): Promise<number> {
  const alarm = await choose(candidates, new Map(), asked.place);
  if (!json) await print([`drill of the routes of ${alarm.name} (${alarm.kind}), from this machine`]);
  return await tell(alarm, await rehearseRoutes({ alarm, ...asked }), { json, before: null });
}

/** The alarms that a word means, of those that page: one by its name, or all of a kind. */
function candidatesFor(wanted: string, { config }: Place): readonly Alarm[] {
  const all = alarmsOf(config);
  const paging = all.filter(({ pages }) => pages);
  const found = paging.filter(({ name, kind }) => name === wanted || kind === wanted);
  if (found.length > 0) return found;
  if (all.some(({ name }) => name === wanted)) {
    throw new UsageFault(`${quote(wanted)} pages nobody; write ${paging[0]?.name ?? "another alarm"}`);
  }
  const kinds = alarmKinds.filter((kind) => paging.some((each) => each.kind === kind));
  if (alarmKinds.includes(wanted as AlarmKind)) {
    throw new UsageFault(`the configuration makes no alarm ${wanted}; write one of ${kinds.join(", ")}`);
  }
  const meant = nearest(wanted, [...kinds, ...paging.map(({ name }) => name)]);
  throw new UsageFault(`there is no alarm ${quote(wanted)}; write ${meant ?? `one of ${kinds.join(", ")}`}`);
}

/**
 * The first that can be rehearsed: one that fires tells nobody when it is set again, one that is held back neither; and
 * what ends a rehearsal would close what on-call is at.
 * @throws UsageFault with why the first cannot be
 */
async function choose(
  candidates: readonly Alarm[],
  states: ReadonlyMap<string, AlarmStanding>,
  place: Place,
): Promise<Alarm> {
  const reasons: string[] = [];
  for (const alarm of candidates) {
    const wider = suppressorOf(alarm).find((each) => states.get(each)?.state === "ALARM");
    if (states.get(alarm.name)?.state === "ALARM") reasons.push(`${alarm.name} is in ALARM already`);
    else if (wider !== undefined) reasons.push(`${alarm.name} is held back by ${wider}, which is in ALARM`);
    else if (await isFiring(alarm, tableOf(place))) reasons.push(`on-call was told that ${alarm.name} fires`);
    else return alarm;
  }
  throw new UsageFault(`${reasons[0]}; write another alarm: status${place.words} shows them`);
}

function suppressorOf(alarm: Alarm): readonly string[] {
  return alarm.type === "composite" && alarm.suppressor !== null ? [alarm.suppressor.alarm] : [];
}

function beginning({ name, kind }: Alarm, heldS: number): readonly string[] {
  const held = `CloudWatch holds it back for ${heldS} s, in case a wider alarm speaks for it, as it does in earnest`;
  return [`drill of ${name} (${kind}): set to ALARM, which pages`, ...(heldS === 0 ? [] : [held])];
}

interface Form {
  readonly json: boolean;
  /** Null: CloudWatch was not asked. */
  readonly before: AlarmStanding | null;
}

async function tell(alarm: Alarm, rehearsed: Rehearsed, { json, before }: Form): Promise<number> {
  const delivered = rehearsed.deliveries.length > 0 && rehearsed.deliveries.every(({ ok }) => ok);
  if (json) {
    const { name, kind } = alarm;
    const document = { v: 1, alarm: name, kind, direct: before === null, delivered, ...rehearsed };
    await write(process.stdout, `${visibleJson(JSON.stringify(document, null, process.stdout.isTTY ? 2 : 0))}\n`);
  } else await print(outcomeLines(alarm, rehearsed, before));
  return delivered ? 0 : 1;
}

function outcomeLines({ name }: Alarm, rehearsed: Rehearsed, before: AlarmStanding | null): readonly string[] {
  const { deliveries, elapsedMs, fault, restored } = rehearsed;
  const columns = Math.max(0, ...deliveries.map(({ route }) => route.length));
  return [
    fault ?? `the page was out after ${(elapsedMs / 1000).toFixed(1)} s`,
    ...deliveries.map(({ route, ok, tries, elapsedMs, fault }) => {
      const told = ok ? `delivered in ${elapsedMs} ms` : `NOT delivered, ${elapsedMs} ms: ${fault}`;
      return `  ${route.padEnd(columns)}  ${told}${tries > 1 ? ` (${tries} tries)` : ""}`;
    }),
    ...restoredWords[restored](name, before?.state ?? "OK"),
  ];
}

const restoredWords: Readonly<Record<Restored, (name: string, state: string) => readonly string[]>> = {
  restored: (_, state) => [`set back to ${state}; the recovery goes out by the same routes`],
  changed: (name) => [`${name} had changed by itself meanwhile, and was left as it is`],
  firing: (name) => [`${name} fires in earnest: what it watches went to ALARM meanwhile; set anew, it pages`],
  failed: (name) => [
    `${name} could not be set back; do it by hand:`,
    `  aws cloudwatch set-alarm-state --alarm-name ${name} --state-value OK --state-reason 'drill: over'`,
  ],
  untouched: () => ["no alarm was touched; the recovery was sent after it"],
};

async function print(lines: readonly string[]): Promise<void> {
  await write(process.stdout, lines.map((line) => `${visibleLine(line)}\n`).join(""));
}

async function say(text: string): Promise<number> {
  await write(process.stderr, `delivery-probe: ${visibleLine(text)}\n`);
  return faultStatus;
}
