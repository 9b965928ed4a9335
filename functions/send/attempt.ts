// One attempt at a delivery: the message in one transaction with the domain's hosts, and what came of it written down
// before anything else is done. What a reply means it does not know.
import { randomUUID } from "node:crypto";
import { overAfter, resolverOf } from "../handler.ts";
import { openedEgress } from "../probe/egress.ts";
import { eventFigures } from "../report/send-figures.ts";
import { isDelivering } from "../route/attempt.ts";
import { probe } from "../route/attempts.ts";
import { usualRequest } from "../route/probe-request.ts";
import type { Egress } from "../route/egress.ts";
import { parseAddress, type Address } from "../smtp/address.ts";
import type { Transcript } from "../smtp/transcript.ts";
import { writeDelivery, type Recipient } from "../state/deliveries.ts";
import type { Hold } from "../state/holds.ts";
import { isCancelled, type StoredMessage } from "../state/messages.ts";
import { tablePolicies } from "../state/policies.ts";
import { leftOver } from "../verdict/reconcile.ts";
import type { RecipientVerdict, Verdict } from "../verdict/verdict.ts";
import { octetsOf } from "./octets.ts";
import { afterAttempt, keptOut, notAfter } from "./outcome.ts";
import { authenticationFor } from "./own-authentication.ts";
import { egressesOf, type Held, type Result, type Runs } from "./runs.ts";
import { giveUp, persist, putDown, putOff } from "./settle.ts";
import { tellOthers } from "./tell.ts";
import { heldForMs, type Turn } from "./turn.ts";

/** Slower networks than this take longer than a begun message has. Octets a second. */
const slowest = 262_144;
/** For the polite end of a session, behind its answer. */
const endMs = 2_500;
/** With less for asking hosts, up to the message, nobody is asked. */
const leastMs = 500;
/** Another invocation has more time. */
const soonMs = 15_000;
/** What is ours to mend: tried again after so long. */
const mendedMs = 300_000;

export interface Attempting extends Held {
  readonly message: StoredMessage;
  readonly due: readonly Recipient[];
  readonly turn: Turn;
}

export async function attempt(given: Attempting, runs: Runs): Promise<Result> {
  const ready = await readied(given, runs);
  if (ready.kind === "not") return ready.result;
  const { delivery, due, turn, stamped } = given;
  given.progress.isBegun = true;
  const verdict = await ask(given, ready, runs);
  const at = runs.deps.now();
  const number = delivery.attempts.length + 1;
  // One too many for the transaction is no refusal: it has the next one.
  const rest = restOf(verdict);
  const offered = due.map(({ address }) => address).filter((each) => !rest.includes(each));
  const made = { number, at, egress: turn.egress, offered, random: Math.random };
  const next = notAfter(afterAttempt({ ...delivery, egress: turn.egress }, verdict, made), rest, at.getTime());
  // Before all else: nobody has what the hosts have said but we.
  const written = await persist(next, ready.seen, runs);
  const told = await tellOthers(given, { verdict, number, at }, runs);
  const figures = [...stamped, ...told.stamped, ...eventFigures(delivery, next, at)];
  if (written === null) return { kind: "done", stamped: figures };
  const [hold] = told.holds;
  const out = hold === undefined ? [] : keptOut(verdict, offered);
  const lookAtMs = hold === undefined ? Infinity : at.getTime() + keptOutForMs(hold, number, given, runs);
  return await putDown(notAfter(written, out, lookAtMs), figures, runs, { number, verdict });
}

interface Ready {
  readonly kind: "ready";
  readonly egress: Egress;
  readonly octets: Uint8Array;
  readonly bodyMs: number;
  readonly budgetMs: number;
  /** What may stand in the row: what was read, and each write of ours, also where its answer was lost. */
  readonly seen: string[];
}

