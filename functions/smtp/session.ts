// One session with one address: greeting, EHLO, STARTTLS, the transaction, QUIT, in as few round trips as the host
// allows. It decides what is sent next. What the answers mean for the message, it leaves to others.
import * as commands from "./command.ts";
import { commitmentTo, type Commit, type Commitment } from "./commitment.ts";
import { Conversation, type Settled, type Tunnel } from "./conversation.ts";
import { noExtensions, readExtensions, type Extensions } from "./extensions.ts";
import { literalOf } from "./ip-address.ts";
import { hasEightBitHeader, isEightBit, plainChunks, stuffedChunks } from "./message.ts";
import type { ShownTls } from "./tls-facts.ts";
import type { Depth, DomainPolicy, Exchange, Retry, Stop, TlsFacts, TlsPolicy, Transcript } from "./transcript.ts";
import { anyAccepted, isWrongYes, isYes, leadsToHelo } from "./yes.ts";

export interface SessionOptions {
  /** The host's name, for the transcript. */
  readonly host: string;
  /** The IP address to connect to, and its port; null where a proxy looks the host up. */
  readonly address: string | null;
  readonly port: number;
  /** The address of this machine to connect from; null: as its routes have it. */
  readonly bind: string | null;
  /** Through a proxy; null: we connect, and have so long for it. */
  readonly tunnel: Tunnel | null;
  readonly connectMs: number;
  /** Until the host has greeted. */
  readonly greetMs: number;
  /** The address that the host should see us come from; null: not known. */
  readonly egressAddress: string | null;
  /** Our name; null: we have none, and give our address as a literal (RFC 5321 §4.1.4). */
  readonly helo: string | null;
  /** The reverse-path, empty for the null one. */
  readonly from: string;
  readonly recipients: readonly string[];
  readonly depth: Depth;
  /** The normalised message of depth `message`; `ours`: small, constant, made by us. */
  readonly message: { readonly bytes: Uint8Array; readonly ours: boolean } | null;
  readonly tlsPolicy: TlsPolicy;
  /** What the recipient's domain asks of TLS, and how what the host shows is looked at for it: null, it is as asked. */
  readonly policy: DomainPolicy | null;
  readonly verify: ((shown: ShownTls) => string | null) | null;
  /** What to ask for in the handshake (SNI): the host's name, but where a policy has another. */
  readonly serverName: string;
  /** What earlier sessions with this address taught us to do without. */
  readonly retries: readonly Retry[];
  /** The session's deadline, and so every command's. */
  readonly timeoutMs: number;
  /** What a message has from when it is begun, in the place of that deadline; 0: it has no time of its own. */
  readonly bodyMs: number;
  /**
   * For depth `message`: writes down that the message may be delivered from here on. Called as soon as the session waits
   * for the network, and awaited before the write that holds DATA or BDAT; false, or a rejection: no message is begun.
   */
  readonly commit: Commit | null;
  readonly signal: AbortSignal | null;
  /** After that (Date.now()) no octet leaves, however late the signal comes; Infinity: there is no such time. */
  readonly untilMs: number;
  /** Whether what may still arrive can change the verdict; `leaving`: nothing more is sent but QUIT. */
  readonly settled: (exchanges: readonly Exchange[], leaving: boolean) => Settled;
  readonly progress: ((exchange: Exchange) => void) | null;
}

export interface Session {
  /** Nothing that may still arrive can change the verdict. */
  readonly decided: Promise<void>;
  /** The connection is gone. What happened is in the transcript: a refusal is no exception. */
  readonly ended: Promise<Transcript>;
}

export function openSession(options: SessionOptions): Session {
  // A long message is looked through before there is a connection: a busy loop within one is what loses replies.
  const { message, depth, commit } = options;
  const plan: Plan = {
    ...options,
    isEightBit: message !== null && isEightBit(message.bytes),
    hasEightBitHeader: message !== null && hasEightBitHeader(message.bytes),
    commitment: commitmentTo(depth === "message" ? commit : null),
  };
  const startedAt = new Date().toISOString();
  const conversation = new Conversation(options);
  return { decided: conversation.decided, ended: run(conversation, plan, startedAt) };
}

interface Plan extends SessionOptions {
  /** Whether the message needs 8BITMIME. */
  readonly isEightBit: boolean;
  /** Whether it needs SMTPUTF8. */
  readonly hasEightBitHeader: boolean;
  /** Whether `commit` was done; the first who asks begins it. */
  readonly commitment: Commitment;
}

