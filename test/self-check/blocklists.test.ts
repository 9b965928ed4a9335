// The egress's address on DNS blocklists: what a list's answer means (RFC 5782), by a real DNS server in their place.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkBlocklists } from "../../functions/self-check/blocklists.ts";
import { dnsLists } from "../../functions/self-check/dns-lists.ts";
import type { Standing } from "../../functions/self-check/found.ts";
import { blocklists } from "../../functions/verdict/blocklists.ts";
import type { DnsFailure, Zone } from "../route/dns-server.ts";
import { address, address6, assertFound, emptyLists, inZone, optionsFor } from "./setup.ts";

const name4 = "25.2.0.192";
const name6 = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2";

/** What a list answers for our address. */
function says(zone: string, A: readonly string[] | DnsFailure, TXT: readonly string[] = [], name = name4): Zone {
  return { [`${name}.${zone}`]: typeof A === "string" ? A : { A, TXT } };
}

const zen = "zen.spamhaus.org";
const cop = "bl.spamcop.net";
const barracuda = "b.barracudacentral.org";
const all = "Spamhaus ZEN, SpamCop, Barracuda BRBL, PSBL, Mailspike, DroneBL";
const none = Object.assign({}, ...dnsLists.map(({ zone }) => says(zone, "SERVFAIL"))) as Zone;

