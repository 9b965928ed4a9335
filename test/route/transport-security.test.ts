// What MTA-STS and DANE come to, from the request to the verdict: a table of networks, with DNS, HTTPS and mail hosts as
// real servers. How a policy is found, and how certificates are held against records, is tested elsewhere.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { printVerdict } from "../../functions/cli/print.ts";
import { probe } from "../../functions/route/attempts.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import type { Naming } from "../../functions/route/hosts.ts";
import { memoryCache } from "../../functions/route/mta-sts.ts";
import type { Transcript } from "../../functions/smtp/transcript.ts";
import { reconcile } from "../../functions/verdict/reconcile.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { MailHosts, type Shown } from "../../infra/local/mail/mail-host.ts";
import { requestTo } from "../support/request.ts";
import { authority, certificate, key, trustAuthority } from "./certificates.ts";
import type { Zone } from "./dns-server.ts";
import { domain, longAddress, openNetwork, short, type Network, type Places } from "./network.ts";
import { saying, servePolicy } from "./policy-server.ts";

const mailHosts = new MailHosts();
// MTA-STS is about certificates of public authorities; here one more is one.
before(() => trustAuthority(true));
after(async () => {
  trustAuthority(false);
  await mailHosts.close();
});

const opening = "S: 220 mx ESMTP\nC~ ^EHLO\nS: 250-mx\nS: 250-PIPELINING\nS: 250 STARTTLS\n";
const farewell = "C: QUIT\nS: 221 bye";
const takes = "C~ ^MAIL\nC~ ^RCPT\nC: QUIT\nS: 250 ok\nS: 250 2.1.5 ok\nS: 221 bye";
const hello = "C~ ^EHLO\nS: 250-mx\nS: 250 PIPELINING\n";
const secured = `${opening}C: STARTTLS\nS: 220 go ahead\nS! tls\n`;

/** Under TLS, and only there. */
const accepts = `${secured}${hello}${takes}`;
/** TLS stands, and the client sees enough: the script has no MAIL, and takes none. */
const isLeft = `${secured}${farewell}`;
const offersNone = `S: 220 mx ESMTP\n${hello}`;
const refuses = `${opening}C: STARTTLS\nS: 454 4.7.0 TLS not available\n`;
const breaks = `${opening}C: STARTTLS\nS: 220 go ahead\nS! rst`;
const dialledNever = accepts;

/** Of the authority; a host that shows it has a.test, b.test and c.test for its names. */
const known: Shown = { certificate: `${certificate}${authority}`, key };

interface Row {
  readonly title: string;
  readonly net: Places;
  /** `outcome class stage host`. */
  readonly gives: string;
  /** Each attempt: `host address outcome stage`, `tls` where there was TLS, and the retry that it was. `-`: no address. */
  readonly tried: readonly string[];
  /** What the verdict's words must say. */
  readonly text?: RegExp;
  /** Of the first attempt's policy: its mode, its words, and what is not as it asks. */
  readonly mode: string;
  readonly policy: RegExp;
  readonly fault?: RegExp;
  /** Null: `certificate.ts` of the mail hosts, which signs itself. */
  readonly shows?: Shown | null;
}

interface StsRow extends Row {
  /** The policy's file, but for its version and time; or who answers in its place. */
  readonly file: string | RequestListener;
}

interface DaneRow extends Row {
  /** By host; all that is not said otherwise is signed. */
  readonly tlsa: Readonly<Record<string, readonly string[] | "SERVFAIL" | "silent">>;
  readonly zone?: Zone;
  readonly validates?: boolean;
  /** In the place of the domain's own, by hand unless `named` says so. */
  readonly hosts?: readonly string[];
  readonly named?: Naming;
  readonly ask?: Partial<ProbeRequest>;
}

const ofEnforce = /^the MTA-STS policy of to\.test \(enforce, id one\)$/;
const ofTesting = /^the MTA-STS policy of to\.test \(testing, id one\)$/;
const asksTls = /; TLS is asked for by the MTA-STS policy of to\.test \(enforce, id one\)$/;

const enforceA = "mode: enforce\nmx: a.test\n";
const enforceAll = "mode: enforce\nmx: *.test\n";
const testingAll = "mode: testing\nmx: *.test\n";

