// The configuration file: what a wrong one is told, line by line, and what stands where nothing is said.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { alarmKinds } from "../../functions/config/alarm-kinds.ts";
import { checkConfig, keyOfTarget, pairsOf, type Config } from "../../functions/config/config.ts";
import { configuredFamilies } from "../../functions/config/egress.ts";
import { ConfigFault, loadConfig } from "../../functions/config/load.ts";
import { pathText } from "../../functions/config/shape-faults.ts";
import { tlsModes } from "../../functions/route/tls-demand.ts";
import example from "../../infra/config/example.json" with { type: "json" };

/** The least that a file may hold. */
const least = {
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [
    { name: "aws", runner: "functions" },
    { name: "mail-1", runner: "worker" },
  ],
  targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
};
const [target] = least.targets;
const worker = { name: "mail-1", runner: "worker" };
const socks = { type: "socks5", host: "proxy.example" };
const connect = { type: "http-connect", host: "proxy.example" };
const sns = { type: "sns", name: "mail", topicArn: "arn:aws:sns:us-east-1:1:on-call" };

interface Row {
  readonly name: string;
  /** What stands in the place of the least file's own fields. */
  readonly file: object;
  readonly faults: readonly string[];
}

const kinds = "'sns' | 'pagerduty' | 'slack' | 'teams' | 'webhook'";