// prettier-ignore
const rows: readonly (readonly [
  what: string, own: string | null, zone: Zone, standing: Standing, text: RegExp, doing?: RegExp,
])[] = [
  ["on none",                            address, {}, "ok", new RegExp(`^192\\.0\\.2\\.25 is not on ${all}$`)],
  ["of IPv6 on none of those that have it", address6, {}, "ok", /^2001:db8::25 is not on Spamhaus ZEN, DroneBL$/],
  ["NODATA",                             address, says(zen, []), "ok", /is not on Spamhaus ZEN, /],
  ["on SBL",                             address, says(zen, ["127.0.0.2"]), "fault", /^192\.0\.2\.25 is on Spamhaus SBL$/, /^Spamhaus SBL: /],
  ["on CSS",                             address, says(zen, ["127.0.0.3"]), "fault", /is on Spamhaus CSS$/],
  ["on XBL",                             address, says(zen, ["127.0.0.4"]), "fault", /is on Spamhaus XBL$/],
  ["on XBL, as it was",                  address, says(zen, ["127.0.0.7", "127.0.0.4"]), "fault", /is on Spamhaus XBL$/],
  ["on DROP and SBL",                    address, says(zen, ["127.0.0.9", "127.0.0.2"]), "fault", /is on Spamhaus (DROP and Spamhaus SBL|SBL and Spamhaus DROP)$/],
  ["on PBL",                             address, says(zen, ["127.0.0.11"]), "fault", /is on Spamhaus PBL$/, /remove its address from the PBL\.$/],
  ["with a code that nobody knows",      address, says(zen, ["127.0.0.77"]), "fault", /is on Spamhaus ZEN$/],
  ["with the list's words",              address, says(cop, ["127.0.0.2"], ["Blocked - see https://www.spamcop.net/bl.shtml?192.0.2.25"]), "fault", /^192\.0\.2\.25 is on SpamCop \("Blocked - see https:\/\/www\.spamcop\.net\/bl\.shtml\?192\.0\.2\.25"\)$/, /^SpamCop: /],
  ["of IPv6",                            address6, says(zen, ["127.0.0.3"], [], name6), "fault", /^2001:db8::25 is on Spamhaus CSS$/],
  ["on two lists",                       address, { ...says(zen, ["127.0.0.10"]), ...says("psbl.surriel.com", ["127.0.0.2"]) }, "fault", /is on Spamhaus PBL, PSBL$/, /^Spamhaus PBL: .*query=192\.0\.2\.25\) PSBL: .*ip=192\.0\.2\.25\)$/],
  ["on one, and another is silent",      address, { ...says(zen, ["127.0.0.10"]), ...says(cop, "SERVFAIL") }, "fault", /is on Spamhaus PBL; SpamCop gives no answer \(DNS: SERVFAIL/],
  ["on that of registered resolvers",    address, says(barracuda, ["127.0.0.2"]), "fault", /is on Barracuda BRBL$/],
  ["asked by a public resolver",         address, says(zen, ["127.255.255.254"]), "unknown", /is not on SpamCop, .*; zen\.spamhaus\.org does not answer public resolvers \(127\.255\.255\.254\)$/, /^Ask through a resolver of your own/],
  ["asked wrongly",                      address, says(zen, ["127.255.255.252"]), "unknown", /zen\.spamhaus\.org says that it was asked wrongly \(127\.255\.255\.252, a typing error\)$/],
  ["asked too often",                    address, says(zen, ["127.255.255.255"]), "unknown", /was asked too often by this resolver \(127\.255\.255\.255\)$/],
  ["refused in another way",             address, says(zen, ["127.255.255.250"]), "unknown", /refuses to say \(127\.255\.255\.250\)$/],
  ["refused in others' way",             address, says(cop, ["127.0.0.1"]), "unknown", /bl\.spamcop\.net refuses to say \(127\.0\.0\.1\)$/],
  ["refused beside a listing",           address, says(zen, ["127.0.0.2", "127.255.255.254"]), "unknown", /does not answer public resolvers/],
  ["answered by the resolver itself",    address, says(zen, ["198.51.100.7"]), "unknown", /^192.*; the resolver answers 198\.51\.100\.7 for zen\.spamhaus\.org, which no list does$/],
  ["on a list that has everybody",       address, { ...says(cop, ["127.0.0.2"]), ...says(cop, ["127.0.0.2"], [], "1.0.0.127") }, "unknown", /bl\.spamcop\.net has the address that no list may have: it is out of order$/],
  ["of IPv6, on one that has everybody", address6, { ...says(zen, ["127.0.0.2"], [], name6), ...says(zen, ["127.0.0.2"], [], "1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0") }, "unknown", /zen\.spamhaus\.org has the address that no list may have/],
  ["on one that has the test's address", address, { ...says(cop, ["127.0.0.2"]), ...says(cop, ["127.0.0.2"], [], "2.0.0.127") }, "fault", /is on SpamCop$/],
  ["SERVFAIL",                           address, says(zen, "SERVFAIL"), "unknown", /; Spamhaus ZEN gives no answer \(DNS: SERVFAIL for A 25\.2\.0\.192\.zen\.spamhaus\.org/, /^Ask through a resolver of your own/],
  ["REFUSED by two",                     address, { ...says(zen, "REFUSED"), ...says(cop, "REFUSED") }, "unknown", /is not on Barracuda BRBL, PSBL, Mailspike, DroneBL; Spamhaus ZEN, SpamCop give no answer \(DNS: REFUSED/],
  ["not registered with the one",        address, says(barracuda, "REFUSED"), "ok", /is not on .*DroneBL; Barracuda BRBL gives no answer, which registered resolvers alone have$/],
  ["out of order",                       address, { [`2.0.0.127.${cop}`]: "NXDOMAIN" }, "unknown", /; bl\.spamcop\.net has not even the address that every list has \(127\.0\.0\.2\)/],
  ["whose test is not answered",         address, { [`2.0.0.127.${cop}`]: "SERVFAIL" }, "unknown", /; SpamCop gives no answer \(DNS: SERVFAIL for A 2\.0\.0\.127/],
  ["none is there at all",               address, Object.fromEntries(Object.keys(emptyLists).map((name) => [name, "NXDOMAIN"] as const)), "unknown", /^no list says whether it has 192\.0\.2\.25; /],
  ["none answers",                       address, none, "unknown", /^no list says whether it has 192\.0\.2\.25; Spamhaus ZEN, .*DroneBL give no answer/, /^See that the resolver answers/],
  ["an address not known",               null, {}, "unknown", /^blocklists cannot be looked up/, /^Set the egress's address, .*egresses\[\]\.address in the configuration, or --egress/],
  ["a private address",                  "10.0.0.1", {}, "unknown", /^10\.0\.0\.1 is private: no list has it$/, /^Set the public address .*egresses\[\]\.address/],
];

describe("blocklists", () => {
  for (const [what, own, zone, standing, text, doing] of rows) {
    it(`${what}: ${standing}`, async () => {
      const found = await inZone(
        { ...emptyLists, ...zone },
        async (dns) => await checkBlocklists(own, optionsFor(dns)),
      );
      assertFound(found, standing, text, doing);
    });
  }

  it("link to where the address is taken off, and to one page once", async () => {
    const zone = { ...says(zen, ["127.0.0.10", "127.0.0.4"]), ...says(barracuda, "SERVFAIL") };
    const { remedy } = await inZone(zone, async (dns) => await checkBlocklists(address, optionsFor(dns)));
    assert.equal(remedy?.url, "https://check.spamhaus.org/results?query=192.0.2.25");
    assert.ok(!remedy.text.includes("https:"), remedy.text);
    const six = says(zen, ["127.0.0.3"], [], name6);
    const found = await inZone(six, async (dns) => await checkBlocklists(address6, optionsFor(dns)));
    assert.equal(found.remedy?.url, "https://check.spamhaus.org/results?query=2001%3Adb8%3A%3A25");
  });

  it("are not asked about a private address, which is well where those are allowed", async () => {
    await inZone({}, async (dns) => {
      const found = await checkBlocklists("127.0.0.1", optionsFor(dns, { allowPrivate: true }));
      assertFound(found, "ok", /^127\.0\.0\.1 is loopback: no list has it$/);
      assert.deepEqual(dns.queries, []);
    });
  });

  it("that say nothing cost the look-up's limit", async () => {
    const zone = Object.assign({}, ...dnsLists.map(({ zone }) => says(zone, "silent"))) as Zone;
    const found = await inZone(zone, async (dns) => {
      const lookup = { server: dns.server, timeoutMs: 300, families: "both" } as const;
      return await checkBlocklists(address, optionsFor(dns, { lookup }));
    });
    assertFound(found, "unknown", /^no list says whether it has 192\.0\.2\.25; .*no answer within 300 ms/);
  });

  it("have a name and a way off each", () => {
    const ids = dnsLists.flatMap(({ id, codes }) => [id, ...Object.values(codes)]);
    for (const id of ids) assert.ok(blocklists.some((each) => each.id === id && each.lists === "ip" && each.closed === null), id); // prettier-ignore
  });
});
