// The most telling answer that a recipient of a send ever had, over all attempts, small enough for a row. A later time-out
// never takes a refusal's place (DESIGN §6). It does not know what becomes of the recipient, or when it is tried again.
import { stages, type Stage } from "../smtp/transcript.ts";
import type { Scope } from "./cause.ts";
import type { Class } from "./classes.ts";
import type { Outcome } from "./reconcile.ts";
import { severityOf } from "./severity.ts";
import { compareTelling, lastWord, wasAsked, wordsOfAttempts, type Verdict, type Word } from "./verdict.ts";
import { visibleLine } from "./visible.ts";

export interface LastWord {
  readonly outcome: Outcome;
  /** Null when accepted. */
  readonly class: Class | null;
  /** Whom a refusal is about: how two are compared. */
  readonly scope: Scope;
  readonly stage: Stage;
  /** As the peer sent it; null when there was no reply. */
  readonly code: number | null;
  readonly status: string | null;
  /** All lines of the reply, or what happened in our words, cut to `textLimit`; the attempt's verdict has them whole. */
  readonly text: string;
  /** Null: nobody could be asked. */
  readonly host: string | null;
  readonly blocklist: string | null;
  readonly rule: string | null;
  /** Which of the send's attempts said it, from 1, and when (RFC 3339). */
  readonly attempt: number;
  readonly at: string;
}

export const textLimit = 500; // octets: many of them have one row

/** @returns what an attempt, whatever hosts it took, comes to for one of its recipients */
export function wordFor(recipient: string, verdict: Verdict, attempt: number, at: string): LastWord {
  const words = wordsOf(verdict).get(recipient);
  if (words === undefined) throw new Error(`the verdict says nothing of ${recipient}`);
  const { judgement, attempt: transcript } = lastWord(words);
  const { outcome, class: kind, classification, scope, answer } = judgement;
  const { stage, code, status, text } = answer;
  return {
    outcome,
    class: kind,
    scope,
    stage,
    code,
    status,
    text: shortened(text),
    host: wasAsked(transcript) ? transcript.host : null,
    blocklist: classification?.blocklist ?? null,
    rule: classification?.rule ?? null,
    attempt,
    at,
  };
}

/**
 * The one of two that goes to the sender. Of two that tell as much it is the one that somebody is woken for, and then the
 * later one, for words change: a full mailbox is deleted, and what was said last is what there is to mend.
 */
export function moreTelling(before: LastWord | null, later: LastWord): LastWord {
  if (before === null) return later;
  return (compareWords(before, later) || urgencyOf(later) - urgencyOf(before)) < 0 ? before : later;
}

function urgencyOf({ class: kind, outcome }: LastWord): number {
  return kind === null ? 0 : urgency[severityOf(kind, outcome === "rejected")];
}

const urgency = { page: 2, warn: 1, info: 0 } as const;

/** Negative when `a` is the more telling one. */
export function compareWords(a: LastWord, b: LastWord): number {
  return compareTelling({ ...a, depth: depthOf(a) }, { ...b, depth: depthOf(b) });
}

/** One line for people: the server's own words first, or what happened in ours, then who and where. */
export function reasonOf({ outcome, code, text, host, stage }: LastWord): string {
  const words = visibleLine(text.replaceAll(/\s*\n\s*/g, " / "));
  const where = host === null ? "" : ` (${visibleLine(host)} at ${stage})`;
  // Words that may be another command's answer do not say so themselves.
  const note = outcome === "unknown" && code !== null ? "; it may have been delivered (RFC 1047)" : "";
  return `${words}${where}${note}`;
}

function depthOf({ host, stage }: LastWord): number {
  return host === null ? -1 : stages.indexOf(stage);
}

/** Of each verdict once: one with many recipients is asked about each of them. */
function wordsOf(verdict: Verdict): ReadonlyMap<string, readonly Word[]> {
  const found = known.get(verdict) ?? wordsOfAttempts(verdict.attempts);
  known.set(verdict, found);
  return found;
}

const known = new WeakMap<Verdict, ReadonlyMap<string, readonly Word[]>>();

function shortened(text: string): string {
  const octets = Buffer.from(text);
  if (octets.length <= textLimit) return text;
  // No part of a character is left at the end.
  const end = octets.subarray(0, textLimit - 3).toString();
  return `${end.replace(/\ufffd+$/, "")}…`;
}