const rows: readonly Row[] = [
  {
    name: "no fields at all: each says what it takes",
    file: { identity: undefined, egresses: undefined, targets: undefined },
    faults: [
      "identity: is missing; it takes object",
      "egresses: is missing; it takes array",
      "targets: is missing; it takes array",
    ],
  },
  {
    name: "fields missing inside",
    file: { identity: {}, targets: [{ provider: "icloud" }], egresses: [{ name: "aws" }] },
    faults: [
      "identity.helo: is missing; it takes string",
      "identity.sender: is missing; it takes string",
      'egresses[0].runner: expected one of "functions"|"worker"',
      "targets[0].recipient: is missing; it takes string",
    ],
  },
  {
    name: "fields that there are not, wherever they stand",
    file: { target: [], identity: { ...least.identity, ehlo: "x" }, targets: [{ ...target, interval: 5 }] },
    faults: [
      "identity.ehlo: there is no such field",
      "targets[0].interval: there is no such field",
      "target: there is no such field",
    ],
  },
  {
    name: "a field's name that is no word is quoted",
    file: { "tar gets": [] },
    faults: ['"tar gets": there is no such field'],
  },
  { name: "a name in capitals", file: { name: "Probe" }, faults: ["name: 3 to 40 of a-z, 0-9 and hyphens"] },
  {
    name: "a name with a hyphen at its end, and one that is too long",
    file: { name: "probe-", targets: [{ ...target, provider: "p".repeat(41) }] },
    faults: ["name: 3 to 40 of a-z, 0-9 and hyphens", "targets[0].provider: 1 to 40 of a-z, 0-9 and hyphens"],
  },
  {
    name: "a HELO name that is none, and a sender that is none",
    file: { identity: { helo: "probe example", sender: "probe" } },
    faults: [
      "identity.helo: a host name such as probe.example.com",
      "identity.sender: a mailbox, or empty for the null sender",
    ],
  },
  { name: "no egress", file: { egresses: [] }, faults: ["egresses: expected array to have >=1 items"] },
  {
    name: "an egress with another runner and an address that is none",
    file: { egresses: [{ name: "aws", runner: "lambda", address: "192.0.2.256" }] },
    faults: ['egresses[0].runner: expected one of "functions"|"worker"', "egresses[0].address: an IP address"],
  },
  {
    name: "two egresses of one name",
    file: { egresses: [...least.egresses, { name: "aws", runner: "worker" }] },
    faults: ["egresses[2]: the same name as egresses[0]"],
  },
  {
    name: "IP versions and a bind address that do not fit",
    file: {
      egresses: [
        { ...worker, families: "5" },
        { ...worker, via: { type: "direct", bind: "eth0" } },
        { ...worker, via: { type: "smarthost" } },
      ],
    },
    faults: [
      'egresses[0].families: expected one of "4"|"6"|"both"',
      "egresses[1].via.bind: an IP address",
      "egresses[2].via.type: expected one of 'direct' | 'vpc' | 'socks5' | 'http-connect'",
    ],
  },
  {
    name: "IP versions that are not those of the address, or of the address to leave from",
    file: {
      egresses: [
        { ...worker, name: "a", address: "192.0.2.25", families: "6" },
        { ...worker, name: "b", address: "2001:db8::25", families: "both" },
        { ...worker, name: "c", families: "4", via: { type: "direct", bind: "2001:db8::25" } },
        { ...worker, name: "d", address: "192.0.2.25", via: { type: "direct", bind: "2001:db8::25" } },
      ],
    },
    faults: [
      'egresses[0].families: "4", which 192.0.2.25 is of, or null',
      'egresses[1].families: "6", which 2001:db8::25 is of, or null',
      'egresses[2].families: "6", which 2001:db8::25 is of, or null',
      "egresses[3].via.bind: an IPv4 address, as 192.0.2.25 is one, or null",
    ],
  },
  {
    name: "proxies with a wrong field each",
    file: {
      egresses: [
        { ...worker, via: { ...socks, host: "[2001:db8::1]" } },
        { ...worker, via: { ...socks, host: "proxy.example:1080", tls: null } },
        { ...worker, via: { ...socks, port: 0 } },
        { ...worker, via: { ...connect, tls: { ca: "/etc/ssl/ca.pem" } } },
        { ...worker, via: { type: "socks5" } },
      ],
    },
    faults: [
      "egresses[0].via.host: a host name such as proxy.example.com, or an IP address without brackets",
      "egresses[1].via.host: a host name such as proxy.example.com, or an IP address without brackets",
      "egresses[1].via.tls: there is no such field",
      "egresses[2].via.port: expected number to be >=1",
      'egresses[3].via.tls.ca: PEM text, with a "-----BEGIN CERTIFICATE-----"',
      "egresses[4].via.host: is missing; it takes string",
    ],
  },
  {
    name: "halves of what is nothing without the other",
    file: {
      egresses: [
        { ...worker, name: "a", via: { ...socks, username: "us" } },
        { ...worker, name: "b", via: { ...connect, password: { env: "PASSWORD" } } },
        { ...worker, name: "c", via: { ...connect, tls: { certificate: { env: "CERTIFICATE" } } } },
        { ...worker, name: "d", via: { ...connect, tls: { key: { env: "KEY" } } } },
      ],
    },
    faults: [
      "egresses[0].via.password: what goes with username, or neither of them",
      "egresses[1].via.username: what goes with password, or neither of them",
      "egresses[2].via.tls.key: what goes with certificate, or neither of them",
      "egresses[3].via.tls.certificate: what goes with key, or neither of them",
    ],
  },
  {
    name: "names and passwords that a proxy cannot be told",
    file: {
      egresses: [
        { ...worker, name: "a", via: { ...connect, username: "u:s", password: { env: "PASSWORD" } } },
        { ...worker, name: "b", via: { ...connect, username: "us", password: "line\n" } },
        { ...worker, name: "c", via: { ...socks, username: "é".repeat(128), password: "p".repeat(256) } },
      ],
    },
    faults: [
      'egresses[0].via.username: a name without ":", which ends one (RFC 7617 §2)',
      "egresses[1].via.password: a text without control characters (RFC 7617 §2)",
      "egresses[2].via.username: 1 to 255 octets, as SOCKS5 has it (RFC 1929 §2)",
      "egresses[2].via.password: 1 to 255 octets, as SOCKS5 has it (RFC 1929 §2)",
    ],
  },
  {
    name: "a TLS mode that there is not",
    file: { targets: [{ ...target, tls: "always" }] },
    faults: ['targets[0].tls: expected one of "opportunistic"|"require"|"mta-sts"|"dane"|"never"'],
  },
  {
    name: "a target that is no mailbox",
    file: { targets: [{ ...target, recipient: "icloud.example" }] },
    faults: ["targets[0].recipient: a mailbox such as probe@example.com"],
  },
  {
    name: "postmaster, whom many hosts exempt",
    file: { targets: [{ ...target, recipient: "Postmaster@icloud.example" }] },
    faults: ["targets[0].recipient: a mailbox of yours, but postmaster"],
  },
  {
    name: "the same target twice",
    file: { targets: [target, { ...target, depth: "ehlo" }, { ...target, everyMinutes: 30 }] },
    faults: ["targets[2]: the same provider, recipient, depth as targets[0]"],
  },
  {
    name: "a depth that is a stage",
    file: { targets: [{ ...target, depth: "data" }] },
    faults: ['targets[0].depth: expected one of "greeting"|"ehlo"|"rcpt"|"message"'],
  },
  {
    name: "oftener than providers bear, and more seldom than a day",
    file: { targets: [4, 1_441, 7.5, "15"].map((everyMinutes) => ({ ...target, everyMinutes })) },
    faults: [
      "targets[0].everyMinutes: expected number to be >=5",
      "targets[1].everyMinutes: expected number to be <=1440",
      "targets[2].everyMinutes: expected int, received number",
      "targets[3].everyMinutes: expected number, received string",
    ],
  },
  {
    name: "a message oftener than hourly, also by default",
    file: {
      targets: [
        { ...target, depth: "message" },
        { ...target, depth: "message", provider: "b", everyMinutes: 59 },
      ],
    },
    faults: [
      "targets[0].everyMinutes: 60 or more at depth message",
      "targets[1].everyMinutes: 60 or more at depth message",
    ],
  },
  {
    name: "an egress that there is not",
    file: { targets: [{ ...target, egresses: ["aws", "mail-2"] }] },
    faults: ['targets[0].egresses: "mail-2" is none of aws, mail-1'],
  },
  {
    name: "a target over no egress",
    file: { targets: [{ ...target, egresses: [] }] },
    faults: ["targets[0].egresses: expected array to have >=1 items"],
  },
  {
    name: "a class that there is not, and a severity that there is not",
    file: {
      targets: [
        { ...target, severities: { blocked: "page" } },
        { ...target, depth: "ehlo", severities: { tls: "red" } },
      ],
    },
    faults: [
      "targets[0].severities.blocked: there is no such field",
      'targets[1].severities.tls: expected one of "page"|"warn"|"info"',
    ],
  },
  {
    name: "hosts that are none, and domains as nobody looks them up",
    file: { hosts: { "a.example": [], "b.example": ["mx example"], "c.example": ["mx:99999"], "D.example": ["mx"] } },
    faults: [
      'hosts."a.example": expected array to have >=1 items',
      'hosts."b.example"[0]: host, host:25 or [IPv6]:25',
      'hosts."c.example"[0]: host, host:25 or [IPv6]:25',
      'hosts."D.example": a domain in lower case, in A-labels (xn--…)',
    ],
  },
  {
    name: "a route of no kind, and one of another kind",
    file: { onCall: { routes: [{ name: "a" }, { name: "b", type: "mail" }] } },
    faults: [`onCall.routes[0].type: expected one of ${kinds}`, `onCall.routes[1].type: expected one of ${kinds}`],
  },
  {
    name: "routes with a wrong field each",
    file: {
      onCall: {
        runbook: "runbook.md",
        routes: [
          { ...sns, topicArn: "on-call" },
          { type: "pagerduty", name: "b", routingKey: 5 },
          { type: "slack", name: "c", url: { env: "" } },
          { type: "teams", name: "d", url: { environment: "TEAMS" } },
          { type: "webhook", name: "e", url: "" },
        ],
      },
    },
    faults: [
      'onCall.routes[0].topicArn: must start with "arn:"',
      "onCall.routes[1].routingKey: expected string, received number; or expected object, received number",
      "onCall.routes[2].url.env: expected string to have >=1 characters",
      "onCall.routes[3].url: expected string, received object; or env: is missing; it takes string; or file: is missing; it takes string; or secretsManager: is missing; it takes string; or ssm: is missing; it takes string",
      "onCall.routes[4].url: expected string to have >=1 characters",
      "onCall.runbook: a URL such as https://example.com/",
    ],
  },
  {
    name: "two routes of one name",
    file: { onCall: { routes: [sns, { type: "slack", name: "mail", url: "https://hooks.example" }] } },
    faults: ["onCall.routes[1]: the same name as onCall.routes[0]"],
  },
  {
    name: "M of N with more M than N",
    file: { alarms: { blocked: { datapoints: 4, of: 3 }, egressDown: { datapoints: 2, of: 1 } } },
    faults: [
      'alarms.blocked.datapoints: 3 or fewer, as many as "of"',
      'alarms.egressDown.datapoints: 1 or fewer, as many as "of"',
    ],
  },
  {
    name: "more rounds than an alarm looks back",
    file: { targets: [{ ...target, everyMinutes: 1_440 }], alarms: { blocked: { datapoints: 2, of: 8 } } },
    faults: ["alarms.blocked.of: 7 or fewer where everyMinutes is 1440: 7 days in all"],
  },
  {
    name: "numbers out of their range",
    file: {
      alarms: { widely: 1, lateMinutes: 0 },
      limits: { sessionSeconds: 0, probeSeconds: 901, gapSeconds: -1, concurrency: 101, backOffMinutes: 1_441 },
      history: { days: 0 },
    },
    faults: [
      "alarms.widely: expected number to be >=2",
      "alarms.lateMinutes: expected number to be >=1",
      "limits.sessionSeconds: expected number to be >=1",
      "limits.probeSeconds: expected number to be <=900",
      "limits.gapSeconds: expected number to be >=0",
      "limits.concurrency: expected number to be <=100",
      "limits.backOffMinutes: expected number to be <=1440",
      "history.days: expected number to be >=1",
    ],
  },
  {
    name: "a VPC for a worker, and an Elastic IP that is none",
    file: {
      egresses: [
        { ...worker, via: { type: "vpc" } },
        { name: "aws", runner: "functions", via: { type: "vpc", allocation: "203.0.113.7" } },
      ],
    },
    faults: ["egresses[1].via.allocation: the allocation of an Elastic IP: eipalloc-…"],
  },
  {
    name: "a VPC for a worker",
    file: { egresses: [{ ...worker, via: { type: "vpc" } }] },
    faults: ["egresses[0].via.type: \"direct\", as a worker's machine has it: the VPC is the functions' own"],
  },
  {
    name: "what is said of AWS",
    file: {
      aws: {
        logDays: 31,
        emails: ["on-call"],
        budgetUsd: 0,
        secretKeys: ["alias/mine"],
        mutes: [{ name: "nights", schedule: "cron(0 2 * * *)", minutes: 60, kinds: ["bloked"] }],
        topic: "x",
      },
    },
    faults: [
      "aws.logDays: expected one of 1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1096|1827|2192|2557|2922|3288|3653",
      "aws.emails[0]: a mailbox such as on-call@example.com",
      "aws.budgetUsd: expected number to be >0",
      'aws.mutes[0].kinds[0]: expected one of "blocked"|"blocked-widely"|"refused"|"egress-down"|"probe-silent"|"misconfigured"|"self-check"|"failures"',
      "aws.secretKeys[0]: the ARN of a key: arn:aws:kms:region:account:key/id",
      "aws.topic: there is no such field",
    ],
  },
  {
    name: "mute windows of one name",
    file: {
      aws: {
        mutes: [
          { name: "nights", schedule: "cron(0 2 * * *)", minutes: 60 },
          { name: "nights", schedule: "cron(0 3 * * *)", minutes: 60 },
        ],
      },
    },
    faults: ["aws.mutes[1]: the same name as aws.mutes[0]"],
  },
  {
    name: "what requests may ask for",
    file: { requests: { recipients: ["icloud.example", "@"], senders: ["us"], ports: "all", privateAddresses: "yes" } },
    faults: [
      "requests.recipients[0]: a mailbox, @example.com for all of a domain, or *",
      "requests.recipients[1]: a mailbox, @example.com for all of a domain, or *",
      "requests.senders[0]: a mailbox, @example.com for all of a domain, or empty for the null sender",
      'requests.ports: expected array, received string; or expected "any"',
      "requests.privateAddresses: expected boolean, received string",
    ],
  },
  {
    name: "what sends are",
    file: {
      requests: { buckets: ["Mine"] },
      sends: {
        egresses: [],
        dkim: [{ domain: "Sender.example", selector: "a b" }],
        bucket: "x",
        expiresHours: 337,
        attemptSeconds: 4,
        answerSeconds: 601,
        rates: { default: { concurrency: 0 }, gmail: { perMinute: 10_001, perHour: 1 } },
        topic: "x",
      },
    },
    faults: [
      "requests.buckets[0]: the name of a bucket: 3 to 63 of a-z, 0-9, hyphens and dots",
      "sends.egresses: expected array to have >=1 items",
      "sends.dkim[0].domain: a domain in lower case, in A-labels (xn--…)",
      "sends.dkim[0].selector: a selector such as s2026",
      "sends.dkim[0].key: is missing; it takes string; or is missing; it takes object",
      "sends.bucket: the name of a bucket: 3 to 63 of a-z, 0-9, hyphens and dots",
      "sends.expiresHours: expected number to be <=336",
      "sends.attemptSeconds: expected number to be >=5",
      "sends.answerSeconds: expected number to be <=600",
      "sends.rates.default.concurrency: expected number to be >=1",
      "sends.rates.gmail.perMinute: expected number to be <=10000",
      "sends.rates.gmail.perHour: there is no such field",
      "sends.topic: there is no such field",
    ],
  },
  {
    name: "sends by ways out that there are not, keys of one domain, an answer that no attempt has the time for",
    file: {
      sends: {
        egresses: ["mail-1", "mail-2", "mail-1"],
        dkim: ["s1", "s2"].map((selector) => ({ domain: "sender.example", selector, key: { env: "KEY" } })),
        attemptSeconds: 603,
        rates: { Gmail: { perMinute: 300 } },
      },
    },
    faults: [
      'sends.egresses: "mail-2" is none of aws, mail-1',
      "sends.egresses[2]: the same egress as sends.egresses[0]",
      "sends.dkim[1]: the same domain as sends.dkim[0]",
      "sends.attemptSeconds: 604 or more, since an answer is awaited 600 s; or less answerSeconds",
      'sends.rates: "Gmail" is no provider\'s such as gmail, and no domain in lower case',
    ],
  },
  {
    name: "a resolver that is a name",
    file: { resolver: "dns.example:53" },
    faults: ["resolver: ip, ip:53 or [IPv6]:53"],
  },
  {
    name: "a port that is none",
    file: { requests: { ports: [25, 0] } },
    faults: ["requests.ports[1]: expected number to be >=1"],
  },
  {
    name: "a worker whose queue would be another's queue of dead letters",
    file: {
      egresses: [
        { name: "dead", runner: "worker" },
        { name: "a-dead", runner: "worker" },
        { name: "undead", runner: "worker" },
      ],
    },
    faults: [
      'egresses[0].name: another end than "dead", which queues of dead letters have',
      'egresses[1].name: another end than "dead", which queues of dead letters have',
    ],
  },
  {
    name: "a worker that is called as the functions are",
    file: { egresses: [{ name: "functions", runner: "worker" }] },
    faults: ['egresses[0].name: another name than "functions", which is not a worker\'s'],
  },
  {
    name: "a worker whose queue would have a longer name than Amazon SQS takes",
    file: { name: "n".repeat(40), egresses: [{ name: "e".repeat(29), runner: "worker" }] },
    faults: ["egresses[0].name: 28 characters or fewer, since its queues are named after it"],
  },
  {
    name: "pairs whose alarms would share a name",
    file: {
      egresses: [
        { name: "b-c", runner: "functions" },
        { name: "c", runner: "functions" },
      ],
      targets: [
        { ...target, provider: "a" },
        { ...target, provider: "a-b", depth: "ehlo" },
      ],
    },
    faults: ["targets: a over b-c and a-b over c would both be a-b-c in alarms' names; give one another name"],
  },
  {
    name: "a provider that is called as an alarm is",
    file: {
      targets: [
        { ...target, provider: "widely" },
        { ...target, provider: "widely-b" },
        { ...target, provider: "widelyc" },
      ],
    },
    faults: [
      'targets[0].provider: another beginning than "widely", which an alarm\'s name has',
      'targets[1].provider: another beginning than "widely", which an alarm\'s name has',
    ],
  },
];

