// Metric math: AWS's own examples of missing values, precedence against a plain evaluator, and errors with their place.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExpressionFault, parseExpression, type Operator } from "../../../infra/local/cloudwatch/expression.ts";
import { valueOf, type Series, type Value } from "../../../infra/local/cloudwatch/expression-value.ts";

const _ = null;

function evaluate(text: string, series: Readonly<Record<string, Series>>): Value {
  return valueOf(parseExpression(text), {
    valueOf: (id) => (series[id] === undefined ? null : { kind: "series", points: series[id] }),
    metrics: new Map(Object.entries(series)),
  });
}

// prettier-ignore
const examples: readonly (readonly [string, Readonly<Record<string, Series>>, Series])[] = [
  // "Comparison and logical operators" of the guide.
  ["metric1 < metric2", { metric1: [30, 20, 0, 0], metric2: [20, _, 20, _] }, [0, 0, 1, 0]],
  ["metric1 >= 30", { metric1: [30, 20, 0, 0] }, [1, 0, 0, 0]],
  ["metric1 > 15 AND metric2 > 15", { metric1: [30, 20, 0, 0], metric2: [20, _, 20, _] }, [1, 0, 0, 0]],
  // "Using IF expressions".
  ["IF(metric1, metric2, metric3)", { metric1: [1, 1, 0, 0, _], metric2: [30, _, 0, 0, 30], metric3: [0, 0, 20, _, 20] }, [30, 0, 20, _, _]],
  ["IF(metric1, 5, metric3)", { metric1: [1, 1, 0, 0, _], metric3: [0, 0, 20, _, 20] }, [5, 5, 20, _, _]],
  ["IF(metric1, metric2, 5)", { metric1: [1, 1, 0, 0, _], metric2: [30, _, 0, 0, 30] }, [30, 0, 5, 5, _]],
  ["IF(m < 400, m)", { m: [300, 500, _] }, [300, _, _]],
  ["IF(1 == 1, m)", { m: [300, _] }, [300, _]],
  ["IF(0, m)", { m: [300, _] }, [_, _]],
  // "Missing values in a time series are treated as 0. […] Divide by zero, the data point is dropped."
  ["a + b", { a: [1, 1, _, _], b: [2, _, 2, _] }, [3, 1, 2, _]],
  ["100 * a / b", { a: [1, 1, _, 0], b: [4, _, 4, 0] }, [25, _, 0, _]],
  ["a + 1", { a: [1, _] }, [2, _]],
  ["-a - -2", { a: [1, _] }, [1, _]],
  ["FILL(a, 0)", { a: [_, 1, _] }, [0, 1, 0]],
  ["FILL(a, REPEAT)", { a: [_, 1, _, 2, _] }, [_, 1, 1, 2, 2]],
  ["FILL(a, b)", { a: [_, 1, _], b: [7, 8, _] }, [7, 1, _]],
  ["SUM([a, b])", { a: [1, _, _], b: [2, 2, _] }, [3, 2, _]],
  ["MIN([a, b])", { a: [1, _, _], b: [2, 2, _] }, [1, 2, _]],
  ["MAX(METRICS())", { a: [1, _, _], b: [2, 2, _] }, [2, 2, _]],
  // "Missing values are treated as 0."
  ["AVG([a, b])", { a: [1, _, _], b: [2, 2, _] }, [1.5, 1, _]],
  ['SUM(METRICS("err"))', { errors: [1], requests: [10] }, [1]],
  ["SUM(FILL(METRICS(), 0))", { a: [1, _], b: [_, _] }, [1, 0]],
  ["SUM([a, b] * 2 / a)", { a: [1], b: [3] }, [8]],
  ["a - MIN(a)", { a: [3, 5, _] }, [0, 2, _]],
  ["CEIL(a) + FLOOR(a) + ABS(-a)", { a: [1.5] }, [4.5]],
  ["a > 1 || b > 1 && c > 1", { a: [2, 0, 0], b: [0, 2, 2], c: [0, 0, 2] }, [1, 0, 1]],
  ["IF(FILL(attempts, 0) < 1 AND FILL(skipped, 0) < 1, 1, 0)", { attempts: [1, _, _], skipped: [_, 1, _] }, [0, 0, 1]],
];
for (const [text, series, expected] of examples) {
  test(`${text} is as documented`, () => {
    assert.deepEqual(evaluate(text, series), { kind: "series", points: expected });
  });
}

