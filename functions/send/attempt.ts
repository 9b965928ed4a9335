// One attempt at a delivery: the message in one transaction with the domain's hosts, and what came of it written down
// before anything else is done. What a reply means it does not know.
import { overAfter } from "../handler.ts";
import { openedEgress } from "../probe/egress.ts";
import { unknownProvider } from "../probe/site.ts";
import { faultText } from "../report/log.ts";
import { figuresOf } from "../report/figures.ts";
import { verdictEntry } from "../report/recording.ts";
import type { Stamped } from "../report/metrics.ts";
import { sendFigures } from "../report/send-figures.ts";
import { probe } from "../route/attempts.ts";
import { usualRequest } from "../route/probe-request.ts";
import type { Egress } from "../route/egress.ts";
import { parseAddress, type Address } from "../smtp/address.ts";
import { normalise } from "../smtp/message.ts";
import { verdictIdOf, writeDelivery, type Recipient } from "../state/deliveries.ts";
import { contentDigest, keptUntilS, senderDomainOf, type StoredMessage } from "../state/messages.ts";
import { masked, maskedAddress } from "../state/mask.ts";
import { tablePolicies } from "../state/policies.ts";
import { fitted, putVerdict, type StoredVerdict } from "../state/verdicts.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { noteBlock } from "./note-block.ts";
import { noteHolds } from "./note-holds.ts";
import { getMessage } from "./objects.ts";
import { afterAttempt, failedAtHome, waiting } from "./outcome.ts";
import { authenticationFor } from "./own-authentication.ts";
import { resolverOf, type Held, type Result, type Runs } from "./runs.ts";
import { persist, putDown } from "./settle.ts";
import type { Turn } from "./turn.ts";

/** Slower networks than this take longer than a begun message has. Octets a second. */
const slowest = 262_144;
/** For the polite end of a session, behind its answer. */
const endMs = 2_500;
/** With less for asking hosts, up to the message, nobody is asked. */
const leastMs = 500;
/** Another invocation has more time. */
const soonMs = 2_000;
/** What is ours to mend: tried again after so long. */
const mendedMs = 300_000;

export interface Attempting extends Held {
  readonly message: StoredMessage;
  readonly due: readonly Recipient[];
  readonly turn: Turn;
}

export async function attempt(given: Attempting, runs: Runs): Promise<Result> {
  const { deps } = runs;
  const { delivery, due, message, turn } = given;
  // Now, while the table answers: it is needed when it does not. And what is to be told, while there is time for DNS.
  await Promise.all([runs.key(), authenticationFor(delivery, turn.egress, runs)]);
  const { egress, fault } = await openedEgress(turn.egress, deps.config, deps.secrets);
  if (fault !== null) {
    deps.log({ level: "error", event: "egress-fault", id: delivery.id, egress: turn.egress, fault: fault.message });
    return await later(given, mendedMs, fault.message, runs);
  }
  const content = await octetsOf(message, runs);
  if ("fault" in content) return await putDown(failedAtHome(delivery, content.fault, deps.now()), [], runs);
  // Its deadline is that of the last host's answer: hosts are asked while a whole message still fits (DESIGN §6 rule 9).
  const bodyMs = runs.sends.answerSeconds * 1000 + (content.octets.length / slowest) * 1000;
  const budgetMs = given.sessionsUntilMs - Date.now() - bodyMs - endMs;
  if (budgetMs < leastMs) return await later(given, soonMs, null, runs);
  const verdict = await ask(given, { egress, octets: content.octets, bodyMs, budgetMs }, runs);
  const at = deps.now();
  const number = delivery.attempts.length + 1;
  const offered = due.map(({ address }) => address);
  const next = afterAttempt({ ...delivery, egress: turn.egress }, verdict, {
    number,
    at,
    egress: turn.egress,
    offered,
    random: Math.random,
  });
  // Before all else: nobody has what the hosts have said but we.
  const written = await persist(next, delivery, runs);
  const stamped = await tellOthers(given, { verdict, number, at }, runs);
  if (written === null) return { kind: "done", stamped };
  return await putDown(written, stamped, runs, { number, verdict });
}

async function later(
  { delivery, due }: Attempting,
  waitMs: number,
  heldBy: string | null,
  runs: Runs,
): Promise<Result> {
  return await putDown(waiting(delivery, due, runs.deps.now().getTime() + waitMs, heldBy), [], runs);
}

