// From a recipient's domain to mail hosts, and from a host to its addresses: RFC 5321 §5 and RFC 7505.
// It knows neither how a question is asked nor where an address leads, and never dials.
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { specialRange } from "../smtp/address-range.ts";
import { isHostName, plainName } from "../smtp/host-name.ts";
import { familyOf, readLiteral, type Family } from "../smtp/ip-address.ts";
import { ask, askSystem, type Answer } from "./dns.ts";
import type { AskOptions } from "./dns-servers.ts";
import type { Families } from "./egress.ts";
import { askTogether } from "./together.ts";

export interface LookupOptions extends AskOptions {
  readonly families: Families;
}

export interface Host {
  /** In lower case, without the final dot; an address literal's is the address itself. */
  readonly name: string;
  readonly preference: number;
  /** The domain itself, which has an address and no MX (RFC 5321 §5.1). */
  readonly implicit: boolean;
  /** Why it cannot be tried, for a record that names no host; else null. */
  readonly fault: string | null;
}

/** By the domain's MX records, or in their place; or by hand, by whoever may send us anywhere. */
export type Naming = "by-mx" | "by-hand";

/** A host to ask. */
export interface NamedHost {
  readonly name: string;
  readonly port: number;
  readonly named: Naming;
}

export interface HostAddress {
  readonly address: string;
  readonly family: Family;
}

/** The hosts in the order to try them, at least one. */
export interface FoundHosts {
  readonly kind: "hosts";
  readonly hosts: readonly Host[];
}

/** The addresses in the order to dial them, at least one. */
export interface FoundAddresses {
  readonly kind: "addresses";
  readonly addresses: readonly HostAddress[];
  /** What kept a part of them hidden, such as `DNS: SERVFAIL for AAAA mx.example.com`; else null. */
  readonly fault: string | null;
}

/** `rejected`: DNS says that there is no mail here. `unanswered`: DNS did not say. `no-family`: not by the allowed families. */
export interface Nowhere {
  readonly kind: "none";
  readonly outcome: "rejected" | "unanswered" | "no-family";
  /** RFC 3463, ours and no server's; null unless rejected. */
  readonly status: "5.1.2" | "5.1.10" | "5.4.4" | null;
  readonly text: string;
}

/** `Families` as getaddrinfo says it. */
const familyNumber = { both: 0, 4: 4, 6: 6 } as const;

/**
 * The hosts that take mail for a domain, by preference, equal ones in random order. `domain` is an `Address.domain`.
 * Never rejects for what DNS says or does; an invalid `options.server` is a fault of ours, and throws.
 */
export async function findHosts(
  domain: string,
  options: LookupOptions,
  random: () => number = Math.random,
): Promise<FoundHosts | Nowhere> {
  const literal = readLiteral(domain);
  // RFC 5321 §5.1: no MX look-up for an address literal.
  if (literal !== null) return { kind: "hosts", hosts: [host(literal, 0)] };
  const answer = await ask("MX", domain, options, (resolver) => resolver.resolveMx(domain));
  if (answer.kind === "failed") return unanswered(answer.text);
  if (answer.kind === "absent") {
    if (answer.nameExists) return await findImplicit(domain, options);
    return rejected("5.1.2", `DNS: there is no domain ${domain} (NXDOMAIN)`);
  }
  const records = answer.records.map(({ exchange, priority }) => ({
    name: plainName(exchange),
    preference: priority,
  }));
  // RFC 7505 §3. Alone it says that the domain takes no mail; §3 asks for preference 0, which changes nothing.
  if (records.every(({ name }) => name === ".")) {
    return rejected("5.1.10", `DNS: ${domain} takes no mail: its MX is null`);
  }
  return { kind: "hosts", hosts: inOrder(records, domain, random) };
}

/**
 * A host's addresses, AAAA and A. A host `by-hand` (`--mx`) is looked up as the system does it, /etc/hosts first, where no
 * DNS server is given; one found `by-mx` is asked of DNS alone. CNAMEs are followed by the resolver.
 */
export async function findAddresses(
  name: string,
  options: LookupOptions,
  named: Naming = "by-mx",
  prefer: Family = preferredFamily(networkInterfaces()),
): Promise<FoundAddresses | Nowhere> {
  const found =
    isIP(name) !== 0
      ? ofLiteral(name, options.families)
      : named === "by-hand" && options.server === null
        ? addressesIn([await askSystem(name, familyNumber[options.families], options)], name, options.families)
        : await askAddresses(name, options);
  if (found.kind === "addresses") {
    // Inside a family the order is the resolver's, which rotates (RFC 5321 §5.1).
    const preferred = found.addresses.filter(({ family: its }) => its === prefer);
    const others = found.addresses.filter(({ family: its }) => its !== prefer);
    return { ...found, addresses: inTurn(preferred, others) };
  }
  // A name that the operator gave says nothing about the recipient: it is no rejection.
  return named === "by-hand" && found.outcome === "rejected" ? unanswered(found.text) : found;
}

