// The status command beside a local stack: its exit status, and that people and programs are told the same.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { SetAlarmStateCommand, DeleteAlarmsCommand, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { statusCommand } from "../../functions/cli/status.ts";
import type { StatusDocument } from "../../functions/cli/status-document.ts";
import { configHash } from "../../functions/config/hash.ts";
import { tableOf } from "../../functions/handler.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import { settled } from "../support/settled.ts";
import { pause } from "../../functions/state/pauses.ts";
import { noteRunning } from "../../functions/state/running.ts";
import { putVerdict, type StoredVerdict } from "../../functions/state/verdicts.ts";
import { putSelfCheck } from "../../functions/state/self-checks.ts";
import { noPtr, selfCheckOf, session, stored, storedSelfCheck } from "../page/sample.ts";
import { config, refused, run, startSite } from "./operator.ts";

const site = await startSite();
after(async () => await site[Symbol.asyncDispose]());
const at = ["--state", site.folder];
const { clients } = site.stack;
const now = (): Date => new Date(site.stack.clock.now());
const table = tableOf({ config, clients, now });

for (const [args, says] of [
  [["now"], /^status takes no argument; write status and its options alone$/],
  [["--jsn"], /^there is no option "--jsn"; write --json$/],
  [["--json=1"], /^--json takes no value; write --json alone$/],
  [["--state"], /^--state lacks its value; write --state dir$/],
] as const) {
  test(`status ${args.join(" ")} is refused, with what to write`, async () => {
    assert.match(await refused(() => statusCommand(args)), says);
  });
}

async function read(): Promise<{ readonly status: number | null; readonly document: StatusDocument }> {
  const { status, stdout, stderr } = await run(["status", "--json", ...at]);
  assert.equal(stderr, "");
  assert.equal(stdout.indexOf("\n"), stdout.length - 1, "one line");
  return { status, document: JSON.parse(stdout) as StatusDocument };
}

/** iCloud's answer over aws, so many milliseconds ago. */
function said(line: string, agoMs: number): StoredVerdict {
  const at = new Date(now().getTime() - agoMs).toISOString();
  return { ...stored("icloud", [session("mx.icloud.example", line)]), egress: "aws", id: line.slice(0, 3), at };
}

async function set(name: string, StateValue: "ALARM" | "OK"): Promise<void> {
  await clients.cloudWatch.send(new SetAlarmStateCommand({ AlarmName: name, StateValue, StateReason: "a test's" }));
}

test("before anything is probed every alarm and every pair is there, and nothing is wrong", async () => {
  const { status, document } = await read();
  assert.equal(status, 0);
  assert.deepEqual(
    document.alarms.map(({ name }) => name),
    alarmsOf(config).map(({ name }) => name),
  );
  assert.ok(document.alarms.every(({ state, since }) => state !== null && since !== null));
  assert.deepEqual(
    document.pairs.map(({ provider, egress, last }) => [provider, egress, last]),
    [
      ["icloud", "aws", null],
      ["icloud", "mail-1", null],
      ["gmx", "aws", null],
      ["gmx", "mail-1", null],
    ],
  );
  assert.deepEqual(document.pauses, []);
});

test("it is told whether the schedule, the functions and the workers run this configuration", async () => {
  const hash = configHash(site.stack.config);
  const never = { hash: null, version: null, at: null, isThis: false, isSilent: true };
  const runners = ["schedule", "functions", "worker/mail-1"] as const;
  const before = (await read()).document;
  assert.deepEqual(before.config, { hash });
  assert.deepEqual(
    before.running,
    runners.map((runner) => ({ runner, ...never })),
  );
  for (const runner of runners) await noteRunning({ runner, hash, version: "0.1.0" }, table);
  assert.match((await run(["status", ...at])).stdout, new RegExp(`^config ${hash} runs everywhere$`, "m"));

  // The schedule is called every five minutes, the targets of a worker are probed every fifteen.
  const ago = (minutes: number) => ({ ...table, now: () => new Date(now().getTime() - minutes * 60_000) });
  await noteRunning({ runner: "schedule", hash, version: "0.1.0" }, ago(35));
  await noteRunning({ runner: "functions", hash, version: "0.1.0" }, ago(35));
  await noteRunning({ runner: "worker/mail-1", hash: "3fa9c0ffee00", version: "0.0.9" }, table);
  const { running } = (await read()).document;
  assert.deepEqual(
    running.map(({ runner, hash, version, isThis, isSilent }) => [runner, hash, version, isThis, isSilent]),
    [
      ["schedule", hash, "0.1.0", true, true],
      ["functions", hash, "0.1.0", true, false],
      ["worker/mail-1", "3fa9c0ffee00", "0.0.9", false, false],
    ],
  );
  const { stdout } = await run(["status", ...at]);
  assert.match(stdout, /^ {2}the schedule: silent for \d+ min\n/m);
  assert.match(
    stdout,
    /^ {2}worker mail-1 runs another configuration \(3fa9c0ffee00, version 0\.0\.9, \d+ \w+ ago\)$/m,
  );
  assert.doesNotMatch(stdout, /the functions/);
});

