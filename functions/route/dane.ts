// What DANE asks of a mail host (RFC 7672 §2.2): its TLSA records, if DNSSEC vouches for them and for the way to them.
// It neither checks a signature, which is the resolver's work, nor sees a certificate.
import { isIP } from "node:net";
import { isUsable, recordsText, type TlsaRecord } from "../smtp/dane-match.ts";
import type { AskOptions, Unanswered } from "./dns-servers.ts";
import { askSecurely, validates } from "./dnssec.ts";
import type { Naming } from "./hosts.ts";
import { askTogether } from "./together.ts";

/**
 * `records`: TLS is required, and a certificate that fits. `unusable`: TLS is required, whatever the certificate.
 * `none`: DANE does not apply, with the reason. `failed`, `unanswered`: the host is not to be dialled, for an attacker may
 * have made the look-up fail (§2.1.1); what the resolver holds for bogus is the domain's to mend, its silence, or our own
 * limit, is not. `unknown`: the resolver does not validate, so that nobody can tell.
 */
export type FoundDane =
  | {
      readonly kind: "records";
      /** The usable ones, at least one. */
      readonly records: readonly TlsaRecord[];
      /** The name to ask for in the handshake (SNI, §8.1), and the first of `names`. */
      readonly base: string;
      /** Those that a certificate under a trust anchor may be for (§3.2.2). */
      readonly names: readonly string[];
      readonly text: string;
    }
  | { readonly kind: "unusable" | "none" | "failed" | "unanswered" | "unknown"; readonly text: string };

/**
 * For one host, within `limitMs` for all look-ups. One named `by-hand` need not be an MX of the domain: its own zone has
 * to be signed, and no other.
 */
export type FindDane = (host: string, port: number, named?: Naming, limitMs?: number) => Promise<FoundDane>;

/**
 * Finds what DANE asks of the hosts of a domain. What is asked for all of them (the MX records, whether the resolver
 * validates) is asked once, with the first host that needs it; nothing is kept beyond.
 * Never rejects for what DNS says or does; an invalid `options.server` is a fault of ours, and rejects.
 */
export function openDane(domain: string, options: AskOptions): FindDane {
  const resolvers = new Map<string, ReturnType<typeof validates>>();
  let asked: Promise<MxRecords | FoundDane> | null = null;
  return async (host, port, named = "by-mx", limitMs = Infinity) => {
    // §2.2: neither an address literal nor an MX that is an address has TLSA records.
    if (isIP(host) !== 0) return none(`${host} is an address`);
    const name = host.toLowerCase();
    const untilMs = performance.now() + limitMs;
    const look: Look = {
      // Half of what is left: one that is not answered leaves something to those that follow from what is known.
      options() {
        const halfMs = Math.max(1, Math.ceil((untilMs - performance.now()) / 2));
        return { ...options, timeoutMs: Math.min(options.timeoutMs, halfMs) };
      },
      // Of the very server that answered: another one may validate where this one does not.
      validates(server) {
        const known = resolvers.get(server) ?? validates({ ...look.options(), server });
        resolvers.set(server, known);
        return known;
      },
    };
    if (named === "by-hand") return await findHost(name, port, [name], look);
    asked ??= findMx(domain.toLowerCase(), look);
    const mx = await asked;
    if ("kind" in mx) return mx;
    // The host was found by a look-up that anybody could have answered; this one counts.
    if (!mx.hosts.includes(name)) return failed(`${name} is not among the signed MX records of ${domain}`);
    return await findHost(name, port, mx.names, look);
  };
}

interface Look {
  /** For the next question. */
  readonly options: () => AskOptions;
  readonly validates: (server: string) => ReturnType<typeof validates>;
}

interface MxRecords {
  readonly hosts: readonly string[];
  /** The domain, and where its CNAMEs lead. */
  readonly names: readonly string[];
}

/** §2.2.1: only signed MX records say whose certificate is to be seen. */
async function findMx(domain: string, look: Look): Promise<MxRecords | FoundDane> {
  const what = `the MX records of ${domain}`;
  const answer = await askSecurely("MX", domain, look.options());
  if (answer.kind === "failed") return unlearnt(what, answer);
  if (!answer.isSecure) return await insecure(answer.server, what, look);
  const names = [...new Set([domain, answer.canonical])];
  // RFC 5321 §5.1: a domain without MX is its own host.
  return { hosts: answer.kind === "records" ? answer.records : [domain], names };
}

