// What a verdict says of a hold: whether sends to a provider are to wait, until when it is got past, and for which words.
// Pure. It holds nobody, and knows neither queue nor table.
//
// A fault of the IP holds what leaves by it; one of the domain, what is sent in its name; no other class holds anybody. The
// rules are those of `Blocked` (DESIGN §11): only a session that got past the stage of the refusal ends a hold.
import { isDeeper, standingAfter, type Said } from "../report/block.ts";
import type { Hold, HoldKey } from "../state/holds.ts";
import { classes, type Class } from "../verdict/classes.ts";
import type { HostAnswer, Verdict } from "../verdict/verdict.ts";

/** The server's words, for who asks why a send waits; all of them are with the verdict. */
const textLimit = 500; // characters

/** @returns the hold after a verdict: the very one before where nothing is said of it */
export function holdAfter(verdict: Verdict, key: HoldKey, before: Hold | null, said: Said): Hold | null {
  // Where mail gets in, by whatever host and whomever else was refused, nobody's has to wait.
  if (verdict.recipients.some(({ outcome }) => outcome === "accepted")) {
    if (before === null) return null;
    if (verdict.depth === "message") return before.lastAt >= said.at ? before : null;
  }
  const refusals = refusalsOf(verdict).filter((each) => classes[each.class].about === key.about);
  const { stands, isStanding, word } = standingAfter(verdict, refusals, before, said);
  const isLate = before !== null && before.lastAt >= said.at;
  // A session that was over before the last refusal, and is noted after it, says nothing of it.
  if (word === null) return stands === null && isStanding === false && !isLate ? null : before;
  if (stands === null) return before;
  const words = { text: word.text.slice(0, textLimit), class: word.class };
  if (before === null) return { ...stands, ...words, key, lastAt: said.at, canaryAt: null };
  // One of many that were refused at the same time: it stands as far already, and was said later.
  if (isLate && stands.stage === before.stage) return before;
  const lastAt = isLate ? before.lastAt : said.at;
  return isDeeper(before, word.stage) ? { ...before, lastAt } : { ...before, ...stands, ...words, lastAt };
}

interface Refusal extends HostAnswer {
  readonly class: Class;
}

/**
 * All that page, and the one that decided. An operator may have a class wake nobody at a provider; that is no wish to burn
 * mail on it, and what decided holds all the same.
 */
function refusalsOf({ findings, outcome, class: kind, primary }: Verdict): readonly Refusal[] {
  const told = findings.flatMap((each) => (each.class === null ? [] : [{ ...each, class: each.class }]));
  const isRefused = (outcome === "rejected" || outcome === "deferred") && kind !== null && primary.code !== null;
  return isRefused ? [...told, { ...primary, class: kind }] : told;
}
