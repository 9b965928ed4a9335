// The name in EHLO: what hosts take, and where it leads, by a real DNS server.
import { describe, it } from "node:test";
import { checkHelo } from "../../functions/self-check/helo.ts";
import type { Standing } from "../../functions/self-check/found.ts";
import type { Zone } from "../route/dns-server.ts";
import { address, address6, assertFound, goodZone, inZone, optionsFor } from "./setup.ts";

// prettier-ignore
const names: readonly (readonly [
  what: string, helo: string | null, own: string | null, zone: Zone, standing: Standing, says: RegExp, doing?: RegExp,
])[] = [
  ["leads to the address",            "probe.example", address, goodZone, "ok", /^probe\.example leads to 192\.0\.2\.25$/],
  ["whatever the case",               "Probe.EXAMPLE", address, goodZone, "ok", /leads to 192\.0\.2\.25$/],
  ["leads to the IPv6 address",       "probe.example", address6, goodZone, "ok", /leads to 2001:db8::25$/],
  ["IPv6 spelt at length",            "a.example", address6, { "a.example": { AAAA: ["2001:0db8:0:0:0:0:0:25"] } }, "ok", /leads to 2001:db8::25$/],
  ["one of several addresses",        "a.example", address, { "a.example": { A: ["192.0.2.24", address] } }, "ok", /leads to 192\.0\.2\.25$/],
  ["by an alias",                     "a.example", address, { ...goodZone, "a.example": { CNAME: ["probe.example"] } }, "ok", /leads to 192\.0\.2\.25$/],
  ["leads elsewhere",                 "a.example", address, { "a.example": { A: ["192.0.2.24"] } }, "fault", /leads to 192\.0\.2\.24, not to 192\.0\.2\.25$/, /^Publish 192\.0\.2\.25 for a\.example too/],
  ["leads to many others",            "a.example", address, { "a.example": { A: ["1", "2", "3", "4", "5", "6"].map((each) => `192.0.2.${each}`) } }, "fault", /leads to (192\.0\.2\.\d, ){4}2 more, not to/],
  ["of the other family alone",       "a.example", address, { "a.example": { AAAA: [address6] } }, "fault", /leads to 2001:db8::25, not to 192\.0\.2\.25$/],
  ["no such name",                    "a.example", address, {}, "fault", /leads nowhere: DNS: there is no host a\.example$/, /^Publish an A or AAAA record for a\.example with the egress's address, 192\.0\.2\.25\.$/],
  ["a name without an address",       "a.example", address, { "a.example": { TXT: ["x"] } }, "fault", /leads nowhere: DNS: a\.example has no address$/],
  ["a name that DNS does not tell",   "a.example", address, { "a.example": "SERVFAIL" }, "unknown", /^DNS: SERVFAIL for A+ a\.example/, /resolver/],
  ["refused",                         "a.example", address, { "a.example": "REFUSED" }, "unknown", /^DNS: REFUSED for A+ a\.example/],
  ["malformed",                       "a.example", address, { "a.example": "malformed" }, "unknown", /^DNS: a malformed answer for A+ a\.example/],
  ["found though a part is not told", "a.example", address, { "a.example": { A: [address], AAAA: "SERVFAIL" } }, "ok", /leads to 192\.0\.2\.25$/],
  ["not found in the part told",      "a.example", address, { "a.example": { AAAA: [address6], A: "SERVFAIL" } }, "unknown", /^DNS: SERVFAIL for A a\.example/],
  ["an address not known",            "probe.example", null, goodZone, "unknown", /^probe\.example has .*192\.0\.2\.25.*; whether that is the egress's address is not known$/, /^Set the egress's address, .*egresses\[\]\.address in the configuration, or --egress/],
  ["no name, an address not known",   "a.example", null, {}, "fault", /leads nowhere/, /with the egress's address\.$/],
  ["no name at all",                  null, address, goodZone, "fault", /^no name is configured for EHLO .* an address literal is given/, /^Set the EHLO name, .*--helo, or identity\.helo/],
  ["a literal, its own",              "[192.0.2.25]", address, goodZone, "fault", /^\[192\.0\.2\.25\] in EHLO is an address literal: many/],
  ["a literal of IPv6, its own",      "[IPv6:2001:DB8::25]", address6, goodZone, "fault", /is an address literal: many/],
  ["a literal, another's",            "[192.0.2.26]", address, goodZone, "fault", /is an address literal, not even of 192\.0\.2\.25: many/],
  ["a bare address",                  "192.0.2.25", address, goodZone, "fault", /is an address, where a host's name belongs/],
  ["a bare address of IPv6",          "2001:db8::25", address6, goodZone, "fault", /is an address, where a host's name belongs/],
  ["a short name",                    "mail", address, goodZone, "fault", /^mail in EHLO is no full name/],
  ["a private name",                  "mail.corp.local", address, goodZone, "fault", /^mail\.corp\.local in EHLO is no full name/],
  ["this machine's own",              "localhost.localdomain", address, goodZone, "fault", /is no full name/],
  ["not private, whatever its host",  "localhost.example", address, { "localhost.example": { A: [address] } }, "ok", /leads to/],
  ["no host's name",                  "a b.example", address, goodZone, "fault", /^a b\.example in EHLO is no host's name$/],
  ["no host's name, a very long one", "x".repeat(4_000), address, goodZone, "fault", /^x{300}… in EHLO is no host's name$/],
];

describe("the name in EHLO", () => {
  for (const [what, helo, own, zone, standing, says, doing] of names) {
    it(`${what}: ${standing}`, async () => {
      const found = await inZone(zone, async (dns) => await checkHelo(helo, own, optionsFor(dns)));
      assertFound(found, standing, says, doing);
    });
  }
});
