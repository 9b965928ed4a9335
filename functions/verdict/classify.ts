// From one reply, its stage and the host's provider to one class, the rule that told it and the blocklist that it names.
// It compares no replies, and does not say what to do. Pure.
import { blocklistIn } from "./blocklists.ts";
import type { Class } from "./classes.ts";
import { fits, type Rule, type RuleContext, type RuleGroup, type RuleStage } from "./rules/rule.ts";
import { ruleGroups } from "./rules/table.ts";
import { readWords } from "./words.ts";

/** What is to be classified. */
export interface Said {
  /** The reply with its code, all its lines, by LF or flattened; or the words of a failure. */
  readonly text: string;
  readonly stage: RuleStage;
  /** The provider's id, or null: not known. */
  readonly provider: string | null;
  /** The address that we are judged by, or null: not known. */
  readonly own: string | null;
}

export interface Classification {
  readonly class: Class;
  /** The id of the first rule that fits. */
  readonly rule: string;
  /** The id of the list that the reply, or the provider's code, names. */
  readonly blocklist: string | null;
  /** The rule's own, where it has one. */
  readonly remedy: Rule["remedy"] | null;
}

/** The first rule that fits. */
export function classify({ text, stage, provider, own }: Said): Classification {
  return classifyBy({ words: readWords(text, own), stage, provider });
}

/**
 * Has the patterns compiled: their first uses take a tenth of a second, and in mid-session that would hold the event loop
 * up while replies come (DESIGN §5).
 */
export function compileRules(): void {
  // The engine compiles at the first use, and better at the second.
  for (const text of ["550", "451 -", "554 –"]) classify({ text, stage: "rcpt", provider: null, own: null });
}

/** The same of words that have been read, by these groups alone. */
export function classifyBy(context: RuleContext, groups: readonly RuleGroup[] = ruleGroups): Classification {
  const { words, provider: at } = context;
  for (const group of inOrder(groups, at)) {
    const rule = group.rules.find((each) => fits(each, context));
    if (rule === undefined) continue;
    const named = listable.includes(rule.class) ? (rule.blocklist ?? blocklistIn(words.text)) : null;
    return { class: rule.class, rule: rule.id, blocklist: named, remedy: rule.remedy ?? null };
  }
  return unspecified;
}

/** Where no rule fits. */
export const unspecified: Classification = { class: "unspecified", rule: "none", blocklist: null, remedy: null };

/** The classes of what stands on lists. */
const listable: readonly Class[] = ["ip-reputation", "domain-reputation", "content-spam"];

/** The provider's own families before the others. What stands before all families stays there. */
function inOrder(groups: readonly RuleGroup[], provider: string | null): readonly RuleGroup[] {
  if (provider === null) return groups;
  const first = groups.findIndex(({ providers }) => providers.length > 0);
  const isOwn = ({ providers }: RuleGroup): boolean => providers.includes(provider);
  const families = groups.slice(Math.max(0, first));
  return [
    ...groups.slice(0, Math.max(0, first)),
    ...families.filter(isOwn),
    ...families.filter((each) => !isOwn(each)),
  ];
}
