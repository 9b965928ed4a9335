// The facts about refusals: what they mean, since when and how often, from which address, who else refuses. It looks for
// no refusal, and quotes none.
import { blockClass, misconfigurations } from "../report/names.ts";
import type { StoredVerdict } from "../state/verdicts.ts";
import { blocklists } from "../verdict/blocklists.ts";
import type { Class } from "../verdict/classes.ts";
import { standing } from "../verdict/incident.ts";
import type { Finding } from "../verdict/verdict.ts";
import type { PairHistory } from "./history.ts";
import type { Said } from "./quote.ts";
import { addressOf, classText, configuredAddress, lastText, providerNames, spanText, timeText } from "./said.ts";
import type { Fact, PageFacts } from "./text.ts";

export type RefusalKind = "blocked" | "blocked-widely" | "refused" | "misconfigured";

/** @param said at least one, the newest of each provider */
export function refusalFacts(said: readonly Said[], kind: RefusalKind, facts: PageFacts): readonly Fact[] {
  const [first, ...more] = said;
  if (first === undefined) return [];
  return [
    ...classFacts(said),
    ...(more.length > 0 ? [] : sinceFacts(first, kind, facts)),
    fromFact(first.stored, facts),
    ...recipientFacts(first.stored),
    ...(more.length > 0 && kind === "misconfigured" ? [] : [othersFact(said, kind, facts.histories)]),
  ];
}

/** The classes that each kind of alarm is about; what a provider refuses for else, is `refused`'s. */
export function isOf({ class: kind }: Finding, about: RefusalKind): boolean {
  switch (about) {
    case "blocked":
    case "blocked-widely":
      return kind === blockClass;
    case "misconfigured":
      return isMisconfiguration(kind);
    case "refused":
      return kind !== null && kind !== blockClass && !isMisconfiguration(kind);
  }
}

function isMisconfiguration(kind: Class | null): boolean {
  return kind !== null && misconfigurations.includes(kind);
}

function classFacts(said: readonly Said[]): readonly Fact[] {
  const texts = said.flatMap(({ finding: { class: kind, blocklist } }) => (kind === null ? [] : [{ kind, blocklist }]));
  const [first] = texts;
  if (first === undefined) return [];
  if (said.length === 1) return [{ label: "Class", value: classText(first.kind, first.blocklist) }];
  const lists = [...new Set(texts.flatMap(({ blocklist }) => blocklist ?? []))];
  const named = lists.map((id) => blocklists.find((each) => each.id === id)?.name ?? id);
  const value = `${classNames(said)}${named.length === 0 ? "" : `; lists named: ${named.join(", ")}`}`;
  return [{ label: "Class", value }];
}

export function classNames(said: readonly Said[]): string {
  return [...new Set(said.map(({ finding }) => finding.class))].join(", ");
}

/** The block's own beginning, else that of the unbroken run of such verdicts. */
function sinceFacts({ stored }: Said, kind: RefusalKind, { histories, change }: PageFacts): readonly Fact[] {
  const history = histories.find(({ provider }) => provider === stored.provider);
  const verdicts = history?.verdicts ?? [];
  const isSaid = verdicts.map(({ verdict }) => verdict.findings.some((each) => isOf(each, kind)));
  const from = verdicts.indexOf(stored);
  const end = isSaid.indexOf(false, from);
  const oldest = from === -1 ? stored : (verdicts[(end === -1 ? verdicts.length : end) - 1] ?? stored);
  const since = (kind === "blocked" ? history?.block?.since : null) ?? oldest.at;
  const [last] = verdicts;
  const later = last === undefined || last === stored ? "" : `; the last: ${lastAnswer(last)}`;
  const count = `${isSaid.filter(Boolean).length} of the last ${verdicts.length} refused so${later}`;
  return [
    { label: "Since", value: `${timeText(since)}, ${spanText(since, change.at)} before this page` },
    ...(verdicts.length === 0 ? [] : [{ label: "Probes", value: count }]),
  ];
}

function lastAnswer({ at, verdict: { outcome, primary } }: StoredVerdict): string {
  return `${standing(outcome, primary.stage)}, ${timeText(at)}`;
}

export function fromFact(stored: StoredVerdict | null, { alarm, config }: PageFacts): Fact {
  const egress = stored?.egress ?? alarm.egress ?? "?";
  const address = addressOf(egress, stored, config);
  const configured = configuredAddress(egress, config);
  const other =
    address !== null && configured !== null && configured !== address ? ` (not ${configured}, as configured)` : "";
  const who = `egress ${egress}, HELO ${config.identity.helo}, sender ${config.identity.sender || "<>"}`;
  return { label: "From", value: address === null ? who : `${address}${other}, ${who}` };
}

/** Each one's own, where a request had several. */
function recipientFacts(stored: StoredVerdict): readonly Fact[] {
  const { recipients } = stored.verdict;
  if (recipients.length < 2) return [];
  const shown = recipients.slice(0, 5).map(({ address, outcome, stage }) => {
    return `${address} ${standing(outcome, stage)}`;
  });
  const more = recipients.length > shown.length ? `; ${recipients.length - shown.length} more` : "";
  return [{ label: "Recipients", value: `${shown.join("; ")}${more}` }];
}

/** One provider or everywhere? */
function othersFact(said: readonly Said[], kind: RefusalKind, histories: readonly PairHistory[]): Fact {
  const shown = new Set(said.map(({ stored }) => stored.provider));
  const others = histories.filter(({ provider }) => !shown.has(provider));
  if (others.length === 0) {
    return {
      label: "Others",
      value: shown.size > 1 ? "all are above" : "no other provider is probed over this egress",
    };
  }
  const alike = others.filter((each) => (kind === "refused" ? newestIs(each, kind) : each.block !== null));
  const groups = Map.groupBy(others, (each) => (alike.includes(each) ? "the same" : lastText(each)));
  const texts = [...groups].map(([text, each]) => `${text}: ${providerNames(each)}`);
  const alone = shown.size === 1 && alike.length === 0 ? "this provider alone; " : "";
  return { label: "Others", value: `${alone}${texts.join("; ")}` };
}

function newestIs({ verdicts }: PairHistory, kind: RefusalKind): boolean {
  return verdicts[0]?.verdict.findings.some((each) => isOf(each, kind)) ?? false;
}
