// What becomes of one record: its request is read, sent on, put back, probed once, or only written down. The order is row,
// message, acknowledgement: a process can die between any two, and the record comes again.
import { randomUUID } from "node:crypto";
import type { SQSRecord } from "aws-lambda";
import { overAfter, resolverOf } from "../handler.ts";
import {
  forwardedMessage,
  isOwnAgain,
  isRecorded,
  laterMessage,
  recordedMessage,
  recordedOf,
  waitsOf,
} from "../queue/record.ts";
import { readRequest, type Probe } from "../queue/request.ts";
import { homeOf, queueNames } from "../queue/queues.ts";
import { faultText } from "../report/log.ts";
import { lateState, recordingOf, verdictEntry } from "../report/recording.ts";
import { usualRequest } from "../route/probe-request.ts";
import type { Egress } from "../route/egress.ts";
import { withLease } from "../state/lease.ts";
import { masked, maskedAddress } from "../state/mask.ts";
import { settle, type Lease, type PairState } from "../state/pairs.ts";
import { tablePolicies } from "../state/policies.ts";
import type { StoredSelfCheck } from "../state/self-checks.ts";
import { countDuplicate, findVerdict, fitted, putVerdict, type StoredVerdict } from "../state/verdicts.ts";
import { openedEgress } from "./egress.ts";
import { done, sendBack, type Result, type Runs } from "./runs.ts";
import { configuredHosts, siteOf, unknownProvider, type Site } from "./site.ts";
import { bury, tooLate, withoutEgress } from "./unworkable.ts";

export async function work(record: SQSRecord, runs: Runs): Promise<Result> {
  const { config, log, now, runner } = runs.deps;
  const { value: request, faults } = readRequest(record.body, config);
  if (request === null) return await bury(record, faults, runs);
  const home = homeOf(request, config);
  const isSend = request.kind === "send" || request.kind === "wake";
  if (isSend || home !== queueNames(config, runner).probe) {
    log({ level: "warn", event: "forwarded", id: request.id, egress: request.egress });
    await runs.queues.send(home, [forwardedMessage(record)]);
    return done;
  }
  if (isRecorded(record)) {
    const recorded = recordedOf(record, await runs.key());
    if (recorded === null) return await bury(record, ["Recorded: an attribute of this name is ours alone"], runs);
    if (request.kind === "probe") return await writeInTurn(record, request, recorded as StoredVerdict, runs);
    const { writeSelfCheck } = await asking();
    return await writeSelfCheck(record, recorded as StoredSelfCheck, runs);
  }
  if (request.kind === "self-check") {
    const { checkInTurn } = await asking();
    return await checkInTurn(record, request, runs);
  }
  if (request.notAfterMs !== null && request.notAfterMs < now().getTime() && (await isNew(request, runs))) {
    return tooLate(request, runs);
  }
  return await probeInTurn(record, request, runs);
}

async function isNew({ id }: Probe, { table }: Runs): Promise<boolean> {
  return (await findVerdict(id, table)) === null;
}

/**
 * What asks hosts, what follows from their answers, and what checks ourselves: most of the program, and little that a record
 * needs for which nobody is asked. All are loaded by the first that needs one of them. Nobody has a session before that, whose replies the load of the
 * other would hold up (DESIGN §10). Those who want them at once wait for one load.
 */
async function asking() {
  const [{ probe }, { checkInTurn, writeSelfCheck }] = await Promise.all([
    import("../route/attempts.ts"),
    import("./self-check.ts"),
    import("./hold-sends.ts"),
  ]);
  return { probeHosts: probe, checkInTurn, writeSelfCheck };
}

/** What a turn has: who is asked, and the right to it. */
interface Turn {
  readonly site: Site;
  readonly lease: Lease;
  readonly before: PairState;
  /** Says that the provider is asked now, and is to be left alone for a while. */
  readonly asks: () => void;
}

