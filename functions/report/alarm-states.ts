// How alarms stand in CloudWatch, and how one is set by hand. It does not know what an alarm is about.
import type {
  CloudWatch,
  CompositeAlarm,
  DescribeAlarmsCommandInput,
  MetricAlarm,
  StateValue,
} from "@aws-sdk/client-cloudwatch";

export interface AlarmStanding {
  readonly name: string;
  readonly state: StateValue;
  /** RFC 3339: when it came to this state. */
  readonly since: string;
  readonly reason: string;
  /** What keeps a composite alarm from telling its state: `WaitPeriod`, `ExtensionPeriod` or `Alarm`; null: nothing. */
  readonly suppressedBy: string | null;
  /** Whether anybody is told when it goes to ALARM. */
  readonly isHeard: boolean;
}

/** CloudWatch's own limit, of names and of records a call. */
const batchLimit = 100;

/** Of those that there are; what is not in the map is not in CloudWatch. */
export async function alarmStates(
  names: readonly string[],
  client: CloudWatch,
): Promise<ReadonlyMap<string, AlarmStanding>> {
  const found = new Map<string, AlarmStanding>();
  for (let from = 0; from < names.length; from += batchLimit) {
    for await (const each of described(names.slice(from, from + batchLimit), client)) found.set(each.name, each);
  }
  return found;
}

/** @throws what the SDK throws, `ResourceNotFound` where there is no such alarm */
export async function setAlarmState(
  name: string,
  state: StateValue,
  { reason, data }: { readonly reason: string; readonly data: object },
  client: CloudWatch,
): Promise<void> {
  const StateReason = reason.slice(0, reasonLimit);
  await client.setAlarmState({
    AlarmName: name,
    StateValue: state,
    StateReason,
    StateReasonData: JSON.stringify(data),
  });
}

/** CloudWatch's own. */
const reasonLimit = 1_023;

async function* described(names: readonly string[], client: CloudWatch): AsyncGenerator<AlarmStanding> {
  // "If you omit this parameter, only metric alarms are returned, even if composite alarms exist in the account."
  const asked: DescribeAlarmsCommandInput = {
    AlarmNames: [...names],
    AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
    MaxRecords: batchLimit,
  };
  let token: string | undefined;
  do {
    const {
      MetricAlarms = [],
      CompositeAlarms = [],
      NextToken,
    } = await client.describeAlarms(token === undefined ? asked : { ...asked, NextToken: token });
    yield* [...MetricAlarms, ...CompositeAlarms].map(standingOf);
    token = NextToken;
  } while (token !== undefined && token !== "");
}

function standingOf(alarm: MetricAlarm | CompositeAlarm): AlarmStanding {
  const { AlarmName = "", StateValue = "INSUFFICIENT_DATA", StateReason = "", AlarmActions = [] } = alarm;
  const since = alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp ?? new Date(0);
  return {
    name: AlarmName,
    state: StateValue,
    since: since.toISOString(),
    reason: StateReason,
    suppressedBy: ("ActionsSuppressedBy" in alarm ? alarm.ActionsSuppressedBy : null) ?? null,
    isHeard: alarm.ActionsEnabled !== false && AlarmActions.length > 0,
  };
}
