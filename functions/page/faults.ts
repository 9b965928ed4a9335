// What to say of faults that are ours to mend: no way out, no probe, requests that nobody can work on or that wait.
// It knows no host's word but what came in the place of one.
import { queueNames, runnerOf, scheduleDeadName } from "../queue/queues.ts";
import type { StoredVerdict } from "../state/verdicts.ts";
import { redriveCommand, replayCommand } from "./commands.ts";
import { quoted, type Quote } from "./quote.ts";
import { addressOf, lastSeenFacts, providerName, providerNames, spanText, timeText } from "./said.ts";
import type { PageFacts, Told } from "./text.ts";

export type FaultKind = "egress-down" | "probe-silent" | "failures";

export function faultTold(facts: PageFacts, kind: FaultKind): Told {
  switch (kind) {
    case "egress-down":
      return egressDown(facts);
    case "probe-silent":
      return probeSilent(facts);
    case "failures":
      return failures(facts);
  }
}

function egressDown(facts: PageFacts): Told {
  const { alarm, config, histories } = facts;
  const egress = alarm.egress ?? "?";
  const lasts = histories.flatMap(({ verdicts }) => verdicts[0] ?? []);
  const failed = lasts.filter(({ verdict }) => verdict.outcome === "unanswered" && verdict.primary.stage === "connect");
  const address = addressOf(egress, null, config);
  const [first] = failed;
  const count = first === undefined ? "" : `: no connection to ${failed.length} of ${histories.length} providers`;
  return {
    title: `Egress ${egress} reaches nobody${count}`,
    quotes: connectQuotes(failed),
    action: {
      text: `Ours to mend, no provider's doing: on egress ${egress} try port 25 outbound, then NAT or the proxy, routes and DNS.`,
      url: null,
    },
    facts: [
      {
        label: "Means",
        value: "port 25 is closed on the way out, or NAT or the proxy is down; no host has refused anything",
      },
      { label: "From", value: address === null ? `egress ${egress}` : `${address}, egress ${egress}` },
      ...lastSeenFacts(facts.histories),
    ],
    command: first === undefined ? null : replayCommand(first),
  };
}

/** What each failure said, once, with who it happened at. */
function connectQuotes(failed: readonly StoredVerdict[]): readonly Quote[] {
  const groups = Map.groupBy(failed, ({ verdict: { primary } }) => `${primary.stage} ${causeOf(primary.text)}`);
  return [...groups.values()].flatMap((each) => {
    const [first] = each;
    if (first === undefined) return [];
    const { primary } = first.verdict;
    return [quoted(`At ${primary.stage}, with ${providerNames(each)}`, primary.text)];
  });
}

/** The words of a failure without the host and address that it happened at. */
function causeOf(text: string): string {
  return text.replaceAll(/[\w.-]+\.[a-z]{2,}|\[?[\da-f.:]{7,}\]?|\d+/gi, "*");
}

function probeSilent(facts: PageFacts): Told {
  const { alarm, config, change, histories } = facts;
  const egress = alarm.egress ?? "?";
  const lasts = histories.flatMap(({ verdicts }) => verdicts[0] ?? []);
  const [newest] = lasts.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const runner = runnerOf(egress, config) ?? "functions";
  const { probe } = queueNames(config, runner);
  const who = runner === "functions" ? "the probe function" : `the worker ${runner.worker}`;
  const since = newest === undefined ? "for as long as is known" : `since ${timeText(newest.at)}`;
  return {
    title: `Nothing is probed over egress ${egress} ${since}: a block would not be seen`,
    quotes: [],
    action: {
      text: `Look whether ${who} runs and reads the queue ${probe}, then whether the schedule puts requests there.`,
      url: null,
    },
    facts: [
      ...(newest === undefined
        ? [{ label: "Last verdict", value: "none is stored" }]
        : [
            {
              label: "Last verdict",
              value: `${providerName(newest.provider)}, ${timeText(newest.at)}, ${spanText(newest.at, change.at)} before this page`,
            },
          ]),
      ...lastSeenFacts(facts.histories),
    ],
    command: newest === undefined ? null : replayCommand(newest),
  };
}

function failures({ alarm, change, config }: PageFacts): Told {
  const [metric] = alarm.type === "metric" ? alarm.metrics : [];
  const queue = metric?.dimensions["QueueName"] ?? "?";
  const figure = figureIn(change.reason);
  const names = queueNames(config, alarm.egress === null ? "functions" : { worker: alarm.egress });
  const isOfSends = queue === names.send || queue === names.sendDead;
  const ours = isOfSends ? "the send function" : "the probe function";
  const runner = alarm.egress === null ? ours : `the worker ${alarm.egress}`;
  const what = isOfSends ? "Sends" : "Requests";
  const reason: Quote = quoted("CloudWatch's reason", change.reason);
  if (metric?.name === "ApproximateAgeOfOldestMessage") {
    const waits = figure === null ? `${config.alarms.lateMinutes} min or more` : spanOfSeconds(figure);
    return {
      title: `${what} wait in ${queue} for ${waits}`,
      quotes: [reason],
      action: {
        text: `Look whether ${runner} runs, and whether its sessions end; what waits is ${isOfSends ? "sent" : "probed"} late.`,
        url: null,
      },
      facts: [{ label: "Queue", value: `${queue}, read by ${runner}` }],
      command: null,
    };
  }
  if (queue === scheduleDeadName(config)) return slotsGivenUp(queue, reason);
  const one = isOfSends ? "send" : "request";
  const count = figure === null ? what : `${figure} ${figure === 1 ? one : `${one}s`}`;
  return {
    title: `${count} could not be worked on, and ${figure === 1 ? "lies" : "lie"} in ${queue}`,
    quotes: [reason],
    action: {
      text: isOfSends
        ? sendsAction
        : `Mend what each dead letter's reason says, then move them back: npx delivery-probe redrive ${alarm.egress ?? "functions"}.`,
      url: null,
    },
    facts: [{ label: "Queue", value: `${queue}, where ${runner} leaves what it cannot work on` }],
    command: redriveCommand(),
  };
}

/** What a producer has done wrong moving back does not mend. */
const sendsAction =
  "Read each dead letter's reason: have a malformed send asked for anew, under a new id; where the fault was ours, mend it and move them back (redrive). Nobody was sent these, and no result tells of them.";

/** The next slot is called all the same: what is lost is a round. */
function slotsGivenUp(queue: string, reason: Quote): Told {
  return {
    title: "The schedule was called and failed: a round of probes is missing",
    quotes: [reason],
    action: { text: "Read what the call failed with, and mend that; then discard the dead letters.", url: null },
    facts: [{ label: "Queue", value: `${queue}, where calls of the schedule are left that failed for good` }],
    command: redriveCommand(),
  };
}

/** The newest data point that CloudWatch's reason names: `Threshold Crossed: 1 datapoint [3.0 (24/11/26 11:30:00)] …`. */
function figureIn(reason: string): number | null {
  const figure = Number(/\[(\d{1,12}(?:\.\d+)?) \(/.exec(reason)?.[1] ?? "none");
  return Number.isNaN(figure) ? null : Math.round(figure);
}

function spanOfSeconds(seconds: number): string {
  return spanText(new Date(0).toISOString(), new Date(seconds * 1000).toISOString());
}