describe("a wrong file says what is wrong, where, and what is allowed", () => {
  for (const { name, file, faults } of rows) {
    it(name, () => assert.deepEqual(checkConfig({ ...least, ...file }), { value: null, faults }));
  }

  for (const value of [null, [], "text", 5, true]) {
    it(`${JSON.stringify(value)} is no configuration`, () => {
      const { faults } = checkConfig(value);
      assert.match(String(faults), /^\$: expected object, received (?:null|array|string|number|boolean)$/);
    });
  }

  it("every fault of a file is told, of its shape and then of what its fields mean to each other", () => {
    const shape = rows.filter(({ file }) => "limits" in file || "requests" in file);
    const { faults } = checkConfig(Object.assign({}, least, ...shape.map(({ file }) => file)));
    assert.ok((faults?.length ?? 0) >= 8, String(faults));
    const meant = {
      egresses: [...least.egresses, least.egresses[0]],
      targets: [{ ...target, depth: "message", egresses: ["x"], recipient: "postmaster@icloud.example" }],
      alarms: { blocked: { datapoints: 3, of: 1 } },
    };
    assert.deepEqual(checkConfig({ ...least, ...meant }).faults, [
      "egresses[2]: the same name as egresses[0]",
      'targets[0].egresses: "x" is none of aws, mail-1, aws',
      "targets[0].everyMinutes: 60 or more at depth message",
      "targets[0].recipient: a mailbox of yours, but postmaster",
      'alarms.blocked.datapoints: 1 or fewer, as many as "of"',
    ]);
  });
});

