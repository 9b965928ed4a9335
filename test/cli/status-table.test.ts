// How the system stands, as people read it: what is first, what is left out, and that nobody's text breaks the lines.
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { statusTable, width } from "../../functions/cli/status-table.ts";
import type { AlarmStatus, LastVerdict, PairStatus, StatusDocument } from "../../functions/cli/status-document.ts";
import type { RunningStatus } from "../../functions/cli/status-running.ts";
import type { HoldStatus, WaitingStatus } from "../../functions/cli/status-sends.ts";
import { visible } from "../../functions/verdict/visible.ts";

const at = "2026-11-24T17:30:00.000Z";

const alarm: AlarmStatus = {
  name: "delivery-probe-blocked-icloud-aws",
  kind: "blocked",
  provider: "icloud",
  egress: "aws",
  pages: true,
  state: "OK",
  since: "2026-11-24T16:00:00.000Z",
  reason: "fine",
  suppressedBy: null,
};

const last: LastVerdict = {
  id: "1",
  at: "2026-11-24T17:18:00.000Z",
  recipient: "probe@icloud.example",
  outcome: "rejected",
  class: "ip-reputation",
  severity: "page",
  stage: "rcpt",
  code: 550,
  status: "5.7.1",
  text: "550-5.7.1 192.0.2.25 is listed\n550 5.7.1 see https://lists.example",
  host: "mx.icloud.example",
  address: "192.0.2.80",
};

const pair: PairStatus = { provider: "icloud", egress: "aws", last, block: null, backOffUntil: null };

const running: RunningStatus = {
  runner: "schedule",
  hash: "1a2b3c4d5e6f",
  version: "0.1.0",
  at: "2026-11-24T17:25:00.000Z",
  isThis: true,
  isSilent: false,
};

function document(more: Partial<StatusDocument>): StatusDocument {
  return {
    v: 1,
    name: "delivery-probe",
    at,
    config: { hash: "1a2b3c4d5e6f" },
    running: [running],
    alarms: [alarm],
    pairs: [pair],
    egresses: [],
    sends: null,
    pauses: [],
    ...more,
  };
}

for (const [what, more, says] of [
  ["everybody runs this one", [{ runner: "functions" }], "config 1a2b3c4d5e6f runs everywhere\n"],
  [
    "a worker runs another",
    [{ runner: "worker/mail-1", hash: "3fa9c0ffee00", isThis: false }],
    `config 1a2b3c4d5e6f does not run everywhere:
  worker mail-1 runs another configuration (3fa9c0ffee00, version 0.1.0, 5 min ago)
    restart it with this file
`,
  ],
  [
    "the functions run another, and nothing was heard of them for long",
    [{ runner: "functions", hash: "3fa9c0ffee00", isThis: false, isSilent: true, at: "2026-11-22T17:25:00.000Z" }],
    `config 1a2b3c4d5e6f does not run everywhere:
  the functions run another configuration (3fa9c0ffee00, version 0.1.0, 2 d ago)
    deploy it again with this file
`,
  ],
  [
    "one is silent, one was never heard of",
    [
      { runner: "functions", isSilent: true, at: "2026-11-24T15:30:00.000Z" },
      { runner: "worker/mail-1", hash: null, version: null, at: null, isThis: false, isSilent: true },
    ],
    `config 1a2b3c4d5e6f does not run everywhere:
  the functions: silent for 2 h
    look whether it runs, and at its log
  worker mail-1: never heard of
    start it: delivery-probe worker --egress mail-1
`,
  ],
] as const) {
  test(`what runs: ${what}`, () => {
    const text = statusTable(document({ running: [running, ...more.map((each) => ({ ...running, ...each }))] }));
    assert.equal(text.slice(text.indexOf("config"), text.indexOf("\nalarms")), says);
  });
}

test("what runs: nobody was ever heard of", () => {
  const never = { ...running, hash: null, version: null, at: null, isThis: false, isSilent: true };
  const text = statusTable(document({ running: [never] }));
  assert.match(text, /^config 1a2b3c4d5e6f is not known to run anywhere:\n {2}the schedule: .*\n {4}deploy it /m);
});

