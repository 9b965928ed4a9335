// What is kept between two runs: alarms, states, data, what is held back and what is still to be done; and a file that
// is whole whenever its writer is killed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  DescribeAlarmsCommand,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { startCloudWatch } from "../../../infra/local/cloudwatch/server.ts";
import { turnedClock } from "../../../infra/local/clock.ts";
import { alarmNamed, datum, minuteMs, startMs, startRig, topic } from "./rig.ts";

async function folder(context: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), "cloudwatch-"));
  context.after(() => rm(made, { recursive: true }));
  return made;
}

test("another run goes on where the last one ended", async (context) => {
  const state = path.join(await folder(context), "cloudwatch.json");
  {
    await using rig = await startRig({ state });
    await rig.client.send(new PutMetricAlarmCommand(alarmNamed("blocked", { EvaluationPeriods: 2 })));
    await rig.client.send(new PutMetricAlarmCommand(alarmNamed("quiet", { MetricName: "Quiet" })));
    await rig.client.send(
      new PutCompositeAlarmCommand({
        AlarmName: "whole",
        AlarmRule: "ALARM(blocked)",
        AlarmActions: [topic],
        ActionsSuppressor: "quiet",
        ActionsSuppressorWaitPeriod: 90,
        ActionsSuppressorExtensionPeriod: 60,
      }),
    );
    for (const at of [0, minuteMs]) {
      await rig.client.send(new PutMetricDataCommand({ Namespace: "Probe", MetricData: [datum(1, startMs + at)] }));
    }
    await rig.clock.advance(2 * minuteMs);
    assert.deepEqual(rig.taken(), ["blocked: INSUFFICIENT_DATA -> ALARM"]);
  }
  await using rig = await startRig({ state }, startMs + 2 * minuteMs + 30_000);
  const { MetricAlarms, CompositeAlarms } = await rig.client.send(
    new DescribeAlarmsCommand({ AlarmTypes: ["MetricAlarm", "CompositeAlarm"] }),
  );
  assert.deepEqual(
    [...(MetricAlarms ?? []), ...(CompositeAlarms ?? [])].map(
      ({ AlarmName, StateValue }) => `${AlarmName} ${StateValue}`,
    ),
    ["blocked ALARM", "quiet INSUFFICIENT_DATA", "whole ALARM"],
  );
  assert.equal(CompositeAlarms?.[0]?.ActionsSuppressedBy, "WaitPeriod");
  // Of the wait of 90 seconds 30 were over.
  await rig.clock.advance(59_999);
  assert.deepEqual(rig.taken(), []);
  await rig.clock.advance(1);
  assert.deepEqual(rig.taken(), ["whole: ALARM -> ALARM"]);
});

test("an action that was not done yet is done by a later run", async (context) => {
  const state = path.join(await folder(context), "cloudwatch.json");
  {
    await using rig = await startRig({ state, act: () => Promise.reject(new Error("not now")) });
    await rig.client.send(new PutMetricAlarmCommand(alarmNamed("blocked", { TreatMissingData: "ignore" })));
    await rig.client.send(
      new SetAlarmStateCommand({ AlarmName: "blocked", StateValue: "ALARM", StateReason: "drill" }),
    );
  }
  {
    await using rig = await startRig({ state });
    assert.deepEqual(rig.taken(), [], "not before whoever started it has it in hand");
    rig.cloudWatch.publish("AWS/SQS", [datum(1, startMs)]);
  }
  await using rig = await startRig({ state });
  await rig.clock.advance(0);
  assert.deepEqual(rig.taken(), ["blocked: INSUFFICIENT_DATA -> ALARM"]);
  await rig.clock.advance(10 * minuteMs);
  assert.deepEqual(rig.taken(), []);
});

test("what is written takes the place of the file that was, which nobody writes to", async (context) => {
  const state = path.join(await folder(context), "cloudwatch.json");
  const run = async (value: number): Promise<void> => {
    await using rig = await startRig({ state });
    rig.cloudWatch.publish("AWS/SQS", [datum(value, startMs)]);
  };
  await run(1);
  const text = await readFile(state, "utf8");
  await using before = await open(state);
  await run(2);
  assert.equal(await before.readFile("utf8"), text);
  assert.notEqual(await readFile(state, "utf8"), text);
  assert.deepEqual(await readdir(path.dirname(state)), ["cloudwatch.json"]);
});

test("a file that is no state of ours stops the start, and is told by name", async (context) => {
  const state = path.join(await folder(context), "cloudwatch.json");
  const start = () => startRig({ state });
  await writeFile(state, "{");
  await assert.rejects(start(), (error: Error) => error.message.startsWith(`${state}: not a state`));
  await writeFile(state, '{"version":0}');
  await assert.rejects(start(), (error: Error) => error.message.startsWith(`${state}: not a state`));
});

test("a folder that cannot be written to is told when it is closed", async (context) => {
  const cloudWatch = await startCloudWatch({
    clock: turnedClock(startMs),
    act: () => Promise.resolve(),
    state: path.join(await folder(context), "none", "cloudwatch.json"),
    port: 0,
    region: "eu-west-1",
    accountId: "123456789012",
  });
  cloudWatch.publish("AWS/SQS", [datum(1, startMs)]);
  await assert.rejects(cloudWatch.close(), /ENOENT/);
});

const writer = `
import { realClock } from ${JSON.stringify(new URL("../../../infra/local/clock.ts", import.meta.url).href)};
import { startCloudWatch } from ${JSON.stringify(new URL("../../../infra/local/cloudwatch/server.ts", import.meta.url).href)};
const [state] = process.argv.slice(1);
const options = { clock: realClock(), act: () => Promise.resolve(), state, port: 0, region: "eu-west-1", accountId: "1" };
const cloudWatch = await startCloudWatch(options);
for (let n = 0; ; n += 1) {
  cloudWatch.publish("AWS/SQS", Array.from({ length: 900 }, (_, each) => ({ MetricName: "m" + each, Value: n })));
  process.stdout.write(".");
  await new Promise((resolve) => setTimeout(resolve, 5));
}
`;

test("whoever is killed while it writes leaves a whole file", { timeout: 60_000 }, async (context) => {
  const made = await folder(context);
  const state = path.join(made, "cloudwatch.json");
  let written = 0;
  for (let round = 0; round < 5; round += 1) {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", writer, state], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await delay(250 + 37 * round);
    child.kill("SIGKILL");
    await once(child, "exit");
    if (!(await readdir(made)).includes("cloudwatch.json")) continue;
    const { metrics } = JSON.parse(await readFile(state, "utf8")) as { readonly metrics: readonly unknown[] };
    assert.equal(metrics.length, 900);
    written += 1;
  }
  assert.ok(written > 0, "it was written at least once");
});
