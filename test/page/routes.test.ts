import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pagerDutyEvent } from "../../functions/page/routes/pagerduty.ts";
import { slackMessage } from "../../functions/page/routes/slack.ts";
import { snsMessage } from "../../functions/page/routes/sns.ts";
import { teamsMessage } from "../../functions/page/routes/teams.ts";
import { webhookDocument } from "../../functions/page/routes/webhook.ts";
import type { Page } from "../../functions/page/text.ts";
import { routesOfSink } from "../../infra/local/sink-routes.ts";
import { historyOf, icloudBlocks, page, session, stored } from "./sample.ts";

const host = "mx01.mail.icloud.com";
const blocked = page("blocked", { histories: [historyOf("icloud", [icloudBlocks])] });

/** What each route sends, and what the service that the sink stands for makes of it. */
const routes: Readonly<Record<string, (page: Page) => object>> = {
  slack: slackMessage,
  teams: teamsMessage,
  webhook: webhookDocument,
  pagerduty: (page) => ({ routing_key: "k".repeat(32), ...pagerDutyEvent(page) }),
  sns: snsMessage,
};

/** Words that a host could send: markup, controls, marks and whatever else there is, in several lines. */
const hostile = fc.array(
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 600 }),
    fc.constantFrom(
      "550-*bold* <!channel> <https://evil.example|click> `code` :tada: &lt;",
      "550-[click](https://evil.example) **bold** <at>everyone</at> {{DATE(2017-02-14T06:00:00Z)}}",
      "550-\u202Ereversed\u2066 \u200Bhidden\u{E0041} \u001b[31mred\u0007 \u2028 line \u0085",
      `550-${"<&>".repeat(400)}`,
      `550-${"文".repeat(500)}`,
      "550-\ud800 alone",
    ),
  ),
  { maxLength: 14 },
);

function pageSaying(lines: readonly string[]): Page {
  const words = [...lines, "550 5.7.1 192.0.2.25 is listed in Spamhaus PBL"];
  const finding = session(host, words);
  const others = ["outlook", "gmx"].map((provider) =>
    historyOf(provider, [session(host, words)], { block: blockOf() }),
  );
  return page("blocked-widely", { histories: [historyOf("icloud", [finding], { block: blockOf() }), ...others] });
}

function blockOf(): { stage: "rcpt"; host: string; since: string; id: string } {
  return { stage: "rcpt", host, since: "2026-11-24T10:15:00.000Z", id: stored("icloud", [icloudBlocks]).id };
}

/** The pages that show others' words: a host's, of a block and of what cleared, and those of whoever set the alarm. */
function pagesSaying(lines: readonly string[]): readonly Page[] {
  const said = historyOf("icloud", [session(host, lines)]);
  return [
    pageSaying(lines),
    page("blocked", { change: { from: "ALARM", to: "OK" }, histories: [said] }),
    page("failures", { alarm: { name: "probes-failures-dead-mail-1" }, change: { reason: lines.join("\n") } }),
    page("egress-down", { histories: [said], historyFault: lines.join(" ") }),
  ];
}

for (const [name, make] of Object.entries(routes)) {
  test(`nothing that anybody says brings controls or hidden marks into a ${name} message`, () => {
    fc.assert(
      fc.property(hostile, (lines) => {
        const texts = pagesSaying(lines).flatMap((each) => textsIn(make(each)));
        const bad = texts.flatMap(
          (text) => /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u.exec(text)?.[0] ?? [],
        );
        assert.deepEqual(bad, []);
      }),
      { numRuns: 60 },
    );
  });
}

for (const { kind, read } of routesOfSink) {
  test(`whatever a host says, ${kind} can take the message, and its words are in it`, () => {
    fc.assert(
      fc.property(hostile, (lines) => {
        const posted = read(JSON.stringify(routes[kind]?.(pageSaying(lines))));
        assert.ok(typeof posted !== "string", typeof posted === "string" ? posted : "");
        assert.match(posted.title, /^3 of 3 providers block 192\.0\.2\.25/);
      }),
      { numRuns: 60 },
    );
    const posted = read(JSON.stringify(routes[kind]?.(blocked)));
    assert.ok(typeof posted !== "string", typeof posted === "string" ? posted : "");
    assert.match(posted.text, /550 5\.7\.1 To have it taken out/);
    assert.match(posted.text, /remove its address from the PBL/);
  });
}

