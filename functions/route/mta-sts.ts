// What a domain publishes about TLS to its mail hosts by MTA-STS (RFC 8461): the record, the policy, and the one in force.
// It does not know how the policy's file is fetched, where policies are kept, or what a session makes of one.
import { domainToASCII } from "node:url";
import { isHostName, plainName } from "../smtp/host-name.ts";
import { ask } from "./dns.ts";
import type { LookupOptions } from "./hosts.ts";
import { fetchPolicyFile } from "./policy-file.ts";

export interface StsPolicy {
  /** The record's, as it was when the policy was fetched. */
  readonly id: string;
  readonly mode: "enforce" | "testing" | "none";
  /** Hosts' names as written, each perhaps with `*` for its first label. Empty only where the mode is `none`. */
  readonly mx: readonly string[];
  readonly maxAgeS: number;
}

export interface CachedPolicy {
  readonly policy: StsPolicy;
  readonly fetchedAtMs: number;
}

/** By domain. One that is over may still be in it. */
export interface PolicyCache {
  get(domain: string): Promise<CachedPolicy | null>;
  set(domain: string, cached: CachedPolicy): Promise<void>;
}

export type FoundPolicy =
  /** `fault`: why it could not be compared with what the domain publishes now; null: it is that. */
  | { readonly kind: "policy"; readonly policy: StsPolicy; readonly fault: string | null }
  /** The domain publishes none. */
  | { readonly kind: "none"; readonly text: string }
  /** It announces one that cannot be had, or DNS does not say. */
  | { readonly kind: "unknown"; readonly text: string };

export interface PolicyOptions {
  readonly lookup: LookupOptions;
  readonly allowPrivate: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** 443, but where there is no such port to listen on. */
  readonly policyPort: number;
}

/**
 * The policy in force for a domain (`Address.domain`, no address literal), fetched where the cache has not what the domain
 * announces. Never rejects for what DNS, the policy's host or the cache do; an invalid `lookup.server` throws.
 */
export async function findPolicy(domain: string, cache: PolicyCache, options: PolicyOptions): Promise<FoundPolicy> {
  const [cached, announced] = await Promise.all([inForce(domain, cache, options), findRecord(domain, options.lookup)]);
  if (announced.kind === "record" && announced.id === cached?.id) {
    return { kind: "policy", policy: cached, fault: null };
  }
  const found = announced.kind === "record" ? await fetchPolicy(domain, announced.id, options) : announced;
  if (found.kind !== "policy") {
    // RFC 8461 §5.1: whoever can take a record or a file away could otherwise take the policy away too.
    return cached === null ? found : { kind: "policy", policy: cached, fault: found.text };
  }
  // Not kept, it is fetched again the next time.
  await safely(() => cache.set(domain, { policy: found.policy, fetchedAtMs: options.now() }));
  return found;
}

/**
 * Whether a policy names a host (RFC 8461 §4.1): by its whole name, or by a wildcard, which stands for one label, the
 * first. Letters' case, a final dot and U-labels make no difference. Never throws.
 */
export function coversHost({ mx }: Pick<StsPolicy, "mx">, mxName: string): boolean {
  const name = canonical(mxName);
  if (name === null) return false;
  const parent = name.slice(name.indexOf(".") + 1);
  return mx.some((pattern) => {
    if (!pattern.startsWith("*.")) return canonical(pattern) === name;
    return parent !== name && canonical(pattern.slice(2)) === parent;
  });
}

/** `text`: why there is none, such as `two TXT records begin with v=STSv1;, where there may be one`. */
export type StsRecord =
  { readonly kind: "record"; readonly id: string } | { readonly kind: "none"; readonly text: string };

/** The one record among the TXT records of `_mta-sts.<domain>`, each in the strings it came in (RFC 8461 §3.1). */
export function readStsRecord(txts: readonly (readonly string[])[]): StsRecord {
  const texts = txts.map((strings) => strings.join("")).filter((text) => /^v=STSv1[ \t]*;/.test(text));
  const [text] = texts;
  if (text === undefined) return { kind: "none", text: "no TXT record begins with v=STSv1;" };
  if (texts.length > 1) {
    return { kind: "none", text: `${texts.length} TXT records begin with v=STSv1;, where there may be one` };
  }
  const fields = text.split(";").map((field) => field.replace(/^[ \t]+|[ \t]+$/g, ""));
  // A final delimiter is allowed.
  if (fields.at(-1) === "") fields.pop();
  const odd = fields.find((field) => !/^[a-z\d][\w.-]{0,31}=[!-:<>-~]+$/i.test(field));
  if (odd !== undefined) return { kind: "none", text: `its TXT record has ${quoted(odd)}, which is no field` };
  const id = fields.find((field) => field.startsWith("id="))?.slice("id=".length);
  if (id === undefined) return { kind: "none", text: "its TXT record has no id" };
  if (!/^[a-z\d]{1,32}$/i.test(id)) return { kind: "none", text: `its TXT record has the invalid id ${quoted(id)}` };
  return { kind: "record", id };
}

