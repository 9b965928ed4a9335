// What a receiver makes of who a message says that it is from, by a real DNS server.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { authenticationOf, type Authenticated, type Authentication } from "../../functions/send/authentication.ts";
import type { DnsServer, Zone } from "../route/dns-server.ts";
import { inZone } from "../self-check/setup.ts";

const address = "192.0.2.25";
const spf = { TXT: [`v=spf1 ip4:${address} -all`] };
const zone: Zone = {
  "sender.example": spf,
  "bounces.sender.example": spf,
  "probe.example": spf,
  "other.example": spf,
  "_dmarc.sender.example": { TXT: ["v=DMARC1; p=reject; sp=quarantine"] },
};

function given({ server }: DnsServer, change: Partial<Authenticated> = {}): Authenticated {
  return {
    from: "us@sender.example",
    fromDomain: "sender.example",
    helo: "probe.example",
    egressAddress: address,
    dkimDomain: "sender.example",
    lookup: { server, timeoutMs: 5_000, families: "both" },
    ...change,
  };
}

type Spf = Authentication["spf"]["result"];
type Dmarc = Authentication["dmarc"]["result"];
const strict: Zone = { ...zone, "_dmarc.sender.example": { TXT: ["v=DMARC1; p=none; aspf=s; adkim=s"] } };
const without: Zone = { ...zone, "_dmarc.sender.example": "NXDOMAIN" };

// prettier-ignore
const rows: readonly (readonly [
  what: string, zone: Zone, change: Partial<Authenticated>,
  spf: readonly [domain: string | null, result: Spf, aligned: boolean], dkim: boolean | null, dmarc: readonly [policy: string | null, result: Dmarc],
])[] = [
  ["all as it should be",              zone, {}, ["sender.example", "pass", true], true, ["reject", "pass"]],
  ["no signature",                     zone, { dkimDomain: null }, ["sender.example", "pass", true], null, ["reject", "pass"]],
  ["a subdomain's bounces",            zone, { from: "b+1@bounces.sender.example", dkimDomain: null }, ["bounces.sender.example", "pass", true], null, ["reject", "pass"]],
  ["an author at a subdomain",         zone, { fromDomain: "mail.sender.example" }, ["sender.example", "pass", true], true, ["quarantine", "pass"]],
  ["a parent's signature alone",       zone, { from: "us@other.example", fromDomain: "mail.sender.example" }, ["other.example", "pass", false], true, ["quarantine", "pass"]],
  ["another's envelope and signature", zone, { from: "us@other.example", dkimDomain: "other.example" }, ["other.example", "pass", false], false, ["reject", "fail"]],
  ["another address",                  zone, { egressAddress: "192.0.2.26", dkimDomain: null }, ["sender.example", "fail", true], null, ["reject", "fail"]],
  ["another address, and a signature", zone, { egressAddress: "192.0.2.26" }, ["sender.example", "fail", true], true, ["reject", "pass"]],
  ["softfail is no pass",              { ...zone, "sender.example": { TXT: ["v=spf1 ~all"] } }, { dkimDomain: null }, ["sender.example", "softfail", true], null, ["reject", "fail"]],
  ["no SPF",                           { ...zone, "sender.example": { TXT: ["x"] } }, { dkimDomain: null }, ["sender.example", "none", true], null, ["reject", "fail"]],
  ["a broken SPF",                     { ...zone, "sender.example": { TXT: ["v=spf1 x"] } }, { dkimDomain: null }, ["sender.example", "permerror", true], null, ["reject", "fail"]],
  ["the null sender",                  zone, { from: "", dkimDomain: null }, ["probe.example", "pass", false], null, ["reject", "fail"]],
  ["the null sender of an aligned name", zone, { from: "", helo: "bounces.sender.example", dkimDomain: null }, ["bounces.sender.example", "pass", true], null, ["reject", "pass"]],
  ["the null sender of no name",       zone, { from: "", helo: null }, [null, "none", false], true, ["reject", "pass"]],
  ["the null sender of a literal",     zone, { from: "", helo: "[192.0.2.25]" }, [null, "none", false], true, ["reject", "pass"]],
  ["an address that nobody knows",     zone, { egressAddress: null, dkimDomain: null }, ["sender.example", "unknown", true], null, ["reject", "unknown"]],
  ["the same of another's envelope",   zone, { egressAddress: null, from: "us@other.example", dkimDomain: null }, ["other.example", "unknown", false], null, ["reject", "fail"]],
  ["the same with a signature",        zone, { egressAddress: null }, ["sender.example", "unknown", true], true, ["reject", "pass"]],
  ["strict, and the same",             strict, {}, ["sender.example", "pass", true], true, ["none", "pass"]],
  ["strict, and subdomains",           strict, { from: "us@bounces.sender.example", dkimDomain: "mail.sender.example" }, ["bounces.sender.example", "pass", false], false, ["none", "fail"]],
  ["no policy",                        without, {}, ["sender.example", "pass", true], true, [null, "none"]],
  ["no policy, and subdomains",        without, { from: "us@bounces.sender.example", fromDomain: "mail.sender.example" }, ["bounces.sender.example", "pass", true], true, [null, "none"]],
  ["no policy, and another's",         without, { from: "us@other.example", dkimDomain: "other.example" }, ["other.example", "pass", false], false, [null, "none"]],
  ["an author at a literal",           zone, { fromDomain: "[192.0.2.25]", dkimDomain: null }, ["sender.example", "pass", false], null, [null, "none"]],
  ["a policy that is none",            { ...zone, "_dmarc.sender.example": { TXT: ["v=DMARC1; p=whatever"] } }, {}, ["sender.example", "pass", true], true, [null, "none"]],
  ["SPF that DNS does not tell",       { ...zone, "sender.example": "SERVFAIL" }, { dkimDomain: null }, ["sender.example", "unknown", true], null, ["reject", "unknown"]],
  ["a policy that DNS does not tell",  { ...zone, "_dmarc.sender.example": "SERVFAIL" }, {}, ["sender.example", "pass", true], true, [null, "unknown"]],
  ["no DNS at all",                    {}, { lookup: { server: "not a server", timeoutMs: 100, families: "4" } }, ["sender.example", "unknown", true], true, [null, "unknown"]],
];

