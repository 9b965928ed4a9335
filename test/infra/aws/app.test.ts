import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { usual, vpc } from "./template.ts";

const folder = mkdtempSync(path.join(tmpdir(), "delivery-probe-app-"));
after(() => rmSync(folder, { recursive: true }));
const root = path.join(import.meta.dirname, "../../..");

const [proxied] = usual.egresses;
const via = (fields: object): object => ({ ...usual, egresses: [{ ...proxied, via: fields }] });
const proxy = proxied.via;

/** Each with what its one line must say: the field, and what to write instead. */
const wrong: Readonly<Record<string, readonly [config: unknown, line: RegExp]>> = {
  "functions that leave directly": [via({ type: "direct" }), /egresses\[0\]\.via: .*port 25.*(vpc|worker)/],
  "a VPC for a worker": [
    { ...usual, egresses: [proxied, { name: "mail-1", runner: "worker", via: { type: "vpc" } }] },
    /egresses\[1\]\.via/,
  ],
  "two ways out by VPC": [
    { ...vpc, egresses: [...vpc.egresses, { name: "two", runner: "functions", via: { type: "vpc" } }] },
    /egresses\[1\]\.via\.type: .*one NAT/,
  ],
  "a password in the file": [via({ ...proxy, password: "hunter2" }), /egresses\[0\]\.via\.password: .*secretsManager/],
  "a secret of the environment": [
    { ...usual, onCall: { routes: [{ name: "a", type: "slack", url: { env: "SLACK" } }] } },
    /onCall\.routes\[0\]\.url: .*(secretsManager|ssm)/,
  ],
  "a password in clear over the internet": [via({ ...proxy, type: "socks5" }), /egresses\[0\]\.via/],
  "HTTP CONNECT in clear over the internet": [via({ ...proxy, tls: null }), /egresses\[0\]\.via: .*tls/],
  "a proxy of a private network that the functions are not in": [
    via({ ...proxy, host: "10.0.0.5" }),
    /egresses\[0\]\.via\.host/,
  ],
  "nobody to tell": [{ ...usual, onCall: {}, aws: {} }, /onCall\.routes: .*aws\.emails/],
  "DANE by a resolver that validates nothing": [
    { ...usual, targets: [{ provider: "a", recipient: "a@a.test", tls: "dane", egresses: ["aws"] }] },
    /targets\[0\]\.tls: .*resolver/,
  ],
  "more time than a function has": [{ ...usual, limits: { probeSeconds: 900 } }, /limits\.probeSeconds/],
  "a field that there is not": [{ ...usual, aws: { region: "eu-west-1" } }, /aws\.region/],
};

for (const [name, [config, line]] of Object.entries(wrong)) {
  test(`a wrong configuration fails with one clear line: ${name}`, () => {
    const { status, stderr } = synth(config);
    assert.equal(status, 1, stderr);
    const lines = stderr
      .trim()
      .split("\n")
      .filter((each) => !each.endsWith(" is no configuration:"));
    assert.equal(lines.length, 1, stderr);
    assert.match(lines[0] ?? "", line);
    assert.doesNotMatch(stderr, /hunter2|at .*\.ts:\d/);
  });
}

test("a right one is synthesised with no account and no network, and its price is printed", () => {
  const { status, stderr } = synth(usual);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^A month costs about \$\d+/m);
});

test("the example is synthesised, is not deployed, and says what in it is a placeholder", () => {
  const { status, stderr } = synth(null);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /not to be deployed like this: .*identity\.helo/);
  const deployed = synth(null, { purpose: "deploy" });
  assert.equal(deployed.status, 1);
  assert.match(deployed.stderr, /DELIVERY_PROBE_CONFIG/);
});

test("placeholders are refused where it is deployed", () => {
  const config = { ...usual, identity: { ...usual.identity, helo: "probe.example.com" } };
  assert.equal(synth(config).status, 0);
  const { status, stderr } = synth(config, { purpose: "deploy" });
  assert.equal(status, 1);
  assert.match(stderr, /identity\.helo/);
});

function synth(config: unknown, context: object = {}): { readonly status: number | null; readonly stderr: string } {
  const file = path.join(folder, "config.json");
  if (config !== null) writeFileSync(file, JSON.stringify(config));
  const { DELIVERY_PROBE_CONFIG: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, ["infra/aws/app.ts"], {
    cwd: root,
    encoding: "utf8",
    env: {
      ...env,
      ...(config === null ? {} : { DELIVERY_PROBE_CONFIG: file }),
      CDK_OUTDIR: path.join(folder, "cdk.out"),
      CDK_CONTEXT_JSON: JSON.stringify(context),
      AWS_ENDPOINT_URL: "http://127.0.0.1:1",
    },
  });
  return { status, stderr };
}
