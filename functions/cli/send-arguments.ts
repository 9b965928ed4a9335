// Turns the options of `send` into a request for the queue, or into requests for the recipients' own hosts, or says which
// word is wrong and what to write instead. It opens no connection; of files it reads the message and the configuration.
import { randomUUID } from "node:crypto";
import process from "node:process";
import { documentOf, SendRequestFault, type SendRequest } from "../queue/producer.ts";
import { presetBudgetMs, usualRequest, type ProbeRequest } from "../route/probe-request.ts";
import { memoryCache } from "../route/mta-sts.ts";
import { openSecrets } from "../secrets.ts";
import { SecretFault } from "../secrets/fault.ts";
import { openSigner } from "../send/dkim.ts";
import { headerFaults } from "../send/header.ts";
import { prepare } from "../send/prepare.ts";
import type { Address } from "../smtp/address.ts";
import { normalise } from "../smtp/message.ts";
import { stageLimitsMs } from "../smtp/timeouts.ts";
import { readConfigFile } from "./config-file.ts";
import { readMessage } from "./message-file.ts";
import { quote, readOptions, UsageFault, type OptionSpec, type Options } from "./options.ts";
import { placeOptions } from "./place.ts";
import { byDomain, readFrom, readHosts, readRecipient, readSender, readTime, readTls } from "./sender-options.ts";

/** Of the queue's request alone. */
// prettier-ignore
const queueOptions: readonly OptionSpec[] = [
  { name: "expires", value: "time", many: false, about: "until when it is tried, RFC 3339; else as long as the configuration says" },
  { name: "on-unknown", value: "which", many: false, about: "when a host took the whole message and never answered: stop (the default), which may lose it, or retry, which may repeat it" },
  { name: "priority", value: "which", many: false, about: "high, normal (the default) or low: what goes first where not all can go at once" },
];

/** Of asking hosts from here alone. */
// prettier-ignore
const nowOptions: readonly OptionSpec[] = [
  { name: "mx", value: "host[:port]", many: true, about: "with --now: ask this host instead of those in DNS, whatever its address" },
  { name: "helo", value: "name", many: false, about: "with --now: the name in EHLO; the configuration's, or this machine's by default" },
  { name: "families", value: "which", many: false, about: "with --now: the IP versions to dial: both, 4 or 6; by default the egress's" },
  { name: "tls", value: "mode", many: false, about: "with --now: never, opportunistic (the default), require, mta-sts or dane" },
  { name: "timeout", value: "seconds", many: false, about: "with --now: for each command, look-up and session up to the message; 60 by default" },
  { name: "budget", value: "seconds", many: false, about: `with --now: for all hosts together up to the message; ${presetBudgetMs / 1000} by default` },
  { name: "resolver", value: "ip[:port]", many: false, about: "with --now: ask this DNS server" },
  { name: "allow-private", value: null, many: false, about: "with --now: follow DNS to private and loopback addresses" },
];

// prettier-ignore
export const sendOptions: readonly OptionSpec[] = [
  { name: "from", value: "address", many: false, about: "the envelope's sender; '' is the null sender" },
  { name: "to", value: "address", many: true, about: "a recipient" },
  { name: "id", value: "id", many: false, about: "the message's own: the same again sends nothing again; by default a new one, which is printed" },
  { name: "egress", value: "way", many: false, about: "the way out: one of the configuration's by which sends leave; with --now as probe has it" },
  ...queueOptions,
  { name: "cancel", value: "id", many: false, about: "calls off what of this send is not begun yet; its recipients are told as failed when they are due" },
  { name: "now", value: null, many: false, about: "ask the recipients' hosts from here, once, and print their verdicts as probe does: no queue, no retries; signed where --config has a key" },
  ...nowOptions,
  { name: "json", value: null, many: false, about: "print documents, one a line, and nothing else" },
  ...placeOptions,
];

export type SendArguments = QueueArguments | NowArguments | CancelArguments;

export interface CancelArguments {
  readonly kind: "cancel";
  readonly id: string;
  readonly options: Options;
}

export interface QueueArguments {
  readonly kind: "queue";
  readonly request: SendRequest;
  readonly json: boolean;
  /** They say where the queue is, too. */
  readonly options: Options;
}

export interface NowArguments {
  readonly kind: "now";
  /** One a domain, in the order in which the domains were named. */
  readonly requests: readonly ProbeRequest[];
  readonly json: boolean;
  readonly allHosts: false;
}

