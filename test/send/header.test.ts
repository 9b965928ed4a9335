// What stands in a message's header, and which messages nobody should send.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { authorDomain, fieldsOf, headerFaults } from "../../functions/send/header.ts";
import { normalise } from "../../functions/smtp/message.ts";

const from = "From: us <us@sender.example>";

function message(text: string, encoding: BufferEncoding = "utf8"): Buffer {
  return normalise(Buffer.from(text, encoding));
}

// prettier-ignore
const fields: readonly (readonly [what: string, text: Buffer, fields: readonly (readonly [name: string, value: string])[]])[] = [
  ["one field", message("A: b\n\nbody"), [["A", "b"]]],
  ["fields as they are written, in their order", message("b-C: 1\nA: 2\n\n"), [["b-C", "1"], ["A", "2"]]],
  ["one that is folded", message("A: b\n c\n\td\n\n"), [["A", "b c\td"]]],
  ["one that is folded before its value", message("A:\n b\n\n"), [["A", "b"]]],
  ["one folded by a line of spaces", message("A: b\n \nB: c\n\n"), [["A", "b"], ["B", "c"]]],
  ["one without a value", message("A:\n\n"), [["A", ""]]],
  ["one with colons in its value", message("A:b:c\n\n"), [["A", "b:c"]]],
  ["UTF-8", message("A: à\n\n"), [["A", "à"]]],
  ["Latin-1", message("A: é\n\n", "latin1"), [["A", "é"]]],
  ["a header without a body", message("A: b"), [["A", "b"]]],
  ["what looks like a field in the body", message("A: b\n\nC: d\n"), [["A", "b"]]],
  ["lines that are no fields", message("A: b\nnone\nC : d\nE: f\n\n"), [["A", "b"], ["E", "f"]]],
  ["a line that goes on with nothing", message(" A: b\nC: d\n\n"), [["C", "d"]]],
  ["no header at all", message("\nA: b\n"), []],
  ["nothing at all", message(""), []],
];

describe("the fields of a message", () => {
  for (const [what, text, expected] of fields) {
    it(what, () =>
      assert.deepEqual(
        fieldsOf(text).map(({ name, value }) => [name, value]),
        expected,
      ),
    );
  }
});

const many = "leave one (RFC 5322 §3.6)";
const shape = "write Name: value, and an empty line before the body";

