// What becomes of a request for a self-check: it is done once, within the turns of the providers that it speaks to, and
// written down. The order is row, figures, acknowledgement, as of a probe. What is checked, functions/self-check knows.
import { randomUUID } from "node:crypto";
import type { SQSRecord } from "aws-lambda";
import { pairsOf, type Config, type ConfigTarget } from "../config/config.ts";
import { overAfter } from "../handler.ts";
import { isOwnAgain, laterMessage } from "../queue/record.ts";
import type { SelfCheckRequest } from "../queue/request.ts";
import { queueNames } from "../queue/queues.ts";
import { skippedFigure } from "../report/figures.ts";
import { faultText } from "../report/log.ts";
import { selfCheckEntry } from "../report/recording.ts";
import { probe as probeHosts, httpsPort, smtpPort } from "../route/attempts.ts";
import { selfCheck, type SelfCheck } from "../self-check/self-check.ts";
import { parseAddress, parseSender, type Address } from "../smtp/address.ts";
import { withLease } from "../state/lease.ts";
import { pausesOf } from "../state/pauses.ts";
import { tablePolicies } from "../state/policies.ts";
import {
  findSelfCheck,
  lastSelfCheck,
  putSelfCheck,
  standingSince,
  type StoredSelfCheck,
} from "../state/self-checks.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { egressNamed } from "./egress.ts";
import { done, type Result, type Runs } from "./runs.ts";
import { configuredHosts } from "./site.ts";

/** In a provider's place where leases are kept: no provider, host or domain is called so. */
const ownTurn = "(self-check)";

/** One at a time for an egress, over all processes: what comes twice at once is done once. */
export async function checkInTurn(record: SQSRecord, request: SelfCheckRequest, runs: Runs): Promise<Result> {
  const { id, egress } = request;
  const lease = { provider: ownTurn, egress, owner: randomUUID() };
  return await runs.turns.run(`${ownTurn} ${egress}`, async () => {
    if (runs.sessionsUntilMs - Date.now() < runs.leastMs) return await putBack(record, 1, runs);
    const held = await withLease(lease, 0, runs.table, async () => {
      const found = await findSelfCheck(id, runs.table);
      const result = found === null ? await checkOnce(record, request, runs) : foundAgain(record, found, runs);
      return { asked: false, result };
    });
    return held.result?.result ?? (await putBack(record, held.result === null ? held.waitMs / 1000 : 1, runs));
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

async function putBack(record: SQSRecord, delayS: number, { deps, queues }: Runs): Promise<Result> {
  await queues.send(queueNames(deps.config, deps.runner).probe, [laterMessage(record, delayS)]);
  return done;
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
  if (notAfterMs !== null && notAfterMs < now().getTime()) {
    log({ level: "warn", event: "skipped", id, reason: "too late: notAfter is over" });
    return { kind: "done", figures: [skippedFigure(egress, 1)] };
  }
  // Now, while the table answers: both are needed when it does not.
  await runs.key();
  const before = await lastSelfCheck(egress, runs.table);
  const found = await whileFree(await candidates(egress, runs), [], new Set(), { egress, runs });
  const at = now().toISOString();
  const since = standingSince(found.checks, before?.since ?? {}, at);
  const stored = { id, egress, at, selfCheck: found, since, reported: false };
  log(selfCheckEntry(stored));
  return await writeSelfCheck(record, stored, runs);
}

/** More would tell no more of port 25, and each is a session that nobody asked us for. */
const askedLimit = 3;

/** A provider each, of those that are not left alone because somebody paused them. */
async function candidates(egress: string, { deps, table }: Runs): Promise<readonly ConfigTarget[]> {
  const its = pairsOf(deps.config).filter((pair) => pair.egress.name === egress);
  const targets = [...new Map(its.map(({ target }) => [target.provider, target])).values()];
  const pauses = await pausesOf(
    targets.map(({ provider }) => ({ kind: "provider", name: provider })),
    table,
  );
  return targets.filter(({ provider }) => !pauses.some(({ name }) => name === provider));
}

interface Way {
  readonly egress: string;
  readonly runs: Runs;
}

/**
 * Takes the turns of some providers, and checks while it has them. One that somebody else speaks to, or that asked to be
 * left alone for a while, is not asked: another one tells as much.
 * @param asked whom a session was opened to, by name; those are left alone for a while after it
 */
async function whileFree(
  left: readonly ConfigTarget[],
  held: readonly ConfigTarget[],
  asked: Set<string>,
  way: Way,
): Promise<SelfCheck> {
  const [target, ...others] = left;
  if (target === undefined || held.length === askedLimit) return await check(held, asked, way);
  const { provider } = target;
  const { config, now } = way.runs.deps;
  const lease = { provider, egress: way.egress, owner: randomUUID() };
  const taken = await withLease(lease, config.limits.gapSeconds * 1000, way.runs.table, async ({ notBefore }) => {
    if (notBefore !== null && Date.parse(notBefore) > now().getTime()) return { asked: false, found: null };
    const found = await whileFree(others, [...held, target], asked, way);
    return { asked: asked.has(provider), found };
  });
  return taken.result?.found ?? (await whileFree(others, held, asked, way));
}

async function check(targets: readonly ConfigTarget[], asked: Set<string>, { egress, runs }: Way): Promise<SelfCheck> {
  const { config, env, resolver } = runs.deps;
  const { helo } = config.identity;
  const { allowPrivate, from, timeoutMs } = settingsOf(config);
  const out = egressNamed(egress, config, env);
  const signal = overAfter(runs.sessionsUntilMs - Date.now());
  const peers = new Map(targets.flatMap((target) => peersOf(target)));
  const open = async (domain: string): Promise<Verdict> => {
    const peer = peers.get(domain);
    if (peer === undefined) throw new Error(`${domain} is no domain that was to be asked`);
    asked.add(peer.provider);
    return await probeHosts({
      recipients: [peer.recipient],
      hosts: configuredHosts(domain, config),
      isByHand: true,
      allHosts: false,
      egress: out,
      severities: {},
      from,
      helo,
      depth: "ehlo",
      message: null,
      tls: "never",
      policies: tablePolicies(runs.table),
      policyPort: httpsPort,
      timeoutMs,
      budgetMs: Math.min(config.limits.probeSeconds * 1000, runs.sessionsUntilMs - Date.now()),
      port: smtpPort,
      resolver,
      allowPrivate,
      signal,
      progress: null,
    });
  };
  const lookup = { server: resolver, timeoutMs, families: "both", signal } as const;
  return await selfCheck({ egress: out, helo, from, lookup, ask: [...peers.keys()], allowPrivate, open });
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

/** By its domain. */
function peersOf({ provider, recipient }: ConfigTarget): readonly (readonly [string, Peer])[] {
  const address = parseAddress(recipient);
  return "text" in address ? [[address.domain, { provider, recipient: address }]] : [];
}
