// What becomes of a delivery as time goes by and answers come: which recipients are done, who is tried again when, what is
// to be told. Pure. It asks nobody and writes nothing.
import { isOpen, type Delivery, type EventName, type Recipient, type Told } from "../state/deliveries.ts";
import { classes, type Class } from "../verdict/classes.ts";
import { moreTelling, reasonOf, wordFor, type LastWord } from "../verdict/last-word.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { retryAfterMs } from "./retry.ts";

/** A sender is told once that somebody still waits (RFC 5321 §4.5.4.1 leaves when to us). */
export const delayedAfterMs = 3_600_000;

/** When there is something to do: an attempt, something to tell, an end; null: never again. */
export function dueAtMsOf({ untold, recipients, isDelayTold, createdAt, expiresAtMs }: Delivery): number | null {
  if (untold.length > 0) return 0;
  const open = recipients.filter(isOpen);
  if (open.length === 0) return null;
  const delayedAtMs = isDelayTold ? Infinity : Date.parse(createdAt) + delayedAfterMs;
  return Math.min(expiresAtMs, delayedAtMs, ...open.map(({ nextAtMs }) => nextAtMs));
}

/** The recipients that an attempt is due for. */
export function dueOf({ recipients }: Delivery, nowMs: number): readonly Recipient[] {
  return recipients.filter((each) => isOpen(each) && each.nextAtMs <= nowMs + togetherMs);
}

/** Who is due within so short a time goes along: one session instead of two. */
const togetherMs = 30_000;

/**
 * What time alone brings, once the delivery is in nobody's hands: those whose process was not heard of again, those whose
 * time is over, and after an hour a word to the sender.
 */
export function atTime(delivery: Delivery, now: Date): Delivery {
  return delayed(expired(unheard(delivery, now), now), now);
}

/**
 * Somebody said that a message may be on its way, and nothing came of it that was written down: it may have been delivered
 * (RFC 1047).
 */
function unheard(delivery: Delivery, now: Date): Delivery {
  if (!delivery.recipients.some(({ state }) => state === "committing")) return delivery;
  const at = now.toISOString();
  const number = delivery.attempts.length + 1;
  const attempts = [...delivery.attempts, { at, egress: delivery.egress }];
  return changed({ ...delivery, attempts }, now, (each) => {
    if (each.state !== "committing") return { recipient: each };
    const word = moreTelling(each.word, unheardWord(number, at));
    const tried = { ...each, attempts: [...each.attempts, number], word };
    if (delivery.onUnknown === "retry") return { recipient: { ...tried, state: "waiting", nextAtMs: now.getTime() } };
    return { recipient: { ...tried, state: "unknown" }, event: "unknown", attempt: null };
  });
}

function unheardWord(attempt: number, at: string): LastWord {
  const text = "the process that was sending it was not heard of again once the message had been begun";
  return {
    outcome: "unknown",
    class: "network",
    scope: "message",
    stage: "message",
    code: null,
    status: null,
    text,
    host: null,
    blocklist: null,
    rule: null,
    attempt,
    at,
  };
}

function expired(delivery: Delivery, now: Date): Delivery {
  if (now.getTime() < delivery.expiresAtMs) return delivery;
  return changed(delivery, now, (each) => {
    if (!isOpen(each)) return { recipient: each };
    // Whoever may have it after all is not told that it does not.
    const event = each.word?.outcome === "unknown" ? "unknown" : "expired";
    return { recipient: { ...each, state: event }, event, attempt: each.word?.attempt ?? null };
  });
}

function delayed(delivery: Delivery, now: Date): Delivery {
  if (delivery.isDelayTold || now.getTime() < Date.parse(delivery.createdAt) + delayedAfterMs) return delivery;
  const told = changed(delivery, now, (each) =>
    isOpen(each) ? { recipient: each, event: "delayed", attempt: each.word?.attempt ?? null } : { recipient: each },
  );
  return { ...told, isDelayTold: true };
}

export interface Attempt {
  /** From 1. */
  readonly number: number;
  readonly at: Date;
  readonly egress: string;
  /** Those that it was for. */
  readonly offered: readonly string[];
  /** From 0 to 1, for each use another. */
  readonly random: () => number;
}