/** §2.2.2. The addresses come first: some servers of unsigned zones fail when they are asked for TLSA. */
async function findHost(host: string, port: number, names: readonly string[], look: Look): Promise<FoundDane> {
  const what = `the addresses of ${host}`;
  const questions = (["A", "AAAA"] as const).map((type) => (how: AskOptions) => askSecurely(type, host, how));
  const answers = await askTogether(questions, look.options(), ({ kind }) => kind === "records");
  const found = answers.filter((answer) => answer.kind === "records");
  const best = found.find(({ isSecure }) => isSecure) ?? found[0];
  if (best === undefined) {
    const failure = answers.find((answer) => answer.kind === "failed");
    return failure === undefined ? none(`DNS has no address of ${host}`) : unlearnt(what, failure);
  }
  if (best.isSecure) return await findRecords([...new Set([best.canonical, host])], port, names, look);
  if (best.canonical === host) return await insecure(best.server, what, look);
  // §2.1.3: an answer is as insecure as its last part; whether the alias itself is signed has to be asked.
  const alias = await askSecurely("CNAME", host, look.options());
  if (alias.kind === "failed") return unlearnt(`whether ${host} is an alias`, alias);
  if (!alias.isSecure) return await insecure(alias.server, what, look);
  return await findRecords([host], port, names, look);
}

/** §2.2.3: of the names that may be the base, the first with signed records is it. */
async function findRecords(
  bases: readonly string[],
  port: number,
  names: readonly string[],
  look: Look,
): Promise<FoundDane> {
  const reasons: string[] = [];
  for (const base of bases) {
    const owner = `_${port}._tcp.${base}`;
    const what = `the TLSA records of ${owner}`;
    const answer = await askSecurely("TLSA", owner, look.options());
    if (answer.kind === "failed") return unlearnt(what, answer);
    if (answer.kind === "records" && answer.isSecure) return judged(answer.records, owner, base, names);
    // A denial may well be unsigned in a signed zone (NSEC3's opt-out): it is as good as the resolver.
    const fault = answer.isSecure ? null : await insecure(answer.server, what, look);
    if (fault !== null && fault.kind !== "none") return fault;
    reasons.push(
      answer.kind === "records" ? `${what} are not signed (DNSSEC)` : `there are no TLSA records of ${owner}`,
    );
  }
  return none(reasons.join(", and "));
}

function judged(records: readonly TlsaRecord[], owner: string, base: string, names: readonly string[]): FoundDane {
  const usable = records.filter((each) => isUsable(each));
  if (usable.length === 0) {
    const text = `DANE: no TLSA record of ${owner} is usable: ${recordsText(records)}; TLS is required, without authentication`;
    return { kind: "unusable", text };
  }
  const text = `DANE: ${recordsText(usable)} of ${owner}`;
  return { kind: "records", records: usable, base, names: [...new Set([base, ...names])], text };
}

/** What an answer without AD means: unsigned, if the resolver would have said so otherwise. */
async function insecure(server: string, what: string, look: Look): Promise<FoundDane> {
  switch (await look.validates(server)) {
    case "yes":
      return none(`${what} are not signed (DNSSEC)`);
    case "no":
      return {
        kind: "unknown",
        text: `the DNS server ${server} does not validate DNSSEC; use one on this machine that does, such as unbound`,
      };
    case "unknown":
      return { kind: "unanswered", text: `DANE needs to know whether ${server} validates DNSSEC: no answer for SOA .` };
  }
}

function none(reason: string): FoundDane {
  return { kind: "none", text: `DANE does not apply: ${reason}` };
}

/** SERVFAIL is what is said of the bogus (RFC 4035 §5.5); everything else is said of the resolver, or by our own limit. */
function unlearnt(what: string, { said, text }: Unanswered): FoundDane {
  return said === "SERVFAIL"
    ? failed(`${what} cannot be had: ${text}`)
    : { kind: "unanswered", text: `DANE needs ${what}: ${text}` };
}

function failed(text: string): FoundDane {
  return { kind: "failed", text: `DANE: ${text}` };
}
