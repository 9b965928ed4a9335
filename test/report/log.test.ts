// A line of the log: one JSON object, whatever a host said, and no longer than collectors take.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { entryText, faultText } from "../../functions/report/log.ts";
import { visible } from "../../functions/verdict/visible.ts";

const time = new Date("2026-11-24T12:00:00Z");
const limit = 200_000;

test("an entry is one line of JSON with its time first", () => {
  assert.equal(
    entryText({ level: "info", event: "scheduled", sent: 3, slot: null }, time),
    '{"time":"2026-11-24T12:00:00.000Z","level":"info","event":"scheduled","sent":3,"slot":null}',
  );
});

test("what a host said moves no cursor, and means the same", () => {
  const text = "550 \x1b[2J\u202eblocked\u2028\x9b\r\n250 ok";
  const line = entryText({ level: "warn", event: "verdict", text }, time);
  assert.ok(line.includes('"550 \\u001b[2J\\u202eblocked\\u2028\\u009b\\r\\n250 ok"'), line);
  assert.equal((JSON.parse(line) as { text: string }).text, text);
});

describe("what is longer than collectors take", () => {
  it("has its long fields cut, and says so", () => {
    const line = entryText({ level: "warn", event: "verdict", dialog: "x".repeat(limit), id: "a" }, time);
    const { dialog, ...rest } = JSON.parse(line) as { dialog: string };
    assert.deepEqual(rest, { time: time.toISOString(), level: "warn", event: "verdict", id: "a", cut: true });
    assert.equal(dialog, `${"x".repeat(20_000)}… (200000 characters)`);
  });

  it("is its head alone where that is not enough", () => {
    const line = entryText({ level: "error", event: "x", faults: Array.from({ length: 60_000 }, () => "why") }, time);
    assert.deepEqual(JSON.parse(line), { time: time.toISOString(), level: "error", event: "x", cut: true });
  });

  it("is measured as it is written: what is made visible grows", () => {
    const line = entryText({ level: "warn", event: "x", text: "\u202e".repeat(limit / 5) }, time);
    assert.ok(line.length <= limit);
    assert.equal((JSON.parse(line) as { cut: boolean }).cut, true);
  });

  it("is left whole as long as it fits", () => {
    const line = entryText({ level: "info", event: "x", text: "x".repeat(limit - 100) }, time);
    assert.ok(!line.includes('"cut"'));
  });
});

test("whatever an entry holds, its line is JSON, one line, visible and bounded", () => {
  const fields = fc.dictionary(
    fc.string({ unit: "binary", minLength: 1 }),
    fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue(), fc.constant("é\u202e".repeat(40_000))),
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fields, (fields) => {
      const line = entryText({ ...fields, level: "info", event: "x" }, time);
      assert.ok(line.length <= limit);
      assert.ok(!line.includes("\n"));
      assert.equal(visible(line), line);
      assert.equal((JSON.parse(line) as { event: string }).event, "x");
    }),
    { numRuns: 50 },
  );
});

for (const [name, error, text] of [
  ["an error", new TypeError("no such thing"), "TypeError: no such thing"],
  ["an error with its cause", new Error("fetch failed", { cause: new Error("ECONNREFUSED") }), "Error: fetch failed (ECONNREFUSED)"], // prettier-ignore
  ["a cause that is no error", new Error("no", { cause: 5 }), "Error: no"],
  ["a text", "no", "no"],
  ["nothing", undefined, "undefined"],
] as const) {
  test(`a fault that is ${name} is told in a line`, () => assert.equal(faultText(error), text));
}