test("any JSON value gives faults or a configuration, each fault on one line with its path first", () => {
  const fields = [...Object.keys(example), "alarms", "hosts", "limits", "requests", "sends", "history"];
  const changed = fc
    .tuple(fc.constantFrom(...fields), fc.jsonValue())
    .map(([field, value]) => ({ ...example, [field]: value }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), changed), (value) => {
      const { value: config, faults } = checkConfig(value);
      assert.equal(config === null, faults !== null);
      for (const each of faults ?? []) assert.match(each, /^(?:\$|[\w$.[\]-]+|.*"): .+$/s);
    }),
  );
});

test("the example is valid as it stands", async () => {
  const file = fileURLToPath(new URL("../../infra/config/example.json", import.meta.url));
  const config = await loadConfig(file);
  assert.equal(config.targets.length, example.targets.length);
});

test("what is not said has its default", () => {
  const { value } = checkConfig(least);
  assert.deepEqual(value, {
    name: "delivery-probe",
    identity: least.identity,
    egresses: least.egresses.map((each) => ({
      ...each,
      address: null,
      families: null,
      via: { type: "direct", bind: null },
    })),
    targets: [{ ...target, depth: "rcpt", everyMinutes: 15, tls: "opportunistic", egresses: null, severities: {} }],
    hosts: {},
    onCall: { routes: [], runbook: null },
    alarms: {
      blocked: { datapoints: 2, of: 3 },
      egressDown: { datapoints: 2, of: 2 },
      widely: 2,
      lateMinutes: 30,
    },
    limits: { sessionSeconds: 60, probeSeconds: 300, gapSeconds: 30, concurrency: 10, backOffMinutes: 30 },
    requests: { recipients: [], senders: [], ports: [25], buckets: [], privateAddresses: false },
    sends: null,
    resolver: null,
    history: { days: 30, maskRecipients: false },
    aws: { logDays: 30, emails: [], budgetUsd: null, mutes: [], secretKeys: [], vpcCidr: "10.25.0.0/24" },
  });
});