async function probeInTurn(record: SQSRecord, probe: Probe, runs: Runs): Promise<Result> {
  const { config, log, secrets } = runs.deps;
  const run = async (turn: Turn): Promise<Result> => {
    const found = await findVerdict(probe.id, runs.table);
    if (found !== null) return await foundAgain(record, probe, found, turn, runs);
    const { egress, fault } = await openedEgress(probe.egress, config, secrets);
    if (fault !== null) return await withoutEgress(record, probe, fault.message, runs);
    return await ask(record, probe, egress, turn, runs);
  };
  const putBack = async (delayS: number): Promise<Result> => await sendBack(laterMessage(record, delayS), runs);
  if (waitsOf(record) % waitsToTell === waitsToTell - 1) {
    log({ level: "warn", event: "waiting", id: probe.id, waits: waitsOf(record) + 1 });
  }
  return await inTurn(probe, { gapMs: config.limits.gapSeconds * 1000, run, putBack }, runs);
}

const waitsToTell = 20;

/** A verdict that was carried along because the table did not take it: nobody is asked for it again. */
async function writeInTurn(record: SQSRecord, probe: Probe, stored: StoredVerdict, runs: Runs): Promise<Result> {
  const key = await runs.key();
  const run = async (turn: Turn): Promise<Result> => await writeLate(record, probe, stored, turn, runs);
  const putBack = async (delayS: number): Promise<Result> =>
    await sendBack(recordedMessage(record, stored, key, delayS), runs);
  return await inTurn(probe, { gapMs: 0, run, putBack }, runs);
}

interface InTurn {
  readonly gapMs: number;
  readonly run: (turn: Turn) => Promise<Result>;
  readonly putBack: (delayS: number) => Promise<Result>;
}

/** One at a time a provider and egress: within this process by turns, among processes by the lease. */
async function inTurn(probe: Probe, { gapMs, run, putBack }: InTurn, runs: Runs): Promise<Result> {
  const site = await siteOf(probe, runs.deps.config);
  const lease = { provider: site.name, egress: probe.egress, owner: randomUUID() };
  return await runs.turns.run(`${site.name} ${probe.egress}`, async () => {
    if (runs.sessionsUntilMs - Date.now() < runs.leastMs) return await putBack(1);
    const held = await withLease(lease, gapMs, runs.table, async (before, asks) => {
      return await run({ site, lease, before, asks });
    });
    if (held.result !== null) return held.result;
    return await putBack(held.waitMs / 1000 + Math.random() * 2);
  });
}

async function ask(record: SQSRecord, probe: Probe, out: Egress, turn: Turn, runs: Runs): Promise<Result> {
  const { config, now, log } = runs.deps;
  const { recipient, egress, depth, from, id, digest } = probe;
  const { site, lease, before, asks } = turn;
  const { target } = site;
  // Now, while the table answers: it is needed when it does not.
  await runs.key();
  const { probeHosts } = await asking();
  const untilMs = runs.sessionsUntilMs - Date.now();
  asks();
  const verdict = await probeHosts({
    ...usualRequest,
    recipients: [recipient],
    // Whoever may write to the queue is no operator: the hosts that it names are guarded as those of DNS are.
    hosts: probe.mx?.map((each) => ({ ...each, named: "by-mx" })) ?? configuredHosts(recipient.domain, config),
    egress: out,
    severities: target?.severities ?? {},
    from,
    helo: config.identity.helo,
    depth,
    tls: target?.tls ?? "opportunistic",
    policies: tablePolicies(runs.table),
    timeoutMs: config.limits.sessionSeconds * 1000,
    budgetMs: Math.min(config.limits.probeSeconds * 1000, untilMs),
    resolver: resolverOf(runs.deps),
    allowPrivate: config.requests.privateAddresses,
    signal: overAfter(untilMs),
  });
  const { maskRecipients } = config.history;
  const provider = target?.provider ?? verdict.provider ?? unknownProvider;
  const { stored, state } = recordingOf(
    {
      id,
      provider,
      egress,
      recipient: maskRecipients ? maskedAddress(recipient.text) : recipient.text,
      at: now().toISOString(),
      verdict: fitted(maskRecipients ? masked(verdict) : verdict),
      digest,
    },
    before,
    backOffMsOf(runs),
  );
  // Where it turned out only now whose hosts they are, it is not known here what block of theirs stands.
  const told = provider === site.name ? stored : { ...stored, blocked: null };
  log(verdictEntry(told));
  // A send, which has no lease, may have moved the block meanwhile; how long to stay away is ours to say.
  const change = (pair: PairState): PairState =>
    pair === before ? state : { ...lateState(told, pair, backOffMsOf(runs)), notBefore: state.notBefore };
  return await write(record, probe, told, { lease, before, change }, runs);
}