/** All that a session takes, before there is one; or what became of the delivery without it. */
async function readied(
  given: Attempting,
  runs: Runs,
): Promise<Ready | { readonly kind: "not"; readonly result: Result }> {
  const { deps, sends } = runs;
  const { delivery, due, message, turn } = given;
  const not = async (result: Promise<Result>): Promise<{ readonly kind: "not"; readonly result: Result }> => {
    return { kind: "not", result: await result };
  };
  // Now, while the table answers: it is needed when it does not. And what is to be told, while there is time for DNS.
  await Promise.all([runs.key(), authenticationFor(delivery, turn.egress, runs)]);
  const { egress, fault } = await openedEgress(turn.egress, deps.config, deps.secrets);
  if (fault !== null) {
    deps.log({ level: "error", event: "egress-fault", id: delivery.id, egress: turn.egress, fault: fault.message });
    return await not(putOff(given, due, { waitMs: mendedMs, heldBy: fault.message }, runs));
  }
  // Its deadline is that of the last host's answer: hosts are asked while a whole message still fits (DESIGN §6 rule 9).
  const bodyMs = sends.answerSeconds * 1000 + (message.octets / slowest) * 1000;
  const spareMs = sends.attemptSeconds * 1000 - bodyMs - endMs;
  if (spareMs < leastMs) return await not(giveUp(given, tooLong(message, runs), runs));
  const content = await octetsOf(message, runs);
  if (content.kind === "gone") return await not(giveUp(given, content.fault, runs));
  if (content.kind === "later") {
    deps.log({ level: "error", event: "message-unready", id: delivery.id, fault: content.fault });
    return await not(putOff(given, due, { waitMs: mendedMs, heldBy: content.fault }, runs));
  }
  const budgetMs = given.sessionsUntilMs - Date.now() - bodyMs - endMs;
  if (budgetMs < leastMs) return await not(putOff(given, due, { waitMs: soonMs, heldBy: null }, runs));
  return { kind: "ready", egress, octets: content.octets, bodyMs, budgetMs, seen: [delivery.written] };
}

/** Who was one too many for the transaction, or not even offered in it (RFC 5321 §4.5.3.1.10, RFC 9422 §4.2). */
function restOf({ attempts, recipients }: Verdict): readonly string[] {
  const delivering = attempts.filter(isDelivering);
  const left = new Set([...delivering.flatMap(leftOver), ...delivering.flatMap(unoffered)]);
  const isOpen = ({ outcome }: RecipientVerdict): boolean => outcome === "deferred" || outcome === "unanswered";
  return recipients.flatMap((each) => (isOpen(each) && left.has(each.address) ? [each.address] : []));
}

function unoffered({ recipients, exchanges }: Transcript): readonly string[] {
  return recipients.filter((address) => !exchanges.some(({ recipient }) => recipient === address));
}

/** How long those whom a hold has kept out are left: each time that they are refused again, twice as long. */
function keptOutForMs(hold: Hold, tries: number, { delivery, turn }: Attempting, runs: Runs): number {
  const tried = new Set([turn.egress, ...delivery.attempts.map(({ egress }) => egress)]);
  const isWayRound = hold.key.about === "ip" && delivery.anyEgress && egressesOf(runs).some((each) => !tried.has(each));
  return isWayRound ? 1_000 : heldForMs() * 2 ** (tries - 1);
}

function tooLong({ octets }: StoredMessage, { sends }: Runs): string {
  return `the message has ${octets} octets, and with ${sends.answerSeconds} s for its answer it does not fit an attempt of ${sends.attemptSeconds} s: raise the configuration's sends.attemptSeconds`;
}

async function ask(given: Attempting, { egress, octets, bodyMs, budgetMs, seen }: Ready, runs: Runs): Promise<Verdict> {
  const { config } = runs.deps;
  const { due, message, turn, sessionsUntilMs } = given;
  return await probe({
    ...usualRequest,
    recipients: due.map(({ address }) => addressOf(address)),
    hosts: turn.site.hosts,
    egress,
    severities: turn.site.target?.severities ?? {},
    from: message.from,
    helo: config.identity.helo,
    depth: "message",
    message: octets,
    tls: turn.site.target?.tls ?? runs.sends.tls,
    policies: tablePolicies(runs.table),
    timeoutMs: budgetMs,
    budgetMs,
    bodyMs,
    commit: async (recipients) => await commit(recipients, given, seen, runs),
    resolver: resolverOf(runs.deps),
    allowPrivate: config.requests.privateAddresses,
    signal: overAfter(sessionsUntilMs - Date.now()),
    oneTransaction: true,
    untilMs: sessionsUntilMs,
  });
}

/**
 * Says that a message may be on its way, before it is: whoever finds it said and nobody at it knows that it may have been
 * delivered (RFC 1047).
 * @returns whether it is said, and the time for it is not over
 */
async function commit(
  offered: readonly string[],
  { delivery, turn, sessionsUntilMs }: Attempting,
  seen: string[],
  { table }: Runs,
): Promise<boolean> {
  const recipients = delivery.recipients.map((each) =>
    offered.includes(each.address) ? ({ ...each, state: "committing" } as const) : each,
  );
  const [before, id] = [[...seen], randomUUID()];
  seen.push(id);
  const next = { ...delivery, egress: turn.egress, recipients };
  const written = await writeDelivery(next, before, table, id);
  // Nothing older can stand there now.
  if (written !== null) seen.splice(0, seen.indexOf(id));
  return written !== null && !(await isCancelled(delivery.id, table)) && Date.now() < sessionsUntilMs;
}

/** It was parsed when it was taken on. */
function addressOf(text: string): Address {
  const address = parseAddress(text);
  if ("fault" in address) throw new Error(`the address ${text} of a delivery is none: ${address.fault}`);
  return address;
}
