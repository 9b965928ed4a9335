// How the system stands, as one document: its alarms, the last verdict of each provider over each egress, what is
// blocked, paused, held or left alone, each egress's last self-check. It reads, judges nothing, and prints nothing.
import { pairsOf, type Config } from "../config/config.ts";
import { configHash } from "../config/hash.ts";
import { tableOf } from "../handler.ts";
import { alarmsOf, type AlarmKind } from "../report/alarms.ts";
import { alarmStates, type AlarmStanding } from "../report/alarm-states.ts";
import type { SelfCheck } from "../self-check/self-check.ts";
import { statesOf, type Block, type PairState } from "../state/pairs.ts";
import { pausesOf, type Pause } from "../state/pauses.ts";
import { lastSelfCheck, type StoredSelfCheck } from "../state/self-checks.ts";
import type { Table } from "../state/table.ts";
import { lastVerdicts, type StoredVerdict } from "../state/verdicts.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { inOrder, pausable } from "./pause.ts";
import type { Place } from "./place.ts";
import { runningStatuses, type RunningStatus } from "./status-running.ts";
import { sendsStatus, type SendsStatus } from "./status-sends.ts";

export interface StatusDocument {
  readonly v: 1;
  /** The configuration's name of the system. */
  readonly name: string;
  /** RFC 3339, as all times here. */
  readonly at: string;
  /** This file's, whose hash tells whether others run the same. */
  readonly config: { readonly hash: string };
  /** The schedule, the functions where an egress is theirs, and each worker. */
  readonly running: readonly RunningStatus[];
  /** In the order of the configuration; those that CloudWatch does not have too. */
  readonly alarms: readonly AlarmStatus[];
  /** Every provider over each of its egresses, in the configuration's order. */
  readonly pairs: readonly PairStatus[];
  /** Each egress, in the configuration's order. */
  readonly egresses: readonly EgressStatus[];
  /** Null: none are taken. */
  readonly sends: SendsStatus | null;
  /** In force. */
  readonly pauses: readonly Pause[];
}

export interface EgressStatus {
  readonly name: string;
  /** Null: it was never checked, or so long ago that it is forgotten. */
  readonly selfCheck: LastSelfCheck | null;
}

export interface LastSelfCheck extends Pick<StoredSelfCheck, "id" | "at" | "since"> {
  readonly standing: SelfCheck["standing"];
  readonly checks: SelfCheck["checks"];
}

export interface AlarmStatus {
  readonly name: string;
  readonly kind: AlarmKind;
  readonly provider: string | null;
  readonly egress: string | null;
  readonly pages: boolean;
  /** Null: CloudWatch has no such alarm. */
  readonly state: AlarmStanding["state"] | null;
  readonly since: string | null;
  readonly reason: string | null;
  readonly suppressedBy: string | null;
}

export interface PairStatus {
  readonly provider: string;
  readonly egress: string;
  /** Null: it was never probed, or so long ago that it is forgotten. */
  readonly last: LastVerdict | null;
  /** A refusal of the IP that no later session has got past. */
  readonly block: Block | null;
  /** Until when the schedule leaves it alone because it asked for that; null: it does not. */
  readonly backOffUntil: string | null;
}

/** A verdict without its conversation; `replay` shows that. */
export interface LastVerdict {
  readonly id: string;
  readonly at: string;
  readonly recipient: string;
  readonly outcome: Verdict["outcome"];
  readonly class: Verdict["class"];
  readonly severity: Verdict["severity"];
  readonly stage: Verdict["primary"]["stage"];
  readonly code: number | null;
  readonly status: string | null;
  readonly text: string;
  readonly host: string;
  readonly address: string | null;
}

/** @throws what the SDK throws */
export async function readStatus(place: Place): Promise<StatusDocument> {
  const { config, clients, now } = place;
  const table = tableOf(place);
  const at = now().toISOString();
  const hash = configHash(config);
  const [running, alarms, pairs, egresses, sends, pauses] = await Promise.all([
    runningStatuses(config, hash, at, table),
    alarmStatuses(config, clients.cloudWatch),
    pairStatuses(config, at, table),
    Promise.all(config.egresses.map(async ({ name }) => await egressStatus(name, table))),
    sendsStatus(config, table),
    pausesOf(pausable(config), table),
  ]);
  const { name } = config;
  const standing = { running, alarms, pairs, egresses, sends, pauses: inOrder(pauses, config) };
  return { v: 1, name, at, config: { hash }, ...standing };
}

async function alarmStatuses(config: Config, client: Place["clients"]["cloudWatch"]): Promise<readonly AlarmStatus[]> {
  const alarms = alarmsOf(config);
  const names = alarms.map(({ name }) => name);
  const standings = await alarmStates(names, client);
  return alarms.map(({ name, kind, provider, egress, pages }) => {
    const { state, since, reason, suppressedBy } = standings.get(name) ?? unknownAlarm;
    return { name, kind, provider, egress, pages, state, since, reason, suppressedBy };
  });
}

const unknownAlarm = { state: null, since: null, reason: null, suppressedBy: null };

async function egressStatus(name: string, table: Table): Promise<EgressStatus> {
  const last = await lastSelfCheck(name, table);
  if (last === null) return { name, selfCheck: null };
  const { id, at, since, selfCheck } = last;
  return { name, selfCheck: { id, at, since, standing: selfCheck.standing, checks: selfCheck.checks } };
}

async function pairStatuses(config: Config, at: string, table: Table): Promise<readonly PairStatus[]> {
  const all = pairsOf(config).map(({ target, egress }) => ({ provider: target.provider, egress: egress.name }));
  const pairs = [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
  const states = await statesOf(pairs, table);
  const lasts: (StoredVerdict | null)[] = [];
  for (let from = 0; from < pairs.length; from += queriesAtATime) {
    const some = pairs.slice(from, from + queriesAtATime);
    lasts.push(...(await Promise.all(some.map(async (each) => await lastOf(each, table)))));
  }
  return states.map((state, index) => pairStatus(state, lasts[index] ?? null, at));
}

const queriesAtATime = 20;

async function lastOf({ provider, egress }: Pick<PairState, "provider" | "egress">, table: Table) {
  const [last] = await lastVerdicts(provider, egress, 1, table);
  return last ?? null;
}

function pairStatus({ provider, egress, block, notBefore }: PairState, last: StoredVerdict | null, at: string) {
  const backOffUntil = notBefore !== null && Date.parse(notBefore) > Date.parse(at) ? notBefore : null;
  return { provider, egress, last: last === null ? null : lastVerdict(last), block, backOffUntil };
}

function lastVerdict({ id, at, recipient, verdict }: StoredVerdict): LastVerdict {
  const { outcome, class: kind, severity, primary } = verdict;
  const { stage, code, status, text, host, address } = primary;
  return { id, at, recipient, outcome, class: kind, severity, stage, code, status, text, host, address };
}
