// One reply on its own: what it means, without the session that it came from.
// It reads no file and no command line. Pure.
import { classes, type About } from "./classes.ts";
import { classify, type Classification, type Said } from "./classify.ts";
import { remedyFor } from "./remedy.ts";
import { severityOf } from "./severity.ts";
import type { Meaning } from "./verdict.ts";
import { readWords } from "./words.ts";

export interface Explanation extends Meaning {
  /** Whom the refusal is about. */
  readonly about: About;
}

/** What a reply, or a failure's own words, come to. A 5yz is for good (RFC 5321 §4.2.1). */
export function explain(said: Said): Explanation {
  const { code } = readWords(said.text, said.own);
  const classification = isYes(code) ? nothing : classify(said);
  const { class: kind, rule, blocklist } = classification;
  // By the MX host's name alone: many providers' words are said by others too.
  const { provider } = said;
  return {
    class: kind,
    rule,
    provider,
    blocklist,
    remedy: remedyFor({ class: kind, classification, provider, text: said.text, own: said.own }),
    about: classes[kind].about,
    severity: severityOf(kind, code !== null && code >= 500),
  };
}

/** A reply that refuses nothing, whatever it says. A banner may hold a refusal: "220-host 421 4.2.1 Service refused". */
export function isYes(code: number | null): boolean {
  return code !== null && code < 400 && code !== 220;
}

const nothing: Classification = { class: "unspecified", rule: "none", blocklist: null, remedy: null };
