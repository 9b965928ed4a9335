// Rehearsing a page beside a local stack: which alarm, what each route did, and that the alarm is left as it was.
import { afterEach, beforeEach, test } from "node:test";
import assert from "node:assert/strict";
import {
  DeleteAlarmsCommand,
  DisableAlarmActionsCommand,
  SetAlarmStateCommand,
  type StateValue,
} from "@aws-sdk/client-cloudwatch";
import { drillCommand } from "../../functions/cli/drill.ts";
import type { Rehearsed } from "../../functions/cli/rehearsal.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import { alarmStates } from "../../functions/report/alarm-states.ts";
import { tableOf } from "../../functions/handler.ts";
import { noteLatest } from "../../functions/state/marks.ts";
import { config, ranOf, refused, run, start, startSite, type Site } from "./operator.ts";

let site: Site;
beforeEach(async () => {
  site = await startSite();
});
afterEach(async () => await site[Symbol.asyncDispose]());

const widely = "delivery-probe-blocked-widely-aws";
const single = "delivery-probe-blocked-icloud-aws";
const down = "delivery-probe-egress-down-aws";

function at(...args: readonly string[]): readonly string[] {
  return ["drill", ...args, "--state", site.folder];
}

async function set(AlarmName: string, StateValue: StateValue): Promise<void> {
  await site.stack.clients.cloudWatch.send(
    new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: "a test's" }),
  );
}

async function stateOf(name: string, client = site.stack.clients.cloudWatch): Promise<string | undefined> {
  return (await alarmStates([name], client)).get(name)?.state;
}

function titles(): readonly string[] {
  return site.stack.sink.received().map(({ kind, title }) => `${kind}: ${title}`);
}

