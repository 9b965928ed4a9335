// The reply parser: bytes in, replies out. It knows RFC 5321 §4.2 and nothing of sockets, commands or meaning.
// What arrived is kept unedited; only what exceeds the limits is cut, and flagged.

/** What is odd about a reply that we could still read. */
export type Anomaly =
  | "mixed-codes" //      the lines of one reply differ; the last line's code decides
  | "bare-lf"
  | "no-prefix" //        a line inside a multi-line reply came without its code
  | "no-separator" //     the code is followed by something other than SP, "-" or the end
  | "status-class" //     the status belongs to another class than the code (550 4.7.1)
  | "latin-1" //          not UTF-8
  | "cut"; //             lines or octets beyond the limits were left out

export interface Reply {
  /** As sent: 100 to 999. */
  readonly code: number;
  /** RFC 3463 `class.subject.detail`, parsed wherever a reply carries one, announced or not; null when it does not. */
  readonly status: string | null;
  /** All lines as sent, with code and separator, without line ends. */
  readonly lines: readonly string[];
  /** The connection ended, or fell silent, inside the reply. A partial reply is never a success. */
  readonly partial: boolean;
  readonly anomalies: readonly Anomaly[];
}

/** The stream is no SMTP, or has no end: the session cannot go on. */
export interface Violation {
  readonly reason: "garbage" | "flood";
  readonly text: string;
}

/** Kept of one line, in octets. RFC 5321 §4.5.3.1.5 allows 512; real servers send more. */
export const lineLimit = 2_048;
/** Kept of one reply, in lines. */
export const linesLimit = 100;
/** Where a line or a reply without end stops being read, in octets: its memory and its patience are bounded. */
export const replyLimit = 262_144;

export class ReplyParser {
  #line: Buffer[] = [];
  #lineSize = 0;
  #lineCut = false;
  #lines: string[] = [];
  #replySize = 0;
  #anomalies = new Set<Anomaly>();
  #violation: Violation | null = null;

  /** Why no more replies can be read, or null. */
  get violation(): Violation | null {
    return this.#violation;
  }

  /** Whether octets of an unfinished reply are held. */
  get pending(): boolean {
    return this.#lineSize > 0 || this.#lines.length > 0;
  }

  /** The replies that these octets complete, in order. */
  push(bytes: Uint8Array): Reply[] {
    const replies: Reply[] = [];
    let start = 0;
    while (start < bytes.length && this.#violation === null) {
      const end = bytes.indexOf(0x0a, start);
      this.#take(bytes.subarray(start, end === -1 ? bytes.length : end));
      if (end === -1) break;
      start = end + 1;
      const reply = this.#endLine();
      if (reply !== null) replies.push(reply);
    }
    return replies;
  }

  /** The unfinished reply as it stands, without taking it: `550-…`, or `550 5.7.1 …` without a line end. */
  partial(): Reply | null {
    if (this.#violation !== null) return null;
    const lines = [...this.#lines];
    const anomalies = new Set(this.#anomalies);
    const tail = this.#decode(anomalies);
    if (tail !== "") lines.push(tail);
    const code = lines.map(codeOf).findLast((each) => each !== null) ?? null;
    return code === null ? null : reply(code, lines, true, anomalies);
  }

  /** What is held that is no reply, for the stream's end: `55`, or the start of something else. */
  leftover(): string {
    return this.#decode(new Set());
  }

  #take(piece: Uint8Array): void {
    this.#replySize += piece.length;
    const room = lineLimit - this.#lineSize;
    if (piece.length > room) this.#lineCut = true;
    if (room > 0 && piece.length > 0) {
      const kept = Buffer.from(piece.subarray(0, room));
      this.#line.push(kept);
      this.#lineSize += kept.length;
    }
    if (this.#replySize > replyLimit) {
      this.#violation = {
        reason: "flood",
        text: `a reply without end: over ${replyLimit} octets, beginning ${this.#begins()}`,
      };
    }
  }

  #endLine(): Reply | null {
    const text = this.#decode(this.#anomalies);
    if (!endsWithCr(this.#line) && !this.#lineCut) this.#anomalies.add("bare-lf");
    this.#replySize += 1;
    this.#clearLine();
    const head = this.#lines.length === 0;
    if (head && text === "") {
      // Nothing but a line end between replies: some servers do, and it means nothing. Its octets count: without end
      // they are a flood.
      this.#anomalies = new Set();
      return null;
    }
    const code = codeOf(text);
    if (code === null && head) {
      this.#violation = { reason: "garbage", text };
      return null;
    }
    if (this.#lines.length < linesLimit) this.#lines.push(text);
    else {
      // The last line decides, so it takes the place of the one before it.
      this.#anomalies.add("cut");
      this.#lines[linesLimit - 1] = text;
    }
    if (code === null) {
      this.#anomalies.add("no-prefix");
      return null;
    }
    if (text[3] === "-") return null;
    if (text.length > 3 && text[3] !== " ") this.#anomalies.add("no-separator");
    const complete = reply(code, this.#lines, false, this.#anomalies);
    this.#reset();
    return complete;
  }

  #decode(anomalies: Set<Anomaly>): string {
    if (this.#lineCut) anomalies.add("cut");
    const octets = Buffer.concat(this.#line);
    const end = octets.at(-1) === 0x0d ? octets.length - 1 : octets.length;
    const line = octets.subarray(0, end);
    try {
      // A cut line may end inside a character: `stream` leaves that out instead of failing.
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line, { stream: this.#lineCut });
    } catch {
      anomalies.add("latin-1");
      return line.toString("latin1");
    }
  }

  #begins(): string {
    return JSON.stringify((this.#lines[0] ?? this.#decode(new Set())).slice(0, 200));
  }

  #clearLine(): void {
    this.#line = [];
    this.#lineSize = 0;
    this.#lineCut = false;
  }

  #reset(): void {
    this.#clearLine();
    this.#lines = [];
    this.#replySize = 0;
    this.#anomalies = new Set();
  }
}

function endsWithCr(line: readonly Buffer[]): boolean {
  return line.at(-1)?.at(-1) === 0x0d;
}

/** The code of a reply line, when it is one: three digits, then no further digit. Fewer are garbage (RFC 5321 §4.2). */
function codeOf(line: string): number | null {
  const match = /^([1-9]\d\d)(?!\d)/.exec(line);
  return match === null ? null : Number(match[1]);
}

function reply(code: number, lines: readonly string[], partial: boolean, anomalies: Set<Anomaly>): Reply {
  const codes = new Set(lines.map(codeOf).filter((each) => each !== null));
  if (codes.size > 1) anomalies.add("mixed-codes");
  const status = statusOf(code, lines);
  if (status !== null && status[0] !== String(code)[0]) anomalies.add("status-class");
  return { code, status, lines: [...lines], partial, anomalies: [...anomalies] };
}

/** The last status of the code's own class, else the last there is. Some put it in brackets or behind a `#`. */
function statusOf(code: number, lines: readonly string[]): string | null {
  const statuses = lines
    .map((line) => /^\d{3}[ -]\s*[#[(<]?([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/.exec(line)?.[1] ?? null)
    .toReversed();
  return statuses.find((each) => each?.[0] === String(code)[0]) ?? statuses.find((each) => each !== null) ?? null;
}
