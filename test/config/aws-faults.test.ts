// What cannot work in AWS: each wrong configuration is told one line, with the field and what to write instead.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { awsFaults, placeholderFaults } from "../../functions/config/aws-faults.ts";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import example from "../../infra/config/example.json" with { type: "json" };

const stored = { secretsManager: "delivery-probe/proxy", field: "password" };
const tlsProxy = { type: "http-connect", host: "proxy.sender.net", username: "us", password: stored };
const functions = { name: "aws", runner: "functions" };
const proxied = { ...functions, via: tlsProxy };
const vpc = { name: "nat", runner: "functions", via: { type: "vpc" } };
const worker = { name: "mail-1", runner: "worker" };
const target = { provider: "icloud", recipient: "probe@icloud.com" };

/** A configuration that can be deployed. */
const sound = {
  identity: { helo: "probe.sender.net", sender: "probe@sender.net" },
  egresses: [proxied, worker],
  targets: [target],
  onCall: {
    routes: [
      { type: "sns", name: "mail", topicArn: "arn:aws:sns:eu-west-1:123456789012:on-call" },
      { type: "slack", name: "chat", url: { ssm: "/delivery-probe/slack" } },
    ],
  },
};

function configOf(change: object): Config {
  const { value, faults } = checkConfig({ ...sound, ...change });
  assert.ok(value !== null, String(faults));
  return value;
}

function over(via: object, ...more: readonly object[]): object {
  return { egresses: [{ ...functions, via }, ...more] };
}

function muted(change: object): object {
  return { aws: { mutes: [{ name: "nights", schedule: "cron(0 2 * * *)", minutes: 60, ...change }] } };
}

const clear = "egresses[0].via: its password would cross the Internet in the clear; write \"http-connect\" with tls"; // prettier-ignore
const instead = 'write via "vpc", "socks5" or "http-connect", or runner "worker"';
const closed = `egresses[0].via: AWS closes port 25 to functions outside a VPC, and opens it to none; ${instead}`;
const store = 'write {"secretsManager": "name"} or {"ssm": "/name"}';
const outside = 'cannot be reached by functions outside a VPC; write a public one, or an egress with via "vpc"';
const dane =
  "needs a resolver that validates DNSSEC, which the functions' own does not; write resolver, or egresses of workers";
const own = "is the function itself; write where it is seen from elsewhere";

