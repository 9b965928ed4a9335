// The address's name and back (forward-confirmed), by a real DNS server.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkReverseDns } from "../../functions/self-check/reverse-dns.ts";
import type { Standing } from "../../functions/self-check/found.ts";
import type { Records, Zone } from "../route/dns-server.ts";
import { address, address6, assertFound, goodZone, inZone, optionsFor } from "./setup.ts";

/** The address's names, and where each of some leads. */
function named(PTR: Records["PTR"], more: Zone = {}, own = address): Zone {
  const reverse = Object.keys(goodZone).find((name) => name.endsWith(own === address ? "in-addr.arpa" : "ip6.arpa"));
  return { ...goodZone, [reverse ?? ""]: PTR === undefined ? {} : { PTR }, ...more };
}

const itself = (name: string, own = address): Zone => ({ [name]: own === address ? { A: [own] } : { AAAA: [own] } });
const generic = /looks like a name given to every address of a network/;

// prettier-ignore
const rows: readonly (readonly [
  what: string, own: string | null, zone: Zone, standing: Standing, says: RegExp, doing?: RegExp,
])[] = [
  ["its name leads back",            address, goodZone, "ok", /^192\.0\.2\.25 is probe\.example, which leads back to it$/],
  ["IPv6 too",                       address6, goodZone, "ok", /^2001:db8::25 is probe\.example, which leads back to it$/],
  ["in capitals, with a dot",        address, named(["Probe.EXAMPLE."]), "ok", /is probe\.example, which leads back to it$/],
  ["none",                           address, {}, "fault", /^192\.0\.2\.25 has no PTR record$/, /set its PTR record to probe\.example, which must lead back to 192\.0\.2\.25;/],
  ["none of IPv6",                   address6, {}, "fault", /^2001:db8::25 has no PTR record$/],
  ["no such record",                 address, named([]), "fault", /has no PTR record$/],
  ["one that leads elsewhere",       address, named(["a.example"], { "a.example": { A: ["192.0.2.24"] } }), "fault", /is a\.example by its PTR record, which does not lead back to it$/],
  ["one that leads nowhere",         address, named(["a.example"]), "fault", /is a\.example by its PTR record, which does not lead back to it$/],
  ["one of the other family alone",  address, named(["a.example"], itself("a.example", address6)), "fault", /does not lead back/],
  ["several, one leads back",        address, named(["a.example", "probe.example"]), "ok", /is probe\.example, which leads back to it$/],
  ["several, all lead back",         address, named(["a.example", "b.example"], { ...itself("a.example"), ...itself("b.example") }), "ok", /is a\.example, b\.example, which lead back to it; probe\.example, our name in EHLO, is not among its names$/],
  ["several, none leads back",       address, named(["a.example", "b.example"]), "fault", /is a\.example, b\.example by its PTR records, none of which leads back to it$/],
  ["twenty, the last leads back",    address, named([...Array.from({ length: 19 }, (_, at) => `n${at}.example`), "probe.example"]), "fault", /n0\.example, .*16 more by its PTR records/],
  ["another name than EHLO's",       address, named(["a.example"], itself("a.example")), "ok", /; probe\.example, our name in EHLO, is not among its names$/],
  ["none leads back, one not told",  address, named(["a.example", "b.example"], { "b.example": "SERVFAIL" }), "unknown", /^DNS: SERVFAIL for A+ b\.example/],
  ["one leads back, one not told",   address, named(["probe.example", "b.example"], { "b.example": "SERVFAIL" }), "ok", /is probe\.example, which leads back/],
  ["a part not told",                address, named(["a.example"], { "a.example": { AAAA: [address6], A: "SERVFAIL" } }), "unknown", /^DNS: SERVFAIL for A a\.example/],
  ["SERVFAIL",                       address, named("SERVFAIL"), "unknown", /^DNS: SERVFAIL for PTR 25\.2\.0\.192\.in-addr\.arpa/, /resolver/],
  ["malformed",                      address, named("malformed"), "unknown", /^DNS: a malformed answer for PTR/],
  ["no host's name",                 address, named(["a b.example"]), "fault", /does not lead back to it$/],
  ["an address not known",           null, goodZone, "unknown", /^reverse DNS cannot be looked up/, /^Set the egress's address, .*egresses\[\]\.address in the configuration, or --egress/],
];

describe("reverse DNS", () => {
  for (const [what, own, zone, standing, says, doing] of rows) {
    it(`${what}: ${standing}`, async () => {
      const found = await inZone(zone, async (dns) => await checkReverseDns("probe.example", own, optionsFor(dns)));
      assertFound(found, standing, says, doing);
    });
  }

  it("says what an EHLO name that is not known should be like", async () => {
    const found = await inZone({}, async (dns) => await checkReverseDns(null, address, optionsFor(dns)));
    assertFound(
      found,
      "fault",
      /has no PTR record$/,
      /set its PTR record to the name given in EHLO, which must lead back/,
    );
  });

  for (const [name, own, isGeneric] of [
    ["192-0-2-25.dyn.example", address, true],
    ["host25.2.0.192.example", address, true],
    ["ip192002000025.example", address, false],
    ["ip192000002025.example", address, true],
    ["c0000219.example", address, true],
    ["mail25.example", address, false],
    ["mx-1-192-0-2-250.example", address, false],
    ["n20010db8000000000000000000000025.example", address6, true],
    ["host-0000-0000-0000-0025.example", address6, true],
    ["mail25.example", address6, false],
  ] as const) {
    it(`${name} is ${isGeneric ? "" : "not "}said to look like every address's`, async () => {
      const zone = named([name], itself(name, own), own);
      const found = await inZone(zone, async (dns) => await checkReverseDns(name, own, optionsFor(dns)));
      assertFound(found, "ok", /which leads back to it/);
      assert.equal(generic.test(found.text), isGeneric, found.text);
    });
  }
});