test("a part that is said in part has the defaults of a part that is not said", () => {
  const parts = ["onCall", "alarms", "limits", "requests", "history", "aws"];
  const { value } = checkConfig({ ...least, ...Object.fromEntries(parts.map((each) => [each, {}])) });
  assert.deepEqual(value, checkConfig(least).value);
});

test("sends that say nothing have their defaults, and so has a rate that says one thing", () => {
  const { value } = checkConfig({ ...least, sends: { rates: { gmail: { perMinute: 600 } } } });
  assert.deepEqual(value?.sends, {
    egresses: null,
    dkim: [],
    bucket: null,
    tls: "opportunistic",
    expiresHours: 24,
    attemptSeconds: 840,
    answerSeconds: 600,
    canaryMinutes: 30,
    rates: { default: { concurrency: 5, perMinute: 60 }, gmail: { concurrency: 5, perMinute: 600 } },
  });
  assert.deepEqual(checkConfig({ ...least, sends: {} }).value?.sends?.rates, {
    default: { concurrency: 5, perMinute: 60 },
  });
});

test("every way out is taken, with the defaults of what is not said", () => {
  const egresses = [
    { ...worker, name: "a", via: { type: "direct" } },
    { ...worker, name: "b", via: socks },
    { ...worker, name: "c", via: connect },
    { ...worker, name: "d", via: { ...connect, tls: null } },
    { name: "e", runner: "functions", via: { type: "vpc" } },
    { name: "f", runner: "functions", via: { type: "vpc", allocation: "eipalloc-0123456789abcdef0" } },
  ];
  const { value, faults } = checkConfig({ ...least, egresses });
  assert.equal(faults, null);
  const open = { username: null, password: null, passesNames: false };
  assert.deepEqual(
    value.egresses.map(({ via }) => via),
    [
      { type: "direct", bind: null },
      { ...socks, port: 1_080, ...open },
      { ...connect, port: 3_128, tls: { ca: null, certificate: null, key: null }, ...open },
      { ...connect, port: 3_128, tls: null, ...open },
      { type: "vpc", allocation: null },
      { type: "vpc", allocation: "eipalloc-0123456789abcdef0" },
    ],
  );
});

