// Names and passwords at the edges of what a proxy's protocol carries.
import assert from "node:assert/strict";
import { test } from "node:test";
import { credentialFaults } from "../../functions/smtp/proxy-credentials.ts";

for (const [type, username, password, fields] of [
  ["socks5", "us", null, []],
  ["socks5", "u:s", "p\n", []],
  ["socks5", "u".repeat(255), "p".repeat(255), []],
  ["socks5", "u".repeat(256), "p", ["username"]],
  ["socks5", "é".repeat(128), "p", ["username"]],
  ["socks5", "us", "", ["password"]],
  ["http-connect", "us", "p:w", []],
  ["http-connect", "u:s", null, ["username"]],
  ["http-connect", "us", "p\r\n", ["password"]],
  ["http-connect", "u\x7f", "p\0", ["username", "password"]],
  ["http-connect", "u".repeat(256), "p".repeat(256), []],
] as const) {
  const shown = [username, password].map((each) => JSON.stringify(each)?.slice(0, 12)).join(" and ");
  test(`${type} ${fields.length === 0 ? "carries" : `does not carry the ${fields.join(" nor the ")} of`} ${shown}`, () => {
    assert.deepEqual(
      credentialFaults(type, { username, password }).map(({ field }) => field),
      fields,
    );
  });
}
