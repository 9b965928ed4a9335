import assert from "node:assert/strict";
import { isIPv6 } from "node:net";
import { suite, test } from "node:test";
import fc from "fast-check";
import { guarded } from "../../functions/route/guard.ts";

suite("ranges, at both their ends", () => {
  // prettier-ignore
  const cases: readonly (readonly [name: string, ...addresses: string[]])[] = [
    ["metadata",        "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"],
    ["unspecified",     "0.0.0.0", "0.255.255.255", "::", "0:0:0:0:0:0:0:0"],
    ["private",         "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
    ["shared (CGNAT)",  "100.64.0.0", "100.127.255.255"],
    ["loopback",        "127.0.0.0", "127.0.0.1", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1"],
    ["link-local",      "169.254.0.0", "169.254.255.255", "fe80::", "fe80::1%eth0", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["documentation",   "192.0.2.0", "192.0.2.255", "198.51.100.7", "203.0.113.255", "2001:db8::1", "2001:DB8:ffff::1", "3fff::", "3fff:fff::1"],
    ["benchmarking",    "198.18.0.0", "198.19.255.255", "2001:2::1"],
    ["multicast",       "224.0.0.0", "239.255.255.255", "ff00::", "ff02::1"],
    ["reserved",        "240.0.0.0", "255.255.255.254", "4000::", "1fff:ffff::1", "5f00::1", "e000::1", "200::1"],
    ["broadcast",       "255.255.255.255"],
    ["IETF protocols",  "192.0.0.0", "192.0.0.255", "2001:10::1", "2001:20::1", "2001:1ff:ffff::1"],
    ["6to4",            "192.88.99.1", "2002::", "2002:7f00:1::1", "2002:808:808::1", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["IPv4-mapped",     "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "::FFFF:0:0", "0:0:0:0:0:ffff:10.0.0.1"],
    ["IPv4-compatible", "::127.0.0.1", "::2", "::8.8.8.8"],
    ["IPv4-translated", "::ffff:0:127.0.0.1"],
    ["NAT64",           "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b::ffff:ffff", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
    ["discard-only",    "100::1"],
    ["Teredo",          "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["unique local",    "fc00::", "fd00::2", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["site-local",      "fec0::1"],
    ["not an IP address", "", "example.com", "127.1", "0x7f.0.0.1", "127.0.0.1%lo", "[::1]", "127.0.0.1:25", " 127.0.0.1", "127.0.0.1\n", "2130706433"],
  ];
  for (const [name, ...addresses] of cases) {
    for (const address of addresses)
      test(`${JSON.stringify(address)}: ${name}`, () => assert.equal(guarded(address), name));
  }
});

suite("addresses of mail hosts, and the neighbours of each range", () => {
  for (const address of [
    "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "17.57.155.25", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255",
    "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "2000::1",
    "2001:200::1", "2001:db7:ffff::1", "2001:db9::1", "2001:4860:4860::8888", "2003::1", "2a00:1450:4013:c00::1a", "3ffe:ffff::1", "3fff:1000::1",
  ]) test(address, () => assert.equal(guarded(address), null)); // prettier-ignore
});

suite("whatever the address", () => {
  test("an IPv4 address inside an IPv6 one is never let through, and its spelling changes nothing", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom("::ffff:", "::", "64:ff9b::", "::ffff:0:"), (address, prefix) => {
        assert.notEqual(guarded(prefix + address), null);
        const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
        const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
        assert.equal(guarded(prefix + hex), guarded(prefix + address));
        assert.equal(guarded(`2002:${hex}::1`), "6to4");
      }),
    );
  });

  test("IPv6: what is not in 2000::/3 is refused, and upper case, zeros and a zone change nothing", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        assert.ok(isIPv6(address));
        const range = guarded(address);
        assert.equal(guarded(address.toUpperCase()), range);
        assert.equal(guarded(`${address}%eth0`), range);
        const first = parseInt(address.startsWith(":") ? "0" : address, 16);
        if (first < 0x2000 || first > 0x3fff) assert.notEqual(range, null);
      }),
      { numRuns: 1_000 },
    );
  });

  test("any text: a name or null", () => {
    fc.assert(fc.property(fc.string(), (text) => assert.notEqual(guarded(`${text}x`), null)));
  });
});
