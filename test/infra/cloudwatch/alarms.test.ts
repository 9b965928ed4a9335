// Alarms under a clock that is turned: each fires when it should, not before, clears, and acts once; composites follow,
// and are held back as AWS's "Suppressing composite alarm actions" has it.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DescribeAlarmHistoryCommand,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import type { MetricDatum, PutMetricAlarmCommandInput, StateValue } from "@aws-sdk/client-cloudwatch";
import { alarmNamed, datum, minuteMs, startMs, startRig, topic, type Rig } from "./rig.ts";

async function put(rig: Rig, ...data: readonly MetricDatum[]): Promise<void> {
  await rig.client.send(new PutMetricDataCommand({ Namespace: "Probe", MetricData: [...data] }));
}

async function alarm(rig: Rig, name: string, others: Partial<PutMetricAlarmCommandInput> = {}): Promise<void> {
  await rig.client.send(new PutMetricAlarmCommand(alarmNamed(name, others)));
}

function stateOf(rig: Rig, name: string): string {
  const found = rig.cloudWatch.alarms().find((each) => each.name === name);
  return `${found?.state}${found?.suppressed === true ? " suppressed" : ""}`;
}

test("an alarm begins in INSUFFICIENT_DATA, fires with the minute that the value falls in, and clears", async () => {
  await using rig = await startRig();
  await alarm(rig, "blocked");
  assert.equal(stateOf(rig, "blocked"), "INSUFFICIENT_DATA");
  await put(rig, datum(1, startMs + 10_000));
  await rig.clock.advance(minuteMs - 1);
  assert.deepEqual(rig.taken(), []);
  await rig.clock.advance(1);
  assert.deepEqual(rig.taken(), ["blocked: INSUFFICIENT_DATA -> ALARM"]);
  await put(rig, datum(0, startMs + minuteMs));
  await rig.clock.advance(minuteMs);
  assert.deepEqual(rig.taken(), ["blocked: ALARM -> OK"]);
  await rig.clock.advance(3 * minuteMs);
  assert.equal(stateOf(rig, "blocked"), "INSUFFICIENT_DATA");
  assert.deepEqual(rig.taken(), [], "it has no actions for that");
});

test("2 of 3 fires with the second, once, and holds while missing data are ignored", async () => {
  await using rig = await startRig();
  await alarm(rig, "blocked", { Period: 300, EvaluationPeriods: 3, DatapointsToAlarm: 2, TreatMissingData: "ignore" });
  for (const [at, value] of [0, 1].entries()) await put(rig, datum(value, startMs + at * 5 * minuteMs));
  await rig.clock.advance(10 * minuteMs);
  assert.deepEqual(rig.taken(), ["blocked: INSUFFICIENT_DATA -> OK"]);
  await put(rig, datum(1, startMs + 10 * minuteMs));
  await rig.clock.advance(5 * minuteMs);
  assert.deepEqual(rig.taken(), ["blocked: OK -> ALARM"]);
  await rig.clock.advance(24 * 60 * minuteMs);
  assert.deepEqual(rig.taken(), []);
  assert.equal(stateOf(rig, "blocked"), "ALARM");
});

test("a window slides with the minute; one of the wall clock waits for its period's end", async () => {
  await using rig = await startRig();
  await rig.clock.advance(2 * minuteMs);
  await alarm(rig, "slides", { Period: 300 });
  await alarm(rig, "waits", { Period: 300, EvaluationWindow: { WallClockWindow: {} } });
  await put(rig, datum(1, startMs + 2 * minuteMs));
  await rig.clock.advance(minuteMs);
  assert.deepEqual(rig.taken(), ["slides: INSUFFICIENT_DATA -> ALARM"]);
  await rig.clock.advance(2 * minuteMs - 1);
  assert.deepEqual(rig.taken(), []);
  await rig.clock.advance(1);
  assert.deepEqual(rig.taken(), ["waits: INSUFFICIENT_DATA -> ALARM"]);
});

