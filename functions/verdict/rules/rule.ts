// What a rule is: a row of conditions and the class that they tell. It holds no rule itself.
import type { Stage } from "../../smtp/transcript.ts";
import type { Class } from "../classes.ts";
import type { Words } from "../words.ts";

/** All conditions that are given must hold; one that is not given always holds. */
export interface Rule {
  /** Unique; begins with its group's name. It travels to the log. */
  readonly id: string;
  readonly class: Class;
  /** Only at these providers' hosts: for words that anybody might say. Else the words are unmistakable. */
  readonly at?: readonly string[];
  readonly stage?: readonly RuleStage[];
  /** Null: no reply, but a failure's own words. */
  readonly code?: readonly (number | null)[];
  /** Against the enhanced status, such as `5.7.1`. */
  readonly status?: RegExp;
  /** Against the text with hosts and links as they stand (Words.text): one, or several that must all be found. */
  readonly text?: RegExp | readonly RegExp[];
  /** The same against the masked text (Words.words). */
  readonly words?: RegExp | readonly RegExp[];
  /** What must not be found in the masked text. */
  readonly unless?: RegExp;
  /** The list that the rule itself names, where the text does not: a code that stands for one. */
  readonly blocklist?: string;
  /** What to do, where that differs from what the list, the provider or the class says. */
  readonly remedy?: { readonly text: string; readonly url: string | null };
  /** Where the receiver publishes it, or where it was seen. */
  readonly source: string;
}

/** Null where it is not known. */
export type RuleStage = Stage | "quit" | null;

/** The rules of one family, in their order: the first that fits counts. */
export interface RuleGroup {
  readonly name: string;
  /** The ids of the providers whose documents it follows; empty for what anybody says. */
  readonly providers: readonly string[];
  readonly rules: readonly Rule[];
}

export interface RuleContext {
  readonly words: Words;
  readonly stage: RuleStage;
  /** The provider's id, or null. */
  readonly provider: string | null;
}

export function fits(rule: Rule, { words, stage, provider }: RuleContext): boolean {
  if (rule.at !== undefined && (provider === null || !rule.at.includes(provider))) return false;
  if (rule.stage !== undefined && !rule.stage.includes(stage)) return false;
  if (rule.code !== undefined && !rule.code.includes(words.code)) return false;
  if (rule.status !== undefined && (words.status === null || !rule.status.test(words.status))) return false;
  if (!holds(rule.text, words.text) || !holds(rule.words, words.words)) return false;
  return rule.unless === undefined || !rule.unless.test(words.words);
}

function holds(condition: RegExp | readonly RegExp[] | undefined, text: string): boolean {
  if (condition === undefined) return true;
  return condition instanceof RegExp ? condition.test(text) : condition.every((each) => each.test(text));
}

/** One pattern of several: a family of wording is longer than a line. */
export function oneOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join("|"));
}
