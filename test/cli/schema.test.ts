// The published schemas: real documents fit them, and our own reading of the verdict's agrees with ajv's.
import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { misfitOf } from "../../functions/cli/shape.ts";
import selfCheckSchema from "../../functions/cli/self-check.schema.json" with { type: "json" };
import schema from "../../functions/cli/verdict.schema.json" with { type: "json" };
import { classes } from "../../functions/verdict/classes.ts";
import { severities } from "../../functions/verdict/severity.ts";
import { direct } from "../../functions/route/egress.ts";
import type { SelfCheck } from "../../functions/self-check/self-check.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import packageFile from "../../package.json" with { type: "json" };
import { blocked, exchange, greeting, listed, reply, transcript, welcome } from "./sample.ts";

const fits = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);

/** Sessions that between them have every field both null and not. */
const certificate = { names: ["mx"], issuer: "ca", validFrom: "a", validTo: "b", verified: false, fault: "old" };
const sessions = [
  blocked,
  transcript([], {
    address: null,
    localAddress: null,
    retry: "in-clear",
    stop: { reason: "handshake", stage: "tls", status: null, text: "no" },
    timings: { connectedMs: null, decidedMs: 1.5, endedMs: 2 },
    ending: { by: "failed", stage: "connect", text: "refused" },
  }),
  transcript(
    [
      { ...greeting, reply: reply(["550-5.7.1 a", "551 b"], { partial: true, anomalies: ["mixed-codes", "bare-lf"] }) },
      exchange("message", ".", null, { written: false }),
    ],
    { depth: "message", from: "", tls: { version: "TLSv1", cipher: "x", certificate } },
  ),
  transcript([greeting], { tls: { version: "TLSv1.3", cipher: "x", certificate: null } }),
  transcript([greeting], {
    egressAddress: "203.0.113.9",
    policy: { by: "mta-sts", mode: "testing", text: "MTA-STS of mx.example (testing)", fault: "no TLS" },
  }),
  // A finding with everything; one without list, link and provider; and accepted, which has none of it.
  listed,
  transcript([{ ...greeting, reply: reply(["554 5.7.1 203.0.113.9 is on our blacklist"]) }]),
  welcome,
];

test("documents of every kind of session fit the published schema", () => {
  for (const attempts of [...sessions.map((each) => [each]), sessions]) {
    const document: unknown = JSON.parse(JSON.stringify(judge(attempts, direct)));
    assert.ok(fits(document), JSON.stringify(fits.errors));
    assert.equal(misfitOf(document, "verdict", ""), null);
  }
});

test("between them they have every field of a meaning both null and not", () => {
  const documents = sessions.map((each) => judge([each], direct));
  for (const field of ["class", "severity", "provider", "blocklist", "remedy", "rule"] as const) {
    const found = new Set(documents.map((each) => each[field] === null));
    assert.equal(found.size, 2, field);
  }
  const urls = new Set(documents.flatMap(({ remedy }) => (remedy === null ? [] : [remedy.url === null])));
  assert.equal(urls.size, 2, "a remedy's link");
  const { findings } = judge(sessions, direct);
  assert.deepEqual(
    findings.map(({ blocklist, provider }) => [blocklist, provider]),
    [
      ["spamhaus-zen", "icloud"],
      [null, null],
    ],
  );
});

test("the schema has every class and severity that there is, and null", () => {
  assert.deepEqual(schema.$defs.class.enum, [...Object.keys(classes), null]);
  const used = Object.values(severities).flatMap(({ permanent, transient }) => [permanent, transient]);
  assert.deepEqual(new Set(schema.$defs.severity.enum), new Set([...used, null]));
});

test("a finding is the primary's fields and the verdict's own", () => {
  const answer = schema.$defs.hostAnswer;
  const finding = schema.$defs.finding;
  const meaning = ["class", "severity", "provider", "blocklist", "remedy", "rule"];
  assert.deepEqual(finding.required, [...meaning, ...answer.required]);
  assert.deepEqual(Object.keys(finding.properties), finding.required);
  for (const [name, property] of Object.entries(answer.properties)) {
    assert.deepEqual(Reflect.get(finding.properties, name), property, name);
  }
});

