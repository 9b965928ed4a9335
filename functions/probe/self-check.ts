// What becomes of a request for a self-check: it is done once, each session in the turn of the provider that it is with, and
// written down. The order is row, figures, acknowledgement, as of a probe. What is checked, functions/self-check knows.
import { randomUUID } from "node:crypto";
import type { SQSRecord } from "aws-lambda";
import { pairsOf, type Config, type ConfigTarget } from "../config/config.ts";
import { overAfter, resolverOf } from "../handler.ts";
import { isOwnAgain, laterMessage } from "../queue/record.ts";
import type { SelfCheckRequest } from "../queue/request.ts";
import { faultText } from "../report/log.ts";
import { notBeforeOf, selfCheckEntry } from "../report/recording.ts";
import { probe as probeHosts } from "../route/attempts.ts";
import type { Egress } from "../route/egress.ts";
import { reachRequest } from "../self-check/reach.ts";
import type { Unasked } from "../self-check/options.ts";
import { selfCheck, type SelfCheck } from "../self-check/self-check.ts";
import { parseAddress, parseSender, type Address } from "../smtp/address.ts";
import { withLease } from "../state/lease.ts";
import { settle, type Lease, type PairState } from "../state/pairs.ts";
import { pausesOf, type Pause } from "../state/pauses.ts";
import {
  findSelfCheck,
  lastSelfCheck,
  putSelfCheck,
  standingSince,
  type StoredSelfCheck,
} from "../state/self-checks.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { openedEgress } from "./egress.ts";
import { done, sendBack, type Result, type Runs } from "./runs.ts";
import { configuredHosts } from "./site.ts";
import { tooLate } from "./unworkable.ts";

/** In a provider's place where leases are kept: no provider, host or domain is called so. */
const ownTurn = "(self-check)";

/** One at a time for an egress, over all processes: what comes twice at once is done once. */
export async function checkInTurn(record: SQSRecord, request: SelfCheckRequest, runs: Runs): Promise<Result> {
  const { id, egress } = request;
  const lease = { provider: ownTurn, egress, owner: randomUUID() };
  return await runs.turns.run(`${ownTurn} ${egress}`, async () => {
    if (runs.sessionsUntilMs - Date.now() < runs.leastMs) return await sendBack(laterMessage(record, 1), runs);
    const held = await withLease(lease, 0, runs.table, async () => {
      const found = await findSelfCheck(id, runs.table);
      return found === null ? await checkOnce(record, request, runs) : foundAgain(record, found, runs);
    });
    return held.result ?? (await sendBack(laterMessage(record, held.result === null ? held.waitMs / 1000 : 1), runs));
  });
}

/** A self-check that was carried along because the table did not take it: nothing is looked up for it again. */
export async function writeSelfCheck(record: SQSRecord, stored: StoredSelfCheck, runs: Runs): Promise<Result> {
  const { deps, table } = runs;
  try {
    if (await putSelfCheck(stored, table)) return { kind: "self-check", record, stored, isWritten: true };
    const there = await findSelfCheck(stored.id, table);
    return there === null ? done : foundAgain(record, there, runs);
  } catch (error) {
    deps.log({ level: "error", event: "row-unwritten", id: stored.id, fault: faultText(error) });
    return { kind: "self-check", record, stored, isWritten: false };
  }
}

/** Another copy, or the process died between the row and its figures: those are left to do then. */
function foundAgain(record: SQSRecord, stored: StoredSelfCheck, { deps }: Runs): Result {
  if (!stored.reported && isOwnAgain(record)) return { kind: "self-check", record, stored, isWritten: true };
  deps.log({ level: "info", event: "duplicate", id: stored.id });
  return done;
}

async function checkOnce(record: SQSRecord, request: SelfCheckRequest, runs: Runs): Promise<Result> {
  const { id, egress, notAfterMs } = request;
  const { log, now } = runs.deps;
  if (notAfterMs !== null && notAfterMs < now().getTime()) return tooLate(request, runs);
  // Now, while the table answers: both are needed when it does not.
  await runs.key();
  const before = await lastSelfCheck(egress, runs.table);
  const found = await check(egress, runs);
  const at = now().toISOString();
  const since = standingSince(found.checks, before?.since ?? {}, at);
  const stored = { id, egress, at, selfCheck: found, since, reported: false };
  log(selfCheckEntry(stored));
  return await writeSelfCheck(record, stored, runs);
}

/** What a check's sessions share. */
interface Way {
  readonly egress: Egress;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly pauses: readonly Pause[];
  readonly signal: AbortSignal;
  readonly runs: Runs;
}

