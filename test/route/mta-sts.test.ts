// MTA-STS (RFC 8461): its record and its policy as text, and the policy in force, with DNS and HTTPS as real servers.
// What a session has to do about a policy is tested elsewhere.
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import type { ServerOptions } from "node:https";
import { after, before, suite, test } from "node:test";
import fc from "fast-check";
import {
  coversHost,
  findPolicy,
  memoryCache,
  readPolicy,
  readStsRecord,
  type CachedPolicy,
  type FoundPolicy,
  type PolicyCache,
  type PolicyOptions,
} from "../../functions/route/mta-sts.ts";
import * as mailHost from "../../infra/local/mail/certificate.ts";
import { trustAuthority } from "./certificates.ts";
import { serveDns, type DnsServer, type Records, type Zone } from "./dns-server.ts";
import { saying, servePolicy, type PolicyServer } from "./policy-server.ts";

before(() => trustAuthority(true));
after(() => trustAuthority(false));

suite("the record", () => {
  // prettier-ignore
  const cases: readonly (readonly [txts: readonly string[], expected: string])[] = [
    [["v=STSv1; id=20260101T000000;"],              "id 20260101T000000"],
    [["v=STSv1; id=a"],                             "id a"],
    [["v=STSv1;id=a;"],                             "id a"],
    [["v=STSv1 \t;\t id=a \t; "],                   "id a"],
    [["v=STSv1; id=aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09"], "id aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09"],
    [["v=STSv1; more=x; id=a; x.y-z_0=!<>~;"],      "id a"],
    [["v=STSv1; id=a; id=b"],                       "id a"],
    [["google-site-verification=x", "v=STSv1; id=a", "v=spf1 -all"], "id a"],
    [["v=STSv10; id=b", "v=STSv1; id=a"],           "id a"],
    [["v=STSv1", "v=STSv1; id=a"],                  "id a"],
    [[],                                            "none: no TXT record begins with v=STSv1;"],
    [["v=spf1 -all"],                               "none: no TXT record begins with v=STSv1;"],
    [["V=STSv1; id=a"],                             "none: no TXT record begins with v=STSv1;"],
    [["v=stsv1; id=a"],                             "none: no TXT record begins with v=STSv1;"],
    [[" v=STSv1; id=a"],                            "none: no TXT record begins with v=STSv1;"],
    [["v=STSv1"],                                   "none: no TXT record begins with v=STSv1;"],
    [["id=a; v=STSv1;"],                            "none: no TXT record begins with v=STSv1;"],
    [["v=STSv1; id=a", "v=STSv1; id=a"],            "none: 2 TXT records begin with v=STSv1;, where there may be one"],
    [["v=STSv1; id=a", "v=STSv1;"],                 "none: 2 TXT records begin with v=STSv1;, where there may be one"],
    [["v=STSv1;"],                                  "none: its TXT record has no id"],
    [["v=STSv1; ID=a"],                             "none: its TXT record has no id"],
    [["v=STSv1; id="],                              `none: its TXT record has "id=", which is no field`],
    [["v=STSv1; id=a b"],                           `none: its TXT record has "id=a b", which is no field`],
    [["v=STSv1; id=a;; x=y"],                       `none: its TXT record has "", which is no field`],
    [["v=STSv1; id=a; x"],                          `none: its TXT record has "x", which is no field`],
    [["v=STSv1; id=a; x=y=z"],                      `none: its TXT record has "x=y=z", which is no field`],
    [["v=STSv1; id=a; -x=y"],                       `none: its TXT record has "-x=y", which is no field`],
    [["v=STSv1; id=a; x=\u00fc"],                   `none: its TXT record has "x=\u00fc", which is no field`],
    [["v=STSv1; id=a-b"],                           `none: its TXT record has the invalid id "a-b"`],
    [[`v=STSv1; id=${"a".repeat(33)}`],             `none: its TXT record has the invalid id "${"a".repeat(33)}"`],
  ];
  for (const [txts, expected] of cases) {
    test(JSON.stringify(txts), () => {
      const record = readStsRecord(txts.map((text) => [text]));
      assert.equal(record.kind === "record" ? `id ${record.id}` : `none: ${record.text}`, expected);
    });
  }

  test("comes in strings, which are joined without a space", () => {
    assert.deepEqual(readStsRecord([["v=STS", "v1; i", "d=20", "26;"]]), { kind: "record", id: "2026" });
  });

  test("whatever stands in TXT records, it is read or passed over in a short sentence", () => {
    const piece = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.constantFrom("v=STSv1;", "id=", ";", " ", "="),
    );
    const txt = fc.array(piece, { maxLength: 6 });
    const begun = txt.map((strings) => ["v=STSv1;", ...strings]);
    fc.assert(
      fc.property(fc.array(fc.oneof(txt, begun), { maxLength: 4 }), (txts) => {
        const record = readStsRecord(txts);
        if (record.kind === "record") assert.match(record.id, /^[a-z\d]{1,32}$/i);
        else assert.ok(record.text.length < 600);
      }),
    );
  });
});

