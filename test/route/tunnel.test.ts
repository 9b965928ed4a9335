// Connections through proxies: what is handed over, what is told where there is none, and that nothing of the host's is
// lost whatever it did meanwhile.
import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { after, describe, it, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import type { HttpConnect, Proxy, Socks5 } from "../../functions/route/egress.ts";
import { openTunnel, type NoTunnel, type Tunnel } from "../../functions/route/tunnel.ts";
import { certificate, key } from "../../infra/local/mail/certificate.ts";
import { block } from "../support/busy.ts";
import { echoes, secretForms } from "../support/echoes.ts";
import { rawProxy, startHttpConnect, startSocks5, type Play, type TestProxy } from "../support/proxies.ts";

const limits = { timeoutMs: 5_000, signal: null };
const there = { host: "192.0.2.25", port: 25 };
const greeting = "220 mx.example ESMTP\r\n";
const refusal = "554 5.7.1 192.0.2.1 is on our list\r\n";

/** RFC 1928: the method, then the reply, with BND.ADDR 203.0.113.7. */
const noMethod = Buffer.of(5, 0);
const granted = Buffer.of(5, 0, 0, 1, 203, 0, 113, 7, 0, 25);
const established = "HTTP/1.1 200 Connection established\r\n\r\n";

interface Host extends AsyncDisposable {
  readonly port: number;
}

/** A mail host that does what a test says with every connection. */
async function startHost(play: (socket: net.Socket) => void, address = "127.0.0.1"): Promise<Host> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    play(socket);
  });
  server.listen(0, address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const each of sockets) each.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function socks5({ host, port }: { host: string; port: number }, more: Partial<Socks5> = {}): Socks5 {
  return { type: "socks5", host, port, credentials: null, passesNames: false, ...more };
}

function httpConnect({ host, port }: { host: string; port: number }, more: Partial<HttpConnect> = {}): HttpConnect {
  return { type: "http-connect", host, port, tls: null, credentials: null, passesNames: false, ...more };
}

function opened(result: Tunnel | NoTunnel): Tunnel {
  assert.equal(result.kind, "open", JSON.stringify(result.kind === "failed" ? result : {}));
  return result;
}

function failed(result: Tunnel | NoTunnel): NoTunnel {
  if (result.kind === "open") result.socket.destroy();
  assert.equal(result.kind, "failed");
  return result;
}

/** As the wire takes it: a listener, then `resume`, and reading to the end. */
async function readAll({ socket, head }: Tunnel): Promise<string> {
  const all: Buffer[] = [Buffer.from(head)];
  socket.on("data", (octets: Buffer) => all.push(octets));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await closed;
  return Buffer.concat(all).toString("latin1");
}

/** A raw SOCKS5 proxy without credentials, up to its reply. */
function afterRequest(then: (play: Play) => Promise<void> | void): Promise<TestProxy> {
  return rawProxy(async (play) => {
    await play.received(3);
    play.say(noMethod);
    await play.received(3 + 10);
    await then(play);
  });
}

function afterConnect(then: (play: Play) => Promise<void> | void): Promise<TestProxy> {
  return rawProxy(async (play) => {
    await play.receivedHead();
    await then(play);
  });
}

/** The kinds of proxy, with how one is started and told of. */
const kinds: readonly {
  readonly name: string;
  readonly start: () => Promise<TestProxy>;
  readonly proxy: (proxy: TestProxy) => Proxy;
}[] = [
  { name: "socks5", start: () => startSocks5(), proxy: (at) => socks5(at) },
  {
    name: "socks5 with a name and password",
    start: () => startSocks5({ username: "probe", password: "s3cret" }),
    proxy: (at) => socks5(at, { credentials: { username: "probe", password: "s3cret" } }),
  },
  { name: "http-connect", start: () => startHttpConnect(), proxy: (at) => httpConnect(at) },
  {
    name: "http-connect with a name and password",
    start: () => startHttpConnect({ username: "probe", password: "s3:cret" }),
    proxy: (at) => httpConnect(at, { credentials: { username: "probe", password: "s3:cret" } }),
  },
  {
    name: "http-connect over TLS",
    start: () => startHttpConnect({ tls: { certificate, key } }),
    proxy: (at) => httpConnect(at, { tls: { ca: certificate, certificate: null, key: null } }),
  },
  {
    name: "http-connect over TLS with a client certificate",
    start: () => startHttpConnect({ tls: { certificate, key, clientCa: certificate } }),
    proxy: (at) => httpConnect(at, { tls: { ca: certificate, certificate, key } }),
  },
];

