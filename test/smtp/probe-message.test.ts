// Our own message: what every receiver may expect of one, and nothing that could stand in the way of it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isEightBit, normalise } from "../../functions/smtp/message.ts";
import { probeMessage } from "../../functions/smtp/probe-message.ts";

const now = new Date("2026-03-04T05:06:07.890Z");
const message = probeMessage("probe@sender.example", ["a@mx.example", "b@mx.example"], "sender.example", now);
const text = message.toString("latin1");
const [head = "", body = ""] = text.split("\r\n\r\n");
/** Unfolded (RFC 5322 §2.2.3). */
const fields = head.replaceAll(/\r\n(?=[ \t])/g, "").split("\r\n");

describe("our own message", () => {
  const expected: readonly (readonly [name: string, value: RegExp])[] = [
    ["Date", /^Wed, 0?4 Mar 2026 05:06:07 \+0000$/],
    ["Message-ID", /^<[\w-]{20,}@sender\.example>$/],
    ["From", /^<probe@sender\.example>$/],
    ["To", /^<a@mx\.example>, *<b@mx\.example>$/],
    ["Subject", /^[ -~]+$/],
    ["Auto-Submitted", /^auto-generated$/],
  ];
  for (const [name, value] of expected) {
    it(`has one ${name}`, () => {
      const found = fields.filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`));
      assert.equal(found.length, 1);
      assert.match(found[0]?.slice(name.length + 2) ?? "", value);
    });
  }

  it("has no field twice, and no field without a value", () => {
    const names = fields.map((field) => /^([!-9;-~]+): \S/.exec(field)?.[1]?.toLowerCase());
    assert.ok(!names.includes(undefined));
    assert.equal(new Set(names).size, names.length);
  });

  it("is 7-bit, in short lines that end by CRLF", () => {
    assert.equal(isEightBit(message), false);
    assert.deepEqual(normalise(message), message);
    assert.doesNotMatch(text, /[^\r\n -~]/);
    // RFC 5322 §2.1.1.
    assert.ok(text.split("\r\n").every((line) => line.length <= 998));
    assert.ok(text.endsWith("\r\n") && message.length < 2_000);
  });

  it("has a body, without a line that begins with a dot", () => {
    assert.match(body, /^\w/);
    assert.doesNotMatch(text, /^\./m);
  });

  it("is constant but for its ID", () => {
    const again = probeMessage("probe@sender.example", ["a@mx.example", "b@mx.example"], "sender.example", now);
    const withoutId = (each: Buffer): string => each.toString("latin1").replace(/^Message-ID: .*$/m, "");
    assert.equal(withoutId(again), withoutId(message));
    assert.notDeepEqual(again, message);
  });

  it("names a hundred recipients in lines that stay short", () => {
    const many = Array.from({ length: 100 }, (_, index) => `user${index}@mx.example`);
    const lines = probeMessage("probe@sender.example", many, "sender.example", now).toString("latin1").split("\r\n");
    assert.ok(lines.every((line) => line.length <= 998));
    assert.ok(many.every((each) => lines.some((line) => line.includes(`<${each}>`))));
  });
});