test("the last verdict of a pair, its block, its back-off and the pauses are told", async () => {
  const words = "550 5.7.1 192.0.2.25 is listed in zen.spamhaus.org\u001b[2J\u202e";
  await putVerdict(said("250 2.1.5 ok", 60_000), table);
  const last = said(words, 0);
  await putVerdict(last, table);
  const { id, at: decidedAt } = last;
  const block = { stage: "rcpt", host: "mx.icloud.example", since: decidedAt, id } as const;
  const inAnHour = new Date(now().getTime() + 3_600_000).toISOString();
  const state = {
    provider: "icloud",
    egress: "aws",
    block,
    last: { id, at: decidedAt },
    notBefore: inAnHour,
    clearedAt: null,
  };
  await settled(state, table);
  const paused = { kind: "egress", name: "mail-1", reason: "moved", since: decidedAt, until: inAnHour } as const;
  await pause(paused, table);

  const { status, document } = await read();
  assert.equal(status, 0);
  const [first] = document.pairs;
  assert.deepEqual(first?.block, block);
  assert.equal(first?.backOffUntil, inAnHour);
  const { outcome, class: kind, stage, code, text } = first?.last ?? {};
  assert.deepEqual([outcome, kind, stage, code], ["rejected", "ip-reputation", "rcpt", 550]);
  assert.equal(text, words);
  assert.deepEqual(document.pauses, [paused]);

  const { stdout } = await run(["status", ...at]);
  assert.match(stdout, /^ {2}icloud +aws +rejected at rcpt +ip-reputation +\d+ (?:s|min) ago$/m);
  assert.match(stdout, /^ {4}550 5\.7\.1 192\.0\.2\.25 is listed in zen\.spamhaus\.org\\x1b\[2J\\u202e$/m);
  assert.match(stdout, /^ {2}egress mail-1 until .*: moved$/m);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 100, line);
});

test("the last self-check of each egress is told, with what it found", async () => {
  const selfCheck = { ...storedSelfCheck(selfCheckOf(noPtr)), at: now().toISOString() };
  await putSelfCheck(selfCheck, table);
  const { document } = await read();
  assert.deepEqual(
    document.egresses.map(({ name, selfCheck }) => [name, selfCheck?.id ?? null]),
    [
      ["aws", null],
      ["mail-1", selfCheck.id],
    ],
  );
  const { standing, checks, since } = document.egresses[1]?.selfCheck ?? {};
  assert.deepEqual([standing, checks, since], ["fault", selfCheck.selfCheck.checks, selfCheck.since]);
  const { stdout } = await run(["status", ...at]);
  assert.match(stdout, /^ {2}aws +never checked\n {2}mail-1 +wrong, \d+ (?:s|min) ago$/m);
  assert.match(stdout, /^ {4}reverse-dns, since .*: 192\.0\.2\.25 has no PTR$/m);
});

test("an alarm that does not page makes no exit status 1, one that pages does", async () => {
  const [silent] = alarmsOf(config).filter(({ pages }) => !pages);
  // A metric alarm that is set by hand is soon what its metric says; a composite stays.
  const loud = alarmsOf(config).find(({ kind }) => kind === "blocked-widely");
  assert.ok(silent !== undefined && loud !== undefined);
  // It takes with it the composite that names it, which pages: so that one is set back.
  await set(silent.name, "ALARM");
  await set("delivery-probe-blocked-icloud-aws", "OK");
  assert.equal((await read()).status, 0);
  await set(loud.name, "ALARM");
  const { status, document } = await read();
  assert.equal(status, 1);
  const found = document.alarms.find(({ name }) => name === loud.name);
  assert.deepEqual([found?.state, found?.reason], ["ALARM", "a test's"]);
  assert.match(
    (await run(["status", ...at])).stdout,
    /: 1 paging alarm is in ALARM\nconfig (?:.+\n)+\nalarms: 2 ALARM, /,
  );
});

test("a composite alarm that a wider one holds back is marked", async () => {
  await set("delivery-probe-blocked-widely-mail-1", "ALARM");
  await set("delivery-probe-blocked-icloud-mail-1", "ALARM");
  const { document } = await read();
  const held = document.alarms.find(({ name }) => name === "delivery-probe-blocked-icloud-mail-1");
  assert.deepEqual([held?.state, held?.suppressedBy], ["ALARM", "Alarm"]);
});

test("an alarm that CloudWatch does not have is told; where it has none, exit status 70", async () => {
  const names = alarmsOf(config).map(({ name }) => name);
  const [last = ""] = names.slice(-1);
  await clients.cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: [last] }));
  const { document } = await read();
  assert.deepEqual(document.alarms.at(-1)?.state, null);
  // One composite a call; those that others need come last.
  for (const name of names.toReversed())
    await clients.cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: [name] })).catch(() => {});
  const { MetricAlarms = [] } = await clients.cloudWatch.send(new DescribeAlarmsCommand({}));
  assert.deepEqual(MetricAlarms, []);
  const { status, stderr } = await run(["status", ...at]);
  assert.equal(status, 70);
  assert.match(stderr, /^delivery-probe: CloudWatch has no alarm of delivery-probe; is it deployed there/);
});