test("an alarm of ten seconds is looked at every ten seconds", async () => {
  await using rig = await startRig();
  await alarm(rig, "quick", { Period: 10 });
  await put(rig, datum(1, startMs + 3_000, { StorageResolution: 1 }));
  await rig.clock.advance(9_999);
  assert.deepEqual(rig.taken(), []);
  await rig.clock.advance(1);
  assert.deepEqual(rig.taken(), ["quick: INSUFFICIENT_DATA -> ALARM"]);
});

test("silence fires where missing data are breaching, after the range is empty, and a warm-up puts it off", async () => {
  await using rig = await startRig();
  const silent = {
    ComparisonOperator: "LessThanThreshold" as const,
    TreatMissingData: "breaching",
    Statistic: "Sum" as const,
  };
  await alarm(rig, "silent", silent);
  await alarm(rig, "warm", { ...silent, WarmUpConfiguration: { WarmUpPeriodDurationInMinutes: 10 } });
  await rig.clock.advance(minuteMs);
  assert.deepEqual(rig.taken(), ["silent: INSUFFICIENT_DATA -> ALARM"]);
  await put(rig, datum(1, startMs + minuteMs));
  await rig.clock.advance(minuteMs);
  // Data that fill the window end the warm-up early.
  assert.deepEqual(rig.taken(), ["silent: ALARM -> OK", "warm: INSUFFICIENT_DATA -> OK"]);
  await rig.clock.advance(2 * minuteMs);
  assert.deepEqual(rig.taken(), [], "the value is still within the evaluation range");
  await rig.clock.advance(minuteMs);
  assert.deepEqual(rig.taken(), ["silent: OK -> ALARM"]);
  assert.equal(stateOf(rig, "warm"), "OK", "warming up again, as its window is empty");
  await rig.clock.advance(5 * minuteMs);
  assert.deepEqual(rig.taken(), ["warm: OK -> ALARM"]);
});

test("math over several metrics fires, and its reason says what it saw", async () => {
  await using rig = await startRig();
  const metric = (Id: string, MetricName: string) => ({
    Id,
    ReturnData: false,
    MetricStat: {
      Metric: { Namespace: "Probe", MetricName, Dimensions: [{ Name: "Provider", Value: "acme" }] },
      Period: 60,
      Stat: "Sum",
    },
  });
  await rig.client.send(
    new PutMetricAlarmCommand({
      AlarmName: "down",
      EvaluationPeriods: 2,
      DatapointsToAlarm: 2,
      Threshold: 1,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      TreatMissingData: "notBreaching",
      AlarmActions: [topic],
      Metrics: [
        { Id: "down", Expression: "IF(attempts > 0 AND failed == attempts, 1, 0)" },
        metric("attempts", "Attempts"),
        metric("failed", "Unanswered"),
      ],
    }),
  );
  const round = async (attempts: number, failed: number): Promise<void> => {
    const atMs = rig.clock.now();
    await put(
      rig,
      datum(attempts, atMs, { MetricName: "Attempts" }),
      datum(failed, atMs, { MetricName: "Unanswered" }),
    );
    await rig.clock.advance(minuteMs);
  };
  await round(3, 2);
  assert.equal(stateOf(rig, "down"), "OK");
  await round(3, 3);
  assert.equal(stateOf(rig, "down"), "OK");
  await round(2, 2);
  assert.deepEqual(rig.taken(), ["down: OK -> ALARM"]);
  assert.equal(
    rig.cloudWatch.alarms()[0]?.reason,
    "Threshold Crossed: 2 out of the last 2 datapoints [1.0 (24/11/26 12:02:00), 1.0 (24/11/26 12:01:00)] were greater than or equal to the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition).",
  );
});