// prettier-ignore
const stsRows: readonly StsRow[] = [
  {
    title: "enforced: a host of the policy with a valid certificate is asked, under TLS",
    file: enforceA, net: { "a .2": accepts }, mode: "enforce", policy: ofEnforce,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt tls"],
  },
  {
    title: "enforced: a certificate that signs itself ends it before MAIL",
    file: enforceA, net: { "a .2": isLeft }, shows: null, mode: "enforce", policy: ofEnforce,
    gives: "unanswered tls tls a", tried: ["a .2 unanswered tls tls"],
    text: /^the host's certificate does not verify: DEPTH_ZERO_SELF_SIGNED_CERT; TLS is asked for by the MTA-STS policy of to\.test \(enforce, id one\)$/,
    fault: /does not verify: DEPTH_ZERO_SELF_SIGNED_CERT$/,
  },
  {
    title: "enforced: a block said behind TLS is the answer, whatever the certificate",
    file: enforceA, net: { "a .2": `${secured}S: 554 5.7.1 Client host [203.0.113.7] blocked using zen.spamhaus.org\nS! fin` },
    shows: null, mode: "enforce", policy: ofEnforce,
    gives: "rejected ip-reputation ehlo a", tried: ["a .2 rejected ehlo tls"],
    text: /^554 5\.7\.1 Client host/, fault: /does not verify: DEPTH_ZERO_SELF_SIGNED_CERT$/,
  },
  {
    title: "enforced: a certificate of another name does, too; the next host is asked, and accepts",
    file: enforceAll, net: { "d .2": isLeft, "a .3": accepts }, mode: "enforce", policy: ofEnforce,
    gives: "accepted - rcpt a", tried: ["d .2 unanswered tls tls", "a .3 accepted rcpt tls"],
    fault: /does not verify: ERR_TLS_CERT_ALTNAME_INVALID$/,
  },
  {
    title: "enforced: a host that the policy does not name is not dialled",
    file: enforceA, net: { "b .2": dialledNever }, mode: "enforce", policy: ofEnforce,
    gives: "unanswered tls dns b", tried: ["b - unanswered dns"],
    text: /^b\.test is not among its hosts: a\.test; TLS is asked for by the MTA-STS policy of to\.test \(enforce, id one\)$/,
    fault: /^b\.test is not among its hosts: a\.test$/,
  },
  {
    title: "enforced: the next host, which it names, is asked, and accepts",
    file: enforceA, net: { "b .2": dialledNever, "a .3": accepts }, mode: "enforce", policy: ofEnforce,
    gives: "accepted - rcpt a", tried: ["b - unanswered dns", "a .3 accepted rcpt tls"],
    fault: /is not among its hosts/,
  },
  {
    title: "enforced: of many hosts that it names, a few are told",
    file: `mode: enforce\n${"bcdefghij".split("").map((each) => `mx: ${each}.test\n`).join("")}`,
    net: { "a .2": dialledNever }, mode: "enforce", policy: ofEnforce,
    gives: "unanswered tls dns a", tried: ["a - unanswered dns"],
    text: /is not among its hosts: b\.test, c\.test, d\.test, e\.test, f\.test and 4 more; TLS is/,
    fault: /and 4 more$/,
  },
  {
    title: "enforced: a host without STARTTLS is left",
    file: enforceA, net: { "a .2": `${offersNone}${farewell}` }, mode: "enforce", policy: ofEnforce,
    gives: "unanswered tls starttls a", tried: ["a .2 unanswered starttls"],
    text: new RegExp(`^STARTTLS is required, and the host does not offer it${asksTls.source}`),
    fault: /^the host does not offer STARTTLS$/,
  },
  {
    title: "enforced: a host that refuses STARTTLS is left, and its words are the verdict's",
    file: enforceA, net: { "a .2": `${refuses}${farewell}` }, mode: "enforce", policy: ofEnforce,
    gives: "deferred tls starttls a", tried: ["a .2 deferred starttls"],
    text: /^454 4\.7\.0 TLS not available$/,
    fault: /^the host refuses STARTTLS$/,
  },
  {
    title: "enforced: a handshake that fails is not followed by a session in the clear",
    file: enforceA, net: { "a .2": breaks, "a .3": breaks }, mode: "enforce", policy: ofEnforce,
    gives: "unanswered tls tls a", tried: ["a .2 unanswered tls", "a .3 unanswered tls"],
    text: asksTls,
    fault: /^TLS failed$/,
  },
  {
    title: "enforced: TLS 1.1 is none (RFC 8461 §4.2 with RFC 8996)",
    file: enforceA, net: { "a .2": `${opening}C: STARTTLS\nS: 220 go ahead\nS! tls 1.1\n` }, mode: "enforce", policy: ofEnforce,
    gives: "unanswered tls tls a", tried: ["a .2 unanswered tls"],
    text: asksTls,
    fault: /^TLS failed$/,
  },
  {
    title: "enforced: a refusal under TLS is the host's own",
    file: enforceA, net: { "a .2": `${secured}${hello}C~ ^MAIL\nC~ ^RCPT\nC: QUIT\nS: 250 ok\nS: 550 5.1.1 no such user\nS: 221 bye` },
    mode: "enforce", policy: ofEnforce,
    gives: "rejected mailbox-unknown rcpt a", tried: ["a .2 rejected rcpt tls"], text: /^550 5\.1\.1 no such user$/,
  },
  {
    title: "tested: a certificate that signs itself is told, and no more",
    file: testingAll, net: { "a .2": accepts }, shows: null, mode: "testing", policy: ofTesting,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt tls"],
    fault: /^the host's certificate does not verify: DEPTH_ZERO_SELF_SIGNED_CERT$/,
  },
  {
    title: "tested: a host that the policy does not name is asked",
    file: "mode: testing\nmx: a.test\n", net: { "b .2": accepts }, mode: "testing", policy: ofTesting,
    gives: "accepted - rcpt b", tried: ["b .2 accepted rcpt tls"],
    fault: /^b\.test is not among its hosts: a\.test$/,
  },
  {
    title: "tested: a host without STARTTLS is asked in the clear",
    file: testingAll, net: { "a .2": `${offersNone}${takes}` }, mode: "testing", policy: ofTesting,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt"],
    fault: /^the host does not offer STARTTLS$/,
  },
  {
    title: "tested: so is one that refuses it",
    file: testingAll, net: { "a .2": `${refuses}${takes}` }, mode: "testing", policy: ofTesting,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt"],
    fault: /^the host refuses STARTTLS, and the session goes on in the clear$/,
  },
  {
    title: "tested: and one whose handshake fails",
    file: testingAll, net: { "a .2": `${breaks}\n--\n${opening}${takes}` }, mode: "testing", policy: ofTesting,
    gives: "accepted - rcpt a", tried: ["a .2 unanswered tls", "a .2 accepted rcpt in-clear"],
    fault: /^TLS failed$/,
  },
  {
    title: "tested: all as it should be is nothing to tell",
    file: testingAll, net: { "a .2": accepts }, mode: "testing", policy: ofTesting,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt tls"],
  },
  {
    title: "none: any host and any certificate will do",
    file: "mode: none\n", net: { "b .2": accepts }, shows: null, mode: "none",
    policy: /^the MTA-STS policy of to\.test \(none, id one\)$/,
    gives: "accepted - rcpt b", tried: ["b .2 accepted rcpt tls"],
  },
  {
    title: "not to be had: opportunistic, and the reason is told",
    file: (_, response) => response.writeHead(404).end(), net: { "a .2": `${offersNone}${takes}` }, mode: "unknown",
    policy: /^https:\/\/mta-sts\.to\.test\/\.well-known\/mta-sts\.txt at 127\.0\.0\.1: it answers 404$/,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt"],
  },
];

