// Reads the options that say who asks and how, of whatever command asks mail hosts: sender, EHLO name, way out, TLS, time;
// and recipients. It opens no connection and reads no file.
import type { Config } from "../config/config.ts";
import type { Egress } from "../route/egress.ts";
import type { NamedHost } from "../route/hosts.ts";
import { ownName } from "../route/own-name.ts";
import { tlsModes, type TlsMode } from "../route/tls-demand.ts";
import type { Secrets } from "../secrets.ts";
import { isHelo, parseAddress, parseSender, type Address } from "../smtp/address.ts";
import { literalOf } from "../smtp/ip-address.ts";
import { readEgress } from "./egress-option.ts";
import { readMailHost, readResolver } from "./host-option.ts";
import { quote, UsageFault, type Options } from "./options.ts";

/** Who asks, and how: what probes, self-checks and sends have in common. */
export interface Sender {
  readonly egress: Egress;
  /** Null: this machine's name where it is a full one, else an address literal. */
  readonly helo: string | null;
  /** Empty for the null sender. */
  readonly from: string;
  readonly timeoutMs: number;
  readonly resolver: string | null;
  readonly allowPrivate: boolean;
}

/**
 * What is given overrides what the configuration has.
 * @param secrets of the configuration's egresses
 * @throws UsageFault
 */
export async function readSender(options: Options, config: Config | null, secrets: Secrets): Promise<Sender> {
  const helo = readHelo(options.one("helo"));
  return {
    egress: await readEgress({ egress: options.one("egress"), families: options.one("families"), config, secrets }),
    helo: helo ?? config?.identity.helo ?? null,
    from: readFrom(options.one("from"), config, helo),
    timeoutMs: readTime("--timeout", options.one("timeout"), 60_000),
    resolver: readResolver(options.one("resolver")) ?? config?.resolver ?? null,
    allowPrivate: options.has("allow-private"),
  };
}

/** Those that are named in the place of DNS's, wherever they are; null: none is. */
export function readHosts(options: Options): readonly NamedHost[] | null {
  if (!options.has("mx")) return null;
  return options.all("mx").map((text) => ({ ...readMailHost(text), named: "by-hand" }));
}

/** Recipients of one domain share a session; one that is named twice is asked for once. */
export function byDomain(recipients: readonly Address[]): ReadonlyMap<string, readonly Address[]> {
  const domains = new Map<string, Address[]>();
  for (const recipient of recipients) {
    const { domain } = recipient;
    const known = domains.get(domain) ?? [];
    if (!known.some((each) => each.text === recipient.text)) domains.set(domain, [...known, recipient]);
  }
  return domains;
}

export function readRecipient(text: string): Address {
  const address = parseAddress(text);
  if ("fault" in address) throw new UsageFault(address.fault);
  return address;
}

/** A bounce must have somewhere to go, or nowhere at all: without a domain of ours the null sender (RFC 5321 §4.5.5). */
export function readFrom(text: string | null, config: Config | null, helo: string | null): string {
  if (text === null && config === null) {
    const name = helo ?? ownName();
    return name?.includes(".") === true && isHostName(name) ? `probe@${name.toLowerCase()}` : "";
  }
  const sender = parseSender(text ?? config?.identity.sender ?? "");
  if ("fault" in sender) throw new UsageFault(`--from ${sender.fault}`);
  return sender.text;
}

function readHelo(text: string | null): string | null {
  if (text === null || isHelo(text)) return text;
  const literal = literalOf(text);
  const instead = isHelo(literal)
    ? literal
    : "a domain such as mail.example.com, or an address literal such as [192.0.2.1]";
  throw new UsageFault(`--helo ${quote(text)} is no name for EHLO; write ${instead}`);
}

/** Letters, digits, hyphens and dots (RFC 1123 §2.1): what EHLO may say, but for an address literal. */
function isHostName(text: string): boolean {
  return !text.startsWith("[") && isHelo(text);
}

export function readTls(text: string | null): TlsMode {
  if (text === null) return "opportunistic";
  const mode = tlsModes.find((each) => each === text);
  if (mode !== undefined) return mode;
  throw new UsageFault(`there is no TLS mode ${quote(text)}; write ${tlsModes.join(", ")}`);
}

/** A day: what is longer is a mistake, and what is much longer no timer can hold. */
const timeLimitS = 86_400;

/** @returns milliseconds, at least 1 */
export function readTime(option: string, text: string | null, presetMs: number): number {
  if (text === null) return presetMs;
  const seconds = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= timeLimitS) return Math.ceil(seconds * 1000);
  throw new UsageFault(`${option} ${quote(text)} is no time; write seconds, a number above 0 and up to ${timeLimitS}`);
}
