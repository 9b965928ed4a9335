// The alarms, as rows of data that follow from the configuration: what is looked at, when it fires, whether it pages.
// Those who make alarms of them (CDK, the local stack) and those who read them (the page, `status`) share these rows.
// Adding an alarm is a kind, its rows, and a heading of the kind's name in the runbook.
import type { AlarmKind } from "../config/alarm-kinds.ts";
import { pairsOf, type Config } from "../config/config.ts";
import { queueNames, runnersOf, scheduleDeadName, type QueueNames, type Runner } from "../queue/queues.ts";
import { namespace, queueNamespace } from "./names.ts";

export { alarmKinds, type AlarmKind } from "../config/alarm-kinds.ts";

interface AlarmFacts {
  readonly name: string;
  readonly kind: AlarmKind;
  /** What it is about; null where it is about more than one. */
  readonly provider: string | null;
  readonly egress: string | null;
  /** Whether its changes go to on-call. What does not page is looked at by others. */
  readonly pages: boolean;
  readonly description: string;
}

/** One series, with an id for the expression. */
export interface AlarmMetric {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Sum" | "Maximum" | "Minimum" | "Average";
}

export interface MetricAlarm extends AlarmFacts {
  readonly type: "metric";
  readonly metrics: readonly [AlarmMetric, ...AlarmMetric[]];
  /** Of the metrics' ids (CloudWatch metric math); null: the one metric itself. */
  readonly expression: string | null;
  readonly periodS: number;
  /** Fires when so many of the last so many periods breach. */
  readonly datapoints: number;
  readonly of: number;
  readonly comparison: "GreaterThanOrEqualToThreshold" | "GreaterThanThreshold" | "LessThanThreshold";
  readonly threshold: number;
  readonly missing: "breaching" | "notBreaching" | "ignore" | "missing";
}

export interface CompositeAlarm extends AlarmFacts {
  readonly type: "composite";
  /** CloudWatch's own notation. */
  readonly rule: string;
  /** An alarm that, while it stands, speaks for this one; null: none. It is waited for before this one speaks. */
  readonly suppressor: { readonly alarm: string; readonly waitS: number; readonly extensionS: number } | null;
}

export type Alarm = MetricAlarm | CompositeAlarm;

/**
 * All alarms of a configuration, metric alarms before the composites that name them.
 *
 * What pages for one pair is a composite, because only a composite can be suppressed: $0.50 a pair and month instead of
 * a page function that would have to hold pages back and remember them. blocked-widely names metric alarms of its own, at $0.10.
 */
export function alarmsOf(config: Config): readonly Alarm[] {
  const pairs = seriesOf(config);
  const egresses = [...new Set(pairs.map(({ egress }) => egress))];
  return [
    ...pairs.map((pair) => blockedMetric(pair, config)),
    ...pairs.filter(({ egress }) => isWide(egress, pairs, config)).map((pair) => seenMetric(pair, config)),
    ...pairs.map((pair) => refused(pair, config)),
    ...egresses.flatMap((egress) => [
      egressDown(egress, pairs, config),
      probeSilent(egress, pairs, config),
      misconfigured(egress, pairs, config),
    ]),
    ...config.egresses.map(({ name }) => selfCheck(name, config)),
    ...runnersOf(config).flatMap((runner) => failures(queueNames(config, runner), runner, config)),
    ...(config.sends === null ? [] : runnersOf(config).flatMap((runner) => sendFailures(runner, config))),
    scheduleFailures(config),
    ...egresses.flatMap((egress) => blockedWidely(egress, pairs, config)),
    ...pairs.map((pair) => blocked(pair, pairs, config)),
  ];
}

/** A provider over an egress: the series that all its targets feed. */
interface Series {
  readonly provider: string;
  readonly egress: string;
  /** The shortest of its targets'. */
  readonly everyS: number;
}

function seriesOf(config: Config): readonly Series[] {
  const groups = Map.groupBy(pairsOf(config), ({ target, egress }) => `${target.provider} ${egress.name}`);
  return [...groups.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    const everyS = Math.min(...[first, ...more].map(({ target }) => target.everyMinutes)) * 60;
    return [{ provider: first.target.provider, egress: first.egress.name, everyS }];
  });
}

