// Fetching a policy's file, from a real HTTPS server found in a real DNS server: what is taken, and all that is not.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import type { ServerOptions } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchPolicyFile, type FileOptions, type PolicyFile } from "../../functions/route/policy-file.ts";
import type { LookupOptions } from "../../functions/route/hosts.ts";
import * as mailHost from "../../infra/local/mail/certificate.ts";
import { trustAuthority } from "./certificates.ts";
import { serveDns, type DnsServer } from "./dns-server.ts";
import { saying, servePolicy, type PolicyServer } from "./policy-server.ts";

let dns: DnsServer;
before(async () => {
  dns = await serveDns({
    "mta-sts.policy.test": { A: ["127.0.0.1"] },
    "mta-sts.other.test": { A: ["127.0.0.1"] },
    "mta-sts.alias.test": { CNAME: ["mta-sts.policy.test"] },
    "mta-sts.private.test": { A: ["10.0.0.1"], AAAA: ["fd00::1"] },
    "mta-sts.servfail.test": "SERVFAIL",
    "mta-sts.silent.test": "silent",
    "mta-sts.text.test": { TXT: ["no address"] },
  });
});
after(async () => {
  trustAuthority(false);
  await dns.close();
});

interface Asked {
  readonly domain?: string;
  readonly resolver?: string;
  readonly timeoutMs?: number;
  readonly families?: LookupOptions["families"];
  readonly signal?: AbortSignal;
  readonly allowPrivate?: boolean;
  readonly isTrusted?: boolean;
}

function fetchFrom(port: number, { domain = "policy.test", ...more }: Asked = {}): Promise<PolicyFile> {
  const {
    resolver = dns.server,
    timeoutMs = 10_000,
    families = "both",
    signal = null,
    allowPrivate = true,
    isTrusted = true,
  } = more;
  const lookup = { server: resolver, timeoutMs, families, signal };
  const options: FileOptions = { lookup, allowPrivate, policyPort: port };
  trustAuthority(isTrusted);
  return fetchPolicyFile(domain, options);
}

async function answered(answer: RequestListener, more: Asked = {}, tls: ServerOptions = {}): Promise<PolicyFile> {
  await using server = await servePolicy(answer, tls);
  const file = await fetchFrom(server.port, more);
  await nobodyLeft(server);
  return file;
}

/** A connection that was left behind would stay, and the test with it. */
async function nobodyLeft({ open }: PolicyServer): Promise<void> {
  while (open.size > 0) await sleep(5);
}

const whole = "version: STSv1\r\nmode: none\r\nmax_age: 1\r\n";

suite("a policy's file is taken", () => {
  test("from its one place, with the name in the Host field, whole, and the connection is closed", async () => {
    await using server = await servePolicy(saying(whole));
    assert.deepEqual(await fetchFrom(server.port), { kind: "text", text: whole });
    assert.deepEqual(server.asked, [`GET mta-sts.policy.test:${server.port} /.well-known/mta-sts.txt`]);
    await nobodyLeft(server);
  });

  // prettier-ignore
  const types: readonly string[] = ["text/plain", "TEXT/Plain", "text/plain; charset=utf-8", "text/plain;x=y", "text/plain ;x"];
  for (const type of types) {
    test(`as ${type}`, async () => assert.equal((await answered(saying(whole, type))).kind, "text"));
  }

  test("in pieces, and after an interim answer", async () => {
    const file = await answered((_, response) => {
      response.writeProcessing();
      response.writeHead(200, { "content-type": "text/plain" });
      for (const letter of whole) response.write(letter);
      response.end();
    });
    assert.deepEqual(file, { kind: "text", text: whole });
  });

  test("of 65,536 octets, and of none", async () => {
    const text = "x".repeat(65_536);
    assert.deepEqual(await answered(saying(text)), { kind: "text", text });
    assert.deepEqual(await answered(saying("")), { kind: "text", text: "" });
  });

  test("under TLS 1.2", async () => {
    assert.equal((await answered(saying(whole), {}, { maxVersion: "TLSv1.2" })).kind, "text");
  });

  test("in whichever family it is, though the egress has one alone", async () => {
    await using server = await servePolicy(saying(whole));
    assert.equal((await fetchFrom(server.port, { families: "6" })).kind, "text");
  });

  test("though the name server never answers for the other family", async () => {
    await using server = await servePolicy(saying(whole));
    const half = await serveDns({ "mta-sts.policy.test": { A: ["127.0.0.1"], AAAA: "silent" } });
    try {
      assert.equal((await fetchFrom(server.port, { resolver: half.server, timeoutMs: 2_000 })).text, whole);
    } finally {
      await half.close();
    }
  });

  test("at the second address, where nobody listens at the first", async () => {
    await using server = await servePolicy(saying(whole));
    const two = await serveDns({ "mta-sts.policy.test": { A: ["127.0.0.2", "127.0.0.1"] } });
    try {
      const file = await fetchFrom(server.port, { resolver: two.server, families: "4" });
      assert.equal(file.kind, "text");
    } finally {
      await two.close();
    }
  });
});

