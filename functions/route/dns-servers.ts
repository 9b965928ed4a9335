// Which DNS servers a question is put to, in which order and for how long, and what is told when none of them answers.
// How one of them is asked, and what its answer holds, it does not know.
import dns from "node:dns";
import { isIP } from "node:net";
import { Limits } from "../smtp/limit.ts";

export interface AskOptions {
  /** The DNS server to ask: `ip`, `ip:port` or `[ipv6]:port`; null for the process's own (`dns.getServers()`). */
  readonly server: string | null;
  /** The limit of each look-up. */
  readonly timeoutMs: number;
  /** Ends a look-up early; its answer is then `failed`. */
  readonly signal?: AbortSignal | null;
}

/** What one server said. `failure`: why that is no answer. Null: nothing within its time. */
export type Said<T> = { readonly answer: T } | { readonly failure: string } | null;

/** Of one server's turn. */
export interface TimeLeft {
  readonly leftMs: () => number;
  readonly signal: AbortSignal | null;
}

export interface Unanswered {
  readonly kind: "failed";
  readonly text: string;
  /** What a server said that is no answer, such as `SERVFAIL`; null: none said a word, or nobody waited for it. */
  readonly said: string | null;
}

/** After this a question, or its answer, is taken for lost, and the next server is asked, or the same one once more. */
const resendMs = 2_000;

/**
 * One question, asked twice at most of each server by `askOne`; it ends by `timeoutMs`, where that keeps to its time.
 * @param question as texts name it: `MX example.com`
 */
export async function askServers<T>(
  question: string,
  { server, timeoutMs, signal = null }: AskOptions,
  askOne: (server: string, time: TimeLeft) => Promise<Said<T>>,
): Promise<T | Unanswered> {
  // Through the module: dns.setServers puts another function in the place of what a named import holds.
  const servers = server === null ? dns.getServers() : [server];
  const started = performance.now();
  // A server that failed is not asked again, and what it said is told: it says more than another's silence.
  const failures = new Map<string, Unanswered>();
  for (const [asked, untilMs] of turns(servers, timeoutMs)) {
    if (signal?.aborted) break;
    if (failures.has(asked)) continue;
    const said = await askOne(asked, { leftMs: () => untilMs - (performance.now() - started), signal });
    if (said === null) continue;
    if ("answer" in said) return said.answer;
    const text = `DNS: ${said.failure} for ${question} from ${asked}`;
    failures.set(asked, { kind: "failed", text, said: said.failure });
  }
  const [failure] = failures.values();
  if (failure !== undefined) return failure;
  const text = signal?.aborted
    ? `DNS: given up for ${question}`
    : `DNS: no answer within ${timeoutMs} ms for ${question} from ${servers.join(", ")}`;
  return { kind: "failed", text, said: null };
}

/** Whom to ask, and until when: a short first round, because a datagram may be lost, then one with the time that is left. */
function turns(servers: readonly string[], timeoutMs: number): readonly (readonly [server: string, untilMs: number])[] {
  const share = 1 / servers.length;
  const firstMs = Math.min(resendMs * servers.length, timeoutMs / 3);
  return [
    ...servers.map((server, index) => [server, firstMs * share * (index + 1)] as const),
    ...servers.map((server, index) => [server, firstMs + (timeoutMs - firstMs) * share * (index + 1)] as const),
  ];
}

/** Calls `giveUp` when the time is over or the signal says so. `received`: how much of the answer has come. */
export function startLimits({ leftMs, signal }: TimeLeft, received: () => number, giveUp: () => void): Limits {
  const limits = new Limits(received);
  limits.start(leftMs(), giveUp);
  if (signal !== null) limits.follow(signal, giveUp);
  return limits;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where a server is; null: `AskOptions.server` cannot be this. */
export function dnsEndpoint(text: string): Endpoint | null {
  if (isIP(text) !== 0) return { address: text, port: 53 };
  const [, six, four, port = "53"] = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (Number(port) < 1 || Number(port) > 65_535) return null;
  if (six !== undefined) return isIP(six) === 6 ? { address: six, port: Number(port) } : null;
  return four !== undefined && isIP(four) === 4 ? { address: four, port: Number(port) } : null;
}
