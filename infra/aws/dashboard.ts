// The dashboard: what stands now, what each provider says to each egress, in whose words, and whether we are well
// ourselves. It finds providers' series by searching, so that as many as there are fit. It judges nothing: that is alarms'.
import { ArnFormat, Duration, Stack } from "aws-cdk-lib";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { pairsOf, type Config } from "../../functions/config/config.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import { sendEgresses } from "../../functions/config/send-faults.ts";
import { queueNamespace, type egressMetrics } from "../../functions/report/names.ts";
import { lastVerdicts } from "./queries.ts";
import { sendSeries } from "./send-series.ts";
import { byClass, ofAlarm, ofEgress, ofPairs } from "./series.ts";

export interface DashboardProps {
  readonly config: Config;
  readonly functions: readonly IFunction[];
  /** The functions'. */
  readonly logGroups: readonly ILogGroup[];
}

export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { config, functions, logGroups }: DashboardProps) {
    super(scope, id);
    const dashboard = new cloudwatch.Dashboard(this, "Dashboard", {
      dashboardName: config.name,
      defaultInterval: Duration.days(1),
      // A graph of a round's figures stays one when a month is looked at.
      periodOverride: cloudwatch.PeriodOverride.INHERIT,
    });
    const rows = [
      alarmsRow(this, config),
      ...config.egresses.flatMap(({ name }) => egressRows(name, config)),
      verdictsRow(config, logGroups),
      queuesRow(config),
      functionsRow(functions),
    ];
    for (const row of rows) dashboard.addWidgets(...row);
  }
}

type Row = readonly cloudwatch.IWidget[];

/** Of the grid, and CloudWatch's own limit: alarms of one status widget. */
const wholeWidth = 24;
const alarmsPerWidget = 100;

/** What pages. Those that changed last are first. */
function alarmsRow(scope: Construct, config: Config): Row {
  const names = alarmsOf(config).flatMap(({ name, pages }) => (pages ? [name] : []));
  const count = Math.ceil(names.length / alarmsPerWidget);
  return Array.from({ length: count }, (_, index) => {
    const part = names.slice(index * alarmsPerWidget, (index + 1) * alarmsPerWidget);
    return new cloudwatch.AlarmStatusWidget({
      title: count === 1 ? "Alarms that page" : `Alarms that page, ${index + 1} of ${count}`,
      alarms: part.map((name) => alarmOf(scope, name)),
      width: wholeWidth,
      height: Math.min(8, 2 + Math.ceil(part.length / 4)),
      sortBy: cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
    });
  });
}

