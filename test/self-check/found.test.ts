// How words of others are quoted in what a check found.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { listed, quoted } from "../../functions/self-check/found.ts";

const rows: readonly (readonly [what: string, text: string, quote: string])[] = [
  ["a short text as it is, controls too", "a\u001b[31m\nb", "a\u001b[31m\nb"],
  ["a text that just fits", "x".repeat(300), "x".repeat(300)],
  ["a long one cut", "x".repeat(301), `${"x".repeat(300)}…`],
  ["one that is cut inside a character", `${"x".repeat(299)}\u{1f600}`, `${"x".repeat(299)}\ufffd…`],
  ["half a character", "\ud83d", "\ufffd"],
];

for (const [what, text, quote] of rows) {
  test(`quoted is ${what}`, () => assert.equal(quoted(text), quote));
}

test("any text is quoted in a form that JSON and UTF-8 can hold, and not at length", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 1_000 }), (text) => {
      const quote = quoted(text);
      assert.ok(quote.isWellFormed() && quote.length <= 301);
      assert.equal(Buffer.from(quote).toString(), quote);
    }),
  );
});

test("of many the first few are listed, and the rest counted", () => {
  assert.equal(listed([]), "");
  assert.equal(listed(["a", "b", "c", "d"]), "a, b, c, d");
  assert.equal(listed(["a", "b", "c", "d", "e", "f"]), "a, b, c, d, 2 more");
  assert.equal(listed(["a", "b", "x".repeat(301)]), `a, b, ${"x".repeat(300)}…`);
});
