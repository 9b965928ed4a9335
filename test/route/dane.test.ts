import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import nodeDns from "node:dns";
import fc from "fast-check";
import { openDane, type FoundDane } from "../../functions/route/dane.ts";
import type { AskOptions } from "../../functions/route/dns-servers.ts";
import { type DnsFailure, type DnsServer, serveDns, type Zone } from "./dns-server.ts";

const one = `3 1 1 ${"ab".repeat(32)}`;
const other = `2 0 1 ${"cd".repeat(32)}`;

const zone: Zone = {
  // A domain as it should be, and its hosts, each with something of its own.
  "good.test": {
    signed: true,
    MX: ["mx", "bare", "old", "mixed", "unsigned-tlsa", "bogus-tlsa", "bogus-a", "half", "half-bogus", "gone", "alias"]
      .concat(["alias-old", "away", "away-bare", "away-nowhere", "shared", "cut"])
      .map((name) => `10 ${name}.good.test`)
      .concat("20 mx.plain.test", "20 alias.plain.test", "30 192.0.2.9"),
  },
  "mx.good.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] },
  "_25._tcp.mx.good.test": { TLSA: [one, other] },
  "_2525._tcp.mx.good.test": { TLSA: [other] },
  "bare.good.test": { A: ["192.0.2.1"] },
  "old.good.test": { A: ["192.0.2.1"] },
  "_25._tcp.old.good.test": { TLSA: [`0 0 1 ${"ab".repeat(32)}`, "3 1 1 abcd", `3 1 7 ${"ab".repeat(32)}`] },
  "mixed.good.test": { A: ["192.0.2.1"] },
  "_25._tcp.mixed.good.test": { TLSA: [`1 1 1 ${"ab".repeat(32)}`, one] },
  "unsigned-tlsa.good.test": { A: ["192.0.2.1"] },
  "_25._tcp.unsigned-tlsa.good.test": { signed: false, TLSA: [one] },
  "bogus-tlsa.good.test": { A: ["192.0.2.1"] },
  "_25._tcp.bogus-tlsa.good.test": "SERVFAIL",
  "bogus-a.good.test": "SERVFAIL",
  "half.good.test": { A: ["192.0.2.1"], AAAA: "SERVFAIL" },
  "_25._tcp.half.good.test": { TLSA: [one] },
  "half-bogus.good.test": { A: "SERVFAIL" },
  "alias.good.test": { CNAME: ["mx.good.test"] },
  "alias-old.good.test": { CNAME: ["bare.good.test"] },
  "_25._tcp.alias-old.good.test": { TLSA: [other] },
  "away.good.test": { CNAME: ["mx.plain.test"] },
  "_25._tcp.away.good.test": { TLSA: [one] },
  "away-bare.good.test": { CNAME: ["mx.plain.test"] },
  "away-nowhere.good.test": { CNAME: ["absent.test"] },
  "shared.good.test": { A: ["192.0.2.1"] },
  "_25._tcp.shared.good.test": { CNAME: ["all._dane.good.test"] },
  "all._dane.good.test": { TLSA: [other] },
  // A zone below, which is not signed; its server fails for TLSA, as some do.
  "cut.good.test": { signed: false, A: ["192.0.2.1"] },
  "_25._tcp.cut.good.test": "SERVFAIL",

  "alias-domain.test": { signed: true, CNAME: ["good.test"] },
  "own.test": { signed: true, A: ["192.0.2.1"] },
  "_25._tcp.own.test": { TLSA: [one] },
  "bogus.test": "SERVFAIL",
  "silent.test": "silent",
  "plain.test": { MX: ["10 mx.plain.test", "20 mx.good.test"] },
  "mx.plain.test": { A: ["192.0.2.2"] },
  "alias.plain.test": { CNAME: ["mx.plain.test"] },
  "_25._tcp.mx.plain.test": { TLSA: [one] },
  "plain-own.test": { A: ["192.0.2.2"] },
};

let resolver: DnsServer;
let blind: DnsServer;
before(async () => {
  resolver = await serveDns(zone, () => {}, { validates: true });
  blind = await serveDns(zone);
});
after(async () => {
  await resolver.close();
  await blind.close();
});

function options(more: Partial<AskOptions> = {}): AskOptions {
  return { server: resolver.server, timeoutMs: 5_000, ...more };
}

/** What was found, in a line, the servers' ports left out. */
function lineOf(found: FoundDane): string {
  if (found.kind === "records") {
    const terms = found.records.map(({ usage, selector, matching }) => `${usage}${selector}${matching}`);
    return `records ${terms.join(" ")} at ${found.base} for ${found.names.join(" ")}`;
  }
  return `${found.kind}: ${found.text.replace(/127\.0\.0\.1:\d+/, "SERVER")}`;
}

