// All alarms: what state each is in, when it is looked at, and what follows from a change: actions, unless they are
// held back, and the composite alarms that depend on it. It knows nothing of how it is asked, nor of how data come in.
import { Refusal } from "./protocol.ts";
import type { Clock, Timer } from "../clock.ts";
import { actionsOf, childrenIn, createdAlarm, nameIn, suppressorIn, type Alarm } from "./alarm.ts";
import { timeText, type AlarmChange, type AlarmState } from "./alarm-change.ts";
import type { AlarmDefinition } from "./alarm-input.ts";
import { checkNames, evaluateCompositeAlarm, type Cause } from "./composite-alarm.ts";
import { Deliveries, type Delivery } from "./deliveries.ts";
import { historyOf, type History, type HistoryItem } from "./history.ts";
import { evaluatedEveryS, evaluateMetricAlarm, type Finding } from "./metric-alarm.ts";
import { down, type Metrics } from "./metric-store.ts";
import type { StateValue } from "./rule.ts";
import { holdAfter, type Hold, type SuppressionEvent } from "./suppression.ts";

export interface AlarmsOptions {
  readonly clock: Clock;
  readonly act: (arn: string, change: AlarmChange) => Promise<void>;
  readonly region: string;
  readonly accountId: string;
  readonly metrics: Metrics;
  /** Whatever changes is worth keeping. */
  readonly changed: () => void;
}

/** What is kept of them between two runs. */
export interface SavedAlarms {
  readonly alarms: readonly Alarm[];
  readonly history: readonly HistoryItem[];
  readonly deliveries: readonly Delivery[];
}

const tickMs = 10_000;

export class Alarms {
  readonly #options: AlarmsOptions;
  readonly #alarms: Map<string, Alarm>;
  readonly #holds = new Map<string, Timer>();
  readonly #deliveries: Deliveries;
  readonly #listeners = new Set<(change: AlarmChange) => void>();
  readonly history: History;
  /** Actions that the last run left, until they are begun. */
  readonly #left: Delivery[];
  #resume: Timer | null = null;
  #tick: Timer | null = null;

  constructor(options: AlarmsOptions, saved: SavedAlarms) {
    this.#options = options;
    this.#alarms = new Map(saved.alarms.map((alarm) => [alarm.definition.input.AlarmName, alarm]));
    this.history = historyOf(saved.history);
    const { clock, act } = options;
    this.#deliveries = new Deliveries({ clock, act, ended: (delivery, error) => this.#acted(delivery, error) });
    this.#left = [...saved.deliveries];
  }

  /** Takes up the times and the actions that were left, and looks at alarms from now on. */
  start(): void {
    for (const [name, { hold }] of this.#alarms) this.#await(name, hold);
    // Not before whoever starts this has it in hand: an action may ask it something.
    this.#resume = this.#options.clock.after(0, () => {
      for (const delivery of this.#left.splice(0)) this.#deliveries.add(delivery);
      return this.#deliveries.settle();
    });
    this.#schedule();
  }