test("an alarm put again as it was keeps its state; one that changed is looked at with the next minute", async () => {
  await using rig = await startRig();
  await alarm(rig, "blocked");
  await put(rig, datum(1, startMs));
  await rig.clock.advance(minuteMs);
  assert.deepEqual(rig.taken(), ["blocked: INSUFFICIENT_DATA -> ALARM"]);
  await alarm(rig, "blocked");
  await alarm(rig, "blocked", { Threshold: 2 });
  assert.equal(stateOf(rig, "blocked"), "ALARM");
  await rig.clock.advance(minuteMs);
  assert.deepEqual(rig.taken(), ["blocked: ALARM -> OK"]);
  const { AlarmHistoryItems } = await rig.client.send(
    new DescribeAlarmHistoryCommand({ HistoryItemType: "ConfigurationUpdate" }),
  );
  assert.deepEqual(
    AlarmHistoryItems?.map(({ HistorySummary }) => HistorySummary),
    ['Alarm "blocked" updated', 'Alarm "blocked" created'],
  );
});

test("a state that was set holds until the alarm is looked at and found otherwise", async () => {
  await using rig = await startRig();
  await alarm(rig, "blocked", { TreatMissingData: "notBreaching" });
  await alarm(rig, "keeps", { TreatMissingData: "ignore" });
  await rig.clock.advance(minuteMs);
  assert.deepEqual(rig.taken(), ["blocked: INSUFFICIENT_DATA -> OK"]);
  for (const AlarmName of ["blocked", "keeps"]) {
    await rig.client.send(new SetAlarmStateCommand({ AlarmName, StateValue: "ALARM", StateReason: "drill" }));
  }
  assert.deepEqual(rig.taken(), ["blocked: OK -> ALARM", "keeps: INSUFFICIENT_DATA -> ALARM"]);
  await rig.clock.advance(minuteMs);
  assert.deepEqual(rig.taken(), ["blocked: ALARM -> OK"]);
  await rig.clock.advance(60 * minuteMs);
  assert.equal(stateOf(rig, "keeps"), "ALARM");
});

test("evaluating at once needs no turn of the clock, and waits for the actions", async () => {
  await using rig = await startRig();
  await rig.clock.advance(minuteMs);
  await alarm(rig, "silent", { TreatMissingData: "breaching" });
  await rig.cloudWatch.evaluate();
  assert.deepEqual(rig.taken(), ["silent: INSUFFICIENT_DATA -> ALARM"]);
});

test("an action that fails is tried again, and is done once", async () => {
  const tries: number[] = [];
  await using rig = await startRig({
    act: async () => {
      tries.push(rig.clock.now() - startMs);
      if (tries.length < 3) throw new Error("busy");
    },
  });
  await alarm(rig, "silent", { TreatMissingData: "breaching" });
  await rig.clock.advance(10 * minuteMs);
  assert.deepEqual(tries, [60_000, 61_000, 66_000]);
});

/** Children that are set by hand, and composites on them. */
async function startFamily(composites: Readonly<Record<string, string>>): Promise<Rig & { set: typeof set }> {
  const rig = await startRig();
  for (const name of ["a", "b", "quiet"])
    await alarm(rig, name, { TreatMissingData: "ignore", AlarmActions: [], OKActions: [] });
  for (const [name, rule] of Object.entries(composites)) await composite(rig, name, rule);
  await settle(rig);
  rig.taken();
  async function set(name: string, value: StateValue): Promise<void> {
    await rig.client.send(new SetAlarmStateCommand({ AlarmName: name, StateValue: value, StateReason: "test" }));
    await settle(rig);
  }
  return { ...rig, set };
}

async function composite(rig: Rig, name: string, rule: string, others: object = {}): Promise<void> {
  await rig.client.send(
    new PutCompositeAlarmCommand({
      AlarmName: name,
      AlarmRule: rule,
      AlarmActions: [topic],
      OKActions: [topic],
      ...others,
    }),
  );
}

/** Waits for what was begun, without a minute's passing. */
async function settle(rig: Rig): Promise<void> {
  await rig.clock.advance(0);
}