/** By its name alone, composite or not: the widget wants its ARN. */
function alarmOf(scope: Construct, name: string): cloudwatch.IAlarmRef {
  const alarmArn = Stack.of(scope).formatArn({
    service: "cloudwatch",
    resource: "alarm",
    resourceName: name,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return cloudwatch.Alarm.fromAlarmArn(scope, name, alarmArn);
}

function egressRows(egress: string, config: Config): readonly Row[] {
  const rows = [...providerRows(egress, config), ...sendRows(egress, config)];
  if (rows.length === 0) return [];
  return [[new cloudwatch.TextWidget({ markdown: `## ${egress}`, width: wholeWidth, height: 1 })], ...rows];
}

/** What the providers say to one egress: a line a provider. */
function providerRows(egress: string, config: Config): readonly Row[] {
  const period = roundOf(egress, config);
  if (period === null) return [];
  const graph = (title: string, width: number, left: cloudwatch.IMetric[]): cloudwatch.GraphWidget =>
    new cloudwatch.GraphWidget({ title, width, left, leftYAxis: { min: 0, showUnits: false }, period });
  const outcomes = (["Accepted", "Rejected", "Deferred", "Unanswered"] as const).map((name) =>
    graph(name, wholeWidth / 4, [ofPairs(name, egress, "Sum", period)]),
  );
  const time = (["p50", "p90", "Maximum"] as const).map((statistic) =>
    ofPairs("SessionTime", egress, statistic, period),
  );
  return [
    outcomes,
    [
      graph("Blocked: 1 is yes", 8, [ofPairs("Blocked", egress, "Maximum", period)]),
      graph("Rejections by class", 8, [byClass(egress, period)]),
      graph("Session time (ms)", 8, time),
    ],
    [
      graph(
        "All providers together",
        wholeWidth,
        egressNames.map((name) => ofEgress(name, egress, period)),
      ),
    ],
  ];
}

/** What became of recipients, and how often something waited for a block to end. */
function sendRows(egress: string, config: Config): readonly Row[] {
  if (!sendEgresses(config).includes(egress)) return [];
  const period = Duration.minutes(5);
  return [
    [
      new cloudwatch.GraphWidget({
        title: "Sends: recipients by what became of them, and waits for a block to end",
        width: wholeWidth,
        left: sendSeries.map((name) => ofEgress(name, egress, period)),
        leftYAxis: { min: 0, showUnits: false },
        period,
      }),
    ],
  ];
}

const egressNames = [
  "Attempts",
  "Probes",
  "Skipped",
  "Unreachable",
  "Misconfigured",
  "RepliesUnmasked",
  "SelfCheckFaults",
] as const satisfies readonly (keyof typeof egressMetrics)[];

/** The shortest of an egress's rounds; null: no target is probed over it. */
function roundOf(egress: string, config: Config): Duration | null {
  const every = pairsOf(config).flatMap((pair) => (pair.egress.name === egress ? [pair.target.everyMinutes] : []));
  return every.length === 0 ? null : Duration.minutes(Math.min(...every));
}

function verdictsRow(config: Config, logGroups: readonly ILogGroup[]): Row {
  const onHosts = config.egresses.filter(({ runner }) => runner === "worker").map(({ name }) => name);
  const note = `**Not here: ${onHosts.join(", ")}.** What their workers log stays in the journal of their mail hosts: \`journalctl\` there. Figures and alarms are above, and \`delivery-probe status\` shows the last verdicts of all.`;
  return [
    new cloudwatch.LogQueryWidget({
      title: "Last verdicts",
      logGroupNames: logGroups.map(({ logGroupName }) => logGroupName),
      queryString: lastVerdicts.text,
      width: wholeWidth,
      height: 9,
    }),
    ...(onHosts.length === 0 ? [] : [new cloudwatch.TextWidget({ markdown: note, width: wholeWidth, height: 2 })]),
  ];
}

/** What the alarms look at of the queues: how long the oldest request waits, and what lies in the dead letters. */
function queuesRow(config: Config): Row {
  const rows = alarmsOf(config).flatMap((each) => (each.type === "metric" ? each.metrics : []));
  const seen = Map.groupBy(
    rows.filter((each) => each.namespace === queueNamespace),
    ({ name }) => name,
  );
  return [...seen].map(
    ([title, metrics]) =>
      new cloudwatch.GraphWidget({
        title,
        left: metrics.map(ofAlarm),
        leftYAxis: { min: 0 },
        width: Math.floor(wholeWidth / seen.size),
      }),
  );
}

function functionsRow(functions: readonly IFunction[]): Row {
  const counted = functions.flatMap((each) => [
    each.metricErrors({ label: `${each.functionName} errors` }),
    each.metricThrottles({ label: `${each.functionName} throttles` }),
  ]);
  return [
    new cloudwatch.GraphWidget({
      title: "Functions: errors, throttles",
      left: counted,
      leftYAxis: { min: 0 },
      width: 12,
    }),
    new cloudwatch.GraphWidget({
      title: "Functions: duration (ms)",
      left: functions.flatMap((each) =>
        ["p50", "p90", "Maximum"].map((statistic) =>
          each.metricDuration({ statistic, label: `${statistic} ${each.functionName}` }),
        ),
      ),
      leftYAxis: { min: 0 },
      width: 12,
    }),
  ];
}