test("a NAT gateway has no IPv6, so that its egress dials none", () => {
  const egresses = [{ name: "nat", runner: "functions", via: { type: "vpc" } }];
  assert.deepEqual(checkConfig({ ...least, egresses }).value?.egresses.map(configuredFamilies), ["4"]);
});

test("alarms of every kind can be kept quiet", () => {
  const mute = { name: "nights", schedule: "cron(0 2 * * *)", minutes: 60, kinds: [...alarmKinds] };
  const { value, faults } = checkConfig({ ...least, aws: { mutes: [mute] } });
  assert.equal(faults, null);
  assert.deepEqual(value.aws.mutes, [{ ...mute, timezone: "UTC" }]);
});

test("targets take every TLS mode that probes have", () => {
  for (const tls of tlsModes) assert.equal(checkConfig({ ...least, targets: [{ ...target, tls }] }).faults, null, tls);
});

for (const [address, families, bind, expected] of [
  [null, null, null, "both"],
  [null, "6", null, "6"],
  ["192.0.2.25", null, null, "4"],
  ["2001:db8::25", null, null, "6"],
  ["2001:db8::25", "6", "2001:db8::26", "6"],
  [null, null, "192.0.2.25", "4"],
] as const) {
  test(`address ${address}, families ${families}, bind ${bind}: IP versions ${expected}`, () => {
    const { value } = checkConfig({
      ...least,
      egresses: [{ ...worker, address, families, via: { type: "direct", bind } }],
    });
    assert.deepEqual(value?.egresses.map(configuredFamilies), [expected]);
  });
}

