// Fetches the file in which a domain publishes its MTA-STS policy, over HTTPS, from the one place where RFC 8461 has it.
// It knows the ways in which that fails, and nothing of what the file says.
import type { ClientRequest, IncomingMessage } from "node:http";
import https from "node:https";
import { TLSSocket } from "node:tls";
import { specialRange } from "../smtp/address-range.ts";
import { Limits } from "../smtp/limit.ts";
import { findAddresses, type LookupOptions } from "./hosts.ts";

/** `text`: what the file says, or why it could not be had. */
export interface PolicyFile {
  readonly kind: "text" | "failed";
  readonly text: string;
}

export interface FileOptions {
  readonly lookup: LookupOptions;
  /** Whether an address in a special range (`specialRange`) is dialled. */
  readonly allowPrivate: boolean;
  /** 443, but where there is no such port to listen on. */
  readonly policyPort: number;
}

const timeLimitMs = 60_000; // RFC 8461 §3.3
const sizeLimit = 65_536; //   octets: RFC 8461 §3.3
const addressesLimit = 4;

/**
 * The text of `https://mta-sts.<domain>/.well-known/mta-sts.txt`, whole or not at all, within `lookup.timeoutMs`, a minute
 * at most. Never rejects for what DNS or the host do; an invalid `lookup.server` throws.
 */
export async function fetchPolicyFile(domain: string, options: FileOptions): Promise<PolicyFile> {
  const name = `mta-sts.${domain}`;
  const limitMs = Math.min(options.lookup.timeoutMs, timeLimitMs);
  const endsAt = performance.now() + limitMs;
  // This machine asks, not the egress, and so in both families. A name server that is silent for AAAA leaves some time.
  const lookup: LookupOptions = { ...options.lookup, families: "both", timeoutMs: limitMs / 2 };
  const found = await findAddresses(name, lookup);
  if (found.kind === "none") return failed(found.text);
  const addresses = found.addresses.map(({ address }) => address).slice(0, addressesLimit);
  let last = failed(`${name} has no address`);
  for (const [index, address] of addresses.entries()) {
    const range = options.allowPrivate ? null : specialRange(address);
    if (range !== null) {
      last = failed(`${name} leads to ${address} (${range}), which is not dialled`);
      continue;
    }
    const leftMs = endsAt - performance.now();
    // An address that does not answer leaves the next one its share of the time.
    const shareMs = leftMs / (addresses.length - index);
    const fetched = await fetchFrom({ name, address, leftMs, shareMs, limitMs }, options);
    if (fetched.kind !== "unreachable") return fetched;
    last = failed(fetched.text);
  }
  return last;
}

interface Place {
  readonly name: string;
  readonly address: string;
  /** For all of it, and until it is connected. */
  readonly leftMs: number;
  readonly shareMs: number;
  /** What is said to have run out. */
  readonly limitMs: number;
}

/** How far a connection came: somebody took it, and showed that the name is theirs. */
type Reached = "nobody" | "host" | "name";

type Fetched = PolicyFile | { readonly kind: "unreachable"; readonly text: string };

async function fetchFrom(place: Place, options: FileOptions): Promise<Fetched> {
  const { name, address, leftMs, shareMs, limitMs } = place;
  const { promise, resolve } = Promise.withResolvers<Fetched>();
  const fail = (why: string): void => resolve(failed(`https://${name}${path} at ${address}: ${why}`));
  const unreachable = (why: string): void => resolve({ kind: "unreachable", text: `${name} at ${address}: ${why}` });
  let reached: Reached = "nobody";
  let asked: ClientRequest;
  try {
    asked = get(name, address, options);
  } catch (error) {
    return failed(`${name} cannot be asked: ${codeOf(error)}`);
  }
  const limits = new Limits(() => asked.socket?.bytesRead ?? 0);
  limits.start(leftMs, () => fail(`no whole answer within ${limitMs} ms`));
  limits.start(shareMs, () => {
    if (reached === "nobody") unreachable("no connection in time");
  });
  const { signal = null } = options.lookup;
  if (signal !== null) limits.follow(signal, () => fail("given up"));
  asked.on("socket", (socket) => {
    socket.once("connect", () => void (reached = "host"));
    socket.once("secureConnect", () => void (reached = "name"));
  });
  asked.on("error", (error) => {
    if (reached === "nobody") unreachable(`no connection: ${codeOf(error)}`);
    else fail(wording(error, reached, asked));
  });
  let isAnswered = false;
  asked.on("response", (response) => {
    isAnswered = true;
    const fault = faultOf(response);
    if (fault === null) read(response, (text) => resolve({ kind: "text", text }), fail);
    else fail(fault);
  });
  // An answer that switches protocols is none. One that breaks off tells so itself, after this.
  asked.on("close", () => {
    if (!isAnswered) fail("the connection closed without an answer");
  });
  try {
    return await promise;
  } finally {
    limits.end();
    asked.destroy();
  }
}

const path = "/.well-known/mta-sts.txt";

/** The address was looked at, and it alone is dialled: no second look-up can put another in its place. */
function get(name: string, address: string, { policyPort: port }: FileOptions): ClientRequest {
  return https.get({
    host: address,
    port,
    path,
    servername: name,
    headers: { Host: port === 443 ? name : `${name}:${port}`, Accept: "text/plain" },
    // A connection of its own, closed behind the answer.
    agent: false,
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
  });
}

/** What in an answer's head makes it none; null: nothing. */
function faultOf({ statusCode = 0, headers }: IncomingMessage): string | null {
  // RFC 8461 §3.3: redirects are not followed, and anything but 200 is no policy.
  if (statusCode >= 300 && statusCode < 400) return `it answers ${statusCode}, a redirect, which is not followed`;
  if (statusCode !== 200) return `it answers ${statusCode}`;
  const type = headers["content-type"] ?? null;
  if (type === null) return "it does not say that it is text/plain";
  // §3.2: what stands behind the media type is ignored.
  if (!/^text\/plain[ \t]*(?:;|$)/i.test(type)) return `it is ${JSON.stringify(type.slice(0, 80))}, not text/plain`;
  return null;
}

function read(response: IncomingMessage, done: (text: string) => void, fail: (why: string) => void): void {
  const pieces: Buffer[] = [];
  let size = 0;
  response.on("data", (bytes: Buffer) => {
    size += bytes.length;
    if (size <= sizeLimit) pieces.push(bytes);
    else {
      fail(`it is longer than ${sizeLimit} octets`);
      response.destroy();
    }
  });
  response.on("error", (error) => fail(`its answer broke off: ${codeOf(error)}`));
  response.on("end", () => done(Buffer.concat(pieces).toString()));
  response.on("close", () => fail("its answer broke off"));
}

function wording(error: Error, reached: "host" | "name", { socket }: ClientRequest): string {
  if (reached === "name") return `its answer broke off: ${codeOf(error)}`;
  // Node's words for a fault repeat what is in the certificate, at any length; its code does not.
  const isDistrusted = socket instanceof TLSSocket && Boolean(socket.authorizationError);
  return isDistrusted ? `its certificate does not verify: ${codeOf(error)}` : `TLS failed: ${reasonOf(error)}`;
}

/** OpenSSL's, such as `wrong version number`, which Node tells apart or, of a failed write, within its message alone. */
function reasonOf(error: Error): string {
  if ("reason" in error) return String(error.reason);
  return /:SSL routines:[^:]*:([^:]+):/.exec(error.message)?.[1] ?? codeOf(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "no answer that HTTP knows";
}

function failed(text: string): PolicyFile {
  return { kind: "failed", text };
}