/** One of each in turn, so that a family which does not work costs one attempt, not all of them (RFC 8305 §4). */
function inTurn<T>(first: readonly T[], second: readonly T[]): readonly T[] {
  const longest = Math.max(first.length, second.length);
  return Array.from({ length: longest }, (_, index) => [first[index], second[index]])
    .flat()
    .filter((each) => each !== undefined);
}

/**
 * IPv6 first, as RFC 6724 §6 would have it, but only where this machine has an IPv6 address that the Internet can answer
 * (its rules 1 and 2): with a link-local or private one every dial would first fail, or wait.
 */
export function preferredFamily(interfaces: ReturnType<typeof networkInterfaces>): Family {
  const ours = Object.values(interfaces).flatMap((each) => each ?? []);
  return ours.some(({ family, address }) => family === "IPv6" && specialRange(address) === null) ? "6" : "4";
}

/** RFC 5321 §5.1: a domain without MX that has an address is its own host, with preference 0. */
async function findImplicit(domain: string, options: LookupOptions): Promise<FoundHosts | Nowhere> {
  const found = await askAddresses(domain, { ...options, families: "both" });
  if (found.kind === "addresses") return { kind: "hosts", hosts: [{ ...host(domain, 0), implicit: true }] };
  if (found.outcome === "unanswered") return found;
  return rejected("5.1.2", `DNS: ${domain} takes no mail: it has no MX and no address`);
}

/** Lowest preference first; hosts of one preference share the load by chance (RFC 5321 §5.1). */
function inOrder(
  records: readonly { readonly name: string; readonly preference: number }[],
  domain: string,
  random: () => number,
): readonly Host[] {
  const byName = new Map<string, number>();
  for (const { name, preference } of records) byName.set(name, Math.min(preference, byName.get(name) ?? Infinity));
  return [...byName]
    .map(([name, preference]) => ({ name, preference, ticket: random() }))
    .toSorted((a, b) => a.preference - b.preference || a.ticket - b.ticket)
    .map(({ name, preference }) => ({ ...host(name, preference), fault: exchangeFault(name, domain) }));
}

function host(name: string, preference: number): Host {
  return { name, preference, implicit: false, fault: null };
}

/** An MX must name a host (RFC 5321 §5.1). Those who write an address there find that most senders do not deliver. */
function exchangeFault(name: string, domain: string): string | null {
  if (name === ".") return `DNS: ${domain} has a null MX beside others, which RFC 7505 §3 forbids`;
  if (isIP(name) !== 0) return `DNS: the MX of ${domain} is the address ${name}, where a host's name belongs`;
  if (!isHostName(name)) return `DNS: the MX of ${domain} is no host's name: ${JSON.stringify(name)}`;
  return null;
}

function ofLiteral(address: string, families: Families): FoundAddresses | Nowhere {
  if (families !== "both" && families !== familyOf(address)) {
    return noFamily(`${address} is no IPv${families} address, and this egress has no other`);
  }
  return { kind: "addresses", addresses: [hostAddress(address)], fault: null };
}

async function askAddresses(name: string, options: LookupOptions): Promise<FoundAddresses | Nowhere> {
  const { families } = options;
  const six = (how: AskOptions): Promise<Answer<string>> => {
    return ask("AAAA", name, how, (resolver) => resolver.resolve6(name));
  };
  const four = (how: AskOptions): Promise<Answer<string>> => {
    return ask("A", name, how, (resolver) => resolver.resolve4(name));
  };
  const questions = { both: [six, four], 4: [four], 6: [six] }[families];
  // Name servers that never answer for AAAA are many, and the address that is known may be the one that answers.
  const answers = await askTogether(questions, options, ({ kind }) => kind === "records");
  return addressesIn(answers, name, families);
}

function addressesIn(answers: readonly Answer<string>[], name: string, families: Families): FoundAddresses | Nowhere {
  const records = answers.flatMap((answer) => (answer.kind === "records" ? answer.records : []));
  const addresses = [...new Set(records)].map(hostAddress);
  const failure = answers.find((answer) => answer.kind === "failed")?.text ?? null;
  if (addresses.length > 0) return { kind: "addresses", addresses, fault: failure };
  if (failure !== null) return unanswered(failure);
  return noAddress(
    name,
    families,
    answers.some((answer) => answer.kind === "absent" && answer.nameExists),
  );
}

function noAddress(name: string, families: Families, nameExists: boolean): Nowhere {
  if (!nameExists) return rejected("5.4.4", `DNS: there is no host ${name}`);
  // It may well have an address of the family that we do not use: our limit, no rejection.
  if (families !== "both") return noFamily(`DNS: ${name} has no IPv${families} address, and this egress has no other`);
  return rejected("5.4.4", `DNS: ${name} has no address`);
}

function hostAddress(address: string): HostAddress {
  return { address, family: familyOf(address) };
}

function rejected(status: "5.1.2" | "5.1.10" | "5.4.4", text: string): Nowhere {
  return { kind: "none", outcome: "rejected", status, text };
}

function noFamily(text: string): Nowhere {
  return { kind: "none", outcome: "no-family", status: null, text };
}

function unanswered(text: string): Nowhere {
  return { kind: "none", outcome: "unanswered", status: null, text };
}
