// What a verdict says of the block that stands between us and a provider. Pure. It counts nothing.
//
// `Blocked` must not mask either (DESIGN §11): 1 when an IP's refusal was read, of any host; 0 only when a session has
// got past the stage at which the block stood; else nothing is said.
import { stages, type Stage, type Transcript } from "../smtp/transcript.ts";
import { isYes } from "../smtp/yes.ts";
import type { Block } from "../state/pairs.ts";
import type { Finding, Verdict } from "../verdict/verdict.ts";
import { blockClass } from "./names.ts";

/**
 * What a verdict says of the block. A refusal of the IP begins one, or moves it to a later stage; a session that got a yes
 * at that stage or beyond ends it, unless the very host that refused was asked again and did not come so far.
 * @returns the block that stands after it, and what `Blocked` says: null, nothing
 */
export function blockAfter(
  verdict: Verdict,
  before: Block | null,
  { id, at }: { readonly id: string; readonly at: string },
): { readonly block: Block | null; readonly blocked: boolean | null } {
  const said = verdict.findings.filter(({ class: kind }) => kind === blockClass);
  const [first] = said.toSorted((a, b) => stages.indexOf(b.stage) - stages.indexOf(a.stage));
  if (first !== undefined) return { block: standing(first, before, { id, at }), blocked: true };
  if (before === null) return { block: null, blocked: verdict.outcome === "accepted" ? false : null };
  const again = verdict.attempts.filter(({ host }) => host === before.host);
  const asked = again.length > 0 ? again : verdict.attempts;
  const isPast = asked.some((attempt) => hasPassed(attempt, before.stage));
  return isPast ? { block: null, blocked: false } : { block: before, blocked: null };
}

/** The furthest stage that was refused is the one to get past; a block goes on from its first word. */
function standing({ stage, host }: Finding, before: Block | null, said: { id: string; at: string }): Block {
  const since = { since: before?.since ?? said.at, id: before?.id ?? said.id };
  const deeper = before !== null && stages.indexOf(before.stage) > stages.indexOf(stage);
  return deeper ? before : { stage, host, ...since };
}

/** Whether a yes was read at this stage or beyond it. */
function hasPassed({ exchanges }: Transcript, stage: Stage): boolean {
  return exchanges.some((each) => {
    if (each.stage === "quit" || stages.indexOf(each.stage) < stages.indexOf(stage)) return false;
    return isYes(each) && (each.command === null || each.written);
  });
}