const full = "version: STSv1\r\nmode: enforce\r\nmx: a.test\r\nmx: *.b.test\r\nmax_age: 86400\r\n";

suite("the policy", () => {
  // prettier-ignore
  const cases: readonly (readonly [title: string, text: string, expected: string])[] = [
    ["as RFC 8461 writes it",      full,                                                             "enforce a.test,*.b.test 86400"],
    ["with bare line feeds",       full.replaceAll("\r", ""),                                        "enforce a.test,*.b.test 86400"],
    ["without an end of line",     full.trim(),                                                      "enforce a.test,*.b.test 86400"],
    ["in another order",           "max_age:1\nmx:a.test\nmode:testing\nversion:STSv1",              "testing a.test 1"],
    ["with empty lines",           "\n\nversion: STSv1\n\nmode: none\n\n\nmax_age: 1\n\n",           "none  1"],
    ["with spaces around values",  "version:  STSv1 \nmode:\tnone\t\nmax_age: 1  ",                  "none  1"],
    ["with fields nobody knows",   `${full}x-more: a: b\nMode: none\n`,                              "enforce a.test,*.b.test 86400"],
    ["of none, with hosts",        "version: STSv1\nmode: none\nmx: a.test\nmax_age: 1",             "none a.test 1"],
    ["whose first fields count",   `${full}mode: none\nmax_age: 1\nversion: STSv2\n`,                "enforce a.test,*.b.test 86400"],
    ["of no time",                 "version: STSv1\nmode: none\nmax_age: 0",                         "none  0"],
    ["of the longest time",        "version: STSv1\nmode: none\nmax_age: 31557600",                  "none  31557600"],
    ["of a longer time",           "version: STSv1\nmode: none\nmax_age: 9999999999",                "none  31557600"],
    ["with U-labels",              "version: STSv1\nmode: testing\nmx: *.b\u00fccher.test\nmax_age: 1", "testing *.b\u00fccher.test 1"],
    ["empty",                      "",                                                               "it has no version"],
    ["HTML",                       "<html>\n<body>not found</body>",                                 `its line "<html>" is no field`],
    ["of another version",         full.replace("STSv1", "STSv2"),                                   `its version is "STSv2"`],
    ["of a version in small type", full.replace("STSv1", "stsv1"),                                   `its version is "stsv1"`],
    ["without a version",          full.replace("version: STSv1\r\n", ""),                           "it has no version"],
    ["with a space before a colon", full.replace("mode:", "mode :"),                                 "it has no mode"],
    ["without a mode",             full.replace("mode: enforce\r\n", ""),                            "it has no mode"],
    ["of another mode",            full.replace("enforce", "Enforce"),                               `its mode is "Enforce"`],
    ["without a time",             full.replace("max_age: 86400\r\n", ""),                           "it has no max_age"],
    ["of a time before",           full.replace("86400", "-1"),                                      `its max_age is "-1"`],
    ["of half a second",           full.replace("86400", "0.5"),                                     `its max_age is "0.5"`],
    ["of eleven digits",           full.replace("86400", "10000000000"),                             `its max_age is "10000000000"`],
    ["of no number",               full.replace("86400", "1d"),                                      `its max_age is "1d"`],
    ["without hosts",              "version: STSv1\nmode: enforce\nmax_age: 1",                      "it has no mx"],
    ["in testing without hosts",   "version: STSv1\nmode: testing\nmax_age: 1",                      "it has no mx"],
    ["with an empty host",         full.replace("a.test", ""),                                       `its mx is ""`],
    ["with several on a line",     full.replace("a.test", "a.test, b.test"),                         `its mx is "a.test, b.test"`],
    ["with a lone asterisk",       full.replace("a.test", "*"),                                      `its mx is "*"`],
    ["with an asterisk inside",    full.replace("a.test", "mx.*.test"),                              `its mx is "mx.*.test"`],
    ["with half a label",          full.replace("a.test", "mx*.test"),                               `its mx is "mx*.test"`],
    ["with a URL",                 full.replace("a.test", "//a.test/x"),                             `its mx is "//a.test/x"`],
    ["with endless words",         full.replace("enforce", "x".repeat(9_000)),                       `its mode is "${"x".repeat(80)}…"`],
  ];
  for (const [title, text, expected] of cases) {
    test(title, () => {
      const read = readPolicy(text);
      const { kind } = read;
      assert.equal(kind === "fields" ? Object.values(ordered(read.fields)).join(" ") : read.text, expected);
    });
  }

  test("whatever a file holds, it is read or refused in a short sentence", () => {
    const line = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.tuple(fc.constantFrom("version", "mode", "mx", "max_age"), fc.string()).map((parts) => parts.join(":")),
      fc.constantFrom("version: STSv1", "mode: enforce", "mode: none", "mx: *.a.test", "max_age: 9"),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom("\n", "\r\n", "\r"), (lines, end) => {
        const read = readPolicy(lines.join(end));
        if (read.kind === "invalid") return assert.ok(read.text.length < 600);
        const { mode, mx, maxAgeS } = read.fields;
        assert.ok(mode === "none" || mx.length > 0);
        assert.ok(maxAgeS >= 0 && maxAgeS <= 31_557_600);
        for (const pattern of mx) assert.ok(coversHost(read.fields, pattern.replace("*", "mx")), pattern);
      }),
    );
  });
});

