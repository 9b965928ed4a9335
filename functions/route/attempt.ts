// One attempt: one address of one host over the egress, with the sessions that the first one teaches us to have once
// more. It gives transcripts, and does not say what they mean.
import { specialRange } from "../smtp/address-range.ts";
import { isSameFamily } from "../smtp/ip-address.ts";
import { probeMessage } from "../smtp/probe-message.ts";
import { openSession, type SessionOptions } from "../smtp/session.ts";
import { stageLimitsMs } from "../smtp/timeouts.ts";
import type { Ending, Retry, Stop, Transcript } from "../smtp/transcript.ts";
import { again } from "../verdict/again.ts";
import { reconcile } from "../verdict/reconcile.ts";
import { settled } from "../verdict/settled.ts";
import type { ProbeRequest } from "./probe-request.ts";
import type { Budget } from "./budget.ts";
import type { Egress } from "./egress.ts";
import { ownName } from "./own-name.ts";
import type { Demand } from "./tls-demand.ts";
import { openTunnel, type NoTunnel } from "./tunnel.ts";

/** Who is asked. */
export interface Peer {
  readonly name: string;
  /** Null where there is none, or a proxy looks the host up. */
  readonly address: string | null;
  readonly port: number;
}

/** What is asked, of whom, and how long that may take. */
export interface Asking {
  readonly peer: Peer;
  readonly request: ProbeRequest;
  readonly recipients: readonly string[];
  readonly demand: Demand;
  readonly budget: Budget;
  /** How many addresses, this one too, share what is left of the budget. */
  readonly parts: number;
}

/** At least one transcript. */
export async function attempt(asking: Asking): Promise<readonly Transcript[]> {
  const { peer, request, budget } = asking;
  request.progress?.({ kind: "host", host: peer.name, address: peer.address });
  const transcripts: Transcript[] = [];
  const retries: Retry[] = [];
  let { recipients } = asking;
  for (;;) {
    const transcript = await once({ ...asking, recipients }, retries);
    transcripts.push(transcript);
    const isOver =
      request.signal?.aborted === true || budget.leftMs() === 0 || (request.oneTransaction && isDelivering(transcript));
    const next = isOver ? null : again(transcript, retries);
    if (next === null) return transcripts;
    retries.push(next.retry);
    recipients = next.recipients;
  }
}

/** Whether somebody has the message, or may have it. */
export function isDelivering(transcript: Transcript): boolean {
  return reconcile(transcript).recipients.some(
    ({ judgement: { outcome, answer } }) =>
      outcome === "unknown" || (outcome === "accepted" && answer.stage === "message"),
  );
}

async function once(asking: Asking, retries: readonly Retry[]): Promise<Transcript> {
  const { peer, request, budget } = asking;
  const { via } = request.egress;
  const began = new Date();
  const limits = limitsOf(asking);
  const options: SessionOptions = { ...sessionOptions(asking, retries), ...limits };
  if (via.type === "direct") return await converse(options, request);
  const beganMs = performance.now();
  const to = { host: peer.address ?? peer.name, port: peer.port };
  const opened = await openTunnel(via, to, { timeoutMs: limits.connectMs, signal: request.signal });
  if (opened.kind === "failed") return untunnelled(opened, asking, began);
  const { socket, head, localAddress } = opened;
  if (budget.leftMs() === 0) {
    socket.destroy();
    return unreached(asking, outOfTime(budget), began);
  }
  // Many proxies tell 0.0.0.0, or an address behind their own NAT.
  const told = localAddress !== null && specialRange(localAddress) === null ? localAddress : null;
  const egressAddress = options.egressAddress ?? told;
  const tunnel = { socket, head, beganMs };
  // The tunnel had its time from the same budget.
  return await converse({ ...options, ...limitsOf(asking), egressAddress, tunnel }, request);
}

/** Of a session that begins now. */
function limitsOf({ request, budget, parts }: Asking): Pick<SessionOptions, "timeoutMs" | "connectMs" | "greetMs"> {
  const timeoutMs = Math.max(1, Math.min(request.timeoutMs, budget.leftMs()));
  const connectMs = Math.max(1, budget.shareMs(parts, Math.min(timeoutMs, stageLimitsMs.connect)));
  // Who takes the connection and says nothing leaves as much to the others, one of whom may say why.
  const greetMs = parts > 1 ? Math.max(1, budget.shareMs(2, timeoutMs)) : timeoutMs;
  return { timeoutMs, connectMs, greetMs };
}