// First, for later tests' own sockets are a while about closing.
test("failures leave no socket and no timer", async () => {
  const before = held();
  await using silent = await rawProxy(() => {});
  const listening = held();
  for (const proxy of [
    socks5(silent),
    httpConnect(silent),
    httpConnect(silent, { tls: { ca: null, certificate: null, key: null } }),
  ]) {
    const { signal } = new AbortController();
    assert.match(failed(await openTunnel(proxy, there, { timeoutMs: 50, signal })).text, /within 0\.05 s$/);
    assert.equal(failed(await openTunnel({ ...proxy, port: 1 }, there, limits)).by, "proxy");
  }
  await silent.close();
  await delay(50);
  assert.ok(listening.length > before.length);
  assert.deepEqual(held(), before);
});

function held(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|TLS|Timeout/.test(name))
    .toSorted();
}

for (const { name, start, proxy } of kinds) {
  describe(name, () => {
    it("leads to the host, and brings 300 kB unharmed in both directions", async () => {
      const big = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
      await using host = await startHost((socket) => socket.pipe(socket));
      await using at = await start();
      const tunnel = opened(await openTunnel(proxy(at), { host: "127.0.0.1", port: host.port }, limits));
      assert.equal(at.connections(), 1);
      assert.ok(tunnel.socket.isPaused());
      let got = Buffer.from(tunnel.head);
      tunnel.socket.on("data", (octets: Buffer) => {
        got = Buffer.concat([got, octets]);
        // Not every proxy leaves half a connection open.
        if (got.length >= big.length) tunnel.socket.destroy();
      });
      const closed = once(tunnel.socket, "close");
      tunnel.socket.resume();
      tunnel.socket.write(big);
      await closed;
      assert.ok(got.equals(big));
    });

    it("reaches a host by IPv6", async () => {
      await using host = await startHost((socket) => socket.end(greeting), "::1");
      await using at = await start();
      const tunnel = opened(await openTunnel(proxy(at), { host: "::1", port: host.port }, limits));
      assert.equal(await readAll(tunnel), greeting);
    });

    it("passes a name on", async () => {
      await using host = await startHost((socket) => socket.end(greeting));
      await using at = await start();
      const tunnel = opened(await openTunnel(proxy(at), { host: "localhost", port: host.port }, limits));
      assert.equal(await readAll(tunnel), greeting);
    });

    it("hands over what the host said before it reset", async () => {
      await using host = await startHost((socket) => {
        socket.write(refusal);
        setTimeout(() => socket.resetAndDestroy(), 20);
      });
      await using at = await start();
      const tunnel = opened(await openTunnel(proxy(at), { host: "127.0.0.1", port: host.port }, limits));
      await delay(60);
      assert.equal(await readAll(tunnel), refusal);
    });
  });
}

/** The answers of each protocol, octet by octet. */
const spoken: readonly {
  readonly name: string;
  readonly after: typeof afterRequest;
  readonly answer: Buffer;
  readonly proxy: (at: TestProxy) => Proxy;
}[] = [
  { name: "socks5", after: afterRequest, answer: granted, proxy: (at) => socks5(at) },
  { name: "http-connect", after: afterConnect, answer: Buffer.from(established), proxy: (at) => httpConnect(at) },
];