function ordered({
  mode,
  mx,
  maxAgeS,
}: {
  readonly mode: string;
  readonly mx: readonly string[];
  readonly maxAgeS: number;
}): object {
  return { mode, mx: mx.join(","), maxAgeS };
}

suite("whether a policy names a host", () => {
  // prettier-ignore
  const cases: readonly (readonly [mx: readonly string[], host: string, expected: boolean])[] = [
    [["mx.a.test"],             "mx.a.test",         true],
    [["MX.a.Test"],             "mx.A.test",         true],
    [["mx.a.test."],            "mx.a.test",         true],
    [["mx.a.test"],             "mx.a.test.",        true],
    [["mx.a.test"],             "mx2.a.test",        false],
    [["mx.a.test"],             "x.mx.a.test",       false],
    [["a.test"],                "mx.a.test",         false],
    [["*.a.test"],              "mx.a.test",         true],
    [["*.A.test."],             "MX.a.test",         true],
    [["*.a.test"],              "a.test",            false],
    [["*.a.test"],              "x.mx.a.test",       false],
    [["*.a.test"],              "mxa.test",          false],
    [["*.a.test"],              ".a.test",           false],
    [["*.test"],                "a.test",            true],
    [["*.test"],                "test",              false],
    [["b.test", "*.a.test"],    "mx.a.test",         true],
    [["*.b\u00fccher.test"],    "mx.xn--bcher-kva.test", true],
    [["*.xn--bcher-kva.test"],  "mx.b\u00fccher.test",   true],
    [[],                        "mx.a.test",         false],
    [["mx.a.test"],             "",                  false],
    [["mx.a.test"],             ".",                 false],
    [["127.0.0.1"],             "127.0.0.1",         true],
    [["::1"],                   "::1",               false],
    [["*.a.test"],              "*.a.test",          false],
  ];
  for (const [mx, host, expected] of cases) {
    test(`[${mx.join(", ")}] and ${host}: ${expected ? "yes" : "no"}`, () => {
      assert.equal(coversHost({ mx }, host), expected);
    });
  }

  test("whatever stands in either, it says yes or no", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.domain(),
      fc.domain().map((name) => `*.${name}`),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), text, (mx, host) => {
        assert.equal(typeof coversHost({ mx }, host), "boolean");
      }),
    );
  });

  test("a wildcard stands for one label, the first, and for nothing else", () => {
    const label = fc.stringMatching(/^[a-z\d]{1,10}$/);
    fc.assert(
      fc.property(
        fc.array(label, { minLength: 1, maxLength: 4 }),
        label,
        fc.array(label, { maxLength: 3 }),
        (parent, first, more) => {
          const name = parent.join(".");
          assert.equal(coversHost({ mx: [`*.${name}`] }, [...more, first, name].join(".")), more.length === 0);
          assert.equal(coversHost({ mx: [`*.${name}`] }, name), false);
        },
      ),
    );
  });
});