/** What an attempt's verdict brings. */
export function afterAttempt(delivery: Delivery, verdict: Verdict, attempt: Attempt): Delivery {
  const { number, at, egress, offered, random } = attempt;
  const attempts = [...delivery.attempts, { at: at.toISOString(), egress }];
  return changed({ ...delivery, attempts, heldBy: null }, at, (each) => {
    if (!offered.includes(each.address)) return { recipient: each };
    const word = wordFor(each.address, verdict, number, at.toISOString());
    const tried = { ...each, attempts: [...each.attempts, number], word: moreTelling(each.word, word) };
    const state = stateAfter(word, delivery);
    if (state === "failed") return failed({ ...tried, word: endingWord(each.word, word) });
    if (state !== "waiting") return { recipient: { ...tried, state }, event: state, attempt: tried.word.attempt };
    const nextAtMs = at.getTime() + retryAfterMs(word, tried.attempts.length, random);
    return { recipient: { ...tried, state, nextAtMs } };
  });
}

/**
 * A refusal for good ends it, but one of our IP or of the sender's domain: that is no fault of the recipient's, and holds
 * everything that goes the same way. Nobody's mail is burnt for it; it waits for the block to end, or for its own time.
 */
function stateAfter(
  { outcome, class: kind }: LastWord,
  { onUnknown }: Delivery,
): "waiting" | "delivered" | "failed" | "unknown" {
  switch (outcome) {
    case "accepted":
      return "delivered";
    case "rejected":
      return kind !== null && holds(kind) ? "waiting" : "failed";
    case "unknown":
      return onUnknown === "retry" ? "waiting" : "unknown";
    case "deferred":
    case "unanswered":
      return "waiting";
  }
}

/** A refusal for good is its own reason: a block that stood before it is over, and was never this recipient's. */
function endingWord(before: LastWord | null, word: LastWord): LastWord {
  return before?.outcome === "unknown" ? before : word;
}

/** Whoever may have the message after all, from an attempt before, is not told that it has failed. */
function failed(recipient: Recipient, reason: string | null = null): Change {
  const { word } = recipient;
  const state = word?.outcome === "unknown" ? "unknown" : "failed";
  return {
    recipient: { ...recipient, state },
    event: state,
    attempt: reason === null ? (word?.attempt ?? null) : null,
    reason,
  };
}

/** Those of them whom this attempt's answers kept out for what holds others too. */
export function keptOut(verdict: Verdict, offered: readonly string[]): readonly string[] {
  return offered.filter((address) => {
    const { outcome, class: kind } = wordFor(address, verdict, 1, "");
    return (outcome === "rejected" || outcome === "deferred") && kind !== null && holds(kind);
  });
}

function holds(kind: Class): boolean {
  const { about } = classes[kind];
  return about === "ip" || about === "domain";
}

/** All that are open fail, for a reason of ours: nobody was asked. */
export function failedAtHome(delivery: Delivery, reason: string, now: Date): Delivery {
  return changed(delivery, now, (each) => (isOpen(each) ? failed(each, reason) : { recipient: each }));
}

/** Nobody is asked before then. */
export function waiting(
  delivery: Delivery,
  due: readonly Recipient[],
  untilMs: number,
  heldBy: string | null,
): Delivery {
  const recipients = delivery.recipients.map((each) =>
    due.some(({ address }) => address === each.address) ? { ...each, nextAtMs: untilMs } : each,
  );
  return { ...delivery, recipients, heldBy };
}

/** Whoever of these is open is looked at by then, however long it would have waited. */
export function notAfter(delivery: Delivery, addresses: readonly string[], atMs: number): Delivery {
  const recipients = delivery.recipients.map((each) =>
    isOpen(each) && addresses.includes(each.address) ? { ...each, nextAtMs: Math.min(each.nextAtMs, atMs) } : each,
  );
  return { ...delivery, recipients };
}

interface Change {
  readonly recipient: Recipient;
  readonly event?: EventName;
  readonly attempt?: number | null;
  readonly reason?: string | null;
}

/** Each recipient as it is then, and what of that is to be told. */
function changed(delivery: Delivery, now: Date, change: (each: Recipient) => Change): Delivery {
  const changes = delivery.recipients.map(change);
  const told = changes.flatMap(({ recipient, event, attempt = null, reason = null }): readonly Told[] =>
    event === undefined ? [] : [{ recipient: recipient.address, event, at: now.toISOString(), reason, attempt }],
  );
  return { ...delivery, recipients: changes.map(({ recipient }) => recipient), untold: [...delivery.untold, ...told] };
}

/** Why, in a line: the most telling answer, or what kept it from being asked for. */
export function reasonFor({ recipient, event, reason }: Told, { recipients, heldBy }: Delivery): string {
  if (reason !== null) return reason;
  const word = recipients.find(({ address }) => address === recipient)?.word ?? null;
  if (word !== null) return reasonOf(word);
  const words = event === "expired" ? "its time was over before it could be tried" : "it could not be tried yet";
  return heldBy === null ? words : `${words}: ${heldBy}`;
}
