// The alarms in AWS: the rows that the local stack has, as the same requests, with the page function for an action. Which
// alarms there are, and when they fire, functions/report/alarms.ts knows.
import { CfnAlarm, CfnCompositeAlarm, type CfnCompositeAlarmProps } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { alarmsOf, type Alarm } from "../../functions/report/alarms.ts";
import { queueNamespace } from "../../functions/report/names.ts";
import { compositeAlarm, metricAlarm } from "../alarm-requests.ts";
import { propertiesOf } from "./properties.ts";

/** A row, and the queue that it looks at; null: none. */
export type AlarmOf = Alarm & { readonly queue: string | null };

/** All rows of a configuration. Each is put once, where it belongs. */
export class Alarms {
  readonly #left: Map<string, AlarmOf>;
  readonly #put = new Map<string, CfnAlarm | CfnCompositeAlarm>();
  readonly #actions: readonly string[];

  /** @param actions ARNs that hear of the changes of what pages */
  constructor(config: Config, actions: readonly string[]) {
    this.#actions = actions;
    this.#left = new Map(alarmsOf(config).map((row) => [row.name, { ...row, queue: queueOf(row) }]));
  }

  /** Puts those of the rows that are still to put, in their order: what a composite names is there before it. */
  put(scope: Construct, isWanted: (row: AlarmOf) => boolean): void {
    for (const row of [...this.#left.values()].filter(isWanted)) {
      this.#left.delete(row.name);
      const alarm = this.#alarm(scope, row);
      for (const [name, other] of this.#put) if (isNamed(name, row)) alarm.addResourceDependency(other);
      this.#put.set(row.name, alarm);
    }
  }

  #alarm(scope: Construct, row: Alarm): CfnAlarm | CfnCompositeAlarm {
    return row.type === "metric"
      ? new CfnAlarm(scope, row.name, propertiesOf(metricAlarm(row, this.#actions)))
      : new CfnCompositeAlarm(
          scope,
          row.name,
          propertiesOf(compositeAlarm(row, this.#actions)) as unknown as CfnCompositeAlarmProps,
        );
  }
}

function queueOf(row: Alarm): string | null {
  if (row.type !== "metric") return null;
  const found = row.metrics.find(({ namespace }) => namespace === queueNamespace);
  return found?.dimensions["QueueName"] ?? null;
}

/** CloudWatch refuses a rule or a suppressor that names what is not there. */
function isNamed(name: string, row: Alarm): boolean {
  return row.type === "composite" && (row.rule.includes(`"${name}"`) || row.suppressor?.alarm === name);
}