/** A domain whose record and file can be changed, and who keeps count of what was asked. */
interface Published extends AsyncDisposable {
  record: Records | "SERVFAIL" | "silent" | "NXDOMAIN";
  answer: RequestListener;
  readonly server: PolicyServer;
  readonly dns: DnsServer;
}

const nowMs = Date.UTC(2026, 0, 1);

function txt(...texts: readonly string[]): Records {
  return { TXT: texts };
}

async function publish(file: string, id = "one", tls: ServerOptions = {}): Promise<Published> {
  const its: Pick<Published, "record" | "answer"> = { record: txt(`v=STSv1; id=${id}`), answer: saying(file) };
  const zone: Zone = {
    get "_mta-sts.policy.test"() {
      return its.record;
    },
    "mta-sts.policy.test": { A: ["127.0.0.1"] },
  };
  const server = await servePolicy((request, response) => its.answer(request, response), tls);
  const dns = await serveDns(zone);
  return Object.assign(its, {
    server,
    dns,
    async [Symbol.asyncDispose]() {
      await Promise.all([server[Symbol.asyncDispose](), dns.close()]);
    },
  });
}

interface Asked {
  readonly cache?: PolicyCache;
  /** Since the first question. */
  readonly afterS?: number;
  readonly timeoutMs?: number;
  readonly allowPrivate?: boolean;
  readonly signal?: AbortSignal;
}

function find({ dns, server }: Pick<Published, "dns" | "server">, asked: Asked = {}): Promise<FoundPolicy> {
  const { cache = memoryCache(), afterS = 0, timeoutMs = 10_000, allowPrivate = true, signal = null } = asked;
  const options: PolicyOptions = {
    lookup: { server: dns.server, timeoutMs, families: "both", signal },
    allowPrivate,
    now: () => nowMs + afterS * 1000,
    policyPort: server.port,
  };
  return findPolicy("policy.test", cache, options);
}

/** `mode id` of a policy, with its fault if it has one; else why there is none. */
function lineOf(found: FoundPolicy): string {
  if (found.kind !== "policy") return `${found.kind}: ${found.text}`;
  const { policy, fault } = found;
  return `${policy.mode} ${policy.id}${fault === null ? "" : `, though ${fault}`}`.replace(
    /127\.0\.0\.1:\d+/,
    "SERVER",
  );
}

