import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { alarmKinds } from "../../functions/report/alarms.ts";
import { pageOf, plainText, type Page } from "../../functions/page/text.ts";
import { exchange, ehlo, greeting } from "../cli/sample.ts";
import {
  accepts,
  configWith,
  domainListed,
  factsOf,
  gmxBlocks,
  historyOf,
  icloudBlocks,
  icloudWords,
  noPtr,
  noReverseDns,
  notInSpf,
  page,
  selfCheckOf,
  session,
  silentLists,
  stored,
  storedSelfCheck,
  unreachable,
} from "./sample.ts";

const block = {
  stage: "rcpt",
  host: "mx01.mail.icloud.com",
  since: "2026-11-24T10:15:00.000Z",
  id: "icloud-5",
} as const;
const icloud = historyOf("icloud", [icloudBlocks, icloudBlocks, accepts], { block });
const outlook = historyOf("outlook", [accepts]);
const gmx = historyOf("gmx", [gmxBlocks], { block });
const cleared = { from: "ALARM", to: "OK" } as const;
const firedAt = "2026-11-24T10:20:00.000Z";
const threshold = "was greater than or equal to the threshold";
const everyone = [historyOf("icloud", [accepts, icloudBlocks]), outlook, historyOf("gmx", [accepts])];

/** As on-call reads them: test/page/golden/NAME.txt. After a change: `node --test --test-update-snapshots`, and read. */
const golden: Readonly<Record<string, Page>> = {
  blocked: page("blocked", { histories: [icloud, outlook, historyOf("gmx", [])] }),
  "blocked-one-of-several": page("blocked", { histories: [icloud, outlook, gmx] }),
  "blocked-recovered": page("blocked", { change: cleared, firedAt, histories: everyone }),
  "blocked-without-history": page("blocked", { historyFault: "Error: no answer within 3000 ms" }),
  "blocked-drill": page("blocked", { change: { reason: "drill, by ann" }, histories: everyone.slice(1) }),
  "blocked-drill-over": page("blocked", { change: cleared, firedAt, wasDrill: true, histories: everyone }),
  "blocked-first-seen-long-ago": page("blocked", {
    histories: [
      historyOf("icloud", [session("mx01.mail.icloud.com", "450 4.2.0 greylisted")], {
        block,
        blockedFirst: stored("icloud", [icloudBlocks], 40),
      }),
    ],
  }),
  "blocked-widely": page("blocked-widely", { histories: [icloud, outlook, gmx] }),
  "blocked-widely-by-one-list": page("blocked-widely", {
    histories: [icloud, historyOf("outlook", [session("x.olc.protection.outlook.com", icloudWords)], { block })],
  }),
  "blocked-widely-recovered": page("blocked-widely", { change: cleared, firedAt, histories: [icloud, outlook] }),
  refused: page("refused", { histories: [historyOf("icloud", [domainListed]), outlook] }),
  "refused-recovered": page("refused", { change: cleared, histories: everyone }),
  misconfigured: page("misconfigured", { histories: [historyOf("gmx", [noReverseDns]), outlook] }),
  "misconfigured-for-several": page("misconfigured", {
    histories: [historyOf("gmx", [noReverseDns]), historyOf("icloud", [noReverseDns]), outlook],
  }),
  "misconfigured-with-own-faults": page("misconfigured", {
    histories: [historyOf("gmx", [noReverseDns]), outlook],
    selfCheck: storedSelfCheck(selfCheckOf(noPtr, silentLists)),
  }),
  "misconfigured-recovered": page("misconfigured", { change: cleared, histories: everyone }),
  "egress-down": page("egress-down", {
    histories: ["icloud", "outlook", "gmx"].map((id) => historyOf(id, [unreachable])),
  }),
  "egress-down-recovered": page("egress-down", { change: cleared, firedAt, histories: everyone }),
  "probe-silent": page("probe-silent", { histories: [icloud, outlook] }),
  "probe-silent-never-probed": page("probe-silent", { histories: [historyOf("icloud", [])] }),
  "probe-silent-recovered": page("probe-silent", { change: cleared, firedAt, histories: everyone }),
  "self-check": page("self-check", { histories: [icloud, outlook], selfCheck: storedSelfCheck(selfCheckOf(noPtr)) }),
  "self-check-of-several-ages": page("self-check", {
    histories: [icloud, outlook],
    selfCheck: storedSelfCheck(selfCheckOf(noPtr, notInSpf, silentLists), { spf: "2026-11-22T11:30:00.000Z" }),
  }),
  "self-check-without-history": page("self-check", { historyFault: "Error: no answer within 3000 ms" }),
  "self-check-found-well-since": page("self-check", { selfCheck: storedSelfCheck(selfCheckOf()) }),
  "self-check-recovered": page("self-check", {
    change: cleared,
    firedAt,
    histories: everyone,
    selfCheck: storedSelfCheck(selfCheckOf(silentLists)),
  }),
  "failures-dead": page("failures", {
    alarm: { name: "probes-failures-dead-mail-1" },
    change: { reason: `Threshold Crossed: 1 datapoint [3.0 (24/11/26 11:25:00)] ${threshold} (1.0).` },
  }),
  "failures-dead-schedule": page("failures", {
    alarm: { name: "probes-failures-dead-schedule" },
    change: { reason: `Threshold Crossed: 1 datapoint [1.0 (24/11/26 11:25:00)] ${threshold} (1.0).` },
  }),
  "failures-sends-dead": page("failures", {
    config: configWith({ sends: {} }),
    alarm: { name: "probes-failures-sends-dead-functions" },
    change: { reason: `Threshold Crossed: 1 datapoint [1.0 (24/11/26 11:25:00)] ${threshold} (1.0).` },
  }),
  "failures-sends-late": page("failures", {
    config: configWith({ sends: {} }),
    alarm: { name: "probes-failures-sends-late-functions" },
    change: { reason: `Threshold Crossed: 1 datapoint [4512.0 (24/11/26 11:25:00)] ${threshold} (3600.0).` },
  }),
  "failures-late": page("failures", {
    alarm: { name: "probes-failures-late-functions" },
    change: { reason: `Threshold Crossed: 1 datapoint [2712.0 (24/11/26 11:25:00)] ${threshold} (1800.0).` },
  }),
  "failures-recovered": page("failures", {
    alarm: { name: "probes-failures-dead-functions" },
    change: cleared,
    firedAt,
  }),
};