async function check(name: string, runs: Runs): Promise<SelfCheck> {
  const { config, secrets } = runs.deps;
  const { allowPrivate, from, timeoutMs } = settingsOf(config);
  const { egress, fault } = await openedEgress(name, config, secrets);
  const signal = overAfter(runs.sessionsUntilMs - Date.now());
  const peers = peersOver(name, config);
  const providers = [...peers.values()].map(({ provider }) => ({ kind: "provider", name: provider }) as const);
  const way = { egress, peers, pauses: await pausesOf(providers, runs.table), signal, runs };
  const open = async (domain: string): Promise<Verdict | Unasked> => {
    if (fault !== null) throw fault;
    return await askInTurn(domain, way);
  };
  // The egress's fault is told also where nobody is there to be asked.
  const ask = fault === null ? [...peers.keys()] : [name];
  const lookup = { server: resolverOf(runs.deps), timeoutMs, families: "both", signal } as const;
  return await selfCheck({ egress, helo: config.identity.helo, from, lookup, ask, allowPrivate, open });
}

/**
 * One session in its provider's turn, which is over with it. A provider that somebody else speaks to, that refuses our IP or
 * that asked to be left alone, is not asked: another one tells as much of port 25, and the schedule's probes ask this one.
 */
async function askInTurn(domain: string, way: Way): Promise<Verdict | Unasked> {
  const peer = way.peers.get(domain);
  if (peer === undefined) throw new Error(`${domain} is no domain that was to be asked`);
  const { provider } = peer;
  const { config, now } = way.runs.deps;
  const pause = way.pauses.find(({ name }) => name === provider);
  if (pause !== undefined) return { unasked: `${provider} is paused until ${pause.until}` };
  if (way.runs.sessionsUntilMs <= Date.now()) return { unasked: `no time was left for ${provider}` };
  const lease = { provider, egress: way.egress.name, owner: randomUUID() };
  const held = await withLease(lease, config.limits.gapSeconds * 1000, way.runs.table, async (before, asks) => {
    const { block, notBefore } = before;
    if (block !== null) return { unasked: `${provider} refuses the egress's IP since ${block.since}` };
    if (notBefore !== null && Date.parse(notBefore) > now().getTime()) {
      return { unasked: `${provider} asked to be left alone until ${notBefore}` };
    }
    asks();
    const verdict = await openSession(domain, peer, way);
    await heed(verdict, before, lease, way.runs);
    return verdict;
  });
  return held.result ?? { unasked: `a probe speaks to ${provider}, or just did` };
}

async function openSession(domain: string, { recipient }: Peer, { egress, signal, runs }: Way): Promise<Verdict> {
  const { config } = runs.deps;
  const resolver = resolverOf(runs.deps);
  const { helo } = config.identity;
  const { allowPrivate, from, timeoutMs } = settingsOf(config);
  const hosts = configuredHosts(domain, config);
  const given = { hosts, egress, from, helo, timeoutMs, resolver, allowPrivate, signal, progress: null };
  return await probeHosts(reachRequest(recipient, given, runs.sessionsUntilMs - Date.now()));
}

/** A provider that asks us to stay away for a while asks the schedule too, whoever was told. */
async function heed(verdict: Verdict, before: PairState, lease: Lease, { deps, table }: Runs): Promise<void> {
  const { config, now, log } = deps;
  const notBefore = notBeforeOf(verdict, now().toISOString(), config.limits.backOffMinutes * 60_000);
  if (notBefore === null) return;
  const { provider, egress } = lease;
  try {
    const settled = await settle(lease, before, (pair) => ({ ...pair, notBefore }), table);
    if (settled === null) log({ level: "warn", event: "lease-lost", provider, egress });
  } catch (error) {
    // The check goes on: done anew, it would ask the very provider that wants to be left alone.
    log({ level: "error", event: "pair-unwritten", provider, egress, fault: faultText(error) });
  }
}

function settingsOf({ identity, limits, requests }: Config) {
  const sender = parseSender(identity.sender);
  return {
    from: "text" in sender ? sender.text : "",
    timeoutMs: limits.sessionSeconds * 1000,
    allowPrivate: requests.privateAddresses,
  };
}

interface Peer {
  readonly provider: string;
  readonly recipient: Address;
}

/** One of each provider that is probed over the egress, by its domain. */
function peersOver(egress: string, config: Config): ReadonlyMap<string, Peer> {
  const its = pairsOf(config).filter((pair) => pair.egress.name === egress);
  const targets = new Map(its.map(({ target }) => [target.provider, target]));
  return new Map([...targets.values()].flatMap(peersOf));
}

function peersOf({ provider, recipient }: ConfigTarget): readonly (readonly [string, Peer])[] {
  const address = parseAddress(recipient);
  return "text" in address ? [[address.domain, { provider, recipient: address }]] : [];
}
