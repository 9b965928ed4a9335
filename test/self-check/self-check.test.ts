// The self-check as a whole, over a real DNS server and real mail hosts: port 25, what hosts say of our address, and that
// nothing in DNS makes it throw.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { probe } from "../../functions/route/attempts.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import { direct, type Egress } from "../../functions/route/egress.ts";
import type { Check, Standing } from "../../functions/self-check/found.ts";
import type { SelfCheckOptions } from "../../functions/self-check/options.ts";
import { selfCheck } from "../../functions/self-check/self-check.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";
import { serveDns, type DnsServer, type Records, type Zone } from "../route/dns-server.ts";
import { rawProxy, startHttpConnect, startSocks5 } from "../support/proxies.ts";
import { requestTo } from "../support/request.ts";
import { address, address6, egress, goodZone, helo, optionsFor } from "./setup.ts";

const thread = new MailHosts();
after(async () => await thread.close());

const good = "S: 220 mx.example\nC~ ^EHLO\nS: 250 mx.example\nC: QUIT\nS: 221 bye";

async function play(script: string): Promise<MailHost> {
  return await thread.start(parseDialog(`# as the test says\n${script}`, "inline.smtp"), { repeat: true });
}

type Place = Pick<MailHost, "address" | "port"> | "nowhere";

/** Where domains lead: to these hosts, or through DNS. */
function opening(
  dns: DnsServer,
  places: Readonly<Record<string, Place>>,
  more: Partial<ProbeRequest> = {},
): Pick<SelfCheckOptions, "ask" | "open"> {
  const open: SelfCheckOptions["open"] = async (domain) => {
    const place = places[domain] ?? "nowhere";
    const hosts = place === "nowhere" ? null : [{ name: place.address, port: place.port }];
    const shared = { depth: "ehlo", helo, egress, resolver: dns.server, timeoutMs: 1_000, ...more } as const;
    return await probe(requestTo([`postmaster@${domain}`], hosts, shared));
  };
  return { ask: Object.keys(places), open };
}

function checkOf(checks: readonly Check[], name: Check["check"]): Check {
  return checks.find(({ check }) => check === name) ?? assert.fail(`there is no check ${name}`);
}

/** Nobody listens there. */
const closed = { address: "127.0.0.1", port: 1 };

describe("the whole", () => {
  it("is ok where all is as it must be; DNS is asked meanwhile, and one host up to EHLO", async () => {
    await using host = await play(good.replace("EHLO", "EHLO probe\\.example$"));
    await using other = await play(good);
    const dns = await serveDns(goodZone);
    const document = await selfCheck(optionsFor(dns, opening(dns, { "one.example": host, "two.example": other })));
    await dns.close();
    const { at, checks, ...rest } = document;
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
    assert.deepEqual(rest, {
      v: 1,
      egress: { name: "mail-1", address, seen: null },
      helo: "probe.example",
      sender: "probe@sender.example",
      standing: "ok",
    });
    assert.deepEqual(
      checks.map(({ check, standing }) => [check, standing]),
      ["address", "helo", "reverse-dns", "sender", "spf", "port-25", "blocklists"].map((check) => [check, "ok"]),
    );
    assert.deepEqual([await host.result(), await host.connections(), await other.connections()], [[], 1, 0]);
  });

  for (const [standings, expected] of [
    [["SERVFAIL", []], "unknown"],
    [["SERVFAIL", ["10 none.example"]], "fault"],
    [[["v=spf1 +all"], ["10 mx.sender.example"]], "ok"],
  ] as const) {
    it(`is ${expected} with SPF and MX ${JSON.stringify(standings)}: a fault before what is not known`, async () => {
      const [TXT, MX] = standings;
      await using host = await play(good);
      const records: Records = MX.length === 0 ? { TXT, A: ["192.0.2.80"] } : { TXT, MX };
      const dns = await serveDns({ ...goodZone, "sender.example": records });
      const { standing } = await selfCheck(optionsFor(dns, opening(dns, { "one.example": host })));
      await dns.close();
      assert.equal(standing, expected);
    });
  }

  it("has the address that a host says, where none is configured, and checks that one", async () => {
    await using host = await play(`S: 554 5.7.1 Client host [${address}] blocked\nS! fin`);
    const dns = await serveDns({ ...goodZone, [`25.2.0.192.zen.spamhaus.org`]: { A: ["127.0.0.2"] } });
    const unknown = { egress: { ...direct, name: "direct" } };
    const document = await selfCheck(
      optionsFor(dns, { ...opening(dns, { "one.example": host }, unknown), ...unknown }),
    );
    await dns.close();
    assert.deepEqual(document.egress, { name: "direct", address, seen: address });
    assert.equal(checkOf(document.checks, "address").text, `127.0.0.1 sees us come from ${address}`);
    const standings = document.checks.map(({ check, standing }) => [check, standing]);
    const rest = ["address", "helo", "reverse-dns", "sender", "spf", "port-25"].map((check) => [check, "ok"]);
    assert.deepEqual(standings, [...rest, ["blocklists", "fault"]]);
  });

  it("tells of a NAT that a host sees", async () => {
    await using host = await play(good.replace("250 mx.example", "250 mx.example Hello [198.51.100.7]"));
    const dns = await serveDns(goodZone);
    const { checks, egress: seen } = await selfCheck(optionsFor(dns, opening(dns, { "one.example": host })));
    await dns.close();
    assert.deepEqual(seen, { name: "mail-1", address, seen: "198.51.100.7" });
    const { standing, text } = checkOf(checks, "address");
    assert.equal(standing, "fault");
    assert.match(text, /^127\.0\.0\.1 sees us come from 198\.51\.100\.7, not from 192\.0\.2\.25: NAT/);
    // What providers judge is what they see.
    for (const each of ["helo", "reverse-dns", "spf", "blocklists"] as const) {
      assert.match(checkOf(checks, each).text, /198\.51\.100\.7/);
    }
  });

  it("looks an egress of IPv6 up as one", async () => {
    await using host = await play(good);
    const dns = await serveDns(goodZone);
    const six: Egress = { ...egress, address: "2001:DB8:0:0::25", families: "6" };
    const options = optionsFor(dns, { ...opening(dns, { "one.example": host }, { egress: { ...six, families: "both" } }), egress: six }); // prettier-ignore
    const document = await selfCheck(options);
    await dns.close();
    assert.deepEqual([document.standing, document.egress.address], ["ok", address6], JSON.stringify(document));
  });
});

