// M of N and missing data: the tables of AWS's page "Configuring how CloudWatch alarms treat missing data", as they are
// there, and what must hold whatever the data.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { judge, rangeOf, treatments } from "../../../infra/local/cloudwatch/evaluation.ts";

/** 0: within the threshold, X: breaching, -: missing; the newest at the right. */
function points(text: string): (boolean | null)[] {
  return text.split(" ").map((each) => (each === "-" ? null : each === "X"));
}

// prettier-ignore
const tables = [
  // Datapoints to alarm 3, evaluation periods 3.
  //    points      filled  missing              ignore   breaching  notBreaching
  [3, "0 - X - X",  0,     "OK",                "OK",    "OK",      "OK"   ],
  [3, "0 - - - -",  2,     "OK",                "OK",    "OK",      "OK"   ],
  [3, "- - - - -",  3,     "INSUFFICIENT_DATA", null,    "ALARM",   "OK"   ],
  [3, "0 X X - X",  0,     "ALARM",             "ALARM", "ALARM",   "ALARM"],
  [3, "- - X - -",  2,     "ALARM",             null,    "ALARM",   "OK"   ],
  // The page's earlier edition.
  [3, "- - - - X",  2,     "INSUFFICIENT_DATA", null,    "ALARM",   "OK"   ],
  [3, "X - - - -",  2,     "ALARM",             null,    "ALARM",   "OK"   ],
  // "Does not go immediately into ALARM state when the data is - - - X -", for 3 of 3.
  [3, "- - - X -",  2,     "INSUFFICIENT_DATA", null,    "ALARM",   "OK"   ],
  // Datapoints to alarm 2, evaluation periods 3.
  [2, "0 - X - X",  0,     "ALARM",             "ALARM", "ALARM",   "ALARM"],
  [2, "0 0 X 0 X",  0,     "ALARM",             "ALARM", "ALARM",   "ALARM"],
  [2, "0 - X - -",  1,     "OK",                "OK",    "ALARM",   "OK"   ],
  [2, "- - - - 0",  2,     "OK",                "OK",    "ALARM",   "OK"   ],
  [2, "- - - X -",  2,     "ALARM",             null,    "ALARM",   "OK"   ],
  [2, "- - - - X",  2,     "INSUFFICIENT_DATA", null,    "ALARM",   "OK"   ],
] as const;

for (const [datapoints, text, filled, ...states] of tables) {
  test(`${datapoints} of 3 with ${text} is as AWS's table has it`, () => {
    for (const [index, missing] of (["missing", "ignore", "breaching", "notBreaching"] as const).entries()) {
      const found = judge(points(text), { datapoints, of: 3, missing });
      assert.equal(found.state, states[index], missing);
      assert.equal(found.filled, filled, missing);
    }
  });
}

const range = fc.constantFrom(true, false, null);
const cases = fc
  .record({ of: fc.integer({ min: 1, max: 6 }), missing: fc.constantFrom(...treatments) }, { noNullPrototype: true })
  .chain(({ of, missing }) =>
    fc.record(
      {
        of: fc.constant(of),
        missing: fc.constant(missing),
        datapoints: fc.integer({ min: 1, max: of }),
        points: fc.array(range, { minLength: rangeOf(of), maxLength: rangeOf(of) }),
      },
      { noNullPrototype: true },
    ),
  );

test("with as many real points as are asked for, the last of them decide, however missing ones are treated", () => {
  fc.assert(
    fc.property(cases, ({ points, ...criteria }) => {
      const real = points.filter((each) => each !== null).slice(-criteria.of);
      fc.pre(real.length === criteria.of);
      const expected = real.filter((each) => each).length >= criteria.datapoints ? "ALARM" : "OK";
      assert.equal(judge(points, criteria).state, expected);
    }),
  );
});

test("no alarm fires on missing data alone, unless it takes them as breaching", () => {
  fc.assert(
    fc.property(cases, ({ points, ...criteria }) => {
      fc.pre(criteria.missing !== "breaching");
      const without = points.map((each) => (each === true ? null : each));
      assert.notEqual(judge(without, criteria).state, "ALARM");
    }),
  );
});

test("one more breaching point never ends an alarm", () => {
  fc.assert(
    fc.property(cases, fc.nat({ max: 7 }), ({ points, ...criteria }, at) => {
      fc.pre(points[at] === false && judge(points, criteria).state === "ALARM");
      assert.equal(judge(points.with(at, true), criteria).state, "ALARM");
    }),
  );
});
