// What a queue message may ask of sends: what is read of it, what it is told when it is wrong, and what its digest is of.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { readRequest } from "../../functions/queue/request.ts";
import { longestExpiryMs, sendOctets, type Send } from "../../functions/queue/send-request.ts";

function configOf(more: object = {}): Config {
  const { value, faults } = checkConfig({
    identity: { helo: "probe.example", sender: "probe@sender.example" },
    egresses: ["mail-1", "mail-2", "aws"].map((name) => ({ name, runner: name === "aws" ? "functions" : "worker" })),
    targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
    requests: { senders: ["@shop.example", ""], buckets: ["mine"] },
    sends: { egresses: ["aws", "mail-1"], bucket: "waiting" },
    ...more,
  });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

const config = configOf();
const message = "From: a@shop.example\r\n\r\nhello\r\n";
const least = { v: 1, kind: "send", id: "order-4711", from: "a@shop.example", to: ["x@y.example"], message };
const known = {
  ...least,
  to: ["x@Y.example", "X@y.example", "z@bücher.example"],
  egress: "mail-1",
  expires: "2026-11-24T17:00:00+01:00",
  onUnknown: "retry",
  priority: "low",
  message: { base64: "AP+A" },
};

function sendOf(document: object, given = config): Send {
  const { value, faults } = readRequest(JSON.stringify(document), given);
  assert.ok(value?.kind === "send", String(faults));
  return value;
}

test("a send is read whole", () => {
  const { digest, ...send } = sendOf(known);
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(send, {
    kind: "send",
    id: "order-4711",
    from: "a@shop.example",
    to: [
      { text: "x@y.example", local: "x", domain: "y.example", needsSmtpUtf8: false },
      { text: "X@y.example", local: "X", domain: "y.example", needsSmtpUtf8: false },
      { text: "z@xn--bcher-kva.example", local: "z", domain: "xn--bcher-kva.example", needsSmtpUtf8: false },
    ],
    egress: "mail-1",
    expiresAtMs: Date.UTC(2026, 10, 24, 16),
    onUnknown: "retry",
    priority: "low",
    message: { kind: "inline", bytes: Buffer.from([0, 255, 128]) },
  });
});

test("what it does not say has its default", () => {
  const { egress, expiresAtMs, onUnknown, priority, message: read } = sendOf(least);
  assert.deepEqual(
    { egress, expiresAtMs, onUnknown, priority },
    { egress: null, expiresAtMs: null, onUnknown: "stop", priority: "normal" },
  );
  assert.deepEqual(read, { kind: "inline", bytes: Buffer.from(message) });
});

test("an object of a listed bucket is read by its name", () => {
  const { message: read } = sendOf({ ...least, message: { s3: { bucket: "mine", key: "a b/ü" } } });
  assert.deepEqual(read, { kind: "s3", bucket: "mine", key: "a b/ü" });
});

test("a digest is of what is asked, however it is written, and not of the id and how long it is tried", () => {
  const digestOf = (change: object): string => sendOf({ ...least, ...change }).digest;
  const same = [
    { id: "another", expires: "2026-11-24T17:00:00Z" },
    { message: { base64: Buffer.from(message).toString("base64") } },
    { onUnknown: "stop", priority: "normal" },
    { from: "<a@SHOP.example>", to: ["<x@Y.EXAMPLE>"] },
  ];
  for (const each of same) assert.equal(digestOf(each), digestOf({}), JSON.stringify(each));
  const others = [
    { from: "" },
    { to: ["x@y.example", "x@z.example"] },
    { egress: "aws" },
    { onUnknown: "retry" },
    { priority: "high" },
    { message: `${message}.` },
    { message: { s3: { bucket: "mine", key: "a" } } },
    { message: { s3: { bucket: "mine", key: "b" } } },
  ];
  assert.equal(new Set([{}, ...others].map(digestOf)).size, others.length + 1);
});

const many = Array.from({ length: 101 }, (_, index) => `u${index}@y.example`);
const noText = "a message with a header and a body";

const wrong: readonly (readonly [name: string, change: object, ...faults: string[]])[] = [
  ["no id", { id: undefined }, "id: is missing; it takes string"],
  ["an id with a space", { id: "a b" }, "id: 1 to 200 visible ASCII characters"],
  ["an id that is too long", { id: "x".repeat(201) }, "id: 1 to 200 visible ASCII characters"],
  ["no sender", { from: undefined }, "from: is missing; it takes string"],
  ["a sender that nobody lists", { from: "a@elsewhere.example" }, "from: it is none of the configuration's identity.sender and requests.senders"], // prettier-ignore
  ["no recipient", { to: [] }, "to: expected array to have >=1 items"],
  ["a recipient that is a text", { to: "x@y.example" }, "to: expected array, received string"],
  ["too many recipients", { to: many }, "to: expected array to have <=100 items"],
  ["a recipient without a domain", { to: ["x@y.example", "x"] }, 'to[1]: "x" has no "@"; write local@domain'],
  ["a recipient twice", { to: ["x@y.example", "a@b.example", "<x@Y.Example>"] }, "to[2]: the same as to[0]"],
  ["an egress that there is not", { egress: "mail-3" }, "egress: expected one of aws, mail-1, by which sends leave"],
  ["an egress by which none leave", { egress: "mail-2" }, "egress: expected one of aws, mail-1, by which sends leave"],
  ["a time without its zone", { expires: "2026-11-24T17:00:00" }, "expires: an RFC 3339 time such as 2026-11-24T17:00:00Z"], // prettier-ignore
  ["another word for unknown", { onUnknown: "never" }, 'onUnknown: expected one of "stop"|"retry"'],
  ["another priority", { priority: 1 }, 'priority: expected one of "high"|"normal"|"low"'],
  ["no message", { message: undefined }, "message: is missing; it takes string; or is missing; it takes object"],
  ["an empty message", { message: "" }, `message: ${noText}`],
  ["no octets", { message: { base64: "" } }, "message.base64: base64, without line ends"], // prettier-ignore
  ["octets in lines", { message: { base64: "AP+A\nAP+A" } }, "message.base64: base64, without line ends"], // prettier-ignore
  ["a bucket that nobody lists", { message: { s3: { bucket: "theirs", key: "a" } } }, "message.s3.bucket: it is none of the configuration's requests.buckets"], // prettier-ignore
  ["our own bucket, where others' messages wait", { message: { s3: { bucket: "waiting", key: "a" } } }, "message.s3.bucket: it is none of the configuration's requests.buckets"], // prettier-ignore
  ["a field that there is not", { cc: [] }, "cc: there is no such field"],
  [
    "several at once",
    { from: "a@b.example", to: ["x"], egress: "z" },
    "from: it is none of the configuration's identity.sender and requests.senders",
    'to[0]: "x" has no "@"; write local@domain',
    "egress: expected one of aws, mail-1, by which sends leave",
  ],
];

describe("a wrong send is told every fault, each with the path of its field", () => {
  for (const [name, change, ...faults] of wrong) {
    it(name, () => {
      const told = readRequest(JSON.stringify({ ...least, ...change }), config);
      assert.deepEqual(told, { value: null, faults });
    });
  }

  it("a lone surrogate, which no UTF-8 can say", () => {
    const { faults } = readRequest(JSON.stringify({ ...least, message: "From: a@b\r\n\r\n\ud800" }), config);
    assert.deepEqual(faults, ["message: text without lone surrogates; octets that are no Unicode go as base64"]);
  });
});

test("where the configuration has no section for sends, that is the only fault", () => {
  const told = { value: null, faults: ["kind: this system takes no sends, since its configuration has no section sends; add one, then redrive"] }; // prettier-ignore
  const none = configOf({ sends: null });
  assert.deepEqual(readRequest(JSON.stringify({ ...least, to: [] }), none), told);
  assert.deepEqual(readRequest(JSON.stringify({ v: 1, kind: "wake", id: "" }), none), told);
});

test("a message may be as large as SQS takes a request, and no larger", () => {
  const room = sendOctets - Buffer.byteLength(JSON.stringify({ ...least, message: "" }));
  assert.equal(sendOf({ ...least, message: "x".repeat(room) }).kind, "send");
  const { faults } = readRequest(JSON.stringify({ ...least, message: "x".repeat(room + 1) }), config);
  assert.deepEqual(faults, ["$: it has more than 1048576 octets, which no request needs"]);
});

test("14 days are the longest that a send may be tried", () => {
  assert.equal(longestExpiryMs, 1_209_600_000);
});

describe("what only wakes says where to look, and nothing else", () => {
  const wake = { v: 1, kind: "wake", id: "order-4711", domain: "y.example", egress: "aws" };

  it("it is read whole, also of a way out that is gone", () => {
    for (const egress of ["aws", "gone"]) {
      const { value } = readRequest(JSON.stringify({ ...wake, egress }), config);
      assert.deepEqual(value, { kind: "wake", id: "order-4711", domain: "y.example", egress });
    }
  });

  for (const [name, change, fault] of [
    ["no domain", { domain: undefined }, "domain: is missing; it takes string"],
    ["no way out", { egress: "" }, "egress: expected string to have >=1 characters"],
    ["more than that", { to: ["x@y.example"] }, "to: there is no such field"],
  ] as const) {
    it(`${name} is a fault`, () => {
      assert.deepEqual(readRequest(JSON.stringify({ ...wake, ...change }), config).faults, [fault]);
    });
  }
});

test("a good send with one field changed is a send or is told that field, and nothing is thrown", () => {
  const values = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: "binary" }),
    fc.emailAddress(),
    fc.uniqueArray(fc.emailAddress(), { maxLength: 12 }),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.uint8Array().map((octets) => ({ base64: Buffer.from(octets).toString("base64") })),
  );
  let taken = 0;
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(known), "other"), values, (field, value) => {
      const told = readRequest(JSON.stringify({ ...known, [field]: value }), config);
      if (told.faults === null) taken += 1;
      else for (const each of told.faults) assert.match(each, new RegExp(`^${field}(?:\\[\\d+\\]|\\.\\w+)?: `));
    }),
    { numRuns: 1_000 },
  );
  assert.ok(taken > 20, `only ${taken} of them were sends`);
});

test("any octets come through as they are, in base64, and any text in UTF-8", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.string({ unit: "grapheme", minLength: 1 }), (octets, text) => {
      const base64 = Buffer.from(octets).toString("base64");
      const [inBase64, inText] = [{ base64 }, text].map((each) => sendOf({ ...least, message: each }).message);
      assert.deepEqual(inBase64, { kind: "inline", bytes: Buffer.from(octets) });
      assert.deepEqual(inText, { kind: "inline", bytes: Buffer.from(text) });
    }),
  );
});