const enforcing = "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 100\n";
const testing = enforcing.replace("enforce", "testing");

suite("the policy in force", () => {
  test("is fetched, with all that it says", async () => {
    await using its = await publish(full);
    assert.deepEqual(await find(its), {
      kind: "policy",
      policy: { id: "one", mode: "enforce", mx: ["a.test", "*.b.test"], maxAgeS: 86_400 },
      fault: null,
    });
    assert.deepEqual(its.dns.queries.toSorted(), [
      "udp A mta-sts.policy.test",
      "udp AAAA mta-sts.policy.test",
      "udp TXT _mta-sts.policy.test",
    ]);
  });

  test("is kept, and not fetched again while its id stands", async () => {
    await using its = await publish(enforcing);
    const cache = memoryCache();
    await find(its, { cache });
    its.answer = saying(testing);
    assert.equal(lineOf(await find(its, { cache, afterS: 99 })), "enforce one");
    assert.equal(its.server.asked.length, 1);
  });

  test("is fetched anew when its id is another, and then kept", async () => {
    await using its = await publish(enforcing);
    const cache = memoryCache();
    await find(its, { cache });
    its.record = txt("v=STSv1; id=two");
    its.answer = saying(testing);
    assert.equal(lineOf(await find(its, { cache, afterS: 50 })), "testing two");
    assert.equal(lineOf(await find(its, { cache, afterS: 149 })), "testing two");
    assert.equal(its.server.asked.length, 2);
  });

  test("is fetched anew when its time is over, though its id stands", async () => {
    await using its = await publish(enforcing);
    const cache = memoryCache();
    await find(its, { cache });
    its.answer = saying(testing);
    assert.equal(lineOf(await find(its, { cache, afterS: 100 })), "testing one");
    assert.equal(its.server.asked.length, 2);
  });

  test("of no time at all is in force once", async () => {
    await using its = await publish("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 0\n");
    const cache = memoryCache();
    assert.equal(lineOf(await find(its, { cache })), "enforce one");
    its.record = "NXDOMAIN";
    assert.match(lineOf(await find(its, { cache })), /^none: /);
  });

  test("is none once it says so itself", async () => {
    await using its = await publish(enforcing);
    const cache = memoryCache();
    await find(its, { cache });
    its.record = txt("v=STSv1; id=two");
    its.answer = saying("version: STSv1\nmode: none\nmax_age: 100\n");
    assert.equal(lineOf(await find(its, { cache })), "none two");
  });

  // RFC 8461 §5.1: what was kept stays in force until its time is over, whatever becomes of the record and the file.
  // prettier-ignore
  const losses: readonly (readonly [title: string, lose: (its: Published) => void, fault: RegExp])[] = [
    ["the record goes",          (its) => void (its.record = "NXDOMAIN"),              /policy\.test announces no policy: no TXT record begins with v=STSv1;$/],
    ["a second record comes",    (its) => void (its.record = txt("v=STSv1; id=one", "v=STSv1; id=two")), /announces no policy: 2 TXT records begin with /],
    ["the record breaks",        (its) => void (its.record = txt("v=STSv1; id=")),     /announces no policy: its TXT record has "id=", which is no field$/],
    ["DNS fails",                (its) => void (its.record = "SERVFAIL"),              /DNS: SERVFAIL for TXT _mta-sts\.policy\.test from /],
    ["the file of a new id is not there", (its) => renew(its, (_, response) => response.writeHead(404).end()), /https:\/\/mta-sts\.policy\.test\/\S+ at 127\.0\.0\.1: it answers 404$/],
    ["the file of a new id is no policy", (its) => renew(its, saying("version: STSv1\n")), /the policy that policy\.test serves is invalid: it has no mode$/],
  ];
  for (const [title, lose, fault] of losses) {
    test(`stays when ${title}, and its fault is told; then its time is over`, async () => {
      await using its = await publish(enforcing);
      const cache = memoryCache();
      await find(its, { cache });
      lose(its);
      const kept = await find(its, { cache, afterS: 99 });
      assert.ok(kept.kind === "policy" && kept.policy.id === "one");
      assert.match(kept.fault ?? "", fault);
      const over = await find(its, { cache, afterS: 100 });
      assert.ok(over.kind === "none" || over.kind === "unknown", over.kind);
      assert.match(over.text, fault);
    });
  }
});

