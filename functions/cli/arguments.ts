// Turns the options of `probe` into requests, one a domain, or says which word is wrong and what to write instead.
// It opens no connection; of files it reads the message alone.
import { readFile, stat } from "node:fs/promises";
import net from "node:net";
import { domainToASCII } from "node:url";
import { isHelo, parseAddress, parseSender, type Address } from "../smtp/address.ts";
import { depths, type Depth } from "../smtp/transcript.ts";
import { ownName, type ProbeRequest } from "../route/attempts.ts";
import { quote, readOptions, UsageFault, type OptionSpec, type Options } from "./options.ts";

export const probeOptions: readonly OptionSpec[] = [
  {
    name: "mx",
    value: "host[:port]",
    many: true,
    about: "ask this host instead of those in DNS, whatever its address",
  },
  { name: "depth", value: "depth", many: false, about: "how far to go: greeting, ehlo, rcpt (the default) or message" },
  { name: "from", value: "address", many: false, about: "the envelope's sender; '' is the null sender" },
  { name: "helo", value: "name", many: false, about: "the name in EHLO; this machine's by default" },
  { name: "message", value: "file.eml", many: false, about: "send this message, which delivers it; depth message" },
  { name: "egress", value: "name", many: false, about: "the way out: direct" },
  { name: "tls", value: "mode", many: false, about: "never, opportunistic (the default) or require" },
  { name: "timeout", value: "seconds", many: false, about: "for each command, look-up and session; 60 by default" },
  { name: "json", value: null, many: false, about: "print documents, one a line, and nothing else" },
  { name: "resolver", value: "ip[:port]", many: false, about: "ask this DNS server" },
  { name: "allow-private", value: null, many: false, about: "follow DNS to private and loopback addresses" },
];

export interface ProbeArguments {
  /** One a domain, in the order in which the domains were named. */
  readonly requests: readonly ProbeRequest[];
  readonly json: boolean;
}

/** @throws UsageFault */
export async function readProbeArguments(args: readonly string[]): Promise<ProbeArguments> {
  const options = readOptions(args, probeOptions);
  if (options.positionals.length === 0) throw new UsageFault("no recipient is given; write probe someone@example.com");
  const recipients = options.positionals.map(readRecipient);
  const helo = readHelo(options.one("helo"));
  const shared = {
    hosts: options.all("mx").length === 0 ? null : options.all("mx").map(readHost),
    isByHand: true,
    egress: readEgress(options.one("egress")),
    severities: {},
    from: readSender(options.one("from"), helo),
    helo,
    depth: readDepth(options),
    tls: readTls(options.one("tls")),
    timeoutMs: readTimeout(options.one("timeout")),
    resolver: readResolver(options.one("resolver")),
    allowPrivate: options.has("allow-private"),
    message: await readMessage(options.one("message")),
    signal: null,
    progress: null,
  };
  const requests = [...byDomain(recipients).values()].map((each) => ({ ...shared, recipients: each }));
  return { requests, json: options.has("json") };
}

/** Recipients of one domain share a session; one that is named twice is asked for once. */
function byDomain(recipients: readonly Address[]): ReadonlyMap<string, readonly Address[]> {
  const domains = new Map<string, Address[]>();
  for (const recipient of recipients) {
    const { domain } = recipient;
    const known = domains.get(domain) ?? [];
    if (!known.some((each) => each.text === recipient.text)) domains.set(domain, [...known, recipient]);
  }
  return domains;
}

function readRecipient(text: string): Address {
  const address = parseAddress(text);
  if ("fault" in address) throw new UsageFault(address.fault);
  return address;
}

/** A bounce must have somewhere to go, or nowhere at all: without a domain of ours the null sender (RFC 5321 §4.5.5). */
function readSender(text: string | null, helo: string | null): string {
  if (text === null) {
    const name = helo ?? ownName();
    return name?.includes(".") === true && isHostName(name) ? `probe@${name.toLowerCase()}` : "";
  }
  const sender = parseSender(text);
  if ("fault" in sender) throw new UsageFault(`--from ${sender.fault}`);
  return sender.text;
}

function readHelo(text: string | null): string | null {
  if (text === null || isHelo(text)) return text;
  const literal = net.isIPv6(text) ? `[IPv6:${text}]` : `[${text}]`;
  const instead = isHelo(literal)
    ? literal
    : "a domain such as mail.example.com, or an address literal such as [192.0.2.1]";
  throw new UsageFault(`--helo ${quote(text)} is no name for EHLO; write ${instead}`);
}

