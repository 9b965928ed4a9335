// The ways out, end to end: what a probe over each of them comes to, whose fault it says a failure is, and that it tells
// no password. Proxies and mail hosts are real, on loopback.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { after, describe, it } from "node:test";
import { probe } from "../../functions/route/attempts.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import {
  checkEgress,
  EgressFault,
  reachableFamilies,
  type Egress,
  type HttpConnect,
  type Socks5,
  type Via,
} from "../../functions/route/egress.ts";
import { egressNote } from "../../functions/verdict/own-address.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { certificate, key } from "../../infra/local/mail/certificate.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts } from "../../infra/local/mail/mail-host.ts";
import { rawProxy, startFaithfulConnect, startHttpConnect, startSocks5, type Play, type TestProxy } from "../support/proxies.ts"; // prettier-ignore
import { requestTo } from "../support/request.ts";
import { serveDns } from "./dns-server.ts";
import { domain, openNetwork, type Network, type Places } from "./network.ts";

const mailHosts = new MailHosts();
after(() => mailHosts.close());

const opens = "S: 220 mx.example ESMTP\nC~ ^EHLO\nS: 250-mx.example\nS: 250 PIPELINING\nC~ ^MAIL\nC~ ^RCPT\nC: QUIT\n";
const accepts = `${opens}S: 250 ok\nS: 250 ok\nS: 221 bye`;
const listed = "550 5.7.1 Client host [203.0.113.7] blocked using zen.spamhaus.org";
const refuses = `${opens}S: 250 ok\nS: ${listed}\nS: 221 bye`;
const refusedThen = (act: string) => `${opens.replace("C: QUIT\n", "")}S: 250 ok\nS: ${listed}\nS! ${act}`;

const credentials = { username: "somebody", password: "pass-w0rd" };
const pem = { ca: certificate, certificate: null, key: null };

type At = Pick<TestProxy, "host" | "port">;

function socks5({ host, port }: At, more: Partial<Socks5> = {}): Socks5 {
  return { type: "socks5", host, port, credentials: null, passesNames: false, ...more };
}

function httpConnect({ host, port }: At, more: Partial<HttpConnect> = {}): HttpConnect {
  return { type: "http-connect", host, port, tls: null, credentials: null, passesNames: false, ...more };
}

function egress(via: Via, more: Partial<Egress> = {}): Egress {
  return { name: "tested", address: null, families: "both", via, ...more };
}

/** Of the domain's own hosts, in a network of this file. */
function ask({ resolver, port }: Network, way: Egress, more: Partial<ProbeRequest> = {}): Promise<Verdict> {
  return probe(requestTo([`one@${domain}`], null, { egress: way, resolver, port, allowPrivate: true, ...more }));
}

/** Where our own address is no sign of our own host. */
function byHand({ port }: Network, ...names: readonly string[]): ProbeRequest["hosts"] {
  return names.map((name) => ({ name, port, named: "by-hand" }));
}

/** Hosts by address, as they were asked. */
function asked({ attempts }: Verdict): readonly (string | null)[] {
  return attempts.map(({ address }) => address);
}

function open(places: Places): Promise<Network> {
  return openNetwork(mailHosts, places);
}

