// Which reply belongs to which command. It keeps the order of RFC 2920 §3.1, the k-th reply answers the k-th command,
// and gives what was said out of turn a place. It knows neither sockets nor what a reply means.
import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";
import type { Exchange } from "./transcript.ts";
import { isNegative } from "./yes.ts";

/** An exchange while it may still change. `end`: how many octets must have left for it to have left whole. */
export type Entry = { -readonly [Key in keyof Exchange]: Exchange[Key] } & { end: number };

type Stage = Exchange["stage"];

/** Replies to nothing we sent that are kept; more are a flood. */
export const extrasLimit = 20;

export class Exchanges {
  readonly #entries: Entry[] = [entryOf({ stage: "greeting", line: null, recipient: null }, 0, null, 0)];
  #groups = 0;
  #extras = 0;
  /** The stage of the last command that left. */
  #last: Stage = "greeting";
  /** The last reply out of turn that has been given its stage. */
  #placed: Entry | undefined = undefined;

  /** As they stand, in the order of the conversation. */
  get all(): readonly Exchange[] {
    return this.#entries.map(({ end: _, ...exchange }) => exchange);
  }

  /** As they would stand if the first without a reply had this one. */
  with(reply: Reply): readonly Exchange[] {
    const { outstanding } = this;
    return this.#entries.map((each) => (each === outstanding ? { ...each, reply } : each));
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The first without a reply. */
  get outstanding(): Entry | null {
    return this.#entries.find((each) => each.reply === null) ?? null;
  }

  /** The stage that is being awaited, or was reached. */
  get stage(): Stage {
    return this.outstanding?.stage ?? this.#last;
  }

  /** Whether there came more replies than anybody asked for. */
  get isFlooded(): boolean {
    return this.#extras > extrasLimit;
  }

  /** Whether the peer has spoken out of turn since our last command. */
  get isAhead(): boolean {
    return this.#entries.findLast(isExtra) === this.#entries.at(-1);
  }

  /** Whether QUIT was sent. */
  get quit(): Exchange | null {
    return this.#entries.find((each) => each.stage === "quit" && each.command !== null) ?? null;
  }

  /** The reply read last, whatever it answers. */
  get lastReply(): Reply | null {
    return this.#entries.findLast((each) => each.reply !== null)?.reply ?? null;
  }

  /** What is entered from here on leaves in a write of its own. */
  beginGroup(): void {
    this.#groups += 1;
  }

  /** A command that leaves now; `end` is `Infinity` while the whole of it is not known. */
  enter(command: Command, atMs: number, end: number): Entry {
    const entry = entryOf(command, this.#groups, atMs, end);
    this.#entries.push(entry);
    this.#last = command.stage;
    return entry;
  }

  /** Gives a reply to the first command without one or, where there is none, keeps it as said out of turn. */
  take(reply: Reply, atMs: number, taken: number): Entry {
    const entry = this.outstanding ?? this.#enterExtra();
    entry.written = taken >= entry.end;
    entry.reply = reply;
    entry.repliedMs = atMs;
    return entry;
  }

  /**
   * What the peer said out of turn belongs to the stage we are about to enter (RFC 5321 §3.8): `none`; a `refusal`,
   * a 421 say; or a reply that is none, which means that the two sides are out of step.
   */
  place(stage: Stage): "none" | "refusal" | Reply {
    const extras = this.#entries.slice(this.#entries.findLastIndex((each, index) => !isExtra(each, index)) + 1);
    const isNew = extras.at(-1) !== this.#placed;
    this.#placed = extras.at(-1);
    if (isNew) for (const extra of extras) extra.stage = stage;
    if (extras.length === 0) return "none";
    return extras.find((each) => !isNegative(each.reply))?.reply ?? "refusal";
  }

  /** The end: what left whole is known now, also for what nobody answered. */
  close(taken: number): void {
    for (const entry of this.#entries) if (entry.reply === null) entry.written = taken >= entry.end;
  }

  #enterExtra(): Entry {
    this.#extras += 1;
    // Beyond the limit the last one is overwritten: memory is bounded whatever comes.
    if (this.#extras > extrasLimit + 1) return this.#entries.at(-1) as Entry;
    const entry = entryOf({ stage: this.#last, line: null, recipient: null }, this.#groups, null, 0);
    this.#entries.push(entry);
    return entry;
  }
}

/** Nothing of ours came before it, and it is not the greeting. */
function isExtra(entry: Entry, index: number): boolean {
  return entry.command === null && index > 0;
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
