// Which alarms must follow a block, and what is told to be missing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { alarmsAfterBlocking, limitMsFor, missingOf, type Standing } from "../../infra/local/view/expected-alarms.ts";

const config = checkConfig({
  name: "test",
  identity: { helo: "probe.example", sender: "" },
  egresses: [
    { name: "aws", runner: "functions" },
    { name: "mail-1", runner: "worker" },
  ],
  targets: [
    { provider: "icloud", recipient: "a@icloud.example" },
    { provider: "gmx", recipient: "a@gmx.example", egresses: ["aws"] },
    { provider: "gmail", recipient: "a@gmail.example", everyMinutes: 60 },
  ],
  onCall: {
    routes: [
      { name: "chat", type: "slack", url: "https://chat.example/" },
      { name: "mail", type: "sns", topicArn: "arn:aws:sns:us-east-1:1:t" },
    ],
  },
}).value as Config;

const namesAfter = (...blocked: readonly string[]) => alarmsAfterBlocking(config, blocked).map(({ name }) => name);
const both = new Set(["chat", "mail"]);

function stands(...names: readonly string[]): (readonly [string, { readonly isSuppressed: boolean }])[] {
  return names.map((name) => [name, { isSuppressed: false }]);
}

function standing(more: Partial<Standing>): Standing {
  return { firing: new Map(), reached: new Map(), toldBefore: new Set(), ...more };
}

test("a block leads to an alarm over each egress that the provider is probed by", () => {
  assert.deepEqual(namesAfter("icloud"), ["test-blocked-icloud-aws", "test-blocked-icloud-mail-1"]);
  assert.deepEqual(namesAfter("gmx"), ["test-blocked-gmx-aws"]);
  assert.deepEqual(namesAfter(), []);
});

test("two blocks of one egress lead to the wider alarm of it, and of no other", () => {
  assert.deepEqual(namesAfter("icloud", "gmx"), [
    "test-blocked-widely-aws",
    "test-blocked-icloud-aws",
    "test-blocked-icloud-mail-1",
    "test-blocked-gmx-aws",
  ]);
});

test("what is missing is told by alarm and by route", () => {
  const name = "test-blocked-gmx-aws";
  const firing = new Map(stands(name));
  assert.deepEqual(missingOf(config, ["gmx"], standing({})), [`${name} is not in ALARM`]);
  assert.deepEqual(missingOf(config, ["gmx"], standing({ firing })), [`no page of ${name} by chat, mail`]);
  const reached = new Map([[name, new Set(["chat"])]]);
  assert.deepEqual(missingOf(config, ["gmx"], standing({ firing, reached })), [`no page of ${name} by mail`]);
  assert.deepEqual(missingOf(config, ["gmx"], standing({ firing, reached: new Map([[name, both]]) })), []);
  assert.deepEqual(missingOf(config, ["gmx"], standing({ firing, toldBefore: new Set([name]) })), []);
});

test("an alarm that nobody expected must be paged too, and one that pages nobody need not", () => {
  const firing = new Map(stands("test-probe-silent-aws", "test-blocking-gmx-aws"));
  assert.deepEqual(missingOf(config, [], standing({ firing })), ["no page of test-probe-silent-aws by chat, mail"]);
});

test("what the wider alarm holds back needs no page; what waits for it still does", () => {
  const blocked = ["icloud", "gmx"];
  const wide = "test-blocked-widely-aws";
  const single = ["test-blocked-icloud-aws", "test-blocked-gmx-aws"];
  const other = "test-blocked-icloud-mail-1";
  const held = single.map((name) => [name, { isSuppressed: true }] as const);
  const reached = new Map([wide, other].map((name) => [name, both]));
  const firing = new Map([...stands(wide, other), ...held]);
  assert.deepEqual(missingOf(config, blocked, standing({ firing, reached })), []);
  const waiting = new Map([...stands(other), ...held]);
  assert.deepEqual(missingOf(config, blocked, standing({ firing: waiting, reached })), [
    `${wide} is not in ALARM`,
    ...single.map((name) => `no page of ${name} by chat, mail`),
  ]);
});

test("the limit is twenty seconds, and more where rounds take longer", () => {
  assert.equal(limitMsFor(config, ["icloud"], 300), 20_000);
  assert.equal(limitMsFor(config, ["gmail"], 300), 38_000);
  assert.equal(limitMsFor(config, ["icloud"], 1), 6_000_000);
});
