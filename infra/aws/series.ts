// The series that the dashboard draws: searched for by egress, so that as many providers as there are fit, or named. Which
// are drawn beside each other it does not know.
import { Duration } from "aws-cdk-lib";
import { Metric, SearchExpression, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { AlarmMetric } from "../../functions/report/alarms.ts";
import { namespace, pairMetrics, rejections, type egressMetrics } from "../../functions/report/names.ts";

/** All providers of an egress: one search brings 500 series at most, as many as a graph shows. */
export function ofPairs(name: keyof typeof pairMetrics, egress: string, statistic: string, period: Duration): IMetric {
  // CloudWatch puts the series' own in.
  const label = name === "SessionTime" ? `${statistic} \${PROP('Dim.Provider')}` : "${PROP('Dim.Provider')}";
  return search(pairMetrics[name].by, { name, egress, statistic, label }, period);
}

/** Refusals of an egress, by provider and class. */
export function byClass(egress: string, period: Duration): IMetric {
  const { name, by } = rejections;
  const label = "${PROP('Dim.Provider')} ${PROP('Dim.Class')}";
  return search(by, { name, egress, statistic: "Sum", label }, period);
}

interface Searched {
  readonly name: string;
  readonly egress: string;
  readonly statistic: string;
  readonly label: string;
}

function search(by: readonly string[], { name, egress, statistic, label }: Searched, period: Duration): IMetric {
  // In double quotes each is looked for whole: "mail" does not find "mail-1".
  const terms = `{${[namespace, ...by].join(",")}} MetricName="${name}" Egress="${egress}"`;
  return new SearchExpression({
    expression: `SEARCH('${terms}', '${statistic}', ${period.toSeconds()})`,
    label,
    period,
  });
}

/** An egress's own, over all its providers. */
export function ofEgress(name: keyof typeof egressMetrics, egress: string, period: Duration): IMetric {
  const statistic = name === "SelfCheckFaults" ? "Maximum" : "Sum";
  return new Metric({
    namespace,
    metricName: name,
    dimensionsMap: { Egress: egress },
    statistic,
    period,
    label: name,
  });
}

/** What an alarm looks at. */
export function ofAlarm({ namespace, name, dimensions, statistic }: AlarmMetric): IMetric {
  return new Metric({
    namespace,
    metricName: name,
    dimensionsMap: { ...dimensions },
    statistic,
    period: Duration.minutes(5),
    label: Object.values(dimensions).join(" "),
  });
}