/** For who is not asked because there is no time left. */
export function outOfTime({ totalMs }: Budget): Stop {
  const text = `not asked: the ${totalMs / 1000} s for all hosts together were over`;
  return { reason: "out-of-time", stage: "connect", status: null, text };
}

async function converse(options: SessionOptions, { progress }: ProbeRequest): Promise<Transcript> {
  const session = openSession(options);
  const opened = performance.now();
  void session.decided.then(() => progress?.({ kind: "decided", elapsedMs: performance.now() - opened }));
  return await session.ended;
}

/** All but the limits. */
function sessionOptions(
  { peer, request, recipients, demand }: Asking,
  retries: readonly Retry[],
): Omit<SessionOptions, "timeoutMs" | "connectMs" | "greetMs"> {
  const { from, depth, bodyMs, commit, signal, untilMs, progress, egress } = request;
  const { tlsPolicy, policy, verify, serverName } = demand;
  const helo = request.helo ?? ownName();
  const own = egressAddressFor(peer.address, egress);
  return {
    host: peer.name,
    address: peer.address,
    port: peer.port,
    bind: egress.via.type === "direct" ? egress.via.bind : null,
    tunnel: null,
    egressAddress: own,
    helo,
    from,
    recipients,
    depth,
    message:
      depth === "message" ? { bytes: messageOf(request, recipients, helo), ours: request.message === null } : null,
    tlsPolicy,
    policy,
    verify,
    serverName: serverName ?? peer.name,
    retries,
    bodyMs,
    commit,
    signal,
    untilMs,
    settled: (exchanges, leaving) =>
      settled(exchanges, leaving, { recipients, depth, tlsPolicy, host: peer.name, own }),
    progress: progress === null ? null : (exchange) => progress({ kind: "exchange", exchange }),
  };
}

function messageOf({ message, from }: ProbeRequest, recipients: readonly string[], helo: string | null): Uint8Array {
  if (message !== null) return message;
  const domain = helo ?? "[127.0.0.1]";
  return probeMessage(from === "" ? `probe@${domain}` : from, recipients, domain, new Date());
}

/** What the configuration says holds for connections of that family alone: providers judge each apart. */
function egressAddressFor(address: string | null, egress: Egress): string | null {
  return isSameFamily(address, egress.address) ? egress.address : null;
}

function untunnelled({ by, text }: NoTunnel, asking: Asking, began: Date): Transcript {
  if (by === "limit") {
    const { aborted = false } = asking.request.signal ?? {};
    return unconnected(asking, null, { by: aborted ? "abort" : "timeout", stage: "connect", text }, began);
  }
  const reason = by === "proxy" ? "proxy" : "proxy-refused";
  return unreached(asking, { reason, stage: "connect", status: null, text }, began);
}

/** An attempt that never came to a connection, for a reason that we tell. */
export function unreached(asking: Omit<Asking, "budget" | "parts">, stop: Stop, began: Date): Transcript {
  const { aborted = false } = asking.request.signal ?? {};
  return unconnected(asking, stop, { by: aborted ? "abort" : "failed", stage: stop.stage, text: stop.text }, began);
}

function unconnected(
  { peer, request, recipients, demand }: Omit<Asking, "budget" | "parts">,
  stop: Stop | null,
  ending: Ending,
  began: Date,
): Transcript {
  const elapsedMs = Date.now() - began.getTime();
  return {
    host: peer.name,
    address: peer.address,
    port: peer.port,
    localAddress: null,
    egressAddress: egressAddressFor(peer.address, request.egress),
    depth: request.depth,
    tlsPolicy: demand.tlsPolicy,
    policy: demand.policy,
    from: request.from,
    recipients,
    retry: null,
    startedAt: began.toISOString(),
    tls: null,
    exchanges: [],
    stop,
    ending,
    timings: { connectedMs: null, decidedMs: elapsedMs, endedMs: elapsedMs },
  };
}