/** A block is said or not said once a round; what does not say leaves the state as it is (DESIGN §11). */
function blockedMetric({ provider, egress, everyS }: Series, { name, alarms }: Config): MetricAlarm {
  return {
    ...quiet,
    type: "metric",
    name: blockingName(name, provider, egress),
    kind: "blocked",
    provider,
    egress,
    description: `${provider} refuses the IP of egress ${egress}`,
    metrics: [seriesMetric("blocked", "Blocked", { Provider: provider, Egress: egress }, "Maximum")],
    periodS: everyS,
    ...alarms.blocked,
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    missing: "ignore",
  };
}

/**
 * The same at the first word of a block, and over as soon as blockedMetric is: for blocked-widely alone. What two providers
 * say in one round needs no second round to be believed, and so it speaks before the single alarms do.
 */
function seenMetric(series: Series, config: Config): MetricAlarm {
  const { datapoints, of } = config.alarms.blocked;
  const name = seenName(config.name, series.provider, series.egress);
  return { ...blockedMetric(series, config), name, datapoints: 1, of: of - datapoints + 1 };
}

/**
 * Only a composite can be suppressed: while blocked-widely stands, it has said so. When that is over, a single block has a
 * round's time to end as well, for providers are not all asked at once.
 */
function blocked({ provider, egress }: Series, all: readonly Series[], config: Config): CompositeAlarm {
  const extensionS = suppressorWaitS + Math.min(3_600, roundOf(egress, all).longestS);
  return {
    type: "composite",
    name: `${config.name}-blocked-${provider}-${egress}`,
    kind: "blocked",
    provider,
    egress,
    pages: true,
    description: `${provider} refuses the IP of egress ${egress}`,
    rule: `ALARM(${quoted(blockingName(config.name, provider, egress))})`,
    suppressor: isWide(egress, all, config)
      ? { alarm: widelyName(config.name, egress), waitS: suppressorWaitS, extensionS }
      : null,
  };
}

function blockedWidely(egress: string, all: readonly Series[], config: Config): readonly CompositeAlarm[] {
  if (!isWide(egress, all, config)) return [];
  const { widely } = config.alarms;
  const names = all
    .filter((each) => each.egress === egress)
    .map((each) => quoted(seenName(config.name, each.provider, egress)));
  const longest = Math.max(...names.map(({ length }) => length)) + ", ".length;
  const children = names.slice(0, Math.min(compositeChildren, Math.floor(childrenLimit / longest)));
  return [
    {
      type: "composite",
      name: widelyName(config.name, egress),
      kind: "blocked-widely",
      provider: null,
      egress,
      pages: true,
      description: `${widely} providers or more refuse the IP of egress ${egress}`,
      rule: `AT_LEAST(${widely}, ALARM, (${children.join(", ")}))`,
      suppressor: null,
    },
  ];
}

/** Classes that page and are neither the IP's nor our set-up's: a domain's reputation, a broken conversation, overrides. */
function refused({ provider, egress, everyS }: Series, { name, alarms }: Config): MetricAlarm {
  return {
    type: "metric",
    name: `${name}-refused-${provider}-${egress}`,
    kind: "refused",
    provider,
    egress,
    pages: true,
    description: `${provider} refuses mail of egress ${egress} for a reason that pages`,
    metrics: [seriesMetric("refused", "Refused", { Provider: provider, Egress: egress }, "Sum")],
    expression: null,
    periodS: everyS,
    ...alarms.blocked,
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    missing: "notBreaching",
  };
}

/** Nobody can be reached: port 25, NAT or a proxy. One provider that is down is not that, where there are more. */
function egressDown(egress: string, all: readonly Series[], { name, alarms }: Config): MetricAlarm {
  const periodS = roundOf(egress, all).shortestS;
  const inPeriod = all.filter((each) => each.egress === egress && each.everyS === periodS);
  return {
    type: "metric",
    name: `${name}-egress-down-${egress}`,
    kind: "egress-down",
    provider: null,
    egress,
    pages: true,
    description: `egress ${egress} reaches nobody: port 25, NAT or proxy`,
    metrics: [
      seriesMetric("attempts", "Attempts", { Egress: egress }, "Sum"),
      seriesMetric("unreachable", "Unreachable", { Egress: egress }, "Sum"),
    ],
    expression: `IF(attempts >= ${Math.min(2, inPeriod.length)}, unreachable / attempts, 0)`,
    periodS,
    ...alarms.egressDown,
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    missing: "ignore",
  };
}

