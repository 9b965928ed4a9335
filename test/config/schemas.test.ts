// The published JSON Schemas say the same as the code: the text, the descriptions, and what fits.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { checkConfig } from "../../functions/config/config.ts";
import { readRequest } from "../../functions/queue/request.ts";
import requestSchema from "../../functions/queue/request.schema.json" with { type: "json" };
import example from "../../infra/config/example.json" with { type: "json" };
import configSchema from "../../infra/config/schema.json" with { type: "json" };
import { schemas } from "../../infra/config/schemas.ts";

// Which URL and which time is one, the code's own tests say.
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false });
const fitsConfig = ajv.compile(configSchema);
const fitsRequest = ajv.compile(requestSchema);

for (const { file, text } of schemas) {
  test(`${file.pathname.split("/").at(-1)} is what infra/config/schemas.ts writes`, async () => {
    assert.deepEqual(JSON.parse(await readFile(file, "utf8")), JSON.parse(text));
  });
}

test("each schema has an id with its version", () => {
  assert.equal(configSchema.$id, "urn:delivery-probe:config:1");
  assert.equal(requestSchema.$id, "urn:delivery-probe:request:1");
});

test("an editor can say of every field what it is for", () => {
  const bare = [...fieldsOf(configSchema), ...fieldsOf(requestSchema)].filter(({ schema }) => {
    return !("description" in schema) && !("const" in schema);
  });
  assert.deepEqual(
    bare.map(({ name }) => name),
    [],
  );
});

const [egress] = example.egresses;
const [target] = example.targets;

