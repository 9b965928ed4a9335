// Whether bounces have somewhere to go, by a real DNS server.
import { describe, it } from "node:test";
import { checkSender, senderDomain } from "../../functions/self-check/sender.ts";
import type { Standing } from "../../functions/self-check/found.ts";
import assert from "node:assert/strict";
import type { Records, Zone } from "../route/dns-server.ts";
import { assertFound, goodZone, inZone, optionsFor } from "./setup.ts";

const mx = (MX: Records["MX"], more: Zone = {}): Zone => ({
  "sender.example": MX === undefined ? {} : { MX },
  ...more,
});
const host: Zone = { "mx.sender.example": { A: ["192.0.2.80"] } };

// prettier-ignore
const rows: readonly (readonly [
  what: string, from: string, zone: Zone, standing: Standing, says: RegExp, doing?: RegExp,
])[] = [
  ["an MX that leads somewhere",       "a@sender.example", goodZone, "ok", /^bounces to a@sender\.example go to mx\.sender\.example$/],
  ["the null sender",                  "", {}, "ok", /^the null sender: nothing bounces/],
  ["no MX, but an address",            "a@sender.example", { "sender.example": { A: ["192.0.2.80"] } }, "ok", /go to sender\.example$/],
  ["an address literal",               "a@[192.0.2.80]", {}, "ok", /go to 192\.0\.2\.80$/],
  ["a null MX",                        "a@sender.example", mx(["0 ."]), "fault", /go nowhere: DNS: sender\.example takes no mail: its MX is null$/, /^Publish an MX record .*--from, or identity\.sender/],
  ["no such domain",                   "a@sender.example", {}, "fault", /go nowhere: DNS: there is no domain sender\.example \(NXDOMAIN\)$/],
  ["neither MX nor address",           "a@sender.example", { "sender.example": { TXT: ["x"] } }, "fault", /go nowhere: DNS: sender\.example takes no mail: it has no MX and no address$/],
  ["an MX that does not exist",        "a@sender.example", mx(["10 mx.sender.example"]), "fault", /go nowhere: DNS: there is no host mx\.sender\.example$/],
  ["an MX without an address",         "a@sender.example", mx(["10 mx.sender.example"], { "mx.sender.example": {} }), "fault", /DNS: mx\.sender\.example has no address$/],
  ["an MX that is an address",         "a@sender.example", mx(["10 192.0.2.80"]), "fault", /is the address 192\.0\.2\.80, where a host's name belongs$/],
  ["an MX on this machine",            "a@sender.example", mx(["10 mx.sender.example"], { "mx.sender.example": { A: ["127.0.0.1"] } }), "fault", /mx\.sender\.example leads to 127\.0\.0\.1 \(loopback\)$/],
  ["a private MX, the rest not told",  "a@sender.example", mx(["10 mx.sender.example"], { "mx.sender.example": { A: ["10.0.0.1"], AAAA: "SERVFAIL" } }), "unknown", /^DNS: SERVFAIL for AAAA mx\.sender\.example/],
  ["the second MX works",              "a@sender.example", mx(["10 none.example", "20 mx.sender.example"], host), "ok", /go to mx\.sender\.example$/],
  ["none works, one not told",         "a@sender.example", mx(["10 none.example", "20 mx.sender.example"], { "mx.sender.example": "SERVFAIL" }), "unknown", /^DNS: SERVFAIL for A+ mx\.sender\.example/],
  ["none of two works",                "a@sender.example", mx(["10 none.example", "20 mx.sender.example"]), "fault", /no host none\.example, DNS: there is no host mx\.sender\.example$/],
  ["ten dead ones",                    "a@sender.example", mx(Array.from({ length: 10 }, (_, at) => `${at} n${at}.example`)), "fault", /n3\.example, 1 more$/],
  ["SERVFAIL",                         "a@sender.example", mx("SERVFAIL"), "unknown", /^DNS: SERVFAIL for MX sender\.example/, /resolver/],
  ["garbage",                          "a@sender.example", mx("malformed"), "unknown", /^DNS: a malformed answer for MX sender\.example/],
  ["no address of anybody's",          "nobody", {}, "fault", /^nobody is no sender's address$/],
  ["no address, a long one",           "x".repeat(1_000), {}, "fault", /^x{300}… is no sender's address$/],
];

describe("the sender", () => {
  for (const [what, from, zone, standing, says, doing] of rows) {
    it(`${what}: ${standing}`, async () => {
      const found = await inZone(zone, async (dns) => await checkSender(optionsFor(dns, { from })));
      assertFound(found, standing, says, doing);
    });
  }

  it("may have its MX on a private address where those are allowed", async () => {
    const zone = mx(["10 mx.sender.example"], { "mx.sender.example": { A: ["127.0.0.1"] } });
    const found = await inZone(zone, async (dns) => await checkSender(optionsFor(dns, { allowPrivate: true })));
    assertFound(found, "ok", /go to mx\.sender\.example$/);
  });

  it("has the domain that DNS is asked for", () => {
    assert.deepEqual(["", "a@Sender.EXAMPLE", "a@bücher.example", "nobody"].map(senderDomain), [
      null,
      "sender.example",
      "xn--bcher-kva.example",
      null,
    ]);
  });
});
