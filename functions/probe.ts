// The probe: takes requests from a queue, has each probed once, and sees to it that what came of it is written down and
// told. Every verdict, a rejection too, is a success of its record: only our own faults fail one. A provider is never
// asked again because it refused us, nor because something of ours could not be reached.
import { createHash, randomUUID } from "node:crypto";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { Config, ConfigTarget } from "./config/config.ts";
import { parseHost } from "./config/host.ts";
import { overAfter, tableOf, type Context, type HandlerDeps } from "./handler.ts";
import {
  deadLetter,
  forwardedMessage,
  isOwnAgain,
  laterMessage,
  recordedMessage,
  recordedOf,
  untoldMessage,
  waitsOf,
} from "./queue/record.ts";
import { readRequest, type Probe } from "./queue/request.ts";
import { Queues, queueNames, runnerOf, type Outgoing, type Runner } from "./queue/queues.ts";
import { Turns } from "./queue/turns.ts";
import { figuresOf, skippedFigure, type Figure } from "./report/figures.ts";
import { faultText } from "./report/log.ts";
import { metricEntries, putFigures } from "./report/metrics.ts";
import { recordingOf, verdictEntry, writeRecording, type Recording } from "./report/recording.ts";
import { probe as probeHosts } from "./route/attempts.ts";
import { parseAddress } from "./smtp/address.ts";
import { withLease } from "./state/lease.ts";
import { masked, maskedAddress } from "./state/mask.ts";
import { settle, type PairState } from "./state/pairs.ts";
import type { Table } from "./state/table.ts";
import { countDuplicate, findVerdict, markReported, type StoredVerdict } from "./state/verdicts.ts";
import { providerOf } from "./verdict/providers.ts";

export interface ProbeDeps extends HandlerDeps {
  /** Whose queue this is. A record for another egress is sent on: here it would judge another IP. */
  readonly runner: Runner;
  /** The DNS server to ask, `ip[:port]`; null for the system's. */
  readonly resolver: string | null;
  /** Whether CloudWatch makes metrics of what is logged, as in Lambda: figures that it does not take go there. */
  readonly logsBecomeMetrics: boolean;
}

