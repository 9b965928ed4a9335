// What became of alarms: their changes, the actions taken, and how they were put. Old entries go. It knows nothing of
// what an entry means.

export interface HistoryItem {
  readonly alarm: string;
  readonly alarmType: "MetricAlarm" | "CompositeAlarm";
  readonly atMs: number;
  readonly type: "ConfigurationUpdate" | "StateUpdate" | "Action";
  readonly summary: string;
  readonly data: object;
}

/** Of all alarms together. */
const mostItems = 2_000;

export interface History {
  add(item: HistoryItem): void;
  /** The oldest first. */
  readonly items: readonly HistoryItem[];
}

export function historyOf(before: readonly HistoryItem[]): History {
  const items = [...before];
  return {
    items,
    add(item) {
      items.push(item);
      items.splice(0, items.length - mostItems);
    },
  };
}