async function run(conversation: Conversation, options: Plan, startedAt: string): Promise<Transcript> {
  const { facts, fault } = await converse(conversation, options);
  options.commitment.close();
  await leave(conversation);
  const { host, egressAddress, depth, tlsPolicy, from, recipients, retries } = options;
  const retry = retries.at(-1) ?? null;
  const policy =
    options.policy === null
      ? null
      : { ...options.policy, fault: options.policy.fault ?? askedFor(fault, options.policy) };
  return conversation.transcript({
    host,
    egressAddress,
    depth,
    tlsPolicy,
    policy,
    from,
    recipients,
    retry,
    startedAt,
    tls: facts,
  });
}

/** What TLS there was, and what of it is not as the domain's policy asks. */
interface HadTls {
  readonly facts: TlsFacts | null;
  readonly fault: string | null;
}

/** Of a policy that asks for nothing, or that nobody knows, nothing is at fault. */
function askedFor(fault: string | null, { mode }: DomainPolicy): string | null {
  return mode === "enforce" || mode === "testing" ? fault : null;
}

const noTls: HadTls = { facts: null, fault: null };

/** Everything up to QUIT, where QUIT is not part of a group. Returns what TLS there was. */
async function converse(conversation: Conversation, options: Plan): Promise<HadTls> {
  await conversation.answered();
  if (!goesOn(conversation) || options.depth === "greeting") return noTls;
  const inClear = await hello(conversation, options, true);
  if (inClear === null) return noTls;
  const { tls, extensions } = await secure(conversation, options, inClear);
  if (extensions === null || options.depth === "ehlo") return tls;
  const withheld = withhold(options, extensions);
  if (withheld === null) await transact(conversation, options, extensions);
  else conversation.decline(withheld, "mail");
  return tls;
}

/** EHLO, or HELO where EHLO is not understood (RFC 5321 §4.1.4). A refusal with another code is a refusal. */
async function hello(conversation: Conversation, options: Plan, fallBack: boolean): Promise<Extensions | null> {
  const asked = conversation.ask(commands.ehlo(nameOf(conversation, options)));
  // It has left, and until MAIL there are round trips in which there is nothing else to do.
  if (conversation.isAwaiting) void options.commitment.made(options.recipients);
  const greeted = await asked;
  if (greeted !== null && isYes(greeted)) return readExtensions(greeted.reply);
  if (!fallBack || !leadsToHelo(greeted?.reply ?? null)) {
    goesOn(conversation);
    return null;
  }
  await conversation.ask(commands.helo(nameOf(conversation, options)));
  return goesOn(conversation) ? noExtensions : null;
}

/** Without a name the address that the host sees (RFC 5321 §4.1.3). */
function nameOf({ localAddress }: Conversation, { helo, egressAddress }: SessionOptions): string {
  return helo ?? literalOf(egressAddress ?? localAddress ?? "127.0.0.1");
}

interface Secured {
  readonly tls: HadTls;
  /** Null when the session ends here. */
  readonly extensions: Extensions | null;
}

/** STARTTLS as the policy has it. */
async function secure(conversation: Conversation, options: Plan, announced: Extensions): Promise<Secured> {
  const { tlsPolicy, retries } = options;
  if (tlsPolicy === "never") return { tls: noTls, extensions: announced };
  const isRequired = tlsPolicy === "require";
  const inClear = (fault: string): Secured => ({ tls: { facts: null, fault }, extensions: announced });
  const notAtAll = (fault: string | null): Secured => ({ tls: { facts: null, fault }, extensions: null });
  if (retries.includes("in-clear")) return inClear("TLS failed, and the session goes on in the clear");
  if (!announced.startTls) {
    const fault = "the host does not offer STARTTLS";
    if (!isRequired) return inClear(fault);
    const text = "STARTTLS is required, and the host does not offer it";
    conversation.decline({ reason: "tls-not-offered", stage: "starttls", status: null, text }, "starttls");
    return notAtAll(fault);
  }
  const answer = await conversation.ask(commands.startTls());
  if (answer !== null && isYes(answer)) return await underTls(conversation, options);
  if (answer === null || !isInStep(conversation)) return notAtAll(null);
  const fault = "the host refuses STARTTLS";
  return isRequired ? notAtAll(fault) : inClear(`${fault}, and the session goes on in the clear`);
}

async function underTls(conversation: Conversation, options: Plan): Promise<Secured> {
  const { serverName, policy, verify } = options;
  const isEnforced = policy?.mode === "enforce";
  const shown = await conversation.startTls(serverName, isEnforced && verify !== null);
  if (shown === null) return { tls: { facts: null, fault: "TLS failed" }, extensions: null };
  const fault = verify?.(shown) ?? null;
  const tls: HadTls = { facts: shown.facts, fault };
  if (fault !== null && isEnforced) {
    conversation.decline({ reason: "tls-policy", stage: "tls", status: null, text: fault }, "ehlo");
    return { tls, extensions: null };
  }
  // What was announced in the clear is forgotten (RFC 3207 §4.2).
  return { tls, extensions: await hello(conversation, options, false) };
}