const configs: readonly (readonly [name: string, fits: boolean, change: object])[] = [
  ["the example", true, {}],
  ["no name, which has a default", true, { name: undefined }],
  ["a name in capitals", false, { name: "Probe" }],
  ["a name that is no text", false, { name: 5 }],
  ["no identity", false, { identity: undefined }],
  ["an identity without sender", false, { identity: { helo: "probe.example" } }],
  ["a field that there is not", false, { target: [] }],
  ["a field of an identity that there is not", false, { identity: { ...example.identity, ehlo: "x" } }],
  ["no egress", false, { egresses: [] }],
  ["egresses that are no list", false, { egresses: { aws: egress } }],
  ["an egress without address", true, { egresses: [{ name: "aws", runner: "functions" }] }],
  ["an egress whose address is null", true, { egresses: [{ ...egress, address: null }] }],
  ["an egress with another runner", false, { egresses: [{ ...egress, runner: "lambda" }] }],
  ["an egress of each kind", true, { egresses: [
    { ...egress, families: "4", via: { type: "direct", bind: "192.0.2.25" } },
    { name: "vpc", runner: "functions", via: { type: "vpc", allocation: "eipalloc-0123456789abcdef0" } },
    { name: "b", runner: "worker", via: { type: "socks5", host: "proxy.example", username: "us", password: { env: "A" } } },
    { name: "c", runner: "worker", via: { type: "http-connect", host: "192.0.2.1", port: 8_443, passesNames: true } },
    { name: "d", runner: "worker", via: { type: "http-connect", host: "proxy.example", tls: null } },
    { name: "e", runner: "worker", via: { type: "http-connect", host: "proxy.example", tls: { ca: "-----BEGIN CERTIFICATE-----", certificate: { env: "B" }, key: { env: "C" } } } },
  ] }], // prettier-ignore
  ["an egress that leaves in another way", false, { egresses: [{ ...egress, via: { type: "socks4", host: "proxy.example" } }] }], // prettier-ignore
  ["an egress through a proxy without its host", false, { egresses: [{ ...egress, via: { type: "socks5" } }] }],
  ["an authority that is no PEM", false, { egresses: [{ ...egress, via: { type: "http-connect", host: "proxy.example", tls: { ca: "ca.pem" } } }] }], // prettier-ignore
  ["an egress of IPv5", false, { egresses: [{ ...egress, families: "5" }] }],
  ["a target that requires TLS", true, { targets: [{ ...target, tls: "require" }] }],
  ["a target with another TLS mode", false, { targets: [{ ...target, tls: "always" }] }],
  ["a quarter of an hour for all hosts", true, { limits: { probeSeconds: 900 } }],
  ["more than that", false, { limits: { probeSeconds: 901 } }],
  ["no target", false, { targets: [] }],
  ["a target with everything", true, { targets: [{ ...target, depth: "ehlo", everyMinutes: 5, egresses: ["aws"], severities: { tls: "page" } }] }], // prettier-ignore
  ["a target whose egresses are null", true, { targets: [{ ...target, egresses: null }] }],
  ["a target every four minutes", false, { targets: [{ ...target, everyMinutes: 4 }] }],
  ["a target every seven minutes and a half", false, { targets: [{ ...target, everyMinutes: 7.5 }] }],
  ["a target at another depth", false, { targets: [{ ...target, depth: "data" }] }],
  ["a class that there is not", false, { targets: [{ ...target, severities: { blocked: "page" } }] }],
  ["a severity that there is not", false, { targets: [{ ...target, severities: { tls: "red" } }] }],
  ["hosts", true, { hosts: { "icloud.example": ["mx.example:25"] } }],
  ["a domain without hosts", false, { hosts: { "icloud.example": [] } }],
  ["on-call without routes", true, { onCall: {} }],
  ["a route of each kind", true, { onCall: { routes: [
    { type: "sns", name: "a", topicArn: "arn:aws:sns:us-east-1:1:x" },
    { type: "pagerduty", name: "b", routingKey: "k", url: "https://events.eu.pagerduty.com/v2/enqueue" },
    { type: "slack", name: "c", url: { env: "SLACK" } },
    { type: "teams", name: "d", url: "https://teams.example" },
    { type: "webhook", name: "e", url: "https://hook.example", headers: { A: "b", C: { env: "D" } } },
  ] } }], // prettier-ignore
  ["secrets that are kept in AWS", true, { onCall: { routes: [
    { type: "slack", name: "a", url: { secretsManager: "hooks" } },
    { type: "slack", name: "b", url: { secretsManager: "hooks", field: "slack" } },
    { type: "slack", name: "c", url: { ssm: "/hooks/slack" } },
  ] } }], // prettier-ignore
  ["a parameter with a key", false, { onCall: { routes: [{ type: "slack", name: "a", url: { ssm: "/hooks", field: "slack" } }] } }], // prettier-ignore
  ["what is said of AWS", true, { aws: {
    logDays: 90, emails: ["on-call@sender.example"], budgetUsd: 20, vpcCidr: "10.1.0.0/24",
    mutes: [{ name: "nights", schedule: "cron(0 2 * * *)", minutes: 60, kinds: ["blocked"] }],
    secretKeys: ["arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
  } }], // prettier-ignore
  ["logs for a number of days that CloudWatch does not know", false, { aws: { logDays: 31 } }],
  ["a budget of nothing", false, { aws: { budgetUsd: 0 } }],
  ["a mute window without an end", false, { aws: { mutes: [{ name: "nights", schedule: "cron(0 2 * * *)" }] } }],
  ["a route of another kind", false, { onCall: { routes: [{ type: "mail", name: "a" }] } }],
  ["a route without its key", false, { onCall: { routes: [{ type: "pagerduty", name: "a" }] } }],
  ["a secret that is neither text nor a variable", false, { onCall: { routes: [{ type: "slack", name: "a", url: {} }] } }], // prettier-ignore
  ["an empty secret", false, { onCall: { routes: [{ type: "slack", name: "a", url: "" }] } }],
  ["a topic that is no ARN", false, { onCall: { routes: [{ type: "sns", name: "a", topicArn: "x" }] } }],
  ["M of N", true, { alarms: { blocked: { datapoints: 1, of: 1 } } }],
  ["M without N", false, { alarms: { blocked: { datapoints: 1 } } }],
  ["more than ten rounds", false, { alarms: { blocked: { datapoints: 2, of: 11 } } }],
  ["any port", true, { requests: { ports: "any" } }],
  ["some ports", true, { requests: { ports: [25, 2_525] } }],
  ["a port that is none", false, { requests: { ports: [65_536] } }],
  ["ports in another word", false, { requests: { ports: "all" } }],
  ["sends as they are", true, { sends: {} }],
  ["sends with everything", true, { sends: {
    egresses: ["mail-1"], dkim: [{ domain: "sender.example", selector: "a.b_1", key: { ssm: "/key" } }], bucket: "my.bucket-1", expiresHours: 336,
    attemptSeconds: 870, answerSeconds: 1, canaryMinutes: 1, rates: { default: { concurrency: 1 }, gmail: { perMinute: 10_000 }, gmx: {} },
  } }], // prettier-ignore
  ["rates that leave out who is not named", true, { sends: { rates: { gmail: {} } } }],
  ["a rate that is a number", false, { sends: { rates: { gmail: 60 } } }],
  ["a rate of nothing", false, { sends: { rates: { default: { perMinute: 0 } } } }],
  ["sends for more than 14 days", false, { sends: { expiresHours: 337 } }],
  ["a key without its selector", false, { sends: { dkim: [{ domain: "sender.example", key: { env: "A" } }] } }],
  ["a bucket in capitals", false, { requests: { buckets: ["Mine"] } }],
  ["a boolean that is a text", false, { history: { maskRecipients: "yes" } }],
];

describe("a configuration fits the schema where the code takes it", () => {
  for (const [name, fits, change] of configs) {
    it(`${name}: ${fits ? "fits" : "does not fit"}`, () => {
      const document: unknown = JSON.parse(JSON.stringify({ ...example, ...change }));
      const { faults } = checkConfig(document);
      assert.equal(faults === null, fits, String(faults));
      assert.equal(fitsConfig(document), fits, JSON.stringify(fitsConfig.errors));
    });
  }
});

const request = { v: 1, kind: "probe", id: "a-1", recipient: target?.recipient };

const requests: readonly (readonly [name: string, fits: boolean, change: object])[] = [
  ["the least that a request holds", true, {}],
  ["all that a request may hold", true, { egress: "aws", depth: "ehlo", from: example.identity.sender, mx: ["mx.example"], notAfter: "2026-11-24T17:00:00+01:00" }], // prettier-ignore
  ["no version", false, { v: undefined }],
  ["another version", false, { v: 2 }],
  ["another kind", false, { kind: "page" }],
  ["the fields of another kind", false, { kind: "send" }],
  ["no id", false, { id: undefined }],
  ["an empty id", false, { id: "" }],
  ["an id of 201 characters", false, { id: "x".repeat(201) }],
  ["an id with a space", false, { id: "a b" }],
  ["no recipient", false, { recipient: undefined }],
  ["a recipient that is a list", false, { recipient: ["probe@icloud.example"] }],
  ["another depth", false, { depth: "data" }],
  ["a depth that is null", false, { depth: null }],
  ["no host", false, { mx: [] }],
  ["eleven hosts", false, { mx: Array.from({ length: 11 }, () => "mx.example") }],
  ["hosts that are a text", false, { mx: "mx.example" }],
  ["a time without its zone", false, { notAfter: "2026-11-24T17:00:00" }],
  ["a date", false, { notAfter: "2026-11-24" }],
  ["a day that there is not", false, { notAfter: "2026-02-29T00:00:00Z" }],
  ["a field that there is not", false, { attempt: 2 }],
  ["a self-check", true, { kind: "self-check", recipient: undefined, egress: "aws" }],
  ["a self-check until a time", true, { kind: "self-check", recipient: undefined, egress: "aws", notAfter: "2026-11-24T17:00:00Z" }], // prettier-ignore
  ["a self-check without egress", false, { kind: "self-check", recipient: undefined }],
  ["a self-check with what only a probe has", false, { kind: "self-check", egress: "aws" }],
];

const send = {
  v: 1,
  kind: "send",
  id: "a-1",
  from: example.identity.sender,
  to: ["x@y.example"],
  message: "From: a@b",
};
const all = {
  egress: "aws",
  expires: "2026-11-24T17:00:00Z",
  onUnknown: "retry",
  priority: "high",
  message: { s3: { bucket: "mine", key: "a" } },
};
const addresses = Array.from({ length: 101 }, (_, index) => `u${index}@y.example`);

const sends: readonly (readonly [name: string, fits: boolean, change: object])[] = [
  ["the least that a send holds", true, {}],
  ["all that a send may hold", true, all],
  ["a message in base64", true, { message: { base64: "AA==" } }],
  ["a hundred recipients", true, { to: addresses.slice(1) }],
  ["one more", false, { to: addresses }],
  ["no recipient", false, { to: [] }],
  ["no sender", false, { from: undefined }],
  ["no message", false, { message: undefined }],
  ["an empty message", false, { message: "" }],
  ["a message in lines of base64", false, { message: { base64: "AAAA\nAAAA" } }],
  ["a message in two ways", false, { message: { base64: "AA==", s3: all.message.s3 } }],
  ["an object without its key", false, { message: { s3: { bucket: "mine" } } }],
  ["another word for unknown", false, { onUnknown: "drop" }],
  ["another priority", false, { priority: "urgent" }],
  ["a field that there is not", false, { cc: [] }],
  ["a wake", true, { kind: "wake", from: undefined, to: undefined, message: undefined, domain: "y.example", egress: "aws" }], // prettier-ignore
  ["a wake of no domain", false, { kind: "wake", from: undefined, to: undefined, message: undefined, egress: "aws" }],
];

describe("a request fits the schema where the code takes it", () => {
  const { value: config } = checkConfig({ ...example, requests: { buckets: ["mine"] } });
  assert.ok(config !== null);
  const rows = [
    ...requests.map(([name, fits, change]) => [name, fits, { ...request, ...change }] as const),
    ...sends.map(([name, fits, change]) => [name, fits, { ...send, ...change }] as const),
  ];
  for (const [name, fits, written] of rows) {
    it(`${name}: ${fits ? "fits" : "does not fit"}`, () => {
      const document: unknown = JSON.parse(JSON.stringify(written));
      const { faults } = readRequest(JSON.stringify(document), config);
      assert.equal(faults === null, fits, String(faults));
      assert.equal(fitsRequest(document), fits, JSON.stringify(fitsRequest.errors));
    });
  }
});

interface Field {
  readonly name: string;
  readonly schema: object;
}

/** Every field that a person writes, at whatever depth; names that people choose (a domain, a header) are none. */
function fieldsOf(schema: unknown, at = ""): readonly Field[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema as Readonly<Record<string, unknown>>).flatMap(([key, each]) => {
    if (key === "default") return [];
    if (key !== "properties") return fieldsOf(each, at);
    return Object.entries(each as Readonly<Record<string, object>>).flatMap(([name, schema]) => {
      const own = { name: `${at}.${name}`, schema };
      // A class says itself what it is.
      return at.endsWith(".severities") ? [] : [own, ...fieldsOf(schema, own.name)];
    });
  });
}
