import assert from "node:assert/strict";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import nodeDns from "node:dns";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, suite, test } from "node:test";
import * as packets from "dns-packet";
import fc from "fast-check";
import type { AskOptions } from "../../functions/route/dns-servers.ts";
import type { SecureType } from "../../functions/route/dns-message.ts";
import { askSecurely, validates } from "../../functions/route/dnssec.ts";
import { type DnsServer, serveDns, type Zone } from "./dns-server.ts";

const hex = "ab".repeat(32);
const many = Array.from({ length: 60 }, (_, index) => `3 1 1 ${index.toString(16).padStart(2, "0").repeat(32)}`);

const zone: Zone = {
  "signed.test": { signed: true, MX: ["20 mx2.signed.test", "10 MX1.Signed.test"], SOA: ["ns.signed.test"] },
  "mx1.signed.test": { A: ["192.0.2.1", "192.0.2.2"], AAAA: ["2001:db8::1"] },
  "_25._tcp.mx1.signed.test": { TLSA: [`3 1 1 ${hex}`, "9 8 7 "] },
  "_25._tcp.many.signed.test": { TLSA: many },
  "alias.signed.test": { CNAME: ["alias2.signed.test"] },
  "alias2.signed.test": { CNAME: ["mx1.signed.test"] },
  "away.signed.test": { CNAME: ["mx.plain.test"] },
  "back.plain.test": { CNAME: ["mx1.signed.test"] },
  "nowhere.signed.test": { CNAME: ["absent.signed.test"] },
  "cut.signed.test": { signed: false, A: ["192.0.2.3"] },
  "mx.plain.test": { A: ["192.0.2.4"] },
  "bogus.signed.test": "SERVFAIL",
  "refused.test": "REFUSED",
  "silent.test": "silent",
  "garbage.test": "garbage",
  "malformed.test": "malformed",
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

/** An answer in a line: what it is, whether it is signed, and where the aliases led. */
async function lineOf(type: SecureType, name: string, more: Partial<AskOptions> = {}): Promise<string> {
  const answer = await askSecurely(type, name, options(more));
  if (answer.kind === "failed") return answer.text.replace(/ from .*/, "");
  const trust = answer.isSecure ? "secure" : "insecure";
  if (answer.kind === "absent") return `${answer.nameExists ? "no data" : "no name"}, ${trust}, ${answer.canonical}`;
  const data = answer.records.map((record) => {
    if (typeof record === "string") return record;
    return `${record.usage} ${record.selector} ${record.matching} ${record.data.toString("hex")}`;
  });
  return `${data.join(" | ")}, ${trust}, ${answer.canonical}`;
}

suite("what a resolver that validates says", () => {
  // prettier-ignore
  const cases: readonly (readonly [type: SecureType, name: string, expected: string])[] = [
    ["MX",    "signed.test",              "mx2.signed.test | mx1.signed.test, secure, signed.test"],
    ["SOA",   "signed.test",              "ns.signed.test, secure, signed.test"],
    ["SOA",   ".",                        "a.root-servers.test, secure, ."],
    ["A",     "mx1.signed.test",          "192.0.2.1 | 192.0.2.2, secure, mx1.signed.test"],
    ["A",     "MX1.Signed.TEST",          "192.0.2.1 | 192.0.2.2, secure, mx1.signed.test"],
    ["AAAA",  "mx1.signed.test",          "2001:db8::1, secure, mx1.signed.test"],
    ["TLSA",  "_25._tcp.mx1.signed.test", `3 1 1 ${hex} | 9 8 7 , secure, _25._tcp.mx1.signed.test`],
    ["A",     "alias.signed.test",        "192.0.2.1 | 192.0.2.2, secure, mx1.signed.test"],
    ["CNAME", "alias.signed.test",        "alias2.signed.test, secure, alias.signed.test"],
    ["A",     "away.signed.test",         "192.0.2.4, insecure, mx.plain.test"],
    ["CNAME", "away.signed.test",         "mx.plain.test, secure, away.signed.test"],
    ["A",     "back.plain.test",          "192.0.2.1 | 192.0.2.2, insecure, mx1.signed.test"],
    ["A",     "cut.signed.test",          "192.0.2.3, insecure, cut.signed.test"],
    ["A",     "mx.plain.test",            "192.0.2.4, insecure, mx.plain.test"],
    ["MX",    "mx1.signed.test",          "no data, secure, mx1.signed.test"],
    ["A",     "absent.signed.test",       "no name, secure, absent.signed.test"],
    ["A",     "nowhere.signed.test",      "no name, secure, absent.signed.test"],
    ["MX",    "mx.plain.test",            "no data, insecure, mx.plain.test"],
    ["A",     "absent.test",              "no name, insecure, absent.test"],
    ["A",     "bogus.signed.test",        "DNS: SERVFAIL for A bogus.signed.test"],
    ["A",     "refused.test",             "DNS: REFUSED for A refused.test"],
    ["A",     "malformed.test",           "DNS: a malformed answer for A malformed.test"],
    ["A",     `${"a".repeat(64)}.test`,   `DNS: a name that DNS cannot hold for A ${"a".repeat(64)}.test`],
  ];
  for (const [type, name, expected] of cases) {
    test(`${type} ${name}`, async () => assert.equal(await lineOf(type, name), expected));
  }

  test("one that does not validate calls nothing secure", async () => {
    assert.match(await lineOf("A", "mx1.signed.test", { server: blind.server }), /, insecure,/);
    assert.match(await lineOf("MX", "mx1.signed.test", { server: blind.server }), /^no data, insecure,/);
  });

  test("an answer too long for a datagram is read whole, over TCP, with its word on signatures", async () => {
    const asked = resolver.queries.length;
    const answer = await askSecurely("TLSA", "_25._tcp.many.signed.test", options());
    assert.ok(answer.kind === "records" && answer.isSecure);
    assert.equal(answer.records.length, many.length);
    assert.deepEqual(resolver.queries.slice(asked), [
      "udp TLSA _25._tcp.many.signed.test",
      "tcp TLSA _25._tcp.many.signed.test",
    ]);
  });

  test("the server that answered is named", async () => {
    const answer = await askSecurely("A", "absent.test", options());
    assert.equal(answer.kind === "absent" && answer.server, resolver.server);
  });
});

suite("whether a resolver validates", () => {
  test("the root's SOA with AD: yes", async () => assert.equal(await validates(options()), "yes"));
  test("without: no", async () => assert.equal(await validates(options({ server: blind.server })), "no"));
  test("no answer: unknown", async () => {
    const failing = await serveDns({ ".": "SERVFAIL" }, () => {}, { validates: true });
    assert.equal(await validates(options({ server: failing.server })), "unknown");
    await failing.close();
  });
});

interface Played extends AsyncDisposable {
  readonly server: string;
  readonly queries: readonly { readonly bytes: Buffer; readonly from: RemoteInfo }[];
}

/** A server over UDP that says what `say` makes of each query, datagram by datagram. */
async function play(say: (query: Buffer, from: RemoteInfo, socket: Socket) => readonly Buffer[]): Promise<Played> {
  const socket = createSocket("udp4");
  const queries: { readonly bytes: Buffer; readonly from: RemoteInfo }[] = [];
  socket.on("message", (bytes, from) => {
    queries.push({ bytes, from });
    for (const answer of say(bytes, from, socket)) socket.send(answer, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    server: `127.0.0.1:${socket.address().port}`,
    queries,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

/** The address `data` in answer to the query, signed; other where `more` says so. */
function addressTo(query: Buffer, data: string, more: Partial<packets.Packet> = {}): Buffer {
  const { id, questions } = packets.decode(query);
  const answers: packets.Answer[] = [{ type: "A", name: "mx.test", ttl: 60, data }];
  return packets.encode({ type: "response", id, flags: packets.AUTHENTIC_DATA, questions, answers, ...more });
}

function idOf(query: Buffer): number {
  return query.readUInt16BE(0);
}

suite("answers that are forged", () => {
  // prettier-ignore
  const forgeries: readonly (readonly [title: string, forge: (query: Buffer) => Buffer])[] = [
    ["of another id",       (query) => addressTo(query, "192.0.2.66", { id: (idOf(query) + 1) & 0xffff })],
    ["of another name",     (query) => addressTo(query, "192.0.2.66", { questions: [{ type: "A", name: "other.test" }] })],
    ["of another type",     (query) => addressTo(query, "192.0.2.66", { questions: [{ type: "AAAA", name: "mx.test" }] })],
    ["without a question",  (query) => addressTo(query, "192.0.2.66", { questions: [] })],
    ["that are questions",  (query) => addressTo(query, "192.0.2.66", { type: "query" })],
    ["with nothing inside", () => Buffer.alloc(0)],
    ["with noise inside",   (query) => Buffer.alloc(80, (idOf(query) >> 8) ^ 0xff)],
  ];
  for (const [title, forge] of forgeries) {
    test(`${title} are passed over, and the right one behind them is taken`, async () => {
      await using played = await play((query) => [forge(query), forge(query), addressTo(query, "192.0.2.1")]);
      assert.equal(await lineOf("A", "mx.test", { server: played.server }), "192.0.2.1, secure, mx.test");
      assert.equal(played.queries.length, 1);
    });
  }

  test("from another port are passed over", async () => {
    const other = createSocket("udp4");
    other.bind(0, "127.0.0.1");
    await once(other, "listening");
    await using played = await play((query, from, socket) => {
      // The right one leaves when the forged one has, so that it comes second.
      other.send(addressTo(query, "192.0.2.66"), from.port, from.address, () =>
        socket.send(addressTo(query, "192.0.2.1"), from.port, from.address),
      );
      return [];
    });
    assert.equal(await lineOf("A", "mx.test", { server: played.server }), "192.0.2.1, secure, mx.test");
    other.close();
  });

  test("are hard to make: each question has its own id and port, by chance", async () => {
    await using played = await play((query) => [addressTo(query, "192.0.2.1")]);
    for (let run = 0; run < 12; run++) await lineOf("A", "mx.test", { server: played.server });
    const ids = new Set(played.queries.map(({ bytes }) => idOf(bytes)));
    const ports = new Set(played.queries.map(({ from }) => from.port));
    assert.ok(ids.size > 6, [...ids].join(" "));
    assert.ok(ports.size > 6, [...ports].join(" "));
    const steps = played.queries.map(
      ({ bytes }, index) => idOf(bytes) - idOf(played.queries[index - 1]?.bytes ?? bytes),
    );
    assert.ok(new Set(steps).size > 6, "the ids do not count");
  });

  test("whatever octets come with the right id, an answer is given, and by the limit", async () => {
    let octets: Uint8Array = new Uint8Array();
    await using played = await play((query) => [Buffer.from([...query.subarray(0, 2), ...octets])]);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 120 }), fc.boolean(), async (some, isResponse) => {
        octets = isResponse ? Uint8Array.from([0x80, 0, ...some]) : some;
        const answer = await askSecurely("A", "mx.test", options({ server: played.server, timeoutMs: 30 }));
        assert.equal(answer.kind, "failed");
      }),
      { numRuns: 60 },
    );
  });

  test("one that does not decode is a failure of the server's, told at once", async () => {
    await using played = await play((query) => [addressTo(query, "192.0.2.1").subarray(0, -3)]);
    const line = await lineOf("A", "mx.test", { server: played.server, timeoutMs: 60_000 });
    assert.equal(line, "DNS: a malformed answer for A mx.test");
    assert.equal(played.queries.length, 1);
  });
});

suite("limits", () => {
  test("a silent server is asked twice, and not waited for beyond the limit", async () => {
    const asked = resolver.queries.length;
    assert.equal(
      await lineOf("A", "silent.test", { timeoutMs: 300 }),
      "DNS: no answer within 300 ms for A silent.test",
    );
    assert.deepEqual(resolver.queries.slice(asked), ["udp A silent.test", "udp A silent.test"]);
  });

  test("a server that sends noise without end is not waited for beyond the limit", async () => {
    let isOver = false;
    await using played = await play((_query, from, socket) => {
      const flood = (): void => void (isOver || socket.send(Buffer.alloc(40), from.port, from.address, () => setImmediate(flood))); // prettier-ignore
      flood();
      return [];
    });
    assert.match(await lineOf("A", "mx.test", { server: played.server, timeoutMs: 100 }), /^DNS: no answer within/);
    isOver = true;
  });

  test("an answer that came while the loop was busy is read, though every limit has passed", async () => {
    const busy = await serveDns(zone, () => {
      const until = performance.now() + 400;
      while (performance.now() < until);
    });
    for (let run = 0; run < 3; run++) {
      assert.match(await lineOf("A", "mx.plain.test", { server: busy.server, timeoutMs: 60 }), /^192\.0\.2\.4/);
    }
    assert.equal(busy.queries.length, 3);
    await busy.close();
  });

  test("a signal ends it, also one given before it began", async () => {
    const controller = new AbortController();
    const asked = resolver.queries.length;
    setTimeout(() => controller.abort(), 30);
    for (let run = 0; run < 2; run++) {
      const started = performance.now();
      const line = await lineOf("A", "silent.test", { timeoutMs: 60_000, signal: controller.signal });
      // Without the signal the first turn alone would be two seconds.
      assert.ok(performance.now() - started < 1_900);
      assert.equal(line, "DNS: given up for A silent.test");
    }
    assert.equal(resolver.queries.length, asked + 1);
  });

  test("where nothing listens, it says so at once", async () => {
    const gone = await serveDns({});
    await gone.close();
    const line = await lineOf("A", "mx.test", { server: gone.server, timeoutMs: 60_000 });
    assert.equal(line, "DNS: no server for A mx.test");
  });
});

suite("a cut answer", () => {
  /** Cuts over UDP; over TCP on the same port it says `said`, then closes, or stays silent for null. */
  async function lineWith(said: ((query: Buffer) => Buffer) | null, timeoutMs: number): Promise<string> {
    const tcp = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (bytes) => void (said === null || socket.end(said(bytes.subarray(2)))));
    });
    await using played = await play((query) => [addressTo(query, "192.0.2.66", { flags: packets.TRUNCATED_RESPONSE })]);
    tcp.listen(Number(played.server.split(":")[1]), "127.0.0.1");
    await once(tcp, "listening");
    const line = await lineOf("A", "mx.test", { server: played.server, timeoutMs });
    tcp.close();
    return line;
  }

  function framed(message: Buffer): Buffer {
    return Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]);
  }

  // prettier-ignore
  const cases: readonly (readonly [title: string, said: ((query: Buffer) => Buffer) | null, expected: string])[] = [
    ["whole",                      (query) => framed(addressTo(query, "192.0.2.1")), "192.0.2.1, secure, mx.test"],
    ["of another id",              (query) => framed(addressTo(query, "192.0.2.1", { id: (idOf(query) + 1) & 0xffff })), "DNS: a malformed answer for A mx.test"],
    ["cut again",                  (query) => framed(addressTo(query, "192.0.2.1", { flags: packets.TRUNCATED_RESPONSE })), "DNS: a malformed answer for A mx.test"],
    ["of no octet",                () => Buffer.from([0, 0]), "DNS: a malformed answer for A mx.test"],
    ["that ends within a message", (query) => framed(addressTo(query, "192.0.2.1")).subarray(0, 20), "DNS: a connection closed without an answer for A mx.test"],
    ["that never comes",           null, "DNS: no answer within 300 ms for A mx.test"],
  ];
  for (const [title, said, expected] of cases) {
    test(`is asked for over TCP: an answer ${title}`, async () => {
      assert.equal(await lineWith(said, said === null ? 300 : 60_000), expected);
    });
  }

  test("where no TCP is spoken, that is told", async () => {
    await using played = await play((query) => [addressTo(query, "192.0.2.66", { flags: packets.TRUNCATED_RESPONSE })]);
    assert.equal(await lineOf("A", "mx.test", { server: played.server }), "DNS: no server over TCP for A mx.test");
  });
});

