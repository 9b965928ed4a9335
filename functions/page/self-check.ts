// What to say of our own set-up: which of its checks found a fault, since when, and what to do first. It checks nothing,
// and quotes DNS and hosts as others' words.
import type { Check } from "../self-check/found.ts";
import type { StoredSelfCheck } from "../state/self-checks.ts";
import { selfCheckCommand } from "./commands.ts";
import { inALine, quoted } from "./quote.ts";
import { fromFact } from "./refusal-facts.ts";
import { lastSeenFacts, spanText, timeText } from "./said.ts";
import type { Action, Fact, PageFacts, Told } from "./text.ts";

export function selfCheckTold(facts: PageFacts): Told {
  const { alarm, selfCheck } = facts;
  const egress = alarm.egress ?? "?";
  const faults = faultsOf(selfCheck);
  const [first, ...more] = faults;
  if (selfCheck === null || first === undefined) return nothingFound(facts, egress);
  const others = more.length === 0 ? "" : `; ${more.length} more ${more.length === 1 ? "fault" : "faults"}`;
  return {
    title: `Our own set-up of egress ${egress} is wrong: ${inALine(first.text)}${others}`,
    quotes: faults.map(({ check, text }) => quoted(checkNames[check], text)),
    action: actionOf(first),
    facts: [
      ...sinceFacts(selfCheck, facts),
      ...checksFacts(selfCheck),
      fromFact(null, facts),
      ...lastSeenFacts(facts.histories),
    ],
    command: selfCheckCommand(egress),
  };
}

/** What the last self-check found wrong, in a line; nothing where it found nothing, or there is none. */
export function ownFaultsFacts({ selfCheck }: PageFacts): readonly Fact[] {
  const faults = faultsOf(selfCheck);
  if (selfCheck === null || faults.length === 0) return [];
  const texts = faults.map(({ check, text }) => `${checkNames[check]}: ${inALine(text)}`);
  return [{ label: "Self-check", value: `${texts.join("; ")} (${timeText(selfCheck.at)})` }];
}

/** How each check stands, but for those that found a fault. */
export function checksFacts({ at, selfCheck }: StoredSelfCheck): readonly Fact[] {
  const ok = selfCheck.checks.filter(({ standing }) => standing === "ok").map(({ check }) => checkNames[check]);
  const unknown = selfCheck.checks.filter(({ standing }) => standing === "unknown");
  const texts = [
    ...(ok.length === 0 ? [] : [`right: ${ok.join(", ")}`]),
    ...unknown.map(({ check, text }) => `not known, ${checkNames[check]}: ${inALine(text)}`),
  ];
  const label = ok.length + unknown.length === selfCheck.checks.length ? "Checks" : "Other checks";
  return texts.length === 0 ? [] : [{ label, value: `${texts.join("; ")} (${timeText(at)})` }];
}

// prettier-ignore
const checkNames: Readonly<Record<Check["check"], string>> = {
  "address":     "the egress's address",
  "helo":        "the HELO name",
  "reverse-dns": "reverse DNS",
  "sender":      "the sender's domain",
  "spf":         "SPF",
  "port-25":     "port 25",
  "blocklists":  "blocklists",
};

function faultsOf(stored: StoredSelfCheck | null): readonly Check[] {
  return stored?.selfCheck.checks.filter(({ standing }) => standing === "fault") ?? [];
}

function actionOf({ remedy }: Check): Action {
  return remedy ?? { text: "Read the words above.", url: null };
}

/** Each fault's own beginning, where they differ. */
function sinceFacts(stored: StoredSelfCheck, { change }: PageFacts): readonly Fact[] {
  const rows = faultsOf(stored).map(({ check }) => ({ check, since: stored.since[check] ?? stored.at }));
  const groups = [...Map.groupBy(rows, ({ since }) => since)].toSorted(([a], [b]) => a.localeCompare(b));
  const texts = groups.map(([since, its]) => {
    const names = groups.length === 1 ? "" : `${its.map(({ check }) => checkNames[check]).join(", ")}: `;
    return `${names}${timeText(since)}, ${spanText(since, change.at)} before this page`;
  });
  return [{ label: "Since", value: texts.join("; ") }];
}

/** The alarm stands on a figure; the check that it is from is gone, cannot be read, or a later one found no fault. */
function nothingFound(facts: PageFacts, egress: string): Told {
  const { selfCheck, historyFault } = facts;
  const missing = historyFault === null ? "no self-check is stored" : "the history could not be read";
  const why = selfCheck === null ? missing : "a later self-check found none";
  return {
    title: `Our own set-up of egress ${egress} is wrong (the faults are missing: ${why})`,
    quotes: [],
    action: { text: "Check it again, from the machine that has the egress, by the command below.", url: null },
    facts: [...(selfCheck === null ? [] : checksFacts(selfCheck)), fromFact(null, facts)],
    command: selfCheckCommand(egress),
  };
}
