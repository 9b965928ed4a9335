// A mail host as people write it, in a table.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseHost } from "../../functions/config/host.ts";

for (const [text, expected] of [
  ["mx.example", { name: "mx.example", port: 25 }],
  ["mx.example.", { name: "mx.example", port: 25 }],
  ["mx.example:2525", { name: "mx.example", port: 2_525 }],
  ["Bücher.example", { name: "xn--bcher-kva.example", port: 25 }],
  ["192.0.2.1", { name: "192.0.2.1", port: 25 }],
  ["192.0.2.1:26", { name: "192.0.2.1", port: 26 }],
  ["[2001:db8::1]", { name: "2001:db8::1", port: 25 }],
  ["[2001:db8::1]:26", { name: "2001:db8::1", port: 26 }],
  ["", null],
  [":25", null],
  ["mx.example:", null],
  ["mx.example:0", null],
  ["mx.example:65536", null],
  ["mx.example:25:25", null],
  ["2001:db8::1", null],
  ["[192.0.2.1]", null],
  ["[mx.example]", null],
  ["mx example", null],
  ["mx.example/a", null],
  ["user@mx.example", null],
  ["mx\r\nQUIT", null],
] as const) {
  test(`${JSON.stringify(text)} is ${expected === null ? "no host" : `${expected.name}, port ${expected.port}`}`, () => {
    assert.deepEqual(parseHost(text), expected);
  });
}

test("whatever is written, a host is null or a name and a port that can be dialled", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.webAuthority({ withPort: true })), (text) => {
      const host = parseHost(text);
      if (host === null) return;
      assert.match(host.name, /^[\w.:-]+$/);
      assert.ok(host.port >= 1 && host.port <= 65_535);
    }),
  );
});