test("composites follow their children, through one another, and a circle ends", async () => {
  await using rig = await startFamily({ any: "ALARM(a) OR ALARM(b)", both: "ALARM(any) AND ALARM(b)" });
  await rig.set("a", "ALARM");
  assert.deepEqual(rig.taken(), ["any: OK -> ALARM"]);
  await rig.set("b", "ALARM");
  assert.deepEqual(rig.taken(), ["both: OK -> ALARM"]);
  await composite(rig, "any", "ALARM(a) OR ALARM(both)");
  assert.equal(stateOf(rig, "any"), "ALARM");
  await rig.set("a", "OK");
  assert.deepEqual(rig.taken(), [], "both is still in ALARM, and so any is, in a circle");
  await rig.set("b", "OK");
  assert.deepEqual(rig.taken().toSorted(), ["any: ALARM -> OK", "both: ALARM -> OK"]);
});

test("a circle that never comes to rest is left after one round", async () => {
  await using rig = await startFamily({ one: "ALARM(a)", other: "ALARM(one)" });
  await composite(rig, "one", "NOT ALARM(other)");
  assert.deepEqual(rig.taken(), ["one: OK -> ALARM", "other: OK -> ALARM"]);
});

test("a composite is looked at when it is put, and says why", async () => {
  await using rig = await startFamily({});
  await rig.set("a", "ALARM");
  await composite(rig, "any", "ALARM(a)");
  await settle(rig);
  assert.deepEqual(rig.taken(), ["any: INSUFFICIENT_DATA -> ALARM"]);
  const reason = (): string | undefined => rig.cloudWatch.alarms().find(({ name }) => name === "any")?.reason;
  const arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:";
  assert.equal(reason(), `${arn}any was created and its alarm rule evaluates to ALARM`);
  await rig.set("a", "OK");
  assert.equal(reason(), `${arn}a transitioned to OK at Tuesday 24 November, 2026 12:00:00 UTC`);
});

/**
 * The examples of AWS's page: the wait is 2 units, the extension 3; a unit is 10 s here. What happens at which unit
 * (the composite's child `a`, its suppressor `quiet`), and when which action is taken, as value of the state.
 */
const unitMs = 10_000;
// prettier-ignore
const timelines: readonly (readonly [string, Readonly<Record<number, readonly [string, StateValue]>>, readonly string[]])[] = [
  ["Example 1: not suppressed after the wait",
    { 2: ["a", "ALARM"] }, ["4 ALARM"]],
  ["Example 2: suppressed before the wait expires",
    { 2: ["a", "ALARM"], 3: ["quiet", "ALARM"] }, []],
  ["Example 3: a change within the wait begins a new one",
    { 2: ["a", "ALARM"], 3: ["a", "OK"] }, ["5 OK"]],
  ["Example 4: suppressed by an alarm that stands",
    { 1: ["quiet", "ALARM"], 2: ["a", "ALARM"] }, []],
  ["Example 5: not suppressed after the extension",
    { 2: ["a", "ALARM"], 3: ["quiet", "ALARM"], 6: ["quiet", "OK"] }, ["9 ALARM"]],
  ["Example 6: a change within the extension begins a wait",
    { 2: ["a", "ALARM"], 3: ["quiet", "ALARM"], 6: ["quiet", "OK"], 7: ["a", "OK"] }, ["9 OK"]],
  ["a suppressor that is back within the extension suppresses again",
    { 2: ["a", "ALARM"], 3: ["quiet", "ALARM"], 6: ["quiet", "OK"], 8: ["quiet", "ALARM"] }, []],
  ["a suppressor that comes to OK from no data has suppressed nothing",
    { 2: ["a", "ALARM"], 3: ["quiet", "OK"] }, ["4 ALARM"]],
  ["what was told is not told again after the suppressor came and went",
    { 2: ["a", "ALARM"], 5: ["quiet", "ALARM"], 7: ["quiet", "OK"] }, ["4 ALARM"]],
];
for (const [what, events, expected] of timelines) {
  test(what, async () => {
    await using rig = await startFamily({});
    await composite(rig, "whole", "ALARM(a)", {
      ActionsSuppressor: "quiet",
      ActionsSuppressorWaitPeriod: (2 * unitMs) / 1000,
      ActionsSuppressorExtensionPeriod: (3 * unitMs) / 1000,
    });
    // What it has to say of having been put is over before the first unit.
    await rig.clock.advance(5 * unitMs);
    assert.deepEqual(rig.taken(), ["whole: OK -> OK"]);
    const zeroMs = rig.clock.now();
    const acts: string[] = [];
    for (let unit = 0; unit <= 12; unit += 1) {
      const event = events[unit];
      if (event !== undefined) await rig.set(...event);
      for (const { change, atMs } of rig.acts) acts.push(`${(atMs - zeroMs) / unitMs} ${change.state.value}`);
      rig.taken();
      await rig.clock.advance(unitMs);
      // What falls due at the next unit comes before what happens then.
      for (const { change, atMs } of rig.acts) acts.push(`${(atMs - zeroMs) / unitMs} ${change.state.value}`);
      rig.taken();
    }
    assert.deepEqual(acts, expected);
  });
}

