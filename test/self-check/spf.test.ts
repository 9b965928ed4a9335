// Whether SPF lets the egress send: RFC 7208 as a provider evaluates it, by a real DNS server.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkSpf } from "../../functions/self-check/spf.ts";
import type { Standing } from "../../functions/self-check/found.ts";
import { direct } from "../../functions/route/egress.ts";
import type { Zone } from "../route/dns-server.ts";
import { address, address6, assertFound, goodZone, inZone, optionsFor } from "./setup.ts";

/** The sender's record, and other names. */
const record = (text: string, more: Zone = {}): Zone => ({ ...goodZone, "sender.example": { TXT: [text] }, ...more });
const txt = (name: string, text: string): Zone => ({ [name]: { TXT: [text] } });

/** So many policies that include each other in turn; the last one lets us send. */
function chain(length: number): Zone {
  const links = Array.from({ length }, (_, at): Zone => {
    const next = at + 1 === length ? `ip4:${address}` : `include:c${at + 1}.example`;
    return txt(`c${at}.example`, `v=spf1 ${next} -all`);
  });
  return Object.assign({}, ...links) as Zone;
}

const includes = (count: number): string =>
  Array.from({ length: count }, (_, at) => `include:i${at}.example`).join(" ");
const included = (count: number): Zone =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`i${at}.example`, { TXT: ["v=spf1 ?all"] }]));

