// Whether SPF lets the egress's address send for the sender's domain, for the null sender for the EHLO name (RFC 7208
// §2.4). It asks as a provider would. DKIM and DMARC are the message's, and not looked at.
import { ask } from "../route/dns.ts";
import { isName } from "../route/dns-message.ts";
import type { LookupOptions } from "../route/hosts.ts";
import { familyOf } from "../smtp/ip-address.ts";
import { addressNeeded, fault, ok, quoted, unanswered, unknown, type Found } from "./found.ts";
import type { SelfCheckOptions } from "./options.ts";
import { senderDomain } from "./sender.ts";

/** RFC 7208 §4.6.4: no less, for all questions together. */
const evaluationMs = 20_000;

/** Whether SPF passes; `softfail` and `neutral` are no passes, for providers take them as a reason to refuse. */
export async function checkSpf(
  helo: string | null,
  address: string | null,
  { from, lookup }: SelfCheckOptions,
): Promise<Found> {
  if (address === null) return addressNeeded("SPF");
  const evaluated = await evaluateSpf({ from, helo, address, lookup });
  if (evaluated === null) {
    return unknown(
      "SPF has no domain to be looked up for",
      "Set a sender (--from, identity.sender in the configuration), or for the null sender an EHLO name (--helo, identity.helo).",
    );
  }
  const { domain, result, reason: said, rr } = evaluated;
  const record = rr === null ? "" : `: ${quoted(rr)}`;
  const reason = said === "" ? "" : `, ${quoted(said)}`;
  switch (result) {
    case "pass":
      return ok(`SPF of ${domain} passes for ${address}${record}`);
    case "temperror":
      return unanswered(`SPF of ${domain} could not be looked up${reason}${record}`);
    case "none":
      return fault(`${domain} has no SPF record`, `Publish a TXT record at ${domain}: v=spf1 ${ownTerm(address)} -all`);
    case "permerror":
      return fault(
        `SPF of ${domain} is broken (permerror)${reason}${record}`,
        `Mend the record: while it is broken it lets nobody send, ${address} neither.`,
      );
    case "neutral":
    case "softfail":
    case "fail":
      return fault(
        `SPF of ${domain} does not let ${address} send (${result})${record}`,
        `Add ${ownTerm(address)} to the record.`,
      );
  }
}

export interface Evaluated {
  /** Whose policy was looked up. */
  readonly domain: string;
  readonly result: "pass" | "fail" | "softfail" | "neutral" | "none" | "permerror" | "temperror";
  /** In words of DNS, or of whoever evaluates; empty where the result says it all. */
  readonly reason: string;
  /** The record; null: none was found. */
  readonly rr: string | null;
}

interface Sending {
  /** The envelope's sender; empty for the null sender. */
  readonly from: string;
  readonly helo: string | null;
  readonly address: string;
  readonly lookup: LookupOptions;
}

/** Loaded by whoever checks, and by no probe. */
export async function loadSpf() {
  return await import("mailauth/lib/spf/index.js");
}

/** What a provider makes of SPF when mail comes from the address; null: there is no domain to look up. */
export async function evaluateSpf({ from, helo, address, lookup }: Sending): Promise<Evaluated | null> {
  const domain = from === "" ? helo : senderDomain(from);
  // RFC 7208 §2.3: an address literal has none.
  if (domain === null || domain.startsWith("[")) return null;
  const { spf } = await loadSpf();
  const sender = from === "" ? `postmaster@${domain}` : from;
  const { status, rr = null } = await spf({
    sender,
    ip: address,
    helo: helo ?? domain,
    mta: "self-check",
    // A provider is as strict as the RFC, or laxer.
    strict: true,
    maxElapsedTime: Math.max(evaluationMs, lookup.timeoutMs),
    resolver: (name, type) => recordsOf(name, type, lookup),
  });
  return { domain, result: status.result, reason: reasonOf(status.comment ?? "", sender), rr };
}

function ownTerm(address: string): string {
  return `ip${familyOf(address)}:${address}`;
}

/** What stands behind the comment's usual words. */
function reasonOf(comment: string, sender: string): string {
  const [, reason = ""] = comment.split(`lookup of ${sender}: `);
  return reason;
}

const types = ["A", "AAAA", "MX", "PTR", "TXT"] as const;

/** An answer as node:dns gives it, with its codes: what mailauth asks a resolver for. */
export async function recordsOf(name: string, type: string, lookup: LookupOptions): Promise<unknown[]> {
  const known = types.find((each) => each === type);
  // What macros make of a sender may be no name at all.
  if (known === undefined || !isName(name)) throw dnsError(`no name that DNS can hold: ${name}`, "EBADNAME");
  const answer = await ask<unknown>(known, name, lookup, async (resolver) => {
    const records: unknown = await resolver.resolve(name, known);
    return Array.isArray(records) ? records : [];
  });
  if (answer.kind === "records") return [...answer.records];
  if (answer.kind === "failed") throw dnsError(answer.text, "ESERVFAIL");
  throw dnsError(`no ${type} of ${name}`, answer.nameExists ? "ENODATA" : "ENOTFOUND");
}

function dnsError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
