// Plays an open mail host on one connection: what providers are to those whom they do not refuse. It takes every sender,
// recipient and message that is said in the order of RFC 5321, pipelined (RFC 2920) or not, and announces STARTTLS.
// It refuses nothing but what is out of order, and delivers nothing.
import type { Journal } from "./mail-host-play.ts";
import type { Wire } from "./mail-host-wire.ts";

/** In octets: of a read, a command line and a message. */
const pieceLimit = 65_536;
const lineLimit = 8_192;
const messageLimit = 52_428_800;

/** Plays until the client has left. Null: whatever a client says, it leaves no script. */
export async function playOpen(wire: Wire, journal: Journal): Promise<null> {
  const host = new OpenHost(wire, journal);
  await host.greet();
  for (let isOpen = true; isOpen;) isOpen = await host.answer();
  await wire.fin();
  await wire.read(() => pieceLimit);
  wire.close();
  return null;
}

/** RFC 5321 §4.1.4: what has been said, in the order in which it must be. */
type Said = "nothing" | "hello" | "mail" | "rcpt";

class OpenHost {
  readonly #wire: Wire;
  readonly #journal: Journal;
  /** What came and was not looked at yet. */
  #held: Buffer = Buffer.alloc(0);
  /** Replies of one group leave in one write (RFC 2920 §3.2). */
  #replies: string[] = [];
  #said: Said = "nothing";
  #isTls = false;

  constructor(wire: Wire, journal: Journal) {
    this.#wire = wire;
    this.#journal = journal;
  }

  async greet(): Promise<void> {
    await this.#wire.send(Buffer.from("220 mx.lab.example ESMTP\r\n"));
  }

  /** Answers one command. Returns whether another may follow. */
  async answer(): Promise<boolean> {
    const line = await this.#line();
    if (line === null) return false;
    const [, verb = "", rest = ""] = /^(\w+)(?: (.*))?$/.exec(line) ?? [];
    switch (verb.toUpperCase()) {
      case "EHLO":
        this.#said = "hello";
        return this.#reply(...this.#extensions(rest));
      case "HELO":
        this.#said = "hello";
        return this.#reply("250 mx.lab.example");
      case "STARTTLS":
        return await this.#startTls();
      case "MAIL":
        return this.#step(/^FROM:<[^>]*>/i.test(rest), ["hello"], "mail", "250 2.1.0 sender ok");
      case "RCPT":
        return this.#step(/^TO:<[^>]+>/i.test(rest), ["mail", "rcpt"], "rcpt", "250 2.1.5 recipient ok");
      case "DATA":
        return this.#said === "rcpt" ? await this.#takeMessage() : this.#reply("503 5.5.1 RCPT first");
      case "RSET":
        this.#said = this.#said === "nothing" ? "nothing" : "hello";
        return this.#reply("250 2.0.0 ok");
      case "NOOP":
        return this.#reply("250 2.0.0 ok");
      case "QUIT":
        this.#reply("221 2.0.0 good bye");
        await this.#flush();
        return false;
      default:
        return this.#reply("500 5.5.1 no such command here");
    }
  }

  #step(isWell: boolean, after: readonly Said[], said: Said, yes: string): boolean {
    if (!isWell) return this.#reply("501 5.5.4 an address in angle brackets, please");
    if (!after.includes(this.#said)) return this.#reply("503 5.5.1 not in this order");
    this.#said = said;
    return this.#reply(yes);
  }

  #extensions(name: string): readonly string[] {
    const own = ["PIPELINING", `SIZE ${messageLimit}`, "8BITMIME", "ENHANCEDSTATUSCODES"];
    const lines = [`mx.lab.example hello ${name}`, ...own, ...(this.#isTls ? [] : ["STARTTLS"])];
    return lines.map((each, index) => `250${index === lines.length - 1 ? " " : "-"}${each}`);
  }

  /** RFC 3207 §4.2: nothing that was said in the clear holds under TLS. */
  async #startTls(): Promise<boolean> {
    if (this.#isTls) return this.#reply("503 5.5.1 TLS is here");
    this.#reply("220 2.0.0 go ahead");
    await this.#flush();
    this.#held = Buffer.alloc(0);
    this.#said = "nothing";
    this.#isTls = true;
    return (await this.#wire.startTls(null)) === null;
  }

  async #takeMessage(): Promise<boolean> {
    this.#reply("354 go on");
    await this.#flush();
    const message = await this.#until("\r\n.\r\n", messageLimit, "\r\n");
    if (message === null) return false;
    // RFC 5321 §4.5.2: a first dot is not the message's own.
    const unstuffed = message.toString("latin1").slice(2, -3).replaceAll("\r\n.", "\r\n").replace(/^\./, "");
    this.#journal.messages.push(Buffer.from(unstuffed, "latin1"));
    this.#said = "hello";
    return this.#reply("250 2.0.0 the message is ours now");
  }

  #reply(...lines: readonly string[]): boolean {
    this.#replies.push(...lines);
    return true;
  }

  async #flush(): Promise<void> {
    const text = this.#replies.map((each) => `${each}\r\n`).join("");
    this.#replies = [];
    if (text !== "") await this.#wire.send(Buffer.from(text));
  }

  /** The next command; null: the client left, or talks without end. */
  async #line(): Promise<string | null> {
    const octets = await this.#until("\n", lineLimit, "");
    if (octets === null) return null;
    const line = octets.toString("utf8").replace(/\r?\n$/, "");
    this.#journal.lines.push(line);
    return line;
  }

  /** Octets up to and including the mark, with `before` in front of them. Null: they do not come, or are too many. */
  async #until(mark: string, limit: number, before: string): Promise<Buffer | null> {
    const pieces: Buffer[] = [];
    let octets = 0;
    // The mark may begin in one piece and end in the next; all that came before is looked at once.
    let tail: Buffer = Buffer.alloc(0);
    let piece: Buffer = Buffer.concat([Buffer.from(before), this.#held]);
    for (;;) {
      const looked = Buffer.concat([tail, piece]);
      const at = looked.indexOf(mark);
      if (at !== -1) {
        const rest = looked.subarray(at + mark.length);
        this.#held = rest;
        return Buffer.concat([...pieces, piece]).subarray(0, octets + piece.length - rest.length);
      }
      pieces.push(piece);
      octets += piece.length;
      tail = looked.subarray(Math.max(0, looked.length - mark.length + 1));
      if (octets > limit) this.#wire.reset();
      await this.#flush();
      const next = await this.#piece();
      if (next === null) return null;
      piece = next;
    }
  }

  /** What comes next, whole lines where the client writes such. Null: it left. */
  async #piece(): Promise<Buffer | null> {
    const octets: Uint8Array[] = [];
    const left = await this.#wire.read((more) => {
      octets.push(Buffer.from(more));
      return more.at(-1) === 0x0a ? 0 : pieceLimit;
    });
    return left === null ? Buffer.concat(octets) : null;
  }
}
