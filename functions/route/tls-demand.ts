// What a session with a host has to do about TLS: what the request says, or what the recipient's domain publishes about
// it by MTA-STS (RFC 8461) or DANE (RFC 7672). It looks up and decides; the session obeys.
import type { ShownTls } from "../smtp/tls-facts.ts";
import { daneFault } from "../smtp/dane-match.ts";
import type { DomainPolicy, Stop, TlsPolicy } from "../smtp/transcript.ts";
import type { Budget } from "./budget.ts";
import { openDane, type FoundDane } from "./dane.ts";
import type { LookupOptions, NamedHost } from "./hosts.ts";
import { coversHost, findPolicy, type FoundPolicy, type PolicyCache } from "./mta-sts.ts";

/** `require` is encryption, whatever the certificate. The last two take what the domain asks, opportunistically else. */
export type TlsMode = TlsPolicy | "mta-sts" | "dane";

export const tlsModes: readonly TlsMode[] = ["never", "opportunistic", "require", "mta-sts", "dane"];

export interface Demand {
  readonly tlsPolicy: TlsPolicy;
  /** Null where nobody looked for one. */
  readonly policy: DomainPolicy | null;
  /** What of it is not as the policy asks; null: nothing. Null itself: whatever the host shows. */
  readonly verify: ((shown: ShownTls) => string | null) | null;
  /** What to ask for in the handshake (SNI); null: the host's name. */
  readonly serverName: string | null;
  /** Why the host is not to be dialled at all; null: it is. */
  readonly refusal: Pick<Stop, "reason" | "text"> | null;
}

export interface DemandOptions {
  readonly mode: TlsMode;
  readonly domain: string;
  readonly policies: PolicyCache;
  readonly policyPort: number;
  readonly lookup: LookupOptions;
  readonly budget: Budget;
  readonly allowPrivate: boolean;
}

/** What is looked up before a host is dialled has a third of what is left: the rest is the hosts'. */
const parts = 3;

export type Demands = (host: NamedHost) => Promise<Demand>;

/** What each host of a domain has to meet. What is asked of the domain is asked once, for the first of them. */
export function openDemands(options: DemandOptions): Demands {
  const { mode, domain, lookup, budget } = options;
  // Neither knows domains that are addresses.
  if (domain.startsWith("[")) return async () => unasked(mode);
  switch (mode) {
    case "mta-sts": {
      let found: Promise<FoundPolicy> | null = null;
      return async ({ name }) => {
        // Two in turn: the record, and the file.
        const timeoutMs = Math.ceil(budget.shareMs(parts * 2, lookup.timeoutMs));
        found ??= findPolicy(domain, options.policies, {
          lookup: { ...lookup, timeoutMs },
          allowPrivate: options.allowPrivate,
          now: Date.now,
          policyPort: options.policyPort,
        });
        return byMtaSts(await found, domain, name);
      };
    }
    case "dane": {
      const find = openDane(domain, lookup);
      return async ({ name, port, named }) => {
        return byDane(await find(name, port, named, budget.shareMs(parts, Infinity)));
      };
    }
    case "never":
    case "opportunistic":
    case "require":
      return async () => plain(mode);
  }
}

/** Where nobody looks for a policy: as little as is known. */
export function unasked(mode: TlsMode): Demand {
  return plain(mode === "mta-sts" || mode === "dane" ? "opportunistic" : mode);
}

/** Without any policy. */
function plain(tlsPolicy: TlsPolicy): Demand {
  return { tlsPolicy, policy: null, verify: null, serverName: null, refusal: null };
}

function byMtaSts(found: FoundPolicy, domain: string, host: string): Demand {
  const whose = `the MTA-STS policy of ${domain}`;
  if (found.kind !== "policy") {
    const mode = found.kind === "none" ? "none" : "unknown";
    return { ...plain("opportunistic"), policy: { by: "mta-sts", mode, text: found.text, fault: null } };
  }
  const { mode, id } = found.policy;
  const text = `${whose} (${mode}, id ${id}${found.fault === null ? "" : `, kept though ${found.fault}`})`;
  if (mode === "none") return { ...plain("opportunistic"), policy: { by: "mta-sts", mode, text, fault: null } };
  const stray = coversHost(found.policy, host)
    ? null
    : `${host} is not among its hosts: ${patternsText(found.policy.mx)}`;
  const policy: DomainPolicy = { by: "mta-sts", mode, text, fault: stray };
  const demand = { policy, verify: unverified, serverName: null };
  if (mode === "testing") return { ...demand, tlsPolicy: "opportunistic", refusal: null };
  return { ...demand, tlsPolicy: "require", refusal: stray === null ? null : { reason: "tls-policy", text: stray } };
}

/** A policy may name thousands, and each attempt tells them. */
function patternsText(patterns: readonly string[]): string {
  const most = patterns.slice(0, 5).join(", ");
  return patterns.length > 5 ? `${most} and ${patterns.length - 5} more` : most;
}

/** RFC 8461 §4.2: a chain to a known root, for the host's name. */
function unverified({ facts }: ShownTls): string | null {
  const { certificate } = facts;
  if (certificate === null) return "the host shows no certificate";
  return certificate.verified ? null : `the host's certificate does not verify: ${certificate.fault}`;
}

function byDane(found: FoundDane): Demand {
  const { kind, text } = found;
  switch (kind) {
    case "none":
    case "unknown":
      return { ...plain("opportunistic"), policy: { by: "dane", mode: kind, text, fault: null } };
    case "failed": {
      const policy: DomainPolicy = { by: "dane", mode: "enforce", text, fault: text };
      return { ...plain("require"), policy, refusal: { reason: "tls-policy", text } };
    }
    case "unanswered": {
      const policy: DomainPolicy = { by: "dane", mode: "unknown", text, fault: null };
      return { ...plain("require"), policy, refusal: { reason: "dns-failed", text } };
    }
    case "unusable":
      return { ...plain("require"), policy: { by: "dane", mode: "enforce", text, fault: null } };
    case "records": {
      const { records, base, names } = found;
      const verify = ({ chain }: ShownTls): string | null => daneFault(chain, records, names, Date.now());
      const policy: DomainPolicy = { by: "dane", mode: "enforce", text, fault: null };
      return { tlsPolicy: "require", policy, verify, serverName: base, refusal: null };
    }
  }
}