test("Slack reads no markup in what a host says: it stands in plain_text alone, escaped", () => {
  const words = ["550-<!channel> *b* <https://evil.example|x> &amp;", "550 5.7.1 192.0.2.25 is listed in Spamhaus PBL"];
  const made = slackMessage(page("blocked", { histories: [historyOf("icloud", [session(host, words)])] })) as {
    readonly text: string;
    readonly mrkdwn: boolean;
    readonly blocks: readonly {
      readonly type: string;
      readonly text: { readonly type: string; readonly text: string };
    }[];
  };
  const markup = made.blocks.filter(({ text }) => text.type === "mrkdwn").map(({ text }) => text.text);
  assert.deepEqual(markup, [
    "<https://check.spamhaus.org/results?query=192.0.2.25|Do this>",
    "<https://runbook.example/dp#blocked|Runbook: blocked>",
  ]);
  const texts = [
    made.text,
    ...made.blocks.filter(({ text }) => text.type === "plain_text").map(({ text }) => text.text),
  ];
  assert.ok(texts.some((text) => text.includes("&lt;!channel&gt; *b* &lt;https://evil.example|x&gt; &amp;amp;")));
  assert.ok(texts.every((text) => !/[<>]/.test(text)));
  assert.equal(made.mrkdwn, false);
});

test("Teams reads no Markdown: every text is a TextRun, and there is neither TextBlock nor FactSet", () => {
  const json = JSON.stringify(teamsMessage(blocked));
  assert.doesNotMatch(json, /"TextBlock"|"FactSet"/);
  assert.match(json, /"TextRun"/);
  assert.match(json, /"Action.OpenUrl","title":"Do this","url":"https:\/\/check\.spamhaus\.org/);
});

test("a Teams message that would be too large loses quoted lines, not the action", () => {
  const lines = Array.from({ length: 10 }, () => `550-${"文".repeat(390)}`);
  const made = JSON.stringify(teamsMessage(pageSaying(lines)));
  assert.ok(Buffer.byteLength(made) <= 28 * 1024);
  assert.deepEqual(made.match(/"text":"… \d+ lines more"/g), Array(3).fill('"text":"… 5 lines more"'));
  assert.ok(made.includes("name the same list"));
});

test("PagerDuty's recovery resolves by the key of its firing", () => {
  const recovered = page("blocked", { change: { from: "ALARM", to: "OK" } });
  assert.deepEqual(pagerDutyEvent(recovered), { event_action: "resolve", dedup_key: blocked.dedupKey });
  const { payload, links, ...event } = pagerDutyEvent(blocked) as Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >;
  assert.deepEqual(event, { event_action: "trigger", dedup_key: blocked.dedupKey, client: "delivery-probe" });
  assert.equal(payload?.["severity"], "critical");
  assert.equal(payload["timestamp"], "2026-11-24T11:31:00.000Z");
  assert.deepEqual(links, [
    { href: "https://check.spamhaus.org/results?query=192.0.2.25", text: "Do this" },
    { href: "https://runbook.example/dp#blocked", text: "Runbook: blocked" },
  ]);
  const drill = page("blocked", { change: { reason: "drill" } });
  assert.match(JSON.stringify(pagerDutyEvent(drill)), /"event_action":"trigger".*"severity":"info"/);
});

test("an SNS subject is ASCII, of less than 100 characters, and the message is the whole text", () => {
  const words = ["550 5.7.1 192.0.2.25 is listed in Spamhaus PBL: зависимость — naïve", "550 5.7.1 \u0007"];
  for (const made of [blocked, page("blocked", { histories: [historyOf("icloud", [session(host, words)])] })]) {
    const { Subject = "", Message = "", MessageAttributes } = snsMessage(made);
    assert.match(Subject, /^iCloud blocks 192\.0\.2\.25: 550 5\.7\.1 [\x20-\x7e]*$/);
    assert.ok(Subject.length < 100);
    assert.ok(Message.startsWith(`${made.title}\n`));
    assert.equal(MessageAttributes?.["kind"]?.StringValue, "blocked");
  }
});

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [name, ...textsIn(each)]);
}
