// One conversation on one wire: what is sent, how long each answer may take, when nothing can change the verdict any
// more, how it ended. It has no plan of its own, and does not know what a reply means.
import net from "node:net";
import type { Command } from "./command.ts";
import { endingOf } from "./ending.ts";
import { Exchanges, extrasLimit, type Entry } from "./exchanges.ts";
import { canonical, familyOf } from "./ip-address.ts";
import { Limits, type Limit } from "./limit.ts";
import { chunkSize } from "./message.ts";
import { ReplyParser, type Reply } from "./reply.ts";
import { blockLimitMs, stageLimitsMs } from "./timeouts.ts";
import type { ShownTls } from "./tls-facts.ts";
import type { Ending, Exchange, Stage, Stop, Transcript } from "./transcript.ts";
import { Wire, type WireEnd } from "./wire.ts";
import { isNegative, isYes, leadsToHelo } from "./yes.ts";

/** Whether what may still arrive can change the verdict; `soon` grants the rest of the group one second more. */
export type Settled = "open" | "soon" | "now";

/** A connection that stands already, through a proxy. */
export interface Tunnel {
  /** Paused, so that nothing is lost before it is read. */
  readonly socket: net.Socket;
  /** What the host has said by now. */
  readonly head: Uint8Array;
  /** When it was begun (performance.now()): that is when the session was. */
  readonly beganMs: number;
}

export interface ConversationOptions {
  /** Null where a proxy looks the host up. */
  readonly address: string | null;
  readonly port: number;
  /** The address of this machine to connect from; null: as its routes have it. */
  readonly bind: string | null;
  /** How long connecting may take. */
  readonly connectMs: number;
  /** How long it may take, that too, until the peer has said its first reply. */
  readonly greetMs: number;
  readonly tunnel: Tunnel | null;
  /** The deadline of the session; no command has longer. */
  readonly timeoutMs: number;
  /** The deadline of a message, from when it is begun, in the place of the session's; 0: it has none of its own. */
  readonly bodyMs: number;
  readonly signal: AbortSignal | null;
  /** After that (Date.now()) nothing is written any more: a process that stood still finds its timers late. */
  readonly untilMs: number;
  /** `leaving`: nothing more will be sent but QUIT. */
  readonly settled: (exchanges: readonly Exchange[], leaving: boolean) => Settled;
  readonly progress: ((exchange: Exchange) => void) | null;
}

/** Commands of one write; a message, with what follows it, if there is one. */
export interface Group {
  readonly commands: readonly Command[];
  readonly message: { readonly command: Command; readonly octets: Iterable<Uint8Array> } | null;
  readonly after: Command | null;
}

/** What of a transcript only the plan knows. */
export type TranscriptFacts = Pick<
  Transcript,
  "host" | "egressAddress" | "depth" | "tlsPolicy" | "policy" | "from" | "recipients" | "retry" | "startedAt" | "tls"
>;

