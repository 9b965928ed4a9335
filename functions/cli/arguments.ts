// Turns the options of `probe` into requests, one a domain, or into a self-check, or says which word is wrong and what to
// write instead. It opens no connection; of files it reads the message and the configuration alone.
import process from "node:process";
import type { Config } from "../config/config.ts";
import { presetBudgetMs, usualRequest, type ProbeRequest } from "../route/probe-request.ts";
import type { Egress } from "../route/egress.ts";
import { memoryCache } from "../route/mta-sts.ts";
import { ownName } from "../route/own-name.ts";
import { tlsModes, type TlsMode } from "../route/tls-demand.ts";
import { isHelo, parseAddress, parseSender, type Address } from "../smtp/address.ts";
import { literalOf } from "../smtp/ip-address.ts";
import { depths, type Depth } from "../smtp/transcript.ts";
import { configuredHosts } from "../probe/site.ts";
import { openSecrets } from "../secrets.ts";
import { reachRequest } from "../self-check/reach.ts";
import { configFileOf, readConfigFile } from "./config-file.ts";
import { readEgress } from "./egress-option.ts";
import { readMailHost, readResolver } from "./host-option.ts";
import { readMessage } from "./message-file.ts";
import { quote, readOptions, UsageFault, type OptionSpec, type Options } from "./options.ts";

/** Whose hosts answer everybody who may connect to port 25 at all. */
const publicDomains = ["gmail.com", "outlook.com", "icloud.com"] as const;

// prettier-ignore
export const probeOptions: readonly OptionSpec[] = [
  { name: "mx", value: "host[:port]", many: true, about: "ask this host instead of those in DNS, whatever its address" },
  { name: "all-hosts", value: null, many: false, about: "ask every address of every host, 20 each and 100 in all; depth ehlo" },
  { name: "depth", value: "depth", many: false, about: "how far to go: greeting, ehlo, rcpt (the default) or message" },
  { name: "from", value: "address", many: false, about: "the envelope's sender; '' is the null sender" },
  { name: "helo", value: "name", many: false, about: "the name in EHLO; this machine's by default" },
  { name: "message", value: "file.eml", many: false, about: "send this message, which delivers it; depth message" },
  { name: "egress", value: "way", many: false, about: "the way out: direct (the default without a configuration), an address of this machine, a proxy as socks5://[user:password@]host[:port], https://… or http://…, or a name of --config" },
  { name: "families", value: "which", many: false, about: "the IP versions to dial: both, 4 or 6; by default the egress's" },
  { name: "config", value: "file", many: false, about: "take HELO name, sender and egress from this configuration; --egress says which of several; with --self-check by default that of DELIVERY_PROBE_CONFIG" },
  { name: "tls", value: "mode", many: false, about: "never, opportunistic (the default), require, mta-sts or dane" },
  { name: "timeout", value: "seconds", many: false, about: "for each command, look-up and session; 60 by default" },
  { name: "budget", value: "seconds", many: false, about: `for all hosts together; ${presetBudgetMs / 1000} by default` },
  { name: "self-check", value: null, many: false, about: `tell whether our own set-up is right; nobody's mailbox is asked for; opens sessions up to EHLO to the configuration's targets, without one to ${publicDomains.join(", ")}; exit status 0 ok, 1 a fault, 3 not known` },
  { name: "json", value: null, many: false, about: "print documents, one a line, and nothing else" },
  { name: "resolver", value: "ip[:port]", many: false, about: "ask this DNS server" },
  { name: "allow-private", value: null, many: false, about: "follow DNS to private and loopback addresses" },
];

export type ProbeArguments = HostArguments | SelfCheckArguments;

export interface HostArguments {
  readonly kind: "probe";
  /** One a domain, in the order in which the domains were named. */
  readonly requests: readonly ProbeRequest[];
  readonly json: boolean;
  readonly allHosts: boolean;
}

export interface SelfCheckArguments extends Sender {
  readonly kind: "self-check";
  /** Whose hosts are asked whether port 25 is open: one request a domain, which ends at EHLO. */
  readonly asked: readonly ProbeRequest[];
  readonly json: boolean;
}