/** What the host has told us that it cannot take is not sent. The statuses are what the RFCs have a host say of it. */
function withhold(
  { recipients, from, message, depth, isEightBit, hasEightBitHeader }: Plan,
  { size, smtpUtf8, eightBitMime }: Extensions,
): Stop | null {
  const stop = (reason: Stop["reason"], status: string, text: string): Stop => ({
    reason,
    stage: "mail",
    status,
    text,
  });
  const international = [from, ...recipients].find((each) => !isAscii(each));
  if (international !== undefined && !smtpUtf8) {
    // RFC 6531 §3.5.
    const text = `the host does not announce SMTPUTF8, which <${international}> needs`;
    return stop("needs-smtputf8", "5.6.7", text);
  }
  if (depth !== "message" || message === null) return null;
  if (size !== null && size > 0 && message.bytes.length > size) {
    // RFC 1870 §6.1.
    const text = `the message has ${message.bytes.length} octets, and the host announces SIZE ${size}`;
    return stop("too-large", "5.3.4", text);
  }
  if (hasEightBitHeader && !smtpUtf8) {
    // RFC 6531 §3.5.
    const text =
      "the host does not announce SMTPUTF8, which the message's header needs: it has octets that are not ASCII";
    return stop("needs-smtputf8", "5.6.9", text);
  }
  if (isEightBit && !eightBitMime) {
    // RFC 6152 §3.
    const text = "the message has 8-bit octets, and the host does not announce 8BITMIME";
    return stop("needs-8bitmime", "5.6.3", text);
  }
  return null;
}

/**
 * Whether the message may be begun: not before it is written down that it may be delivered, so that nobody sends it again
 * who does not know of this session (RFC 1047). `next` is what would be said.
 */
async function isCommitted(
  conversation: Conversation,
  plan: Plan,
  extensions: Extensions,
  next: "mail" | "data" | "message",
): Promise<boolean> {
  const isDone = await conversation.isDoneBefore(next, plan.commitment.made(offeredTo(plan, extensions)));
  if (isDone === false) {
    const text = "it could not be written down that the message is being sent, so that it was not begun";
    conversation.decline({ reason: "uncommitted", stage: next, status: null, text }, next);
  }
  return isDone === true;
}

/** MAIL, RCPT, and the message: pipelined where the host allows it (RFC 2920), else in lock-step. */
async function transact(conversation: Conversation, options: Plan, extensions: Extensions): Promise<void> {
  const { depth, message } = options;
  const envelope = envelopeOf(options, extensions);
  const pipelined = extensions.pipelining && !options.retries.includes("lock-step");
  if (!pipelined) return inLockStep(conversation, options, envelope, extensions);
  if (depth === "rcpt" || message === null) {
    await conversation.send({ commands: envelope, message: null, after: commands.quit() });
    return conversation.answered();
  }
  if (!chunks(options, extensions)) {
    if (!(await isCommitted(conversation, options, extensions, "mail"))) return;
    await conversation.send({ commands: [...envelope, commands.data()], message: null, after: null });
    await conversation.answered();
    return sendData(conversation, message.bytes);
  }
  if (message.ours) {
    // One round trip for all. Only for our own message: every octet is out before the first answer, and a careless
    // host runs what it should discard (RFC 3030 §2) as commands.
    if (!(await isCommitted(conversation, options, extensions, "mail"))) return;
    return sendChunk(conversation, envelope, message.bytes, commands.quit());
  }
  await conversation.send({ commands: envelope, message: null, after: null });
  await conversation.answered();
  if (!isInStep(conversation) || !anyAccepted(conversation.exchanges)) return;
  if (!(await isCommitted(conversation, options, extensions, "message"))) return;
  await sendChunk(conversation, [], message.bytes, commands.quit());
}

async function inLockStep(
  conversation: Conversation,
  options: Plan,
  envelope: readonly commands.Command[],
  extensions: Extensions,
): Promise<void> {
  for (const command of envelope) {
    const answer = await conversation.ask(command);
    if (answer === null || isWrongYes(answer)) return void goesOn(conversation);
    // After a refused MAIL there is no transaction; after a 421 there is no session (RFC 5321 §3.8).
    if ((command.stage === "mail" && !isYes(answer)) || answer.reply?.code === 421) return;
  }
  if (options.depth !== "message" || options.message === null || !anyAccepted(conversation.exchanges)) return;
  const isChunk = chunks(options, extensions);
  if (!(await isCommitted(conversation, options, extensions, isChunk ? "message" : "data"))) return;
  if (isChunk) return sendChunk(conversation, [], options.message.bytes, null);
  await conversation.ask(commands.data());
  await sendData(conversation, options.message.bytes);
}