export type ProbeHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** @returns the handler of SQS events, which answers with the records that failed (ReportBatchItemFailures) */
export function createProbe(deps: ProbeDeps): ProbeHandler {
  const runs: Runs = { deps, table: tableOf(deps), queues: new Queues(deps.clients.sqs), turns: new Turns() };
  return async ({ Records }, context) => {
    const deadlineMs = Date.now() + context.getRemainingTimeInMillis() * (1 - reportShare);
    const results = await bounded(Records, deps.config.limits.concurrency, async (record) => {
      try {
        return await work(record, deadlineMs, runs);
      } catch (error) {
        deps.log({ level: "error", event: "failed", messageId: record.messageId, fault: faultText(error) });
        return { kind: "failed", record } as const;
      }
    });
    const failed = await report(results, context, runs);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

interface Runs {
  readonly deps: ProbeDeps;
  readonly table: Table;
  readonly queues: Queues;
  readonly turns: Turns;
}

/** What is left of the time for writing down and telling. */
const reportShare = 0.25;
/** With less time a session is not begun. */
const leastMs = 3_000;
/** Until what could not be written or told is tried again: CloudWatch and the table are away for minutes, not for ever. */
const againS = 30;

/** What became of a record. Only the failed one comes again by itself. */
type Result =
  | { readonly kind: "done"; readonly figures: readonly Figure[] }
  | { readonly kind: "verdict"; readonly record: SQSRecord; readonly recording: Recording; readonly isWritten: boolean }
  | { readonly kind: "failed"; readonly record: SQSRecord };

const done: Result = { kind: "done", figures: [] };

async function work(record: SQSRecord, deadlineMs: number, runs: Runs): Promise<Result> {
  const { config, log, now, runner } = runs.deps;
  const request = readRequest(record.body, config);
  if (request.value === null) return await bury(record, request.faults, runs);
  const probe = request.value;
  const home = runnerOf(probe.egress, config);
  if (queueNames(config, home).probe !== queueNames(config, runner).probe) {
    log({ level: "warn", event: "forwarded", id: probe.id, egress: probe.egress });
    await runs.queues.send(queueNames(config, home).probe, [forwardedMessage(record)]);
    return done;
  }
  const recorded = recordedOf(record);
  if (recorded !== null) return await writeAgain(record, recorded as Recording, runs);
  if (probe.notAfterMs !== null && probe.notAfterMs < now().getTime() && (await isNew(probe, runs))) {
    log({ level: "warn", event: "skipped", id: probe.id, reason: "too late: notAfter is over" });
    return { kind: "done", figures: [skippedFigure(probe.egress, 1)] };
  }
  return await probeInTurn(record, probe, deadlineMs, runs);
}

async function bury(record: SQSRecord, faults: readonly string[], { deps, queues }: Runs): Promise<Result> {
  deps.log({ level: "error", event: "dead-letter", messageId: record.messageId, faults });
  await queues.send(queueNames(deps.config, deps.runner).probeDead, [deadLetter(record, faults)]);
  return done;
}

async function isNew({ id }: Probe, { table }: Runs): Promise<boolean> {
  return (await findVerdict(id, table)) === null;
}

/** One at a time a provider and egress: within this process by turns, among processes by the lease. */
async function probeInTurn(record: SQSRecord, probe: Probe, deadlineMs: number, runs: Runs): Promise<Result> {
  const { config, log } = runs.deps;
  const target = targetOf(probe, config.targets);
  const site = siteOf(probe, target);
  const lease = { provider: site, egress: probe.egress, owner: randomUUID() };
  return await runs.turns.run(`${site} ${probe.egress}`, async () => {
    if (deadlineMs - Date.now() < leastMs) return await putBack(record, 1, runs);
    const held = await withLease(lease, config.limits.gapSeconds * 1000, runs.table, async (state) => {
      const found = await findVerdict(probe.id, runs.table);
      if (found !== null) return { asked: false, result: await foundAgain(record, probe, found, state, runs) };
      return { asked: true, result: await ask(record, probe, target, state, deadlineMs, runs) };
    });
    if (held.result !== null) return held.result.result;
    if (waitsOf(record) % waitsToTell === waitsToTell - 1) {
      log({ level: "warn", event: "waiting", id: probe.id, waits: waitsOf(record) + 1 });
    }
    return await putBack(record, held.waitMs / 1000 + Math.random() * 2, runs);
  });
}

const waitsToTell = 20;

async function putBack(record: SQSRecord, delayS: number, { deps, queues }: Runs): Promise<Result> {
  await queues.send(queueNames(deps.config, deps.runner).probe, [laterMessage(record, delayS)]);
  return done;
}

async function ask(
  record: SQSRecord,
  probe: Probe,
  target: ConfigTarget | null,
  before: PairState,
  deadlineMs: number,
  { deps, table }: Runs,
): Promise<Result> {
  const { config, now, log } = deps;
  const { recipient, egress, depth, from, id } = probe;
  const hosts = probe.mx ?? configuredHosts(recipient.domain, config);
  const verdict = await probeHosts({
    recipients: [recipient],
    hosts,
    isByHand: probe.mx === null,
    egress,
    severities: target?.severities ?? {},
    from,
    helo: config.identity.helo,
    depth,
    message: null,
    tls: "opportunistic",
    timeoutMs: config.limits.sessionSeconds * 1000,
    resolver: deps.resolver,
    allowPrivate: config.requests.privateAddresses,
    signal: overAfter(deadlineMs - Date.now()),
    progress: null,
  });
  const { maskRecipients } = config.history;
  const recording = recordingOf(
    {
      id,
      provider: target?.provider ?? verdict.provider ?? unknownProvider,
      egress,
      recipient: maskRecipients ? maskedAddress(recipient.text) : recipient.text,
      at: now().toISOString(),
      verdict: maskRecipients ? masked(verdict) : verdict,
      digest: digestOf(probe),
    },
    before,
    config.limits.backOffMinutes * 60_000,
  );
  log(verdictEntry(recording.stored));
  return { kind: "verdict", record, recording, isWritten: await isWritten(recording, table, deps) };
}

/** Where the configuration sends a domain's mail, in the place of its MX hosts; null: it does not. */
function configuredHosts(domain: string, { hosts }: Config): Probe["mx"] {
  if (!Object.hasOwn(hosts, domain)) return null;
  return hosts[domain]?.flatMap((each) => parseHost(each) ?? []) ?? null;
}

/** The series of hosts that nobody has named: a domain is no dimension. */
const unknownProvider = "other";

/** A row that cannot be written now is written later: nobody is asked again for it. */
async function isWritten(recording: Recording, table: Table, { log }: ProbeDeps): Promise<boolean> {
  try {
    await writeRecording(recording, table);
    return true;
  } catch (error) {
    log({ level: "error", event: "row-unwritten", id: recording.stored.id, fault: faultText(error) });
    return false;
  }
}

/** The request has a verdict: this is another copy, or its process died between the row and what follows it. */
async function foundAgain(
  record: SQSRecord,
  probe: Probe,
  found: StoredVerdict,
  state: PairState,
  runs: Runs,
): Promise<Result> {
  const { deps, table } = runs;
  if (found.digest !== digestOf(probe)) {
    return await bury(record, [`id: ${JSON.stringify(probe.id)} was used before, for another request`], runs);
  }
  if (state.last === null || state.last.at < found.at) {
    await settle(recordingOf(found, state, deps.config.limits.backOffMinutes * 60_000).state, table);
  }
  if (!found.reported && isOwnAgain(record))
    return { kind: "verdict", record, recording: { stored: found, state }, isWritten: true };
  deps.log({ level: "info", event: "duplicate", id: probe.id });
  await countDuplicate(probe.id, table);
  return done;
}

/** A verdict that was carried along because the table did not take it. */
async function writeAgain(record: SQSRecord, recording: Recording, { deps, table }: Runs): Promise<Result> {
  const written = await isWritten(recording, table, deps);
  const { stored } = recording;
  return stored.reported && written ? done : { kind: "verdict", record, recording, isWritten: written };
}

/** Figures of all records in one call; then what is left to be done again is put into messages of its own. */
async function report(results: readonly Result[], context: Context, runs: Runs): Promise<readonly SQSRecord[]> {
  const verdicts = results.filter((each) => each.kind === "verdict");
  const fresh = verdicts.filter(({ recording }) => !recording.stored.reported);
  const figures = [
    ...results.flatMap((each) => (each.kind === "done" ? each.figures : [])),
    ...fresh.flatMap(({ recording: { stored } }) => figuresOf(stored.verdict, stored, stored.blocked)),
  ];
  const told = await tell(figures, context, runs);
  const failed = await Promise.all(
    verdicts.map(async (each) => {
      const reported = told || each.recording.stored.reported;
      return (await finish(each, reported, runs)) ? [] : [each.record];
    }),
  );
  return [...results.filter((each) => each.kind === "failed").map(({ record }) => record), ...failed.flat()];
}

async function tell(figures: readonly Figure[], context: Context, { deps }: Runs): Promise<boolean> {
  if (figures.length === 0) return true;
  const { clients, now, log, logsBecomeMetrics } = deps;
  try {
    // Something of the time is left for what must be put back when CloudWatch takes all of its own.
    const signal = overAfter(context.getRemainingTimeInMillis() * 0.6);
    await putFigures(figures, now(), clients.cloudWatch, signal);
    return true;
  } catch (error) {
    log({ level: "error", event: "figures-unsent", count: figures.length, fault: faultText(error) });
    if (!logsBecomeMetrics) return false;
    for (const entry of metricEntries(figures, now())) log(entry);
    return true;
  }
}

/** @returns false where not even a message could be sent: then the record comes again by itself */
async function finish(
  { record, recording, isWritten }: Extract<Result, { kind: "verdict" }>,
  reported: boolean,
  { deps, table, queues }: Runs,
): Promise<boolean> {
  const { id } = recording.stored;
  const stored = { ...recording.stored, reported };
  const left: Outgoing[] = [];
  if (!isWritten) left.push(recordedMessage(record, { ...recording, stored }, againS));
  else if (!reported) left.push(untoldMessage(record, againS));
  try {
    if (left.length > 0) await queues.send(queueNames(deps.config, deps.runner).probe, left);
    else await markReported(id, table);
    return true;
  } catch (error) {
    deps.log({ level: "error", event: "unfinished", id, fault: faultText(error) });
    return false;
  }
}

/** The target that a request is about: what it says of provider and severities holds. */
function targetOf({ recipient, depth }: Probe, targets: readonly ConfigTarget[]): ConfigTarget | null {
  const its = targets.filter((each) => {
    const address = parseAddress(each.recipient);
    return "text" in address && address.text === recipient.text;
  });
  return its.find((each) => each.depth === depth) ?? its[0] ?? null;
}

/** Who is asked, as far as is known before it is: what the lease is on. */
function siteOf({ mx, recipient }: Probe, target: ConfigTarget | null): string {
  const [first] = mx ?? [];
  return target?.provider ?? (first === undefined ? null : providerOf(first.name)?.id) ?? recipient.domain;
}

function digestOf({ recipient, depth, from, mx, egress }: Probe): string {
  return createHash("sha256")
    .update(JSON.stringify([recipient.text, depth, from, mx, egress]))
    .digest("hex");
}

/** All, so many at a time, in their order. */
async function bounded<T, R>(all: readonly T[], limit: number, run: (each: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = all.entries();
  const lane = async (): Promise<void> => {
    for (const [index, each] of queue) results[index] = await run(each);
  };
  await Promise.all(Array.from({ length: Math.min(limit, all.length) }, lane));
  return results;
}