test("every kind of route is taken, its secrets in the file or in the environment", () => {
  const routes = [
    sns,
    { type: "pagerduty", name: "b", routingKey: { env: "KEY" } },
    { type: "slack", name: "c", url: "https://hooks.example/a" },
    { type: "teams", name: "d", url: { env: "TEAMS" } },
    { type: "webhook", name: "e", url: "https://hooks.example/b", headers: { Authorization: { env: "TOKEN" } } },
  ];
  const { value, faults } = checkConfig({ ...least, onCall: { routes } });
  assert.equal(faults, null);
  const [, pagerduty] = value.onCall.routes;
  assert.ok(pagerduty?.type === "pagerduty");
  assert.equal(pagerduty.url, "https://events.pagerduty.com/v2/enqueue");
});

test("pairs are every target over each of its egresses, in the file's order", () => {
  const { value } = checkConfig({
    ...least,
    targets: [
      { ...target, egresses: ["mail-1"] },
      { ...target, provider: "gmail" },
    ],
  });
  assert.ok(value !== null);
  assert.deepEqual(
    pairsOf(value).map(({ target, egress }) => `${target.provider} ${egress.name}`),
    ["icloud mail-1", "gmail aws", "gmail mail-1"],
  );
  assert.equal(keyOfTarget({ ...value.targets[0], depth: "ehlo" } as Config["targets"][number]), "icloud probe@icloud.example ehlo"); // prettier-ignore
});