/** Who asks, and how: what probes and self-checks have in common. */
interface Sender {
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
 * @param env where the secrets of a configuration's egresses are, and for a self-check the configuration's name
 * @throws UsageFault
 */
export async function readProbeArguments(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<ProbeArguments> {
  const options = readOptions(args, probeOptions);
  const json = options.has("json");
  const isSelfCheck = options.has("self-check");
  if (isSelfCheck) refuseBesideSelfCheck(options);
  const given = options.one("config");
  // A self-check is of the system; a probe by hand is of whatever is typed.
  const file = isSelfCheck ? configFileOf(given, env) : given;
  const config = file === null ? null : await readConfigFile(file);
  const sender = await readSender(options, config, env);
  if (isSelfCheck) {
    return { kind: "self-check", ...sender, json, asked: askedBeside(sender, config) };
  }
  if (options.positionals.length === 0) throw new UsageFault("no recipient is given; write probe someone@example.com");
  const allHosts = options.has("all-hosts");
  const shared: Omit<ProbeRequest, "recipients"> = {
    ...usualRequest,
    ...sender,
    hosts: options.has("mx") ? options.all("mx").map((text) => ({ ...readMailHost(text), named: "by-hand" })) : null,
    allHosts,
    depth: readDepth(options),
    tls: readTls(options.one("tls")),
    policies: memoryCache(),
    budgetMs: readTime("--budget", options.one("budget"), presetBudgetMs),
    message: await readMessage(options.one("message")),
  };
  const domains = byDomain(options.positionals.map(readRecipient));
  const requests = [...domains.values()].map((recipients) => ({ ...shared, recipients }));
  return { kind: "probe", requests, json, allHosts };
}

/** The configuration's own targets, where there is one: whoever runs it probes them anyway. */
function askedBeside(sender: Sender, config: Config | null): readonly ProbeRequest[] {
  const recipients =
    config?.targets.map(({ recipient }) => recipient) ?? publicDomains.map((each) => `postmaster@${each}`);
  const domains = byDomain(recipients.map(readRecipient));
  return [...domains].flatMap(([domain, [recipient]]) => {
    const hosts = config === null ? null : configuredHosts(domain, config);
    return recipient === undefined ? [] : [reachRequest(recipient, { ...sender, hosts, signal: null, progress: null })];
  });
}

/** What is given overrides what the configuration has. */
async function readSender(options: Options, config: Config | null, env: NodeJS.ProcessEnv): Promise<Sender> {
  const helo = readHelo(options.one("helo"));
  // Read once, so that there is nothing to log of a second reading.
  const secrets = openSecrets(env, { log: () => {} });
  return {
    egress: await readEgress({ egress: options.one("egress"), families: options.one("families"), config, secrets }),
    helo: helo ?? config?.identity.helo ?? null,
    from: readFrom(options.one("from"), config, helo),
    timeoutMs: readTime("--timeout", options.one("timeout"), 60_000),
    resolver: readResolver(options.one("resolver")) ?? config?.resolver ?? null,
    allowPrivate: options.has("allow-private"),
  };
}

/** What is about hosts and mailboxes. */
const besideSelfCheck = ["depth", "mx", "message", "all-hosts", "tls", "budget"] as const;

function refuseBesideSelfCheck(options: Options): void {
  const [recipient] = options.positionals;
  if (recipient !== undefined) {
    throw new UsageFault(`--self-check asks for nobody's mailbox; write it without ${quote(recipient)}`);
  }
  const other = besideSelfCheck.find((each) => options.has(each));
  if (other !== undefined) throw new UsageFault(`--self-check does not go with --${other}; write one of the two`);
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
function readFrom(text: string | null, config: Config | null, helo: string | null): string {
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

function readDepth(options: Options): Depth {
  const text = options.one("depth");
  const hasMessage = options.has("message");
  const preset = hasMessage ? "message" : options.has("all-hosts") ? "ehlo" : "rcpt";
  const depth = depths.find((each) => each === (text ?? preset));
  if (depth === undefined) throw new UsageFault(`there is no depth ${quote(text ?? "")}; write ${depths.join(", ")}`);
  if (hasMessage && depth !== "message") {
    throw new UsageFault(`at depth ${depth} no message is sent; write --depth message, or leave --message out`);
  }
  if (depth !== "message" || !options.has("all-hosts")) return depth;
  const instead = hasMessage ? "leave --message or --all-hosts out" : "write --depth rcpt, or leave --all-hosts out";
  throw new UsageFault(`--all-hosts at depth message would deliver a message to each host; ${instead}`);
}

function readTls(text: string | null): TlsMode {
  if (text === null) return "opportunistic";
  const mode = tlsModes.find((each) => each === text);
  if (mode !== undefined) return mode;
  throw new UsageFault(`there is no TLS mode ${quote(text)}; write ${tlsModes.join(", ")}`);
}

/** A day: what is longer is a mistake, and what is much longer no timer can hold. */
const timeLimitS = 86_400;

/** @returns milliseconds, at least 1 */
function readTime(option: string, text: string | null, presetMs: number): number {
  if (text === null) return presetMs;
  const seconds = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= timeLimitS) return Math.ceil(seconds * 1000);
  throw new UsageFault(`${option} ${quote(text)} is no time; write seconds, a number above 0 and up to ${timeLimitS}`);
}
