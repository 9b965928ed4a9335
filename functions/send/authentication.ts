// What a receiver makes of who a message says that it is from: SPF of the egress's address, the signature's domain, and
// whether either is aligned with From as DMARC asks (RFC 9989). It asks DNS as a receiver would, reads no message, and
// whether the signature's key is published it does not look at.
import type { LookupOptions } from "../route/hosts.ts";
import { evaluateSpf, loadSpf, recordsOf, type Evaluated } from "../self-check/spf.ts";
import { senderDomain } from "../self-check/sender.ts";

/** As results tell it. */
export interface Authentication {
  /** The author's domain, as From says. */
  readonly from: string;
  /** `unknown`: DNS did not say, or the egress's address is not known. */
  readonly spf: {
    /** The envelope's, or for the null sender the one in EHLO; null: it has none. */
    readonly domain: string | null;
    readonly result: Exclude<Evaluated["result"], "temperror"> | "unknown";
    readonly aligned: boolean;
  };
  /** Null: the message has no signature of ours. */
  readonly dkim: { readonly domain: string; readonly aligned: boolean } | null;
  readonly dmarc: {
    /** What the author's domain asks receivers to do with what fails; null: it has no policy. */
    readonly policy: string | null;
    /** Whether the message would pass; `none`: there is no policy. */
    readonly result: "pass" | "fail" | "none" | "unknown";
  };
}

export interface Authenticated {
  /** The envelope's sender; empty for the null sender. */
  readonly from: string;
  /** The author's domain, as From says. */
  readonly fromDomain: string;
  readonly helo: string | null;
  /** The one that hosts see; null: it is not known. */
  readonly egressAddress: string | null;
  readonly dkimDomain: string | null;
  readonly lookup: LookupOptions;
}

const keptMs = 3_600_000;
/** What DNS did not say, it may say soon. */
const unknownKeptMs = 60_000;
/** Of those who send for very many domains the most are seldom seen again. */
const keptLimit = 1_000;
/** For all questions together (RFC 7208 §4.6.4): a report is not worth waiting for longer. */
const evaluationMs = 20_000;

interface Kept {
  readonly untilMs: number;
  readonly found: Promise<Authentication>;
}

const kept = new Map<string, Kept>();

/**
 * Never throws. What is known is kept for an hour; who asks for the same at once waits together.
 * @param nowMs the machine's own clock
 */
export async function authenticationOf(given: Authenticated, nowMs = Date.now()): Promise<Authentication> {
  // SPF looks at the local part through macros alone, which hardly a record has; senders' local parts are often a message's own.
  const { fromDomain, helo, egressAddress, dkimDomain, lookup } = given;
  const from = given.from === "" ? "" : `postmaster@${senderDomain(given.from) ?? ""}`;
  const key = JSON.stringify([from, fromDomain, helo, egressAddress, dkimDomain, lookup.server]);
  const held = kept.get(key);
  if (held !== undefined && nowMs < held.untilMs) return await held.found;
  const found = find({ ...given, from });
  keep(key, { untilMs: nowMs + keptMs, found });
  const authentication = await found;
  if (isUnknown(authentication)) keep(key, { untilMs: nowMs + unknownKeptMs, found });
  return authentication;
}

function keep(key: string, entry: Kept): void {
  kept.delete(key);
  kept.set(key, entry);
  const [oldest] = kept.keys();
  if (kept.size > keptLimit && oldest !== undefined) kept.delete(oldest);
}

function isUnknown({ spf, dmarc }: Authentication): boolean {
  return spf.result === "unknown" || dmarc.result === "unknown";
}

async function find(given: Authenticated): Promise<Authentication> {
  const { fromDomain, dkimDomain } = given;
  try {
    const signal = AbortSignal.timeout(evaluationMs);
    return await evaluate({ ...given, lookup: { ...given.lookup, signal } });
  } catch {
    return {
      from: fromDomain,
      spf: { domain: null, result: "unknown", aligned: false },
      dkim: dkimDomain === null ? null : { domain: dkimDomain, aligned: false },
      dmarc: { policy: null, result: "unknown" },
    };
  }
}

/** What reports are made with: a megabyte, whose load would hold up the replies of a session. */
export async function loadAuthentication() {
  const [{ dmarc }, { getAlignment }] = await Promise.all([
    import("mailauth/lib/dmarc/index.js"),
    import("mailauth/lib/tools.js"),
    loadSpf(),
  ]);
  return { dmarc, getAlignment };
}

async function evaluate(given: Authenticated): Promise<Authentication> {
  const { fromDomain, dkimDomain, lookup } = given;
  const { dmarc, getAlignment } = await loadAuthentication();
  const spf = await spfOf(given);
  const resolver = remembering((name, type) => recordsOf(name, type, lookup));
  const spfDomains = spf.domain === null ? [] : [spf.domain];
  const dkimDomains = dkimDomain === null ? [] : [{ domain: dkimDomain }];
  const asked = { headerFrom: fromDomain, dkimDomains, resolver };
  // Once as if SPF had passed, which tells who is aligned, and once as it is.
  const aligning = await dmarc({ ...asked, spfDomains });
  const judged = spf.result === "pass" ? aligning : await dmarc({ ...asked, spfDomains: [] });
  const alignment = aligning === false ? undefined : aligning.alignment;
  // Without a policy nobody says how it is to be; receivers that look all the same do so relaxed.
  const isAligned = (domain: string, as: "spf" | "dkim"): boolean =>
    alignment === undefined ? getAlignment(fromDomain, [domain], false) !== false : alignment[as].result === domain;
  const spfAligned = spf.domain !== null && isAligned(spf.domain, "spf");
  const result = judged === false ? "none" : resultOf(judged.status.result);
  return {
    from: fromDomain,
    spf: { ...spf, aligned: spfAligned },
    dkim: dkimDomain === null ? null : { domain: dkimDomain, aligned: isAligned(dkimDomain, "dkim") },
    dmarc: {
      policy: (judged === false ? null : judged.policy) ?? null,
      result: result === "fail" && spfAligned && spf.result === "unknown" ? "unknown" : result,
    },
  };
}

async function spfOf(given: Authenticated): Promise<Omit<Authentication["spf"], "aligned">> {
  const { from, helo, egressAddress, lookup } = given;
  if (egressAddress === null) {
    const domain = from === "" ? helo : senderDomain(from);
    return { domain: domain?.startsWith("[") === true ? null : domain, result: "unknown" };
  }
  const evaluated = await evaluateSpf({ from, helo, address: egressAddress, lookup });
  // RFC 7208 §2.3: without a domain there is nothing to check.
  if (evaluated === null) return { domain: null, result: "none" };
  const { domain, result } = evaluated;
  return { domain, result: result === "temperror" ? "unknown" : result };
}

function resultOf(result: "pass" | "fail" | "none" | "neutral" | "temperror"): Authentication["dmarc"]["result"] {
  if (result === "temperror") return "unknown";
  return result === "neutral" ? "none" : result;
}

type Resolver = (name: string, type: string) => Promise<unknown[]>;

/** The two evaluations ask the same. */
function remembering(resolver: Resolver): Resolver {
  const asked = new Map<string, Promise<unknown[]>>();
  return async (name, type) => {
    const key = `${type} ${name}`;
    const answer = asked.get(key) ?? resolver(name, type);
    asked.set(key, answer);
    return await answer;
  };
}