test("who holds an alarm's actions back is told, and what was held back", async () => {
  await using rig = await startFamily({});
  const periods = { ActionsSuppressor: "quiet", ActionsSuppressorWaitPeriod: 60, ActionsSuppressorExtensionPeriod: 60 };
  await composite(rig, "whole", "ALARM(a)", periods);
  await rig.clock.advance(2 * minuteMs);
  rig.taken();
  const seen: string[] = [];
  rig.cloudWatch.onChange(({ name, state, previous }) => seen.push(`${name}: ${previous.value} -> ${state.value}`));
  await rig.set("a", "ALARM");
  assert.equal(stateOf(rig, "whole"), "ALARM suppressed");
  assert.deepEqual(seen, ["a: INSUFFICIENT_DATA -> ALARM", "whole: OK -> ALARM"]);
  await rig.clock.advance(minuteMs);
  assert.equal(stateOf(rig, "whole"), "ALARM");
  const [act] = rig.acts;
  assert.equal(act?.change.state.suppressedBy, null);
  assert.equal(act?.change.previous.value, "ALARM");
  assert.equal(act?.change.previous.suppressedBy, "WaitPeriod");
  assert.equal(act?.change.previous.suppressedReason, "Actions suppressed by WaitPeriod");
});

test("a suppressor that is replaced ends what it began", async () => {
  await using rig = await startFamily({});
  const periods = { ActionsSuppressorWaitPeriod: 600, ActionsSuppressorExtensionPeriod: 600 };
  await composite(rig, "whole", "ALARM(a)", { ...periods, ActionsSuppressor: "quiet" });
  await rig.set("a", "ALARM");
  assert.equal(stateOf(rig, "whole"), "ALARM suppressed");
  await composite(rig, "whole", "ALARM(a)", { ...periods, ActionsSuppressor: "b" });
  await settle(rig);
  assert.equal(stateOf(rig, "whole"), "ALARM");
  assert.deepEqual(rig.taken(), ["whole: ALARM -> ALARM"]);
});

test("one wide alarm speaks for the single ones: one page, not three", async () => {
  await using rig = await startFamily({});
  await composite(rig, "widely", "AT_LEAST(2, ALARM, (a, b))");
  const held = { ActionsSuppressor: "widely", ActionsSuppressorWaitPeriod: 60, ActionsSuppressorExtensionPeriod: 60 };
  await composite(rig, "single-a", "ALARM(a)", held);
  await composite(rig, "single-b", "ALARM(b)", held);
  await rig.clock.advance(2 * minuteMs);
  rig.taken();
  await rig.set("a", "ALARM");
  await rig.clock.advance(30_000);
  await rig.set("b", "ALARM");
  await rig.clock.advance(60 * minuteMs);
  assert.deepEqual(rig.taken(), ["widely: OK -> ALARM"]);
  await rig.set("b", "OK");
  await rig.clock.advance(60 * minuteMs);
  // The one that still stands is told of after the extension, and the other that it is over.
  assert.deepEqual(rig.taken(), ["widely: ALARM -> OK", "single-a: ALARM -> ALARM", "single-b: OK -> OK"]);
});
