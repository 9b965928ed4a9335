// Text in columns: whatever the text, it takes no more than it is given.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { columnsOf, cut, fit, widthsOf } from "../../infra/local/view/columns.ts";

const cases = [
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["ab cd", 4, "ab…"],
  ["日本語", 6, "日本語"],
  ["日本語", 5, "日本…"],
  ["日本語", 4, "日…"],
  ["a\x1b[2Jb", 20, String.raw`a\x1b[2Jb`],
  ["a\nb", 20, String.raw`a\x0ab`],
  ["abc", 1, "…"],
  ["abc", 0, ""],
] as const;

for (const [text, columns, expected] of cases) {
  test(`${JSON.stringify(text)} in ${columns} columns is ${JSON.stringify(expected)}`, () => {
    assert.equal(cut(text, columns), expected);
  });
}

test("what is cut never takes more columns than it has, and what is filled takes just so many", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(40), (text, columns) => {
      assert.ok(columnsOf(cut(text, columns)) <= columns);
      assert.equal(columnsOf(fit(text, columns)), columns);
      assert.equal(columnsOf(fit(text, columns, "right")), columns);
    }),
  );
});

test("columns give way by their rank, and none becomes narrower than it may", () => {
  const columns = [
    { wanted: 10, least: 4, rank: 2 },
    { wanted: 12, least: 6, rank: 1 },
    { wanted: 5, least: 5, rank: 0 },
  ];
  assert.deepEqual(widthsOf(columns, 2, 31), [10, 12, 5]);
  assert.deepEqual(widthsOf(columns, 2, 28), [10, 9, 5]);
  assert.deepEqual(widthsOf(columns, 2, 23), [8, 6, 5]);
  assert.deepEqual(widthsOf(columns, 2, 1), [4, 6, 5]);
});