const wrong: readonly (readonly [
  path: readonly (string | number)[],
  how: "set" | "delete" | "add",
  other?: unknown,
])[] = [
  [["class"], "set", "blocked"],
  [["class"], "set", ""],
  [["class"], "delete"],
  [["severity"], "set", "red"],
  [["severity"], "set", 1],
  [["severity"], "delete"],
  [["provider"], "set", 5],
  [["provider"], "set", {}],
  [["provider"], "delete"],
  [["blocklist"], "set", ["spamhaus-pbl"]],
  [["blocklist"], "delete"],
  [["rule"], "set", 7],
  [["rule"], "delete"],
  [["remedy"], "set", "ask them"],
  [["remedy"], "set", {}],
  [["remedy"], "set", { text: "ask them" }],
  [["remedy"], "set", { url: null }],
  [["remedy"], "set", { text: null, url: null }],
  [["remedy"], "set", { text: "ask", url: 5 }],
  [["remedy"], "set", { text: "ask", url: null, by: "mail" }],
  [["remedy"], "delete"],
  [["findings"], "set", null],
  [["findings"], "set", {}],
  [["findings"], "set", [null]],
  [["findings"], "set", ["ip-reputation"]],
  [["findings"], "delete"],
  ...Object.keys(schema.$defs.finding.properties).map((name) => [["findings", 0, name], "delete"] as const),
  [["findings", 0, "class"], "set", "blocked"],
  [["findings", 0, "severity"], "set", "PAGE"],
  [["findings", 0, "code"], "set", "554"],
  [["findings", 0, "stage"], "set", "quit"],
  [["findings", 0, "remedy", "url"], "delete"],
  [["findings", 0, "remedy", "url"], "add"],
  [["findings", 0, "port"], "add"],
  [["about"], "set", "ip"],
];

for (const [path, how, other] of wrong) {
  test(`${path.join(".")} ${how} ${JSON.stringify(other) ?? ""}: no such document`, () => {
    const document = JSON.parse(JSON.stringify(judge([listed], direct))) as Record<string, unknown>;
    assert.ok(fits(document));
    change(document, path, how, other);
    assert.ok(!fits(document));
    assert.ok(misfitOf(document, "verdict", "") !== null);
  });
}

/** Has every field both null and not, and every standing. */
const selfChecked: SelfCheck = {
  v: 1,
  at: "2026-11-24T11:30:00.000Z",
  egress: { name: "mail-1", address: "192.0.2.25", seen: null },
  helo: null,
  sender: "",
  standing: "fault",
  checks: [
    { check: "address", standing: "ok", text: "192.0.2.25 is configured", remedy: null },
    { check: "helo", standing: "fault", text: "no name", remedy: { text: "Configure one.", url: null } },
    { check: "port-25", standing: "unknown", text: "none", remedy: { text: "Ask.", url: "https://example.com/" } },
  ],
};
const fitsSelfCheck = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(selfCheckSchema);

test("a self-check fits its schema, and one that is changed does not", () => {
  assert.ok(fitsSelfCheck(selfChecked), JSON.stringify(fitsSelfCheck.errors));
  const seen = { ...selfChecked, helo: "probe.example", egress: { name: "x", address: null, seen: "192.0.2.25" } };
  assert.ok(fitsSelfCheck(seen), JSON.stringify(fitsSelfCheck.errors));
  const paths = [...pathsOf(selfChecked)];
  assert.ok(paths.length > 20);
  for (const path of paths) {
    for (const [how, other] of [["delete"], ["set", 0.5], ["set", { stray: 1 }]] as const) {
      const document = structuredClone(selfChecked);
      change(document, path, how, other);
      assert.ok(!fitsSelfCheck(document), `${path.join(".")} ${how} ${JSON.stringify(other)}`);
    }
  }
  for (const path of [["stray"], ["egress", "stray"], ["checks", 0, "stray"], ["checks", 1, "remedy", "stray"]]) {
    const document = structuredClone(selfChecked);
    change(document, path, "add", 1);
    assert.ok(!fitsSelfCheck(document), path.join("."));
  }
});