// prettier-ignore
const reaches: readonly (readonly [what: string, says: readonly (string | null)[], standing: Standing, text: RegExp, connections: readonly number[]])[] = [
  ["greets",                             [good], "ok", /^127\.0\.0\.1 answers on port \d+$/, [1]],
  ["refuses in its greeting: it is there", ["S: 554 5.7.1 go away\nS! fin"], "ok", /answers on port/, [1]],
  ["refuses EHLO: it is there",          ["S: 220 mx\nC~ ^EHLO\nS: 550 5.7.1 no\nS! rst"], "ok", /answers on port/, [1]],
  ["is not there",                       [null], "fault", /^no host of d0\.example is reached on port 1: it is closed on the way out, unless all of them are down \(127\.0\.0\.1: no connection: .*ECONNREFUSED/, []],
  ["is not there, and the next greets",  [null, good], "ok", /answers on port/, [1]],
  ["greets, and the next is not asked",  [good, good], "ok", /answers on port/, [1, 0]],
  ["is not there, nor are four others: three are asked", [null, null, null, good], "fault", /^no host of d0\.example, d1\.example, d2\.example is reached on port 1:/, [0]],
  ["takes the connection and is silent", ["S! hang"], "unknown", /^127\.0\.0\.1 takes connections on port \d+, and no host greets: no answer while waiting for the greeting/, [1]],
  ["takes the connection and resets it", ["S! rst"], "unknown", /^127\.0\.0\.1 takes connections on port \d+, and no host greets: connection reset/, [1]],
  ["is silent, and the next greets",     ["S! hang", good], "ok", /answers on port/, [1, 1]],
  ["is no mail host",                    ["S: SSH-2.0-OpenSSH_9.6\nS! fin"], "unknown", /takes connections on port \d+, and no host greets/, [1]],
];

describe("port 25: a host that", () => {
  for (const [what, says, standing, text, connections] of reaches) {
    it(`${what}: ${standing}`, async () => {
      const hosts = await Promise.all(says.map(async (each) => (each === null ? null : await play(each))));
      const dns = await serveDns(goodZone);
      const places = Object.fromEntries(hosts.map((each, at) => [`d${at}.example`, each ?? closed]));
      const { checks } = await selfCheck(optionsFor(dns, opening(dns, places)));
      await dns.close();
      const found = checkOf(checks, "port-25");
      assert.equal(found.standing, standing, found.text);
      assert.match(found.text, text);
      assert.equal(found.remedy === null, standing === "ok");
      const asked = await Promise.all(hosts.flatMap((each) => each?.connections() ?? []));
      assert.deepEqual(asked, connections);
      await Promise.all(hosts.map(async (each) => await each?.close()));
    });
  }

  // prettier-ignore
  const ways: readonly (readonly [what: string, zone: Zone, text: RegExp])[] = [
    ["does not exist",      {}, /^no host could be asked: DNS: there is no domain one\.example \(NXDOMAIN\)$/],
    ["DNS does not tell",   { "one.example": "SERVFAIL" }, /^no host could be asked: DNS: SERVFAIL for MX one\.example/],
    ["DNS is silent about", { "one.example": "silent" }, /^no host could be asked: DNS: no answer within 1000 ms/],
    ["is guarded",          { "one.example": { MX: ["10 mx.one.example"] }, "mx.one.example": { A: ["127.0.0.1"] } }, /^no host could be asked: mx\.one\.example leads to 127\.0\.0\.1 \(loopback\), which is not dialled/],
  ];
  for (const [what, zone, text] of ways) {
    it(`${what}: unknown, and no word of a closed port`, async () => {
      const dns = await serveDns({ ...goodZone, ...zone });
      const { checks } = await selfCheck(optionsFor(dns, opening(dns, { "one.example": "nowhere" })));
      await dns.close();
      const { standing, text: said, remedy } = checkOf(checks, "port-25");
      assert.equal(standing, "unknown", said);
      assert.match(said, text);
      assert.match(remedy?.text ?? "", /see that the resolver answers/);
    });
  }

  it("nobody is configured to be asked: unknown", async () => {
    const dns = await serveDns(goodZone);
    const { checks } = await selfCheck(optionsFor(dns));
    await dns.close();
    assert.deepEqual([checkOf(checks, "port-25").standing, checkOf(checks, "port-25").text], ["unknown", "no domain is configured whose hosts could be asked"]); // prettier-ignore
  });

  it("cannot be asked from an address that this machine does not have: a fault, and nobody is dialled", async () => {
    await using host = await play(good);
    const dns = await serveDns(goodZone);
    const bound: Egress = { ...egress, via: { type: "direct", bind: "203.0.113.99" } };
    const options = { ...opening(dns, { "one.example": host }, { egress: bound }), egress: bound };
    const { checks, standing } = await selfCheck(optionsFor(dns, options));
    await dns.close();
    assert.equal(standing, "fault");
    assert.match(checkOf(checks, "address").text, /^egress mail-1: 203\.0\.113\.99 is not an address of this machine/);
    assert.equal(checkOf(checks, "port-25").standing, "unknown");
    assert.equal(await host.connections(), 0);
  });
});

describe("port 25 through a proxy", () => {
  const throughTo = async (via: Egress["via"], place: Place): Promise<Check> => {
    const dns = await serveDns(goodZone);
    const proxied: Egress = { ...egress, via };
    const options = { ...opening(dns, { "one.example": place }, { egress: proxied }), egress: proxied };
    const { checks } = await selfCheck(optionsFor(dns, options));
    await dns.close();
    return checkOf(checks, "port-25");
  };
  const credentials = { username: "us", password: "a-secret" };

  it("is open where the proxy leads to a host that greets", async () => {
    await using host = await play(good);
    await using socks = await startSocks5(credentials);
    await using http = await startHttpConnect(credentials);
    const own = { passesNames: false, credentials };
    for (const via of [
      { type: "socks5", host: socks.host, port: socks.port, ...own },
      { type: "http-connect", host: http.host, port: http.port, tls: null, ...own },
    ] as const) {
      const { standing, text } = await throughTo(via, host);
      assert.deepEqual([standing, text], ["ok", `127.0.0.1 answers on port ${host.port}`]);
    }
    assert.deepEqual([socks.connections(), http.connections()], [1, 1]);
  });

  // prettier-ignore
  const faults: readonly (readonly [what: string, octets: string | null, text: RegExp])[] = [
    ["is not there",      null, /^no host is reached through the proxy: the proxy http-connect 127\.0\.0\.1:\d+ cannot be reached: ECONNREFUSED$/],
    ["does not know us",  "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", /^no host is reached through the proxy: the proxy .*407/],
    ["may not go there",  "HTTP/1.1 403 Forbidden\r\n\r\n", /^no host is reached through the proxy: the proxy .*403/],
    ["is no proxy",       "220 mx.example ESMTP\r\n", /^no host is reached through the proxy: /],
  ];
  for (const [what, octets, text] of faults) {
    it(`that ${what}: a fault of the proxy's, its password nowhere`, async () => {
      await using host = await play(good);
      await using proxy = await rawProxy(async ({ received, say, fin }) => {
        await received(10);
        say(octets ?? "");
        fin();
      });
      if (octets === null) await proxy.close();
      const way = { host: proxy.host, port: proxy.port, tls: null, passesNames: false, credentials };
      const found = await throughTo({ type: "http-connect", ...way }, host);
      assert.equal(found.standing, "fault", JSON.stringify(found));
      assert.match(found.text, text);
      assert.match(found.remedy?.text ?? "", /^See that the proxy runs, knows us/);
      assert.ok(!JSON.stringify(found).includes("a-secret"));
      assert.equal(await host.connections(), 0);
    });
  }
});

describe("DNS that", () => {
  it("is dead ends the check, and is told as what it is, not as faults of ours", async () => {
    const dns = await serveDns({});
    await dns.close();
    await using host = await play(good);
    const { checks } = await selfCheck(optionsFor(dns, opening(dns, { "one.example": host })));
    assert.deepEqual(
      checks.map(({ check, standing }) => [check, standing]),
      [
        ["address", "ok"],
        ["helo", "unknown"],
        ["reverse-dns", "unknown"],
        ["sender", "unknown"],
        ["spf", "unknown"],
        ["port-25", "ok"],
        ["blocklists", "unknown"],
      ],
    );
  });

  it("is silent about all costs the look-ups' limit, several of them at the same time", async () => {
    const names = [...Object.keys(goodZone), "25.2.0.192.zen.spamhaus.org"];
    const dns = await serveDns(Object.fromEntries(names.map((name) => [name, "silent"])));
    const began = performance.now();
    const lookup = { server: dns.server, timeoutMs: 500, families: "both" } as const;
    const { standing } = await selfCheck(optionsFor(dns, { lookup }));
    await dns.close();
    assert.equal(standing, "unknown");
    assert.ok(performance.now() - began < 10_000);
  });

  it("is given up when who asks gives up: the document says so", async () => {
    const dns = await serveDns({ "probe.example": "silent", "sender.example": "silent" });
    const abort = new AbortController();
    const lookup = { server: dns.server, timeoutMs: 60_000, families: "both", signal: abort.signal } as const;
    const document = selfCheck(optionsFor(dns, { lookup }));
    setTimeout(() => abort.abort(), 50);
    const { checks } = await document;
    await dns.close();
    assert.deepEqual([checkOf(checks, "helo").standing, checkOf(checks, "sender").standing], ["unknown", "unknown"]);
    assert.match(checkOf(checks, "helo").text, /^DNS: given up for/);
  });

  it("says anything at all makes a document, and throws nothing", async () => {
    const zone: Record<string, Zone[string]> = {};
    const dns = await serveDns(zone);
    try {
      await fc.assert(
        fc.asyncProperty(anyZone, fc.constantFrom("probe@sender.example", ""), async (records, from) => {
          for (const name of Object.keys(zone)) Reflect.deleteProperty(zone, name);
          Object.assign(zone, records);
          const lookup = { server: dns.server, timeoutMs: 5_000, families: "both" } as const;
          const document = await selfCheck(optionsFor(dns, { from, lookup }));
          assert.equal(document.checks.length, 7);
          for (const { text, remedy, standing } of document.checks) {
            assert.ok(text !== "" && text.length < 4_000 && text.isWellFormed(), text);
            assert.equal(remedy === null, standing === "ok");
          }
        }),
        { numRuns: 150 },
      );
    } finally {
      await dns.close();
    }
  });
});

/** Octets as a TXT or a name has them, and near misses of what is read there. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ maxLength: 250 }),
  fc.constantFrom("v=spf1", "v=spf1 include:sender.example", "v=spf1 redirect=%{d} exists:%{p}.%{l}.%{z} a:%{", "v=spf1 mx ptr a:\u0000 ip4:/33 ~all"), // prettier-ignore
);
const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
const hostName = fc.oneof(
  fc.constantFrom("probe.example", "sender.example", ".", "192.0.2.25", "25.2.0.192.in-addr.arpa"),
  fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join(".")),
);
const failure = fc.constantFrom("SERVFAIL", "REFUSED", "NXDOMAIN", "malformed") as fc.Arbitrary<"SERVFAIL">;
const records: fc.Arbitrary<Records> = fc.record(
  {
    A: fc.oneof(failure, fc.array(fc.oneof(fc.ipV4(), fc.constantFrom(address, "127.255.255.254", "127.0.0.10")))),
    AAAA: fc.oneof(failure, fc.array(fc.ipV6())),
    MX: fc.oneof(failure, fc.array(fc.tuple(fc.nat(65_535), hostName).map(([at, name]) => `${at} ${name}`))),
    TXT: fc.oneof(failure, fc.array(text, { maxLength: 4 })),
    PTR: fc.oneof(failure, fc.array(hostName, { maxLength: 15 })),
  },
  { requiredKeys: [] },
);
const lists = ["zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org"];
const names = [...Object.keys(goodZone), ...lists.flatMap((zone) => [`25.2.0.192.${zone}`, `1.0.0.127.${zone}`])];
const anyZone: fc.Arbitrary<Zone> = fc
  .tuple(...names.map((name) => fc.option(fc.oneof(failure, records)).map((its) => [name, its] as const)))
  .map((rows) => Object.fromEntries(rows.flatMap(([name, its]) => (its === null ? [] : [[name, its]]))));