  /** By their names' order. */
  get all(): readonly Alarm[] {
    return [...this.#alarms.values()].toSorted((one, other) => (nameIn(one) < nameIn(other) ? -1 : 1));
  }

  get(name: string): Alarm | null {
    return this.#alarms.get(name) ?? null;
  }

  arnOf(name: string): string {
    return `arn:aws:cloudwatch:${this.#options.region}:${this.#options.accountId}:alarm:${name}`;
  }

  onChange(listener: (change: AlarmChange) => void): void {
    this.#listeners.add(listener);
  }

  /** "When you update an existing alarm, its state is left unchanged, but the update completely overwrites […]." */
  put(definition: AlarmDefinition): void {
    const { AlarmName: name } = definition.input;
    const before = this.get(name);
    if (before !== null && before.definition.kind !== definition.kind) {
      throw new Refusal("ValidationError", `There is an alarm of another type with the name ${name}`);
    }
    checkNames(definition, (each) => this.#alarms.has(each));
    if (before !== null && JSON.stringify(before.definition) === JSON.stringify(definition)) return;
    const configuredAtMs = this.#options.clock.now();
    this.#alarms.set(name, { ...(before ?? createdAlarm(definition, configuredAtMs)), definition, configuredAtMs });
    const put = before === null ? "created" : "updated";
    this.#record(name, "ConfigurationUpdate", `Alarm "${name}" ${put}`, definition.input);
    if (before !== null && suppressorIn(before.definition) !== suppressorIn(definition)) {
      this.#suppress(name, "replaced");
    }
    this.#evaluateComposite(name, { put });
    this.#options.changed();
  }

  /**
   * Throws, and deletes none, where one is needed by an alarm that stays; names of no alarm are told after the others
   * are gone.
   */
  delete(names: readonly string[]): void {
    const composites = names.filter((name) => this.get(name)?.definition.kind === "composite");
    if (composites.length > 1) {
      throw new Refusal("ValidationError", "At most one composite alarm can be deleted in a call");
    }
    const stay = this.all.filter((alarm) => !composites.includes(nameIn(alarm)));
    for (const alarm of stay) {
      const needed = names.find(
        (name) => childrenIn(alarm.definition).has(name) || suppressorIn(alarm.definition) === name,
      );
      if (needed === undefined) continue;
      throw new Refusal("ValidationError", `Cannot delete ${needed}, as ${nameIn(alarm)} depends on it`);
    }
    const unknown = names.filter((name) => !this.#alarms.delete(name));
    for (const name of names) this.#await(name, null);
    this.#options.changed();
    if (unknown.length > 0) throw new Refusal("ResourceNotFound", `There is no alarm ${unknown.join(", ")}`);
  }

  /** Sets it until it is looked at again; a composite alarm, until one of those that it depends on changes. */
  setState(name: string, finding: Finding): void {
    this.#the(name);
    this.#found(name, finding);
  }

  enableActions(names: readonly string[], enabled: boolean): void {
    for (const name of names) {
      const { definition } = this.#the(name);
      const input = { ...definition.input, ActionsEnabled: enabled };
      this.#set(name, { definition: { ...definition, input } as AlarmDefinition });
    }
  }

  /** Looks at all metric alarms now, whether or not they are due. Resolves when all that follows was tried once. */
  async evaluate(): Promise<void> {
    this.#evaluateMetrics(() => true);
    await this.#deliveries.settle();
  }

  async close(): Promise<void> {
    this.#tick?.cancel();
    this.#resume?.cancel();
    for (const timer of this.#holds.values()) timer.cancel();
    await this.#deliveries.close();
  }

  save(): SavedAlarms {
    return { alarms: this.all, history: this.history.items, deliveries: [...this.#left, ...this.#deliveries.open] };
  }

  /** Every ten seconds of the clock; most alarms are looked at with every minute. */
  #schedule(): void {
    const { clock } = this.#options;
    const beforeMs = clock.now();
    this.#tick = clock.after(down(beforeMs, tickMs) + tickMs - beforeMs, async () => {
      const nowMs = clock.now();
      this.#schedule();
      // A busy machine is late, and a fast clock makes much of it: what was due on the way is due now.
      this.#evaluateMetrics((everyS) => down(nowMs, everyS * 1000) > beforeMs);
      await this.#deliveries.settle();
    });
  }

  #evaluateMetrics(isDue: (everyS: number) => boolean): void {
    const { metrics, clock } = this.#options;
    for (const [name, { definition, createdAtMs }] of this.#alarms) {
      if (definition.kind !== "metric" || !isDue(evaluatedEveryS(definition.input))) continue;
      const finding = evaluateMetricAlarm(metrics, definition.input, createdAtMs, clock.now());
      if (finding !== null) this.#found(name, finding);
    }
  }

  /** `path`: the alarms whose changes brought it here, so that a circle ends. */
  #evaluateComposite(name: string, cause: Cause, path: readonly string[] = []): void {
    const alarm = this.get(name);
    const finding = alarm && evaluateCompositeAlarm(alarm, cause, this);
    if (finding !== null) this.#found(name, finding, path);
  }

  #found(name: string, finding: Finding, path: readonly string[] = []): void {
    const before = this.get(name);
    if (before === null || finding.value === before.state.value) return;
    const atMs = this.#options.clock.now();
    const state = { ...finding, atMs, suppressedBy: null, suppressedReason: null };
    this.#set(name, { state, changedAtMs: atMs, owes: true });
    this.#record(name, "StateUpdate", `Alarm updated from ${before.state.value} to ${finding.value}`, {
      version: "1.0",
      oldState: { stateValue: before.state.value, stateReason: before.state.reason },
      newState: { stateValue: finding.value, stateReason: finding.reason },
    });
    if (suppressorIn(before.definition) === null) this.#act(name, before.state);
    else this.#suppress(name, "changed", before.state);
    const change = this.#changeOf(name, before.state);
    for (const listener of this.#listeners) listener(change);
    this.#follow(name, before.state.value, [...path, name]);
  }

  /**
   * What depends on an alarm that changed. "Evaluation […] stops if CloudWatch detects a cycle in the evaluation path."
   */
  #follow(name: string, before: StateValue, path: readonly string[]): void {
    const changed = this.get(name);
    if (changed === null) return;
    const { value } = changed.state;
    for (const alarm of this.all) {
      const parent = nameIn(alarm);
      if (suppressorIn(alarm.definition) === name) {
        if (value === "ALARM") this.#suppress(parent, "suppressor-on");
        else if (before === "ALARM") this.#suppress(parent, "suppressor-off");
      }
      if (path.includes(parent) || !childrenIn(alarm.definition).has(name)) continue;
      this.#evaluateComposite(parent, { changed }, path);
    }
  }

  /** `previous`: the state before the change that this is about; for all else, the state as it stands. */
  #suppress(name: string, event: SuppressionEvent, previous: AlarmState | null = null): void {
    const alarm = this.get(name);
    if (alarm?.definition.kind !== "composite") return;
    const { ActionsSuppressorWaitPeriod: waitS = 0, ActionsSuppressorExtensionPeriod: extensionS = 0 } =
      alarm.definition.input;
    const suppressor = suppressorIn(alarm.definition);
    const inAlarm = suppressor !== null && this.get(suppressor)?.state.value === "ALARM";
    const nowMs = this.#options.clock.now();
    const hold = holdAfter(event, { inAlarm, waitS, extensionS }, nowMs);
    const suppressedBy = hold?.by ?? null;
    const suppressedReason =
      hold && `Actions suppressed by ${hold.by === "Alarm" ? this.arnOf(suppressor ?? "") : hold.by}`;
    this.#set(name, { hold, state: { ...alarm.state, suppressedBy, suppressedReason, atMs: nowMs } });
    this.#await(name, hold);
    if (hold !== null) this.#record(name, "Action", `${suppressedReason}`, { actionState: "Suppressed", by: hold.by });
    else if (alarm.owes) this.#act(name, previous ?? alarm.state);
  }

  #await(name: string, hold: Hold | null): void {
    this.#holds.get(name)?.cancel();
    this.#holds.delete(name);
    if (hold?.untilMs == null) return;
    const { clock } = this.#options;
    const ended = (): Promise<void> => {
      this.#suppress(name, "ended");
      return this.#deliveries.settle();
    };
    this.#holds.set(name, clock.after(hold.untilMs - clock.now(), ended));
  }

  #act(name: string, previous: AlarmState): void {
    this.#set(name, { owes: false });
    const change = this.#changeOf(name, previous);
    for (const arn of actionsOf(this.#the(name))) this.#deliveries.add({ arn, change, tries: 0 });
  }

  #acted({ arn, change, tries }: Delivery, error: unknown): void {
    const failed = error !== null;
    const summary = failed ? `Failed to execute action ${arn}` : `Successfully executed action ${arn}`;
    const told = failed ? { error: error instanceof Error ? error.message : "not told why" } : {};
    const data = { actionState: failed ? "Failed" : "Succeeded", notificationResource: arn, tries: tries + 1, ...told };
    this.#record(change.name, "Action", summary, { stateUpdateTimestamp: timeText(change.state.atMs), ...data });
    this.#options.changed();
  }

  #changeOf(name: string, previous: AlarmState): AlarmChange {
    const { accountId, region } = this.#options;
    const { definition, state, configuredAtMs } = this.#the(name);
    return { name, arn: this.arnOf(name), accountId, region, alarm: definition, configuredAtMs, state, previous };
  }

  #set(name: string, changes: Partial<Alarm>): void {
    this.#alarms.set(name, { ...this.#the(name), ...changes });
    this.#options.changed();
  }

  #the(name: string): Alarm {
    return this.get(name) ?? missing(name);
  }

  #record(name: string, type: HistoryItem["type"], summary: string, data: object): void {
    const alarmType = this.get(name)?.definition.kind === "composite" ? "CompositeAlarm" : "MetricAlarm";
    this.history.add({ alarm: name, alarmType, atMs: this.#options.clock.now(), type, summary, data });
  }
}

function missing(name: string): never {
  throw new Refusal("ResourceNotFound", `There is no alarm ${name}`);
}
