// The page: what on-call reads at night, in the order in which it is wanted. Made of facts alone, so that it can be tried
// as a table. It does not know how the facts were found, nor by which route it goes.
import type { Config } from "../config/config.ts";
import type { Alarm, AlarmKind } from "../report/alarms.ts";
import { isDrill, type AlarmChange } from "./alarm-change.ts";
import { faultTold } from "./faults.ts";
import { recoveryTold } from "./recovery.ts";
import { refusalTold } from "./refusals.ts";
import { selfCheckTold } from "./self-check.ts";
import type { PairHistory } from "./history.ts";
import { quoteLines, shortened, type Quote } from "./quote.ts";
import { timeText } from "./said.ts";
import { masked } from "../state/mask.ts";
import type { StoredSelfCheck } from "../state/self-checks.ts";
import type { StoredVerdict } from "../state/verdicts.ts";
import { visible, visibleLine } from "../verdict/visible.ts";

/** Critical: mail to somebody does not go out, or nobody would know. */
export type PageSeverity = "critical" | "error" | "info";

/**
 * A page, laid out by no route yet. Every text is without controls and marks that turn or hide writing, and cut to
 * length; no text holds a line feed. Links are ours or the configuration's, never a host's words.
 */
export interface Page {
  readonly v: 1;
  /** A drill is a firing that somebody set by hand; what ends one is a recovery. */
  readonly state: "firing" | "recovered" | "drill";
  readonly kind: AlarmKind;
  readonly alarm: string;
  /** RFC 3339: when the alarm's state changed. */
  readonly at: string;
  readonly severity: PageSeverity;
  readonly title: string;
  /** What hosts, or CloudWatch, said, verbatim but for marks. */
  readonly quotes: readonly Quote[];
  /** The one next action. */
  readonly action: Action;
  readonly facts: readonly Fact[];
  /** A command line that shows it all; null: nothing is stored to be shown. */
  readonly command: string | null;
  readonly links: readonly { readonly text: string; readonly url: string }[];
  /** The same for a firing and its recovery; a drill has one of its own. */
  readonly dedupKey: string;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
}

export interface Action {
  readonly text: string;
  /** Null: it is no page's. */
  readonly url: string | null;
}

/** What a page is made of. */
export interface PageFacts {
  readonly change: AlarmChange;
  readonly alarm: Alarm;
  readonly config: Config;
  /** All providers over the alarm's egress, in the configuration's order; none where it has no egress. */
  readonly histories: readonly PairHistory[];
  /** The last of the alarm's egress; null: there is none, or it is not about an egress's set-up. */
  readonly selfCheck: StoredSelfCheck | null;
  /** Why there is no history, or not all of it; null: it was read. */
  readonly historyFault: string | null;
  /** When on-call was told that it fires: RFC 3339; null: not known. */
  readonly firedAt: string | null;
  /** Whether what is over now was a drill. */
  readonly wasDrill: boolean;
}

/** What one kind of alarm has to say. */
export interface Told {
  readonly title: string;
  readonly quotes: readonly Quote[];
  readonly action: Action;
  readonly facts: readonly Fact[];
  readonly command: string | null;
}