// prettier-ignore
const faults: readonly (readonly [string, RegExp])[] = [
  ["",                   /Expected a value, not the end, at position 0/],
  ["m1 +",               /Expected a value, not the end, at position 4/],
  ["m1 + * 2",           /Expected a value, not "\*", at position 5/],
  ["(m1",                /Expected "\)", not the end, at position 3/],
  ["m1 m1",              /Expected the end, not "m1", at position 3/],
  ["  m1 ~ 2",           /Not understood: " ~ 2" at position 4/],
  ["SUM([m1, m1)",       /Expected "," or "\]", not "\)", at position 11/],
  ["m1 + m9",            /There is no "m9" at position 5/],
  ["1 + ANOMALY(m1)",    /There is no function ANOMALY here at position 4/],
  ["IF(m1)",             /IF takes 2 or 3 arguments, not 1, at position 0/],
  ["FILL(m1, LINEAR)",   /FILL does not take LINEAR here at position 9/],
  ["m1 + REPEAT",        /A value cannot be "REPEAT" at position 5/],
  ["[m1] > [m1]",        /">" does not take arrays at position 5/],
  ["[m1] + [m1]",        /"\+" does not take arrays at position 5/],
  ["SUM(3)",             /A number has nothing to sum up at position 0/],
  ["IF([m1], 1, 2)",     /IF takes no array at position 0/],
];
for (const [text, expected] of faults) {
  test(`"${text}" is refused, and where is told`, () => {
    assert.throws(
      () => evaluate(text, { m1: [1] }),
      (error) => error instanceof ExpressionFault && expected.test(error.message),
    );
  });
}

/** A tree of operators as a text without needless parentheses, and JavaScript's own opinion of it. */
interface Sample {
  readonly text: string;
  readonly value: number;
  readonly tightness: number;
}

const tightness: Readonly<Record<Operator, number>> = {
  OR: 0, AND: 1, "==": 2, "!=": 2, "<": 2, "<=": 2, ">": 2, ">=": 2, "+": 3, "-": 3, "*": 4, "/": 4,
}; // prettier-ignore

function joined(operator: Operator, left: Sample, right: Sample): Sample {
  const own = tightness[operator];
  const leftText = left.tightness < own ? `(${left.text})` : left.text;
  const rightText = right.tightness <= own ? `(${right.text})` : right.text;
  const [one, other] = [left.value, right.value];
  const value: Readonly<Record<Operator, number>> = {
    OR: Number(one !== 0 || other !== 0), AND: Number(one !== 0 && other !== 0),
    "==": Number(one === other), "!=": Number(one !== other), "<": Number(one < other), "<=": Number(one <= other),
    ">": Number(one > other), ">=": Number(one >= other), "+": one + other, "-": one - other, "*": one * other,
    "/": one / other,
  }; // prettier-ignore
  return { text: `${leftText} ${operator} ${rightText}`, value: value[operator], tightness: own };
}

const samples = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 5 },
    fc.integer({ min: 0, max: 9 }).map((value) => ({ text: String(value), value, tightness: 9 })),
    fc
      .tuple(fc.constantFrom(...(Object.keys(tightness) as Operator[])), tie("sample"), tie("sample"))
      .map(([operator, left, right]) => joined(operator, left, right)),
  ),
})).sample;

test("operators bind as they do everywhere, and from the left", () => {
  fc.assert(
    fc.property(samples, ({ text, value }) => {
      // What divides by zero on the way is dropped, which JavaScript does not know.
      fc.pre(!/\//.test(text) || Number.isFinite(value));
      fc.pre(!/\/ \(|\/ 0/.test(text));
      assert.deepEqual(evaluate(text, {}), { kind: "scalar", value });
    }),
  );
});

test("any text is an expression or a fault with its place", () => {
  const pieces = fc.constantFrom(
    "m1",
    "SUM",
    "(",
    ")",
    "[",
    "]",
    ",",
    "+",
    "-",
    "<",
    "==",
    "1",
    "2.5",
    '"x"',
    " ",
    "&&",
    "$",
    "IF(",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      try {
        parseExpression(text);
      } catch (error) {
        assert.ok(error instanceof ExpressionFault, String(error));
        const at = Number(/at position (\d+)$/.exec(error.message)?.[1]);
        assert.ok(at >= 0 && at <= text.length, error.message);
      }
    }),
  );
});