function renew(its: Published, answer: RequestListener): void {
  its.record = txt("v=STSv1; id=two");
  its.answer = answer;
}

suite("no policy", () => {
  // prettier-ignore
  const records: readonly (readonly [title: string, record: Published["record"], expected: string])[] = [
    ["without a name in DNS", "NXDOMAIN",                                "none: policy.test announces no policy: no TXT record begins with v=STSv1;"],
    ["without a TXT record",  { A: ["192.0.2.1"] },                      "none: policy.test announces no policy: no TXT record begins with v=STSv1;"],
    ["with another record",   txt("v=spf1 -all"),                        "none: policy.test announces no policy: no TXT record begins with v=STSv1;"],
    ["with two records",      txt("v=STSv1; id=one", "v=STSv1; id=one"), "none: policy.test announces no policy: 2 TXT records begin with v=STSv1;, where there may be one"],
    ["with a broken one",     txt("v=STSv1; id=?"),                      `none: policy.test announces no policy: its TXT record has the invalid id "?"`],
    ["with SERVFAIL",         "SERVFAIL",                                "unknown: DNS: SERVFAIL for TXT _mta-sts.policy.test from SERVER"],
    ["with silence",          "silent",                                  "unknown: DNS: no answer within 300 ms for TXT _mta-sts.policy.test from SERVER"],
  ];
  for (const [title, record, expected] of records) {
    test(`${title}, and no file is fetched`, async () => {
      await using its = await publish(enforcing);
      its.record = record;
      const line = lineOf(await find(its, { timeoutMs: 300 }));
      assert.equal(line.replace(/127\.0\.0\.1:\d+/, "SERVER"), expected);
      assert.deepEqual(its.server.asked, []);
    });
  }

  const slow: RequestListener = () => {};
  const head = { "content-type": "text/plain" };
  // prettier-ignore
  const files: readonly (readonly [title: string, answer: RequestListener, tls: ServerOptions, asked: Asked, text: RegExp])[] = [
    ["404",                   (_, response) => response.writeHead(404, head).end(enforcing), {}, {}, /: it answers 404$/],
    ["a redirect",            (_, response) => response.writeHead(302, { ...head, location: "/" }).end(enforcing), {}, {}, /: it answers 302, a redirect, which is not followed$/],
    ["HTML",                  saying(enforcing, "text/html"), {}, {}, /: it is "text\/html", not text\/plain$/],
    ["too much",              saying(`${enforcing}${"x: y\n".repeat(13_200)}`), {}, {}, /: it is longer than 65536 octets$/],
    ["nothing in time",       slow, {}, { timeoutMs: 300 }, /: no whole answer within 300 ms$/],
    ["no valid certificate",  saying(enforcing), { cert: mailHost.certificate, key: mailHost.key }, {}, /: its certificate does not verify: DEPTH_ZERO_SELF_SIGNED_CERT$/],
    ["a private address",     saying(enforcing), {}, { allowPrivate: false }, /^mta-sts\.policy\.test leads to 127\.0\.0\.1 \(loopback\), which is not dialled$/],
    ["no policy",             saying("mode: enforce\n"), {}, {}, /^the policy that policy\.test serves is invalid: it has no version$/],
  ];
  for (const [title, answer, tls, asked, text] of files) {
    test(`is known where it is announced, and there is ${title}`, async () => {
      await using its = await publish("", "one", tls);
      its.answer = answer;
      const found = await find(its, asked);
      assert.equal(found.kind, "unknown");
      assert.match(found.kind === "unknown" ? found.text : "", text);
    });
  }

  test("is known where its host has no address", async () => {
    await using its = await publish(enforcing);
    const dns = await serveDns({ "_mta-sts.policy.test": txt("v=STSv1; id=one") });
    const found = await find({ dns, server: its.server });
    await dns.close();
    assert.equal(lineOf(found), "unknown: DNS: there is no host mta-sts.policy.test");
  });

  test("is known to those who gave up", async () => {
    await using its = await publish(enforcing);
    const found = await find(its, { signal: AbortSignal.abort() });
    assert.equal(lineOf(found), "unknown: DNS: given up for TXT _mta-sts.policy.test");
  });

  test("is kept: what failed is fetched again", async () => {
    await using its = await publish(enforcing);
    const cache = memoryCache();
    its.answer = (_, response) => response.writeHead(500).end();
    assert.match(lineOf(await find(its, { cache })), /answers 500$/);
    its.answer = saying(enforcing);
    assert.equal(lineOf(await find(its, { cache })), "enforce one");
  });
});

