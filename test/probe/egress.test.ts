// A configuration's egresses as probes take them, with their secrets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { openedEgress } from "../../functions/probe/egress.ts";
import { EgressFault } from "../../functions/route/egress.ts";
import { openSecrets, type Secrets } from "../../functions/secrets.ts";

const password = { env: "PROXY_PASSWORD" };
const socks = { type: "socks5", host: "proxy.example", username: "us", password };
const connect = { type: "http-connect", host: "proxy.example", username: "us", password: "in:the file" };
const config = configOf({
  straight: { address: "192.0.2.25" },
  nat: { runner: "functions", address: "192.0.2.27", via: { type: "vpc" } },
  bound: { via: { type: "direct", bind: "2001:db8::25" } },
  socks: { address: "192.0.2.26", via: socks },
  connect: { via: { ...connect, passesNames: true } },
  signed: {
    via: {
      type: "http-connect",
      host: "192.0.2.1",
      tls: { ca: "-----BEGIN CERTIFICATE-----", certificate: { env: "CERTIFICATE" }, key: { env: "KEY" } },
    },
  },
  clear: { via: { type: "http-connect", host: "192.0.2.1", port: 8_080, tls: null } },
});
const env = { PROXY_PASSWORD: "held", CERTIFICATE: "the certificate", KEY: "the key" };

for (const [name, expected] of [
  ["straight", { address: "192.0.2.25", families: "4", via: { type: "direct", bind: null } }],
  ["nat", { address: "192.0.2.27", families: "4", via: { type: "direct", bind: null } }],
  ["bound", { address: null, families: "6", via: { type: "direct", bind: "2001:db8::25" } }],
  [
    "socks",
    {
      address: "192.0.2.26",
      families: "4",
      via: {
        type: "socks5",
        host: "proxy.example",
        port: 1_080,
        credentials: { username: "us", password: "held" },
        passesNames: false,
      },
    },
  ],
  [
    "connect",
    {
      address: null,
      families: "both",
      via: {
        type: "http-connect",
        host: "proxy.example",
        port: 3_128,
        tls: { ca: null, certificate: null, key: null },
        credentials: { username: "us", password: "in:the file" },
        passesNames: true,
      },
    },
  ],
  [
    "signed",
    {
      address: null,
      families: "both",
      via: {
        type: "http-connect",
        host: "192.0.2.1",
        port: 3_128,
        tls: { ca: "-----BEGIN CERTIFICATE-----", certificate: "the certificate", key: "the key" },
        credentials: null,
        passesNames: false,
      },
    },
  ],
  [
    "clear",
    {
      address: null,
      families: "both",
      via: {
        type: "http-connect",
        host: "192.0.2.1",
        port: 8_080,
        tls: null,
        credentials: null,
        passesNames: false,
      },
    },
  ],
] as const) {
  test(`the egress ${name} is opened, its secrets from the environment`, async () => {
    assert.deepEqual((await openedEgress(name, config, secretsIn(env))).egress, { name, ...expected });
  });
}

for (const [what, name, held, says] of [
  [
    "an egress that there is not",
    "other",
    env,
    /^the configuration has no egress "other"; it has straight, nat, bound, /,
  ],
  ["a password that is not set", "socks", {}, /^egress socks: .* PROXY_PASSWORD is not set; set it/],
  ["a password that is empty", "socks", { PROXY_PASSWORD: "" }, /^egress socks: .* PROXY_PASSWORD is not set; set it/],
  ["a key that is not set", "signed", { CERTIFICATE: "the certificate" }, /^egress signed: .* KEY is not set; set it/],
] as const) {
  test(`${what} is our own fault, and its message holds no secret`, async () => {
    const { egress, fault } = await openedEgress(name, config, secretsIn(held));
    assert.ok(fault instanceof EgressFault);
    assert.match(fault.message, says);
    for (const secret of Object.values(held)) assert.ok(secret === "" || !fault.message.includes(secret));
    // What is known without the secret is told all the same.
    const address = config.egresses.find((each) => each.name === name)?.address ?? null;
    assert.deepEqual([egress.name, egress.address], [name, address]);
  });
}

test("an egress that asks for no secret needs none", async () => {
  assert.equal((await openedEgress("straight", config, secretsIn({}))).fault, null);
});

test("an address that this machine does not have is a fault of the egress, which is opened all the same", async () => {
  const elsewhere = configOf({ bound: { via: { type: "direct", bind: "203.0.113.99" } } });
  const { egress, fault } = await openedEgress("bound", elsewhere, secretsIn({}));
  assert.match(fault?.message ?? "", /^egress bound: 203\.0\.113\.99 is not an address of this machine/);
  assert.deepEqual(egress.via, { type: "direct", bind: "203.0.113.99" });
});

function secretsIn(env: NodeJS.ProcessEnv): Secrets {
  return openSecrets(env, { log: () => {} });
}

function configOf(rows: Readonly<Record<string, object>>): Config {
  const { value, faults } = checkConfig({
    identity: { helo: "probe.example", sender: "probe@sender.example" },
    egresses: Object.entries(rows).map(([name, row]) => ({ name, runner: "worker", ...row })),
    targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
  });
  assert.ok(value !== null, String(faults));
  return value;
}