/** After 354: the message where somebody is to get it. Otherwise `leave` ends the empty transaction. */
async function sendData(conversation: Conversation, bytes: Uint8Array): Promise<void> {
  if (!goesOn(conversation) || !inData(conversation) || !anyAccepted(conversation.exchanges)) return;
  const message = { command: commands.finalDot(), octets: stuffedChunks(bytes) };
  await conversation.send({ commands: [], message, after: null });
  await conversation.answered();
}

async function sendChunk(
  conversation: Conversation,
  envelope: readonly commands.Command[],
  bytes: Uint8Array,
  after: commands.Command | null,
): Promise<void> {
  const command = commands.bdatLast(bytes.length);
  const octets = (function* () {
    yield Buffer.from(`${command.line}\r\n`);
    yield* plainChunks(bytes);
  })();
  await conversation.send({ commands: envelope, message: { command, octets }, after });
  await conversation.answered();
}

/** The polite end. Never leaves a connection inside DATA and goes on using it (RFC 2920 §3.1). */
async function leave(conversation: Conversation): Promise<void> {
  conversation.beginLeaving();
  await conversation.answered();
  if (inData(conversation) && !anyAccepted(conversation.exchanges)) {
    const octets = [Buffer.from(".\r\n")];
    await conversation.send({ commands: [], message: { command: commands.finalDot(), octets }, after: null });
    await conversation.answered();
  }
  if (inData(conversation) || inMessage(conversation)) return;
  await conversation.quit(commands.quit());
}

/** Whether the last command's answer lets the plan go on. A yes that is not the right one ends it. */
function goesOn(conversation: Conversation): boolean {
  const last = conversation.exchanges.findLast((each, index) => each.command !== null || index === 0);
  return isInStep(conversation) && last !== undefined && isYes(last);
}

function isInStep(conversation: Conversation): boolean {
  const wrong = conversation.exchanges.find((each, index) => {
    return (each.command !== null || index === 0) && each.stage !== "quit" && isWrongYes(each);
  });
  if (wrong === undefined || wrong.stage === "quit") return true;
  const text = `no answer to ${wrong.command ?? "our coming"}: ${wrong.reply?.lines.join(" ")}`;
  conversation.stop("wrong-yes", wrong.stage, text);
  return false;
}

/** Whether the peer waits for a message that nobody has begun. */
function inData({ exchanges }: Conversation): boolean {
  const data = exchanges.find((each) => each.stage === "data");
  return data !== undefined && isYes(data) && !exchanges.some(isOurMessage);
}

/** Whether a message was begun and not sent whole: then nothing but a close can follow. */
function inMessage({ exchanges }: Conversation): boolean {
  return exchanges.some((each) => isOurMessage(each) && !each.written);
}

function isOurMessage({ stage, command }: Exchange): boolean {
  return stage === "message" && command !== null;
}

function chunks(options: SessionOptions, extensions: Extensions): boolean {
  return extensions.chunking && !options.retries.includes("without-chunking");
}

function envelopeOf(options: Plan, extensions: Extensions): commands.Command[] {
  const { depth, message } = options;
  const sends = depth === "message" && message !== null;
  const isInternational = [options.from, ...options.recipients].some((each) => !isAscii(each));
  const needsUtf8 = isInternational || (sends && options.hasEightBitHeader);
  const ofMail = [
    ...(sends && extensions.size !== null ? [`SIZE=${message.bytes.length}`] : []),
    ...(sends && options.isEightBit ? ["BODY=8BITMIME"] : []),
    ...(needsUtf8 ? ["SMTPUTF8"] : []),
  ];
  // A probe wants no report in anybody's mailbox (RFC 3461 §4.1).
  const ofRcpt = sends && message.ours && extensions.dsn ? ["NOTIFY=NEVER"] : [];
  const offered = offeredTo(options, extensions);
  return [commands.mail(options.from, ofMail), ...offered.map((each) => commands.rcpt(each, ofRcpt))];
}

/** The rest has a transaction of its own (RFC 9422 §4.2). */
function offeredTo({ recipients }: SessionOptions, { recipientsLimit }: Extensions): readonly string[] {
  return recipients.slice(0, recipientsLimit ?? Infinity);
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
