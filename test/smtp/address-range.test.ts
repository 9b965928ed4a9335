import assert from "node:assert/strict";
import { isIPv6 } from "node:net";
import { suite, test } from "node:test";
import fc from "fast-check";
import { specialRange } from "../../functions/smtp/address-range.ts";

suite("ranges, at both their ends", () => {
  // prettier-ignore
  const cases: readonly (readonly [name: string, ...addresses: string[]])[] = [
    ["metadata",        "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "FD00:0EC2:0:0::254", "fd00:ec2::254%eth0", "fd20:ce::254"],
    ["unspecified",     "0.0.0.0", "0.255.255.255", "::", "0:0:0:0:0:0:0:0"],
    ["private",         "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
    ["shared (CGNAT)",  "100.64.0.0", "100.127.255.255"],
    ["loopback",        "127.0.0.0", "127.0.0.1", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1", "::0.0.0.1", "::1%lo"],
    ["link-local",      "169.254.0.0", "169.254.255.255", "fe80::", "fe80::1%eth0", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["documentation",   "192.0.2.0", "192.0.2.255", "198.51.100.7", "203.0.113.255", "2001:db8::1", "2001:DB8:ffff::1", "3fff::", "3fff:fff::1"],
    ["benchmarking",    "198.18.0.0", "198.19.255.255", "2001:2::1"],
    ["multicast",       "224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "ff02::1%lo"],
    ["reserved",        "240.0.0.0", "255.255.255.254", "4000::", "1fff:ffff::1", "5f00::1", "e000::1", "200::1"],
    ["broadcast",       "255.255.255.255"],
    ["IETF protocols",  "192.0.0.0", "192.0.0.255", "2001:10::1", "2001:20::1", "2001:1ff:ffff::1"],
    ["6to4",            "192.88.99.1", "2002::", "2002:7f00:1::1", "2002:808:808::1", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["IPv4-mapped",     "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "::FFFF:0:0", "0:0:0:0:0:ffff:10.0.0.1", "::ffff:10.0.0.1", "::FFFF:10.0.0.1", "::ffff:a00:1", "0:0:0:0:0:ffff:a00:1", "0000:0000:0000:0000:0000:ffff:0a00:0001", "::0:ffff:a00:1", "::ffff:10.0.0.1%eth0"],
    ["IPv4-compatible", "::127.0.0.1", "::2", "::8.8.8.8"],
    ["IPv4-translated", "::ffff:0:127.0.0.1"],
    ["NAT64",           "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::a00:1", "64:ff9b::169.254.169.254", "64:ff9b::8.8.8.8", "64:ff9b::808:808", "64:ff9b::ffff:ffff", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
    ["discard-only",    "100::1"],
    ["Teredo",          "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["unique local",    "fc00::", "fd00::2", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["site-local",      "fec0::1"],
    ["not an IP address", "127.1", "10.1", "127.0.1", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "017700000001", "010.0.0.1", "08.8.8.8", "8.8.8.08", "2130706433", "0"],
    ["not an IP address", "256.0.0.1", "8.8.8.8.8", "8.8.8.", ".8.8.8.8", "8.8.8.8/32", "8.8.8.8%", "8.8.8.8%eth0", "٨.8.8.8", "8。8。8。8"],
    ["not an IP address", "::ffff:010.0.0.1", "::ffff:0x0a.0.0.1", "::ffff:10.1", "::ffff:167772161", "2a00::1::1", "2a00:1450", "%", "%eth0"],
    ["not an IP address", "", "example.com", "127.0.0.1%lo", "[::1]", "127.0.0.1:25", " 127.0.0.1", "127.0.0.1\n"],
  ];
  for (const [name, ...addresses] of cases) {
    for (const address of addresses)
      test(`${JSON.stringify(address)}: ${name}`, () => assert.equal(specialRange(address), name));
  }
});

suite("addresses of mail hosts, and the neighbours of each range", () => {
  for (const address of [
    "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "17.57.155.25", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255",
    "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "2000::1",
    "2001:200::1", "2001:db7:ffff::1", "2001:db9::1", "2001:4860:4860::8888", "2003::1", "2a00:1450:4013:c00::1a", "3ffe:ffff::1", "3fff:1000::1",
  ]) test(address, () => assert.equal(specialRange(address), null)); // prettier-ignore
});

/** The forms of an IPv6 address that carry an IPv4 one, given as its two halves. */
const carriers: readonly (readonly [name: string, carry: (high: number, low: number) => readonly number[]])[] = [
  ["IPv4-mapped", (high, low) => [0, 0, 0, 0, 0, 0xffff, high, low]],
  ["IPv4-compatible", (high, low) => [0, 0, 0, 0, 0, 0, high, low]],
  ["IPv4-translated", (high, low) => [0, 0, 0, 0, 0xffff, 0, high, low]],
  ["NAT64", (high, low) => [0x64, 0xff9b, 0, 0, 0, 0, high, low]],
  ["NAT64, a local prefix of 48 bits", (high, low) => [0x64, 0xff9b, 1, high, low >> 8, (low & 0xff) << 8, 0, 0]],
  ["NAT64, a local prefix of 96 bits", (high, low) => [0x64, 0xff9b, 1, 0xfffe, 0, 0, high, low]],
  ["6to4", (high, low) => [0x2002, high, low, 0, 0, 0, 0, 1]],
  ["Teredo's server", (high, low) => [0x2001, 0, high, low, 0, 0, 0, 0]],
  ["Teredo's client", (high, low) => [0x2001, 0, 0, 0, 0, 0, high ^ 0xffff, low ^ 0xffff]],
  ["ISATAP", (high, low) => [0xfe80, 0, 0, 0, 0, 0x5efe, high, low]],
];

/** RFC 4291 §2.2: in full, with leading zeros and capitals, with zeros left out, with its end as IPv4, with a zone. */
function spellings(groups: readonly number[]): readonly string[] {
  const full = groups.map((each) => each.toString(16)).join(":");
  const padded = groups.map((each) => each.toString(16).padStart(4, "0").toUpperCase()).join(":");
  const end = groups.slice(6).flatMap((each) => [each >> 8, each & 0xff]);
  const dotted = `${full.split(":").slice(0, 6).join(":")}:${end.join(".")}`;
  const short = (text: string): string => text.replace(/(?:^|:)0(?::0)+(?=:|$)(?::|$)/, "::");
  return [full, padded, dotted, short(full), short(dotted), `${short(full)}%eth0`];
}

suite("whatever the address", () => {
  for (const [name, carry] of carriers) {
    test(`an IPv4 address inside an IPv6 one is never let through, and its spelling changes nothing: ${name}`, () => {
      fc.assert(
        fc.property(fc.ipV4(), (address) => {
          const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
          const all = spellings(carry(a * 256 + b, c * 256 + d));
          assert.deepEqual(all.map(isIPv6), all.map(() => true), all.join(" ")); // prettier-ignore
          const found = new Set(all.map(specialRange));
          assert.equal(found.size, 1, all.join(" "));
          assert.ok(!found.has(null), all.join(" "));
        }),
      );
    });

    test(`a special IPv4 address stays one inside an IPv6 one: ${name}`, () => {
      const special = fc
        .tuple(fc.constantFrom("10", "127", "169.254", "172.16", "192.168", "224.0", "100.64", "192.0.2"), fc.ipV4())
        .map(([start, rest]) => [...start.split("."), ...rest.split(".")].slice(0, 4).map(Number));
      fc.assert(
        fc.property(special, ([a = 0, b = 0, c = 0, d = 0]) => {
          assert.notEqual(specialRange([a, b, c, d].join(".")), null);
          for (const each of spellings(carry(a * 256 + b, c * 256 + d)))
            assert.notEqual(specialRange(each), null, each);
        }),
      );
    });
  }

  test("IPv6: what is not in 2000::/3 is refused, and upper case, zeros and a zone change nothing", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        assert.ok(isIPv6(address));
        const range = specialRange(address);
        assert.equal(specialRange(address.toUpperCase()), range);
        assert.equal(specialRange(`${address}%eth0`), range);
        const first = parseInt(address.startsWith(":") ? "0" : address, 16);
        if (first < 0x2000 || first > 0x3fff) assert.notEqual(range, null);
      }),
      { numRuns: 1_000 },
    );
  });

  test("any text: a name or null", () => {
    fc.assert(fc.property(fc.string(), (text) => assert.notEqual(specialRange(`${text}x`), null)));
  });
});
