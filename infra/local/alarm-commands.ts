// A CloudWatch that has the alarms of the rows, and no others of ours. It knows neither what an alarm is about nor when it
// fires.
import {
  DeleteAlarmsCommand,
  paginateDescribeAlarms,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  type CloudWatchClient,
} from "@aws-sdk/client-cloudwatch";
import type { Alarm } from "../../functions/report/alarms.ts";
import { compositeAlarm, metricAlarm } from "../alarm-requests.ts";

/**
 * Puts alarms in their order, and deletes those of an earlier configuration.
 * @param prefix of our alarms' names
 * @param actions ARNs that hear of the changes to ALARM and to OK of what pages
 */
export async function putAlarms(
  alarms: readonly Alarm[],
  prefix: string,
  actions: readonly string[],
  client: CloudWatchClient,
): Promise<void> {
  for (const alarm of alarms) {
    if (alarm.type === "metric") await client.send(new PutMetricAlarmCommand(metricAlarm(alarm, actions)));
    else await client.send(new PutCompositeAlarmCommand(compositeAlarm(alarm, actions)));
  }
  const names = new Set(alarms.map(({ name }) => name));
  const pages = paginateDescribeAlarms(
    { client },
    { AlarmNamePrefix: prefix, AlarmTypes: ["MetricAlarm", "CompositeAlarm"] },
  );
  const gone: { readonly name: string; readonly turn: number }[] = [];
  for await (const { CompositeAlarms = [], MetricAlarms = [] } of pages) {
    // What names another goes before it: what has a suppressor first, and the metric alarms last.
    const composites = CompositeAlarms.map(({ AlarmName = "", ActionsSuppressor }) => {
      return { name: AlarmName, turn: ActionsSuppressor === undefined ? 1 : 0 };
    });
    const found = [...composites, ...MetricAlarms.map(({ AlarmName = "" }) => ({ name: AlarmName, turn: 2 }))];
    gone.push(...found.filter(({ name }) => !names.has(name)));
  }
  // CloudWatch takes one composite a call.
  for (const { name } of gone.toSorted((a, b) => a.turn - b.turn)) {
    await client.send(new DeleteAlarmsCommand({ AlarmNames: [name] }));
  }
}