// prettier-ignore
const rows: readonly (readonly [
  what: string, own: string | null, zone: Zone, standing: Standing, says: RegExp, doing?: RegExp,
])[] = [
  ["pass by ip4",                  address, goodZone, "ok", /^SPF of sender\.example passes for 192\.0\.2\.25: v=spf1 ip4:192\.0\.2\.25 .*-all$/],
  ["pass by ip6",                  address6, goodZone, "ok", /^SPF of sender\.example passes for 2001:db8::25: /],
  ["pass by a network",            address, record("v=spf1 ip4:192.0.2.0/27 -all"), "ok", /passes/],
  ["pass by a",                    address, record("v=spf1 a:probe.example -all"), "ok", /passes/],
  ["pass by mx",                   address, record("v=spf1 mx:m.example -all", { "m.example": { MX: ["10 probe.example"] } }), "ok", /passes/],
  ["pass by ptr",                  address, record("v=spf1 ptr:probe.example -all"), "ok", /passes/],
  ["pass by a macro",              address, record("v=spf1 exists:%{ir}.ok.%{d} -all", { "25.2.0.192.ok.sender.example": { A: ["127.0.0.2"] } }), "ok", /passes/],
  ["pass by an include",           address, record("v=spf1 include:i.example -all", txt("i.example", `v=spf1 ip4:${address} -all`)), "ok", /passes/],
  ["pass by a redirect",           address, record("v=spf1 redirect=i.example", txt("i.example", `v=spf1 ip4:${address} -all`)), "ok", /passes/],
  ["pass in capitals",             address, record("V=SPF1 IP4:192.0.2.25 -ALL"), "ok", /passes/],
  ["pass with other TXT beside",   address, { "sender.example": { TXT: ["google-site=1", "v=spf10 x", `v=spf1 ip4:${address} -all`] } }, "ok", /passes/],
  ["pass by +all",                 address, record("v=spf1 +all"), "ok", /passes/],
  ["pass by ten look-ups",         address, record("v=spf1 include:c0.example -all", chain(10)), "ok", /passes/],
  ["fail",                         address, record("v=spf1 ip4:192.0.2.24 -all"), "fault", /^SPF of sender\.example does not let 192\.0\.2\.25 send \(fail\): v=spf1 ip4:192\.0\.2\.24 -all$/, /^Add ip4:192\.0\.2\.25 to the record\.$/],
  ["fail of IPv6",                 address6, record(`v=spf1 ip4:${address} -all`), "fault", /does not let 2001:db8::25 send \(fail\)/, /^Add ip6:2001:db8::25 to the record\.$/],
  ["softfail",                     address, record("v=spf1 ip4:192.0.2.24 ~all"), "fault", /send \(softfail\): v=spf1/, /^Add ip4:/],
  ["neutral by ?all",              address, record("v=spf1 ?all"), "fault", /send \(neutral\)/, /^Add ip4:/],
  ["neutral without all",          address, record("v=spf1 ip4:192.0.2.24"), "fault", /send \(neutral\)/],
  ["none: other TXT",              address, record("hello"), "fault", /^sender\.example has no SPF record$/, /^Publish a TXT record at sender\.example: v=spf1 ip4:192\.0\.2\.25 -all$/],
  ["none: no TXT",                 address, { "sender.example": { MX: ["10 mx.sender.example"] } }, "fault", /^sender\.example has no SPF record$/],
  ["none: no such domain",         address, {}, "fault", /^sender\.example has no SPF record$/],
  ["permerror: two records",       address, { "sender.example": { TXT: ["v=spf1 +all", "v=spf1 -all"] } }, "fault", /is broken \(permerror\), .*multiple SPF records/i, /^Mend the record/],
  ["permerror: a word",            address, record("v=spf1 ip4:192.0.2.25.1 -all"), "fault", /is broken \(permerror\)/],
  ["permerror: an include of none", address, record("v=spf1 include:none.example -all"), "fault", /is broken \(permerror\), no SPF records? found for none\.example: v=spf1/i],
  ["permerror: eleven look-ups",   address, record("v=spf1 include:c0.example -all", chain(11)), "fault", /is broken \(permerror\), .*too many DNS/i],
  ["permerror: eleven includes",   address, record(`v=spf1 ${includes(11)} ip4:${address} -all`, included(11)), "fault", /is broken \(permerror\), .*too many DNS/i],
  ["permerror: a circle",          address, record("v=spf1 include:sender.example -all"), "fault", /is broken \(permerror\)/],
  ["permerror: three void look-ups", address, record(`v=spf1 a:n1.example a:n2.example a:n3.example ip4:${address} -all`), "fault", /is broken \(permerror\), .*too many void/i],
  ["permerror: void for our family alone", address, record(`v=spf1 a:n1.example a:n2.example a:n3.example ip4:${address} -all`, Object.fromEntries([1, 2, 3].map((at) => [`n${at}.example`, { AAAA: [address6] }]))), "fault", /is broken \(permerror\), .*too many void/i],
  ["temperror: SERVFAIL",          address, { "sender.example": "SERVFAIL" }, "unknown", /^SPF of sender\.example could not be looked up, DNS: SERVFAIL for TXT sender\.example/, /resolver/],
  ["temperror: REFUSED",           address, { "sender.example": "REFUSED" }, "unknown", /could not be looked up, DNS: REFUSED/],
  ["temperror: in an include",     address, record("v=spf1 include:i.example -all", { "i.example": "SERVFAIL" }), "unknown", /could not be looked up, DNS: SERVFAIL for TXT i\.example .*: v=spf1 include:i\.example -all$/],
  ["temperror: malformed",         address, { "sender.example": "malformed" }, "unknown", /could not be looked up, DNS: a malformed answer/],
  ["an address not known",         null, goodZone, "unknown", /^SPF cannot be looked up/, /^Set the egress's address, .*egresses\[\]\.address in the configuration, or --egress/],
];

describe("SPF", () => {
  for (const [what, own, zone, standing, says, doing] of rows) {
    it(`${what}: ${standing}`, async () => {
      const found = await inZone(zone, async (dns) => await checkSpf("probe.example", own, optionsFor(dns)));
      assertFound(found, standing, says, doing);
    });
  }

  // prettier-ignore
  const identities: readonly (readonly [
    what: string, from: string, helo: string | null, zone: Zone, standing: Standing, says: RegExp,
  ])[] = [
    ["of the null sender is the EHLO name's", "", "probe.example", goodZone, "ok", /^SPF of probe\.example passes/],
    ["of the null sender, none",              "", "mx.example", goodZone, "fault", /^mx\.example has no SPF record$/],
    ["of nobody",                             "", null, goodZone, "unknown", /^SPF has no domain to be looked up for$/],
    ["of an address literal in EHLO",         "", "[192.0.2.25]", goodZone, "unknown", /^SPF has no domain to be looked up for$/],
    ["of a sender at an address literal",     "a@[192.0.2.25]", "probe.example", goodZone, "unknown", /^SPF has no domain/],
    ["of no address",                         "nobody", "probe.example", goodZone, "unknown", /^SPF has no domain/],
    ["of a sender without an EHLO name",      "a@sender.example", null, goodZone, "ok", /^SPF of sender\.example passes/],
    ["of a domain beyond ASCII",              "a@bücher.example", "probe.example", txt("xn--bcher-kva.example", "v=spf1 -all"), "fault", /^SPF of xn--bcher-kva\.example does not let/],
    ["of the sender alone, by its local part", '"a b"@sender.example', "probe.example", record("v=spf1 exists:%{l}.%{d} -all"), "fault", /\((?:fail|permerror)\)/],
  ];
  for (const [what, from, helo, zone, standing, says] of identities) {
    it(`${what}: ${standing}`, async () => {
      const found = await inZone(zone, async (dns) => await checkSpf(helo, address, optionsFor(dns, { from })));
      assertFound(found, standing, says);
    });
  }

  it("asks no look-up more than the limit, and nobody but the resolver that is given", async () => {
    const zone = record("v=spf1 include:c0.example -all", chain(40));
    const queries = await inZone(zone, async (dns) => {
      await checkSpf("probe.example", address, optionsFor(dns));
      return dns.queries;
    });
    assert.deepEqual([queries.length, queries.at(-1)], [11, "udp TXT c9.example"]);
  });

  it("ends when nobody answers, and cuts what it quotes", async () => {
    const silent = await inZone({ "sender.example": "silent" }, async (dns) => {
      const options = optionsFor(dns, { lookup: { server: dns.server, timeoutMs: 300, families: "both" } });
      return await checkSpf("probe.example", address, { ...options, egress: direct });
    });
    assertFound(silent, "unknown", /could not be looked up, DNS: no answer within 300 ms for TXT sender\.example/);
    const long = await inZone(record(`v=spf1 ${"ip4:192.0.2.1 ".repeat(15)}?all`), async (dns) => {
      return await checkSpf("probe.example", address, optionsFor(dns));
    });
    assert.ok(long.text.length < 400, long.text);
  });
});