for (const { name, after: asked, answer, proxy } of spoken) {
  describe(`the host's first octets through ${name}`, () => {
    it("are the head when they share the answer's segment", async () => {
      await using at = await asked((play) => play.say(Buffer.concat([answer, Buffer.from(greeting)])));
      const { head, socket } = opened(await openTunnel(proxy(at), there, limits));
      assert.equal(Buffer.from(head).toString(), greeting);
      socket.destroy();
    });

    for (const waitMs of [0, 50]) {
      it(`are all there after a reset, ${waitMs} ms before they are taken`, async () => {
        await using at = await asked(async (play) => {
          play.say(Buffer.concat([answer, Buffer.from(refusal.slice(0, 9))]));
          await delay(5);
          play.say(refusal.slice(9));
          play.rst();
        });
        const tunnel = opened(await openTunnel(proxy(at), there, limits));
        if (waitMs > 0) await delay(waitMs);
        assert.equal(await readAll(tunnel), refusal);
      });

      it(`are followed by the end that came meanwhile, ${waitMs} ms before they are taken`, async () => {
        await using at = await asked((play) => {
          play.say(Buffer.concat([answer, Buffer.from(refusal)]));
          play.fin();
        });
        const tunnel = opened(await openTunnel(proxy(at), there, limits));
        if (waitMs > 0) await delay(waitMs);
        const ended = once(tunnel.socket, "end", { signal: AbortSignal.timeout(2_000) });
        assert.equal(await readAll(tunnel), refusal);
        await ended;
      });
    }

    it("survive a busy event loop while answer, greeting and reset arrive", async () => {
      for (let round = 0; round < 20; round += 1) {
        await using at = await asked((play) => {
          play.say(Buffer.concat([answer, Buffer.from(refusal)]));
          play.rst();
          block(20);
        });
        const tunnel = opened(await openTunnel(proxy(at), there, limits));
        block(10);
        assert.equal(await readAll(tunnel), refusal, `round ${round}`);
      }
    });

    it("are found behind an answer that comes octet by octet", async () => {
      await using at = await asked(async (play) => {
        await play.dribble(answer);
        await play.dribble(greeting);
        play.fin();
      });
      assert.equal(await readAll(opened(await openTunnel(proxy(at), there, limits))), greeting);
    });

    it("are found though our time is over, when they had arrived", async () => {
      await using at = await asked((play) => {
        play.say(Buffer.concat([answer, Buffer.from(greeting)]));
        block(250);
      });
      const { socket } = opened(await openTunnel(proxy(at), there, { timeoutMs: 200, signal: null }));
      socket.destroy();
    });

    it("come with a socket that has no listener of ours but those that are harmless", async () => {
      await using at = await asked((play) => play.say(answer));
      const { socket } = opened(await openTunnel(proxy(at), there, limits));
      const fresh = new net.Socket();
      for (const event of ["data", "end", "close", "connect", "readable", "timeout"]) {
        assert.equal(socket.listenerCount(event), fresh.listenerCount(event), event);
      }
      assert.deepEqual([socket.listenerCount("error"), socket.listenerCount("resume")], [1, 1]);
      socket.destroy();
    });
  });
}

