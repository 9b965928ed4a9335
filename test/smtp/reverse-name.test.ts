// Addresses as DNS has them in names: a table, and what holds of every address.
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { canonical, groups } from "../../functions/smtp/ip-address.ts";
import { reversed, reverseName } from "../../functions/smtp/reverse-name.ts";
import { serveDns } from "../route/dns-server.ts";

const zeros = (count: number): string => "0.".repeat(count);

const rows: readonly (readonly [address: string, name: string])[] = [
  ["203.0.113.7", "7.113.0.203.in-addr.arpa"],
  ["0.0.0.0", "0.0.0.0.in-addr.arpa"],
  ["2001:DB8::25", `5.2.${zeros(22)}8.b.d.0.1.0.0.2.ip6.arpa`],
  ["2001:0db8:0:0:0:0:0:0025", `5.2.${zeros(22)}8.b.d.0.1.0.0.2.ip6.arpa`],
  ["::", `${zeros(32)}ip6.arpa`],
  ["::1", `1.${zeros(31)}ip6.arpa`],
  ["1::", `${zeros(28)}1.0.0.0.ip6.arpa`],
  // RFC 5782 §5 writes it so.
  ["::ffff:127.0.0.1", `1.0.0.0.0.0.f.7.f.f.f.f.${zeros(20)}ip6.arpa`],
  ["::FFFF:7F00:1", `1.0.0.0.0.0.f.7.f.f.f.f.${zeros(20)}ip6.arpa`],
  ["fe80::1%eth0", `1.${zeros(28)}8.e.f.ip6.arpa`],
];

for (const [address, name] of rows) {
  test(`the names of ${address} are at ${name}`, () => {
    assert.equal(reverseName(address), name);
    assert.equal(`${reversed(address)}.${isIPv6(address) ? "ip6" : "in-addr"}.arpa`, name);
  });
}

test("of every address all spellings have one name, from which the address can be read again", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const labels = reversed(address).split(".");
      assert.equal(labels.length, isIPv4(address) ? 4 : 32);
      const forward = labels.toReversed();
      const again = isIPv4(address)
        ? forward.join(".")
        : Array.from({ length: 8 }, (_, at) => forward.slice(at * 4, at * 4 + 4).join("")).join(":");
      assert.equal(canonical(again), canonical(address));
      assert.equal(reverseName(again), reverseName(address));
      if (isIPv6(address)) assert.equal(groups(address).join(":"), again);
    }),
  );
});

test("Node's own resolver asks for the same names", async () => {
  const dns = await serveDns({});
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([dns.server]);
  const addresses = fc.sample(fc.oneof(fc.ipV4(), fc.ipV6()), { numRuns: 50, seed: 7 });
  for (const address of addresses) await assert.rejects(resolver.reverse(address), { code: "ENOTFOUND" });
  await dns.close();
  assert.deepEqual(dns.queries, addresses.map((each) => `udp PTR ${reverseName(each)}`)); // prettier-ignore
});