// prettier-ignore
const faults: readonly (readonly [what: string, text: Buffer, faults: readonly string[]])[] = [
  ["a whole message", message(`${from}\nTo: a@b.example\nSubject: x\n\nbody`), []],
  ["a header without a body", message(from), []],
  ["several authors", message(`From: a@b.example, c@d.example\nSender: a@b.example\n\n`), []],
  ["an author in UTF-8", message("From: Jörg <jörg@bücher.example>\n\n"), []],
  ["several fields that may be several", message(`Received: x\nReceived: y\nComments: a\nComments: b\n${from}\n\n`), []],
  ["nothing at all", message(""), ["message: it is empty; give an RFC 5322 message: header fields, an empty line, a body"]],
  ["a body alone", message(`\n${from}\n`), [
    "message: it has no header; write its fields first, then an empty line and the body",
    "message: it has no From field; write who it is from: From: name <local@domain> (RFC 5322 §3.6)",
  ]],
  ["no From", message("Subject: x\n\nFrom: us@sender.example\n"), [
    "message: it has no From field; write who it is from: From: name <local@domain> (RFC 5322 §3.6)",
  ]],
  ["two From fields, of whatever case", message(`${from}\nFROM: them@other.example\n\n`), [`message: it has 2 From fields; ${many}`]],
  ["a From of nobody", message("From: us\n\n"), ["message: it has a From field without an address; write From: name <local@domain>"]],
  ["a From of a domain that is none", message("From: <us@sender..example>\n\n"), ["message: it has a From field without an address; write From: name <local@domain>"]],
  ["a group of nobody in From", message("From: nobody:;\n\n"), ["message: it has a From field without an address; write From: name <local@domain>"]],
  ...["Date", "Message-ID", "Subject", "To", "Cc", "Sender", "Reply-To", "In-Reply-To", "References"].map((name) => [
    `three ${name} fields`, message(`${name}: x\n${from}\n${name}: y\n${name.toLowerCase()}: z\n\n`), [`message: it has 3 ${name} fields; ${many}`],
  ] as const),
  ["a Bcc field", message(`${from}\nbcc: a@b.example\n\n`), [
    "message: it has a Bcc field, which every recipient would read; remove it, and name them in to alone",
  ]],
  ["a mailbox's separator", message(`From us@sender.example Mon\n${from}\n\n`), [
    `message: it has a header line that is no field: "From us@sender.example Mon"; ${shape}`,
  ]],
  ["a line before the first field that goes on", message(` x\n${from}\n\n`), [`message: it has a header line that is no field: " x"; ${shape}`]],
  ["a space before the colon", message(`${from}\nSubject : x\n\n`), [`message: it has a header line that is no field: "Subject : x"; ${shape}`]],
  ["a name beyond ASCII", message(`${from}\nSübject: x\n\n`), [`message: it has a header line that is no field: "S\u00c3\u00bcbject: x"; ${shape}`]],
  ["a line of controls, and a long one", message(`${from}\n\u001b[31m\u0085${"x".repeat(80)}\n\n`), [
    `message: it has a header line that is no field: "\\u001b[31m\u00c2\\u0085${"x".repeat(53)}…"; ${shape}`,
  ]],
  ["a NUL in the header", message(`${from}\nSubject: a\0b\n\n`), ['message: it has a NUL in its header: "Subject: a\\u0000b"; remove it']],
  ["a NUL in the body, which is the body's", message(`${from}\n\na\0b`), []],
  ["a header that never ends", message(`${from}\nX: ${"x\n ".repeat(100_000)}\n\n`), [
    "message: it has more than 262144 octets of header; end it with an empty line before the body, or shorten its fields",
  ]],
];

describe("a message that nobody should send is told why", () => {
  for (const [what, text, expected] of faults) {
    it(what, () => assert.deepEqual(headerFaults(text), expected));
  }
});

// prettier-ignore
const authors: readonly (readonly [from: string, domain: string | null])[] = [
  ["us@sender.example", "sender.example"],
  ["<us@Sender.EXAMPLE>", "sender.example"],
  ['"them@other.example" <us@sender.example>', "sender.example"],
  ["them@other.example <us@sender.example>", "sender.example"],
  ['"a@b"@sender.example', "sender.example"],
  ["us (them@other.example) <us@sender.example>", "sender.example"],
  ["a..b@sender.example", "sender.example"],
  ["us@sender.example, them@other.example", "sender.example"],
  ["us: us@sender.example, them@other.example;", "sender.example"],
  ["us@bücher.example", "xn--bcher-kva.example"],
  ["us@[192.0.2.1]", "[192.0.2.1]"],
  ["us", null],
  ["us@", null],
  ["us@sender..example", null],
  ["", null],
];

describe("the author's domain", () => {
  for (const [value, domain] of authors) {
    it(JSON.stringify(value), () => assert.equal(authorDomain(fieldsOf(message(`from: ${value}\n\n`))), domain));
  }
});

test("whatever a message is, it is read, and a message of fields is taken apart without loss", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      const text = normalise(octets);
      headerFaults(text);
      fieldsOf(text);
    }),
  );
  const name = fc.stringMatching(/^[!-9;-~]{1,20}$/);
  const value = fc.array(fc.stringMatching(/^[ -~\x80-\xff]{0,20}$/), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 5 }), (given) => {
      const lines = given.map(([name, value]) => `${name}:${value.join("\r\n ")}`);
      const read = fieldsOf(Buffer.from(`${lines.join("\r\n")}\r\n\r\nbody`, "latin1"));
      assert.deepEqual(
        read.map(({ line }) => line),
        lines,
      );
    }),
  );
});

test("a message of 25 MB without an end to its header is told in no time", () => {
  const startMs = performance.now();
  assert.equal(headerFaults(Buffer.alloc(25_000_000, "X: y\r\n")).length, 1);
  assert.ok(performance.now() - startMs < 1_000);
});