describe("socks5 answers", () => {
  const texts: readonly (readonly [code: number, by: "refused" | "proxy", text: string])[] = [
    [1, "refused", "general failure (1)"],
    [2, "refused", "connection not allowed by its ruleset (2)"],
    [3, "refused", "network unreachable (3)"],
    [4, "refused", "host unreachable (4)"],
    [5, "refused", "connection refused by destination host (5)"],
    [6, "refused", "TTL expired (6)"],
    [7, "refused", "command not supported (7)"],
    [8, "refused", "address type not supported (8)"],
    [9, "refused", "a reply that SOCKS5 does not know (9)"],
    [255, "refused", "a reply that SOCKS5 does not know (255)"],
  ];
  for (const [code, by, text] of texts) {
    it(`${code}: ${text}`, async () => {
      await using at = await afterRequest((play) => play.say(Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0)));
      const result = failed(await openTunnel(socks5(at), there, limits));
      assert.deepEqual(result, { kind: "failed", by, text: `the proxy socks5 127.0.0.1:${at.port} answered: ${text}` });
    });
  }

  it("a refusal cut after its code is a refusal", async () => {
    await using at = await afterRequest((play) => {
      play.say(Buffer.of(5, 5));
      play.fin();
    });
    const { by, text } = failed(await openTunnel(socks5(at), there, limits));
    assert.deepEqual([by, text.endsWith("refused by destination host (5)")], ["refused", true]);
  });

  it("a refusal of a real proxy is one", async () => {
    await using at = await startSocks5({ allow: (_host, port) => port === 25 });
    const { by, text } = failed(await openTunnel(socks5(at), { host: "127.0.0.1", port: 24 }, limits));
    assert.deepEqual([by, text.endsWith("not allowed by its ruleset (2)")], ["refused", true]);
  });

  it("a host that refuses the connection is told by a real proxy", async () => {
    await using at = await startSocks5();
    const { by, text } = failed(await openTunnel(socks5(at), { host: "127.0.0.1", port: 1 }, limits));
    assert.deepEqual([by, text.endsWith("refused by destination host (5)")], ["refused", true]);
  });

  it("other credentials are the proxy's refusal, and are not repeated", async () => {
    await using at = await startSocks5({ username: "probe", password: "right" });
    const proxy = socks5(at, { credentials: { username: "somebody", password: "wr0ng" } });
    const { by, text } = failed(await openTunnel(proxy, there, limits));
    assert.deepEqual(
      [by, text],
      ["proxy", `the proxy socks5 127.0.0.1:${at.port} answered: the credentials are refused (1)`],
    );
  });

  it("a proxy that wants credentials where we have none has no acceptable method", async () => {
    await using at = await startSocks5({ username: "probe", password: "right" });
    const { by, text } = failed(await openTunnel(socks5(at), there, limits));
    assert.deepEqual([by, text.endsWith("no acceptable authentication method (255)")], ["proxy", true]);
  });

  it("an HTTP proxy in its place is quoted", async () => {
    await using at = await rawProxy((play) => play.say("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const { by, text } = failed(await openTunnel(socks5(at), there, limits));
    assert.deepEqual([by, /answered: what is not SOCKS5: HT/.test(text)], ["proxy", true]);
  });

  it("what is not SOCKS5 is not quoted of who was told credentials", async () => {
    await using at = await rawProxy((play) => play.say("s3cret"));
    const proxy = socks5(at, { credentials: { username: "probe", password: "s3" } });
    const { by, text } = failed(await openTunnel(proxy, there, limits));
    assert.deepEqual([by, text.endsWith("answered: what is not SOCKS5")], ["proxy", true]);
  });

  it("an address of a type that there is none of opens nothing", async () => {
    await using at = await afterRequest((play) => play.say(Buffer.of(5, 0, 0, 9, 0, 0, 0, 0, 0, 0)));
    assert.equal(failed(await openTunnel(socks5(at), there, limits)).by, "proxy");
  });

  const bound: readonly (readonly [name: string, reply: readonly number[], address: string | null])[] = [
    ["an IPv4 address", [...granted], "203.0.113.7"],
    ["0.0.0.0", [5, 0, 0, 1, 0, 0, 0, 0, 0, 0], null],
    [
      "an IPv6 address",
      [5, 0, 0, 4, 0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0), 0x25, 0, 25],
      "2001:db8::25",
    ],
    ["::", [5, 0, 0, 4, ...Array.from({ length: 18 }, () => 0)], null],
    ["a name", [5, 0, 0, 3, 4, ...Buffer.from("mail"), 0, 25], null],
  ];
  for (const [name, reply, address] of bound) {
    it(`tells where it leaves from: ${name}`, async () => {
      await using at = await afterRequest((play) => play.say(Buffer.from(reply)));
      const { localAddress, head, socket } = opened(await openTunnel(socks5(at), there, limits));
      assert.deepEqual([localAddress, head.length], [address, 0]);
      socket.destroy();
    });
  }

  it("a name goes as a name, an IPv6 address as its octets", async () => {
    for (const [host, octets] of [
      ["mx.example", Buffer.from("\x03\x0amx.example")],
      ["2001:db8::25", Buffer.from("0420010db8000000000000000000000025", "hex")],
    ] as const) {
      let got: Buffer = Buffer.alloc(0);
      await using at = await rawProxy(async (play) => {
        await play.received(3);
        play.say(noMethod);
        got = await play.received(3 + 3 + octets.length + 2);
        play.say(granted);
      });
      opened(await openTunnel(socks5(at, { passesNames: true }), { host, port: 25 }, limits)).socket.destroy();
      assert.deepEqual(got.subarray(3), Buffer.concat([Buffer.of(5, 1, 0), octets, Buffer.of(0, 25)]));
    }
  });
});

