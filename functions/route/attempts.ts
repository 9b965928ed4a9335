// From a request to a verdict: host by host and address by address, until one gives a final answer, or all have been
// asked. Every attempt is kept. It sends nothing itself, and does not say what a reply means.
import { specialRange } from "../smtp/address-range.ts";
import { localName } from "../smtp/host-name.ts";
import { normalise } from "../smtp/message.ts";
import type { Stop, Transcript } from "../smtp/transcript.ts";
import { compileRules } from "../verdict/classify.ts";
import { reconcile } from "../verdict/reconcile.ts";
import { judge, type Verdict } from "../verdict/verdict.ts";
import { attempt, isDelivering, outOfTime, unreached, type Asking, type Peer } from "./attempt.ts";
import { startBudget, type Budget } from "./budget.ts";
import { checkEgress, reachableFamilies } from "./egress.ts";
import type { LookupOptions } from "./hosts.ts";
import type { ProbeRequest } from "./probe-request.ts";
import { openRecipients } from "./search.ts";
import { targetsOf, type Target } from "./targets.ts";
import { openDemands, unasked, type Demand, type Demands } from "./tls-demand.ts";

/** Of one host. */
const addressesLimit = 4;
/** Of those who want to see every one of them: DNS may name thousands. */
const allAddressesLimit = 20;
/** Of all hosts together. */
const attemptsLimit = 100;
/** What is looked up has a third of the time for each question, so that the hosts that it finds have some. */
const lookupParts = 3;

/**
 * Asks the hosts in their order. What they say, or fail to say, is in the verdict; only our own faults throw.
 * @throws EgressFault when this machine cannot leave by the egress
 */
export async function probe(given: ProbeRequest): Promise<Verdict> {
  // Once for all sessions, and before the first of them.
  compileRules();
  await checkEgress(given.egress);
  const request = given.message === null ? given : { ...given, message: normalise(given.message) };
  const search = beginSearch(request);
  try {
    await askAll(search);
  } finally {
    // Look-ups for hosts that nobody asked would go on behind the verdict.
    search.budget.end();
  }
  const { name, address } = request.egress;
  return judge(withoutMail(search), { name, address }, request.severities);
}

interface Search {
  readonly request: ProbeRequest;
  readonly lookup: LookupOptions;
  readonly demands: Demands;
  readonly budget: Budget;
  readonly attempts: Transcript[];
}

function beginSearch(request: ProbeRequest): Search {
  const budget = startBudget(request.budgetMs);
  const lookup = lookupOf(request, budget);
  const { tls: mode, policies, policyPort, allowPrivate } = request;
  const demands = openDemands({ mode, domain: domainOf(request), policies, policyPort, lookup, budget, allowPrivate });
  return { request, lookup, demands, budget, attempts: [] };
}

async function askAll(search: Search): Promise<void> {
  const { request, lookup, attempts, budget } = search;
  const began = new Date();
  const domain: Peer = { name: domainOf(request), address: null, port: request.port };
  request.progress?.({ kind: "host", host: domain.name, address: null });
  const found = await targetsOf(request, lookup);
  if (found.kind === "none") {
    const reason = found.outcome === "rejected" ? "no-mail-here" : reasonsOfNowhere[found.outcome];
    leave({ reason, stage: "dns", status: found.status, text: found.text }, domain, search, began);
    return;
  }
  const more = (count: number): string => `${count} more ${count === 1 ? "host" : "hosts"} of ${domain.name}`;
  let asked = 0;
  for await (const target of found.targets) {
    asked += 1;
    if (attempts.length >= attemptsLimit) {
      leaveOut(more(target.hostsLeft + found.hostsLeftOut), `${attemptsLimit} attempts`, domain, search);
      return;
    }
    if (attempts.length > 0 && budget.leftMs() === 0) {
      skip({ name: target.name, address: null, port: target.port }, search);
    } else {
      await tryHost(target, search);
    }
    // Here, and not at the next host's turn, which comes when its look-ups have ended.
    if (isOver(search) || target.leads.kind === "own") return;
  }
  if (found.hostsLeftOut > 0) leaveOut(more(found.hostsLeftOut), `${asked} hosts`, domain, search);
}

/** Whether nobody else is to be asked. Also what its caller gave up before it began has an attempt, to say so. */
function isOver(search: Search): boolean {
  const { request, attempts } = search;
  if (request.signal?.aborted === true || endsSearch(attempts.at(-1)?.stop ?? null)) return true;
  if (request.oneTransaction && attempts.some(isDelivering)) return true;
  return stillAsked(search).length === 0;
}

/** A fault on our side, which every other host would meet as well. */
function endsSearch(stop: Stop | null): boolean {
  return stop?.reason === "proxy" || stop?.reason === "uncommitted";
}

/** Who is to be asked for at the next address: who has no final answer, or, where all hosts are to be seen, everybody. */
function stillAsked({ request, attempts }: Search): readonly string[] {
  const all = request.recipients.map(({ text }) => text);
  return request.allHosts ? all : openRecipients(all, attempts);
}

const reasonsOfNowhere = { rejected: "no-address", unanswered: "dns-failed", "no-family": "no-family" } as const;