/** The message as it goes on the wire. What lies in S3 must still be what was signed. */
async function octetsOf(
  { head, body, content }: StoredMessage,
  { deps }: Runs,
): Promise<{ readonly octets: Uint8Array } | { readonly fault: string }> {
  if (body.kind === "inline") return { octets: Buffer.concat([head, body.bytes]) };
  const got = await getMessage(body, await deps.clients.s3());
  if ("fault" in got) return { fault: `message.s3: ${got.fault}` };
  const bytes = normalise(got.bytes);
  if (contentDigest(bytes) !== content)
    return { fault: "message.s3: the object was changed since the send was taken on" };
  return { octets: Buffer.concat([head, bytes]) };
}

interface Sending {
  readonly egress: Egress;
  readonly octets: Uint8Array;
  readonly bodyMs: number;
  readonly budgetMs: number;
}

async function ask(given: Attempting, { egress, octets, bodyMs, budgetMs }: Sending, runs: Runs): Promise<Verdict> {
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
    commit: once(async () => await commit(given, runs)),
    resolver: resolverOf(runs.deps),
    allowPrivate: config.requests.privateAddresses,
    signal: overAfter(sessionsUntilMs - Date.now()),
  });
}

/**
 * Says that a message may be on its way, before it is: whoever finds it said and nobody at it knows that it may have been
 * delivered (RFC 1047).
 * @returns whether it is said, and the time for it is not over
 */
async function commit({ delivery, due, sessionsUntilMs }: Attempting, { table }: Runs): Promise<boolean> {
  const offered = new Set(due.map(({ address }) => address));
  const recipients = delivery.recipients.map((each) =>
    offered.has(each.address) ? ({ ...each, state: "committing" } as const) : each,
  );
  const written = await writeDelivery({ ...delivery, recipients }, delivery.lease?.owner ?? "", table);
  return written !== null && Date.now() < sessionsUntilMs;
}

function once<T>(run: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return async () => await (result ??= run());
}

/** It was parsed when it was taken on. */
function addressOf(text: string): Address {
  const address = parseAddress(text);
  if ("fault" in address) throw new Error(`the address ${text} of a delivery is none: ${address.fault}`);
  return address;
}

interface Judged {
  readonly verdict: Verdict;
  readonly number: number;
  readonly at: Date;
}

/** What others learn of it: the table of verdicts, the block that stands, what is held, the log; and its figures. */
async function tellOthers(
  { delivery, due, message, turn }: Attempting,
  { verdict, number, at }: Judged,
  runs: Runs,
): Promise<readonly Stamped[]> {
  const { deps, table } = runs;
  const { egress, site } = turn;
  const id = verdictIdOf(delivery, number);
  const provider = site.provider ?? verdict.provider ?? unknownProvider;
  const whose = { provider, egress };
  const { maskRecipients } = deps.config.history;
  const addresses = due.map(({ address }) => (maskRecipients ? maskedAddress(address) : address));
  const facts = {
    ...whose,
    id,
    recipient: addresses.join(", ").slice(0, 1_000),
    at: at.toISOString(),
    verdict: fitted(maskRecipients ? masked(verdict) : verdict),
    digest: message.asked,
  };
  const blocked = await orNull(async () => await noteBlock({ ...facts, verdict }, table), "block-unnoted", runs);
  const stored: StoredVerdict = { ...facts, blocked, reported: true, duplicates: 0 };
  deps.log({ ...verdictEntry(stored), attempt: number });
  const days = Math.ceil((keptUntilS(message.expiresAtMs) * 1000 - at.getTime()) / 86_400_000);
  await orNull(
    async () => await putVerdict(stored, { ...table, days: Math.max(days, table.days) }),
    "row-unwritten",
    runs,
  );
  const holding = { provider: site.name, egress, domain: senderDomainOf(message), id, at: facts.at };
  await orNull(async () => await noteHolds(verdict, holding, table), "holds-unnoted", runs);
  const again = delivery.onUnknown === "retry" ? verdict.recipients.filter(({ outcome }) => outcome === "unknown") : [];
  const unknown = sendFigures(
    egress,
    again.map(() => ({ event: "unknown" })),
  );
  return [{ at, figures: [...figuresOf(verdict, whose, blocked), ...unknown] }];
}

/** What the row does not depend on: it fails alone, and is told. */
async function orNull<T>(run: () => Promise<T>, event: string, { deps }: Runs): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    deps.log({ level: "error", event, fault: faultText(error) });
    return null;
  }
}