describe("http-connect answers", () => {
  const statuses: readonly (readonly [answer: string, by: "refused" | "proxy", text: string])[] = [
    ["HTTP/1.1 403 Forbidden", "refused", "403 Forbidden"],
    ["HTTP/1.1 502 Bad Gateway", "refused", "502 Bad Gateway"],
    ["HTTP/1.0 503 Service Unavailable", "refused", "503 Service Unavailable"],
    ["HTTP/1.1 504 Gateway Timeout", "refused", "504 Gateway Timeout"],
    ["HTTP/1.1 500 Unable to connect", "refused", "500 Unable to connect"],
    ["HTTP/1.1 408 Request Timeout", "refused", "408 Request Timeout"],
    ["HTTP/1.1 451 Unavailable", "refused", "451 Unavailable"],
    ["HTTP/1.1 594 Connection refused", "refused", "594 Connection refused"],
    ["HTTP/1.1 501 Not Implemented", "proxy", "501 Not Implemented"],
    ["HTTP/1.1 505 HTTP Version Not Supported", "proxy", "505 HTTP Version Not Supported"],
    ["HTTP/1.1 511 Network Authentication Required", "proxy", "511 Network Authentication Required"],
    ["HTTP/1.1 401 Unauthorized", "proxy", "401 Unauthorized"],
    ["HTTP/1.1 429 Too Many Requests", "proxy", "429 Too Many Requests"],
    ["HTTP/1.1 407 Proxy Authentication Required", "proxy", "407 Proxy Authentication Required"],
    ["HTTP/1.1 400 Bad Request", "proxy", "400 Bad Request"],
    ["HTTP/1.1 405 Method Not Allowed", "proxy", "405 Method Not Allowed"],
    ["HTTP/1.1 302 Found\r\nLocation: http://login.example/", "proxy", "302 Found"],
    ["HTTP/1.1 403", "refused", "403"],
    [
      "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nport 25 is closed\nand so on",
      "refused",
      "403 Forbidden: port 25 is closed",
    ],
    ["HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html>", "refused", "403 Forbidden"],
    ["HTTP/1.1 403 No\x1b[31m", "refused", "403 No\\x1b[31m"],
    ["HTTP/1.1 4o3 No\x1b[31m", "proxy", "what is not HTTP: HTTP/1.1 4o3 No\\x1b[31m"],
    ["SSH-2.0-OpenSSH_9.2", "proxy", "what is not HTTP: SSH-2.0-OpenSSH_9.2"],
    [`HTTP/1.1 403 ${"x".repeat(300)}`, "refused", `403 ${"x".repeat(200)}`],
  ];
  for (const [answer, by, text] of statuses) {
    it(JSON.stringify(answer.slice(0, 70)), async () => {
      await using at = await afterConnect((play) => play.say(`${answer}\r\n\r\n`));
      const result = failed(await openTunnel(httpConnect(at), there, limits));
      assert.deepEqual(result, {
        kind: "failed",
        by,
        text: `the proxy http-connect 127.0.0.1:${at.port} answered: ${text}`,
      });
    });
  }

  it("any 2xx opens, whatever length it tells", async () => {
    await using at = await afterConnect((play) => {
      play.say(`HTTP/1.1 204 Fine\r\nContent-Length: 5\r\n\r\n${greeting}`);
      play.fin();
    });
    assert.equal(await readAll(opened(await openTunnel(httpConnect(at), there, limits))), greeting);
  });

  it("interim answers are passed over, in one segment or octet by octet", async () => {
    const whole = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n${established}${greeting}`;
    for (const isSlow of [false, true]) {
      await using at = await afterConnect(async (play) => {
        if (isSlow) await play.dribble(whole);
        else play.say(whole);
        play.fin();
      });
      assert.equal(await readAll(opened(await openTunnel(httpConnect(at), there, limits))), greeting);
      assert.equal(at.connections(), 1);
    }
  });

  it("a head without end is not read for ever", async () => {
    await using at = await afterConnect((play) => play.say(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`));
    const { by, text } = failed(await openTunnel(httpConnect(at), there, limits));
    assert.deepEqual([by, text.length < 400], ["proxy", true]);
  });

  it("an IPv6 address goes in brackets, and credentials in their field", async () => {
    let got: Buffer = Buffer.alloc(0);
    await using at = await rawProxy(async (play) => {
      got = await play.receivedHead();
      play.say(established);
    });
    const proxy = httpConnect(at, { credentials: { username: "probe", password: "s3cret" } });
    opened(await openTunnel(proxy, { host: "2001:db8::25", port: 25 }, limits)).socket.destroy();
    assert.match(got.toString(), /^CONNECT \[2001:db8::25\]:25 HTTP\/1\.1\r\nHost: \[2001:db8::25\]:25\r\n/);
    assert.match(got.toString(), /\r\nProxy-Authorization: Basic cHJvYmU6czNjcmV0\r\n/);
  });

  it("407 of a real proxy is told, and no credentials with it", async () => {
    await using at = await startHttpConnect({ username: "probe", password: "right" });
    const proxy = httpConnect(at, { credentials: { username: "somebody", password: "wr0ng" } });
    const { by, text } = failed(await openTunnel(proxy, there, limits));
    assert.equal(by, "proxy");
    assert.match(text, /answered: 407 Proxy Authentication Required/);
    assert.doesNotMatch(text, /somebody|wr0ng/);
  });

  const body = "Content-Type: text/plain\r\n\r\nhello";
  const repeated: readonly (readonly [answer: string, text: string])[] = [
    ["HTTP/1.1 407 hello probe\r\n\r\n", "407 Proxy Authentication Required"],
    ["HTTP/1.1 401 hello probe\r\n\r\n", "401 Unauthorized"],
    ["ERR hello probe:s3cr\r\n\r\n", "what is not HTTP"],
    ["HTTP/1.1 403 no s3cret\r\n\r\n", "403 Forbidden"],
    [`HTTP/1.1 403 Port 25 is closed\r\n${body} s3cret`, "403 Forbidden"],
    [`HTTP/1.1 502\r\n${body}`, "502 Bad Gateway"],
    ["HTTP/1.1 499 s3cret\r\n\r\n", "499"],
  ];
  for (const [answer, text] of repeated) {
    it(`where we have credentials: ${JSON.stringify(answer.slice(0, 70))}`, async () => {
      await using at = await afterConnect((play) => play.say(answer));
      const proxy = httpConnect(at, { credentials: { username: "probe", password: "s3cret" } });
      const told = failed(await openTunnel(proxy, there, limits)).text;
      assert.equal(told, `the proxy http-connect 127.0.0.1:${at.port} answered: ${text}`);
    });
  }
});