/** @throws UsageFault */
export async function readSendArguments(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<SendArguments> {
  const options = readOptions(args, sendOptions);
  const cancelled = options.one("cancel");
  if (cancelled !== null) return readCancel(cancelled, options);
  const isNow = options.has("now");
  refuseOthers(options, isNow);
  const [file, ...more] = options.positionals;
  if (file === undefined) throw new UsageFault("no message is given; write send message.eml --from a@b --to c@d");
  if (more.length > 0) {
    throw new UsageFault(`send takes one message, not ${more.length + 1}; write --to before each recipient`);
  }
  if (!options.has("from"))
    throw new UsageFault("no sender is given; write --from a@b, or --from '' for the null sender");
  if (!options.has("to")) throw new UsageFault("no recipient is given; write --to someone@example.com");
  const recipients = [...byDomain(options.all("to").map(readTo)).values()].flat();
  const message = (await readMessage(file)) ?? Buffer.alloc(0);
  const id = options.one("id") ?? randomUUID();
  const asked: Asked = { id, file, message, recipients, options };
  return isNow ? await readNow(asked, env) : readQueued(asked);
}

interface Asked {
  readonly id: string;
  readonly file: string;
  readonly message: Uint8Array;
  readonly recipients: readonly Address[];
  readonly options: Options;
}

function refuseOthers(options: Options, isNow: boolean): void {
  const other = (isNow ? queueOptions : nowOptions).find(({ name }) => options.has(name))?.name;
  if (other !== undefined && isNow) {
    throw new UsageFault(`--${other} is for the queue, and --now asks once and retries nothing; write one of the two`);
  }
  if (other !== undefined) throw new UsageFault(`--${other} goes with --now; write --now too, or leave --${other} out`);
  if (!isNow || !options.has("state")) return;
  throw new UsageFault(
    "--now asks the hosts from here, and no stack; write --config and its config.json, or leave --state out",
  );
}

function readCancel(id: string, options: Options): CancelArguments {
  const other = sendOptions.find(
    ({ name }) => options.has(name) && !["cancel", "json", "state", "config"].includes(name),
  );
  const [file] = options.positionals;
  if (other === undefined && file === undefined) return { kind: "cancel", id, options };
  const words = other === undefined ? quote(file ?? "") : `--${other.name}`;
  throw new UsageFault(`${words} does not go with --cancel; write send --cancel ${quote(id)} alone`);
}

function readTo(text: string): Address {
  try {
    return readRecipient(text);
  } catch (error) {
    throw error instanceof UsageFault ? new UsageFault(`--to ${error.message}`) : error;
  }
}

function readQueued({ id, file, message, recipients, options }: Asked): QueueArguments {
  const faults = headerFaults(normalise(message));
  if (faults.length > 0) throw unfit(file, faults);
  const request = {
    id,
    from: readFrom(options.one("from"), null, null),
    to: recipients.map(({ text }) => text),
    message,
    egress: options.one("egress") ?? undefined,
    expires: options.one("expires") ?? undefined,
    onUnknown: oneOf("on-unknown", ["stop", "retry"], options),
    priority: oneOf("priority", ["high", "normal", "low"], options),
  };
  try {
    documentOf(request);
  } catch (error) {
    throw error instanceof SendRequestFault ? optionFault(error.faults) : error;
  }
  return { kind: "queue", request, json: options.has("json"), options };
}

async function readNow(
  { id, file, message, recipients, options }: Asked,
  env: NodeJS.ProcessEnv,
): Promise<NowArguments> {
  const given = options.one("config");
  const config = given === null ? null : await readConfigFile(given);
  const secrets = openSecrets(env, { log: () => {} });
  const sender = await readSender(options, config, secrets);
  const tls = readTls(options.one("tls"));
  const budgetMs = readTime("--budget", options.one("budget"), presetBudgetMs);
  const hosts = readHosts(options);
  if (!/^[\x21-\x7e]{1,200}$/.test(id)) throw optionFault(["id: 1 to 200 visible ASCII characters"]);
  const rows = config?.sends?.dkim ?? [];
  try {
    const prepared = await prepare({
      id,
      message,
      helo: sender.helo,
      now: new Date(),
      signer: async (domain) => await openSigner(domain, rows, secrets.read),
    });
    if (prepared.kind === "unfit") throw unfit(file, prepared.faults);
    const shared: Omit<ProbeRequest, "recipients"> = {
      ...usualRequest,
      ...sender,
      hosts,
      depth: "message",
      tls,
      policies: memoryCache(),
      budgetMs,
      bodyMs: transferMs + stageLimitsMs.message,
      message: Buffer.concat([prepared.head, prepared.body]),
    };
    const requests = [...byDomain(recipients).values()].map((each) => ({ ...shared, recipients: each }));
    return { kind: "now", requests, json: options.has("json"), allHosts: false };
  } catch (error) {
    // A key that cannot be read is for the person who typed to set.
    throw error instanceof SecretFault ? new UsageFault(error.message) : error;
  }
}

/** For 50 MB at 2 Mbit/s; a host that takes nothing for a while is given up sooner. */
const transferMs = 240_000;

function unfit(file: string, faults: readonly string[]): UsageFault {
  const words = faults.map((each) => each.replace(/^message: it /, "")).join("; ");
  return new UsageFault(`the message ${quote(file)} ${words}`);
}

function oneOf<Word extends string>(name: string, words: readonly Word[], options: Options): Word | undefined {
  const text = options.one(name);
  const found = words.find((each) => each === text);
  if (text === null || found !== undefined) return found;
  throw new UsageFault(`--${name} ${quote(text)} is none; write ${words.join(" or ")}`);
}

/** Faults of a request's fields as faults of the options that they came from. */
export function optionFault(faults: readonly string[]): UsageFault {
  const words = faults.map((each) => {
    const [, field = "", rest = ""] = /^([a-zA-Z]+)[^:]*: (.*)$/s.exec(each) ?? [];
    const option = { onUnknown: "on-unknown" }[field] ?? field;
    return sendOptions.some(({ name }) => name === option) ? `--${option}: ${rest}` : each;
  });
  return new UsageFault(words.join("; "));
}