for (const [keys, text] of [
  [[], "$"],
  [["targets", 2, "everyMinutes"], "targets[2].everyMinutes"],
  [[0], "$[0]"],
  [["hosts", "a.example", 0], 'hosts."a.example"[0]'],
  [["a b"], '"a b"'],
] as const) {
  test(`a path is written ${text}`, () => assert.equal(pathText(keys), text));
}

describe("a file that cannot be used is named, with every fault on a line of its own", () => {
  const withFile = async (text: string, look: (file: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(path.join(tmpdir(), "config-"));
    try {
      const file = path.join(folder, "config.json");
      await writeFile(file, text);
      await look(file);
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  it("missing", async () => {
    await assert.rejects(loadConfig("no-such-file.json"), (error) => {
      assert.ok(error instanceof ConfigFault);
      assert.match(error.message, /^no-such-file\.json cannot be read \(ENOENT\); name a configuration file/);
      return true;
    });
  });

  it("no JSON", async () => {
    await withFile("{ name: probe }", async (file) => {
      await assert.rejects(loadConfig(file), (error) => {
        assert.ok(error instanceof ConfigFault);
        assert.ok(error.message.startsWith(`${file} is no JSON: `), error.message);
        return true;
      });
    });
  });

  it("wrong in two places", async () => {
    await withFile(JSON.stringify({ ...least, name: "A", history: { days: 0 } }), async (file) => {
      await assert.rejects(loadConfig(file), (error) => {
        assert.ok(error instanceof ConfigFault);
        assert.deepEqual(error.message.split("\n"), [
          `${file} is no configuration:`,
          "  name: 3 to 40 of a-z, 0-9 and hyphens",
          "  history.days: expected number to be >=1",
        ]);
        return true;
      });
    });
  });
});