/** What a policy's file says: all of a policy but its id. */
export type ReadPolicy =
  | { readonly kind: "fields"; readonly fields: Omit<StsPolicy, "id"> }
  /** What is wrong with it, such as `it has no max_age`. */
  | { readonly kind: "invalid"; readonly text: string };

/** A year and a quarter of a day (RFC 8461 §3.2): longer is taken for this. */
const maxAgeLimitS = 31_557_600;

/** The text of a policy's file (RFC 8461 §3.2). Never throws. */
export function readPolicy(text: string): ReadPolicy {
  const rows = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== ""); // prettier-ignore
  const odd = rows.find((row) => !row.includes(":"));
  if (odd !== undefined) return invalid(`its line ${quoted(odd)} is no field`);
  const fields = rows.map((row) => {
    const colon = row.indexOf(":");
    return { name: row.slice(0, colon), value: row.slice(colon + 1).trim() };
  });
  // §3.2: of a field that may stand once, the first one counts.
  const first = (name: string): string | null => fields.find((field) => field.name === name)?.value ?? null;
  const [version, mode, maxAge] = [first("version"), first("mode"), first("max_age")];
  if (version !== "STSv1") return invalid(wrong("version", version));
  if (mode !== "enforce" && mode !== "testing" && mode !== "none") return invalid(wrong("mode", mode));
  if (maxAge === null || !/^\d{1,10}$/.test(maxAge)) return invalid(wrong("max_age", maxAge));
  const mx = fields.filter(({ name }) => name === "mx").map(({ value }) => value);
  const stray = mx.find((pattern) => canonical(pattern.replace(/^\*\./, "")) === null);
  if (stray !== undefined) return invalid(wrong("mx", stray));
  if (mx.length === 0 && mode !== "none") return invalid(wrong("mx", null));
  return { kind: "fields", fields: { mode, mx, maxAgeS: Math.min(Number(maxAge), maxAgeLimitS) } };
}

/** A cache of this process alone, of the domains that were set last. */
export function memoryCache(domainsLimit = 1_000): PolicyCache {
  const kept = new Map<string, CachedPolicy>();
  return {
    get: async (domain) => kept.get(domain) ?? null,
    async set(domain, cached) {
      kept.delete(domain);
      kept.set(domain, cached);
      const [oldest] = kept.keys();
      if (kept.size > domainsLimit && oldest !== undefined) kept.delete(oldest);
    },
  };
}

async function inForce(domain: string, cache: PolicyCache, { now }: PolicyOptions): Promise<StsPolicy | null> {
  const cached = await safely(() => cache.get(domain));
  return cached !== null && now() < cached.fetchedAtMs + cached.policy.maxAgeS * 1000 ? cached.policy : null;
}

type FoundRecord = StsRecord | Extract<FoundPolicy, { kind: "unknown" }>;

async function findRecord(domain: string, lookup: LookupOptions): Promise<FoundRecord> {
  const name = `_mta-sts.${domain}`;
  const answer = await ask("TXT", name, lookup, (resolver) => resolver.resolveTxt(name));
  if (answer.kind === "failed") return { kind: "unknown", text: answer.text };
  const record = readStsRecord(answer.kind === "absent" ? [] : answer.records);
  return record.kind === "record" ? record : { kind: "none", text: `${domain} announces no policy: ${record.text}` };
}

async function fetchPolicy(domain: string, id: string, options: PolicyOptions): Promise<FoundPolicy> {
  const file = await fetchPolicyFile(domain, options);
  if (file.kind === "failed") return { kind: "unknown", text: file.text };
  const read = readPolicy(file.text);
  if (read.kind === "fields") return { kind: "policy", policy: { id, ...read.fields }, fault: null };
  return { kind: "unknown", text: `the policy that ${domain} serves is invalid: ${read.text}` };
}

/** The table may be down: a policy that nobody kept is a policy that is fetched. */
async function safely<T>(use: () => Promise<T>): Promise<T | null> {
  try {
    return await use();
  } catch {
    return null;
  }
}

/** In A-labels and lower case, without the final dot; null for what is no host's name. */
function canonical(name: string): string | null {
  // domainToASCII reads its argument as part of a URL, so that no other ASCII may reach it.
  if (name.length > 255 || !/^[\w.\-\u0080-\u{10ffff}]+$/u.test(name)) return null;
  const ascii = plainName(/[^\0-\x7f]/.test(name) ? domainToASCII(name) : name);
  return isHostName(ascii) ? ascii : null;
}

function invalid(text: string): ReadPolicy {
  return { kind: "invalid", text };
}

function wrong(field: string, value: string | null): string {
  return value === null ? `it has no ${field}` : `its ${field} is ${quoted(value)}`;
}

/** A piece of hostile text, short enough to be told. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
