import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as dns from "dns-packet";
import fc from "fast-check";
import { encodeQuestion, isName, readMessage } from "../../functions/route/dns-message.ts";
import type { Question } from "../../functions/route/dns-message.ts";

const question: Question<"A"> = { id: 0x1234, type: "A", name: "mx.example" };
const address: dns.Answer = { type: "A", name: "mx.example", ttl: 60, data: "192.0.2.1" };

/** An answer of one address, other where `more` says so. */
function answer(more: Partial<dns.Packet> = {}): Buffer {
  const questions: dns.Question[] = [{ type: "A", name: "mx.example" }];
  return dns.encode({ type: "response", id: 0x1234, flags: 0, questions, answers: [address], ...more });
}

function alias(name: string, data: string): dns.Answer {
  return { type: "CNAME", name, ttl: 60, data };
}

/** `OPT` with an explanation of RFC 8914, or with the upper bits of an RCODE. */
function opt(extendedRcode: number, explanation: number | null): dns.Answer {
  const options = explanation === null ? [] : [{ code: 15, data: Buffer.from([0, explanation, 0x68, 0x69]) }];
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: 1232,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: options as unknown as dns.OptAnswer["options"],
  };
}

suite("what an answer says", () => {
  // prettier-ignore
  const cases: readonly (readonly [title: string, bytes: Buffer, expected: object])[] = [
    ["records",                answer(),                                 { kind: "records", records: ["192.0.2.1"], isSecure: false, canonical: "mx.example" }],
    ["records, signed",        answer({ flags: dns.AUTHENTIC_DATA }),    { kind: "records", records: ["192.0.2.1"], isSecure: true, canonical: "mx.example" }],
    ["checking disabled",      answer({ flags: dns.CHECKING_DISABLED }), { kind: "records", records: ["192.0.2.1"], isSecure: false, canonical: "mx.example" }],
    ["a name in other case",   answer({ questions: [{ type: "A", name: "MX.Example" }], answers: [{ ...address, name: "mX.example" }] }), { kind: "records", records: ["192.0.2.1"], isSecure: false, canonical: "mx.example" }],
    ["no such record",         answer({ answers: [] }),                  { kind: "absent", nameExists: true, isSecure: false, canonical: "mx.example" }],
    ["no such name, signed",   answer({ answers: [], flags: 3 | dns.AUTHENTIC_DATA }), { kind: "absent", nameExists: false, isSecure: true, canonical: "mx.example" }],
    ["another's record",       answer({ answers: [{ ...address, name: "other.example" }] }), { kind: "absent", nameExists: true, isSecure: false, canonical: "mx.example" }],
    ["another type of record", answer({ answers: [{ type: "TXT", name: "mx.example", data: "192.0.2.1" }] }), { kind: "absent", nameExists: true, isSecure: false, canonical: "mx.example" }],
    ["aliases, in any order",  answer({ answers: [{ ...address, name: "c.example" }, alias("b.example", "C.example"), alias("mx.example", "b.example")] }), { kind: "records", records: ["192.0.2.1"], isSecure: false, canonical: "c.example" }],
    ["an alias that leads nowhere", answer({ answers: [alias("mx.example", "b.example")] }), { kind: "absent", nameExists: true, isSecure: false, canonical: "b.example" }],
    ["an alias of itself",     answer({ answers: [alias("mx.example", "mx.example"), address] }), { kind: "records", records: ["192.0.2.1"], isSecure: false, canonical: "mx.example" }],
    ["a failure",              answer({ answers: [], flags: 2 }),        { kind: "failure", text: "SERVFAIL" }],
    ["a failure explained",    answer({ answers: [], flags: 2, additionals: [opt(0, 6)] }), { kind: "failure", text: "SERVFAIL (DNSSEC bogus)" }],
    ["an explanation unknown", answer({ answers: [], flags: 2, additionals: [opt(0, 200)] }), { kind: "failure", text: "SERVFAIL" }],
    ["a refusal",              answer({ answers: [], flags: 5 }),        { kind: "failure", text: "REFUSED" }],
    ["an RCODE of 12 bits",    answer({ answers: [], additionals: [opt(1, null)] }), { kind: "failure", text: "RCODE 16" }],
    ["no understanding",       answer({ answers: [], questions: [], flags: 1 }), { kind: "failure", text: "FORMERR" }],
    ["a cut",                  answer({ flags: dns.TRUNCATED_RESPONSE }), { kind: "truncated" }],
    ["a cut inside a record",  answer({ flags: dns.TRUNCATED_RESPONSE }).subarray(0, -5), { kind: "truncated" }],
    ["half a record",          answer().subarray(0, -5),                 { kind: "malformed" }],
    ["a record without its end", answer().subarray(0, -1),             { kind: "malformed" }],
    ["a record shorter than its type", Buffer.concat([answer().subarray(0, -6), Buffer.from([0, 2, 192, 0])]), { kind: "malformed" }],
    ["a record longer than its type", Buffer.concat([answer().subarray(0, -6), Buffer.from([0, 5, 192, 0, 2, 1, 9])]), { kind: "malformed" }],
    ["a name that never ends", Buffer.concat([answer().subarray(0, 12), Buffer.alloc(40, 1)]), { kind: "malformed" }],
    ["a name that points at itself", Buffer.concat([answer().subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1]), answer().subarray(-26)]), { kind: "malformed" }],
    ["octets behind the records", Buffer.concat([answer(), Buffer.from("more")]), { kind: "records", records: ["192.0.2.1"], isSecure: false, canonical: "mx.example" }],
    ["another id",             answer({ id: 0x1235 }),                   { kind: "other" }],
    ["another name",           answer({ questions: [{ type: "A", name: "mx.example.test" }] }), { kind: "other" }],
    ["another type",           answer({ questions: [{ type: "AAAA", name: "mx.example" }] }), { kind: "other" }],
    ["another class",          answer({ questions: [{ type: "A", name: "mx.example", class: "CH" }] }), { kind: "other" }],
    ["two questions",          answer({ questions: [{ type: "A", name: "mx.example" }, { type: "A", name: "mx.example" }] }), { kind: "other" }],
    ["no question",            answer({ questions: [] }),                { kind: "other" }],
    ["a question",             answer({ type: "query" }),                { kind: "other" }],
    ["nothing",                Buffer.alloc(0),                          { kind: "other" }],
    ["no header",              answer().subarray(0, 11),                 { kind: "other" }],
  ];
  for (const [title, bytes, expected] of cases) {
    test(title, () => assert.deepEqual(readMessage(bytes, question), expected));
  }

  test("a TLSA record is read as it stands", () => {
    const data = { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32, 7) };
    const name = "_25._tcp.mx.example";
    const packet: dns.Packet = { questions: [{ type: "TLSA", name }], answers: [{ type: "TLSA", name, data }] };
    const said = readMessage(answer(packet), { id: 0x1234, type: "TLSA", name });
    assert.deepEqual(said.kind === "records" && said.records, [
      { usage: 3, selector: 1, matching: 1, data: Buffer.alloc(32, 7) },
    ]);
  });

  test("a header that promises records by the thousand is not believed", () => {
    const bytes = answer();
    for (const place of [6, 8, 10]) bytes.writeUInt16BE(0xffff, place);
    assert.deepEqual(readMessage(bytes, question), { kind: "malformed" });
  });
});