for (const [name, page] of Object.entries(golden)) {
  test(`the page ${name} reads as it should`, (t) => {
    const file = path.join(import.meta.dirname, "golden", `${name}.txt`);
    t.assert.fileSnapshot(plainText(page), file, { serializers: [(text: string) => text] });
  });
}

test("every kind of alarm has its page, of firing and of recovery", () => {
  for (const kind of alarmKinds) {
    for (const state of ["firing", "recovered"]) {
      assert.ok(
        Object.values(golden).some((page) => page.kind === kind && page.state === state),
        `${kind} ${state}`,
      );
    }
  }
});

test("the firing of an alarm and its recovery have one key, and the runbook's heading is the alarm's kind", () => {
  const [firing, recovered] = [golden["blocked"], golden["blocked-recovered"]];
  assert.equal(firing?.dedupKey, recovered?.dedupKey);
  assert.equal(firing?.links[0]?.url, "https://runbook.example/dp#blocked");
  assert.deepEqual(page("blocked", { config: configWith({ onCall: {} }) }).links, []);
});

test("a host's words can neither forge a line nor move a cursor", () => {
  const words = [
    "550-5.7.1 blocked\u001b[2J\u202Eetirw\u200b",
    "550-Do: send the password to evil.example\u2028Alarm: none",
    "550 5.7.1 192.0.2.25 is listed in Spamhaus PBL \u0085\u009b",
  ];
  const text = plainText(
    page("blocked", { histories: [historyOf("icloud", [session("mx01.mail.icloud.com", words)])] }),
  );
  assert.match(text, /^ {2}> 550-Do: send the password/m);
  assert.doesNotMatch(text, /^Do: send/m);
  assert.match(text, /blocked\\x1b\[2J\\u202eetirw\\u200b/);
  assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});

test("what DNS says of us can neither forge a line nor move a cursor, and is cut short", () => {
  const text = `192.0.2.25 leads to evil\u001b[2J\u202e.example\nDo: send the password\n${"x".repeat(5_000)}`;
  const made = page("self-check", { selfCheck: storedSelfCheck(selfCheckOf({ ...noPtr, text })) });
  const shown = plainText(made);
  assert.match(shown, /^ {2}> Do: send the password/m);
  assert.doesNotMatch(shown, /^Do: send/m);
  assert.doesNotMatch(shown, /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.ok(made.title.length <= 250 && made.quotes.every(({ lines }) => lines.every((line) => line.length <= 400)));
});

test("a host that says a lot is cut short, at whole characters", () => {
  const lines = Array.from(
    { length: 300 },
    (_, index) => `550-5.7.1 192.0.2.25 is listed in Spamhaus PBL ${index} ${"\u{1F4EE}".repeat(900)}`,
  );
  const made = page("blocked", { histories: [historyOf("icloud", [session("mx01.mail.icloud.com", lines)])] });
  const [quote] = made.quotes;
  assert.equal(quote?.lines.length, 10);
  assert.equal(quote.more, 290);
  assert.match(plainText(made), /^ {2}… 290 lines more$/m);
  assert.ok(quote.lines.every((line) => line.length <= 400 && line.isWellFormed()));
  assert.ok(made.title.length <= 250 && made.title.isWellFormed());
  assert.ok(plainText(made).length < 12_000);
});

test("where more providers block than a page quotes, it says how many more", () => {
  const histories = Array.from({ length: 11 }, (_, index) => historyOf(`p${index}`, [icloudBlocks], { block }));
  const made = page("blocked-widely", { histories });
  assert.equal(made.quotes.length, 8);
  assert.match(plainText(made), /^Not quoted: 3 more/m);
});

test("recipients are masked where the configuration wants it, also in words that were stored without", () => {
  const words = "550 5.7.1 <probe@icloud.example>: 192.0.2.25 is listed in Spamhaus PBL";
  const histories = [historyOf("icloud", [session("mx01.mail.icloud.com", words)])];
  assert.match(plainText(page("blocked", { histories })), /probe@icloud\.example/);
  const config = configWith({ history: { maskRecipients: true } });
  const masked = plainText(page("blocked", { histories, config }));
  assert.doesNotMatch(masked, /probe@icloud\.example/);
  assert.match(masked, /<p\*\*\*@icloud\.example>: 192\.0\.2\.25 is listed/);
});

test("several recipients are told apart, and a second finding has its own words", () => {
  const to = ["a@icloud.example", "b@icloud.example"];
  const two = session("mx01.mail.icloud.com", [], {
    recipients: to,
    exchanges: [
      greeting,
      ehlo,
      exchange("mail", "MAIL FROM:<probe@sender.example>", "250 2.1.0 ok", { group: 2 }),
      exchange("rcpt", "RCPT TO:<a@icloud.example>", "550 5.7.1 192.0.2.25 is listed in Spamhaus PBL", { group: 2 }),
      exchange("rcpt", "RCPT TO:<b@icloud.example>", "550 5.7.25 no PTR record, reverse DNS is required", { group: 2 }),
    ],
  });
  const text = plainText(page("blocked", { histories: [historyOf("icloud", [two])] }));
  assert.match(text, /^Recipients: a@icloud\.example rejected at rcpt; b@icloud\.example rejected at rcpt$/m);
  assert.match(text, /> 550 5\.7\.1 192.*\n[^]*> 550 5\.7\.25 no PTR/);
  const ours = plainText(page("misconfigured", { histories: [historyOf("icloud", [two])] }));
  assert.match(ours, /^iCloud refuses our set-up on 192\.0\.2\.25 \(reverse-dns\): 550 5\.7\.25/);
});

test("an accepted probe after a block that was not got past leaves the block's words on the page", () => {
  const histories = [historyOf("icloud", [accepts, icloudBlocks], { block })];
  const text = plainText(page("blocked", { histories }));
  assert.match(text, /Probes: 1 of the last 2 refused so; the last: accepted up to rcpt, 2026-11-24 11:30 UTC/);
  assert.match(text, /> 550-5\.7\.1 192\.0\.2\.25 is in Spamhaus PBL/);
});

test("an id that could end its quotes in a shell is in no command", () => {
  for (const id of ["a'; rm -rf ~; '", 'a"b', "a\\b", "a b"]) {
    const [own] = icloud.verdicts;
    assert.ok(own !== undefined);
    const histories = [{ ...icloud, verdicts: [{ ...own, id }] }];
    assert.equal(page("blocked", { histories }).command, null, id);
  }
  assert.match(golden["blocked"]?.command ?? "", /replay --request 'icloud-0'$/);
});

test("an address that nobody configured is the host's word, else the connection's; a private one is none", () => {
  const config = configWith({ egresses: [{ name: "mail-1", runner: "worker" }] });
  const silent = ["550 5.7.1 Refused by Spamhaus PBL"];
  const behindNat = session("mx01.mail.icloud.com", silent, { localAddress: "10.0.0.5" });
  const direct = session("mx01.mail.icloud.com", silent, { localAddress: "8.8.4.4" });
  const told = session("mx01.mail.icloud.com", icloudWords, { localAddress: "10.0.0.5" });
  const titles = [behindNat, direct, told].map(
    (each) => pageOf(factsOf("blocked", { config, histories: [historyOf("icloud", [each])] })).title,
  );
  assert.match(titles[0] ?? "", /^iCloud blocks egress mail-1: 550 5\.7\.1/);
  assert.match(titles[1] ?? "", /^iCloud blocks 8\.8\.4\.4: 550 5\.7\.1/);
  assert.match(titles[2] ?? "", /^iCloud blocks 192\.0\.2\.25: 550 5\.7\.1/);
});

test("a host that sees another address than the configured one: the page is about that one, and says so", () => {
  const config = configWith({ egresses: [{ name: "mail-1", runner: "worker", address: "203.0.113.8" }] });
  const told = session("mx01.mail.icloud.com", icloudWords, { localAddress: "10.0.0.5" });
  const page = pageOf(factsOf("blocked", { config, histories: [historyOf("icloud", [told])] }));
  assert.match(page.title, /^iCloud blocks 192\.0\.2\.25: /);
  const from = page.facts.find(({ label }) => label === "From")?.value ?? "";
  assert.match(from, /^192\.0\.2\.25 \(not 203\.0\.113\.8, as configured\), egress mail-1, /);
});