function redirect(status: number): RequestListener {
  return (_, response) =>
    response.writeHead(status, { location: "/elsewhere", "content-type": "text/plain" }).end(whole);
}

function status(code: number): RequestListener {
  return (_, response) => response.writeHead(code, { "content-type": "text/plain" }).end(whole);
}

const endless: RequestListener = (_, response) => {
  response.writeHead(200, { "content-type": "text/plain" });
  const more = (): void => {
    while (!response.destroyed && response.write("mx: more.test\n".repeat(500)));
  };
  response.on("drain", more);
  more();
};

const tooLong = "x".repeat(65_537);

suite("a policy's file is not taken", () => {
  // prettier-ignore
  const cases: readonly (readonly [title: string, answer: RequestListener, text: RegExp])[] = [
    ["from where a 301 leads",       redirect(301),                         /answers 301, a redirect, which is not followed$/],
    ["from where a 307 leads",       redirect(307),                         /answers 307, a redirect/],
    ["with 404",                     status(404),                           /answers 404$/],
    ["with 500",                     status(500),                           /answers 500$/],
    ["with 206",                     status(206),                           /answers 206$/],
    ["with 204",                     status(204),                           /answers 204$/],
    ["as HTML",                      saying(whole, "text/html"),            /it is "text\/html", not text\/plain$/],
    ["as text/plainer",              saying(whole, "text/plainer"),         /not text\/plain$/],
    ["as nothing that it says",      (_, response) => response.end(whole),  /does not say that it is text\/plain$/],
    ["with 65,537 octets",           saying(tooLong),                       /longer than 65536 octets$/],
    ["when it never ends",           endless,                               /longer than 65536 octets$/],
    ["when its connection breaks",   (request) => request.socket.destroy(), /broke off: ECONNRESET$/],
    ["when it breaks off in the middle", (request, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-length": "1000" });
      response.write(whole, () => request.socket.end());
    },                                                                      /broke off: ECONNRESET$/],
    ["when it is no HTTP",           ({ socket }) => socket.end("220 mx ESMTP\r\n"), /broke off: HPE_/],
    ["with a head that never ends",  ({ socket }) => socket.end(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`), /broke off: HPE_HEADER_OVERFLOW$/],
    ["when another protocol follows", ({ socket }) => socket.end("HTTP/1.1 101 Other\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), /./],
  ];
  for (const [title, answer, text] of cases) {
    test(title, async () => {
      const file = await answered(answer);
      assert.equal(file.kind, "failed");
      assert.match(file.text, text);
      assert.match(file.text, /^https:\/\/mta-sts\.policy\.test\/\.well-known\/mta-sts\.txt at 127\.0\.0\.1: /);
    });
  }

  test("from a second place: a redirect is not even asked", async () => {
    await using server = await servePolicy(redirect(302));
    await fetchFrom(server.port);
    assert.equal(server.asked.length, 1);
  });

  test("after the time is over, from a host that says nothing", async () => {
    const file = await answered(() => {}, { timeoutMs: 300 });
    assert.equal(file.kind, "failed");
    assert.match(file.text, /no whole answer within 300 ms$/);
  });

  test("after the time is over, from a host that never ends to say a little", async () => {
    const file = await answered(
      (_, response) => {
        response.writeHead(200, { "content-type": "text/plain" });
        const timer = setInterval(() => response.write("v"), 20);
        response.on("close", () => clearInterval(timer));
      },
      { timeoutMs: 400 },
    );
    assert.match(file.text, /no whole answer within 400 ms$/);
  });

  test("after the time is over, from a host that shakes no hands", async () => {
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(server, "listening");
    const closed = once(server, "connection").then(async ([socket]) => await once(socket.resume(), "close"));
    const file = await fetchFrom((server.address() as AddressInfo).port, { timeoutMs: 300 });
    assert.match(file.text, /no whole answer within 300 ms$/);
    await closed;
    server.close();
  });

  test("when nobody wants it any more", async () => {
    const controller = new AbortController();
    const file = await answered(() => controller.abort(), { signal: controller.signal });
    assert.match(file.text, /given up$/);
    const before = AbortSignal.abort();
    assert.equal((await answered(saying(whole), { signal: before })).kind, "failed");
  });

  test("from a port where nobody listens", async () => {
    const server = await servePolicy(saying(whole));
    await server[Symbol.asyncDispose]();
    const file = await fetchFrom(server.port);
    assert.deepEqual(file, {
      kind: "failed",
      text: "mta-sts.policy.test at 127.0.0.1: no connection: ECONNREFUSED",
    });
  });

  test("from a host that speaks no TLS", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).end("220 mx.test ESMTP\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const file = await fetchFrom((server.address() as AddressInfo).port);
    assert.match(file.text, /TLS failed: wrong version number$/);
    server.close();
  });
});

suite("a host has to be the policy's", () => {
  // prettier-ignore
  const cases: readonly (readonly [title: string, asked: Asked, tls: ServerOptions, text: RegExp])[] = [
    ["a certificate of another name",          { domain: "other.test" }, {},       /certificate does not verify: ERR_TLS_CERT_ALTNAME_INVALID$/],
    ["a certificate of the alias's target",    { domain: "alias.test" }, {},       /certificate does not verify: ERR_TLS_CERT_ALTNAME_INVALID$/],
    ["a certificate of a root nobody knows",   { isTrusted: false },             {},       /certificate does not verify: SELF_SIGNED_CERT_IN_CHAIN$/],
    ["a self-signed certificate",              {},                       selfSigned(), /certificate does not verify: DEPTH_ZERO_SELF_SIGNED_CERT$/],
    ["TLS 1.1 alone",                          {},                       oldTls(), /TLS failed: (?:tlsv1 alert protocol version|unsupported protocol)$/],
  ];
  for (const [title, asked, tls, text] of cases) {
    test(`${title} is none`, async () => {
      let isHeard = false;
      const file = await answered(() => void (isHeard = true), asked, tls);
      assert.equal(file.kind, "failed");
      assert.match(file.text, text);
      assert.equal(isHeard, false, "nothing is asked of a host that is not the policy's");
    });
  }

  test("the environment cannot make any certificate good", async () => {
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      assert.equal((await answered(saying(whole), { isTrusted: false })).kind, "failed");
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
  });
});

function selfSigned(): ServerOptions {
  return { cert: mailHost.certificate, key: mailHost.key };
}

function oldTls(): ServerOptions {
  return { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
}

suite("where a policy's host is", () => {
  test("an address in a special range is not dialled, unless it may be", async () => {
    await using server = await servePolicy(saying(whole));
    const file = await fetchFrom(server.port, { allowPrivate: false });
    assert.deepEqual(file, {
      kind: "failed",
      text: "mta-sts.policy.test leads to 127.0.0.1 (loopback), which is not dialled",
    });
    assert.equal(server.open.size, 0);
    const both = await fetchFrom(server.port, { domain: "private.test", allowPrivate: false });
    assert.match(both.text, /leads to \S+ \((?:private|unique local)\), which is not dialled$/);
  });

  // prettier-ignore
  const nowhere: readonly (readonly [domain: string, text: RegExp])[] = [
    ["absent.test",   /^DNS: there is no host mta-sts\.absent\.test$/],
    ["text.test",     /^DNS: mta-sts\.text\.test has no address$/],
    ["servfail.test", /^DNS: SERVFAIL for /],
    ["silent.test",   /^DNS: no answer within 150 ms for /],
    [`${"a.".repeat(125)}test`, /^DNS: /],
  ];
  for (const [domain, text] of nowhere) {
    test(`${domain.slice(0, 20)}: DNS's own words are the fault`, async () => {
      const file = await fetchFrom(1, { domain, timeoutMs: 300 });
      assert.equal(file.kind, "failed");
      assert.match(file.text, text);
    });
  }
});