test("alarms that page come first, those that are OK are counted, and each says since when and why", () => {
  const silent = { ...alarm, name: "quiet", pages: false, state: "ALARM" as const, reason: "Threshold Crossed" };
  const text = statusTable(
    document({
      pairs: [],
      alarms: [
        alarm,
        { ...alarm, name: "new", state: "INSUFFICIENT_DATA", reason: "Unchecked: Initial alarm creation" },
        { ...alarm, name: "gone", state: null, since: null, reason: null },
        silent,
        { ...alarm, name: "loud", state: "ALARM", reason: "children are in ALARM", suppressedBy: "WaitPeriod" },
      ],
    }),
  );
  assert.equal(
    text,
    `delivery-probe, 2026-11-24 17:30 UTC: 1 paging alarm is in ALARM
config 1a2b3c4d5e6f runs everywhere

alarms: 2 ALARM, 1 missing, 1 no data, 1 OK
  ALARM    loud   since 2026-11-24 16:00 UTC (1 h 30 min)
    suppressed (WaitPeriod); children are in ALARM
  ALARM    quiet  since 2026-11-24 16:00 UTC (1 h 30 min)
    does not page; Threshold Crossed
  missing  gone
  no data  new    for 1 h 30 min: Unchecked: Initial alarm creation

providers:
  provider  egress  last verdict  class  when
`,
  );
});

test("an egress shows its last self-check, and what was not found well since when", () => {
  const check = (name: "spf" | "reverse-dns" | "port-25", standing: "ok" | "fault" | "unknown", text: string) => {
    return { check: name, standing, text, remedy: null };
  };
  const facts = { id: "1", at: "2026-11-24T15:30:00.000Z" };
  const since = { spf: "2026-11-22T17:30:00.000Z", "reverse-dns": "2026-11-24T15:30:00.000Z" };
  const checks = [
    check("port-25", "ok", "mx.example answers"),
    check("reverse-dns", "fault", "192.0.2.25 has no PTR\nat all"),
    check("spf", "unknown", "DNS: SERVFAIL\u001b[2J"),
  ];
  const text = statusTable(
    document({
      pairs: [],
      egresses: [
        { name: "aws", selfCheck: null },
        { name: "mail-1", selfCheck: { ...facts, since, standing: "fault", checks } },
        { name: "mail-2", selfCheck: { ...facts, since: {}, standing: "ok", checks: checks.slice(0, 1) } },
      ],
    }),
  );
  assert.equal(
    text.slice(text.indexOf("our own")),
    String.raw`our own set-up:
  aws     never checked
  mail-1  wrong, 2 h ago
    reverse-dns, since 2026-11-24 15:30 UTC (2 h): 192.0.2.25 has no PTR / at all
    spf, not known, since 2026-11-22 17:30 UTC (2 d): DNS: SERVFAIL\x1b[2J
  mail-2  as it must be, 2 h ago
`,
  );
});

test("a pair shows its last verdict, the words of a refusal, a block and a back-off", () => {
  const block = { stage: "rcpt", host: "mx.icloud.example", since: "2026-11-24T15:30:00.000Z", id: "0" } as const;
  const text = statusTable(
    document({
      pairs: [
        { ...pair, block, backOffUntil: "2026-11-24T18:00:00.000Z" },
        { ...pair, provider: "gmx", last: { ...last, outcome: "accepted", class: null, text: "250 2.1.5 ok" } },
        { ...pair, provider: "gmail", egress: "mail-1", last: null },
      ],
      pauses: [{ kind: "provider", name: "gmx", reason: "we talk", since: at, until: "2026-11-24T19:30:00.000Z" }],
    }),
  );
  assert.equal(
    text,
    `delivery-probe, 2026-11-24 17:30 UTC: no paging alarms are in ALARM
config 1a2b3c4d5e6f runs everywhere

alarms: 1 OK

providers:
  provider  egress  last verdict         class          when
  icloud    aws     rejected at rcpt     ip-reputation  12 min ago
    550-5.7.1 192.0.2.25 is listed / 550 5.7.1 see https://lists.example
    blocked at rcpt by mx.icloud.example, since 2026-11-24 15:30 UTC (2 h)
    left alone until 2026-11-24 18:00 UTC, as it asked
  gmx       aws     accepted up to rcpt                 12 min ago
  gmail     mail-1  never probed

paused:
  provider gmx until 2026-11-24 19:30 UTC, since 2026-11-24 17:30 UTC: we talk
`,
  );
});