suite("the process's own servers", { concurrency: false }, () => {
  test("are asked where none is given, the next one when one fails", async () => {
    const own = nodeDns.getServers();
    const failing = await serveDns({ "mx1.signed.test": "SERVFAIL" });
    nodeDns.setServers([failing.server, resolver.server]);
    try {
      const answer = await askSecurely("A", "mx1.signed.test", options({ server: null }));
      assert.equal(answer.kind === "records" && answer.isSecure && answer.server, resolver.server);
      assert.deepEqual(failing.queries, ["udp A mx1.signed.test"]);
    } finally {
      nodeDns.setServers(own);
      await failing.close();
    }
  });

  test("of several that fail, the first one's words are told", async () => {
    const own = nodeDns.getServers();
    const [first, second] = [await serveDns({ "x.test": "REFUSED" }), await serveDns({ "x.test": "SERVFAIL" })];
    nodeDns.setServers([first.server, second.server]);
    try {
      const answer = await askSecurely("A", "x.test", options({ server: null }));
      assert.equal(answer.kind === "failed" && answer.text, `DNS: REFUSED for A x.test from ${first.server}`);
      assert.equal(second.queries.length, 1);
    } finally {
      nodeDns.setServers(own);
      await first.close();
      await second.close();
    }
  });
});

test("a server that is none is a fault of ours", async () => {
  await assert.rejects(askSecurely("A", "mx.test", options({ server: "localhost" })), TypeError);
});