/** Letters, digits, hyphens and dots (RFC 1123 §2.1): what EHLO may say, but for an address literal. */
function isHostName(text: string): boolean {
  return !text.startsWith("[") && isHelo(text);
}

function readHost(text: string): { readonly name: string; readonly port: number } {
  const { host, port } = readHostPort("--mx", text, 25);
  const name = (/[^\0-\x7f]/.test(host) ? domainToASCII(host) : host).replace(/\.$/, "");
  if (net.isIP(name) > 0 || isHostName(name)) return { name, port };
  throw new UsageFault(`--mx ${quote(text)} is no host; write a name or an address, such as mx.example.com:25`);
}

/** @returns in the form that node:dns takes, the port always there */
function readResolver(text: string | null): string | null {
  if (text === null) return null;
  const { host, port } = readHostPort("--resolver", text, 53);
  if (net.isIPv4(host)) return `${host}:${port}`;
  if (net.isIPv6(host)) return `[${host}]:${port}`;
  throw new UsageFault(`--resolver ${quote(text)} is no IP address; write one such as 192.0.2.53 or [2001:db8::53]:53`);
}

/** IPv6 stands in brackets, since it holds colons itself (RFC 3986 §3.2.2). */
function readHostPort(what: string, text: string, preset: number): { readonly host: string; readonly port: number } {
  if (net.isIPv6(text)) {
    throw new UsageFault(`${what} ${quote(text)} may hold a port or not; write [${text}] or [${text}]:${preset}`);
  }
  const [, bracketed, bare, digits] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(.*))?$/.exec(text) ?? [];
  const host = bracketed ?? bare ?? "";
  if (host === "" || (bracketed !== undefined && !net.isIPv6(bracketed))) {
    throw new UsageFault(
      `${what} ${quote(text)} is no host and port; write host, host:${preset} or [IPv6 address]:${preset}`,
    );
  }
  const port = digits === undefined ? preset : /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port >= 1 && port <= 65_535) return { host, port };
  throw new UsageFault(`${what} ${quote(text)} has no port that there is; write one from 1 to 65535`);
}

function readDepth(options: Options): Depth {
  const text = options.one("depth");
  const hasMessage = options.one("message") !== null;
  if (text === null) return hasMessage ? "message" : "rcpt";
  const depth = depths.find((each) => each === text);
  if (depth === undefined) throw new UsageFault(`there is no depth ${quote(text)}; write ${depths.join(", ")}`);
  if (!hasMessage || depth === "message") return depth;
  throw new UsageFault(`at depth ${depth} no message is sent; write --depth message, or leave --message out`);
}

function readTls(text: string | null): ProbeRequest["tls"] {
  if (text === null) return "opportunistic";
  if (text === "never" || text === "opportunistic" || text === "require") return text;
  throw new UsageFault(`there is no TLS mode ${quote(text)}; write never, opportunistic or require`);
}

/** A day: what is longer is a mistake, and what is much longer no timer can hold. */
const timeoutLimitS = 86_400;

/** @returns milliseconds, at least 1 */
function readTimeout(text: string | null): number {
  if (text === null) return 60_000;
  const seconds = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= timeoutLimitS) return Math.ceil(seconds * 1000);
  throw new UsageFault(
    `--timeout ${quote(text)} is no time; write seconds, a number above 0 and up to ${timeoutLimitS}`,
  );
}

function readEgress(text: string | null): string {
  if (text === null || text === "direct") return "direct";
  throw new UsageFault(`there is no egress ${quote(text)}; write direct`);
}

async function readMessage(path: string | null): Promise<Uint8Array | null> {
  if (path === null) return null;
  const bytes = await readMessageFile(path);
  if (bytes.length > 0) return bytes;
  throw new UsageFault(`the message ${quote(path)} is empty; write the path of a message with a header and a body`);
}

async function readMessageFile(path: string): Promise<Uint8Array> {
  try {
    const { isDevice } = await kindOf(path);
    if (!isDevice) return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageFault(`the message ${quote(path)} cannot be read (${code}); write the path of a file`);
  }
  throw new UsageFault(`the message ${quote(path)} is a device; write the path of a file`);
}

/** A device may never end. A pipe does, and is how a shell passes a command's output. */
async function kindOf(path: string): Promise<{ readonly isDevice: boolean }> {
  const stats = await stat(path);
  return { isDevice: stats.isCharacterDevice() || stats.isBlockDevice() };
}