const rows: readonly (readonly [what: string, change: object, faults: readonly string[]])[] = [
  ["what can be deployed", {}, []],
  ["workers alone, whose machines and secrets are their own", {
    egresses: [{ ...worker, via: { type: "socks5", host: "127.0.0.1", username: "us", password: "held" } }],
    targets: [{ ...target, tls: "dane" }], resolver: "127.0.0.1", limits: { probeSeconds: 900 },
  }, []], // prettier-ignore
  ["functions that leave as they are", over({ type: "direct" }), [closed]],
  ["functions that leave as they are beside a VPC", over({ type: "direct" }, vpc), [closed]],
  ["functions that bind an address", over({ type: "direct", bind: "203.0.113.7" }), [
    `egresses[0].via.bind: a function has no address of its own to leave from; ${instead}`,
  ]], // prettier-ignore
  ["a VPC", { egresses: [vpc] }, []],
  ["a VPC and a proxy, which is reached through its NAT", { egresses: [vpc, proxied] }, []],
  ["two VPCs", { egresses: [vpc, { ...vpc, name: "nat-2" }] }, [
    "egresses[1].via.type: egresses[0] is the VPC's one NAT address already; write a proxy, or drop one of them",
  ]], // prettier-ignore
  ["a VPC that dials IPv6", { egresses: [{ ...vpc, families: "6" }] }, [
    'egresses[0].families: "4" or null, as its NAT gateway has no IPv6',
  ]], // prettier-ignore
  ["a VPC that dials both", { egresses: [{ ...vpc, families: "both" }] }, [
    'egresses[0].families: "4" or null, as its NAT gateway has no IPv6',
  ]], // prettier-ignore
  ["a VPC of an IPv6 address", { egresses: [{ ...vpc, address: "2a00::7" }] }, [
    "egresses[0].address: 2a00::7 is of IPv6, and its NAT gateway's is an IPv4 address; write that, or null",
  ]], // prettier-ignore
  ["a public VPC", { egresses: [vpc], aws: { vpcCidr: "8.8.8.0/24" } }, [
    "aws.vpcCidr: 8.8.8.0/24 is no private network of /16 to /27; write one such as 10.25.0.0/24",
  ]], // prettier-ignore
  ["a VPC that is too small", { egresses: [vpc], aws: { vpcCidr: "10.25.0.0/28" } }, [
    "aws.vpcCidr: 10.25.0.0/28 is no private network of /16 to /27; write one such as 10.25.0.0/24",
  ]], // prettier-ignore
  ["a VPC that is too large", { egresses: [vpc], aws: { vpcCidr: "10.0.0.0/8" } }, [
    "aws.vpcCidr: 10.0.0.0/8 is no private network of /16 to /27; write one such as 10.25.0.0/24",
  ]], // prettier-ignore
  ["the smallest VPC, and the largest", { egresses: [vpc], aws: { vpcCidr: "192.168.7.0/27" } }, []],
  ["a network that nobody makes", { aws: { vpcCidr: "none" } }, []],
  ["a secret of a route in the file", { onCall: { routes: [{ type: "slack", name: "chat", url: "https://hooks.slack.com/x" }] } }, [
    `onCall.routes[0].url: the functions read it, and it would lie in their bundle; ${store}`,
  ]], // prettier-ignore
  ["secrets of routes in the environment", { onCall: { routes: [
    { type: "pagerduty", name: "a", routingKey: { env: "KEY" } },
    { type: "webhook", name: "b", url: { ssm: "/hook" }, headers: { Authorization: { env: "TOKEN" } } },
  ] } }, [
    `onCall.routes[0].routingKey: the functions read it, and it would lie in their environment; ${store}`,
    `onCall.routes[1].headers.Authorization: the functions read it, and it would lie in their environment; ${store}`,
  ]], // prettier-ignore
  ["a secret of a route in a file", { onCall: { routes: [{ type: "slack", name: "chat", url: { file: "/etc/slack" } }] } }, [
    `onCall.routes[0].url: the functions read it, and it would have to lie on their disk, where no file of yours is; ${store}`,
  ]], // prettier-ignore
  ["secrets of an egress in the file, of which a certificate is none", over({
    ...tlsProxy, password: "held", tls: { certificate: "-----BEGIN CERTIFICATE-----", key: { env: "KEY" } },
  }), [
    `egresses[0].via.password: the functions read it, and it would lie in their bundle; ${store}`,
    `egresses[0].via.tls.key: the functions read it, and it would lie in their environment; ${store}`,
  ]], // prettier-ignore
  ["a key in the file that the functions sign with, and a proxy's password that two of them read", {
    ...over({ ...tlsProxy, password: "held" }), sends: { dkim: [{ domain: "sender.net", selector: "s1", key: "PEM" }] },
  }, [
    `egresses[0].via.password: the functions read it, and it would lie in their bundle; ${store}`,
    `sends.dkim[0].key: the functions read it, and it would lie in their bundle; ${store}`,
  ]], // prettier-ignore
  ["a key of workers, where the functions send nothing", {
    sends: { egresses: ["mail-1"], dkim: [{ domain: "sender.net", selector: "s1", key: { env: "KEY" } }] },
  }, []], // prettier-ignore
  ["SOCKS5 with a password over the Internet", over({ ...tlsProxy, type: "socks5" }), [clear]],
  ["SOCKS5 without one", over({ type: "socks5", host: "proxy.sender.net" }), []],
  ["HTTP in the clear with a password", over({ ...tlsProxy, tls: null }), [clear]],
  ["SOCKS5 with a password to a public address from a VPC", over({ ...tlsProxy, type: "socks5", host: "8.8.4.4" }, vpc), [clear]], // prettier-ignore
  ["SOCKS5 with a password to a private address from a VPC", over({ ...tlsProxy, type: "socks5", host: "10.0.0.5" }, vpc), []], // prettier-ignore
  ["SOCKS5 with a password to a name from a VPC, which may be private", over({ ...tlsProxy, type: "socks5" }, vpc), []],
  ["a private proxy without a VPC", over({ ...tlsProxy, host: "10.0.0.5" }), [`egresses[0].via.host: 10.0.0.5 ${outside}`]], // prettier-ignore
  ["a private IPv6 proxy without a VPC", over({ ...tlsProxy, host: "fd12::5" }), [`egresses[0].via.host: fd12::5 ${outside}`]], // prettier-ignore
  ["a proxy on the function itself", over({ ...tlsProxy, host: "127.0.0.1" }, vpc), [`egresses[0].via.host: 127.0.0.1 ${own}`]], // prettier-ignore
  ["the same by its name", over({ ...tlsProxy, host: "localhost" }), [`egresses[0].via.host: localhost ${own}`]],
  ["a private resolver without a VPC", { resolver: "10.0.0.53:53" }, [`resolver: 10.0.0.53 ${outside}`]],
  ["a private resolver from a VPC", { egresses: [vpc], resolver: "10.0.0.53" }, []],
  ["a resolver on the function itself", { egresses: [vpc], resolver: "[::1]:53" }, [`resolver: ::1 ${own}`]],
  ["a public resolver", { resolver: "9.9.9.9" }, []],
  ["DANE over functions that ask Lambda's resolver", { targets: [{ ...target, tls: "dane" }] }, [`targets[0].tls: "dane" over aws ${dane}`]], // prettier-ignore
  ["DANE over functions with a resolver", { targets: [{ ...target, tls: "dane" }], resolver: "9.9.9.9" }, []],
  ["DANE over workers", { targets: [{ ...target, tls: "dane", egresses: ["mail-1"] }] }, []],
  ["nobody who is told", { onCall: {} }, ["onCall.routes: nobody would be told; add a route, or a mailbox to aws.emails"]], // prettier-ignore
  ["plain mail alone", { onCall: {}, aws: { emails: ["on-call@sender.net"] } }, []],
  ...["arn:aws:sqs:eu-west-1:123456789012:on-call", "arn:aws:sns:eu-west-1:1:on-call", "arn:aws:sns:eu-west-1:123456789012:on-call.fifo", "arn:aws:sns:eu-west-1:123456789012:on-call:8a21"].map((topicArn) => [
    `the topic ${topicArn}`, { onCall: { routes: [{ type: "sns", name: "mail", topicArn }] } },
    [`onCall.routes[0].topicArn: ${topicArn} is no standard topic's; write arn:aws:sns:region:account:name`],
  ] as const), // prettier-ignore
  ["a probe that takes longer than a function", { limits: { probeSeconds: 651 } }, [
    "limits.probeSeconds: 650 or fewer, since a function is ended after 900 s; or workers only",
  ]], // prettier-ignore
  ["a probe that takes as long as a function may", { limits: { probeSeconds: 650 } }, []],
  ...["cron(0 2 * * *)", "cron(0,30 2-4 1-7 JAN,MAR-MAY MON-FRI)", "at(2028-02-29T23:59)"].map((schedule) => [`a window at ${schedule}`, muted({ schedule }), []] as const), // prettier-ignore
  ...[
    "", "0 2 * * *", "cron(0 2 * *)", "cron(0 2 * * ? *)", "cron(60 2 * * *)", "cron(0 4-2 * * *)", "cron(*/5 * * * *)", "cron(0 2 0 * *)", "cron(0 2 * * MON#2)",
    "rate(1 day)", "at(2026-02-30T10:00)", "at(2026-12-24)", "at(2026-12-24T18:00:00)", "at(2026-12-24T24:00)",
  ].map((schedule) => [`a window at ${JSON.stringify(schedule)}`, muted({ schedule }), [
    `aws.mutes[0].schedule: ${schedule} is none; write cron(0 2 * * SUN), of five fields, or at(2026-12-24T18:00)`,
  ]] as const), // prettier-ignore
  ["a window of no time", muted({ minutes: 0 }), ["aws.mutes[0].minutes: 1 to 21600, which is 15 days"]],
  ["a window of 15 days", muted({ minutes: 21_600 }), []],
  ["a window of more", muted({ minutes: 21_601 }), ["aws.mutes[0].minutes: 1 to 21600, which is 15 days"]],
  ["a window where no clock is", muted({ timezone: "Europe/Atlantis" }), [
    "aws.mutes[0].timezone: Europe/Atlantis is none; write one such as UTC or Europe/Berlin",
  ]], // prettier-ignore
  ["a window where a clock is", muted({ timezone: "America/Argentina/Buenos_Aires" }), []],
]; // prettier-ignore

