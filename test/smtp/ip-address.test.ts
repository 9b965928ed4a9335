// An address as text: tables of its spelling and family, and what holds of every address.
import assert from "node:assert/strict";
import { isIPv4, SocketAddress } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isHelo } from "../../functions/smtp/address.ts";
import {
  canonical,
  familyOf,
  groups,
  hostAndPort,
  isSameFamily,
  literalOf,
  readLiteral,
} from "../../functions/smtp/ip-address.ts";

// prettier-ignore
const rows: readonly (readonly [address: string, spelling: string, family: "4" | "6", literal: string])[] = [
  ["192.0.2.1",                               "192.0.2.1",         "4", "[192.0.2.1]"],
  ["0.0.0.0",                                 "0.0.0.0",           "4", "[0.0.0.0]"],
  ["::",                                      "::",                "6", "[IPv6:::]"],
  ["1::",                                     "1::",               "6", "[IPv6:1::]"],
  ["2001:DB8:0:0:0:0:0:0025",                 "2001:db8::25",      "6", "[IPv6:2001:db8::25]"],
  // RFC 5952 §4.2.2 and §4.2.3: never one group alone, the longest run, the first of two.
  ["2001:db8:0:1:1:1:1:1",                    "2001:db8:0:1:1:1:1:1", "6", "[IPv6:2001:db8:0:1:1:1:1:1]"],
  ["2001:0:0:1:0:0:0:1",                      "2001:0:0:1::1",     "6", "[IPv6:2001:0:0:1::1]"],
  ["2001:db8:0:0:1:0:0:1",                    "2001:db8::1:0:0:1", "6", "[IPv6:2001:db8::1:0:0:1]"],
  ["fe80::1%eth0",                            "fe80::1",           "6", "[IPv6:fe80::1]"],
  ["::FFFF:192.0.2.1",                        "192.0.2.1",         "4", "[192.0.2.1]"],
  ["0:0:0:0:0:ffff:c000:201",                 "192.0.2.1",         "4", "[192.0.2.1]"],
  ["::ffff:0:0",                              "0.0.0.0",           "4", "[0.0.0.0]"],
  ["::ffff:192.0.2.1%eth0",                   "192.0.2.1",         "4", "[192.0.2.1]"],
  // These carry an IPv4 address too, and are IPv6 on the wire.
  ["::192.0.2.1",                             "::c000:201",        "6", "[IPv6:::c000:201]"],
  ["::ffff:0:192.0.2.1",                      "::ffff:0:c000:201", "6", "[IPv6:::ffff:0:c000:201]"],
  ["64:ff9b::192.0.2.1",                      "64:ff9b::c000:201", "6", "[IPv6:64:ff9b::c000:201]"],
];

for (const [address, spelling, family, literal] of rows) {
  test(`${address} is ${spelling}, of IPv${family}, in EHLO ${literal}`, () => {
    assert.equal(canonical(address), spelling);
    assert.equal(familyOf(address), family);
    assert.equal(literalOf(address), literal);
  });
}

test("what is no address has no other spelling", () => {
  for (const text of [
    "",
    "MX.example",
    "192.0.2.256",
    "192.0.2.025",
    "192.0.2.1%eth0",
    "[192.0.2.1]",
    "2001:DB8::1::1",
  ])
    assert.equal(canonical(text), text);
});

test("two are of one family, or one of them is not known", () => {
  assert.ok(isSameFamily("192.0.2.1", "198.51.100.7"));
  assert.ok(isSameFamily("2001:db8::1", "fe80::1%eth0"));
  assert.ok(isSameFamily("::ffff:192.0.2.1", "198.51.100.7"));
  assert.ok(!isSameFamily("192.0.2.1", "2001:db8::1"));
  assert.ok(!isSameFamily("::ffff:192.0.2.1", "2001:db8::1"));
  for (const address of ["192.0.2.1", "2001:db8::1", null]) {
    assert.ok(isSameFamily(address, null));
    assert.ok(isSameFamily(null, address));
  }
});

test("only IPv6 stands in brackets before a port, as it is spelt", () => {
  assert.equal(hostAndPort("mx.example", 25), "mx.example:25");
  assert.equal(hostAndPort("192.0.2.1", 25), "192.0.2.1:25");
  assert.equal(hostAndPort("2001:DB8::1", 25), "[2001:DB8::1]:25");
  assert.equal(hostAndPort("fe80::1%eth0", 53), "[fe80::1%eth0]:53");
});

// prettier-ignore
const literals: readonly (readonly [text: string, address: string | null])[] = [
  ["[192.0.2.1]",              "192.0.2.1"],
  ["[IPv6:2001:DB8::1]",       "2001:DB8::1"],
  ["[ipv6:2001:db8::1]",       "2001:db8::1"],
  ["[2001:db8::1]",            "2001:db8::1"],
  ["[IPv6:::ffff:192.0.2.1]",  "::ffff:192.0.2.1"],
  ["[192.0.2.256]",            null],
  ["[mx.example]",             null],
  ["[x-tag:content]",          null],
  ["[]",                       null],
  ["[IPv6:]",                  null],
  ["192.0.2.1",                null],
  ["[192.0.2.1",               null],
  ["[192.0.2.1]:25",           null],
  ["",                         null],
];

for (const [text, address] of literals) {
  test(`${JSON.stringify(text)} holds ${address ?? "no address"}`, () => assert.equal(readLiteral(text), address));
}

const addresses = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4().map((each) => `::ffff:${each}`),
);

test("all spellings of an address become one, which Node takes for the same address", () => {
  fc.assert(
    fc.property(addresses, fc.boolean(), (address, isUpper) => {
      const one = canonical(address);
      assert.equal(canonical(isUpper ? address.toUpperCase() : address.toLowerCase()), one);
      assert.equal(canonical(one), one);
      assert.equal(familyOf(one), familyOf(address));
      if (isIPv4(address)) return assert.equal(one, address);
      const spelt = groups(address).join(":");
      assert.equal(canonical(spelt), one);
      assert.match(spelt, /^[\da-f]{4}(?::[\da-f]{4}){7}$/);
      assert.equal(inNode(spelt), inNode(address));
      assert.equal(inNode(isIPv4(one) ? `::ffff:${one}` : one), inNode(address));
    }),
  );
});

test("every address has a literal, which EHLO may say and which reads as the address", () => {
  fc.assert(
    fc.property(addresses, (address) => {
      assert.ok(isHelo(literalOf(address)));
      assert.equal(readLiteral(literalOf(address)), canonical(address));
    }),
  );
});

test("no text throws, and what is read of a literal is an address", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      canonical(text);
      familyOf(text);
      const read = readLiteral(`[${text}]`);
      if (read !== null) assert.ok(isHelo(literalOf(read)));
    }),
  );
});

function inNode(address: string): string {
  return new SocketAddress({ address, family: "ipv6" }).address;
}