test("each schema has an id with its version, is part of the package, and can be imported from it", () => {
  assert.equal(selfCheckSchema.$id, "urn:delivery-probe:self-check:1");
  assert.equal(selfCheckSchema.$defs.selfCheck.properties.v.const, 1);
  const exported = Object.entries(packageFile.exports).flatMap(([name, file]) => {
    return typeof file === "string" && name.endsWith(".schema.json") ? [[name, file] as const] : [];
  });
  assert.ok(exported.some(([name]) => name === "./verdict.schema.json"));
  assert.ok(exported.some(([name]) => name === "./self-check.schema.json"));
  for (const [name, file] of exported) {
    const found = fileURLToPath(import.meta.resolve(path.posix.join(packageFile.name, name)));
    assert.equal(found, path.join(import.meta.dirname, "../..", file));
    assert.ok(existsSync(found), file);
    assert.ok(packageFile.files.includes(file.slice(2)), file);
  }
});

test("the schema has an id with its version, and says what each field of a verdict is", () => {
  assert.equal(schema.$id, "urn:delivery-probe:verdict:1");
  assert.equal(schema.$defs.verdict.properties.v.const, 1);
  for (const [name, field] of Object.entries(schema.$defs.verdict.properties)) {
    const definition =
      "$ref" in field ? Object.entries(schema.$defs).find(([key]) => field.$ref === `#/$defs/${key}`) : undefined;
    const described = "description" in field || (definition !== undefined && "description" in definition[1]);
    assert.ok(described, `${name} has no description`);
  }
});

const paths = [...pathsOf(JSON.parse(JSON.stringify(judge(sessions, direct))))];
const others = fc.constantFrom<unknown>(null, true, -1, 0.5, 99, 1e9, "", "x", "5.7.1", [], [1], {}, { a: 1 });

test("a changed document is refused by our reading of the schema where ajv refuses it, and nowhere else", () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.constantFrom("set", "delete", "add"), others, (path, how, other) => {
      const document = JSON.parse(JSON.stringify(judge(sessions, direct))) as Record<string, unknown>;
      change(document, path, how, other);
      const misfit = misfitOf(document, "verdict", "");
      assert.equal(misfit === null, fits(document), `${path.join(".")} ${how}: ${JSON.stringify(misfit)}`);
      if (misfit !== null) refused += 1;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(refused > 500, `only ${refused} documents were wrong`);
});

const named: readonly (readonly [path: readonly (string | number)[], other: unknown, at: string, expected: RegExp])[] =
  [
    [["outcome"], "fine", "outcome", /^accepted, rejected, deferred, unanswered or unknown$/],
    [["attempts"], [], "attempts", /^1 or more entries$/],
    [
      ["attempts", 0, "exchanges", 2, "reply", "code"],
      "250",
      "attempts[0].exchanges[2].reply.code",
      /^integer or null$|^integer$/,
    ],
    [["attempts", 0, "exchanges", 2, "reply", "lines", 0], 5, "attempts[0].exchanges[2].reply.lines[0]", /^string$/],
    [["class"], "blocked", "class", /^ip-reputation, .*unspecified or null$/],
    [["remedy", "url"], 5, "remedy.url", /^string or null$/],
    [["findings", 1, "severity"], "red", "findings[1].severity", /^page, warn, info or null$/],
    [["findings", 1, "why"], "red", "findings[1].why", /no such field/],
    [["attempts", 1, "ending", "by"], "luck", "attempts[1].ending.by", /quit, us, fin/],
    [["attempts", 1, "ending", "why"], "luck", "attempts[1].ending.why", /no such field/],
  ];

/** Without the last, which is accepted and has no remedy. */
const refused = sessions.slice(0, -1);

for (const [path, other, at, expected] of named) {
  test(`a misfit at ${at} is named by its path`, () => {
    const document = JSON.parse(JSON.stringify(judge(refused, direct))) as Record<string, unknown>;
    change(document, path, "set", other);
    const misfit = misfitOf(document, "verdict", "");
    assert.equal(misfit?.path, at);
    assert.match(misfit.expected, expected);
  });
}

function change(document: object, path: readonly (string | number)[], how: string, other: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce((at, key) => (at as Record<string | number, object>)[key] as object, document);
  const key = path.at(-1) ?? "";
  if (how === "set") Object.assign(parent, { [key]: other });
  else if (how === "add") Object.assign(parent, Array.isArray(parent) ? {} : { stray: other });
  else Reflect.deleteProperty(parent, key);
}

/** Every place in a document, but for whole documents. A deleted entry of an array would be a hole, which JSON has not. */
function* pathsOf(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    const own = [...path, key];
    if (!Array.isArray(value)) yield own;
    yield* pathsOf(each, own);
  }
}
