// From a request to a verdict: host by host and address by address, until one gives a final answer. Every attempt is
// kept. It sends nothing itself, and does not say what a reply means.
import { hostname } from "node:os";
import type { Address } from "../smtp/address.ts";
import { isHelo } from "../smtp/address.ts";
import { normalise } from "../smtp/message.ts";
import { probeMessage } from "../smtp/probe-message.ts";
import { openSession } from "../smtp/session.ts";
import type { Depth, Exchange, Retry, Stage, Stop, TlsPolicy, Transcript } from "../smtp/transcript.ts";
import { again } from "../verdict/again.ts";
import { compileRules } from "../verdict/classify.ts";
import { leftOver, reconcile, type Judgement } from "../verdict/reconcile.ts";
import { settled } from "../verdict/settled.ts";
import type { SeverityOverrides } from "../verdict/severity.ts";
import { judge, wordsOfAttempts, type Verdict, type Word } from "../verdict/verdict.ts";
import { guarded } from "./guard.ts";
import { findAddresses, findHosts, type FoundAddresses, type LookupOptions, type Nowhere } from "./hosts.ts";

export interface ProbeRequest {
  /** All of one domain; none twice. */
  readonly recipients: readonly Address[];
  /** In the place of the domain's MX hosts, which are guarded; null: these. */
  readonly hosts: readonly { readonly name: string; readonly port: number }[] | null;
  /** Whether these hosts were named by hand, and so are dialled wherever they lead. */
  readonly isByHand: boolean;
  /** The name of the way out. */
  readonly egress: string;
  readonly severities: SeverityOverrides;
  /** Empty for the null reverse-path. */
  readonly from: string;
  /** Null: this machine's name where it is a full one, else an address literal. */
  readonly helo: string | null;
  readonly depth: Depth;
  /** For depth `message`: an RFC 5322 message; null: our own small one. */
  readonly message: Uint8Array | null;
  readonly tls: TlsPolicy;
  /** Each command, each DNS look-up and each session; never the sum of the hosts. */
  readonly timeoutMs: number;
  /** The DNS server to ask, `ip[:port]`; null for the system's. */
  readonly resolver: string | null;
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal | null;
  readonly progress: ((event: Progress) => void) | null;
}

export type Progress =
  | { readonly kind: "host"; readonly host: string; readonly address: string | null }
  | { readonly kind: "exchange"; readonly exchange: Exchange }
  | { readonly kind: "decided"; readonly elapsedMs: number };

/** One host is one way in; ten of them that fail will not be followed by an eleventh that works. */
const hostsLimit = 10;
const addressesLimit = 4;
/** RFC 5321 §4.5.4.1 is about queues; a probe speaks to port 25. */
const smtpPort = 25;

/** The name that we give where none is given. Null when this machine has no full one. */
export function ownName(): string | null {
  const name = hostname();
  return name.includes(".") && isHelo(name) ? name : null;
}

/** Asks the hosts in their order. What they say, or fail to say, is in the verdict; only our own faults throw. */
export async function probe(given: ProbeRequest): Promise<Verdict> {
  // Once for all sessions, and before the first of them.
  compileRules();
  const request = given.message === null ? given : { ...given, message: normalise(given.message) };
  const attempts: Transcript[] = [];
  const hosts = await hostsOf(request, attempts);
  for (const host of hosts) {
    const rest = unanswered(request, attempts);
    // Even a request that its caller gave up early gets a verdict: the first attempt says so.
    if (rest.length === 0 || (request.signal?.aborted === true && attempts.length > 0)) break;
    await tryHost(host, rest, request, attempts);
  }
  return judge(withoutMail(attempts), request.egress, request.severities);
}

/** A host without an address is skipped; a domain whose hosts all have none takes no mail (RFC 5321 §5.1). */
function withoutMail(attempts: readonly Transcript[]): readonly Transcript[] {
  if (!attempts.every(({ stop }) => stop?.reason === "no-address")) return attempts;
  return attempts.map((each) => ({
    ...each,
    stop: { ...(each.stop as Stop), reason: "no-mail-here", status: "5.4.4" },
  }));
}

interface Target {
  readonly name: string;
  readonly port: number;
  readonly isByHand: boolean;
  readonly fault: string | null;
}

async function hostsOf(request: ProbeRequest, attempts: Transcript[]): Promise<readonly Target[]> {
  if (request.hosts !== null) {
    return request.hosts.map((each) => ({ ...each, isByHand: request.isByHand, fault: null }));
  }
  const domain = request.recipients[0]?.domain ?? "";
  const began = new Date();
  request.progress?.({ kind: "host", host: domain, address: null });
  const found = await findHosts(domain, lookup(request));
  if (found.kind === "hosts") {
    const some = found.hosts.slice(0, hostsLimit);
    return some.map(({ name, fault }) => ({ name, port: smtpPort, isByHand: false, fault }));
  }
  const reason = found.outcome === "rejected" ? "no-mail-here" : "dns-failed";
  const stop = { reason, stage: "dns", status: found.status, text: found.text } as const;
  attempts.push(unreached({ name: domain, port: smtpPort }, null, textsOf(request), request, stop, began));
  return [];
}