/**
 * Missing data is what this one is about. SUM over a list takes the series that are there; without FILL, data from before
 * the evaluation periods would stand in for what is missing, and keep it quiet for two rounds more.
 */
function probeSilent(egress: string, all: readonly Series[], { name }: Config): MetricAlarm {
  return {
    type: "metric",
    name: `${name}-probe-silent-${egress}`,
    kind: "probe-silent",
    provider: null,
    egress,
    pages: true,
    description: `nothing was probed over egress ${egress}, and nothing left out on purpose`,
    metrics: [
      seriesMetric("probes", "Probes", { Egress: egress }, "Sum"),
      seriesMetric("skipped", "Skipped", { Egress: egress }, "Sum"),
    ],
    expression: "FILL(SUM([probes, skipped]), 0)",
    periodS: roundOf(egress, all).shortestS,
    datapoints: 3,
    of: 3,
    comparison: "LessThanThreshold",
    threshold: 1,
    missing: "breaching",
  };
}

/**
 * Two such verdicts within two rounds: one alone may be a provider's look-up that failed. Where two rounds are longer
 * than the period that CloudWatch can look at, one is enough: a daily message may be all that shows it.
 */
function misconfigured(egress: string, all: readonly Series[], { name }: Config): MetricAlarm {
  const roundsS = roundOf(egress, all).longestS * 2;
  return {
    type: "metric",
    name: `${name}-misconfigured-${egress}`,
    kind: "misconfigured",
    provider: null,
    egress,
    pages: true,
    description: `providers find our own set-up at fault over egress ${egress}: authentication, reverse DNS or HELO`,
    metrics: [seriesMetric("misconfigured", "Misconfigured", { Egress: egress }, "Sum")],
    expression: null,
    periodS: Math.min(roundsS, periodLimitS),
    datapoints: 1,
    of: 1,
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: roundsS > periodLimitS ? 1 : 2,
    missing: "notBreaching",
  };
}

/**
 * Once a day each egress is checked, also one that no target is probed over. One such check is enough: it asks more than
 * once itself, and what it could not find out is no fault. A day's period, though the alarm would fire by a shorter one
 * too: a figure that comes late, when CloudWatch or a worker was away for hours, still counts. What is mended is over with
 * the next day's check; one that does not come, or finds nothing out, mends nothing.
 */
function selfCheck(egress: string, { name }: Config): MetricAlarm {
  return {
    type: "metric",
    name: `${name}-self-check-${egress}`,
    kind: "self-check",
    provider: null,
    egress,
    pages: true,
    description: `our own set-up of egress ${egress} is wrong, whether or not a provider has said so yet`,
    metrics: [seriesMetric("faults", "SelfCheckFaults", { Egress: egress }, "Maximum")],
    expression: null,
    periodS: periodLimitS,
    datapoints: 1,
    of: 1,
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    missing: "ignore",
  };
}

/** Our own faults. SQS tells nothing of a queue that is long empty, which is good. */
function failures(names: QueueNames, runner: Runner, { name, alarms }: Config): readonly MetricAlarm[] {
  const { whose, egress } = partyOf(runner);
  return [
    {
      ...ofQueue,
      egress,
      name: `${name}-failures-dead-${whose}`,
      description: `requests could not be worked on, and lie in ${names.probeDead}`,
      metrics: [queueMetric("dead", "ApproximateNumberOfMessagesVisible", names.probeDead)],
      threshold: 1,
    },
    {
      ...ofQueue,
      egress,
      name: `${name}-failures-late-${whose}`,
      description: `requests wait in ${names.probe} for ${alarms.lateMinutes} minutes or more`,
      metrics: [queueMetric("age", "ApproximateAgeOfOldestMessage", names.probe)],
      threshold: alarms.lateMinutes * 60,
    },
  ];
}

