// Turns the options of `probe` into requests, one a domain, or into a self-check, or says which word is wrong and what to
// write instead. It opens no connection; of files it reads the message and the configuration alone.
import process from "node:process";
import type { Config } from "../config/config.ts";
import { presetBudgetMs, usualRequest, type ProbeRequest } from "../route/probe-request.ts";
import { memoryCache } from "../route/mta-sts.ts";
import { depths, type Depth } from "../smtp/transcript.ts";
import { configuredHosts } from "../probe/site.ts";
import { openSecrets } from "../secrets.ts";
import { reachRequest } from "../self-check/reach.ts";
import { configFileOf, readConfigFile } from "./config-file.ts";
import { readMessage } from "./message-file.ts";
import { quote, readOptions, UsageFault, type OptionSpec, type Options } from "./options.ts";
import { byDomain, readHosts, readRecipient, readSender, readTime, readTls, type Sender } from "./sender-options.ts";

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
  // Read once, so that there is nothing to log of a second reading.
  const sender = await readSender(options, config, openSecrets(env, { log: () => {} }));
  if (isSelfCheck) {
    return { kind: "self-check", ...sender, json, asked: askedBeside(sender, config) };
  }
  if (options.positionals.length === 0) throw new UsageFault("no recipient is given; write probe someone@example.com");
  const allHosts = options.has("all-hosts");
  const shared: Omit<ProbeRequest, "recipients"> = {
    ...usualRequest,
    ...sender,
    hosts: readHosts(options),
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
