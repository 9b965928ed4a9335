// A configuration's hash: the same for the same configuration however its file is written, another for any other.
import assert from "node:assert/strict";
import { test } from "node:test";
import packageFile from "../../package.json" with { type: "json" };
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { configHash } from "../../functions/config/hash.ts";
import { version } from "../../functions/config/version.ts";
import example from "../../infra/config/example.json" with { type: "json" };

function configOf(value: object): Config {
  const { value: config, faults } = checkConfig(value);
  assert.ok(config !== null, faults?.join("; "));
  return config;
}

/** The same, with the fields of every object the other way round. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, each]) => [name, turned(each)]),
  );
}

const config = configOf(example);
const hash = configHash(config);

test("it is twelve hex digits, and the order of fields, $schema and what is written out of the defaults change nothing", () => {
  assert.match(hash, /^[0-9a-f]{12}$/);
  assert.notEqual(JSON.stringify(turned(example)), JSON.stringify(example));
  assert.equal(configHash(configOf(turned(example) as object)), hash);
  assert.equal(configHash(turned(config) as Config), hash);
  assert.equal(configHash(configOf({ ...example, $schema: "./another.json" })), hash);
  assert.equal(configHash(configOf(JSON.parse(JSON.stringify(config)) as object)), hash);
});

const [target, ...targets] = config.targets;
assert.ok(target !== undefined);

const others: readonly (readonly [what: string, other: Config])[] = [
  ["a name", { ...config, name: "other" }],
  ["a field of a target", { ...config, targets: [{ ...target, everyMinutes: target.everyMinutes + 1 }, ...targets] }],
  ["the order of the targets", { ...config, targets: [...targets, target] }],
  ["a default that was changed", { ...config, history: { ...config.history, days: config.history.days + 1 } }],
  ["a domain's hosts", { ...config, hosts: { ...config.hosts, "a.example": ["mx.example"] } }],
];

for (const [what, other] of others) {
  test(`it is another where there is another: ${what}`, () => {
    assert.notEqual(configHash(other), hash);
  });
}

test("the version that runners tell is the package's", () => {
  assert.equal(version, packageFile.version);
});
