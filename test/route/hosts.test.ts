import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import nodeDns from "node:dns";
import { once } from "node:events";
import type { NetworkInterfaceInfo } from "node:os";
import { after, before, suite, test } from "node:test";
import * as packets from "dns-packet";
import type { Answer } from "dns-packet";
import fc from "fast-check";
import { dnsEndpoint } from "../../functions/route/dns-servers.ts";
import { findAddresses, findHosts, preferredFamily } from "../../functions/route/hosts.ts";
import type { FoundAddresses, FoundHosts, LookupOptions, Nowhere } from "../../functions/route/hosts.ts";
import type { Family } from "../../functions/smtp/ip-address.ts";
import { type DnsServer, serveDns, type Zone } from "./dns-server.ts";

const many = Array.from({ length: 100 }, (_, index) => `10 mx${index}.a-name-long-enough-to-fill-a-datagram.test`);

const zone: Zone = {
  "plain.test": { MX: ["20 mx2.plain.test", "10 MX1.Plain.test", "30 mx3.plain.test"] },
  "mx1.plain.test": { A: ["192.0.2.1", "192.0.2.2"], AAAA: ["2001:db8::1"] },
  "mx2.plain.test": { CNAME: ["alias.plain.test"] },
  "alias.plain.test": { CNAME: ["real.plain.test"] },
  "real.plain.test": { A: ["192.0.2.3"] },
  "mx3.plain.test": { AAAA: ["2001:db8::3"] },
  "twice.test": { MX: ["20 mx.twice.test", "10 mx.twice.test", "15 other.twice.test"] },
  "equal.test": { MX: ["10 a.test", "10 b.test", "10 c.test", "5 first.test", "20 last.test"] },
  "many.test": { MX: many },
  "implicit.test": { A: ["192.0.2.4"] },
  "implicit6.test": { AAAA: ["2001:db8::4"] },
  "implicit-half.test": { A: ["192.0.2.4"], AAAA: "SERVFAIL" },
  "implicit-broken.test": { A: "SERVFAIL" },
  "cname.test": { CNAME: ["plain.test"] },
  "cname-implicit.test": { CNAME: ["implicit.test"] },
  "cname-nowhere.test": { CNAME: ["absent.test"] },
  "cname-loop.test": { CNAME: ["cname-loop.test"] },
  "null.test": { MX: ["0 ."], A: ["192.0.2.5"] },
  "null10.test": { MX: ["10 ."] },
  "null-beside.test": { MX: ["0 .", "10 mx1.plain.test"] },
  "numeric.test": { MX: ["10 192.0.2.6"] },
  "odd.test": { MX: ["10 \u001b[31m.test"] },
  "text-only.test": { TXT: ["no mail, no host"] },
  "servfail.test": "SERVFAIL",
  "refused.test": "REFUSED",
  "silent.test": "silent",
  "garbage.test": "garbage",
  "malformed.test": "malformed",
  "half.test": { A: ["192.0.2.7"], AAAA: "SERVFAIL" },
  "half-silent.test": { A: ["192.0.2.7"], AAAA: "silent" },
  "half-absent.test": { A: "NXDOMAIN", AAAA: ["2001:db8::7"] },
  "half-failed.test": { AAAA: "REFUSED" },
};

let dns: DnsServer;
before(async () => {
  dns = await serveDns(zone);
});
after(() => dns.close());

function options(more: Partial<LookupOptions> = {}): LookupOptions {
  return { server: dns.server, timeoutMs: 5_000, families: "both", ...more };
}

async function outcomeOf(domain: string, more: Partial<LookupOptions> = {}): Promise<string> {
  const found = await findHosts(domain, options(more));
  if (found.kind === "none") return `${found.outcome} ${found.status}`;
  const names = found.hosts.map(
    ({ name, preference, implicit }) => `${name} ${preference}${implicit ? " implicit" : ""}`,
  );
  return names.join(", ");
}