async function tryHost(target: Target, search: Search): Promise<void> {
  const { leads, hostsLeft } = target;
  const { request, attempts, budget } = search;
  const began = new Date();
  const nowhere: Peer = { name: target.name, address: null, port: target.port };
  if (leads.kind === "own") {
    return leave({ reason: "own-host", stage: "dns", status: null, text: leads.text }, nowhere, search, began);
  }
  if (leads.kind === "none") {
    const reason = reasonsOfNowhere[leads.outcome];
    return leave({ reason, stage: "dns", status: null, text: leads.text }, nowhere, search, began);
  }
  if (budget.leftMs() === 0) return skip(nowhere, search);
  const demand = await search.demands(target);
  if (demand.refusal !== null) {
    const stop: Stop = { ...demand.refusal, stage: "dns", status: null };
    return leave(stop, nowhere, search, began, demand);
  }
  const limit = request.allHosts ? allAddressesLimit : addressesLimit;
  const some = leads.addresses.slice(0, limit);
  const leaveOutFrom = (index: number, most: string): void => {
    const count = leads.addresses.length - index;
    const more = `${count} more ${count === 1 ? "address" : "addresses"} of ${target.name}`;
    if (count > 0) leaveOut(more, most, nowhere, search);
  };
  for (const [index, address] of some.entries()) {
    if (attempts.length >= attemptsLimit) return leaveOutFrom(index, `${attemptsLimit} attempts`);
    const peer: Peer = { name: target.name, address, port: target.port };
    if (budget.leftMs() === 0) {
      skip(peer, search);
      if (!request.allHosts) return;
      continue;
    }
    const text = target.named === "by-hand" || request.allowPrivate ? null : offInternet(target.name, address);
    if (text !== null) {
      leave({ reason: "guarded", stage: "connect", status: null, text }, peer, search, began, demand);
      continue;
    }
    const parts = hostsLeft - 1 + some.length - index;
    attempts.push(...(await attempt({ peer, request, recipients: stillAsked(search), demand, budget, parts })));
    if (isEnough(search)) return;
  }
  leaveOutFrom(some.length, `${limit} of a host`);
  if (leads.fault === null) return;
  // What of the addresses DNS kept to itself may have been the one that answers.
  leave({ reason: "dns-failed", stage: "dns", status: null, text: leads.fault }, nowhere, search, began, demand);
}

/** Why it is not dialled: no mail host on the Internet is there. Of what a proxy looks up the name alone tells. */
function offInternet(name: string, address: string | null): string | null {
  const range = address === null ? localName(name) : specialRange(address);
  if (range === null) return null;
  if (address !== null) return `${name} leads to ${address} (${range}), which is not dialled`;
  return `${name} is no name of a host on the Internet (${range}), and no proxy is asked for it`;
}

/** After a failure the host's next address, after an answer the next host (DESIGN §6). */
function isEnough(search: Search): boolean {
  const { request, attempts, budget } = search;
  if (isOver(search)) return true;
  // Who wants to see all of them is told of those that the time did not reach.
  if (request.allHosts) return false;
  return budget.leftMs() === 0 || reconcile(attempts.at(-1) as Transcript).primary.outcome !== "unanswered";
}

/** Who was not asked because the time was over is told all the same. */
function skip(peer: Peer, search: Search): void {
  leave(outOfTime(search.budget), peer, search, new Date());
}

/** Who is more than we ask is told too, in one line. */
function leaveOut(whom: string, most: string, peer: Peer, search: Search): void {
  const text = `not asked: ${whom}; ${most} are the most that we ask`;
  leave({ reason: "left-out", stage: "connect", status: null, text }, peer, search, new Date());
}

function leave(stop: Stop, peer: Peer, search: Search, began: Date, demand?: Demand): void {
  const { request, attempts } = search;
  const asked: Omit<Asking, "budget" | "parts"> = {
    peer,
    request,
    recipients: stillAsked(search),
    demand: demand ?? unasked(request.tls),
  };
  attempts.push(unreached(asked, stop, began));
}

/**
 * A host without an address is skipped; a domain whose hosts all have none, or are ourselves, takes no mail (RFC 5321
 * §5.1). Hosts that a request names say nothing about its domain.
 */
function withoutMail({ request, attempts }: Search): readonly Transcript[] {
  const reasons = attempts.map(({ stop }) => stop?.reason).filter((each) => each !== "left-out");
  if (request.hosts !== null || !reasons.every((each) => each === "no-address" || each === "own-host")) return attempts;
  // Where mail would come back, that is the reason. X.4.6 is a routing loop (RFC 3463 §3.5).
  const [reason, status] = reasons.includes("own-host") ? ["own-host", "5.4.6"] : ["no-address", "5.4.4"];
  return attempts.map((each) => {
    if (each.stop?.reason !== reason) return each;
    return { ...each, stop: { ...each.stop, status } };
  });
}

function domainOf({ recipients }: ProbeRequest): string {
  return recipients[0]?.domain ?? "";
}

/** Look-ups end with the budget too: a resolver that is slow would otherwise take its time once for each question. */
function lookupOf({ resolver, timeoutMs, budgetMs, signal, egress }: ProbeRequest, { over }: Budget): LookupOptions {
  const until = signal === null ? over : AbortSignal.any([signal, over]);
  return {
    server: resolver,
    timeoutMs: Math.min(timeoutMs, Math.ceil(budgetMs / lookupParts)),
    families: reachableFamilies(egress),
    signal: until,
  };
}