test("whatever octets come as an answer, reading them never throws", () => {
  const valid = answer({
    flags: dns.AUTHENTIC_DATA,
    answers: [
      alias("mx.example", "b.example"),
      { ...address, name: "b.example" },
      {
        type: "TLSA",
        name: "b.example",
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(9) },
      },
      { type: "MX", name: "b.example", data: { preference: 1, exchange: "c.example" } },
    ],
    additionals: [opt(0, 6)],
  });
  const changes = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 });
  // Most keep their length: of those that are cut, none is more than malformed.
  const whole = fc.oneof({ weight: 3, arbitrary: fc.constant(valid.length) }, fc.nat(valid.length));
  const mutated = fc.tuple(changes, whole).map(([changed, length]) => {
    const bytes = Buffer.from(valid);
    for (const [place, octet] of changed) bytes[place] = octet;
    return bytes.subarray(0, length);
  });
  const headed = fc.uint8Array({ maxLength: 200 }).map((rest) => Buffer.from([0x12, 0x34, 0x80, 0, ...rest]));
  const kinds = new Set<string>();
  fc.assert(
    fc.property(fc.oneof(mutated, headed, fc.uint8Array().map(Buffer.from)), (bytes) => {
      for (const type of ["A", "TLSA", "MX", "CNAME", "SOA"] as const) {
        kinds.add(readMessage(bytes, { id: 0x1234, type, name: "mx.example" }).kind);
      }
    }),
    { numRuns: 5_000 },
  );
  assert.ok(kinds.has("records") && kinds.has("malformed") && kinds.has("other"), [...kinds].join(" "));
});

test("a question asks for AD, not for signatures, and takes 1232 octets", () => {
  const query = dns.decode(encodeQuestion({ id: 7, type: "TLSA", name: "_25._tcp.mx.example" }));
  assert.deepEqual(
    [query.id, query.type, query.flag_rd, query.flag_ad, query.flag_cd],
    [7, "query", true, true, false],
  );
  assert.deepEqual(query.questions, [{ type: "TLSA", name: "_25._tcp.mx.example", class: "IN" }]);
  const [edns] = query.additionals ?? [];
  assert.ok(edns?.type === "OPT");
  assert.deepEqual([edns.udpPayloadSize, edns.flag_do, edns.ednsVersion], [1232, false, 0]);
});

suite("a name that DNS can hold", () => {
  // prettier-ignore
  const cases: readonly (readonly [name: string, expected: boolean])[] = [
    [".",                              true],
    ["example",                        true],
    ["_25._tcp.mx.example",            true],
    ["a".repeat(63),                   true],
    ["a".repeat(64),                   false],
    [`${"a.".repeat(126)}a`,           true],
    [`${"a.".repeat(126)}aa`,          false],
    ["",                               false],
    ["a..example",                     false],
    ["a.example.",                     false],
    ["mx\u0000.example",               false],
    ["mx example",                     false],
    ["\\046.example",                  false],
    ["müller.example",                 false],
  ];
  for (const [name, expected] of cases) test(JSON.stringify(name), () => assert.equal(isName(name), expected));

  test("is written and read back the same", () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,63}$/);
    const names = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join("."));
    fc.assert(
      fc.property(names, (name) => {
        fc.pre(isName(name));
        const query = dns.decode(encodeQuestion({ id: 1, type: "A", name }));
        assert.equal(query.questions?.[0]?.name, name);
      }),
    );
  });
});
