// One question about a name, asked of DNS or of the system within a limit, and answered or failed, as data.
// What an answer means for mail, and whom to ask about next, it does not know.
import { lookup, Resolver } from "node:dns/promises";
import { askServers, startLimits, type AskOptions, type Said, type TimeLeft } from "./dns-servers.ts";

type RecordType = "MX" | "A" | "AAAA" | "TXT" | "PTR";

/** `absent`: DNS says that there is no such record, or not even the name. `failed`: it did not say. */
export type Answer<T> =
  | { readonly kind: "records"; readonly records: readonly T[] }
  | { readonly kind: "absent"; readonly nameExists: boolean }
  | { readonly kind: "failed"; readonly text: string };

/**
 * One question, asked twice at most of each server; it ends by `timeoutMs`, whatever they do. `query` asks it of one.
 * Never rejects for what DNS says or does; an invalid `options.server` is a fault of ours, and throws.
 */
export async function ask<T>(
  type: RecordType,
  name: string,
  options: AskOptions,
  query: (resolver: Resolver) => Promise<T[]>,
): Promise<Answer<T>> {
  return await askServers(`${type} ${name}`, options, async (server, time) => await askOne(server, time, query));
}

async function askOne<T>(
  server: string,
  time: TimeLeft,
  query: (resolver: Resolver) => Promise<T[]>,
): Promise<Said<Answer<T>>> {
  // The limit is ours alone. c-ares's own would run out before the socket is read, so it is set out of the way; without
  // `maxTimeout`, which older Nodes do not know, none of it is longer than 5 s.
  const outOfTheWay = Math.ceil(Math.max(time.leftMs(), 0)) + 60_000;
  const resolver = new Resolver({ timeout: outOfTheWay, maxTimeout: outOfTheWay, tries: 1 });
  resolver.setServers([server]);
  const limits = startLimits(time, nothingSeen, () => resolver.cancel());
  try {
    const records = await query(resolver);
    // A CNAME that leads to a name without such records is an answer with none.
    return { answer: records.length > 0 ? { kind: "records", records } : { kind: "absent", nameExists: true } };
  } catch (error) {
    const code = codeOf(error);
    if (code === null || code.startsWith("ERR_")) throw error;
    if (code === "ENOTFOUND") return { answer: { kind: "absent", nameExists: false } };
    if (code === "ENODATA") return { answer: { kind: "absent", nameExists: true } };
    return code === "ETIMEOUT" || code === "ECANCELLED" ? null : { failure: wording(code) };
  } finally {
    limits.end();
  }
}

/**
 * The addresses of a host as the system looks them up, /etc/hosts first; `family` 0 is both. Never rejects.
 * Nothing can cancel getaddrinfo: on time-out it is left to end by itself.
 */
export async function askSystem(
  name: string,
  family: 0 | 4 | 6,
  { timeoutMs, signal = null }: Omit<AskOptions, "server">,
): Promise<Answer<string>> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const limits = startLimits({ leftMs: () => timeoutMs, signal }, nothingSeen, () => reject(new Error("limit")));
  try {
    const found = await Promise.race([lookup(name, { all: true, family, order: "verbatim" }), expired]);
    return { kind: "records", records: found.map(({ address }) => address) };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOTFOUND") return { kind: "absent", nameExists: false };
    if (signal?.aborted) return { kind: "failed", text: `given up looking for ${name}` };
    const text =
      code === null
        ? `the system had no answer for ${name} within ${timeoutMs} ms`
        : `the system's look-up of ${name} failed: ${code}`;
    return { kind: "failed", text };
  } finally {
    limits.end();
  }
}

/** Neither c-ares nor getaddrinfo tells of what comes before it is all there. */
function nothingSeen(): number {
  return 0;
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}

/** c-ares's codes in DNS's words. */
function wording(code: string): string {
  switch (code) {
    case "ECONNREFUSED":
      return "no server";
    case "EBADRESP":
      return "a malformed answer";
    case "EBADNAME":
      return "a name that DNS cannot hold";
    case "EFORMERR":
      return "FORMERR";
    default:
      return code.replace(/^E(?=SERVFAIL|REFUSED|NOTIMP)/, "");
  }
}
