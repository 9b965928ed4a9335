// What to say when an alarm clears: what is well again, for how long it was not, and how the provider answers now.
// It claims no more than the last verdict shows.
import type { StoredVerdict } from "../state/verdicts.ts";
import { standing } from "../verdict/incident.ts";
import { replayCommand } from "./commands.ts";
import { quoted } from "./quote.ts";
import { addressOf, lastSeenFacts, providerName, providerNames, spanText, timeText } from "./said.ts";
import { checksFacts } from "./self-check.ts";
import type { Fact, PageFacts, Told } from "./text.ts";

export function recoveryTold(facts: PageFacts): Told {
  const { alarm, histories } = facts;
  const own = histories.filter(({ provider }) => alarm.provider === null || alarm.provider === provider);
  const lasts = own.flatMap(({ verdicts }) => verdicts[0] ?? []);
  const [last] = alarm.provider === null ? [] : lasts;
  return {
    title: titleOf(facts),
    quotes: last === undefined ? [] : [quoted(answerText(last), last.verdict.primary.text)],
    action: { text: actionOf(facts, last ?? null), url: null },
    facts: [
      ...stoodFacts(facts),
      ...(facts.selfCheck === null || alarm.kind !== "self-check" ? [] : checksFacts(facts.selfCheck)),
      ...lastSeenFacts(facts.histories),
    ],
    command: last === undefined ? null : replayCommand(last),
  };
}

function titleOf({ alarm, config }: PageFacts): string {
  const egress = alarm.egress ?? "?";
  const ip = addressOf(egress, null, config) ?? `egress ${egress}`;
  const who = alarm.provider === null ? "?" : providerName(alarm.provider);
  const [metric] = alarm.type === "metric" ? alarm.metrics : [];
  const queue = metric?.dimensions["QueueName"] ?? "?";
  switch (alarm.kind) {
    case "blocked":
      return `${who} no longer blocks ${ip}`;
    case "blocked-widely":
      return `fewer than ${config.alarms.widely} providers block ${ip}`;
    case "refused":
      return `${who} no longer refuses mail from ${ip}`;
    case "egress-down":
      return `egress ${egress} reaches hosts again`;
    case "probe-silent":
      return `egress ${egress} is probed again`;
    case "misconfigured":
      return `our set-up on ${ip} is no longer refused`;
    case "self-check":
      return `our own set-up of egress ${egress} has no fault any more`;
    case "failures":
      return metric?.name === "ApproximateAgeOfOldestMessage"
        ? `requests no longer wait in ${queue}`
        : `no request lies in ${queue}`;
  }
}

function answerText({ provider, at, verdict: { outcome, primary } }: StoredVerdict): string {
  return `${providerName(provider)} now: ${standing(outcome, primary.stage)} (${timeText(at)})`;
}

/** A wider alarm that clears may leave single blocks behind, which its firing had spoken for. */
function actionOf({ alarm, histories }: PageFacts, last: StoredVerdict | null): string {
  const blocked = histories.filter(({ block }) => block !== null);
  if (alarm.kind === "blocked-widely" && blocked.length > 0)
    return `Still blocked by ${providerNames(blocked)}: go on there.`;
  if (alarm.kind === "blocked" && last !== null && last.verdict.outcome !== "accepted") {
    return "Nothing, but look: the last verdict is no yes.";
  }
  return "Nothing.";
}

function stoodFacts({ change, firedAt }: PageFacts): readonly Fact[] {
  if (firedAt === null) return [];
  return [
    { label: "Stood", value: `${spanText(firedAt, change.at)}, from ${timeText(firedAt)} to ${timeText(change.at)}` },
  ];
}
