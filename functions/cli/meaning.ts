// What a refusal comes to, for people: its class, what that means, who must act and what is to be done.
// It judges nothing, and its lines may hold a host's text: who prints them makes that visible.
import { stages } from "../smtp/transcript.ts";
import { blocklists } from "../verdict/blocklists.ts";
import { classes } from "../verdict/classes.ts";
import { findProvider } from "../verdict/providers.ts";
import type { Meaning, Verdict } from "../verdict/verdict.ts";
import { wrapped } from "./wrap.ts";

/** The class in a line, and the next action; empty when accepted. */
export function meaningLines(meaning: Meaning): readonly string[] {
  const { class: kind, severity, provider, blocklist, remedy } = meaning;
  if (kind === null || remedy === null) return [];
  const list = blocklists.find(({ id }) => id === blocklist)?.name;
  const parts = [
    `${kind} (${severity})`,
    ...(list === undefined ? [] : [`list: ${list}`]),
    ...(provider === null ? [] : [`provider: ${findProvider(provider)?.name ?? provider}`]),
  ];
  return [
    `class: ${parts.join(" · ")}`,
    ...wrapped(`do: ${remedy.text}`),
    ...(remedy.url === null ? [] : [`see: ${remedy.url}`]),
  ];
}

/** The same with what the class means, who must act, and which rule told it. */
export function explanationLines(meaning: Meaning): readonly string[] {
  const [first, ...more] = meaningLines(meaning);
  if (first === undefined || meaning.class === null) return [];
  const { means, actor } = classes[meaning.class];
  return [first, ...wrapped(`means: ${means}`), `who: ${actor}`, ...more, `rule: ${meaning.rule ?? "none"}`];
}

/** What a yes does not say: the provider refuses an IP later than the probe went. Null where it says enough. */
export function reservation({
  outcome,
  provider,
  depth,
}: Pick<Verdict, "outcome" | "provider" | "depth">): string | null {
  const runs = provider === null ? null : findProvider(provider);
  if (outcome !== "accepted" || runs === null || runs.refusesAt.length === 0) return null;
  if (runs.refusesAt.some((each) => stages.indexOf(each) <= stages.indexOf(depth))) return null;
  const has = runs.unverified.includes("refusesAt") ? "is said to have" : "has";
  return `note: ${runs.name} ${has} refused an IP at ${runs.refusesAt.join(" or ")}, and this went up to ${depth}`;
}