const spki = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
const fits = `3 1 1 ${sha256(spki)}`;
const misfits = `3 1 1 ${"ab".repeat(32)}`;
const ofAuthority = `2 0 1 ${sha256(new X509Certificate(authority).raw)}`;

const words = (host: string): string => String.raw`DANE: [\da-f ,…]+ of _\d+\._tcp\.${host}\.test`;

// prettier-ignore
const daneRows: readonly DaneRow[] = [
  {
    title: "a key that fits is enough: names and authorities do not count",
    net: { "d .2": accepts }, tlsa: { d: [fits] }, mode: "enforce", policy: new RegExp(`^${words("d")}$`),
    gives: "accepted - rcpt d", tried: ["d .2 accepted rcpt tls"],
  },
  {
    title: "of several records one has to fit",
    net: { "a .2": accepts }, tlsa: { a: [misfits, fits] }, mode: "enforce", policy: /^DANE: 3 1 1 [\da-f]{8}…, 3 1 1 [\da-f]{8}… of /,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt tls"],
  },
  {
    title: "a key that does not fit ends it before MAIL",
    net: { "a .2": isLeft }, tlsa: { a: [misfits] }, mode: "enforce", policy: new RegExp(`^${words("a")}$`),
    gives: "unanswered tls tls a", tried: ["a .2 unanswered tls tls"],
    text: new RegExp(String.raw`^the certificate fits none of the TLSA records: shown 3 1 1 [\da-f]{8}…; TLS is asked for by ${words("a")}$`),
    fault: /^the certificate fits none of the TLSA records: shown 3 1 1 [\da-f]{8}…$/,
  },
  {
    title: "the next host's fits",
    net: { "a .2": isLeft, "b .3": accepts }, tlsa: { a: [misfits], b: [fits] }, mode: "enforce", policy: new RegExp(`^${words("a")}$`),
    gives: "accepted - rcpt b", tried: ["a .2 unanswered tls tls", "b .3 accepted rcpt tls"],
    fault: /^the certificate fits none of the TLSA records: /,
  },
  {
    title: "a trust anchor that the host sends along",
    net: { "a .2": accepts }, tlsa: { a: [ofAuthority] }, mode: "enforce", policy: /^DANE: 2 0 1 /,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt tls"],
  },
  {
    title: "a trust anchor does not help a host of another name",
    net: { "d .2": isLeft }, tlsa: { d: [ofAuthority] }, mode: "enforce", policy: /^DANE: 2 0 1 /,
    gives: "unanswered tls tls d", tried: ["d .2 unanswered tls tls"],
    text: /^the certificate is for DNS:mta-sts\.policy\.test, .*, not for d\.test or to\.test; TLS is asked for by DANE: 2 0 1 /,
    fault: /^the certificate is for /,
  },
  {
    title: "a trust anchor that the host does not send is none",
    net: { "a .2": isLeft }, shows: { certificate, key }, tlsa: { a: [ofAuthority] }, mode: "enforce", policy: /^DANE: 2 0 1 /,
    gives: "unanswered tls tls a", tried: ["a .2 unanswered tls tls"],
    text: /^the certificate fits none of the TLSA records: shown no issuer; TLS is asked for by DANE: 2 0 1 /,
    fault: /shown no issuer$/,
  },
  {
    title: "records that are not for mail ask for TLS alone",
    net: { "d .2": accepts }, tlsa: { d: [`1 1 1 ${"ab".repeat(32)}`] }, shows: null, mode: "enforce",
    policy: /^DANE: no TLSA record of _\d+\._tcp\.d\.test is usable: 1 1 1 abababab…; TLS is required, without authentication$/,
    gives: "accepted - rcpt d", tried: ["d .2 accepted rcpt tls"],
  },
  {
    title: "but for TLS",
    net: { "d .2": `${offersNone}${farewell}` }, tlsa: { d: [`1 1 1 ${"ab".repeat(32)}`] }, mode: "enforce", policy: /is usable/,
    gives: "unanswered tls starttls d", tried: ["d .2 unanswered starttls"],
    text: /^STARTTLS is required, and the host does not offer it; TLS is asked for by DANE: no TLSA record of /,
    fault: /^the host does not offer STARTTLS$/,
  },
  {
    title: "a host with records and without STARTTLS is left",
    net: { "a .2": `${offersNone}${farewell}` }, tlsa: { a: [fits] }, mode: "enforce", policy: new RegExp(`^${words("a")}$`),
    gives: "unanswered tls starttls a", tried: ["a .2 unanswered starttls"],
    text: /^STARTTLS is required, and the host does not offer it; TLS is asked for by DANE: 3 1 1 /,
    fault: /^the host does not offer STARTTLS$/,
  },
  {
    title: "a handshake that fails is not followed by a session in the clear",
    net: { "a .2": breaks }, tlsa: { a: [fits] }, mode: "enforce", policy: new RegExp(`^${words("a")}$`),
    gives: "unanswered tls tls a", tried: ["a .2 unanswered tls"], text: /; TLS is asked for by DANE: 3 1 1 /,
    fault: /^TLS failed$/,
  },
  {
    title: "a look-up that fails keeps us from the host, for anybody may have made it fail",
    net: { "a .2": dialledNever }, tlsa: { a: "SERVFAIL" }, mode: "enforce", policy: /^DANE: the TLSA records of _\d+\._tcp\.a\.test cannot be had: /,
    gives: "unanswered tls dns a", tried: ["a - unanswered dns"],
    text: /^DANE: the TLSA records of _\d+\._tcp\.a\.test cannot be had: DNS: SERVFAIL for TLSA _\d+\._tcp\.a\.test from \S+$/,
    fault: /: DNS: SERVFAIL for TLSA /,
  },
  {
    title: "and leads to the next one",
    net: { "a .2": dialledNever, "b .3": accepts }, tlsa: { a: "SERVFAIL", b: [fits] }, mode: "enforce", policy: /^DANE: .*: DNS: SERVFAIL /,
    gives: "accepted - rcpt b", tried: ["a - unanswered dns", "b .3 accepted rcpt tls"],
    fault: /^DANE: .*: DNS: SERVFAIL /,
  },
  {
    title: "a look-up that nobody answers keeps us from the host, and is not the domain's fault",
    net: { "a .2": dialledNever }, tlsa: { a: "silent" }, ask: { timeoutMs: 400 }, mode: "unknown", policy: /^DANE needs the TLSA records of /,
    gives: "unanswered network dns a", tried: ["a - unanswered dns"],
    text: /^DANE needs the TLSA records of _\d+\._tcp\.a\.test: DNS: no answer within \d+ ms for TLSA /,
  },
  {
    title: "nor is one that our own time ends; the next host has the rest of it",
    net: { "a .2": dialledNever, "b .3": accepts }, tlsa: { a: "silent", b: [fits] }, ask: { timeoutMs: 3_000, budgetMs: 3_000 },
    mode: "unknown", policy: /^DANE needs the TLSA records of \S+: DNS: no answer within (?:[1-4]?\d{1,2}|500) ms for /,
    gives: "accepted - rcpt b", tried: ["a - unanswered dns", "b .3 accepted rcpt tls"],
  },
  {
    title: "no records: opportunistic",
    net: { "d .2": `${offersNone}${takes}` }, tlsa: {}, mode: "none", policy: /^DANE does not apply: there are no TLSA records of _\d+\._tcp\.d\.test$/,
    gives: "accepted - rcpt d", tried: ["d .2 accepted rcpt"],
  },
  {
    title: "a zone that is not signed: opportunistic, whatever its records",
    net: { "a .2": accepts }, tlsa: { a: [misfits] }, zone: { "a.test": { signed: false, A: ["127.0.0.2"] } }, mode: "none",
    policy: /^DANE does not apply: the addresses of a\.test are not signed \(DNSSEC\)$/,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt tls"],
  },
  {
    title: "a resolver that does not validate: opportunistic, and that it cannot be known is told",
    net: { "a .2": accepts }, tlsa: { a: [misfits] }, validates: false, mode: "unknown",
    policy: /^the DNS server \S+ does not validate DNSSEC; /,
    gives: "accepted - rcpt a", tried: ["a .2 accepted rcpt tls"],
  },
  {
    title: "a host named by hand need not be one of the domain's",
    net: { "b .2": dialledNever, "d .3": accepts }, tlsa: { b: [misfits], d: [fits] }, zone: { "to.test": "SERVFAIL" },
    hosts: ["d.test"], mode: "enforce", policy: new RegExp(`^${words("d")}$`),
    gives: "accepted - rcpt d", tried: ["d .3 accepted rcpt tls"],
  },
  {
    title: "but has to show what its own records say",
    net: { "a .2": isLeft }, tlsa: { a: [misfits] }, zone: { "to.test": "SERVFAIL" },
    hosts: ["a.test"], mode: "enforce", policy: new RegExp(`^${words("a")}$`),
    gives: "unanswered tls tls a", tried: ["a .2 unanswered tls tls"], text: /^the certificate fits none of the TLSA records: /,
    fault: /^the certificate fits none of the TLSA records: /,
  },
  {
    title: "a host that a request names has to be one of the domain's",
    net: { "a .2": dialledNever }, tlsa: { a: [fits] }, zone: { "to.test": { MX: ["10 b.test"] } },
    hosts: ["a.test"], named: "by-mx", mode: "enforce", policy: /^DANE: a\.test is not among the signed MX records of to\.test$/,
    gives: "unanswered tls dns a", tried: ["a - unanswered dns"], text: /^DANE: a\.test is not among the signed MX records/,
    fault: /is not among the signed MX records/,
  },
];

