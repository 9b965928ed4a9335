// Whatever DNS answers, a probe gives a verdict, and by the time that it has: random octets, random bodies behind a true
// header, and random records as a real encoder writes them. All dials go to a proxy that leads nowhere, for the addresses
// are random too.
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import * as dns from "dns-packet";
import fc from "fast-check";
import { probe } from "../../functions/route/attempts.ts";
import { direct, type Egress } from "../../functions/route/egress.ts";
import { tlsModes } from "../../functions/route/tls-demand.ts";
import { startSocks5, type TestProxy } from "../support/proxies.ts";
import { requestTo } from "../support/request.ts";

const budgetMs = 150;
const unhandled: unknown[] = [];
const keep = (reason: unknown): void => void unhandled.push(reason);

let proxy: TestProxy;
before(async () => {
  proxy = await startSocks5({ allow: () => false });
  process.on("unhandledRejection", keep);
});
after(async () => {
  await proxy.close();
  process.off("unhandledRejection", keep);
  assert.deepEqual(unhandled, []);
});

/** What is said to the first question, the second, and so on, again and again. */
type Answers = readonly ((query: Buffer) => Uint8Array | null)[];

const octets = fc.uint8Array({ maxLength: 200 });
const name = fc.oneof(
  fc.constantFrom("to.test", "a.test", "b.test", "localhost", ".", "127.0.0.1", "a..test"),
  fc.string({ maxLength: 30, unit: "binary" }),
  fc.array(fc.string({ maxLength: 63 }), { maxLength: 4 }).map((labels) => labels.join(".")),
);
const ip4 = fc.oneof(fc.constantFrom("127.0.0.2", "10.0.0.1", "255.255.255.255"), fc.ipV4());
const ip6 = fc.oneof(fc.constantFrom("::1", "::ffff:127.0.0.1", "64:ff9b::1"), fc.ipV6());
const ttl = fc.nat();
const record: fc.Arbitrary<dns.Answer> = fc.oneof(
  fc.record({ type: fc.constant("A" as const), name, ttl, data: ip4 }),
  fc.record({ type: fc.constant("AAAA" as const), name, ttl, data: ip6 }),
  fc.record({ type: fc.constantFrom("CNAME" as const, "NS" as const, "PTR" as const), name, ttl, data: name }),
  fc.record({
    type: fc.constant("TXT" as const),
    name,
    ttl,
    data: fc.oneof(fc.constant("v=STSv1; id=1;"), fc.string()),
  }),
  fc.record({
    type: fc.constant("MX" as const),
    name,
    ttl,
    data: fc.record({ preference: fc.nat(65_535), exchange: name }),
  }),
);

const answer = {
  octets: octets.map((bytes) => () => bytes),
  /** The identifier and the question are right, so that the rest is read. */
  body: fc
    .tuple(fc.nat(0xff_ff), fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }), octets)
    .map(([flags, counts, rest]) => (query: Buffer): Uint8Array => {
      const head = Buffer.alloc(10);
      for (const [index, value] of [flags | 0x80_00, 1, ...counts].entries()) head.writeUInt16BE(value, index * 2);
      return Buffer.concat([query.subarray(0, 2), head, query.subarray(12, query.indexOf(0, 12) + 5), rest]);
    }),
  /** Half of the records are about what was asked. */
  records: fc
    .tuple(fc.array(fc.tuple(record, fc.boolean()), { maxLength: 20 }), fc.constantFrom(0, 0, 0, 2, 3, 5))
    .map(([records, rcode]) => (query: Buffer): Uint8Array | null => {
      const { id = 0, questions = [] } = dns.decode(query);
      const asked = questions[0]?.name ?? "";
      const answers = records.map(([each, fits]) => (fits ? { ...each, name: asked } : each));
      try {
        return dns.encode({ type: "response", id, flags: dns.RECURSION_AVAILABLE | rcode, questions, answers });
      } catch {
        // Not every string is a name that it writes.
        return null;
      }
    }),
} satisfies Record<string, fc.Arbitrary<Answers[number]>>;

describe("whatever DNS answers, there is a verdict in time", () => {
  for (const [kind, arbitrary] of Object.entries(answer)) {
    it(kind, async () => {
      const many = fc.array(
        fc.tuple(fc.array(arbitrary, { minLength: 1, maxLength: 8 }), fc.constantFrom(...tlsModes)),
        {
          minLength: 20,
          maxLength: 20,
        },
      );
      await fc.assert(
        fc.asyncProperty(many, async (runs) => {
          await Promise.all(runs.map(([answers, tls]) => probeWith(answers, tls)));
        }),
        { numRuns: 10, endOnFailure: true },
      );
    });
  }

  it("a verdict of random answers is not always the same one", () => {
    assert.ok(outcomes.size > 3, [...outcomes].join("; "));
  });
});

/** What came of it, so that the answers are known to be read. */
const outcomes = new Set<string>();

async function probeWith(answers: Answers, tls: (typeof tlsModes)[number]): Promise<void> {
  const udp = await answering(answers);
  try {
    const more = { resolver: `127.0.0.1:${udp.address().port}`, egress: throughProxy(), tls };
    const began = performance.now();
    const verdict = await probe(requestTo(["one@to.test"], null, { ...more, budgetMs, timeoutMs: 60_000 }));
    const elapsedMs = performance.now() - began;
    assert.ok(elapsedMs < budgetMs + 5_000, `${elapsedMs} ms`);
    assert.ok(verdict.attempts.length > 0);
    assert.ok(["rejected", "unanswered"].includes(verdict.outcome), verdict.outcome);
    assert.ok(["dns", "connect"].includes(verdict.primary.stage), verdict.primary.stage);
    outcomes.add(verdict.attempts.map(({ stop, ending }) => stop?.reason ?? ending.by).join(" "));
  } finally {
    udp.close();
  }
}

async function answering(answers: Answers): Promise<Socket> {
  const udp = createSocket("udp4");
  let asked = 0;
  udp.on("message", (query, peer) => {
    const said = answers[asked % answers.length]?.(query) ?? null;
    asked += 1;
    if (said !== null) udp.send(said, peer.port, peer.address);
  });
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  return udp;
}

function throughProxy(): Egress {
  const { host, port } = proxy;
  return { ...direct, name: "proxy", via: { type: "socks5", host, port, credentials: null, passesNames: false } };
}
