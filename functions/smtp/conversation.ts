// One conversation on one wire: which commands left, which reply belongs to which, how long each may take, how it
// ended. It keeps the order of RFC 2920 §3.1 (the k-th reply answers the k-th command) and has no plan of its own.
import net from "node:net";
import type { Command } from "./command.ts";
import { onAbort, startLimit, type Limit } from "./limit.ts";
import { chunkSize } from "./message.ts";
import { ReplyParser, type Reply } from "./reply.ts";
import { blockLimitMs, stageLimitsMs } from "./timeouts.ts";
import type { Ending, Exchange, Stage, Stop, TlsFacts, Transcript } from "./transcript.ts";
import { Wire, type WireEnd } from "./wire.ts";
import { isNegative, isYes } from "./yes.ts";

/** Whether what may still arrive can change the verdict; `soon` grants the rest of the group one second more. */
export type Settled = "open" | "soon" | "now";

export interface ConversationOptions {
  readonly address: string;
  readonly port: number;
  /** The deadline of the session; no command has longer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | null;
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
  "host" | "depth" | "tlsPolicy" | "from" | "recipients" | "retry" | "startedAt" | "tls"
>;

/** How long the replies of a group are awaited after a refusal that another of them may explain. */
const soonMs = 1_000;
/** How long the rest of a refusal is awaited that began and fell silent. */
const partialMs = 1_500;
/** The polite end, and reading on after a write that failed. */
const leaveMs = 2_000;
/** Replies to nothing we sent that are kept; more are a flood. */
const extrasLimit = 20;
/** Of what is quoted in a text of ours. */
const saidLimit = 1_000;

/** An exchange while it may still change. `end`: what `Wire.taken` must reach for it to have left whole. */
type Entry = { -readonly [Key in keyof Exchange]: Exchange[Key] } & { end: number };

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #started = performance.now();
  readonly #wire: Wire;
  readonly #entries: Entry[] = [];
  readonly #limits = new Set<Limit>();
  readonly #connecting: Limit;
  readonly #decided = Promise.withResolvers<void>();
  #parser = new ReplyParser();
  /** Octets that leave with the next write. */
  #held = Buffer.alloc(0);
  #groups = 0;
  #next: Exchange["stage"] = "greeting";
  /** What we would have said, had the connection not ended before. */
  #unsaid: Exchange["stage"] | null = null;
  #leaving = false;
  #extras = 0;
  /** The last reply out of turn that has been given its stage. */
  #forestalled: Entry | undefined = undefined;
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
    const { address: host, port, signal } = options;
    const socket = signal?.aborted === true ? new net.Socket() : net.connect({ host, port });
    this.#wire = new Wire(socket, {
      connect: () => this.#connected(),
      data: (bytes) => this.#read(bytes),
      fault: () => this.#limit(leaveMs, () => this.#finish("reset")),
      end: (end) => this.#wireEnded(end),
    });
    this.#entries.push(entryOf({ stage: "greeting", line: null, recipient: null }, 0, null, 0));
    const received = (): number => this.#wire.received;
    this.#limit(options.timeoutMs, () => this.#finish("deadline"));
    this.#connecting = this.#limit(stageLimitsMs.connect, () => this.#finish("timeout"));
    if (signal !== null) this.#limits.add(onAbort(signal, received, () => this.#finish("abort")));
  }

  /** Resolves when nothing that may still arrive can change the verdict. */
  get decided(): Promise<void> {
    return this.#decided.promise;
  }

  /** Whether nothing of the plan is to be sent any more. */
  get over(): boolean {
    return this.#end !== null || (!this.#leaving && (this.#stop !== null || this.#decidedMs !== null));
  }

  /** Our own address on this connection; null before there is one. */
  get localAddress(): string | null {
    return this.#localAddress;
  }

  /** The exchanges as they stand. */
  get exchanges(): readonly Exchange[] {
    return this.#entries.map(({ end: _, ...exchange }) => exchange);
  }

  /** Sends one command and waits for its reply; null when there will be none. */
  async ask(command: Command): Promise<Exchange | null> {
    const index = this.#entries.length;
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
    if (this.#end !== null && this.#outstanding() === null) this.#unsaid ??= first.stage;
    if (this.#outOfTurn(first.stage) || this.over) return;
    this.#groups += 1;
    for (const each of commands) this.#hold(each);
    if (message !== null && !(await this.#sendMessage(message))) return;
    if (after !== null) this.#hold(after);
    this.#flush();
    this.#next = (after ?? message?.command ?? commands.at(-1) ?? first).stage;
    this.#watch();
  }

  /** Writes piece by piece; false when it was not sent whole. The last piece waits for what follows it in its write. */
  async #sendMessage({ command, octets }: NonNullable<Group["message"]>): Promise<boolean> {
    const entry = this.#enter(command, Infinity);
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

  #hold(command: Command): void {
    this.#held = Buffer.concat([this.#held, Buffer.from(`${command.line}\r\n`)]);
    this.#enter(command, this.#wire.submitted + this.#held.length);
  }

  #flush(): void {
    const octets = this.#held;
    this.#held = Buffer.alloc(0);
    this.#wire.write(octets);
  }

  /**
   * Resolves when every command has its reply, or when waiting longer cannot change anything. QUIT's is for the polite
   * end to await.
   */
  async answered(): Promise<void> {
    while (!this.over && this.#isAwaiting()) {
      this.#judge();
      if (this.over) return;
      await this.#change();
    }
  }

  /** Speaks TLS. Null when it could not; `stop` or the ending then tell why. */
  async startTls(name: string): Promise<TlsFacts | null> {
    if (this.#end !== null) this.#unsaid ??= "tls";
    if (this.over) return null;
    this.#next = "tls";
    // Half of the session at most, so that there is time to go on without.
    const ms = Math.min(stageLimitsMs.tls, this.#options.timeoutMs / 2);
    const limit = this.#limit(ms, () => this.#finish("timeout"));
    const outcome = await Promise.race([this.#wire.startTls(name), this.#gone()]);
    limit.cancel();
    if (outcome === null) return null;
    if ("version" in outcome) return outcome;
    const said = outcome.inClear.trimEnd();
    const failure = `TLS handshake failed: ${outcome.text}`;
    const quoted = `${said}\n(said in the clear where TLS should be, so nobody vouches for it; ${failure})`;
    this.stop("handshake", "tls", said === "" ? failure : quoted);
    return null;
  }

  /** Goes no further, and says why. The first reason stands. */
  stop(reason: Stop["reason"], stage: Stage, text: string): void {
    this.#stop ??= { reason, stage, status: null, text };
    this.#wake();
  }

  /** From here on only what ends the session politely is sent, and all of it within two seconds (DESIGN §6 rule 8). */
  beginLeaving(): void {
    this.#leaving = true;
    if (this.#stop !== null && unsafe.has(this.#stop.reason)) return this.#finish("us");
    this.#judge();
    this.#limit(leaveMs, () => this.#finish("us"));
  }

  /** QUIT, where it still makes sense, then the peer's own close. */
  async quit(command: Command): Promise<void> {
    this.#outOfTurn("quit");
    if (this.#end !== null) return;
    const quitting = this.#entries.some((each) => each.stage === "quit");
    // A peer that said 421 has said its farewell; writing to it would only provoke a reset.
    const farewell = this.#entries.findLast((each) => each.reply !== null)?.reply?.code === 421;
    if (!quitting && !farewell && this.#outstanding() === null) {
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
      depth: facts.depth,
      tlsPolicy: facts.tlsPolicy,
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
    this.#localAddress = this.#wire.localAddress;
    this.#watch();
  }

  #read(bytes: Uint8Array): void {
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

  /** Gives a reply to the first command without one, or, where there is none, keeps it as said out of turn. */
  #take(reply: Reply): Entry {
    const entry = this.#outstanding() ?? this.#enterExtra();
    entry.written = this.#wire.taken >= entry.end;
    entry.reply = reply;
    entry.repliedMs = this.#elapsed();
    const { end: _, ...exchange } = entry;
    this.#options.progress?.(exchange);
    return entry;
  }

  #enterExtra(): Entry {
    this.#extras += 1;
    if (this.#extras > extrasLimit)
      this.stop("flood", this.#stage(), `over ${extrasLimit} replies to nothing we had sent`);
    // Beyond the limit the last one is overwritten: memory is bounded whatever comes.
    if (this.#extras > extrasLimit + 1) return this.#entries.at(-1) as Entry;
    return this.#enter({ stage: this.#next, line: null, recipient: null }, 0);
  }

  #enter(command: Pick<Command, "stage" | "recipient"> & { readonly line: string | null }, end: number): Entry {
    const entry = entryOf(command, this.#groups, command.line === null ? null : this.#elapsed(), end);
    this.#entries.push(entry);
    return entry;
  }

  /**
   * Whether the peer has spoken out of turn. What it said then belongs to the stage we were about to enter, and
   * if it was no refusal, the two sides are out of step.
   */
  #outOfTurn(stage: Exchange["stage"]): boolean {
    const extras = this.#entries.slice(
      this.#entries.findLastIndex((each, index) => each.command !== null || index === 0) + 1,
    );
    if (this.#forestalled === extras.at(-1)) return extras.length > 0;
    this.#forestalled = extras.at(-1);
    for (const extra of extras) extra.stage = stage;
    if (stage === "quit") return extras.length > 0;
    const positive = extras.find((each) => !isNegative(each.reply));
    if (this.#stop?.reason === "flood") this.#stop = { ...this.#stop, stage };
    else if (positive?.reply != null) {
      this.stop("out-of-step", stage, `a reply to nothing we had sent: ${positive.reply.lines.join(" ")}`);
    }
    return extras.length > 0;
  }

  /** Room for the next piece of a message, unless an answer is there already or nothing more will leave. */
  async #headway(entry: Entry): Promise<boolean> {
    const limit = this.#limit(blockLimitMs, () => this.#finish("timeout"));
    await this.#wire.room();
    // One turn of the loop between two pieces, in which replies are read.
    await new Promise((resolve) => setImmediate(resolve));
    limit.cancel();
    this.#judge();
    return !this.over && entry.reply === null && this.#wire.writeFault === null;
  }

  #outstanding(): Entry | null {
    return this.#entries.find((each) => each.reply === null) ?? null;
  }

  #isAwaiting(): boolean {
    const entry = this.#outstanding();
    return entry !== null && (this.#leaving || entry.stage !== "quit");
  }

  /** The stage we are in, for what concerns no single command; QUIT's is that of the last one that matters. */
  #stage(): Stage {
    const stage = this.#outstanding()?.stage ?? this.#next;
    return stage === "quit" ? "message" : stage;
  }

  #judge(): void {
    if (this.#decidedMs !== null) return;
    const settled = this.#options.settled(this.exchanges, this.#leaving);
    if (settled === "now") return this.#decide();
    if (settled === "soon") this.#soon ??= this.#limit(soonMs, () => this.#decide());
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
    if (this.#end === null && isNegative(this.#parser.partial()))
      this.#partial = this.#limit(partialMs, () => this.#decide());
  }

  /** One limit at a time: the first unanswered command's, counted from its turn. */
  #watch(): void {
    const entry = this.#outstanding();
    if (this.#commandLimit?.entry === entry) return;
    this.#commandLimit?.limit.cancel();
    this.#commandLimit = null;
    if (entry === null || this.#connectedMs === null || entry.end === Infinity) return;
    this.#commandLimit = { entry, limit: this.#limit(stageLimitsMs[entry.stage], () => this.#finish("timeout")) };
  }

  #limit(ms: number, expire: () => void): Limit {
    // Behind the end nothing is awaited, and no timer is left that keeps the process alive.
    if (this.#end !== null) return { cancel() {} };
    const limit = startLimit(ms, () => this.#wire.received, expire);
    const kept: Limit = {
      cancel: () => {
        limit.cancel();
        this.#limits.delete(kept);
      },
    };
    this.#limits.add(kept);
    return kept;
  }

  #wireEnded(end: WireEnd): void {
    const quit = this.#entries.findLast((each) => each.stage === "quit" && each.command !== null);
    if (quit !== undefined && isYes(quit)) return this.#finish("quit");
    // Where TLS breaks, it is we who close.
    this.#finish(end.by === "tls" ? "us" : end.by, end.text);
  }

  /** The first end stands. What the peer left unfinished is still what it said, and what left whole is known now. */
  #finish(by: Ending["by"], system = ""): void {
    if (this.#end !== null) return;
    for (const entry of this.#entries) if (entry.reply === null) entry.written = this.#wire.taken >= entry.end;
    const stage = this.#leaving ? "quit" : this.#next;
    this.#end = { by: by === "failed" && this.#connectedMs !== null ? "reset" : by, system, stage };
    const partial = this.#parser.partial();
    const rest = this.#parser.leftover();
    if (partial !== null) this.#take(partial);
    else if (rest !== "" && this.#parser.violation === null && this.#outstanding()?.stage !== "quit") {
      this.stop("garbage", this.#stage(), rest);
    }
    for (const limit of this.#limits) limit.cancel();
    this.#wire.destroy();
    this.#decide();
    this.#endedMs = this.#elapsed();
    this.#wake();
  }

  #ending(): Ending {
    const end = this.#end ?? { by: "us", system: "", stage: this.#next };
    if (this.#connectedMs === null) {
      const by = end.by === "fin" || end.by === "reset" ? "failed" : end.by;
      return {
        by,
        stage: "connect",
        text: textOf(by, `connecting to ${this.#options.address}`, end.system, this.#options.timeoutMs),
      };
    }
    const waiting = this.#outstanding();
    const stage = waiting?.stage ?? this.#unsaid ?? end.stage;
    const asked = waiting?.command == null ? null : `waiting for the reply to ${waiting.command}`;
    const doing = asked ?? (stage === "greeting" ? "waiting for the greeting" : `at ${stage}`);
    return {
      by: end.by,
      stage,
      text: textOf(end.by, doing, end.system || (this.#wire.writeFault ?? ""), this.#options.timeoutMs),
    };
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

function cancelled(limit: Limit | null): null {
  limit?.cancel();
  return null;
}

function entryOf(
  command: Pick<Command, "stage" | "recipient"> & { readonly line: string | null },
  group: number,
  sentMs: number | null,
  end: number,
): Entry {
  const { stage, line, recipient } = command;
  return { stage, command: line, recipient, group, written: false, sentMs, reply: null, repliedMs: null, end };
}

function textOf(by: Ending["by"], doing: string, system: string, timeoutMs: number): string {
  const why = system === "" ? "" : ` (${system})`;
  switch (by) {
    case "quit":
      return "closed after QUIT";
    case "us":
      return `closed by us while ${doing}`;
    case "fin":
      return `connection closed by the peer while ${doing}${why}`;
    case "reset":
      return `connection reset while ${doing}${why}`;
    case "timeout":
      return `no answer while ${doing}: our limit for it is over`;
    case "deadline":
      return `no answer while ${doing}: our limit of ${timeoutMs / 1000} s for the session is over`;
    case "abort":
      return `stopped by our caller while ${doing}`;
    case "failed":
      return `no connection: failed ${doing}${why}`;
  }
}