export function pageOf(given: PageFacts): Page {
  const facts = given.config.history.maskRecipients ? maskedFacts(given) : given;
  const { change, alarm, config, historyFault } = facts;
  const state = stateOf(change);
  const told = state === "recovered" ? recoveryTold(facts) : firingTold(facts);
  const { runbook } = config.onCall;
  const unquoted = told.quotes.length - quotesLimit;
  return {
    v: 1,
    state,
    kind: alarm.kind,
    alarm: alarm.name,
    at: change.at,
    severity: state === "firing" ? severities[alarm.kind] : "info",
    title: shortened(visibleLine(`${prefixOf(facts, state)}${told.title}`), titleLimit),
    quotes: told.quotes.slice(0, quotesLimit),
    action: {
      ...told.action,
      text: shortened(visibleLine(`${state === "drill" ? drillAction : ""}${told.action.text}`), factLimit),
    },
    facts: [
      ...(state === "drill" ? [drillFact] : []),
      ...told.facts,
      ...(unquoted <= 0 ? [] : [{ label: "Not quoted", value: `${unquoted} more, in the verdicts that are stored` }]),
      ...(historyFault === null ? [] : [{ label: "History", value: `not read, or not all of it: ${historyFault}` }]),
      { label: "Alarm", value: `${alarm.name}, since ${timeText(change.at)}` },
    ].map(({ label, value }) => ({ label, value: shortened(visibleLine(value), factLimit) })),
    command: told.command,
    links: runbook === null ? [] : [{ text: `Runbook: ${alarm.kind}`, url: runbookOf(runbook, alarm.kind) }],
    // A drill's end must not resolve an incident that is real.
    dedupKey: shortened(`${state === "drill" || facts.wasDrill ? "drill-" : ""}${alarm.name}`, dedupLimit),
  };
}

/** The whole page as text, for e-mail, a terminal and the log. A quoted line is marked, so that it passes for none of ours. */
export function plainText(page: Page): string {
  const { title, quotes, action, facts, command, links } = page;
  const lines = [
    title,
    "",
    ...quotes.flatMap((each) => [...quoteLines(each).map((line, index) => (index === 0 ? line : `  ${line}`)), ""]),
    `Do: ${action.text}`,
    ...(action.url === null ? [] : [`    ${action.url}`]),
    "",
    ...facts.map(({ label, value }) => `${label}: ${value}`),
    ...(command === null ? [] : ["", "See it all:", `  ${command}`]),
    ...links.map(({ text, url }) => `${text}: ${url}`),
  ];
  return `${lines.map((line) => visible(line)).join("\n")}\n`;
}

const titleLimit = 250;
const factLimit = 700;
const quotesLimit = 8;
/** PagerDuty's limit of a `dedup_key`, as CloudWatch's of an alarm's name. */
const dedupLimit = 255;

// prettier-ignore
const severities: Readonly<Record<AlarmKind, PageSeverity>> = {
  "blocked":        "critical",
  "blocked-widely": "critical",
  "refused":        "error",
  "egress-down":    "critical",
  "probe-silent":   "error",
  "misconfigured":  "error",
  "self-check":     "error",
  "failures":       "error",
};

const drillAction = "This is a drill: acknowledge it. In earnest: ";
const drillFact: Fact = {
  label: "Drill",
  value: "somebody set this alarm by hand, to try how a page comes; it says nothing of how things stand",
};

function stateOf(change: AlarmChange): Page["state"] {
  if (change.to !== "ALARM") return "recovered";
  return isDrill(change) ? "drill" : "firing";
}

function prefixOf({ wasDrill }: PageFacts, state: Page["state"]): string {
  if (state === "recovered") return wasDrill ? "DRILL: Recovered: " : "Recovered: ";
  return state === "drill" ? "DRILL: " : "";
}

function firingTold(facts: PageFacts): Told {
  switch (facts.alarm.kind) {
    case "blocked":
    case "blocked-widely":
    case "refused":
    case "misconfigured":
      return refusalTold(facts, facts.alarm.kind);
    case "self-check":
      return selfCheckTold(facts);
    case "egress-down":
    case "probe-silent":
    case "failures":
      return faultTold(facts, facts.alarm.kind);
  }
}

/** Again, if they were stored so: rows that are older than the wish for it were not. */
function maskedFacts(facts: PageFacts): PageFacts {
  const maskedVerdict = (stored: StoredVerdict): StoredVerdict => ({ ...stored, verdict: masked(stored.verdict) });
  const histories = facts.histories.map((each) => ({
    ...each,
    verdicts: each.verdicts.map(maskedVerdict),
    blockedFirst: each.blockedFirst === null ? null : maskedVerdict(each.blockedFirst),
  }));
  return { ...facts, histories };
}

function runbookOf(runbook: string, kind: AlarmKind): string {
  const url = new URL(runbook);
  url.hash = kind;
  return url.href;
}
