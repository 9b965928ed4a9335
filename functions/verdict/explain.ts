// One reply on its own: what it means, without the session that it came from.
// It reads no file and no command line. Pure.
import { classes, type About } from "./classes.ts";
import { classifyBy, unspecified, type Said } from "./classify.ts";
import { addressIn } from "./own-address.ts";
import { remedyFor } from "./remedy.ts";
import { severityOf } from "./severity.ts";
import type { Meaning } from "./verdict.ts";
import { readWords } from "./words.ts";

export interface Explanation extends Meaning {
  /** Whom the refusal is about. */
  readonly about: About;
  /** False: the code is a yes, whatever else is said. */
  readonly refuses: boolean;
}

/** What a reply, or a failure's own words, come to. A 5yz is for good (RFC 5321 §4.2.1). */
export function explain({ text, stage, provider, own }: Said): Explanation {
  const words = readWords(text, own);
  const refuses = !isYes(words.code);
  const classification = refuses ? classifyBy({ words, stage, provider }) : unspecified;
  const { class: kind, rule, blocklist } = classification;
  return {
    class: kind,
    rule,
    // By the MX host's name alone: many providers' words are said by others too.
    provider,
    blocklist,
    remedy: remedyFor({ class: kind, classification, provider, text, own: own ?? addressIn(text) }),
    about: classes[kind].about,
    severity: severityOf(kind, words.code !== null && words.code >= 500),
    refuses,
  };
}

/** A reply that refuses nothing, whatever it says. A banner may hold a refusal: "220-host 421 4.2.1 Service refused". */
function isYes(code: number | null): boolean {
  return code !== null && code < 400 && code !== 220;
}