describe("TLS to the proxy", () => {
  const noCa = { ca: null, certificate: null, key: null };
  const faults: readonly (readonly [name: string, server: object, tls: HttpConnect["tls"], text: RegExp])[] = [
    ["a certificate that nobody vouches for", {}, noCa, /^TLS to the proxy .* failed: /],
    [
      "no client certificate where one is wanted",
      { clientCa: certificate },
      { ...noCa, ca: certificate },
      /^TLS to the proxy .*(certificate required|handshake)/,
    ],
    ["PEM that is none", {}, { ...noCa, ca: certificate, certificate: "x", key: "y" }, /cannot be asked: /],
  ];
  for (const [name, server, tls, text] of faults) {
    it(`fails by the proxy for ${name}`, async () => {
      await using at = await startHttpConnect({ tls: { certificate, key, ...server } });
      const result = failed(await openTunnel(httpConnect(at, { tls }), there, limits));
      assert.equal(result.by, "proxy");
      assert.match(result.text, text);
      assert.equal(at.connections(), 0);
    });
  }

  it("fails by the proxy for a certificate of another name", async () => {
    await using at = await startHttpConnect({ tls: { certificate, key } });
    const other = { host: "127.0.0.2", port: at.port };
    await using forwarder = await startHost((socket) => {
      const onward = net.connect(at.port, "127.0.0.1");
      onward.on("error", () => {});
      socket.on("close", () => onward.destroy());
      socket.pipe(onward).pipe(socket);
    }, other.host);
    const proxy = httpConnect({ host: other.host, port: forwarder.port }, { tls: { ...noCa, ca: certificate } });
    const { by, text } = failed(await openTunnel(proxy, there, limits));
    assert.deepEqual([by, /^TLS to the proxy .* failed: /.test(text)], ["proxy", true]);
    assert.equal(at.connections(), 0);
  });

  it("fails by the proxy where it is never done", async () => {
    await using at = await rawProxy(() => {});
    const proxy = httpConnect(at, { tls: noCa });
    const { by, text } = failed(await openTunnel(proxy, there, { timeoutMs: 100, signal: null }));
    assert.deepEqual([by, text.endsWith("did not finish the TLS handshake within 0.1 s")], ["proxy", true]);
  });

  it("fails by the proxy where it speaks none", async () => {
    await using at = await rawProxy((play) => play.say("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const { by, text } = failed(await openTunnel(httpConnect(at, { tls: noCa }), there, limits));
    assert.deepEqual([by, /^TLS to the proxy .* failed: /.test(text)], ["proxy", true]);
  });
});

describe("a proxy that does not do its part", () => {
  for (const proxy of [socks5, httpConnect]) {
    it(`is not there: ${proxy.name}`, async () => {
      const { by, text } = failed(await openTunnel(proxy({ host: "127.0.0.1", port: 1 }), there, limits));
      assert.deepEqual([by, text.endsWith("127.0.0.1:1 cannot be reached: ECONNREFUSED")], ["proxy", true]);
    });

    for (const act of ["fin", "rst"] as const) {
      it(`ends without an answer, by ${act}: ${proxy.name}`, async () => {
        await using at = await rawProxy(async (play) => {
          await play.received(3);
          play[act]();
        });
        const { by, text } = failed(await openTunnel(proxy(at), there, limits));
        // HTTP tells the host at once.
        const expected = proxy === socks5 ? "proxy" : "refused";
        assert.deepEqual([by, /(closed|reset) the connection before it had answered/.test(text)], [expected, true]);
      });

      it(`ends once it knows the host, or within its answer, by ${act}: ${proxy.name}`, async () => {
        for (const part of ["", proxy === socks5 ? Buffer.of(5) : "HTTP/1.1 20"]) {
          await using at = await (proxy === socks5 ? afterRequest : afterConnect)(async (play) => {
            if (part !== "") play.say(part);
            await delay(20);
            play[act]();
          });
          const { by, text } = failed(await openTunnel(proxy(at), there, limits));
          assert.deepEqual([by, /(closed|reset) the connection before it had answered/.test(text)], ["refused", true]);
        }
      });
    }

    it(`is silent until our time is over: ${proxy.name}`, async () => {
      await using at = await rawProxy(() => {});
      const { by, text } = failed(await openTunnel(proxy(at), there, { timeoutMs: 100, signal: null }));
      // Who was told the host's name may be waiting for the host; SOCKS5 tells it later.
      const expected = proxy === socks5 ? "proxy" : "limit";
      assert.deepEqual([by, text.endsWith("did not answer within 0.1 s")], [expected, true]);
    });

    it(`is told to have been silent for whole milliseconds: ${proxy.name}`, async () => {
      await using at = await rawProxy(() => {});
      const { text } = failed(await openTunnel(proxy(at), there, { timeoutMs: 99.649_631, signal: null }));
      assert.match(text, / did not answer within 0\.1 s$/);
    });

    it(`is silent once it knows the host: ${proxy.name}`, async () => {
      await using at = await (proxy === socks5 ? afterRequest(() => {}) : afterConnect(() => {}));
      assert.equal(failed(await openTunnel(proxy(at), there, { timeoutMs: 100, signal: null })).by, "limit");
    });

    it(`is given up by the signal, before and meanwhile: ${proxy.name}`, async () => {
      await using at = await rawProxy(() => {});
      for (const signal of [AbortSignal.abort(), AbortSignal.timeout(50)]) {
        assert.equal(failed(await openTunnel(proxy(at), there, { timeoutMs: 5_000, signal })).by, "limit");
      }
      assert.equal(at.connections(), 1);
    });

    it(`is not asked for a host that could end a line: ${proxy.name}`, async () => {
      for (const host of ["mx.example\r\nX: y", "mx example", "", "fe80::1%eth0", "mäx.example", "x".repeat(256)]) {
        assert.equal(
          failed(await openTunnel(proxy({ host: "127.0.0.1", port: 1 }), { host, port: 25 }, limits)).by,
          "refused",
        );
      }
    });

    it(`has a port that is none: ${proxy.name}`, async () => {
      assert.equal(failed(await openTunnel(proxy({ host: "127.0.0.1", port: 99_999 }), there, limits)).by, "proxy");
    });
  }
});

describe("whatever a proxy sends", () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.uint8Array({ maxLength: 30 }).map((rest) => Uint8Array.from([...noMethod, ...rest])),
    fc.uint8Array({ maxLength: 30 }).map((rest) => Uint8Array.from([5, 2, 1, 0, 5, ...rest])),
    fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.from([...Buffer.from("HTTP/1.1 "), ...rest])),
    fc
      .uint8Array({ maxLength: 60 })
      .map((rest) => Uint8Array.from([...Buffer.from("HTTP/1.1 100 x\r\n\r\n"), ...rest])),
  );
  const ending = fc.constantFrom("fin", "rst", "silence");
  for (const proxy of [socks5, httpConnect]) {
    for (const credentials of [null, { username: "probe", password: "s3cret" }]) {
      it(`ends in time and in data: ${proxy.name} ${credentials === null ? "without" : "with"} credentials`, async () => {
        const before = held();
        await fc.assert(
          fc.asyncProperty(fc.array(octets, { maxLength: 3 }), ending, async (pieces, end) => {
            await using at = await rawProxy(async (play) => {
              for (const piece of pieces) {
                play.say(piece);
                await delay(1);
              }
              if (end === "fin") play.fin();
              if (end === "rst") play.rst();
            });
            const asked = openTunnel(proxy(at, { credentials }), there, { timeoutMs: 60, signal: null });
            const late = delay(5_000, "late", { ref: false });
            const result = await Promise.race([asked, late]);
            assert.ok(typeof result !== "string", "it does not end");
            if (result.kind === "open") result.socket.destroy();
            else assert.doesNotMatch(result.text, /[\p{Cc}\p{Cf}]|s3cret/u);
          }),
          { numRuns: 150 },
        );
        // What was open before may have closed meanwhile.
        const until = performance.now() + 5_000;
        while (held().length > before.length && performance.now() < until) await delay(10);
        assert.ok(held().length <= before.length, `${held().join(", ")}; before: ${before.join(", ")}`);
      });
    }
  }
});

