// From a verdict to figures: what is counted, by which dimensions. Pure. It sends nothing.
import type { Transcript } from "../smtp/transcript.ts";
import type { StoredSelfCheck } from "../state/self-checks.ts";
import type { Class } from "../verdict/classes.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { reconcile } from "../verdict/reconcile.ts";
import { blockClass, egressMetrics, misconfigurations, pairMetrics, rejections, type MetricName } from "./names.ts";

/** One value of one series. */
export interface Figure {
  readonly name: string;
  readonly unit: MetricName["unit"];
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Whose figures: the series' dimensions. */
export interface Whose {
  readonly provider: string;
  readonly egress: string;
}

/**
 * @param blocked what is known of the block after this verdict; null: nothing new
 */
export function figuresOf(verdict: Verdict, { provider, egress }: Whose, blocked: boolean | null): readonly Figure[] {
  const { outcome } = verdict;
  const pair = { Provider: provider, Egress: egress };
  const ofPair = (name: keyof typeof pairMetrics, value: number): Figure => {
    return { name, unit: pairMetrics[name].unit, dimensions: pair, value };
  };
  const ofEgress = (name: keyof typeof egressMetrics, value: number): Figure => {
    return { name, unit: egressMetrics[name].unit, dimensions: { Egress: egress }, value };
  };
  const others = verdict.findings.filter(({ class: kind }) => !hasOwnAlarm(kind));
  return [
    ofPair("Attempts", 1),
    ofPair("Accepted", Number(outcome === "accepted")),
    ofPair("Rejected", Number(outcome === "rejected")),
    ofPair("Deferred", Number(outcome === "deferred")),
    ofPair("Unanswered", Number((outcome === "unanswered" || outcome === "unknown") && !isOurs(verdict))),
    ...(blocked === null ? [] : [ofPair("Blocked", Number(blocked))]),
    ...(others.length === 0 ? [] : [ofPair("Refused", 1)]),
    ...verdict.attempts
      .filter(({ timings }) => timings.connectedMs !== null)
      .map(({ timings }) => ofPair("SessionTime", Math.round(timings.decidedMs))),
    ...refusedClasses(verdict).map((kind) => {
      return { name: rejections.name, unit: rejections.unit, dimensions: { ...pair, Class: kind }, value: 1 };
    }),
    ofEgress("Attempts", 1),
    ofEgress("Unreachable", Number(isUnreachable(verdict))),
    ofEgress("Misconfigured", Number(verdict.findings.some(({ class: kind }) => isMisconfiguration(kind)))),
    ofEgress("RepliesUnmasked", verdict.attempts.filter(isUnmasked).length),
  ];
}

/**
 * How many checks of our own set-up found a fault. Nothing where a fault that was found before could not be looked at
 * again, or no check came to anything: a zero says that all is mended.
 */
export function selfCheckFigures({ egress, selfCheck, since }: StoredSelfCheck): readonly Figure[] {
  const { checks } = selfCheck;
  const faults = checks.filter(({ standing }) => standing === "fault").length;
  const isClear = Object.keys(since).length === 0 && checks.some(({ standing }) => standing === "ok");
  if (faults === 0 && !isClear) return [];
  return [
    {
      name: "SelfCheckFaults",
      unit: egressMetrics.SelfCheckFaults.unit,
      dimensions: { Egress: egress },
      value: faults,
    },
  ];
}

function hasOwnAlarm(kind: Class | null): boolean {
  return kind === blockClass || isMisconfiguration(kind);
}

function isMisconfiguration(kind: Class | null): boolean {
  return kind !== null && misconfigurations.includes(kind);
}

/** Of refusals: what the transport failed at is counted as Unanswered. */
function refusedClasses({ outcome, class: kind, findings }: Verdict): readonly Class[] {
  const primary = outcome === "rejected" || outcome === "deferred" ? [kind] : [];
  const all = [...primary, ...findings.map((each) => each.class)].filter((each) => each !== null);
  return [...new Set(all)];
}

function isUnreachable(verdict: Verdict): boolean {
  const { outcome, primary } = verdict;
  return outcome === "unanswered" && primary.stage === "connect" && !isOurs(verdict);
}

/** Our time was over, our table failed, or nobody is there for this egress: nobody's silence (DESIGN §6 rule 9). */
function isOurs({ attempts }: Verdict): boolean {
  // That ended the search, whoever had failed before.
  if (attempts.at(-1)?.stop?.reason === "uncommitted") return true;
  // Who was more than we ask was not silent either.
  const asked = attempts.filter(({ stop }) => stop?.reason !== "left-out");
  return asked.length > 0 && asked.every(({ ending, stop }) => ending.by === "abort" || stop?.reason === "no-family");
}

/** A refusal was read, and then the connection failed: what tells the last thing that happened tells of no refusal. */
function isUnmasked(attempt: Transcript): boolean {
  const { outcome } = reconcile(attempt).primary;
  const isRefused = outcome === "rejected" || outcome === "deferred";
  const { by } = attempt.ending;
  const failed = by === "fin" || by === "reset" || by === "timeout" || by === "deadline";
  return isRefused && attempt.exchanges.length > 0 && (failed || attempt.exchanges.some((each) => each.reply === null));
}
