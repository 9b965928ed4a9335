// What to say when hosts refuse us: who, in which words, and what to do about it. It decides neither whether that is worth
// a page, nor what a reply means.
import type { Config } from "../config/config.ts";
import type { StoredVerdict } from "../state/verdicts.ts";
import { replayCommand } from "./commands.ts";
import type { PairHistory } from "./history.ts";
import { inALine, quoteOf, type Said } from "./quote.ts";
import { classNames, fromFact, isOf, refusalFacts, type RefusalKind } from "./refusal-facts.ts";
import { addressOf, lastsText, providerName, providerNames } from "./said.ts";
import { ownFaultsFacts } from "./self-check.ts";
import type { Action, Fact, PageFacts, Told } from "./text.ts";

export function refusalTold(facts: PageFacts, kind: RefusalKind): Told {
  const said = facts.histories.filter((each) => isAbout(each, facts)).flatMap((each) => newestSaid(each, kind) ?? []);
  const [first] = said;
  if (first === undefined) return nothingFound(facts, kind);
  return {
    title: titleOf(facts, kind, said, first),
    quotes: quotesOf(said, kind).map(quoteOf),
    action: kind === "blocked-widely" ? sharedAction(said, first) : (first.finding.remedy ?? noAction),
    facts: [...refusalFacts(said, kind, facts), ...(kind === "misconfigured" ? ownFaultsFacts(facts) : [])],
    command: replayCommand(first.stored),
  };
}

function isAbout({ provider }: PairHistory, { alarm }: PageFacts): boolean {
  return alarm.provider === null || alarm.provider === provider;
}

/** The newest verdict with a finding of that kind. One that the provider has got past since speaks for nobody. */
function newestSaid({ verdicts, block, blockedFirst }: PairHistory, kind: RefusalKind): Said | null {
  for (const stored of [...verdicts, ...(blockedFirst === null ? [] : [blockedFirst])]) {
    const finding = stored.verdict.findings.find((each) => isOf(each, kind));
    if (finding !== undefined) return { finding, stored };
    const isPast = kind === "blocked-widely" && block === null && stored.verdict.outcome === "accepted";
    if (isPast) return null;
  }
  return null;
}

function titleOf(facts: PageFacts, kind: RefusalKind, said: readonly Said[], first: Said): string {
  const { config, histories } = facts;
  const { finding, stored } = first;
  const egress = stored.egress;
  const who = providerName(stored.provider);
  const ip = ipText(egress, stored, config);
  const words = inALine(finding.text);
  switch (kind) {
    case "blocked":
      return `${who} blocks ${ip}: ${words}`;
    case "blocked-widely":
      return `${said.length} of ${histories.length} providers block ${ip}: ${names(said)}`;
    case "refused":
      return `${who} refuses mail from ${ip} (${finding.class}): ${words}`;
    case "misconfigured":
      return said.length === 1
        ? `${who} refuses our set-up on ${ip} (${finding.class}): ${words}`
        : `${said.length} providers refuse our set-up on ${ip} (${classNames(said)}): ${words}`;
  }
}

/** `192.0.2.25`, or the egress's name where its address is not known. */
function ipText(egress: string, stored: StoredVerdict | null, config: Config): string {
  return addressOf(egress, stored, config) ?? `egress ${egress}`;
}

function names(said: readonly Said[]): string {
  return providerNames(said.map(({ stored }) => stored));
}

/** Of one provider, all that its verdict found; of several, each one's word. */
function quotesOf(said: readonly Said[], kind: RefusalKind): readonly Said[] {
  const [first, ...more] = said;
  if (first === undefined || more.length > 0) return said;
  const { findings } = first.stored.verdict;
  const others = findings.filter((each) => each !== first.finding && (kind === "blocked" || isOf(each, kind)));
  return [first, ...others.slice(0, 2).map((finding) => ({ finding, stored: first.stored }))];
}

const noAction: Action = { text: "Read the words above, and the dialog.", url: null };

/** One list's doing, more often than not: the list that most of them name comes first. */
function sharedAction(said: readonly Said[], first: Said): Action {
  const lists = Map.groupBy(said, ({ finding }) => finding.blocklist);
  lists.delete(null);
  const [most] = [...lists.values()].toSorted((a, b) => b.length - a.length);
  const chosen = most?.[0] ?? first;
  const remedy = chosen.finding.remedy ?? noAction;
  if (most === undefined || most.length < 2) {
    return {
      text: `Begin with ${providerName(chosen.stored.provider)}, then each other: ${remedy.text}`,
      url: remedy.url,
    };
  }
  return { text: `${most.length} of ${said.length} name the same list. ${remedy.text}`, url: remedy.url };
}

/** The alarm stands on figures; the words to them are gone, or could not be read. */
function nothingFound(facts: PageFacts, kind: RefusalKind): Told {
  const { alarm, config, histories, historyFault } = facts;
  const ip = alarm.egress === null ? "?" : ipText(alarm.egress, null, config);
  const who = alarm.provider === null ? "providers" : providerName(alarm.provider);
  const titles: Readonly<Record<RefusalKind, string>> = {
    blocked: `${who} blocks ${ip}`,
    "blocked-widely": `Several providers block ${ip}`,
    refused: `${who} refuses mail from ${ip}`,
    misconfigured: `Our set-up on ${ip} is refused`,
  };
  const last = histories.filter((each) => isAbout(each, facts)).flatMap(({ verdicts }) => verdicts[0] ?? [])[0];
  const why = historyFault === null ? "no verdict with them is stored" : "the history could not be read";
  return {
    title: `${titles[kind]} (the words are missing: ${why})`,
    quotes: [],
    action: {
      text: "Look for the verdicts in the log, and probe by hand: npx delivery-probe probe ADDRESS.",
      url: null,
    },
    facts: [fromFact(null, facts), ...(alarm.provider === null ? [] : [othersOf(facts)])],
    command: last === undefined ? null : replayCommand(last),
  };
}

function othersOf({ alarm, histories }: PageFacts): Fact {
  return { label: "Last seen", value: lastsText(histories) || `nothing is known of egress ${alarm.egress}` };
}