suite("a cache", () => {
  test("that rejects is harmless: the policy is fetched each time", async () => {
    await using its = await publish(enforcing);
    const down: PolicyCache = {
      get: async () => await Promise.reject(new Error("the table is down")),
      set: async () => await Promise.reject(new Error("the table is down")),
    };
    assert.equal(lineOf(await find(its, { cache: down })), "enforce one");
    assert.equal(lineOf(await find(its, { cache: down })), "enforce one");
    assert.equal(its.server.asked.length, 2);
  });

  test("that throws at once is, too", async () => {
    await using its = await publish(enforcing);
    const broken = {
      get() {
        throw new Error("no table");
      },
      set() {
        throw new Error("no table");
      },
    };
    assert.equal(lineOf(await find(its, { cache: broken })), "enforce one");
  });

  test("is given the policy with its time, under its domain", async () => {
    await using its = await publish(enforcing);
    const kept: (readonly [string, CachedPolicy])[] = [];
    const cache: PolicyCache = { get: async () => null, set: async (...row) => void kept.push(row) };
    await find(its, { cache, afterS: 7 });
    const policy = { id: "one", mode: "enforce", mx: ["a.test"], maxAgeS: 100 };
    assert.deepEqual(kept, [["policy.test", { policy, fetchedAtMs: nowMs + 7_000 }]]);
  });

  test("of the process keeps those that were set last", async () => {
    const cache = memoryCache(2);
    const of = (id: string): CachedPolicy => ({ policy: { id, mode: "none", mx: [], maxAgeS: 1 }, fetchedAtMs: 0 });
    await cache.set("a.test", of("1"));
    await cache.set("b.test", of("2"));
    await cache.set("a.test", of("3"));
    await cache.set("c.test", of("4"));
    const found = await Promise.all(["a.test", "b.test", "c.test"].map((domain) => cache.get(domain)));
    assert.deepEqual(
      found.map((each) => each?.policy.id ?? null),
      ["3", null, "4"],
    );
  });
});

suite("whatever DNS and the policy's host say", () => {
  let its: Published;
  before(async () => {
    its = await publish("");
  });
  after(async () => await its[Symbol.asyncDispose]());

  test("it is an answer, and nothing is thrown", async () => {
    const record = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.constantFrom("v=STSv1; id=1", "v=STSv1; id=2"),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(Buffer.from(enforcing), Buffer.from(full)),
    );
    const cache = memoryCache();
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 3 }),
        body,
        fc.constantFrom(200, 200, 204, 304, 404),
        async (txts, octets, status) => {
          its.record = txt(...txts);
          its.answer = (_, response) => response.writeHead(status, { "content-type": "text/plain" }).end(octets);
          const found = await find(its, { cache });
          if (found.kind === "policy") assert.match(found.policy.id, /^[12]$/);
          else assert.ok(found.text.length < 1_000);
        },
      ),
      { numRuns: 60 },
    );
  });
});
