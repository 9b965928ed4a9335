// Whose hosts a send's domain has, told by the configuration and by a DNS server on loopback.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { siteOfDomain, type SendSite } from "../../functions/send/site.ts";
import { serveDns, type DnsServer } from "../route/dns-server.ts";
import { configFor } from "../support/services.ts";

let dns: DnsServer;

before(async () => {
  dns = await serveDns({
    "mine.example": { MX: ["10 mx2.example", "5 mx01.mail.icloud.com"] },
    "alone.example": { MX: ["10 mx.alone.example"] },
    "null.example": { MX: ["0 ."] },
    "faulty.example": { MX: ["1 192.0.2.1", "2 gmail-smtp-in.l.google.com"] },
    "broken.example": "SERVFAIL",
  });
});

after(async () => await dns.close());

const config = configFor(
  { "icloud.example": ["mx.icloud.example"], "named.example": ["mx1.example"] },
  {
    hosts: { "by-hand.example": ["mx02.mail.icloud.com:2525"], "own.example": ["mx.own.example"] },
    targets: [{ provider: "named", recipient: "probe@named.example" }],
  },
);

const byHand = (name: string, port: number) => [{ name, port, named: "by-hand" as const }];

for (const [domain, its, isAsked] of [
  ["named.example", { name: "named", provider: "named", hosts: null }, false],
  ["by-hand.example", { name: "icloud", provider: "icloud", hosts: byHand("mx02.mail.icloud.com", 2525) }, false],
  ["own.example", { name: "own.example", provider: null, hosts: byHand("mx.own.example", 25) }, false],
  ["mine.example", { name: "icloud", provider: "icloud", hosts: null }, true],
  ["faulty.example", { name: "gmail", provider: "gmail", hosts: null }, true],
  ["alone.example", { name: "alone.example", provider: null, hosts: null }, true],
  ["null.example", { name: "null.example", provider: null, hosts: null }, true],
  ["broken.example", { name: "broken.example", provider: null, hosts: null }, true],
  ["nowhere.example", { name: "nowhere.example", provider: null, hosts: null }, true],
] as const) {
  test(`${domain} is ${its.provider ?? "nobody's that is known"}, ${isAsked ? "as DNS says" : "as the configuration says"}`, async () => {
    const asked = dns.queries.length;
    const lookup = { server: dns.server, families: "both", timeoutMs: 2_000 } as const;
    const { target, ...site }: SendSite = await siteOfDomain(domain, config, lookup);
    assert.deepEqual(site, its);
    assert.equal(target?.recipient ?? null, domain === "named.example" ? "probe@named.example" : null);
    assert.equal(dns.queries.length > asked, isAsked);
  });
}