describe("what a receiver makes of", () => {
  for (const [what, zone, change, [domain, result, aligned], dkim, [policy, passes]] of rows) {
    it(`${what}: ${passes}`, async () => {
      const found = await inZone(zone, async (dns) => await authenticationOf(given(dns, change)));
      const { fromDomain = "sender.example", dkimDomain = "sender.example" } = change;
      assert.deepEqual(found, {
        from: fromDomain,
        spf: { domain, result, aligned },
        dkim: dkim === null || dkimDomain === null ? null : { domain: dkimDomain, aligned: dkim },
        dmarc: { policy, result: passes },
      });
      assert.deepEqual(JSON.parse(JSON.stringify(found)), found);
    });
  }
});

test("what is known is asked for once an hour, by all who ask at once, whatever mailbox of the domain sends", async () => {
  await inZone(zone, async (dns) => {
    const ask = async (atMs: number, from = "us@sender.example"): Promise<Authentication> =>
      await authenticationOf(given(dns, { from }), atMs);
    await Promise.all([ask(0), ask(0), ask(0, "bounce+4711@sender.example")]);
    const asked = dns.queries.length;
    assert.ok(new Set(dns.queries).size === asked && asked > 0, dns.queries.join());
    await ask(3_599_999);
    assert.equal(dns.queries.length, asked);
    await ask(3_600_000);
    assert.equal(dns.queries.length, 2 * asked);
  });
});

test("what DNS did not say is asked for again a minute later", async () => {
  await inZone({ ...zone, "sender.example": "SERVFAIL" }, async (dns) => {
    await authenticationOf(given(dns), 0);
    const asked = dns.queries.length;
    await authenticationOf(given(dns), 59_999);
    assert.equal(dns.queries.length, asked);
    await authenticationOf(given(dns), 60_000);
    assert.ok(dns.queries.length > asked);
  });
});

test("of very many domains the first are forgotten", async () => {
  await inZone({}, async (dns) => {
    const ask = async (at: number): Promise<Authentication> =>
      await authenticationOf(given(dns, { fromDomain: `d${at}.example`, egressAddress: null, dkimDomain: null }), 0);
    for (let at = 0; at < 1_001; at += 1) await ask(at);
    const asked = dns.queries.length;
    await ask(1_000);
    assert.equal(dns.queries.length, asked);
    await ask(0);
    assert.ok(dns.queries.length > asked);
  });
});