function sha256(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}

describe("MTA-STS", () => {
  for (const row of stsRows) {
    it(row.title, async () => {
      const { file, net, shows } = row;
      const answer = typeof file === "string" ? saying(policyText(file)) : file;
      await using server = await servePolicy(answer);
      await using network = await openNetwork(mailHosts, net, stsZone, shownBy(shows));
      const policyPort = server.port;
      const verdict = await probe(requestAt(network, null, { tls: "mta-sts", policyPort }));
      await judged(verdict, row, network);
      assert.equal(server.asked.length, 1);
    });
  }

  it("is asked for once, for all hosts", async () => {
    // A policy of no time is kept by nobody.
    await using server = await servePolicy(saying(policyText(enforceAll, 0)));
    await using network = await openNetwork(mailHosts, { "d .2": isLeft, "a .3": accepts }, stsZone, shownBy(known));
    const policyPort = server.port;
    const verdict = await probe(requestAt(network, null, { tls: "mta-sts", policyPort }));
    assert.equal(verdictLine(verdict), "accepted - rcpt a");
    assert.equal(server.asked.length, 1);
  });

  it("is kept for the next probe", async () => {
    await using server = await servePolicy(saying(policyText(enforceA)));
    const net = { "a .2": `${accepts}\n--\n${accepts}` };
    await using network = await openNetwork(mailHosts, net, stsZone, shownBy(known));
    const policyPort = server.port;
    const request = requestAt(network, null, { tls: "mta-sts", policyPort, policies: memoryCache() });
    for (const verdict of [await probe(request), await probe(request)]) {
      assert.equal(verdictLine(verdict), "accepted - rcpt a");
      assert.match(verdict.attempts[0]?.policy?.text ?? "", ofEnforce);
    }
    assert.equal(server.asked.length, 1);
    assert.deepEqual(await network.surprises(new Set(["127.0.0.2"])), []);
  });

  it("stays in force when the domain takes it away, and the verdict says so", async () => {
    const policies = memoryCache();
    const policy = { id: "one", mode: "enforce", mx: ["a.test"], maxAgeS: 86_400 } as const;
    await policies.set(domain, { policy, fetchedAtMs: Date.now() });
    await using network = await openNetwork(mailHosts, { "b .2": dialledNever });
    const verdict = await probe(requestAt(network, null, { tls: "mta-sts", policies }));
    assert.equal(verdictLine(verdict), "unanswered tls dns b");
    assert.match(
      verdict.primary.text,
      /^b\.test is not among its hosts: a\.test; TLS is asked for by the MTA-STS policy of to\.test \(enforce, id one, kept though to\.test announces no policy: /,
    );
    assert.deepEqual(await network.surprises(new Set()), []);
  });

  it("whose host takes the connection and says no more leaves the mail hosts their time", async () => {
    const stalled = createServer((socket) => socket.on("error", () => {}));
    stalled.listen(0, "127.0.0.1");
    await once(stalled, "listening");
    const blocks = "S: 554 5.7.1 [127.0.0.1] is listed in zen.spamhaus.org\nS! fin";
    await using network = await openNetwork(mailHosts, { "a .2": blocks }, stsZone);
    const ask = { tls: "mta-sts", policyPort: (stalled.address() as AddressInfo).port } as const;
    const verdict = await probe(requestAt(network, null, { ...ask, timeoutMs: 3_000, budgetMs: 3_000 }));
    stalled.close();
    assert.equal(verdictLine(verdict), "rejected ip-reputation greeting a");
    assert.match(verdict.attempts[0]?.policy?.text ?? "", /: no whole answer within (?:[1-4]?\d{1,2}|500) ms$/);
  });

  it("knows no address literals", async () => {
    await using network = await openNetwork(mailHosts, { "a .2": accepts }, {}, shownBy(known));
    const ask = { tls: "mta-sts", resolver: network.resolver, port: network.port, allowPrivate: true } as const;
    const verdict = await probe(requestTo(["one@[127.0.0.2]"], null, ask));
    assert.equal(verdict.outcome, "accepted");
    assert.equal(verdict.attempts[0]?.policy, null);
  });
});

const stsZone: Zone = {
  "_mta-sts.to.test": { TXT: ["v=STSv1; id=one"] },
  "mta-sts.to.test": { A: ["127.0.0.1"] },
};

function policyText(fields: string, maxAgeS = 86_400): string {
  return `version: STSv1\n${fields}max_age: ${maxAgeS}\n`;
}

describe("DANE", () => {
  for (const row of daneRows) {
    it(row.title, async () => {
      const { tlsa, zone = {}, net, hosts = null, named = "by-hand", shows, validates = true, ask = {} } = row;
      const zoneAt = (port: number): Zone => ({
        test: { signed: true },
        ...Object.fromEntries(
          Object.entries(tlsa).map(([name, TLSA]) => [
            `_${port}._tcp.${name}.test`,
            typeof TLSA === "string" ? TLSA : { TLSA },
          ]),
        ),
        ...zone,
      });
      await using network = await openNetwork(mailHosts, net, zoneAt, { ...shownBy(shows), validates });
      const places = hosts?.map((name) => ({ name, port: network.port, named })) ?? null;
      const verdict = await probe(requestAt(network, places, { tls: "dane", ...ask }));
      await judged(verdict, row, network);
    });
  }
});

function shownBy(shows: Shown | null = known): { readonly shows?: Shown } {
  return shows === null ? {} : { shows };
}

function requestAt(network: Network, hosts: ProbeRequest["hosts"], more: Partial<ProbeRequest>): ProbeRequest {
  const { resolver, port } = network;
  return requestTo([`one@${domain}`], hosts, { resolver, port, allowPrivate: true, ...more });
}

async function judged(verdict: Verdict, row: Row, network: Network): Promise<void> {
  const { gives, tried, text, mode, policy, fault } = row;
  const lines = verdict.attempts.map(attemptLine);
  assert.deepEqual([verdictLine(verdict), ...lines], [gives, ...tried]);
  if (text !== undefined) assert.match(verdict.primary.text, text);
  const [first] = verdict.attempts;
  assert.equal(first?.policy?.mode, mode);
  assert.match(first?.policy?.text ?? "", policy);
  if (fault === undefined) assert.equal(first?.policy?.fault, null);
  else assert.match(first?.policy?.fault ?? "", fault);
  // Not a command that names a mailbox, where the host is not who it should be.
  for (const each of verdict.attempts.filter((attempt) => attempt.stop?.reason === "tls-policy")) {
    assert.deepEqual(each.exchanges.filter(({ stage }) => stage === "mail" || stage === "rcpt"), []); // prettier-ignore
  }
  const printed = printVerdict(verdict);
  const isKnown = first?.policy?.mode !== "unknown";
  assert.ok(printed.includes(`TLS policy${isKnown ? "" : ", not known"}: ${first?.policy?.text}\n`), printed);
  if (fault !== undefined) assert.ok(printed.includes(`not as it asks: ${first?.policy?.fault}\n`), printed);
  const dialled = verdict.attempts.flatMap(({ address }) => (address === null ? [] : [longAddress(address)]));
  // A handshake that the client breaks off is told as a fault of the script's, though it is meant.
  const surprises = (await network.surprises(new Set(dialled))).filter(
    (each) => !each.includes("a handshake that failed"),
  );
  assert.deepEqual(surprises, []);
}

function verdictLine({ outcome, class: kind, primary }: Verdict): string {
  return `${outcome} ${outcome === "accepted" ? "-" : kind} ${primary.stage} ${short(primary.host)}`;
}

function attemptLine(attempt: Transcript): string {
  const { outcome, answer } = reconcile(attempt).primary;
  const more = [attempt.tls === null ? [] : ["tls"], attempt.retry ?? []].flat();
  return [short(attempt.host), short(attempt.address ?? "-"), outcome, answer.stage, ...more].join(" ");
}