suite("the hosts of a domain", () => {
  // prettier-ignore
  const cases: readonly (readonly [domain: string, expected: string])[] = [
    ["plain.test",           "mx1.plain.test 10, mx2.plain.test 20, mx3.plain.test 30"],
    ["twice.test",           "mx.twice.test 10, other.twice.test 15"],
    ["cname.test",           "mx1.plain.test 10, mx2.plain.test 20, mx3.plain.test 30"],
    ["implicit.test",        "implicit.test 0 implicit"],
    ["implicit6.test",       "implicit6.test 0 implicit"],
    ["implicit-half.test",   "implicit-half.test 0 implicit"],
    ["cname-implicit.test",  "cname-implicit.test 0 implicit"],
    ["null-beside.test",     ". 0, mx1.plain.test 10"],
    ["numeric.test",         "192.0.2.6 10"],
    ["[192.0.2.8]",          "192.0.2.8 0"],
    ["[IPv6:2001:db8::8]",   "2001:db8::8 0"],
    ["null.test",            "rejected 5.1.10"],
    ["null10.test",          "rejected 5.1.10"],
    ["absent.test",          "rejected 5.1.2"],
    ["cname-nowhere.test",   "rejected 5.1.2"],
    ["cname-loop.test",      "rejected 5.1.2"],
    ["text-only.test",       "rejected 5.1.2"],
    ["implicit-broken.test", "unanswered null"],
    ["servfail.test",        "unanswered null"],
    ["refused.test",         "unanswered null"],
    ["garbage.test",         "unanswered null"],
    ["malformed.test",       "unanswered null"],
    [`${"a".repeat(64)}.test`, "unanswered null"],
  ];
  for (const [domain, expected] of cases) test(domain, async () => assert.equal(await outcomeOf(domain), expected));

  // prettier-ignore
  const texts: readonly (readonly [domain: string, text: RegExp])[] = [
    ["servfail.test",        /^DNS: SERVFAIL for MX servfail\.test from 127\.0\.0\.1:\d+$/],
    ["refused.test",         /^DNS: REFUSED for MX refused\.test from/],
    ["malformed.test",       /^DNS: a malformed answer for MX malformed\.test from/],
    ["implicit-broken.test", /^DNS: SERVFAIL for A implicit-broken\.test from/],
    ["absent.test",          /^DNS: there is no domain absent\.test \(NXDOMAIN\)$/],
    ["null.test",            /^DNS: null\.test takes no mail: its MX is null$/],
    ["text-only.test",       /^DNS: text-only\.test takes no mail: it has no MX and no address$/],
  ];
  for (const [domain, text] of texts) {
    test(`${domain} in words`, async () => assert.match(nowhere(await findHosts(domain, options())).text, text));
  }

  // prettier-ignore
  const faults: readonly (readonly [domain: string, fault: RegExp])[] = [
    ["null-beside.test", /null MX beside others, which RFC 7505 §3 forbids$/],
    ["numeric.test",     /^DNS: the MX of numeric\.test is the address 192\.0\.2\.6, where a host's name belongs$/],
    ["odd.test",         /^DNS: the MX of odd\.test is no host's name: "[ -~]+"$/],
  ];
  for (const [domain, fault] of faults) {
    test(`${domain}: the record that names no host says so`, async () => {
      assert.match(hosts(await findHosts(domain, options())).hosts[0]?.fault ?? "", fault);
    });
  }
  test("a record that names a host has no fault", async () => {
    const found = hosts(await findHosts("null-beside.test", options()));
    assert.equal(found.hosts[1]?.fault, null);
  });

  test("an address literal is looked up nowhere", async () => {
    const asked = dns.queries.length;
    await findHosts("[192.0.2.8]", options());
    await findAddresses("192.0.2.8", options());
    assert.equal(dns.queries.length, asked);
  });

  test("an answer too long for a datagram is read whole, over TCP", async () => {
    const asked = dns.queries.length;
    const found = hosts(await findHosts("many.test", options()));
    assert.equal(found.hosts.length, many.length);
    assert.deepEqual(dns.queries.slice(asked), ["udp MX many.test", "tcp MX many.test"]);
  });

  test("a refusal by DNS is asked for once", async () => {
    const asked = dns.queries.length;
    await findHosts("servfail.test", options());
    assert.deepEqual(dns.queries.slice(asked), ["udp MX servfail.test"]);
  });
});

suite("hosts of one preference", () => {
  test("chance decides their order, and only theirs", async () => {
    const orders = new Map<string, number>();
    for (let run = 0; run < 120; run++) {
      const { hosts: found } = hosts(await findHosts("equal.test", options()));
      assert.deepEqual([found[0]?.name, found[4]?.name], ["first.test", "last.test"]);
      const order = found.slice(1, 4).map(({ name }) => name[0]).join(""); // prettier-ignore
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    // That one of the six is missing after 120 runs has a chance of 6 · (5/6)^120: two in a thousand million.
    assert.deepEqual([...orders.keys()].toSorted(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
  });

  test("the given chance is used", async () => {
    const tickets = [0.9, 0.1, 0.5, 0, 0];
    const found = hosts(await findHosts("equal.test", options(), () => tickets.shift() ?? 0));
    assert.deepEqual(
      found.hosts.map(({ name }) => name),
      ["first.test", "b.test", "c.test", "a.test", "last.test"],
    );
  });
});

async function addressesOf(name: string, more: Partial<LookupOptions> = {}, prefer: Family = "4"): Promise<string> {
  const found = await findAddresses(name, options(more), "by-mx", prefer);
  if (found.kind === "none") return `${found.outcome} ${found.status}`;
  for (const { address, family } of found.addresses) assert.equal(family, /:(?!.*\.)/.test(address) ? "6" : "4");
  return found.addresses.map(({ address }) => address).join(" ") + (found.fault === null ? "" : " +fault");
}

suite("the addresses of a host", () => {
  // prettier-ignore
  const cases: readonly (readonly [name: string, families: "both" | "4" | "6", prefer: Family, expected: string])[] = [
    ["mx1.plain.test",   "both", "4", "192.0.2.1 2001:db8::1 192.0.2.2"],
    ["mx1.plain.test",   "both", "6", "2001:db8::1 192.0.2.1 192.0.2.2"],
    ["mx1.plain.test",   "4",    "6", "192.0.2.1 192.0.2.2"],
    ["mx1.plain.test",   "6",    "4", "2001:db8::1"],
    ["mx2.plain.test",   "both", "4", "192.0.2.3"],
    ["mx3.plain.test",   "both", "4", "2001:db8::3"],
    ["mx3.plain.test",   "4",    "4", "no-family null"], // our limit, not the host's lack
    ["192.0.2.9",        "both", "4", "192.0.2.9"],
    ["192.0.2.9",        "6",    "4", "no-family null"],
    ["2001:db8::9",      "both", "4", "2001:db8::9"],
    ["::ffff:192.0.2.9", "4",    "4", "::ffff:192.0.2.9"],
    ["::ffff:192.0.2.9", "6",    "4", "no-family null"],
    ["text-only.test",   "both", "4", "rejected 5.4.4"],
    ["absent.test",      "both", "4", "rejected 5.4.4"],
    ["absent.test",      "4",    "4", "rejected 5.4.4"],
    ["servfail.test",    "both", "4", "unanswered null"],
    ["half.test",        "both", "4", "192.0.2.7 +fault"],
    ["half-absent.test", "both", "4", "2001:db8::7"],
    ["half-failed.test", "both", "4", "unanswered null"],
  ];
  for (const [name, families, prefer, expected] of cases) {
    test(`${name}, ${families}, IPv${prefer} first`, async () => {
      assert.equal(await addressesOf(name, { families }, prefer), expected);
    });
  }

  test("one family's silence does not hide the other", async () => {
    assert.equal(await addressesOf("half-silent.test", { timeoutMs: 300 }), "192.0.2.7 +fault");
    const began = performance.now();
    const found = await findAddresses("half-silent.test", options({ timeoutMs: 60_000 }));
    assert.ok(performance.now() - began < 20_000, "of a minute, three seconds");
    assert.match(found.kind === "addresses" ? (found.fault ?? "") : "", /^DNS: given up for AAAA half-silent\.test$/);
  });

  test("a family that is not allowed is not asked for", async () => {
    const asked = dns.queries.length;
    await findAddresses("mx1.plain.test", options({ families: "4" }));
    assert.deepEqual(dns.queries.slice(asked), ["udp A mx1.plain.test"]);
  });

  test("a host named by hand is looked up as the system does it", async () => {
    const found = await findAddresses("localhost", options({ server: null }), "by-hand");
    assert.ok(found.kind === "addresses");
    assert.ok(found.addresses.some(({ address }) => address === "127.0.0.1" || address === "::1"));
  });

  test("a host named by hand is asked of the DNS server, where one is given", async () => {
    const found = await findAddresses("real.plain.test", options(), "by-hand");
    assert.deepEqual(found.kind === "addresses" && found.addresses, [{ address: "192.0.2.3", family: "4" }]);
  });

  test("a name given by hand that does not exist is the operator's slip, no rejection", async () => {
    const { outcome, text } = nowhere(await findAddresses("absent.test", options(), "by-hand"));
    assert.equal(outcome, "unanswered");
    assert.match(text, /there is no host absent\.test/);
  });
});

suite("limits", () => {
  test("a silent server is asked twice, and not waited for beyond the limit", async () => {
    const asked = dns.queries.length;
    const started = performance.now();
    const found = nowhere(await findHosts("silent.test", options({ timeoutMs: 300 })));
    const elapsedMs = performance.now() - started;
    assert.ok(elapsedMs >= 290 && elapsedMs < 3_000, `${elapsedMs} ms`);
    assert.equal(found.outcome, "unanswered");
    assert.match(found.text, /^DNS: no answer within 300 ms for MX silent\.test from 127\.0\.0\.1:\d+$/);
    assert.deepEqual(dns.queries.slice(asked), ["udp MX silent.test", "udp MX silent.test"]);
  });

  test("a question that was lost is asked once more", async () => {
    let lost = 0;
    const flaky = await serveDns({ "flaky.test": { get MX() { return lost++ === 0 ? "silent" : ["10 mx.flaky.test"]; } } }); // prettier-ignore
    try {
      assert.equal(await outcomeOf("flaky.test", { server: flaky.server, timeoutMs: 3_000 }), "mx.flaky.test 10");
      assert.equal(flaky.queries.length, 2);
    } finally {
      await flaky.close();
    }
  });

  test("an answer that takes longer than the resolver's library would wait is waited for", async () => {
    const udp = createSocket("udp4");
    udp.on("message", (query, peer) => {
      const { id = 0, questions = [] } = packets.decode(query);
      const answers: Answer[] = [{ type: "MX", name: "slow.test", data: { preference: 10, exchange: "mx.slow.test" } }];
      const answer = packets.encode({ type: "response", id, questions, answers });
      setTimeout(() => udp.send(answer, peer.port, peer.address), 5_600);
    });
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    try {
      const server = `127.0.0.1:${udp.address().port}`;
      assert.equal(await outcomeOf("slow.test", { server, timeoutMs: 20_000 }), "mx.slow.test 10");
    } finally {
      udp.close();
    }
  });

  test("an answer that came while the loop was busy is read, though every limit has passed", async () => {
    const busy = await serveDns({ "busy.test": { MX: ["10 mx.busy.test"] } }, () => {
      const until = performance.now() + 400;
      while (performance.now() < until);
    });
    try {
      for (let run = 0; run < 3; run++) {
        assert.equal(await outcomeOf("busy.test", { server: busy.server, timeoutMs: 60 }), "mx.busy.test 10");
      }
      assert.equal(busy.queries.length, 3);
    } finally {
      await busy.close();
    }
  });

  test("a signal ends a look-up, also one given before it began", async () => {
    const controller = new AbortController();
    const asked = dns.queries.length;
    setTimeout(() => controller.abort(), 30);
    for (let run = 0; run < 2; run++) {
      const started = performance.now();
      const { outcome, text } = nowhere(
        await findHosts("silent.test", options({ timeoutMs: 60_000, signal: controller.signal })),
      );
      assert.ok(performance.now() - started < 5_000);
      assert.equal(outcome, "unanswered");
      assert.match(text, /^DNS: given up/);
    }
    assert.equal(dns.queries.length, asked + 1);
    const byHand = await findAddresses("localhost", options({ server: null, signal: controller.signal }), "by-hand");
    // The system may be the quicker one.
    assert.ok(byHand.kind === "addresses" || byHand.outcome === "unanswered");
  });

  test("where nothing listens, it says so at once", async () => {
    const gone = await serveDns({});
    await gone.close();
    const { outcome, text } = nowhere(await findHosts("plain.test", options({ server: gone.server })));
    assert.equal(outcome, "unanswered");
    assert.match(text, /^DNS: no server for MX plain\.test from/);
  });
});

suite("the process's own servers", () => {
  test("the next is asked after one that fails, is gone or is silent", async () => {
    const failing = await serveDns({ "plain.test": "SERVFAIL", "many.test": "silent" });
    const gone = await serveDns({});
    await gone.close();
    try {
      nodeDns.setServers([failing.server, gone.server, dns.server]);
      assert.match(await outcomeOf("plain.test", { server: null }), /^mx1\.plain\.test 10/);
      assert.match(await outcomeOf("many.test", { server: null, timeoutMs: 600 }), /^mx/);
      nodeDns.setServers([failing.server, gone.server]);
      assert.match(
        nowhere(await findHosts("plain.test", options({ server: null }))).text,
        /^DNS: SERVFAIL for MX plain\.test/,
      );
    } finally {
      await failing.close();
    }
  });

  test("what one of them said is told, also where the look-up was given up while another was silent", async () => {
    const failing = await serveDns({ "silent.test": "SERVFAIL" });
    const before = nodeDns.getServers();
    try {
      nodeDns.setServers([failing.server, dns.server]);
      const signal = AbortSignal.timeout(300);
      const { text } = nowhere(await findHosts("silent.test", options({ server: null, timeoutMs: 60_000, signal })));
      assert.match(text, /^DNS: SERVFAIL for MX silent\.test/);
    } finally {
      nodeDns.setServers(before);
      await failing.close();
    }
  });
});

suite("whatever a server answers", () => {
  test("nothing is thrown, and it ends in time", async () => {
    let octets: Uint8Array = new Uint8Array();
    const udp = createSocket("udp4");
    udp.on("message", (query, peer) => {
      // The identifier and the question are right, so that the rest is read.
      const answer = Buffer.concat([
        query.subarray(0, 2),
        Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]),
        questionOf(query),
        octets,
      ]);
      udp.send(answer, peer.port, peer.address);
    });
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    const server = `127.0.0.1:${udp.address().port}`;
    const head = [0xc0, 0x0c, 0, 15, 0, 1, 0, 0, 0, 60];
    try {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.boolean(), async (tail, likely) => {
          octets = likely ? Buffer.from([...head, 0, tail.length, ...tail]) : tail;
          const found = await findHosts("fuzz.test", options({ server, timeoutMs: 60 }));
          for (const { name, fault } of found.kind === "hosts" ? found.hosts : []) {
            assert.match(fault ?? name, /^[ -~§]+$/);
          }
          if (found.kind === "none") assert.match(found.text, /^DNS: /);
        }),
        { numRuns: 200 },
      );
    } finally {
      udp.close();
    }
  });
});

suite("which family first", () => {
  // prettier-ignore
  const cases: readonly (readonly [addresses: readonly string[], expected: Family])[] = [
    [[],                                                     "4"],
    [["127.0.0.1", "::1"],                                   "4"],
    [["8.8.4.4", "fe80::1"],                                 "4"],
    [["8.8.4.4", "fd00::2"],                                 "4"],
    [["8.8.4.4", "2002:808:404::1"],                         "4"],
    [["8.8.4.4", "fe80::1", "2a00:1450:4013:c00::1a"],       "6"],
    [["2a00:1450:4013:c00::1a"],                             "6"],
  ];
  for (const [addresses, expected] of cases) {
    test(`${addresses.join(" ") || "none"}: IPv${expected}`, () => {
      assert.equal(preferredFamily({ eth0: addresses.map(anInterface) }), expected);
    });
  }
});

suite("what names a DNS server", () => {
  for (const text of ["127.0.0.1", "127.0.0.1:5353", "::1", "[::1]", "[::1]:53", "2001:db8::53"]) {
    test(text, () => {
      assert.notEqual(dnsEndpoint(text), null);
      // What passes is what the resolver takes. This sends nothing.
      new nodeDns.Resolver().setServers([text]);
    });
  }
  for (const text of [
    "",
    "localhost",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:",
    "127.0.0.1:dns",
    "[127.0.0.1]",
    "[::1",
    "127.1",
    "1.1.1.1,2.2.2.2",
  ]) {
    test(`not ${JSON.stringify(text)}`, () => assert.equal(dnsEndpoint(text), null));
  }
});

test("a server that is none is a fault of ours", async () => {
  await assert.rejects(findHosts("plain.test", options({ server: "localhost" })), { code: "ERR_INVALID_IP_ADDRESS" });
});

function anInterface(address: string): NetworkInterfaceInfo {
  const shared = { address, netmask: "", mac: "", internal: false, cidr: null };
  return address.includes(":") ? { ...shared, family: "IPv6", scopeid: 0 } : { ...shared, family: "IPv4" };
}

function questionOf(query: Buffer): Buffer {
  const end = query.indexOf(0, 12);
  return query.subarray(12, end + 5);
}

function hosts(found: FoundHosts | Nowhere): FoundHosts {
  assert.ok(found.kind === "hosts");
  return found;
}

function nowhere(found: FoundHosts | FoundAddresses | Nowhere): Nowhere {
  assert.ok(found.kind === "none");
  return found;
}