describe("a configuration that cannot work in AWS is told why, and one that can is not", () => {
  for (const [what, change, faults] of rows) {
    it(what, () => assert.deepEqual(awsFaults(configOf(change)), faults));
  }
});

test("all that is wrong is told at once", () => {
  const change = { ...over({ type: "direct" }), onCall: {}, limits: { probeSeconds: 900 } };
  assert.equal(awsFaults(configOf(change)).length, 3);
});

test("the example can be deployed but for its placeholders, each of which is told", () => {
  const { value } = checkConfig(example);
  assert.ok(value !== null);
  assert.deepEqual(awsFaults(value), []);
  assert.deepEqual(
    placeholderFaults(value).map((each) => each.split(" is an example's; write ")[0]),
    [
      "identity.helo: probe.example",
      "identity.sender: probe@sender.example",
      "egresses[0].address: 192.0.2.25",
      "egresses[0].via.host: proxy.example",
      "egresses[1].address: 192.0.2.26",
      ...value.targets.map(({ recipient }, index) => `targets[${index}].recipient: ${recipient}`),
      "onCall.runbook: https://runbook.example/delivery-probe",
      "sends.dkim[0].domain: sender.example",
      "aws.emails[0]: oncall@oncall.example",
    ],
  );
});

describe("a placeholder is told, and what may be somebody's is not", () => {
  assert.deepEqual(placeholderFaults(configOf({})), []);
  for (const [sender, is] of [
    ["probe@example.com", true],
    ["probe@mail.EXAMPLE.org", true],
    ["probe@mail.test", true],
    ["probe@[198.51.100.7]", true],
    ["probe@[IPv6:2001:db8::7]", true],
    ["", false],
    ["probe@notexample.com", false],
    ["probe@example.com.sender.net", false],
    ["example.com@sender.net", false],
    ["probe@[8.8.8.8]", false],
  ] as const) {
    it(`the sender ${JSON.stringify(sender)}`, () => {
      const faults = placeholderFaults(configOf({ identity: { ...sound.identity, sender } }));
      assert.deepEqual(faults, is ? [`identity.sender: ${sender} is an example's; write a mailbox of yours that is read`] : []); // prettier-ignore
    });
  }
});