suite("what DANE asks of a host found by MX", () => {
  // prettier-ignore
  const cases: readonly (readonly [domain: string, host: string, expected: string])[] = [
    ["good.test", "mx.good.test",           "records 311 201 at mx.good.test for mx.good.test good.test"],
    ["Good.Test", "MX.good.test",           "records 311 201 at mx.good.test for mx.good.test good.test"],
    ["good.test", "bare.good.test",         "none: DANE does not apply: there are no TLSA records of _25._tcp.bare.good.test"],
    ["good.test", "old.good.test",          "unusable: DANE: no TLSA record of _25._tcp.old.good.test is usable: 0 0 1 abababab…, 3 1 1 abcd, 3 1 7 abababab…; TLS is required, without authentication"],
    ["good.test", "mixed.good.test",        "records 311 at mixed.good.test for mixed.good.test good.test"],
    ["good.test", "unsigned-tlsa.good.test", "none: DANE does not apply: the TLSA records of _25._tcp.unsigned-tlsa.good.test are not signed (DNSSEC)"],
    ["good.test", "bogus-tlsa.good.test",   "failed: DANE: the TLSA records of _25._tcp.bogus-tlsa.good.test cannot be had: DNS: SERVFAIL for TLSA _25._tcp.bogus-tlsa.good.test from SERVER"],
    ["good.test", "bogus-a.good.test",      "failed: DANE: the addresses of bogus-a.good.test cannot be had: DNS: SERVFAIL for A bogus-a.good.test from SERVER"],
    ["good.test", "half.good.test",         "records 311 at half.good.test for half.good.test good.test"],
    ["good.test", "half-bogus.good.test",   "failed: DANE: the addresses of half-bogus.good.test cannot be had: DNS: SERVFAIL for A half-bogus.good.test from SERVER"],
    ["good.test", "gone.good.test",         "none: DANE does not apply: DNS has no address of gone.good.test"],
    ["good.test", "alias.good.test",        "records 311 201 at mx.good.test for mx.good.test good.test"],
    ["good.test", "alias-old.good.test",    "records 201 at alias-old.good.test for alias-old.good.test good.test"],
    ["good.test", "away.good.test",         "records 311 at away.good.test for away.good.test good.test"],
    ["good.test", "away-bare.good.test",    "none: DANE does not apply: there are no TLSA records of _25._tcp.away-bare.good.test"],
    ["good.test", "away-nowhere.good.test", "none: DANE does not apply: DNS has no address of away-nowhere.good.test"],
    ["good.test", "shared.good.test",       "records 201 at shared.good.test for shared.good.test good.test"],
    ["good.test", "cut.good.test",          "none: DANE does not apply: the addresses of cut.good.test are not signed (DNSSEC)"],
    ["good.test", "mx.plain.test",          "none: DANE does not apply: the addresses of mx.plain.test are not signed (DNSSEC)"],
    ["good.test", "alias.plain.test",       "none: DANE does not apply: the addresses of alias.plain.test are not signed (DNSSEC)"],
    ["good.test", "192.0.2.9",              "none: DANE does not apply: 192.0.2.9 is an address"],
    ["good.test", "mx.attacker.test",       "failed: DANE: mx.attacker.test is not among the signed MX records of good.test"],
    ["alias-domain.test", "mx.good.test",   "records 311 201 at mx.good.test for mx.good.test alias-domain.test good.test"],
    ["own.test", "own.test",                "records 311 at own.test for own.test"],
    ["own.test", "mx.good.test",            "failed: DANE: mx.good.test is not among the signed MX records of own.test"],
    ["bogus.test", "mx.good.test",          "failed: DANE: the MX records of bogus.test cannot be had: DNS: SERVFAIL for MX bogus.test from SERVER"],
    ["plain.test", "mx.plain.test",         "none: DANE does not apply: the MX records of plain.test are not signed (DNSSEC)"],
    ["plain.test", "mx.good.test",          "none: DANE does not apply: the MX records of plain.test are not signed (DNSSEC)"],
    ["plain-own.test", "plain-own.test",    "none: DANE does not apply: the MX records of plain-own.test are not signed (DNSSEC)"],
  ];
  for (const [domain, host, expected] of cases) {
    test(`${host} of ${domain}`, async () => {
      assert.equal(lineOf(await openDane(domain, options())(host, 25)), expected);
    });
  }

  test("the port is that of the connection (RFC 7672 §2.2.3)", async () => {
    const find = openDane("good.test", options());
    assert.match(lineOf(await find("mx.good.test", 2525)), /^records 201 /);
    assert.match(lineOf(await find("mx.good.test", 587)), /^none: .* no TLSA records of _587\._tcp\.mx\.good\.test$/);
  });

  test("the records are told in words", async () => {
    const { text } = await openDane("good.test", options())("mx.good.test", 25);
    assert.equal(text, "DANE: 3 1 1 abababab…, 2 0 1 cdcdcdcd… of _25._tcp.mx.good.test");
  });

  test("no answer is no word of the domain's", async () => {
    const found = await openDane("silent.test", options({ timeoutMs: 60 }))("mx.good.test", 25);
    assert.equal(
      lineOf(found),
      "unanswered: DANE needs the MX records of silent.test: DNS: no answer within 60 ms for MX silent.test from SERVER",
    );
  });

  test("a signal ends it so, too", async () => {
    const found = await openDane("silent.test", options({ signal: AbortSignal.abort() }))("mx.good.test", 25);
    assert.equal(
      lineOf(found),
      "unanswered: DANE needs the MX records of silent.test: DNS: given up for MX silent.test",
    );
  });

  const unheard: readonly (readonly [says: DnsFailure, text: RegExp])[] = [
    ["REFUSED", /^unanswered: DANE needs the TLSA records of _25\._tcp\.mx\.good\.test: DNS: REFUSED for TLSA /],
    [
      "malformed",
      /^unanswered: DANE needs the TLSA records of _25\._tcp\.mx\.good\.test: DNS: a malformed answer for TLSA /,
    ],
    ["garbage", /^unanswered: DANE needs the TLSA records of _25\._tcp\.mx\.good\.test: DNS: /],
    [
      "silent",
      /^unanswered: DANE needs the TLSA records of _25\._tcp\.mx\.good\.test: DNS: no answer within \d+ ms for TLSA /,
    ],
  ];
  for (const [says, text] of unheard) {
    test(`nor is ${says} for its TLSA records`, async () => {
      const faulty = await serveDns({ ...zone, "_25._tcp.mx.good.test": says }, () => {}, { validates: true });
      const find = openDane("good.test", options({ server: faulty.server, timeoutMs: 300 }));
      const found = await find("mx.good.test", 25);
      await faulty.close();
      assert.match(lineOf(found), text);
    });
  }

  test("nor is a resolver that is not there", async () => {
    const gone = await serveDns(zone);
    await gone.close();
    const found = await openDane("good.test", options({ server: gone.server }))("mx.good.test", 25);
    assert.equal(
      lineOf(found),
      "unanswered: DANE needs the MX records of good.test: DNS: no server for MX good.test from SERVER",
    );
  });

  test("all look-ups for one host end within its time, each leaving half of it to the next", async () => {
    const slow = await serveDns({ ...zone, "_25._tcp.mx.good.test": "silent" }, () => {}, { validates: true });
    const find = openDane("good.test", options({ server: slow.server, timeoutMs: 60_000 }));
    const found = await find("mx.good.test", 25, "by-mx", 400);
    await slow.close();
    assert.match(lineOf(found), /^unanswered: .* no answer within (?:1?\d{1,2}|200) ms for TLSA /);
  });

  test("an AAAA that is not answered leaves time for what the A leads to", async () => {
    const half = { ...zone, "bare.good.test": { A: ["192.0.2.1"], AAAA: "silent" }, "cut.good.test": { signed: false, A: ["192.0.2.1"], AAAA: "silent" } } as const; // prettier-ignore
    const slow = await serveDns(half, () => {}, { validates: true });
    const began = performance.now();
    for (const host of ["bare", "cut"]) {
      const find = openDane("good.test", options({ server: slow.server, timeoutMs: 60_000 }));
      const found = await find(`${host}.good.test`, 25);
      assert.match(lineOf(found), /^none: /);
    }
    assert.ok(performance.now() - began < 30_000, "of a minute for each, three seconds");
    await slow.close();
  });
});

