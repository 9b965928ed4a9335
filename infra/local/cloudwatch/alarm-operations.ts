// What CloudWatch does when it is asked about alarms: an answer to each call, in AWS's words. It knows no metric.
import type { AlarmState } from "./alarm-change.ts";
import {
  alarmNames,
  compositeAlarmOf,
  describeAlarmHistory,
  describeAlarms,
  metricAlarmOf,
  setAlarmState,
} from "./alarm-input.ts";
import type { Alarm } from "./alarm.ts";
import type { Alarms } from "./alarms.ts";
import { checked } from "./metric-input.ts";
import type { Operation } from "./metric-operations.ts";
import { pageOf } from "./page.ts";
import { Refusal } from "./protocol.ts";

export function alarmOperations(alarms: Alarms): Readonly<Record<string, Operation>> {
  return {
    PutMetricAlarm(input) {
      alarms.put({ kind: "metric", input: metricAlarmOf(input) });
      return {};
    },
    PutCompositeAlarm(input) {
      alarms.put({ kind: "composite", input: compositeAlarmOf(input) });
      return {};
    },
    DescribeAlarms(input) {
      const asked = checked("DescribeAlarms", describeAlarms, input);
      if (asked.AlarmNames !== undefined && asked.AlarmNamePrefix !== undefined) {
        throw new Refusal("InvalidParameterCombination", "AlarmNames and AlarmNamePrefix must not be given together");
      }
      // "If you omit this parameter, only metric alarms are returned, even if composite alarms exist in the account."
      const { AlarmTypes = ["MetricAlarm"], AlarmNames, AlarmNamePrefix = "", StateValue, ActionPrefix } = asked;
      const found = alarms.all.filter(({ definition: { kind, input }, state }) => {
        const { AlarmName: name, OKActions = [], AlarmActions = [], InsufficientDataActions = [] } = input;
        const actions = [...OKActions, ...AlarmActions, ...InsufficientDataActions];
        return (
          AlarmTypes.includes(typeOf(kind)) &&
          (AlarmNames?.includes(name) ?? name.startsWith(AlarmNamePrefix)) &&
          (StateValue === undefined || StateValue === state.value) &&
          (ActionPrefix === undefined || actions.some((each) => each.startsWith(ActionPrefix)))
        );
      });
      const { items, next } = pageOf(found, asked.MaxRecords ?? 50, asked.NextToken);
      const told = (kind: "metric" | "composite"): readonly object[] =>
        items.filter(({ definition }) => definition.kind === kind).map((alarm) => describe(alarm, alarms));
      return { MetricAlarms: told("metric"), CompositeAlarms: told("composite"), LogAlarms: [], ...next };
    },
    DeleteAlarms(input) {
      alarms.delete(checked("DeleteAlarms", alarmNames, input).AlarmNames);
      return {};
    },
    EnableAlarmActions(input) {
      alarms.enableActions(checked("EnableAlarmActions", alarmNames, input).AlarmNames, true);
      return {};
    },
    DisableAlarmActions(input) {
      alarms.enableActions(checked("DisableAlarmActions", alarmNames, input).AlarmNames, false);
      return {};
    },
    SetAlarmState(input) {
      const { AlarmName, StateValue, StateReason, StateReasonData } = checked("SetAlarmState", setAlarmState, input);
      if (StateReasonData !== undefined) checkJson(StateReasonData);
      alarms.setState(AlarmName, { value: StateValue, reason: StateReason, reasonData: StateReasonData ?? null });
      return {};
    },
    DescribeAlarmHistory(input) {
      const asked = checked("DescribeAlarmHistory", describeAlarmHistory, input);
      // As for DescribeAlarms: "If you omit this parameter, only metric alarms are returned."
      const { AlarmTypes = ["MetricAlarm"], AlarmName, HistoryItemType, StartDate = 0, EndDate = Infinity } = asked;
      const found = alarms.history.items.filter(
        ({ alarm, alarmType, type, atMs }) =>
          AlarmTypes.includes(alarmType) &&
          (AlarmName === undefined || AlarmName === alarm) &&
          (HistoryItemType === undefined || HistoryItemType === type) &&
          atMs >= StartDate * 1000 &&
          atMs <= EndDate * 1000,
      );
      const ordered = asked.ScanBy === "TimestampAscending" ? found : found.toReversed();
      const { items, next } = pageOf(ordered, asked.MaxRecords ?? 100, asked.NextToken);
      const AlarmHistoryItems = items.map(({ alarm, alarmType, atMs, type, summary, data }) => ({
        AlarmName: alarm,
        AlarmType: alarmType,
        Timestamp: atMs / 1000,
        HistoryItemType: type,
        HistorySummary: summary,
        HistoryData: JSON.stringify(data),
      }));
      return { AlarmHistoryItems, ...next };
    },
  };
}

function describe({ definition, state, configuredAtMs, changedAtMs }: Alarm, alarms: Alarms): object {
  const { input } = definition;
  return {
    ActionsEnabled: true,
    OKActions: [],
    AlarmActions: [],
    InsufficientDataActions: [],
    ...input,
    AlarmArn: alarms.arnOf(input.AlarmName),
    AlarmConfigurationUpdatedTimestamp: configuredAtMs / 1000,
    StateTransitionedTimestamp: changedAtMs / 1000,
    ...stateIn(state),
  };
}

function stateIn({ value, reason, reasonData, atMs, suppressedBy, suppressedReason }: AlarmState): object {
  return {
    StateValue: value,
    StateReason: reason,
    StateUpdatedTimestamp: atMs / 1000,
    ...(reasonData === null ? {} : { StateReasonData: reasonData }),
    ...(suppressedBy === null ? {} : { ActionsSuppressedBy: suppressedBy, ActionsSuppressedReason: suppressedReason }),
  };
}

function typeOf(kind: "metric" | "composite"): "MetricAlarm" | "CompositeAlarm" {
  return kind === "metric" ? "MetricAlarm" : "CompositeAlarm";
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new Refusal("InvalidFormat", "StateReasonData is not JSON");
  }
}