const ofIp: HoldStatus = {
  provider: "icloud",
  egress: "aws",
  domain: null,
  since: "2026-11-24T15:30:00.000Z",
  id: "0",
  class: "ip-reputation",
  stage: "rcpt",
  host: "mx.icloud.example",
  text: "550-5.7.1 192.0.2.25 is listed\n550 5.7.1 see https://lists.example",
};
const ofDomain: HoldStatus = {
  ...ofIp,
  provider: "gmail",
  egress: null,
  domain: "sender.example",
  class: "authentication",
  text: "550 5.7.26 unauthenticated",
};
const none: WaitingStatus = { egress: "aws", deliveries: 0, orMore: false, oldestAt: null };

test("sends show what waits over each egress since when, and what holds them, in the words of who refused", () => {
  const waiting = [
    none,
    { ...none, egress: "mail-1", deliveries: 1, oldestAt: "2026-11-24T17:28:00.000Z" },
    { ...none, egress: "mail-2", deliveries: 12, oldestAt: "2026-11-22T17:30:00.000Z" },
  ];
  const text = statusTable(document({ pairs: [], sends: { holds: [ofIp, ofDomain], waiting } }));
  assert.equal(
    text.slice(text.indexOf("sends:")),
    `sends:
  aws     no delivery waits
  mail-1  1 delivery waits, since 2026-11-24 17:28 UTC (2 min)
  mail-2  12 deliveries wait, the oldest since 2026-11-22 17:30 UTC (2 d)
  held: icloud, over aws: ip-reputation, since 2026-11-24 15:30 UTC (2 h)
    550-5.7.1 192.0.2.25 is listed / 550 5.7.1 see https://lists.example
  held: gmail, mail from sender.example: authentication, since 2026-11-24 15:30 UTC (2 h)
    550 5.7.26 unauthenticated
`,
  );
});

test("sends that are more than are counted show so", () => {
  const waiting = [
    { ...none, deliveries: 1_000, orMore: true, oldestAt: "2026-11-24T17:28:00.000Z" },
    { ...none, egress: "mail-1", orMore: true },
  ];
  const text = statusTable(document({ pairs: [], sends: { holds: [], waiting } }));
  assert.equal(
    text.slice(text.indexOf("sends:")),
    `sends:
  aws     1,000 deliveries or more wait, the oldest since 2026-11-24 17:28 UTC (2 min)
  mail-1  none of the 1,000 that are due first
`,
  );
});

const lines = (text: string): number => text.split("\n").length;
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom("\n", "\r", "\u001b[2J", "\u202e", "\u0007", "漢", "😀", "\t"),
    fc.string({ maxLength: 40 }),
  ),
  maxLength: 40,
});

test("no text of a host, of CloudWatch or of a person forges a line, leaves one or is wider than a terminal", () => {
  const plain = lines(statusTable(documentOf("x")));
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = statusTable(documentOf(`x${text}`));
      assert.equal(visible(shown), shown);
      assert.equal(lines(shown), plain);
      for (const line of shown.split("\n")) {
        const marks = Array.from(line);
        const columns = marks.length + marks.filter((mark) => /[漢😀]/u.test(mark)).length;
        assert.ok(columns <= width, line);
      }
    }),
  );
});

function documentOf(text: string): StatusDocument {
  return document({
    alarms: [{ ...alarm, state: "ALARM", reason: text, suppressedBy: text }],
    pairs: [{ ...pair, last: { ...last, text }, block: { stage: "rcpt", host: text, since: at, id: text } }],
    sends: {
      holds: [{ ...ofIp, provider: text, egress: text, text }],
      waiting: [{ ...none, egress: text, deliveries: 7, oldestAt: at }],
    },
    pauses: [{ kind: "egress", name: "aws", reason: text, since: at, until: at }],
  });
}