suite("what DANE asks of a host named by hand", () => {
  // prettier-ignore
  const cases: readonly (readonly [domain: string, host: string, expected: string])[] = [
    ["plain.test", "mx.good.test",   "records 311 201 at mx.good.test for mx.good.test"],
    ["bogus.test", "mx.good.test",   "records 311 201 at mx.good.test for mx.good.test"],
    ["good.test",  "own.test",       "records 311 at own.test for own.test"],
    ["good.test",  "alias.good.test", "records 311 201 at mx.good.test for mx.good.test alias.good.test"],
    ["good.test",  "mx.plain.test",  "none: DANE does not apply: the addresses of mx.plain.test are not signed (DNSSEC)"],
    ["good.test",  "127.0.0.1",      "none: DANE does not apply: 127.0.0.1 is an address"],
    ["good.test",  "::1",            "none: DANE does not apply: ::1 is an address"],
  ];
  for (const [domain, host, expected] of cases) {
    test(`${host}, for ${domain}`, async () => {
      const asked = resolver.queries.length;
      assert.equal(lineOf(await openDane(domain, options())(host, 25, "by-hand")), expected);
      assert.ok(resolver.queries.slice(asked).every((query) => !query.includes(" MX ")));
    });
  }
});

suite("a resolver that does not validate", () => {
  const unknown =
    "unknown: the DNS server SERVER does not validate DNSSEC; use one on this machine that does, such as unbound";

  // prettier-ignore
  const cases: readonly (readonly [domain: string, host: string, named: "by-mx" | "by-hand"])[] = [
    ["good.test",      "mx.good.test",   "by-mx"],
    ["plain.test",     "mx.plain.test",  "by-mx"],
    ["plain-own.test", "plain-own.test", "by-mx"],
    ["good.test",      "mx.good.test",   "by-hand"],
    ["good.test",      "away.good.test", "by-hand"],
  ];
  for (const [domain, host, named] of cases) {
    test(`is told of, never taken for an unsigned zone: ${host} of ${domain} ${named}`, async () => {
      const found = await openDane(domain, options({ server: blind.server }))(host, 25, named);
      assert.equal(lineOf(found), unknown);
      assert.ok(found.text.includes(blind.server));
    });
  }

  test("but which fails for the root, is not the domain's fault", async () => {
    const failing = await serveDns({ ...zone, ".": "SERVFAIL" });
    const found = await openDane("good.test", options({ server: failing.server }))("mx.good.test", 25);
    await failing.close();
    assert.equal(lineOf(found), "unanswered: DANE needs to know whether SERVER validates DNSSEC: no answer for SOA .");
  });

  test("does not become one because another of the process's servers validates", async () => {
    const own = nodeDns.getServers();
    // The one that validates does not say a word on TLSA; the other one says that there is none.
    const half = await serveDns({ ...zone, "_25._tcp.mx.good.test": "SERVFAIL" }, () => {}, { validates: true });
    const denying = await serveDns({ ...zone, "_25._tcp.mx.good.test": {} });
    nodeDns.setServers([half.server, denying.server]);
    try {
      const found = await openDane("good.test", options({ server: null }))("mx.good.test", 25);
      assert.equal(lineOf(found), unknown);
      assert.ok(found.text.includes(denying.server));
    } finally {
      nodeDns.setServers(own);
      await half.close();
      await denying.close();
    }
  });
});

