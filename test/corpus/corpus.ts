// The labelled replies: reads them, and tells which class the rules give each. It holds no label itself.
import { readFileSync } from "node:fs";
import path from "node:path";
import { saidOf } from "../../functions/cli/said.ts";
import { classifyBy, type Classification } from "../../functions/verdict/classify.ts";
import { classes, type Class } from "../../functions/verdict/classes.ts";
import type { RuleGroup } from "../../functions/verdict/rules/rule.ts";
import { ruleGroups } from "../../functions/verdict/rules/table.ts";
import { readWords } from "../../functions/verdict/words.ts";

/** One line of a corpus file. */
export interface Labelled {
  readonly reply: string;
  readonly stage: string;
  /** The host's name, or a short name of who runs it. */
  readonly mx: string | null;
  readonly class: Class;
  readonly blocklist: string | null;
}

export const repliesFile = path.join(import.meta.dirname, "replies.jsonl");
/** What looks like a block of our IP and is none. */
export const hardNegativesFile = path.join(import.meta.dirname, "hard-negatives.jsonl");
/** Unlike all in replies.jsonl, by somebody who did not know the rules: no rule is to be written from it. */
export const unseenFile = path.join(import.meta.dirname, "unseen.jsonl");
/** Small and old receivers, each unlike all others here. */
export const longTailFile = path.join(import.meta.dirname, "long-tail.jsonl");

/** @throws Error that names the line which holds no labelled reply */
export function readCorpus(file: string): readonly Labelled[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line, index) => (line.trim() === "" ? [] : [labelled(line, `${file}, line ${index + 1}`)]));
}

function labelled(line: string, where: string): Labelled {
  const value = JSON.parse(line) as Labelled;
  if (Object.hasOwn(classes, value.class) && typeof value.reply === "string")
    return { ...value, mx: value.mx ?? null, blocklist: value.blocklist ?? null };
  throw new Error(
    `${where}: there is no class ${value.class}; write reply and one of ${Object.keys(classes).join(", ")}`,
  );
}

/** @param without whose rules are left out: the groups of the reply's own provider, or nobody's */
export function classifyLabelled({ reply, stage, mx }: Labelled, without: "provider" | null = null): Classification {
  const said = saidOf({ reply, stage, mx }, { stage: null, provider: null, own: null });
  const isOwn = ({ name, providers }: RuleGroup): boolean =>
    name === mx || (said.provider !== null && providers.includes(said.provider));
  const groups = without === null ? ruleGroups : ruleGroups.filter((group) => !isOwn(group));
  const provider = without === null ? said.provider : null;
  return classifyBy({ words: readWords(reply, null), stage: said.stage, provider }, groups);
}