describe("credentials that a proxy repeats", () => {
  /** Ours, and the proxies' that are none of ours: short names and passwords are in them by chance. */
  const ourWords =
    "what is not HTTP: SOCKS5: 400 Bad Request 403 Forbidden 502 Bad Gateway 100 Continue " +
    "401 Unauthorized 407 Proxy Authentication Required the credentials are refused (1) who is http://x: xxxxx bad ";
  const places: readonly ((words: Buffer) => readonly Buffer[])[] = [
    (words) => [words],
    ...["200", "400", "401", "403", "407", "502", "100"].map((status) => (words: Buffer) => [
      Buffer.from(`HTTP/1.1 ${status} `),
      words,
      Buffer.from("\r\n\r\n"),
    ]),
    (words) => [Buffer.from("HTTP/1.1 403 No\r\nContent-Type: text/plain\r\n\r\n"), words],
    (words) => [Buffer.from("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="), words, Buffer.from("\r\n\r\n")],
    (words) => [noMethod, words],
    (words) => [Buffer.of(5, 2, 1, 0), words],
    (words) => [Buffer.of(5, 2, 1, 0, 5, 1), words],
  ];
  for (const proxy of [socks5, httpConnect]) {
    it(`are in no text, however it spells them and wherever: ${proxy.name}`, async () => {
      await fc.assert(
        fc.asyncProperty(echoes, fc.constantFrom(...places), async ({ credentials, echo, before, after }, place) => {
          const words = Buffer.concat([Buffer.from(before), echo, Buffer.from(after)]);
          const answer = Buffer.concat(place(words));
          await using at = await rawProxy((play) => {
            play.say(answer);
            play.fin();
          });
          // Who has one with a line end in it asks nobody (checkEgress).
          fc.pre(proxy !== httpConnect || !/\p{Cc}/u.test(credentials.username + credentials.password));
          const forms = secretForms(credentials);
          fc.pre(!forms.some((form) => ourWords.includes(form)));
          const result = await openTunnel(proxy(at, { credentials }), there, limits);
          if (result.kind === "open") {
            result.socket.destroy();
            return;
          }
          const [, told = ""] = result.text.split(" answered: ");
          for (const form of forms) {
            assert.ok(!told.includes(form), `${JSON.stringify(result.text)} tells ${JSON.stringify(form)}`);
          }
        }),
        { numRuns: 300 },
      );
    });
  }
});

/** What nobody waits for would end the process: the runner sees it, and says which test it was. */
const rejections: unknown[] = [];
process.on("unhandledRejection", (reason) => rejections.push(reason));
after(() => assert.deepEqual(rejections, []));