/** What a verdict makes of the pair, and the right to write it. */
interface Settling {
  readonly lease: Lease;
  readonly before: PairState;
  readonly change: (pair: PairState) => PairState;
}

/** The row, then what follows from it for others. What cannot be written now is carried along, and written later. */
async function write(
  record: SQSRecord,
  probe: Probe,
  stored: StoredVerdict,
  { lease, before, change }: Settling,
  runs: Runs,
): Promise<Result> {
  const { deps, table } = runs;
  const { id } = stored;
  try {
    const there = (await putVerdict(stored, table)) ? null : await findVerdict(id, table);
    if (there !== null && (there.at !== stored.at || there.reported)) return await countCopy(id, runs);
    const isKept = stored.provider === lease.provider;
    const settled = isKept ? await settle(lease, before, change, table) : null;
    const isSettled = !isKept || settled !== null;
    if (!isSettled) deps.log({ level: "warn", event: "lease-lost", id });
    const { holdSends } = await import("./hold-sends.ts");
    // Where it turned out only now whose hosts they are, the sends to them are told by that too.
    const provider = stored.provider === unknownProvider ? lease.provider : stored.provider;
    await holdSends(stored, { provider, from: probe.from }, runs);
    return { kind: "verdict", record, stored: toldOf(stored, settled), isWritten: isSettled };
  } catch (error) {
    deps.log({ level: "error", event: "row-unwritten", id, fault: faultText(error) });
    return { kind: "verdict", record, stored, isWritten: false };
  }
}

/** A yes that ended no block, because another's refusal came meanwhile, is no word on it. */
function toldOf(stored: StoredVerdict, settled: PairState | null): StoredVerdict {
  return stored.blocked === false && settled !== null && settled.block !== null ? { ...stored, blocked: null } : stored;
}

/** The request has a verdict: this is another copy, or its process died between the row and what follows it. */
async function foundAgain(
  record: SQSRecord,
  probe: Probe,
  found: StoredVerdict,
  turn: Turn,
  runs: Runs,
): Promise<Result> {
  if (found.digest !== probe.digest) {
    return await bury(record, [`id: ${JSON.stringify(probe.id)} was used before, for another request`], runs);
  }
  if (!found.reported && isOwnAgain(record)) return await writeLate(record, probe, found, turn, runs);
  return await countCopy(probe.id, runs);
}

/** What a verdict changes that is written some time after it was decided. */
async function writeLate(
  record: SQSRecord,
  probe: Probe,
  stored: StoredVerdict,
  { lease, before }: Turn,
  runs: Runs,
): Promise<Result> {
  const change = (pair: PairState): PairState => lateState(stored, pair, backOffMsOf(runs));
  return await write(record, probe, stored, { lease, before, change }, runs);
}

async function countCopy(id: string, { deps, table }: Runs): Promise<Result> {
  deps.log({ level: "info", event: "duplicate", id });
  await countDuplicate(id, table);
  return done;
}

function backOffMsOf({ deps }: Runs): number {
  return deps.config.limits.backOffMinutes * 60_000;
}