/** How long the replies of a group are awaited after a refusal that another of them may explain. */
const soonMs = 1_000;
/** How long the rest of a refusal is awaited that began and fell silent. */
const partialMs = 1_500;
/** The polite end, and reading on after a write that failed. */
const leaveMs = 2_000;
/** Of what is quoted in a text of ours. */
const saidLimit = 1_000;

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #started: number;
  readonly #wire: Wire;
  readonly #exchanges = new Exchanges();
  readonly #limits = new Limits(() => this.#wire.received);
  readonly #connecting: Limit;
  readonly #greeting: Limit;
  #deadline: { readonly ms: number; readonly of: "session" | "message"; readonly limit: Limit };
  readonly #decided = Promise.withResolvers<void>();
  #parser = new ReplyParser();
  /** Octets that leave with the next write. */
  #held = Buffer.alloc(0);
  /** What we would have said, had the connection not ended before. */
  #unsaid: Exchange["stage"] | null = null;
  #isSecuring = false;
  /** Under TLS, and nothing was said yet. */
  #isUnheard = false;
  #leaving = false;
  #connectedMs: number | null = null;
  #decidedMs: number | null = null;
  #endedMs: number | null = null;
  #end: { readonly by: Ending["by"]; readonly system: string; readonly stage: Exchange["stage"] } | null = null;
  #stop: Stop | null = null;
  #localAddress: string | null = null;
  readonly #wakers: (() => void)[] = [];
  #commandLimit: { readonly entry: Entry; readonly limit: Limit } | null = null;
  #soon: Limit | null = null;
  #partial: Limit | null = null;

  /** Connects at once; the greeting is the first exchange. */
  constructor(options: ConversationOptions) {
    this.#options = options;
    const { tunnel, signal } = options;
    this.#started = tunnel?.beganMs ?? performance.now();
    this.#wire = new Wire(tunnel?.socket ?? connect(options), {
      connect: () => this.#connected(),
      data: (bytes) => this.#read(bytes),
      fault: () => this.#limits.start(leaveMs, () => this.#finish("reset")),
      end: (end) => this.#wireEnded(end),
    });
    this.#deadline = this.#deadlineIn(options.timeoutMs, "session");
    this.#connecting = this.#limits.start(options.connectMs, () => this.#finish("timeout"));
    this.#greeting = this.#limits.start(options.greetMs, () => this.#finish("timeout"));
    if (signal !== null) this.#limits.follow(signal, () => this.#finish("abort"));
    if (tunnel === null) return;
    this.#connected();
    this.#read(tunnel.head);
  }

  /** Resolves when nothing that may still arrive can change the verdict. */
  get decided(): Promise<void> {
    return this.#decided.promise;
  }

  /** Whether nothing of the plan is to be sent any more. */
  get over(): boolean {
    return this.#end !== null || (!this.#leaving && (this.#stop !== null || this.#decidedMs !== null));
  }

  /** Whether a command has left that the plan awaits the answer to. */
  get isAwaiting(): boolean {
    const entry = this.#exchanges.outstanding;
    return entry !== null && (this.#leaving || entry.stage !== "quit");
  }

  /** Our own address on this connection; null before there is one. */
  get localAddress(): string | null {
    return this.#localAddress;
  }

  /** The exchanges as they stand. */
  get exchanges(): readonly Exchange[] {
    return this.#exchanges.all;
  }

  /** Sends one command and waits for its reply; null when there will be none. */
  async ask(command: Command): Promise<Exchange | null> {
    const index = this.#exchanges.length;
    await this.send({ commands: [command], message: null, after: null });
    await this.answered();
    const exchange = this.exchanges[index];
    return exchange?.reply == null ? null : exchange;
  }

  /**
   * Sends a group: in one write, or, with a long message, in many, no faster than the peer takes them. An early reply
   * stops a message, for a refusal in mid-body is the answer. Nothing leaves once the peer has spoken out of turn:
   * that reply, say a 421, answers what we were about to say (RFC 5321 §3.8).
   */
  async send(group: Group): Promise<void> {
    const { commands, message, after } = group;
    const first = [...commands, message?.command, after].find((each) => each != null);
    if (first == null) return;
    if (this.#end !== null) this.#unsaid ??= first.stage;
    if (this.#isForestalled(first.stage) || this.over) return;
    this.#exchanges.beginGroup();
    for (const each of commands) this.#hold(each);
    if (message !== null && !(await this.#sendMessage(message))) return;
    if (after !== null) this.#hold(after);
    this.#flush();
    this.#watch();
  }

  /** Writes piece by piece; false when it was not sent whole. The last piece waits for what follows it in its write. */
  async #sendMessage({ command, octets }: NonNullable<Group["message"]>): Promise<boolean> {
    const entry = this.#exchanges.enter(command, this.#elapsed(), Infinity);
    this.#beginBody();
    for (const piece of octets) {
      if (this.#held.length > 0 && this.#held.length + piece.length > chunkSize) {
        this.#flush();
        if (!(await this.#headway(entry))) return false;
      }
      this.#held = Buffer.concat([this.#held, piece]);
    }
    entry.end = this.#wire.submitted + this.#held.length;
    return true;
  }

  /**
   * A message that is begun has the time that it needs: cut in the middle, or before its answer, it would be `unknown`
   * (DESIGN §6 rule 9).
   */
  #beginBody(): void {
    const { bodyMs } = this.#options;
    if (bodyMs === 0 || this.#leaving) return;
    this.#deadline.limit.cancel();
    this.#deadline = this.#deadlineIn(bodyMs, "message");
  }

  #deadlineIn(ms: number, of: "session" | "message"): { ms: number; of: typeof of; limit: Limit } {
    return { ms, of, limit: this.#limits.start(ms, () => this.#finish("deadline")) };
  }

  #hold(command: Command): void {
    this.#held = Buffer.concat([this.#held, Buffer.from(`${command.line}\r\n`)]);
    this.#exchanges.enter(command, this.#elapsed(), this.#wire.submitted + this.#held.length);
  }

  #flush(): void {
    if (Date.now() >= this.#options.untilMs) return this.#finish("abort");
    const octets = this.#held;
    this.#held = Buffer.alloc(0);
    this.#wire.write(octets);
  }

  /**
   * Resolves when every command has its reply, or when waiting longer cannot change anything. QUIT's is for the polite
   * end to await.
   */
  async answered(): Promise<void> {
    while (!this.over && this.isAwaiting) {
      this.#judge();
      if (this.over) return;
      await this.#change();
    }
  }

  /**
   * Waits for what is to be done on our side before `next` is said: whether it was, in the session's time. Null: there is
   * nothing to say any more, for the peer has spoken out of turn, or is gone, or our caller has given up.
   */
  async isDoneBefore(next: Exchange["stage"], own: Promise<boolean>): Promise<boolean | null> {
    const isDone = await Promise.race([own, this.#silenced()]);
    if (isDone !== null) return isDone;
    if (this.#end?.by === "deadline") return false;
    if (this.#end !== null) this.#unsaid ??= next;
    this.#isForestalled(next);
    return null;
  }

  /** Resolves when nothing of the plan can be said any more. */
  async #silenced(): Promise<null> {
    while (!this.over && !this.#exchanges.isAhead) await this.#change();
    return null;
  }

  /** Speaks TLS. Null when it could not; `stop` or the ending then tell why. */
  async startTls(name: string, strict: boolean): Promise<ShownTls | null> {
    if (this.#end !== null) this.#unsaid ??= "tls";
    if (this.over) return null;
    const limit = this.#limits.start(stageLimitsMs.tls, () => this.#finish("timeout"));
    this.#isSecuring = true;
    const outcome = await Promise.race([this.#wire.startTls(name, strict), this.#gone()]);
    limit.cancel();
    if (outcome === null) return null;
    this.#isSecuring = false;
    this.#isUnheard = true;
    if ("facts" in outcome) return outcome;
    const said = outcome.inClear.trimEnd();
    const failure = `TLS handshake failed: ${outcome.text}`;
    const quoted = `${said}\n(said in the clear where TLS should be, so nobody vouches for it; ${failure})`;
    this.stop("handshake", "tls", said === "" ? failure : quoted);
    return null;
  }

  /**
   * Goes no further by our own choice, unless the peer has spoken out of turn before `next`, the stage that we would have
   * entered: then that is the answer, to going no further too.
   */
  decline(stop: Stop, next: Exchange["stage"]): void {
    if (!this.#isForestalled(next)) this.#stopFor(stop);
  }

  /** Goes no further, and says why. The first reason stands. */
  stop(reason: Stop["reason"], stage: Stage, text: string): void {
    this.#stopFor({ reason, stage, status: null, text });
  }

  #stopFor(stop: Stop): void {
    this.#stop ??= stop;
    if (this.#leaving && unsafe.has(stop.reason)) this.#finish("us");
    this.#wake();
  }

  /** From here on only what ends the session politely is sent, and all of it within two seconds (DESIGN §6 rule 8). */
  beginLeaving(): void {
    this.#leaving = true;
    if (this.#stop !== null && unsafe.has(this.#stop.reason)) return this.#finish("us");
    this.#judge();
    this.#limits.start(leaveMs, () => this.#finish("us"));
  }

  /** QUIT, where it still makes sense, then the peer's own close. */
  async quit(command: Command): Promise<void> {
    this.#exchanges.place("quit");
    if (this.#end !== null) return;
    // A peer that said 421 has said its farewell; writing to it would only provoke a reset.
    const isFarewell = this.#exchanges.lastReply?.code === 421;
    if (this.#exchanges.quit === null && !isFarewell && this.#exchanges.outstanding === null) {
      await this.send({ commands: [command], message: null, after: null });
    }
    await this.answered();
    this.#judge();
    this.#wire.finish();
    await this.#gone();
  }

  /** What was said, once the connection is gone. */
  transcript(facts: TranscriptFacts): Transcript {
    this.#finish("us");
    const endedMs = this.#endedMs ?? this.#elapsed();
    return {
      host: facts.host,
      address: this.#options.address,
      port: this.#options.port,
      localAddress: this.#localAddress,
      egressAddress: facts.egressAddress,
      depth: facts.depth,
      tlsPolicy: facts.tlsPolicy,
      policy: facts.policy,
      from: facts.from,
      recipients: facts.recipients,
      retry: facts.retry,
      startedAt: facts.startedAt,
      tls: facts.tls,
      exchanges: this.#connectedMs === null ? [] : this.exchanges,
      stop: this.#stop,
      ending: this.#ending(),
      timings: { connectedMs: this.#connectedMs, decidedMs: this.#decidedMs ?? endedMs, endedMs },
    };
  }

  #connected(): void {
    this.#connecting.cancel();
    this.#connectedMs = this.#elapsed();
    // Behind a proxy it is nobody's that a host sees.
    if (this.#options.tunnel === null) this.#localAddress = this.#wire.localAddress;
    this.#watch();
  }

  #read(bytes: Uint8Array): void {
    this.#isUnheard = false;
    const replies = this.#parser.push(bytes);
    for (const [index, reply] of replies.entries()) {
      const entry = this.#take(reply);
      if (entry.stage !== "starttls" || !isYes(entry)) continue;
      // What stands in the clear behind the 220 is not the peer's, whoever sent it (CVE-2011-0411).
      const behind = replies.slice(index + 1).flatMap(({ lines }) => lines);
      if (behind.length > 0 || this.#parser.pending) {
        const said = [...behind, this.#parser.leftover()].join(" ").slice(0, saidLimit).trimEnd();
        this.stop(
          "injection",
          "starttls",
          `octets in the clear behind the 220 to STARTTLS, which nobody vouches for: ${said}`,
        );
      }
      this.#parser = new ReplyParser();
      break;
    }
    const { violation } = this.#parser;
    if (violation !== null) this.stop(violation.reason, this.#stage(), violation.text);
    this.#awaitRest();
    this.#watch();
    this.#wake();
  }

  #take(reply: Reply): Entry {
    this.#greeting.cancel();
    const entry = this.#exchanges.take(reply, this.#elapsed(), this.#wire.taken);
    const { end: _, ...exchange } = entry;
    this.#options.progress?.(exchange);
    if (this.#exchanges.isFlooded) {
      this.stop("flood", this.#stage(), `over ${extrasLimit} replies to nothing we had sent`);
    }
    return entry;
  }

  /** Whether the peer has spoken out of turn, so that we do not; if it was no refusal, the two sides are out of step. */
  #isForestalled(stage: Exchange["stage"]): boolean {
    const said = this.#exchanges.place(stage);
    if (said === "none") return false;
    if (said === "refusal" || stage === "quit") return true;
    if (this.#stop?.reason === "flood") this.#stop = { ...this.#stop, stage };
    else this.stop("out-of-step", stage, `a reply to nothing we had sent: ${said.lines.join(" ")}`);
    return true;
  }

  /** Room for the next piece of a message, unless an answer is there already or nothing more will leave. */
  async #headway(entry: Entry): Promise<boolean> {
    const limit = this.#limits.start(blockLimitMs, () => this.#finish("timeout"));
    await this.#wire.room();
    // One turn of the loop between two pieces, in which replies are read.
    await new Promise((resolve) => setImmediate(resolve));
    limit.cancel();
    this.#judge();
    return !this.over && entry.reply === null && this.#wire.writeFault === null;
  }

  /** The stage we are in, for what concerns no single command; QUIT's is that of the last one that matters. */
  #stage(): Stage {
    const { stage } = this.#exchanges;
    return stage === "quit" ? "message" : stage;
  }

  #judge(): void {
    if (this.#decidedMs !== null) return;
    const settled = this.#options.settled(this.exchanges, this.#leaving);
    if (settled === "now") return this.#decide();
    if (settled === "soon") this.#soon ??= this.#limits.start(soonMs, () => this.#decide());
    if (settled === "open") this.#soon = cancelled(this.#soon);
  }

  #decide(): void {
    if (this.#decidedMs !== null) return;
    this.#decidedMs = this.#elapsed();
    this.#decided.resolve();
    this.#wake();
  }

  /** `550-…` and then silence is a refusal: its rest is awaited for a moment, and taken later if it comes after all. */
  #awaitRest(): void {
    this.#partial = cancelled(this.#partial);
    if (isNegative(this.#parser.partial())) this.#partial = this.#limits.start(partialMs, () => this.#judgePartial());
  }

  /** What has begun counts as said, unless somebody else still awaits an answer, or it may be recovered from. */
  #judgePartial(): void {
    const partial = this.#parser.partial();
    if (partial === null || (this.#exchanges.stage === "ehlo" && leadsToHelo(partial))) return;
    if (this.#options.settled(this.#exchanges.with(partial), true) !== "open") this.#decide();
  }

  /** One limit at a time: the first unanswered command's, counted from its turn. */
  #watch(): void {
    const entry = this.#exchanges.outstanding;
    if (this.#commandLimit?.entry === entry) return;
    this.#commandLimit?.limit.cancel();
    this.#commandLimit = null;
    if (entry === null || this.#connectedMs === null || entry.end === Infinity) return;
    this.#commandLimit = {
      entry,
      limit: this.#limits.start(stageLimitsMs[entry.stage], () => this.#finish("timeout")),
    };
  }

  #wireEnded(end: WireEnd): void {
    const { quit } = this.#exchanges;
    if (quit !== null && isYes(quit)) return this.#finish("quit");
    // Where TLS breaks, it is we who close. A certificate of ours that TLS 1.3 misses is told behind the handshake.
    if (end.by === "tls" && this.#isUnheard) this.stop("handshake", "tls", `TLS failed: ${end.text}`);
    this.#finish(end.by === "tls" ? "us" : end.by, end.text);
  }

  /** The first end stands. What the peer left unfinished is still what it said, and what left whole is known now. */
  #finish(by: Ending["by"], system = ""): void {
    if (this.#end !== null) return;
    this.#exchanges.close(this.#wire.taken);
    const stage = this.#leaving ? "quit" : this.#isSecuring ? "tls" : this.#exchanges.stage;
    this.#end = { by: by === "failed" && this.#connectedMs !== null ? "reset" : by, system, stage };
    const partial = this.#parser.partial();
    const rest = this.#parser.leftover();
    if (partial !== null) this.#take(partial);
    else if (rest !== "" && this.#parser.violation === null && this.#exchanges.outstanding?.stage !== "quit") {
      this.stop("garbage", this.#stage(), rest);
    }
    this.#limits.end();
    this.#wire.destroy();
    this.#decide();
    this.#endedMs = this.#elapsed();
    this.#wake();
  }

  #ending(): Ending {
    const end = this.#end ?? { by: "us", system: "", stage: this.#exchanges.stage };
    return endingOf({
      by: end.by,
      stage: this.#unsaid ?? end.stage,
      waiting: this.#exchanges.outstanding,
      system: end.system || (this.#wire.writeFault ?? ""),
      connecting: this.#connectedMs === null ? (this.#options.address ?? "") : null,
      deadline: this.#deadline,
    });
  }

  async #gone(): Promise<null> {
    while (this.#end === null) await this.#change();
    return null;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }

  #elapsed(): number {
    return Math.round((performance.now() - this.#started) * 10) / 10;
  }
}

/** After these, another octet of ours could be taken for something that it is not. */
const unsafe: ReadonlySet<Stop["reason"]> = new Set([
  "garbage",
  "flood",
  "wrong-yes",
  "out-of-step",
  "injection",
  "handshake",
]);

/**
 * A literal is dialled, so that nobody looks it up otherwise; IPv4-mapped as IPv4, which a socket with an IPv4 address can
 * reach alone.
 */
function connect({ address, port, bind, signal }: ConversationOptions): net.Socket {
  if (signal?.aborted === true || address === null) return new net.Socket();
  const host = familyOf(address) === "4" ? canonical(address) : address;
  return net.connect({ host, port, ...(bind === null ? {} : { localAddress: bind }) });
}

function cancelled(limit: Limit | null): null {
  limit?.cancel();
  return null;
}
