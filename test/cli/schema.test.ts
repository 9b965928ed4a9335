// The published schema: real documents fit it, and our own reading of it agrees with ajv's.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { misfitOf } from "../../functions/cli/shape.ts";
import schema from "../../functions/cli/verdict.schema.json" with { type: "json" };
import { judge } from "../../functions/verdict/verdict.ts";
import { blocked, exchange, greeting, reply, transcript } from "./sample.ts";

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
];

test("documents of every kind of session fit the published schema", () => {
  for (const attempts of [...sessions.map((each) => [each]), sessions]) {
    const document: unknown = JSON.parse(JSON.stringify(judge(attempts, "direct")));
    assert.ok(fits(document), JSON.stringify(fits.errors));
    assert.equal(misfitOf(document, "verdict", ""), null);
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

const paths = [...pathsOf(JSON.parse(JSON.stringify(judge(sessions, "direct"))))];
const others = fc.constantFrom<unknown>(null, true, -1, 0.5, 99, 1e9, "", "x", "5.7.1", [], [1], {}, { a: 1 });

test("a changed document is refused by our reading of the schema where ajv refuses it, and nowhere else", () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.constantFrom("set", "delete", "add"), others, (path, how, other) => {
      const document = JSON.parse(JSON.stringify(judge(sessions, "direct"))) as Record<string, unknown>;
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
    [["attempts", 1, "ending", "by"], "luck", "attempts[1].ending.by", /quit, us, fin/],
    [["attempts", 1, "ending", "why"], "luck", "attempts[1].ending.why", /no such field/],
  ];

for (const [path, other, at, expected] of named) {
  test(`a misfit at ${at} is named by its path`, () => {
    const document = JSON.parse(JSON.stringify(judge(sessions, "direct"))) as Record<string, unknown>;
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
