// Mute windows: which alarms a rule names, and how its schedule is written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { checkConfig, type Config } from "../../../functions/config/config.ts";
import { alarmsOf } from "../../../functions/report/alarms.ts";
import { Mutes } from "../../../infra/aws/mutes.ts";

const settings = {
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [{ name: "aws", runner: "functions" }],
  targets: ["icloud", "outlook"].map((provider) => ({ provider, recipient: `probe@${provider}.example` })),
};

interface Rule {
  readonly Name: string;
  readonly Rule: { readonly Schedule: Readonly<Record<string, string>> };
  readonly MuteTargets: { readonly AlarmNames: readonly string[] };
}

function configOf(more: object): Config {
  const { value, faults } = checkConfig({ ...settings, ...more });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

function rulesOf(config: Config): readonly Rule[] {
  const stack = new Stack(new App(), "Test");
  const { node } = new Mutes(stack, "Mutes", config);
  if (node.children.length === 0) return [];
  return Object.values(Template.fromStack(stack).findResources("AWS::CloudWatch::AlarmMuteRule")).map(
    (each) => each["Properties"] as Rule,
  );
}

const nightly = { name: "nightly", schedule: "cron(0 2 * * *)", minutes: 90, timezone: "Europe/Berlin" };
const christmas = {
  name: "christmas",
  schedule: "at(2026-12-24T18:00)",
  minutes: 3 * 1_440,
  kinds: ["failures", "refused"],
};
const config = configOf({ aws: { mutes: [nightly, christmas] } });
const paging = alarmsOf(config).filter(({ pages }) => pages);

test("a window is a rule, with its schedule, its length and its time zone as CloudWatch writes them", () => {
  const [first, second, ...more] = rulesOf(config);
  assert.deepEqual(more, []);
  assert.equal(first?.Name, "delivery-probe-nightly");
  const daily = { Expression: "cron(0 2 * * *)", Duration: "PT1H30M", Timezone: "Europe/Berlin" };
  assert.deepEqual(first.Rule.Schedule, daily);
  assert.deepEqual(second?.Rule.Schedule, { Expression: "at(2026-12-24T18:00)", Duration: "P3D", Timezone: "UTC" });
});

test("one of all kinds names all that pages, and one of some kinds those alone", () => {
  const [all, some] = rulesOf(config);
  assert.deepEqual(
    all?.MuteTargets.AlarmNames,
    paging.map(({ name }) => name),
  );
  const wanted = paging.filter(({ kind }) => kind === "failures" || kind === "refused").map(({ name }) => name);
  assert.ok(wanted.length > 0 && wanted.length < paging.length);
  assert.deepEqual(some?.MuteTargets.AlarmNames, wanted);
});

test("a window of more alarms than a rule takes is several rules, and none is left out", () => {
  const targets = Array.from({ length: 60 }, (_, index) => ({ provider: `p${index}`, recipient: "probe@p.example" }));
  const many = configOf({ targets, aws: { mutes: [nightly] } });
  const rules = rulesOf(many);
  assert.ok(rules.length > 1);
  assert.ok(rules.every(({ MuteTargets }) => MuteTargets.AlarmNames.length <= 100));
  assert.equal(new Set(rules.map(({ Name }) => Name)).size, rules.length);
  const named = rules.flatMap(({ MuteTargets }) => MuteTargets.AlarmNames);
  assert.deepEqual(
    named.toSorted(),
    alarmsOf(many)
      .flatMap(({ name, pages }) => (pages ? [name] : []))
      .toSorted(),
  );
});

test("without a window there is no rule", () => {
  assert.deepEqual(rulesOf(configOf({})), []);
});
