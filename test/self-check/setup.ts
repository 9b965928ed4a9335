// What the tests of the self-check share: an egress, its options, and a zone in which all is as it must be.
import assert from "node:assert/strict";
import { direct, type Egress } from "../../functions/route/egress.ts";
import { dnsLists } from "../../functions/self-check/dns-lists.ts";
import type { Found, Standing } from "../../functions/self-check/found.ts";
import type { SelfCheckOptions } from "../../functions/self-check/options.ts";
import { serveDns, type DnsServer, type Zone } from "../route/dns-server.ts";

export const address = "192.0.2.25";
export const address6 = "2001:db8::25";
export const helo = "probe.example";
export const from = "probe@sender.example";

export const egress: Egress = { ...direct, name: "mail-1", address, families: "4" };

const policy = `v=spf1 ip4:${address} ip6:${address6} -all`;

/** Blocklists that work, and have nothing of ours. */
export const emptyLists: Zone = Object.fromEntries(
  dnsLists.map(({ zone }) => [`2.0.0.127.${zone}`, { A: ["127.0.0.2"] }]),
);

export const goodZone: Zone = {
  ...emptyLists,
  "probe.example": { A: [address], AAAA: [address6], TXT: [policy] },
  "25.2.0.192.in-addr.arpa": { PTR: ["probe.example"] },
  "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": { PTR: ["probe.example"] },
  "sender.example": { MX: ["10 mx.sender.example"], TXT: [policy] },
  "mx.sender.example": { A: ["192.0.2.80"] },
};

export function optionsFor({ server }: DnsServer, more: Partial<SelfCheckOptions> = {}): SelfCheckOptions {
  return {
    egress,
    helo,
    from,
    lookup: { server, timeoutMs: 5_000, families: "both" },
    ask: [],
    allowPrivate: false,
    open: (domain) => assert.fail(`nobody was to be asked, and ${domain} is`),
    ...more,
  };
}

/** A zone of its own for one look. */
export async function inZone<T>(zone: Zone, look: (dns: DnsServer) => Promise<T>): Promise<T> {
  const dns = await serveDns(zone);
  try {
    return await look(dns);
  } finally {
    await dns.close();
  }
}

/** How it stands, what it says, and that there is something to do where it is not ok, and only there. */
export function assertFound(found: Found, standing: Standing, says: RegExp, doing: RegExp | null = null): void {
  assert.equal(found.standing, standing, JSON.stringify(found));
  assert.match(found.text, says);
  assert.equal(found.remedy === null, standing === "ok", JSON.stringify(found));
  if (doing !== null) assert.match(found.remedy?.text ?? "", doing);
}