async function tryHost(
  host: Target,
  recipients: readonly string[],
  request: ProbeRequest,
  attempts: Transcript[],
): Promise<void> {
  const began = new Date();
  const found = await addressesOf(host, request);
  if (found.kind === "none") {
    const reason = found.outcome === "rejected" ? "no-address" : "dns-failed";
    const stop = { reason, stage: "dns", status: null, text: found.text } as const;
    attempts.push(unreached(host, null, recipients, request, stop, began));
    return;
  }
  let asked = recipients;
  let dialled = 0;
  for (const { address } of found.addresses) {
    const range = host.isByHand || request.allowPrivate ? null : guarded(address);
    if (range !== null) {
      const text = `${host.name} leads to ${address} (${range}), which is not dialled; --allow-private allows it`;
      const stop = { reason: "guarded", stage: "connect", status: null, text } as const;
      attempts.push(unreached(host, address, recipients, request, stop, began));
      continue;
    }
    dialled += 1;
    await tryAddress(host, address, asked, request, attempts);
    // After a failure the host's next address, after an answer the next host (DESIGN §6).
    const rest = unanswered(request, attempts);
    asked = asked.filter((each) => rest.includes(each));
    const last = attempts.at(-1) as Transcript;
    if (asked.length === 0 || dialled === addressesLimit || request.signal?.aborted === true) return;
    if (reconcile(last).primary.outcome !== "unanswered") return;
  }
}

async function addressesOf(host: Target, request: ProbeRequest): Promise<FoundAddresses | Nowhere> {
  request.progress?.({ kind: "host", host: host.name, address: null });
  if (host.fault !== null) return { kind: "none", outcome: "rejected", status: null, text: host.fault };
  return await findAddresses(host.name, lookup(request), host.isByHand ? "by-hand" : "by-mx");
}

/** One session, and those that it teaches us to have once more, without pipelining say. */
async function tryAddress(
  host: Target,
  address: string,
  recipients: readonly string[],
  request: ProbeRequest,
  attempts: Transcript[],
): Promise<void> {
  request.progress?.({ kind: "host", host: host.name, address });
  const retries: Retry[] = [];
  let asked = recipients;
  for (;;) {
    const session = openSession(sessionOptions(host, address, asked, retries, request));
    const opened = performance.now();
    void session.decided.then(() => request.progress?.({ kind: "decided", elapsedMs: performance.now() - opened }));
    const transcript = await session.ended;
    attempts.push(transcript);
    const next = request.signal?.aborted === true ? null : again(transcript, retries);
    if (next === null) return;
    retries.push(next.retry);
    asked = next.recipients;
  }
}

function sessionOptions(
  { name, port }: Target,
  address: string,
  recipients: readonly string[],
  retries: readonly Retry[],
  request: ProbeRequest,
): Parameters<typeof openSession>[0] {
  const { from, depth, tls: tlsPolicy, timeoutMs, signal, progress } = request;
  const helo = request.helo ?? ownName();
  const bytes = (): Uint8Array => {
    if (request.message !== null) return request.message;
    const domain = helo ?? "[127.0.0.1]";
    return probeMessage(from === "" ? `probe@${domain}` : from, recipients, domain, new Date());
  };
  return {
    host: name,
    address,
    port,
    helo,
    from,
    recipients,
    depth,
    message: depth === "message" ? { bytes: bytes(), ours: request.message === null } : null,
    tlsPolicy,
    retries,
    timeoutMs,
    signal,
    settled: (exchanges, leaving) =>
      settled(exchanges, leaving, { recipients, depth, tlsPolicy, host: name, localAddress: null }),
    progress: progress === null ? null : (exchange) => progress({ kind: "exchange", exchange }),
  };
}

/** Those who have no final answer yet. One left `unknown` is never offered again: it may have the message. */
function unanswered(request: ProbeRequest, attempts: readonly Transcript[]): readonly string[] {
  const words = wordsOfAttempts(attempts);
  return textsOf(request).filter((text) => !words.get(text)?.some(isFinal));
}

/**
 * A 5yz to MAIL, RCPT, DATA or the message ends the search; a greeting or EHLO refused does not. Nor does a 4yz, but at
 * any stage where it asks us to slow down or not to come: the site's next host is the same site (DESIGN §6).
 */
function isFinal({ address, judgement, refusals, attempt }: Word): boolean {
  const { outcome, answer } = judgement;
  if (outcome === "accepted" || outcome === "unknown") return true;
  // Who was one too many wants another transaction, not another time.
  if (leftOver(attempt).includes(address)) return false;
  if (outcome === "deferred") return [judgement, ...refusals].some(asksToStayAway);
  const deep: readonly Stage[] = ["mail", "rcpt", "data", "message"];
  return outcome === "rejected" && answer.code !== null && deep.includes(answer.stage);
}

function asksToStayAway({ outcome, class: kind }: Judgement): boolean {
  return outcome === "deferred" && (kind === "ip-reputation" || kind === "rate-limit" || kind === "greylist");
}

function textsOf({ recipients }: ProbeRequest): readonly string[] {
  return recipients.map(({ text }) => text);
}

function lookup({ resolver, timeoutMs, signal }: ProbeRequest): LookupOptions {
  return { server: resolver, timeoutMs, families: "both", signal };
}

/** An attempt that never came to a connection. */
function unreached(
  { name, port }: Pick<Target, "name" | "port">,
  address: string | null,
  recipients: readonly string[],
  { depth, tls, from, signal }: ProbeRequest,
  stop: Stop,
  began: Date,
): Transcript {
  const elapsedMs = Date.now() - began.getTime();
  return {
    host: name,
    address,
    port,
    localAddress: null,
    depth,
    tlsPolicy: tls,
    from,
    recipients,
    retry: null,
    startedAt: began.toISOString(),
    tls: null,
    exchanges: [],
    stop,
    ending: { by: signal?.aborted === true ? "abort" : "failed", stage: stop.stage, text: stop.text },
    timings: { connectedMs: null, decidedMs: elapsedMs, endedMs: elapsedMs },
  };
}
