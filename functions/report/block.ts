// What a verdict says of the block that stands between us and a provider, and of whatever else stands by the same rules.
// Pure. It counts nothing.
//
// `Blocked` must not mask either (DESIGN §11): 1 when an IP's refusal was read, of any host; 0 only when a session has
// got past the stage at which the block stood; else nothing is said.
import { stages, type Stage, type Transcript } from "../smtp/transcript.ts";
import { isYes } from "../smtp/yes.ts";
import type { Block } from "../state/pairs.ts";
import type { Finding, Verdict } from "../verdict/verdict.ts";
import { blockClass } from "./names.ts";

/** Whose verdict it is, and when it was decided: RFC 3339, UTC. */
export interface Said {
  readonly id: string;
  readonly at: string;
}

/**
 * What a verdict says of the block. A refusal of the IP begins one, or moves it to a later stage; a session that got a yes
 * at that stage or beyond ends it, unless the very host that refused was asked again and did not come so far.
 * @returns the block that stands after it, and what `Blocked` says: null, nothing
 */
export function blockAfter(
  verdict: Verdict,
  before: Block | null,
  said: Said,
): { readonly block: Block | null; readonly blocked: boolean | null } {
  const refusals = verdict.findings.filter(({ class: kind }) => kind === blockClass);
  const { stands, isStanding } = standingAfter(verdict, refusals, before, said);
  return { block: stands, blocked: isStanding };
}

type Refusal = Pick<Finding, "stage" | "host">;

/** `isStanding`: what the verdict says of it; null, nothing. `word`: the furthest of the refusals. */
export interface Standing<R> {
  readonly stands: Block | null;
  readonly isStanding: boolean | null;
  readonly word: R | null;
}

/** @param refusals those in the verdict that say that it stands */
export function standingAfter<R extends Refusal>(
  verdict: Verdict,
  refusals: readonly R[],
  before: Block | null,
  said: Said,
): Standing<R> {
  const [word = null] = refusals.toSorted((a, b) => stages.indexOf(b.stage) - stages.indexOf(a.stage));
  if (word !== null) return { stands: standing(word, before, said), isStanding: true, word };
  if (before === null) return { stands: null, isStanding: verdict.outcome === "accepted" ? false : null, word };
  const again = verdict.attempts.filter(({ host }) => host === before.host);
  const asked = again.length > 0 ? again : verdict.attempts;
  const isPast = asked.some((attempt) => hasPassed(attempt, before.stage));
  return isPast ? { stands: null, isStanding: false, word } : { stands: before, isStanding: null, word };
}

/** The furthest stage that was refused is the one to get past; a block goes on from its first word. */
function standing({ stage, host }: Refusal, before: Block | null, said: Said): Block {
  const since = { since: before?.since ?? said.at, id: before?.id ?? said.id };
  return before !== null && isDeeper(before, stage) ? before : { stage, host, ...since };
}

/** Whether what stood before stood at a later stage than this. */
export function isDeeper(before: Pick<Block, "stage">, stage: Stage): boolean {
  return stages.indexOf(before.stage) > stages.indexOf(stage);
}

/** Whether a yes was read at this stage or beyond it. */
function hasPassed({ exchanges }: Transcript, stage: Stage): boolean {
  return exchanges.some((each) => {
    if (each.stage === "quit" || stages.indexOf(each.stage) < stages.indexOf(stage)) return false;
    return isYes(each) && (each.command === null || each.written);
  });
}