suite("what is asked", () => {
  test("once for all hosts of a domain: the MX records, and whether the resolver validates", async () => {
    const asked = resolver.queries.length;
    const find = openDane("good.test", options());
    const hosts = ["mx.good.test", "cut.good.test", "mx.plain.test", "bare.good.test"];
    await Promise.all(hosts.map((host) => find(host, 25)));
    await find("mx.good.test", 25);
    const queries = resolver.queries.slice(asked);
    assert.equal(queries.filter((query) => query === "udp MX good.test").length, 1);
    assert.equal(queries.filter((query) => query === "udp SOA .").length, 1);
  });

  test("nothing before the first host, and of the root only where an answer is unsigned", async () => {
    const asked = resolver.queries.length;
    const find = openDane("good.test", options());
    assert.equal(resolver.queries.length, asked);
    await find("mx.good.test", 25);
    assert.deepEqual(resolver.queries.slice(asked).toSorted(), [
      "udp A mx.good.test",
      "udp AAAA mx.good.test",
      "udp MX good.test",
      "udp TLSA _25._tcp.mx.good.test",
    ]);
  });

  test("no TLSA of an unsigned zone, whose servers may fail for it (RFC 7672 §2.2.2)", async () => {
    const asked = resolver.queries.length;
    await openDane("good.test", options())("cut.good.test", 25);
    assert.ok(resolver.queries.slice(asked).every((query) => !query.includes("TLSA")));
  });
});

test("whatever a TLSA record holds, it is used, or passed over, and never thrown at", async () => {
  let records: readonly string[] = [];
  const fuzzed = await serveDns(
    { ...zone, "_25._tcp.bare.good.test": { get TLSA() { return records; } } }, // prettier-ignore
    () => {},
    { validates: true },
  );
  const octet = fc.oneof(fc.nat(3), fc.nat(255));
  const data = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString("hex"));
  const record = fc.tuple(octet, octet, octet, data).map((parts) => parts.join(" "));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(record, { minLength: 1, maxLength: 8 }), async (some) => {
      records = some;
      const found = await openDane("good.test", options({ server: fuzzed.server }))("bare.good.test", 25);
      assert.ok(found.kind === "records" || found.kind === "unusable", found.text);
      if (found.kind === "records") assert.ok(found.records.every(({ usage }) => usage === 2 || usage === 3));
    }),
    { numRuns: 60 },
  );
  await fuzzed.close();
});
