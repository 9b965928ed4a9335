// What a queue message may ask for: requests are untrusted, and a wrong one is told every fault with its path.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { version } from "../../functions/config/version.ts";
import { readRequest, type Probe } from "../../functions/queue/request.ts";

function configOf(more: object = {}): Config {
  const { value, faults } = checkConfig({
    identity: { helo: "probe.example", sender: "probe@sender.example" },
    egresses: [
      { name: "mail-1", runner: "worker" },
      { name: "aws", runner: "functions" },
    ],
    targets: [{ provider: "icloud", recipient: "Probe@ICloud.example" }],
    ...more,
  });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

const config = configOf();
const known = {
  v: 1,
  kind: "probe",
  id: "order-4711",
  recipient: "Probe@icloud.example",
  egress: "mail-1",
  depth: "ehlo",
  from: "probe@sender.example",
  mx: ["mx.example", "[2001:db8::1]:25"],
  notAfter: "2026-11-24T17:00:00+01:00",
};
const least = { v: 1, kind: "probe", id: "a", recipient: "Probe@icloud.example" };
const selfCheck = { v: 1, kind: "self-check", id: "b", egress: "mail-1", notAfter: "2026-11-24T17:00:00+01:00" };

/** What is read as a probe; null: it is none. */
function probeOf(document: object, given = config): Probe | null {
  const { value } = readRequest(JSON.stringify(document), given);
  return value?.kind === "probe" ? value : null;
}

test("a request is read whole", () => {
  assert.deepEqual(readRequest(JSON.stringify(known), config), {
    value: {
      kind: "probe",
      id: "order-4711",
      recipient: { text: "Probe@icloud.example", local: "Probe", domain: "icloud.example", needsSmtpUtf8: false },
      egress: "mail-1",
      depth: "ehlo",
      from: "probe@sender.example",
      mx: [
        { name: "mx.example", port: 25 },
        { name: "2001:db8::1", port: 25 },
      ],
      notAfterMs: Date.UTC(2026, 10, 24, 16),
      digest: probeOf(known)?.digest,
    },
    faults: null,
  });
});

test("a request's digest is of what was asked, whatever the configuration makes of it, and not of its id or time", () => {
  const digestOf = (more: object, given = config): string | undefined => probeOf({ ...least, ...more }, given)?.digest;
  assert.match(digestOf({}) ?? "", /^[0-9a-f]{64}$/);
  assert.equal(digestOf({ id: "b", notAfter: "2026-11-24T17:00:00Z" }), digestOf({}));
  const moved = { ...config, identity: { ...config.identity, sender: "other@sender.example" } };
  assert.equal(digestOf({}, moved), digestOf({}));
  for (const other of [{ depth: "rcpt" }, { egress: "mail-1" }, { mx: ["mx.example"] }]) {
    assert.notEqual(digestOf(other), digestOf({}));
  }
});

test("a body that is too long to be put back is a fault before its fields are read", () => {
  for (const [octets, limit] of [
    [70_000, 65_536],
    [1_048_577, 1_048_576],
  ] as const) {
    const { faults } = readRequest(JSON.stringify({ ...least, id: "x".repeat(octets) }), config);
    assert.deepEqual(faults, [`$: it has more than ${limit} octets, which no request needs`]);
  }
});

test("what it does not say is the configuration's: the functions' way out, our sender, the hosts of DNS", () => {
  const value = probeOf(least);
  assert.ok(value !== null);
  const { egress, depth, from, mx, notAfterMs } = value;
  assert.deepEqual(
    { egress, depth, from, mx, notAfterMs },
    { egress: "aws", depth: "rcpt", from: "probe@sender.example", mx: null, notAfterMs: null },
  );
});

test("where the functions have no way out, it is the first of all", () => {
  const workers = configOf({ egresses: ["mail-2", "mail-1"].map((name) => ({ name, runner: "worker" })) });
  assert.equal(probeOf(least, workers)?.egress, "mail-2");
});

const listed = "recipient: it is none of the configuration's targets or requests.recipients, which list our mailboxes";
const senders = "from: it is none of the configuration's identity.sender and requests.senders";

const newer = `v: 2 is a version that this runner (${version}) does not know; update it, then redrive`;

const wrong: readonly (readonly [name: string, change: object, ...faults: string[]])[] = [
  ["another version", { v: 2, id: 5 }, newer],
  ["a version that there never was", { v: 0 }, "v: expected 1, the version of requests"],
  ["half a version", { v: 1.5 }, "v: expected 1, the version of requests"],
  ["a version that is a text", { v: "1" }, "v: expected 1, the version of requests"],
  ["another kind", { kind: "page", to: [] }, 'kind: expected "probe", "self-check" or "send"'],
  ["a kind that every object has", { kind: "toString" }, 'kind: expected "probe", "self-check" or "send"'],
  ["no id", { id: undefined }, "id: is missing; it takes string"],
  ["an id with a line feed", { id: "a\nb" }, "id: 1 to 200 visible ASCII characters"],
  ["no recipient", { recipient: undefined }, "recipient: is missing; it takes string"],
  ["a recipient without domain", { recipient: "probe" }, 'recipient: "probe" has no "@"; write local@domain'],
  ["a recipient with another command in it", { recipient: "a@b>\r\nDATA" }, "recipient: *"],
  ["a mailbox that nobody lists", { recipient: "other@icloud.example" }, listed],
  ["a listed local part elsewhere", { recipient: "Probe@icloud.example.org" }, listed],
  ["a local part in other capitals", { recipient: "probe@icloud.example" }, listed],
  ["an egress that there is not", { egress: "mail-2" }, "egress: expected one of mail-1, aws"],
  ["an egress that is null", { egress: null }, "egress: expected string, received null"],
  ["a depth that is a stage", { depth: "data" }, 'depth: expected one of "greeting"|"ehlo"|"rcpt"|"message"'],
  ["a sender that is none", { from: "probe" }, 'from: "probe" has no "@"; write local@domain'],
  ["a sender that is not ours", { from: "boss@sender.example" }, senders],
  ["the null sender, which the configuration does not list", { from: "" }, senders],
  ["no host", { mx: [] }, "mx: expected array to have >=1 items"],
  ["a host that is none", { mx: ["mx.example", "mx example"] }, "mx[1]: expected host, host:25 or [IPv6 address]:25"],
  ["a port that is none", { mx: ["mx.example:0"] }, "mx[0]: expected host, host:25 or [IPv6 address]:25"],
  ["another port", { mx: ["mx.example:587"] }, "mx[0]: port 587 is none of 25, which the configuration's requests.ports lists"], // prettier-ignore
  ["a time without its zone", { notAfter: "2026-11-24T17:00:00" }, "notAfter: an RFC 3339 time such as 2026-11-24T17:00:00Z"], // prettier-ignore
  ["a field that there is not", { attempt: 1 }, "attempt: there is no such field"],
  [
    "several at once: of the shape",
    { id: "", depth: "x", extra: 1 },
    "id: 1 to 200 visible ASCII characters",
    'depth: expected one of "greeting"|"ehlo"|"rcpt"|"message"',
    "extra: there is no such field",
  ],
  [
    "several at once: of what the configuration allows",
    { recipient: "x@y.example", egress: "z", from: "a@b.example", mx: ["mx.example:26", ":"] },
    listed,
    "egress: expected one of mail-1, aws",
    senders,
    "mx[0]: port 26 is none of 25, which the configuration's requests.ports lists",
    "mx[1]: expected host, host:25 or [IPv6 address]:25",
  ],
];

describe("a wrong request is told every fault, each with the path of its field", () => {
  for (const [name, change, ...faults] of wrong) {
    it(name, () => {
      const told = readRequest(JSON.stringify({ ...known, ...change }), config);
      const shown = told.faults?.map((each, index) => (faults[index]?.endsWith("*") === true ? `${each.split(":")[0]}: *` : each)); // prettier-ignore
      assert.deepEqual({ value: told.value, faults: shown }, { value: null, faults });
    });
  }

  for (const [body, fault] of [
    ["", "$: this is no JSON; write one JSON object"],
    ["{", "$: this is no JSON; write one JSON object"],
    ["probe@icloud.example", "$: this is no JSON; write one JSON object"],
    ["null", "$: expected an object"],
    ["[]", "$: expected an object"],
    ['"probe"', "$: expected an object"],
    ["{}", "v: expected 1, the version of requests"],
    ['{"v":1}', 'kind: expected "probe", "self-check" or "send"'],
  ] as const) {
    it(`the body ${JSON.stringify(body)}`, () => assert.deepEqual(readRequest(body, config).faults, [fault]));
  }
});

const allowed: readonly (readonly [name: string, requests: object, change: object, told: "allowed" | "refused"])[] = [
  ["any mailbox where * is listed", { recipients: ["*"] }, { recipient: "x@y.example" }, "allowed"],
  ["a mailbox of the list", { recipients: ["x@Y.example"] }, { recipient: "x@y.example" }, "allowed"],
  ["another mailbox of its domain", { recipients: ["x@y.example"] }, { recipient: "z@y.example" }, "refused"],
  ["any mailbox of a listed domain", { recipients: ["@Y.example"] }, { recipient: "x@y.EXAMPLE" }, "allowed"],
  ["a mailbox of a domain below it", { recipients: ["@y.example"] }, { recipient: "x@a.y.example" }, "refused"],
  ["a mailbox of a domain that ends like it", { recipients: ["@y.example"] }, { recipient: "x@by.example" }, "refused"],
  ["a listed domain beyond ASCII", { recipients: ["@bücher.example"] }, { recipient: "x@xn--bcher-kva.example" }, "allowed"], // prettier-ignore
  ["a sender of the list", { senders: ["Boss@Sender.Example"] }, { from: "Boss@sender.example" }, "allowed"],
  ["any sender of a listed domain", { senders: ["@Sender.example"] }, { from: "boss@sender.EXAMPLE" }, "allowed"],
  ["a sender of a domain below it", { senders: ["@sender.example"] }, { from: "boss@a.sender.example" }, "refused"],
  ["the null sender, where a domain is listed", { senders: ["@sender.example"] }, { from: "" }, "refused"],
  ["the null sender of the list", { senders: [""] }, { from: "<>" }, "allowed"],
  ["a sender that is not in the list", { senders: ["boss@sender.example"] }, { from: "" }, "refused"],
  ["a port of the list", { ports: [25, 2_525] }, { mx: ["mx.example:2525"] }, "allowed"],
  ["the usual port, where only others are listed", { ports: [2_525] }, { mx: ["mx.example"] }, "refused"],
  ["any port", { ports: "any" }, { mx: ["mx.example:1"] }, "allowed"],
  ["no port at all", { ports: [] }, { mx: ["mx.example"] }, "refused"],
];

describe("what a request may ask for is what the configuration lists", () => {
  for (const [name, requests, change, told] of allowed) {
    it(`${name} is ${told}`, () => {
      const { faults } = readRequest(JSON.stringify({ ...least, ...change }), configOf({ requests }));
      assert.equal(faults === null ? "allowed" : "refused", told, String(faults));
      assert.ok(faults === null || faults.length === 1);
    });
  }

  it("our own sender goes out as it is on the wire, however the configuration spells it", () => {
    for (const [sender, wire] of [
      ["<>", ""],
      ["<probe@Sender.Example>", "probe@sender.example"],
    ] as const) {
      const spelt = configOf({ identity: { helo: "probe.example", sender } });
      assert.equal(probeOf(least, spelt)?.from, wire);
      assert.equal(probeOf({ ...least, from: wire }, spelt)?.from, wire);
    }
  });
});

test("a request for a self-check is read whole", () => {
  assert.deepEqual(readRequest(JSON.stringify(selfCheck), config), {
    value: { kind: "self-check", id: "b", egress: "mail-1", notAfterMs: Date.UTC(2026, 10, 24, 16) },
    faults: null,
  });
  const { notAfter: _, ...whenever } = selfCheck;
  const { value } = readRequest(JSON.stringify(whenever), config);
  assert.equal(value?.kind === "self-check" && value.notAfterMs, null);
});

const wrongSelfChecks: readonly (readonly [name: string, change: object, ...faults: string[]])[] = [
  ["another version", { v: 2 }, newer],
  ["no id", { id: undefined }, "id: is missing; it takes string"],
  ["an id with a blank", { id: "a b" }, "id: 1 to 200 visible ASCII characters"],
  // Which one is meant, of several, nobody guesses: each has a set-up of its own.
  ["no egress", { egress: undefined }, "egress: is missing; it takes string"],
  ["an egress that there is not", { egress: "mail-2" }, "egress: expected one of mail-1, aws"],
  ["what only a probe has", { recipient: "Probe@icloud.example" }, "recipient: there is no such field"],
  ["a depth", { depth: "ehlo" }, "depth: there is no such field"],
  ["a time that is none", { notAfter: "tomorrow" }, "notAfter: an RFC 3339 time such as 2026-11-24T17:00:00Z"],
  [
    "several at once",
    { id: "", egress: 1, extra: 1 },
    "id: 1 to 200 visible ASCII characters",
    "egress: expected string, received number",
    "extra: there is no such field",
  ],
];

describe("a wrong request for a self-check is told every fault", () => {
  for (const [name, change, ...faults] of wrongSelfChecks) {
    it(name, () => {
      const told = readRequest(JSON.stringify({ ...selfCheck, ...change }), config);
      assert.deepEqual(told, { value: null, faults });
    });
  }
});

test("any text and any JSON value is a request or has faults on one line each, and nothing is thrown", () => {
  const bodies = fc.oneof(fc.string({ unit: "binary" }), fc.json());
  fc.assert(
    fc.property(bodies, (body) => {
      const { value, faults } = readRequest(body, config);
      assert.equal(value, null);
      assert.ok(faults !== null && faults.length > 0);
      for (const each of faults) assert.match(each, /^\S+: \S/);
    }),
  );
});

test("a good request with one field changed is a request or is told that field, and nothing is thrown", () => {
  const everything = configOf({ requests: { recipients: ["*"], senders: [""], ports: "any" } });
  const values = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: "binary" }),
    fc.emailAddress(),
    fc.array(fc.oneof(fc.string(), fc.webAuthority({ withPort: true })), { maxLength: 12 }),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  let taken = 0;
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(known), "other"), values, (field, value) => {
      const told = readRequest(JSON.stringify({ ...known, [field]: value }), everything);
      if (told.faults === null) taken += 1;
      else for (const each of told.faults) assert.match(each, new RegExp(`^${field}(?:\\[\\d+\\])?: `));
    }),
    { numRuns: 1_000 },
  );
  assert.ok(taken > 20, `only ${taken} of them were requests`);
});
