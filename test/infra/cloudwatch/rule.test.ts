// The rules of composite alarms: AWS's examples, names in all their forms, and any rule against a plain evaluator.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  childrenOf,
  holds,
  nameOf,
  parseRule,
  stateValues,
  type StateValue,
} from "../../../infra/local/cloudwatch/rule.ts";

function holdsWith(text: string, states: Readonly<Record<string, StateValue>>): boolean {
  return holds(parseRule(text), (alarm) => states[alarm] ?? null);
}

// prettier-ignore
const examples: readonly (readonly [string, Readonly<Record<string, StateValue>>, boolean])[] = [
  ["ALARM(CPU) AND ALARM(Disk)",                     { CPU: "ALARM", Disk: "ALARM" }, true],
  ["ALARM(CPU) AND ALARM(Disk)",                     { CPU: "ALARM", Disk: "OK" },    false],
  ["ALARM(CPU) AND NOT ALARM(Deployment)",           { CPU: "ALARM", Deployment: "INSUFFICIENT_DATA" }, true],
  ["(ALARM(CPU) OR ALARM(Disk)) AND OK(Network)",    { CPU: "OK", Disk: "ALARM", Network: "OK" }, true],
  ["ALARM(CPU) OR ALARM(Disk) AND OK(Network)",      { CPU: "ALARM", Disk: "OK", Network: "ALARM" }, true],
  ["AT_LEAST(2, ALARM, (a, b, c, d))",               { a: "ALARM", b: "OK", c: "ALARM", d: "OK" }, true],
  ["AT_LEAST(2, ALARM, (a, b, c, d))",               { a: "ALARM", b: "OK", c: "OK", d: "OK" }, false],
  ["AT_LEAST(50%, OK, (a, b, c, d))",                { a: "ALARM", b: "OK", c: "ALARM", d: "OK" }, true],
  ["AT_LEAST(50%, OK, (a, b, c))",                   { a: "ALARM", b: "OK", c: "ALARM" }, false],
  ["AT_LEAST(2, NOT OK, (a, b))",                    { a: "ALARM", b: "INSUFFICIENT_DATA" }, true],
  ["AT_LEAST(2, ALARM, (a, b, c)) AND NOT ALARM(m)", { a: "ALARM", b: "ALARM", c: "OK", m: "ALARM" }, false],
  ["INSUFFICIENT_DATA(a)",                           { a: "INSUFFICIENT_DATA" }, true],
  ["NOT NOT TRUE",                                   {}, true],
  ["FALSE",                                          {}, false],
  ["False",                                          {}, false],
  ['ALARM("with (brackets), and more")',             { "with (brackets), and more": "ALARM" }, true],
  [String.raw`ALARM("so \"called\"")`,               { 'so "called"': "ALARM" }, true],
  ['ALARM( "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a:b" )', { "a:b": "ALARM" }, true],
  ["ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ORDER)",   { ORDER: "ALARM" }, true],
  ["ALARM (OK) AND OK(ALARM)",                       { OK: "ALARM", ALARM: "OK" }, true],
];
for (const [text, states, expected] of examples) {
  test(`${text} ${expected ? "holds" : "does not hold"} with ${JSON.stringify(states)}`, () => {
    assert.equal(holdsWith(text, states), expected);
  });
}

// prettier-ignore
const faults: readonly (readonly [string, RegExp])[] = [
  ["ALARM(a) AND",                    /not the end, at position 12/],
  ["ALARM()",                         /Expected the name of an alarm, not "\)", at position 6/],
  ["ALARM(a b)",                      /Expected "\)", not "b\)", at position 8/],
  ["ALARM(a) ALARM(b)",               /Expected AND, OR or the end, not "ALARM\(b\)", at position 9/],
  ["a",                               /Expected ALARM\(…\).*not "a", at position 0/],
  ["AT_LEAST(0, ALARM, (a))",         /AT_LEAST takes 1 to 1, not 0/],
  ["AT_LEAST(3, ALARM, (a, b))",      /AT_LEAST takes 1 to 2, not 3/],
  ["AT_LEAST(101%, ALARM, (a, b))",   /AT_LEAST takes 1 to 100%, not 101%/],
  ["AT_LEAST(1, MAYBE, (a))",         /Expected OK, ALARM or INSUFFICIENT_DATA/],
  [`ALARM(a)${" OR ALARM(a)".repeat(500)}`, /More than 500 elements/],
];
for (const [text, expected] of faults) {
  test(`"${text.slice(0, 40)}" is refused, and where is told`, () => {
    assert.throws(() => parseRule(text), expected);
  });
}

test("an alarm's name is the same from its ARN", () => {
  assert.equal(nameOf("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:blocked"), "blocked");
  assert.equal(nameOf("blocked"), "blocked");
});

interface Sample {
  readonly text: string;
  readonly holds: (states: ReadonlyMap<string, StateValue>) => boolean;
  readonly children: readonly string[];
}

const names = ["a", "b", "the third", 'a "quoted" one', "x(1),y"] as const;
const name = fc.constantFrom(...names);
const state = fc.constantFrom(...stateValues);
const quoted = (alarm: string): string => `"${alarm.replaceAll('"', String.raw`\"`)}"`;
const samples = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(state, name).map(([wanted, alarm]): Sample => ({
      text: `${wanted}(${quoted(alarm)})`,
      holds: (states) => states.get(alarm) === wanted,
      children: [alarm],
    })),
    fc.boolean().map((value): Sample => ({ text: value ? "TRUE" : "FALSE", holds: () => value, children: [] })),
    fc
      .tuple(state, fc.boolean(), fc.uniqueArray(name, { minLength: 1 }), fc.nat())
      .map(([wanted, negated, alarms, any]): Sample => {
        const count = (any % alarms.length) + 1;
        return {
          text: `AT_LEAST(${count}, ${negated ? "NOT " : ""}${wanted}, (${alarms.map(quoted).join(", ")}))`,
          holds: (states) => alarms.filter((each) => (states.get(each) === wanted) !== negated).length >= count,
          children: alarms,
        };
      }),
    tie("sample").map((inner): Sample => ({
      ...inner,
      text: `NOT (${inner.text})`,
      holds: (states) => !inner.holds(states),
    })),
    fc.tuple(tie("sample"), tie("sample"), fc.boolean()).map(([one, other, both]): Sample => ({
      text: both ? `(${one.text}) AND (${other.text})` : `(${one.text} OR ${other.text})`,
      holds: (states) => (both ? one.holds(states) && other.holds(states) : one.holds(states) || other.holds(states)),
      children: [...one.children, ...other.children],
    })),
  ),
})).sample;

test("any rule holds when it should, and names those that it depends on", () => {
  fc.assert(
    fc.property(samples, fc.tuple(state, state, state, state, state), (sample, states) => {
      const standing = new Map(names.map((each, index) => [each as string, states[index] ?? "OK"]));
      const rule = parseRule(sample.text);
      assert.equal(
        holds(rule, (alarm) => standing.get(alarm) ?? null),
        sample.holds(standing),
        sample.text,
      );
      assert.deepEqual(childrenOf(rule), new Set(sample.children));
    }),
  );
});