/** A mail host that tells everybody the address that it sees, and knows them all. */
async function startSeeing(
  address: string,
): Promise<AsyncDisposable & { readonly port: number; readonly seen: string[] }> {
  const seen: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    const { remoteAddress = "" } = socket;
    seen.push(remoteAddress);
    socket.write("220 mx.example ESMTP\r\n");
    socket.on("data", (octets: Buffer) => {
      if (octets.toString().startsWith("EHLO"))
        socket.write(`250 mx.example Hello probe.example [${remoteAddress}]\r\n`);
      else socket.end("221 bye\r\n");
    });
  });
  server.listen(0, address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      for (const each of sockets) each.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("direct", () => {
  for (const name of ["127.0.0.1", "::ffff:127.0.0.1"]) {
    it(`to ${name} leaves from the address that it is bound to, and says that the host sees that one`, async () => {
      await using host = await startSeeing("127.0.0.1");
      const hosts = [{ name, port: host.port }];
      const way = egress({ type: "direct", bind: "127.0.0.77" });
      const verdict = await probe(requestTo(["one@mx.example"], hosts, { egress: way, depth: "ehlo" }));
      assert.deepEqual(host.seen, ["127.0.0.77"]);
      assert.equal(verdict.attempts[0]?.localAddress, "127.0.0.77");
      assert.deepEqual(verdict.egress, { name: "tested", address: "127.0.0.77", seen: "127.0.0.77" });
    });
  }

  for (const bind of ["192.0.2.77", "2001:db8::77", "::ffff:127.0.0.1"]) {
    it(`from ${bind}, which this machine does not have, is our own fault, and asks nobody`, async () => {
      await using network = await open({ "a .2": accepts });
      await assert.rejects(ask(network, egress({ type: "direct", bind })), (error) => {
        assert.ok(error instanceof EgressFault, String(error));
        assert.match(error.message, new RegExp(`^egress tested: ${bind} is not an address of this machine`));
        return true;
      });
      assert.deepEqual(await network.surprises(new Set()), []);
    });
  }

  const families: readonly (readonly [Egress["families"], bind: string | null, "both" | "4" | "6"])[] = [
    ["both", null, "both"],
    ["6", null, "6"],
    ["both", "127.0.0.1", "4"],
    ["both", "::1", "6"],
    ["both", "::ffff:127.0.0.1", "4"],
  ];
  for (const [given, bind, expected] of families) {
    it(`of families ${given}, bound to ${bind}, dials ${expected}`, () => {
      assert.equal(reachableFamilies(egress({ type: "direct", bind }, { families: given })), expected);
    });
  }

  it("asks no address of another family than that which it is bound to", async () => {
    for (const [bind, only] of [
      ["127.0.0.77", "127.0.0.2"],
      ["::1", "::1"],
    ] as const) {
      await using network = await open({ "a .2": null, "a ::1": null });
      const verdict = await ask(network, egress({ type: "direct", bind }), { hosts: byHand(network, "a.test") });
      assert.deepEqual([verdict.outcome, asked(verdict)], ["unanswered", [only]]);
    }
  });
});

/** Every kind of proxy that works, by itself and as a probe is told of it. */
const ways: readonly {
  readonly name: string;
  readonly start: () => Promise<TestProxy>;
  readonly via: (at: TestProxy) => Socks5 | HttpConnect;
}[] = [
  { name: "socks5", start: () => startSocks5(), via: (at) => socks5(at) },
  { name: "socks5, with a password", start: () => startSocks5(credentials), via: (at) => socks5(at, { credentials }) },
  { name: "http-connect", start: () => startHttpConnect(), via: (at) => httpConnect(at) },
  {
    name: "http-connect over TLS, with a password",
    start: () => startHttpConnect({ tls: { certificate, key }, ...credentials }),
    via: (at) => httpConnect(at, { tls: pem, credentials }),
  },
  {
    name: "http-connect over TLS, with a certificate",
    start: () => startHttpConnect({ tls: { certificate, key, clientCa: certificate } }),
    via: (at) => httpConnect(at, { tls: { ca: certificate, certificate, key } }),
  },
];

for (const { name, start, via } of ways) {
  describe(name, () => {
    it("brings the refusal, which the verdict gives as the provider's", async () => {
      await using network = await open({ "a .2": refuses });
      await using at = await start();
      const verdict = await ask(network, egress(via(at)));
      const { primary } = verdict;
      assert.deepEqual([primary.stage, primary.text, primary.address], ["rcpt", listed, "127.0.0.2"]);
      assert.deepEqual([verdict.class, verdict.egress.name], ["ip-reputation", "tested"]);
      assert.equal(verdict.attempts[0]?.localAddress, null);
      assert.equal(at.connections(), 1);
      assert.deepEqual(await network.surprises(new Set(["127.0.0.2"])), []);
    });

    it("carries STARTTLS to the host", async () => {
      const dns = await serveDns({ [domain]: { MX: ["10 a.test"] }, "a.test": { A: ["127.0.0.1"] } });
      await using host = await mailHosts.start(parseDialog(`# TLS\n${refuses}`, "egress.test"), { tls: true });
      await using at = await start();
      const more = { resolver: dns.server, port: host.port, allowPrivate: true, tls: "require" } as const;
      const verdict = await probe(requestTo([`one@${domain}`], null, { ...more, egress: egress(via(at)) }));
      assert.deepEqual([verdict.primary.stage, verdict.primary.text], ["rcpt", listed]);
      assert.match(verdict.attempts[0]?.tls?.version ?? "", /^TLSv1\.[23]$/);
      assert.deepEqual(await host.result(), []);
      await dns.close();
    });
  });
}

/** What a proxy may fail at by itself, as the verdict tells it. Whoever else is asked would fail the same way. */
const faults: readonly {
  readonly name: string;
  readonly start: () => Promise<TestProxy>;
  readonly via: (at: TestProxy) => Socks5 | HttpConnect;
  readonly says: RegExp;
}[] = [
  {
    name: "SOCKS5 credentials that are refused",
    start: () => startSocks5({ username: "probe", password: "right" }),
    via: (at) => socks5(at, { credentials }),
    says: /^the proxy socks5 127\.0\.0\.1:\d+ answered: the credentials are refused \(1\)$/,
  },
  {
    name: "no SOCKS5 credentials where they are asked for",
    start: () => startSocks5({ username: "probe", password: "right" }),
    via: (at) => socks5(at),
    says: /^the proxy socks5 127\.0\.0\.1:\d+ answered: no acceptable authentication method \(255\)$/,
  },
  {
    name: "407",
    start: () => startHttpConnect({ username: "probe", password: "right" }),
    via: (at) => httpConnect(at, { credentials }),
    says: /^the proxy http-connect 127\.0\.0\.1:\d+ answered: 407 Proxy Authentication Required/,
  },
  {
    name: "a SOCKS5 proxy that is down",
    start: closedProxy,
    via: (at) => socks5(at, { credentials }),
    says: /^the proxy socks5 127\.0\.0\.1:\d+ cannot be reached: ECONNREFUSED$/,
  },
  {
    name: "an HTTP proxy that is down",
    start: closedProxy,
    via: (at) => httpConnect(at, { credentials }),
    says: /^the proxy http-connect 127\.0\.0\.1:\d+ cannot be reached: ECONNREFUSED$/,
  },
  {
    name: "a certificate that nobody vouches for",
    start: () => startHttpConnect({ tls: { certificate, key } }),
    via: (at) => httpConnect(at, { tls: { ca: null, certificate: null, key: null }, credentials }),
    says: /^TLS to the proxy http-connect 127\.0\.0\.1:\d+ failed: \S/,
  },
  {
    name: "no client certificate where one is asked for",
    start: () => startHttpConnect({ tls: { certificate, key, clientCa: certificate } }),
    via: (at) => httpConnect(at, { tls: pem, credentials }),
    says: /^TLS to the proxy http-connect 127\.0\.0\.1:\d+ failed: \S/,
  },
  {
    name: "a proxy that speaks no TLS",
    start: () => startHttpConnect(),
    via: (at) => httpConnect(at, { tls: pem, credentials }),
    says: /^TLS to the proxy http-connect 127\.0\.0\.1:\d+ failed: \S/,
  },
  {
    name: "a SOCKS5 proxy that closes",
    start: () =>
      rawProxy(async (play) => {
        await play.received(3);
        play.fin();
      }),
    via: (at) => socks5(at, { credentials }),
    says: /^the proxy socks5 127\.0\.0\.1:\d+ closed the connection before it had answered$/,
  },
  {
    name: "401",
    start: () => answeringHttp(() => "HTTP/1.1 401 Unauthorized"),
    via: (at) => httpConnect(at, { credentials }),
    says: /^the proxy http-connect 127\.0\.0\.1:\d+ answered: 401 Unauthorized$/,
  },
  {
    name: "a proxy that repeats what it was told of us",
    start: () => answeringHttp((token) => `HTTP/1.1 400 ${token} ${Buffer.from(token, "base64").toString()}`),
    via: (at) => httpConnect(at, { credentials }),
    says: /^the proxy http-connect 127\.0\.0\.1:\d+ answered: 400 Bad Request$/,
  },
  {
    name: "a mail host in the proxy's place",
    start: () => rawProxy((play) => play.say("220 mx.example ESMTP\r\n")),
    via: (at) => socks5(at, { credentials }),
    says: /^the proxy socks5 127\.0\.0\.1:\d+ answered: what is not SOCKS5$/,
  },
];

/** To every request, with the credentials that came in it, as they came. */
function answeringHttp(answer: (token: string) => string): Promise<TestProxy> {
  return rawProxy(async (play) => {
    const [, token = ""] = /Basic (\S+)/.exec((await play.receivedHead()).toString()) ?? [];
    play.say(`${answer(token)}\r\n\r\n`);
  });
}

async function closedProxy(): Promise<TestProxy> {
  const proxy = await startSocks5();
  await proxy.close();
  return proxy;
}

describe("what the proxy fails at is its own, and no host is asked any more", () => {
  for (const { name, start, via, says } of faults) {
    it(name, async () => {
      await using network = await open({ "a .2": accepts, "b .3": accepts });
      await using at = await start();
      const verdict = await ask(network, egress(via(at)));
      const { primary } = verdict;
      assert.deepEqual(
        [verdict.outcome, primary.stage, verdict.class, primary.code],
        ["unanswered", "connect", "network", null],
      );
      assert.match(primary.text, says);
      assert.deepEqual(asked(verdict), ["127.0.0.2"]);
      assert.deepEqual(await network.surprises(new Set()), []);
      const { username, password } = credentials;
      const told = JSON.stringify(verdict);
      for (const secret of [password, Buffer.from(`${username}:${password}`).toString("base64")]) {
        assert.ok(!told.includes(secret), `the verdict tells ${secret}`);
      }
      assert.doesNotMatch(told, /somebody/);
    });
  }

  it("also where several addresses, or all hosts, were to be asked", async () => {
    await using network = await open({ "a .2": accepts, "a .3": accepts, "b .4": accepts });
    await using at = await closedProxy();
    const verdict = await ask(network, egress(socks5(at)), { allHosts: true });
    assert.equal(verdict.attempts.length, 1);
  });
});

describe("a proxy that is silent", () => {
  const silences: readonly (readonly [
    name: string,
    start: () => Promise<TestProxy>,
    make: (at: At) => Via,
    asked: number,
  ])[] = [
    ["before it knows the host: no host would be reached", () => rawProxy(() => {}), socks5, 1],
    ["in its TLS handshake", () => rawProxy(() => {}), (at) => httpConnect(at, { tls: pem }), 1],
    ["once SOCKS5 has told it the host: that one may be silent", () => grantingNothing(), socks5, 2],
    ["once HTTP has told it the host", () => rawProxy(() => {}), httpConnect, 2],
  ];
  for (const [name, start, make, count] of silences) {
    it(name, async () => {
      await using network = await open({ "a .2": accepts, "b .3": accepts });
      await using at = await start();
      const verdict = await ask(network, egress(make(at)), { timeoutMs: 200 });
      const { primary } = verdict;
      assert.deepEqual([verdict.outcome, primary.stage, verdict.class], ["unanswered", "connect", "network"]);
      assert.match(
        primary.text,
        /the proxy \S+ 127\.0\.0\.1:\d+ did not (answer|finish the TLS handshake) within 0\.2 s$/,
      );
      assert.equal(verdict.attempts.length, count);
      assert.deepEqual(await network.surprises(new Set()), []);
    });
  }

  it("is left when the caller gives up", async () => {
    await using network = await open({ "a .2": accepts, "b .3": accepts });
    await using at = await rawProxy(() => {});
    const verdict = await ask(network, egress(socks5(at)), { signal: AbortSignal.timeout(300) });
    assert.deepEqual([verdict.outcome, verdict.attempts.at(-1)?.ending.by], ["unanswered", "abort"]);
    assert.match(verdict.primary.text, /the proxy socks5 127\.0\.0\.1:\d+ did not answer by then/);
  });
});

describe("what the proxy says of a host is of that host alone", () => {
  const answers: readonly (readonly [name: string, start: () => Promise<TestProxy>, make: (at: At) => Via, RegExp])[] =
    [
      ["host unreachable, by SOCKS5", () => refusingFirst(5, 4), socks5, /answered: host unreachable \(4\)$/],
      [
        "connection refused, by SOCKS5",
        () => startSocks5(),
        socks5,
        /answered: connection refused by destination host \(5\)$/,
      ],
      ["502, by HTTP", () => startFaithfulConnect(false), httpConnect, /answered: 502 ECONNREFUSED$/],
    ];
  for (const [name, start, make, says] of answers) {
    it(`${name}: the next one is asked`, async () => {
      await using network = await open({ "a .2": null, "b .3": refuses });
      await using at = await start();
      const verdict = await ask(network, egress(make(at)));
      assert.deepEqual([verdict.primary.text, asked(verdict)], [listed, ["127.0.0.2", "127.0.0.3"]]);
      const [first] = verdict.attempts;
      assert.deepEqual([first?.stop?.reason, first?.stop?.stage], ["proxy-refused", "connect"]);
      assert.match(first?.stop?.text ?? "", says);
    });
  }

  const failures: readonly (readonly [name: string, play: (play: Play) => void, says: RegExp])[] = [
    ["closes", (play) => play.fin(), / closed the connection before it had answered$/],
    ["resets", (play) => play.rst(), / reset the connection before it had answered \(ECONNRESET\)$/],
  ];
  const statuses = ["403 Forbidden", "408 Request Timeout", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"]; // prettier-ignore
  const ofHttp = statuses.map((status) => {
    const says = new RegExp(` answered: ${status}$`);
    return [`says ${status}`, (play: Play) => play.say(`HTTP/1.1 ${status}\r\n\r\n`), says] as const;
  });
  for (const [make, fails] of [
    [socks5, failures],
    [httpConnect, [...failures, ...ofHttp]],
  ] as const) {
    for (const [name, play, says] of fails) {
      it(`${make.name} that ${name} once it was told the host: the next one is asked`, async () => {
        await using network = await open({ "a .2": null, "b .3": refuses });
        await using at = await failingFirst(make, play);
        const verdict = await ask(network, egress(make(at, { credentials })));
        assert.deepEqual([verdict.primary.text, asked(verdict)], [listed, ["127.0.0.2", "127.0.0.3"]]);
        const [first] = verdict.attempts;
        assert.deepEqual([first?.stop?.reason, first?.stop?.stage], ["proxy-refused", "connect"]);
        assert.match(first?.stop?.text ?? "", says);
      });
    }
  }

  it("and where nobody else is there, the verdict is that the proxy says so", async () => {
    await using network = await open({ "a .2": null });
    await using at = await startSocks5();
    const { outcome, class: kind, primary } = await ask(network, egress(socks5(at)));
    assert.deepEqual([outcome, kind, primary.stage, primary.host], ["unanswered", "network", "connect", "a.test"]);
    assert.match(primary.text, /^the proxy socks5 .* answered: connection refused by destination host \(5\)$/);
  });
});

function grantingNothing(): Promise<TestProxy> {
  return rawProxy(async (play) => {
    await play.received(3);
    play.say(Buffer.of(5, 0));
  });
}

/** Answers the first request with that code, and forwards the others. */
function refusingFirst(version: number, code: number): Promise<TestProxy> {
  return forwardingAllButFirst(startSocks5(), async (play) => {
    await play.received(3);
    play.say(Buffer.of(5, 0));
    await play.received(3 + 10);
    play.say(Buffer.of(version, code, 0, 1, 0, 0, 0, 0, 0, 0));
  });
}

/** Does so with the first request once it has it whole, with the credentials, and forwards the others. */
function failingFirst(make: typeof socks5 | typeof httpConnect, fail: (play: Play) => void): Promise<TestProxy> {
  if (make === httpConnect) {
    return forwardingAllButFirst(startHttpConnect(credentials), async (play) => {
      await play.receivedHead();
      fail(play);
    });
  }
  const { username, password } = credentials;
  return forwardingAllButFirst(startSocks5(credentials), async (play) => {
    await play.received(4);
    play.say(Buffer.of(5, 2));
    await play.received(4 + 3 + username.length + password.length);
    play.say(Buffer.of(1, 0));
    await play.received(4 + 3 + username.length + password.length + 10);
    fail(play);
  });
}

async function forwardingAllButFirst(
  starting: Promise<TestProxy>,
  playFirst: (play: Play) => Promise<void>,
): Promise<TestProxy> {
  const onward = await starting;
  let connections = 0;
  const first = await rawProxy(async (play) => {
    connections += 1;
    if (connections === 1) return await playFirst(play);
    const to = net.connect(onward.port, onward.host);
    to.on("error", () => play.socket.destroy());
    to.write(await play.received(0));
    play.socket.pipe(to).pipe(play.socket);
  });
  const close = async (): Promise<void> => {
    await first.close();
    await onward.close();
  };
  return { ...first, close, [Symbol.asyncDispose]: close };
}

describe("names", () => {
  for (const passesNames of [true, false]) {
    it(`are ${passesNames ? "handed over, and not looked up here" : "looked up here, and addresses are handed over"}`, async () => {
      const zone = { [domain]: { MX: ["10 a.test"] }, "a.test": { A: ["127.0.0.1"] } };
      const dns = await serveDns(zone);
      await using host = await mailHosts.start(parseDialog(`# A host\n${accepts}`, "egress.test"));
      const destinations: string[] = [];
      const allow = (destination: string): boolean => destinations.push(destination) > 0;
      await using at = await startSocks5({ names: { "a.test": "127.0.0.1" }, allow });
      const way = egress(socks5(at, { passesNames }));
      const more = { resolver: dns.server, port: host.port, allowPrivate: true, egress: way };
      const verdict = await probe(requestTo([`one@${domain}`], null, more));
      await dns.close();
      assert.equal(verdict.outcome, "accepted");
      assert.deepEqual(destinations, [passesNames ? "a.test" : "127.0.0.1"]);
      assert.deepEqual(asked(verdict), [passesNames ? null : "127.0.0.1"]);
      const lookedUp = dns.queries.filter((query) => /\bA{1,4}\b.* a\.test$/.test(query));
      assert.equal(lookedUp.length > 0, !passesNames, dns.queries.join(", "));
    });
  }

  it("do not take a private address past the guard where addresses are handed over", async () => {
    await using network = await open({ "a .2": accepts });
    await using at = await startSocks5();
    const verdict = await ask(network, egress(socks5(at)), { allowPrivate: false });
    assert.match(verdict.primary.text, /127\.0\.0\.2 \(loopback\), which is not dialled/);
    assert.equal(at.connections(), 0);
  });
});

describe("names that no host on the Internet has", () => {
  const local = ["2130706433", "127.1", "0x7f.1", "localhost", "metadata.google.internal", "x.local", "mx"];
  const mx = { [domain]: { MX: local.map((name, index) => `${index} ${name}`) } };

  /** As far as the proxy is asked; it refuses all. */
  async function askedFor(more: Partial<ProbeRequest>): Promise<readonly [verdict: Verdict, destinations: string[]]> {
    const destinations: string[] = [];
    const allow = (destination: string): boolean => destinations.push(destination) < 0;
    await using at = await startSocks5({ allow });
    const dns = await serveDns(mx);
    const way = egress(socks5(at, { passesNames: true }));
    const verdict = await probe(requestTo([`one@${domain}`], null, { resolver: dns.server, egress: way, ...more }));
    await dns.close();
    return [verdict, destinations];
  }

  it("are handed to no proxy", async () => {
    const [verdict, destinations] = await askedFor({});
    assert.deepEqual(destinations, []);
    assert.deepEqual(
      verdict.attempts.map(({ host, stop }) => [host, stop?.reason, stop?.stage]),
      local.map((name) => [name, "guarded", "connect"]),
    );
    assert.match(verdict.primary.text, /^2130706433 is no name of a host on the Internet \(a number\), and no proxy is asked for it$/); // prettier-ignore
  });

  it("are handed over where private addresses are allowed", async () => {
    assert.deepEqual((await askedFor({ allowPrivate: true }))[1], local);
  });

  it("are handed over when they were named by hand, and not when a queue names them", async () => {
    for (const named of ["by-hand", "by-mx"] as const) {
      const hosts = local.map((name) => ({ name, port: 25, named }));
      assert.deepEqual((await askedFor({ hosts }))[1], named === "by-hand" ? local : []);
    }
  });
});

describe("no reply is lost on the way", () => {
  const losses: readonly (readonly [name: string, says: string, stage: string, text: string])[] = [
    ["RCPT refused, then reset", refusedThen("rst"), "rcpt", listed],
    ["RCPT refused, then closed", refusedThen("fin"), "rcpt", listed],
    ["RCPT refused, then gone with our lines unread", refusedThen("close"), "rcpt", listed],
    ["greeting that refuses, then reset", `S: ${listed}\nS! rst`, "greeting", listed],
    [
      "421 out of turn, then reset",
      `${opens.split("C~ ^MAIL")[0]}S: 421 4.7.1 come later\nS! rst`,
      "mail",
      "421 4.7.1 come later",
    ],
  ];
  const faithful: readonly (readonly [string, () => Promise<TestProxy>, (at: At) => Via])[] = [
    ["socks5", () => startSocks5(), (at) => socks5(at)],
    ["http-connect", () => startFaithfulConnect(false), (at) => httpConnect(at)],
    ["http-connect over TLS", () => startFaithfulConnect(true), (at) => httpConnect(at, { tls: pem })],
  ];
  for (const [name, start, via] of faithful) {
    for (const [what, says, stage, text] of losses) {
      it(`${name}: ${what}`, async () => {
        await using network = await open({ "a .2": says });
        await using at = await start();
        const { primary } = await ask(network, egress(via(at)));
        assert.deepEqual([primary.stage, primary.text], [stage, text]);
      });
    }
  }

  const answers: readonly (readonly [name: string, (greeting: string) => Promise<TestProxy>, (at: At) => Via])[] = [
    ["SOCKS5", (greeting) => grantingWith(greeting), (at) => socks5(at)],
    ["HTTP", (greeting) => establishedWith(greeting), (at) => httpConnect(at)],
  ];
  for (const [name, start, via] of answers) {
    it(`a greeting in one segment with the answer of ${name}, and a reset behind it`, async () => {
      await using network = await open({ "a .2": null });
      await using at = await start(`${listed}\r\n`);
      const { primary, outcome } = await ask(network, egress(via(at)));
      assert.deepEqual([outcome, primary.stage, primary.text], ["rejected", "greeting", listed]);
    });
  }
});

function grantingWith(greeting: string): Promise<TestProxy> {
  return rawProxy(async (play) => {
    await play.received(3);
    play.say(Buffer.of(5, 0));
    await play.received(3 + 10);
    play.say(Buffer.concat([Buffer.of(5, 0, 0, 1, 203, 0, 113, 7, 0, 25), Buffer.from(greeting)]));
    play.rst();
  });
}

function establishedWith(greeting: string): Promise<TestProxy> {
  return rawProxy(async (play) => {
    await play.receivedHead();
    play.say(`HTTP/1.1 200 Connection established\r\n\r\n${greeting}`);
    play.rst();
  });
}

describe("the address that the host sees", () => {
  const hello = accepts.replace("S: 250-mx.example", "S: 250-mx.example Hello probe.example [203.0.113.7]");
  for (const [configured, note] of [
    ["203.0.113.7", null],
    ["203.0.113.8", "a.test sees us come from 203.0.113.7, not from 203.0.113.8: NAT, or another way out"],
    [null, null],
  ] as const) {
    it(`is told beside ${configured}, which is configured`, async () => {
      await using network = await open({ "a .2": hello });
      await using at = await startSocks5();
      const verdict = await ask(network, egress(socks5(at), { address: configured }));
      assert.deepEqual(verdict.egress, {
        name: "tested",
        address: configured ?? "203.0.113.7",
        seen: "203.0.113.7",
      });
      assert.equal(egressNote(verdict), note);
      assert.equal(verdict.attempts[0]?.egressAddress, configured);
    });
  }

  it("is what a refusal names, where EHLO's answer does not", async () => {
    await using network = await open({ "a .2": refuses });
    await using at = await startSocks5();
    const verdict = await ask(network, egress(socks5(at), { address: "203.0.113.8" }));
    assert.equal(verdict.egress.seen, "203.0.113.7");
    assert.match(egressNote(verdict) ?? "", /203\.0\.113\.7, not from 203\.0\.113\.8/);
  });
});

describe("PEM that is none is our own fault, told before anything is dialled", () => {
  const nothing = { ca: null, certificate: null, key: null };
  const otherKey = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const cut = certificate.replace("-----END CERTIFICATE-----", "");
  const given: readonly (readonly [name: string, HttpConnect["tls"], says: RegExp | null])[] = [
    ["nothing at all", nothing, null],
    ["an authority", pem, null],
    ["two authorities, and words between them", { ...pem, ca: `one\n${certificate}\ntwo\n${certificate}` }, null],
    ["a certificate and its key", { ...nothing, certificate, key }, null],
    ["an authority that is empty", { ...nothing, ca: "" }, /tls\.ca is no PEM that can be read \(/],
    ["an authority that is a text", { ...nothing, ca: "not PEM" }, /tls\.ca is no PEM that can be read \(/],
    ["an authority that is cut", { ...nothing, ca: cut }, /tls\.ca is no PEM that can be read \(/],
    ["a second authority that is cut", { ...nothing, ca: certificate + cut }, /tls\.ca is no PEM that can be read \(/],
    ["an authority that is a key", { ...nothing, ca: key }, /tls\.ca is no PEM that can be read \(/],
    [
      "a certificate that is a text",
      { ...nothing, certificate: "not PEM", key },
      /tls\.certificate is no PEM that can be read \(/,
    ],
    ["a key that is a text", { ...nothing, certificate, key: "pass-w0rd" }, /tls\.key is no PEM that can be read \(/],
    [
      "a key of another certificate",
      { ...nothing, certificate, key: otherKey },
      /tls\.key is not the key of tls\.certificate/,
    ],
  ];
  const at = { host: "proxy.example", port: 3128 };
  for (const [name, tls, says] of given) {
    it(name, async () => {
      const checked = checkEgress(egress(httpConnect(at, { tls })));
      if (says === null) return await checked;
      await assert.rejects(checked, (error) => {
        assert.ok(error instanceof EgressFault, String(error));
        assert.match(error.message, says);
        assert.match(error.message, /^egress tested: .*, for http-connect proxy\.example:3128$/);
        assert.doesNotMatch(error.message, /pass-w0rd|PRIVATE|BEGIN/);
        return true;
      });
    });
  }

  it("and nobody is asked, neither proxy nor host nor DNS", async () => {
    await using network = await open({ "a .2": accepts });
    await using proxy = await rawProxy(() => {});
    const way = egress(httpConnect(proxy, { tls: { ...pem, ca: "not PEM" } }));
    await assert.rejects(ask(network, way), EgressFault);
    assert.equal(proxy.connections(), 0);
    assert.deepEqual(await network.surprises(new Set()), []);
  });
});

describe("credentials that a proxy cannot be told are our own fault, and nobody is asked", () => {
  const long = "s3cret".repeat(43);
  for (const [name, viaOf, username, password, says] of [
    ["no password, over SOCKS5", socks5, "somebody", "", /the password .* 1 to 255 octets/],
    ["a password of 258 octets, over SOCKS5", socks5, "somebody", long, /the password .* 1 to 255 octets/],
    ["a username of 256 octets, over SOCKS5", socks5, "é".repeat(128), "s3cret", /the username .* 1 to 255 octets/],
    ['a username with ":", over HTTP', httpConnect, "some:body", "s3cret", /the username .* without ":"/],
    ["a password with a line end, over HTTP", httpConnect, "us", "s3cret\r\n", /the password .* without control/],
  ] as const) {
    it(name, async () => {
      await using network = await open({ "a .2": accepts });
      await using proxy = await rawProxy(() => {});
      const via = viaOf(proxy, { credentials: { username, password } });
      await assert.rejects(ask(network, egress(via)), (error) => {
        assert.ok(error instanceof EgressFault, String(error));
        assert.match(error.message, says);
        assert.match(error.message, new RegExp(`^egress tested: .*, for ${via.type} ${proxy.host}:${proxy.port}$`));
        assert.doesNotMatch(error.message, /s3cret|some:body|éé/);
        return true;
      });
      assert.equal(proxy.connections(), 0);
      assert.deepEqual(await network.surprises(new Set()), []);
    });
  }
});
