// Plays one script on one connection, and keeps what the client said. It knows the steps of the notation, and neither
// how octets travel nor what the conversation was meant to show.
import type { Act, Step } from "./dialog-step.ts";
import { endsItself, type Script } from "./dialog.ts";
import type { Taker, Wire } from "./mail-host-wire.ts";

/** What the client said on one connection; grows while it is played. */
export interface Journal {
  /** Lines without their line ends; message lines too, with their dots still stuffed. */
  readonly lines: string[];
  /** Whole messages: dots unstuffed, or chunks put together. */
  readonly messages: Uint8Array[];
}

/** Where the client left the script: the step's index (the script's length: behind its end), and what came instead. */
export interface Fault {
  readonly at: number;
  readonly came: string;
}

/** Kept of a line that does not end. */
const lineLimit = 65_536;

/**
 * Plays a script to its end, and then waits until the client is gone.
 * @param pause waits; it may be cut short when nobody watches any more
 * @param mayQuit whether QUIT before the end leaves the script well
 * @returns null, or where the client left the script; the connection is reset then
 */
export async function play(
  script: Script,
  wire: Wire,
  journal: Journal,
  pause: (waitMs: number) => Promise<void>,
  mayQuit: boolean,
): Promise<Fault | null> {
  const player = new Player(wire, journal, pause);
  for (const [at, step] of script.entries()) {
    const came = await player.perform(step);
    if (came === null) continue;
    if (mayQuit && /^"QUIT"$/i.test(came)) {
      await player.letGo(script.slice(at));
      return null;
    }
    wire.reset();
    return { at, came };
  }
  const came = endsItself(script) ? await player.finish() : await player.bid();
  return came === null ? null : { at: script.length, came };
}

class Player {
  readonly #wire: Wire;
  readonly #journal: Journal;
  readonly #pause: (waitMs: number) => Promise<void>;
  /** What leaves in the next write: neighbouring lines leave in one. */
  #unsent: Uint8Array[] = [];
  /** The chunk that BDAT announced. */
  #chunk: { readonly size: number; readonly last: boolean } | null = null;
  #chunks: Uint8Array[] = [];
  /** Commands that came behind the last reply. */
  #unanswered = 0;
  /** Nothing more is expected: what still comes is let go. */
  #over = false;

  constructor(wire: Wire, journal: Journal, pause: (waitMs: number) => Promise<void>) {
    this.#wire = wire;
    this.#journal = journal;
    this.#pause = pause;
  }

  /** Does a step. Returns null, or what came in its place. */
  async perform(step: Step): Promise<string | null> {
    if (step.kind === "send") {
      this.#unsent.push(step.octets);
      this.#unanswered = 0;
      return null;
    }
    await this.#flush();
    switch (step.kind) {
      case "line":
        return this.#expect((line) => line === step.text, Buffer.from(`${step.text}\r\n`));
      case "pattern":
        return this.#expect((line) => step.pattern.test(line), null);
      case "body":
        return this.#chunk === null ? this.#takeMessage() : this.#takeChunk(this.#chunk.size, this.#chunk.last);
      case "act":
        return this.#act(step.act);
    }
  }

