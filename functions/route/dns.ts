// One question about a name, asked of DNS or of the system within a limit, and answered or failed, as data.
// What an answer means for mail, and whom to ask about next, it does not know.
import dns from "node:dns";
import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";

export interface AskOptions {
  /** The DNS server to ask: `ip`, `ip:port` or `[ipv6]:port`; null for the process's own (`dns.getServers()`). */
  readonly server: string | null;
  /** The limit of each look-up. */
  readonly timeoutMs: number;
  /** Ends a look-up early; its answer is then `failed`. */
  readonly signal?: AbortSignal | null;
}

type RecordType = "MX" | "A" | "AAAA" | "TXT" | "PTR";

/** `absent`: DNS says that there is no such record, or not even the name. `failed`: it did not say. */
export type Answer<T> =
  | { readonly kind: "records"; readonly records: readonly T[] }
  | { readonly kind: "absent"; readonly nameExists: boolean }
  | { readonly kind: "failed"; readonly text: string };

/** After this a question, or its answer, is taken for lost, and the next server is asked, or the same one once more. */
const resendMs = 2_000;

/**
 * One question, asked twice at most of each server; it ends by `timeoutMs`, whatever they do. `query` asks it of one.
 * Never rejects for what DNS says or does; an invalid `options.server` is a fault of ours, and throws.
 */
export async function ask<T>(
  type: RecordType,
  name: string,
  { server, timeoutMs, signal = null }: AskOptions,
  query: (resolver: Resolver) => Promise<T[]>,
): Promise<Answer<T>> {
  // Through the module: dns.setServers puts another function in the place of what a named import holds.
  const servers = server === null ? dns.getServers() : [server];
  const started = performance.now();
  // A server that failed is not asked again, and what it said is told: it says more than another's silence.
  const failures = new Map<string, string>();
  for (const [asked, untilMs] of turns(servers, timeoutMs)) {
    if (signal?.aborted) break;
    if (failures.has(asked)) continue;
    try {
      const records = await askOnce(asked, untilMs - (performance.now() - started), signal, query);
      // A CNAME that leads to a name without such records is an answer with none.
      return records.length > 0 ? { kind: "records", records } : { kind: "absent", nameExists: true };
    } catch (error) {
      const code = codeOf(error);
      if (code === null || code.startsWith("ERR_")) throw error;
      if (code === "ENOTFOUND") return { kind: "absent", nameExists: false };
      if (code === "ENODATA") return { kind: "absent", nameExists: true };
      if (code === "ETIMEOUT" || code === "ECANCELLED") continue;
      failures.set(asked, `DNS: ${wording(code)} for ${type} ${name} from ${asked}`);
    }
  }
  const [failure] = failures.values();
  if (failure !== undefined) return { kind: "failed", text: failure };
  if (signal?.aborted) return { kind: "failed", text: `DNS: given up for ${type} ${name}` };
  return {
    kind: "failed",
    text: `DNS: no answer within ${timeoutMs} ms for ${type} ${name} from ${servers.join(", ")}`,
  };
}

/** Whom to ask, and until when: a short first round, because a datagram may be lost, then one with the time that is left. */
export function turns<Server>(
  servers: readonly Server[],
  timeoutMs: number,
): readonly (readonly [server: Server, untilMs: number])[] {
  const share = 1 / servers.length;
  const firstMs = Math.min(resendMs * servers.length, timeoutMs / 3);
  return [
    ...servers.map((server, index) => [server, firstMs * share * (index + 1)] as const),
    ...servers.map((server, index) => [server, firstMs + (timeoutMs - firstMs) * share * (index + 1)] as const),
  ];
}

async function askOnce<T>(
  server: string,
  limitMs: number,
  signal: AbortSignal | null,
  query: (resolver: Resolver) => Promise<T[]>,
): Promise<T[]> {
  // The limit is ours alone. c-ares's own would run out before the socket is read, so it is set out of the way; without
  // `maxTimeout`, which older Nodes do not know, none of it is longer than 5 s.
  const outOfTheWay = Math.ceil(Math.max(limitMs, 0)) + 60_000;
  const resolver = new Resolver({ timeout: outOfTheWay, maxTimeout: outOfTheWay, tries: 1 });
  resolver.setServers([server]);
  const stop = atLimit(limitMs, signal, () => resolver.cancel());
  try {
    return await query(resolver);
  } finally {
    stop();
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
  const stop = atLimit(timeoutMs, signal, () => reject(new Error("limit")));
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
    stop();
  }
}

/** Whether `AskOptions.server` can be this. */
export function isDnsServer(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const [, six, four, port] = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false;
  return isIP(six ?? "") === 6 || isIP(four ?? "") === 4;
}

/** Calls `giveUp` when the time is over or the signal says so, once, unless stopped before. */
function atLimit(limitMs: number, signal: AbortSignal | null, giveUp: () => void): () => void {
  // Expired timers run before sockets are read: look once more before giving up, or a busy loop loses the answer.
  const expire = (): void => void setImmediate(giveUp);
  const expiry = setTimeout(expire, Math.max(limitMs, 1));
  signal?.addEventListener("abort", expire, { once: true });
  if (signal?.aborted) expire();
  return () => {
    clearTimeout(expiry);
    signal?.removeEventListener("abort", expire);
  };
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
