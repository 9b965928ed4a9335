import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { visible, visibleJson, visibleLine } from "../../functions/verdict/visible.ts";

const table: readonly (readonly [name: string, text: string, shown: string])[] = [
  [
    "plain text stays",
    "550 5.7.1 blocked: see https://mx.example/?a=1&b=2",
    "550 5.7.1 blocked: see https://mx.example/?a=1&b=2",
  ],
  ["letters of any script stay", "554 заблокировано 封鎖 حظر 🚫", "554 заблокировано 封鎖 حظر 🚫"],
  ["a line feed stays", "550-one\n550 two", "550-one\n550 two"],
  ["a carriage return is shown", "550 ok\r250 ok", "550 ok\\x0d250 ok"],
  ["a tab and a NUL are shown", "a\tb\0c", "a\\x09b\\x00c"],
  ["a terminal's escape is shown", "550 \x1b[2J\x1b]0;title\x07", "550 \\x1b[2J\\x1b]0;title\\x07"],
  ["DEL is shown", "a\x7fb", "a\\x7fb"],
  ["C1 controls are shown", "a\x9b31mb\x85", "a\\x9b31mb\\x85"],
  [
    "bidirectional embeddings and overrides are shown",
    "\u202a\u202b\u202c\u202d\u202e",
    "\\u202a\\u202b\\u202c\\u202d\\u202e",
  ],
  ["bidirectional isolates are shown", "\u2066\u2067\u2068\u2069", "\\u2066\\u2067\\u2068\\u2069"],
  ["direction marks are shown", "\u200e\u200f\u061c", "\\u200e\\u200f\\u061c"],
  ["zero widths are shown", "\u200b\u200c\u200d\u2060\ufeff\u00ad", "\\u200b\\u200c\\u200d\\u2060\\ufeff\\xad"],
  ["separators of lines and paragraphs are shown", "\u2028\u2029", "\\u2028\\u2029"],
  ["half a surrogate pair is shown", "a\ud83db\udeab", "a\\ud83db\\udeab"],
  ["tags beyond the first plane are shown", "\u{e0041}", "\\u{e0041}"],
  ["letters that render as nothing are shown", "\u3164\u034f\u115f", "\\u3164\\u034f\\u115f"],
];

for (const [name, text, shown] of table) {
  test(name, () => assert.equal(visible(text), shown));
}

test("nothing that a terminal acts on or hides is left, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const char of visible(text)) {
        const point = char.codePointAt(0) ?? 0;
        assert.ok(char === "\n" || point >= 0x20, `a control ${point}`);
        assert.ok(point < 0x7f || point > 0x9f, `DEL or a C1 control ${point}`);
        assert.ok(point < 0xd800 || point > 0xdfff, `half a surrogate pair ${point}`);
        for (const [first, last] of marks) assert.ok(point < first || point > last, `a mark ${point}`);
      }
    }),
  );
});

const marks: readonly (readonly [number, number])[] = [
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x061c, 0x061c],
  [0xfeff, 0xfeff],
];

test("every code unit of the basic plane is either itself or a visible escape of itself", () => {
  for (let unit = 0; unit < 0x10000; unit += 1) {
    const char = String.fromCharCode(unit);
    const shown = visible(char);
    if (shown === char) continue;
    const escape = /^\\[xu]([0-9a-f]+)$/.exec(shown);
    assert.equal(Number.parseInt(escape?.[1] ?? "", 16), unit);
  }
});

test("what must stay on its line shows its line feeds too", () => {
  assert.equal(visibleLine("one\ntwo\x1b"), "one\\x0atwo\\x1b");
});

test("JSON made visible means the same and holds no mark, compact and indented", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom(undefined, 2), (text, indent) => {
      const json = visibleJson(JSON.stringify({ [text]: [text] }, null, indent));
      assert.deepEqual(JSON.parse(json), { [text]: [text] });
      assert.equal(visible(json), json);
    }),
  );
  assert.equal(
    visibleJson(JSON.stringify("\x7f\x9b\u202e\u2028\u{e0041}")),
    '"\\u007f\\u009b\\u202e\\u2028\\udb40\\udc41"',
  );
});