/** Until a condition that is sure to come. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

test("a command line that names no alarm that can be rehearsed is refused, with what to write", async () => {
  for (const [args, says] of [
    [["a", "b"], /^drill takes one alarm, not 2; write drill a$/],
    [["--dirct"], /^there is no option "--dirct"; write --direct$/],
    [["blokced"], /^there is no alarm "blokced"; write blocked$/],
    [["nothing-like-it"], /^there is no alarm "nothing-like-it"; write one of blocked, blocked-widely, refused, /],
    [
      ["delivery-probe-blocking-icloud-aws"],
      /^"delivery-probe-blocking-icloud-aws" pages nobody; write delivery-probe-/,
    ],
    [[`${single}x`], new RegExp(`^there is no alarm "${single}x"; write ${single}$`)],
  ] as const) {
    assert.match(await refused(() => drillCommand([...args, "--state", site.folder])), says);
  }
});

test("the first single block pages by every route, after what CloudWatch holds it back, and is set back", async () => {
  const { status, stdout, stderr } = await run(at());
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines[0], `drill of ${single} (blocked): set to ALARM, which pages`);
  assert.match(lines[1] ?? "", /^CloudWatch holds it back for 120 s, in case a wider alarm speaks for it/);
  assert.match(lines[2] ?? "", /^the page was out after \d+\.\d s$/);
  const routes = ["slack", "teams", "webhook", "pagerduty", "sns"];
  assert.deepEqual(
    lines.slice(3, -1).map((line) =>
      line
        .replace(/\d+ ms/, "N ms")
        .split(/ +/)
        .slice(1)
        .join(" "),
    ),
    routes.map((route) => `${route} delivered in N ms`),
  );
  assert.equal(lines.at(-1), "set back to OK; the recovery goes out by the same routes");
  assert.equal(await stateOf(single), "OK");
  await until(() => titles().length >= 8);
  assert.ok(
    titles()
      .slice(0, 4)
      .every((title) => /^\w+: DRILL: iCloud blocks /.test(title)),
    titles().join("\n"),
  );
  const recovery = titles().slice(4).toSorted();
  assert.ok(
    recovery.slice(1).every((title) => /^\w+: DRILL: Recovered: /.test(title)),
    titles().join("\n"),
  );
  assert.equal(recovery[0], `pagerduty: resolve drill-${single}`);
});

test("an alarm without data is without data again, and its page was closed before", async () => {
  assert.equal(await stateOf(down), "INSUFFICIENT_DATA");
  const { status, stdout } = await run(at("egress-down", "--json"));
  assert.equal(status, 0);
  const document = JSON.parse(stdout) as Rehearsed & Readonly<Record<string, unknown>>;
  const { v, alarm, kind, direct, delivered, fault, restored, deliveries } = document;
  assert.deepEqual(
    { v, alarm, kind, direct, delivered, fault, restored },
    { v: 1, alarm: down, kind: "egress-down", direct: false, delivered: true, fault: null, restored: "restored" },
  );
  assert.deepEqual(
    deliveries.map(({ route, ok }) => `${route} ${ok}`),
    ["slack true", "teams true", "webhook true", "pagerduty true", "sns true"],
  );
  assert.equal(await stateOf(down), "INSUFFICIENT_DATA");
  await until(() => titles().some((title) => title.includes("Recovered: ")));
});

test("a route that fails makes exit status 1, and says why; the others have the page", async () => {
  // Understood and refused, as by a service whose key was revoked: it is not tried again.
  site.stack.sink.fail({ status: 403, times: 1 });
  const { status, stdout } = await run(at("egress-down"));
  assert.equal(status, 1);
  assert.equal([...stdout.matchAll(/^ {2}\w+ +delivered in \d+ ms$/gm)].length, 4, stdout);
  assert.match(stdout, /^ {2}\w+ +NOT delivered, \d+ ms: .*403/m);
  assert.match(stdout, /\nset back to INSUFFICIENT_DATA;/);
});

test("one that is in ALARM is left alone: by name it is refused, by kind the next is taken", async () => {
  await set(down, "ALARM");
  const byName = await run(at(down));
  assert.equal(byName.status, 64);
  assert.match(
    byName.stderr,
    new RegExp(`^delivery-probe: ${down} is in ALARM already; write another alarm: status --state `),
  );
  assert.equal(await stateOf(down), "ALARM");
  const byKind = await run(at("egress-down"));
  assert.equal(byKind.status, 0);
  assert.match(byKind.stdout, /^drill of delivery-probe-egress-down-mail-1 /);
  await set(widely, "ALARM");
  const held = await run(at(single));
  assert.match(held.stderr, new RegExp(`^delivery-probe: ${single} is held back by ${widely}, which is in ALARM;`));
});

test("what nobody would hear of is not set", async () => {
  const { cloudWatch } = site.stack.clients;
  await cloudWatch.send(new DisableAlarmActionsCommand({ AlarmNames: [down] }));
  const deaf = await run(at(down));
  assert.equal(deaf.status, 70);
  assert.match(deaf.stderr, /has no action, or they are disabled, so that nobody is told$/m);
  await cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: [down] }));
  const gone = await run(at(down));
  assert.equal(gone.status, 70);
  assert.match(gone.stderr, /CloudWatch has no alarm delivery-probe-egress-down-aws; is it deployed there\?$/m);
});

test("interrupted, it sets the alarm back", async () => {
  // By a clock as slow as ours, CloudWatch holds the page back for two minutes.
  await using slow = await startSite(1);
  const { cloudWatch } = slow.stack.clients;
  const child = start(["drill", "--state", slow.folder]);
  await until(async () => (await stateOf(single, cloudWatch)) === "ALARM");
  child.kill("SIGINT");
  const { status, stdout } = await ranOf(child);
  assert.equal(status, 1);
  assert.match(stdout, /^interrupted before the page was out\nset back to OK;/m);
  assert.equal(await stateOf(single, cloudWatch), "OK");
  assert.deepEqual(slow.stack.sink.received(), []);
});

test("an alarm whose metric goes to ALARM meanwhile pages in earnest, though it was in ALARM by our hand", async () => {
  await using slow = await startSite(1);
  const { cloudWatch } = slow.stack.clients;
  const child = start(["drill", "--state", slow.folder]);
  await until(async () => (await stateOf(single, cloudWatch)) === "ALARM");
  const AlarmName = "delivery-probe-blocking-icloud-aws";
  await cloudWatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: "ALARM", StateReason: "a test's" }));
  child.kill("SIGTERM");
  const { status, stdout } = await ranOf(child);
  assert.equal(status, 1);
  assert.match(stdout, new RegExp(`\n${single} fires in earnest: what it watches went to ALARM meanwhile; [^\n]*\n$`));
  const standing = (await alarmStates([single], cloudWatch)).get(single);
  assert.deepEqual([standing?.state, standing?.reason], ["ALARM", `in ALARM: ${AlarmName}`]);
});

test("an alarm that was set back by somebody else meanwhile is left as it is", async () => {
  await using slow = await startSite(1);
  const { cloudWatch } = slow.stack.clients;
  const child = start(["drill", "--state", slow.folder]);
  await until(async () => (await stateOf(single, cloudWatch)) === "ALARM");
  await cloudWatch.send(new SetAlarmStateCommand({ AlarmName: single, StateValue: "OK", StateReason: "a test's" }));
  child.kill("SIGHUP");
  const { status, stdout } = await ranOf(child);
  assert.equal(status, 1);
  assert.match(stdout, new RegExp(`\n${single} had changed by itself meanwhile, and was left as it is\n$`));
  assert.equal((await alarmStates([single], cloudWatch)).get(single)?.reason, "a test's");
});

test("what on-call was told of, and not yet that it is over, is not closed by a rehearsal", async () => {
  const { clients, clock } = site.stack;
  const table = tableOf({ config, clients, now: () => new Date(clock.now()) });
  const at = new Date(clock.now()).toISOString();
  await noteLatest({ kind: "told", alarm: down }, at, { state: "firing", at, firedAt: at }, table);
  for (const direct of [[], ["--direct"]]) {
    const { status, stderr } = await run(["drill", down, ...direct, "--state", site.folder]);
    assert.equal(status, 64);
    assert.match(stderr, new RegExp(`^delivery-probe: on-call was told that ${down} fires; write another alarm: `));
  }
});

test("directly, the routes are tried without CloudWatch, and closed again", async () => {
  const before = alarmsOf(config).map(({ name }) => name);
  await site.stack.clients.cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames: [single] }));
  const { status, stdout } = await run(at("--direct"));
  assert.equal(status, 0);
  assert.ok(before.includes(single));
  assert.match(
    stdout,
    new RegExp(`^drill of the routes of ${single} \\(blocked\\), from this machine\nthe page was out after `),
  );
  assert.equal([...stdout.matchAll(/^ {2}\w+ +delivered in \d+ ms$/gm)].length, 5);
  assert.ok(
    titles()
      .slice(0, 4)
      .every((title) => title.includes(": DRILL: ")),
    titles().join("\n"),
  );
  assert.equal(titles().length, 8);

  site.stack.sink.fail({ status: 403, times: 1 });
  const failed = await run(at("--direct"));
  assert.equal(failed.status, 1);
  assert.match(failed.stdout, /NOT delivered, \d+ ms: .*403/);
});