  /** The script is over: says so, unless it has ended the connection its own way, and sees the client go. */
  async finish(): Promise<string | null> {
    await this.#flush();
    if (!this.#over) await this.#wire.fin();
    const extra: number[] = [];
    const left = await this.#wire.read(this.#over ? ignored : lineTaker(extra, null));
    if (left === null) {
      this.#wire.reset();
      return shown(extra);
    }
    this.#wire.close();
    return extra.length === 0 ? null : shown(extra);
  }

  /** The script does not say how the connection ends: what still comes is let go, QUIT is answered. */
  async bid(): Promise<null> {
    await this.#flush();
    for (let line = ""; !/^QUIT\r?\n/i.test(line);) {
      const octets: number[] = [];
      if ((await this.#wire.read(lineTaker(octets, null))) !== null) break;
      line = decode(octets);
      if (line.length > 0) this.#journal.lines.push(line.trimEnd());
    }
    await this.#wire.send(Buffer.from("221 2.0.0 good bye\r\n"));
    await this.#wire.fin();
    await this.#wire.read(ignored);
    this.#wire.close();
    return null;
  }

  /** The client has said QUIT: it gets what the script has for the commands before it, and a good bye. */
  async letGo(rest: Script): Promise<void> {
    const lines = rest.filter((step) => step.kind === "send").map(({ octets }) => octets);
    for (const line of lines) {
      if (this.#unanswered === 0) break;
      this.#unsent.push(line);
      // RFC 5321 §4.2.1: a hyphen behind the code says that the reply goes on.
      if (line[3] !== 0x2d) this.#unanswered -= 1;
    }
    this.#unsent.push(Buffer.from("221 2.0.0 good bye\r\n"));
    await this.#flush();
    await this.#wire.fin();
    await this.#wire.read(ignored);
    this.#wire.close();
  }

  async #flush(): Promise<void> {
    const octets = Buffer.concat(this.#unsent);
    this.#unsent = [];
    await this.#wire.send(octets);
  }

  async #act(act: Act): Promise<string | null> {
    switch (act.name) {
      case "fin":
        this.#over = true;
        await this.#wire.fin();
        return null;
      case "rst":
        this.#over = true;
        this.#wire.reset();
        return null;
      case "close":
        this.#over = true;
        this.#wire.close();
        return null;
      case "hang":
        this.#over = true;
        return null;
      case "tls": {
        const why = await this.#wire.startTls(act.version);
        return why === null ? null : `a handshake that failed: ${why}`;
      }
      case "wait":
        await this.#pause(act.waitMs);
        return null;
      case "dribble":
        this.#wire.dribble(act.octets);
        return null;
      case "flood":
        await this.#repeat(Buffer.from(`${act.text}\r\n`), act.times);
        return null;
      case "junk":
        await this.#repeat(Buffer.from("x"), act.octets);
        return null;
    }
  }

  /** Sends the same again and again, never more than a piece ahead of what the client reads. */
  async #repeat(unit: Uint8Array, times: number): Promise<void> {
    const perPiece = Math.min(times, Math.ceil(16_384 / unit.length));
    const piece = Buffer.concat(Array.from({ length: perPiece }, () => unit));
    for (let left = times; left > 0 && !this.#wire.closed; left -= perPiece) {
      await this.#wire.send(piece.subarray(0, Math.min(left, perPiece) * unit.length));
    }
  }

  async #expect(isRight: (line: string) => boolean, expected: Uint8Array | null): Promise<string | null> {
    const octets: number[] = [];
    const left = await this.#wire.read(lineTaker(octets, expected));
    if (left !== null) return `${gone(left)}${octets.length > 0 ? `, behind ${shown(octets)}` : ""}`;
    const line = decode(octets.slice(0, octets.indexOf(0x0a) + 1));
    if (!line.endsWith("\r\n")) return `${shown(octets)} without CRLF (RFC 5321 §2.3.8)`;
    const text = line.slice(0, -2);
    this.#journal.lines.push(text);
    if (!isRight(text)) return shown(octets);
    this.#unanswered += 1;
    const bdat = /^BDAT (\d+)( LAST)?$/i.exec(text);
    this.#chunk = bdat === null ? null : { size: Number(bdat[1]), last: bdat[2] !== undefined };
    return null;
  }

  async #takeMessage(): Promise<string | null> {
    const octets: number[] = [];
    const left = await this.#wire.read(messageTaker(octets));
    const lines = splitLines(octets);
    this.#journal.lines.push(...lines.map(decode));
    if (left !== null) return `${gone(left)}, within the message, after ${octets.length} octets`;
    // RFC 5321 §4.5.2: a first dot is not the message's own.
    const unstuffed = lines.slice(0, -1).map((line) => [...(line[0] === 0x2e ? line.slice(1) : line), 0x0d, 0x0a]);
    this.#journal.messages.push(Buffer.from(unstuffed.flat()));
    return null;
  }

  /** RFC 3030 §2: a chunk is so many octets, whatever they are. */
  async #takeChunk(size: number, last: boolean): Promise<string | null> {
    const octets: number[] = [];
    const left = size === 0 ? null : await this.#wire.read(chunkTaker(octets, size));
    this.#journal.lines.push(...splitLines(octets).map(decode));
    if (left !== null) return `${gone(left)}, after ${octets.length} of ${size} octets`;
    this.#chunk = null;
    this.#chunks.push(Buffer.from(octets));
    if (!last) return null;
    this.#journal.messages.push(Buffer.concat(this.#chunks));
    this.#chunks = [];
    return null;
  }
}

/** Takes whatever comes, until the client leaves. */
function ignored(): number {
  return 1_024;
}

/** Takes a line: as much at a time as is surely its own. */
function lineTaker(line: number[], expected: Uint8Array | null): Taker {
  let asExpected = expected !== null;
  return (octets) => {
    for (const octet of octets) {
      asExpected &&= octet === expected?.[line.length];
      line.push(octet);
    }
    if (octets.includes(0x0a) || line.length > lineLimit) return 0;
    if (asExpected && expected !== null) return expected.length - line.length;
    return line.at(-1) === 0x0d ? 1 : 2;
  };
}

const messageEnd = [0x0d, 0x0a, 0x2e, 0x0d, 0x0a];

/** Takes lines up to and including the lone dot. An empty message is the dot alone, behind the line end of DATA. */
function messageTaker(message: number[]): Taker {
  let matched = 2;
  return (octets) => {
    for (const octet of octets) {
      message.push(octet);
      if (octet === messageEnd[matched]) matched += 1;
      else matched = octet === 0x0d ? 1 : 0;
    }
    return messageEnd.length - matched;
  };
}

function chunkTaker(chunk: number[], size: number): Taker {
  return (octets) => {
    chunk.push(...octets);
    return size - chunk.length;
  };
}

function splitLines(octets: readonly number[]): number[][] {
  const lines: number[][] = [];
  let start = 0;
  for (let end = octets.indexOf(0x0a); end !== -1; end = octets.indexOf(0x0a, start)) {
    lines.push(octets.slice(start, octets[end - 1] === 0x0d ? end - 1 : end));
    start = end + 1;
  }
  if (start < octets.length) lines.push(octets.slice(start));
  return lines;
}

/** UTF-8 where it is, else an octet a character. */
function decode(octets: readonly number[]): string {
  const bytes = Buffer.from(octets);
  const text = bytes.toString("utf8");
  return text.includes("\ufffd") ? bytes.toString("latin1") : text;
}

function shown(octets: readonly number[]): string {
  const text = decode(octets.slice(0, 200));
  return JSON.stringify(text.endsWith("\r\n") ? text.slice(0, -2) : text);
}

function gone(left: "fin" | "reset"): string {
  return left === "fin" ? "the client closed (FIN)" : "a reset, or a close";
}