/**
 * The same of sends. What waits there by rights may be old already: SQS counts a message's age from when it was sent, so
 * that a wake is as old as its delay when it comes, and a send that is worked on as old as its attempt.
 */
function sendFailures(runner: Runner, config: Config): readonly MetricAlarm[] {
  const { name, alarms } = config;
  const { whose, egress } = partyOf(runner);
  const { send, sendDead } = queueNames(config, runner);
  const minutes = alarms.lateMinutes + usualAgeMinutes;
  return [
    {
      ...ofQueue,
      egress,
      name: `${name}-failures-sends-dead-${whose}`,
      description: `sends could not be worked on, and lie in ${sendDead}`,
      metrics: [queueMetric("dead", "ApproximateNumberOfMessagesVisible", sendDead)],
      threshold: 1,
    },
    {
      ...ofQueue,
      egress,
      name: `${name}-failures-sends-late-${whose}`,
      description: `sends wait in ${send} for ${minutes} minutes or more, delays and the longest attempt counted`,
      metrics: [queueMetric("age", "ApproximateAgeOfOldestMessage", send)],
      threshold: minutes * 60,
    },
  ];
}

/** SQS's longest delay, and then an attempt as long as a function may take. */
const usualAgeMinutes = 15 + 15;

function partyOf(runner: Runner): { readonly whose: string; readonly egress: string | null } {
  return runner === "functions"
    ? { whose: "functions", egress: null }
    : { whose: runner.worker, egress: runner.worker };
}

/** A slot that was given up: who was due in it is not probed before the next round, over no egress. */
function scheduleFailures(config: Config): MetricAlarm {
  const queue = scheduleDeadName(config);
  return {
    ...ofQueue,
    name: `${config.name}-failures-dead-schedule`,
    description: `slots of the schedule were given up, and lie in ${queue}`,
    metrics: [queueMetric("dead", "ApproximateNumberOfMessagesVisible", queue)],
    threshold: 1,
  };
}

const ofQueue = {
  type: "metric",
  kind: "failures",
  provider: null,
  egress: null,
  pages: true,
  expression: null,
  periodS: 300,
  datapoints: 1,
  of: 1,
  comparison: "GreaterThanOrEqualToThreshold",
  missing: "notBreaching",
} as const;

/** What does not page. */
const quiet = { pages: false, expression: null } as const;
/** CloudWatch's own limits: a period in seconds, the alarms that a composite's rule names. */
const periodLimitS = 86_400;
const compositeChildren = 100;
/** And its characters, 10,240, without those around the names. */
const childrenLimit = 10_200;
/** CloudWatch evaluates once a minute: the wider alarm has had two turns. */
const suppressorWaitS = 120;

function blockingName(name: string, provider: string, egress: string): string {
  return `${name}-blocking-${provider}-${egress}`;
}

function seenName(name: string, provider: string, egress: string): string {
  return `${name}-seen-${provider}-${egress}`;
}

function widelyName(name: string, egress: string): string {
  return `${name}-blocked-widely-${egress}`;
}

function isWide(egress: string, all: readonly Series[], { alarms }: Config): boolean {
  return all.filter((each) => each.egress === egress).length >= alarms.widely;
}

function roundOf(egress: string, all: readonly Series[]): { readonly shortestS: number; readonly longestS: number } {
  const every = all.filter((each) => each.egress === egress).map(({ everyS }) => everyS);
  return { shortestS: Math.min(...every), longestS: Math.max(...every) };
}

function seriesMetric(
  id: string,
  name: string,
  dimensions: AlarmMetric["dimensions"],
  statistic: AlarmMetric["statistic"],
): AlarmMetric {
  return { id, namespace, name, dimensions, statistic };
}

function queueMetric(id: string, name: string, queue: string): AlarmMetric {
  return { id, namespace: queueNamespace, name, dimensions: { QueueName: queue }, statistic: "Maximum" };
}

function quoted(name: string): string {
  return `"${name}"`;
}
