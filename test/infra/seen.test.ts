// What is seen of the stack's events, and how it reads in a line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webhookDocument } from "../../functions/page/routes/webhook.ts";
import type { Page } from "../../functions/page/text.ts";
import { lineOf, seenOf, type Seen } from "../../infra/local/view/seen.ts";
import type { StackEvent } from "../../infra/local/stack.ts";
import { accepted, seenPage, seenVerdict } from "./sights.ts";

const now = "2026-11-24T17:30:00.000Z";
const at = "2026-11-24T17:05:00.000Z";
const alarm = { kind: "alarm", at, name: "a-blocked-icloud-aws", from: "OK", to: "ALARM", heldBackBy: null } as const;

const lines: readonly (readonly [string, Seen, string])[] = [
  [
    "a refusal",
    seenVerdict(),
    "17:05  verdict  icloud over aws: rejected at rcpt: 550 5.7.1 192.0.2.25 is in Spamhaus PBL: refused. " +
      "To have it taken out: https://spamhaus.example/ (ip-reputation)",
  ],
  ["a yes", seenVerdict(accepted), "17:05  verdict  icloud over aws: accepted up to rcpt: 250 2.1.5 recipient ok"],
  [
    "no reply",
    seenVerdict({ outcome: "unanswered", code: null, status: null, class: "unreachable", text: "nobody\nthere" }),
    "17:05  verdict  icloud over aws: unanswered at rcpt: nobody there (unreachable)",
  ],
  [
    "a request of somebody's own",
    seenVerdict({ ...accepted, id: "mine" }),
    "17:05  verdict  icloud over aws: accepted up to rcpt: 250 2.1.5 recipient ok [mine]",
  ],
  [
    "words that move the cursor",
    seenVerdict({ text: "550 5.7.1 \x1b[2Jgone\u202e" }),
    String.raw`17:05  verdict  icloud over aws: rejected at rcpt: 550 5.7.1 \x1b[2Jgone\u202e (ip-reputation)`,
  ],
  ["an alarm", alarm, "17:05  alarm    a-blocked-icloud-aws: OK -> ALARM"],
  [
    "an alarm that is held back",
    { ...alarm, heldBackBy: "WaitPeriod" },
    "17:05  alarm    a-blocked-icloud-aws: OK -> ALARM, held back (WaitPeriod)",
  ],
  [
    "a page",
    seenPage({ title: "2 providers block us", words: "554 no / 550 no" }),
    "17:20  page     2 providers block us  > 554 no / 550 no  Do: have it taken out",
  ],
  [
    "a send",
    { kind: "send", at, text: "x@y.example delivered: 250 ok [order-1]" },
    "17:05  send     x@y.example delivered: 250 ok [order-1]",
  ],
  ["a fault", { kind: "fault", at, text: "function-failed" }, "17:05  fault    function-failed"],
];

for (const [name, seen, line] of lines) test(`${name} reads in a line`, () => assert.equal(lineOf(seen), line));

test("of the log verdicts are seen and faults, and nothing that is well", () => {
  const log = (entry: Extract<StackEvent, { kind: "log" }>["entry"]): Seen | null =>
    seenOf({ kind: "log", entry }, now);
  const { kind: _, ...fields } = seenVerdict();
  assert.deepEqual(log({ level: "error", event: "verdict", ...fields, dialog: "…" }), seenVerdict());
  assert.equal(log({ level: "info", event: "scheduled", sent: 3 }), null);
  assert.deepEqual(log({ level: "warn", event: "late", fault: "so\nit is" }), {
    kind: "fault",
    at: now,
    text: String.raw`late fault="so\nit is"`,
  });
});

test("a page is seen once, by the webhook's copy, its words where the title does not say them", () => {
  const page = webhookDocument({
    ...pageOfNothing,
    quotes: [{ by: "iCloud said", lines: ["550-5.7.1 Spamhaus PBL: refused.", "550 5.7.1 go there"], more: 0 }],
  });
  const seen = (title: string, kind: "webhook" | "slack"): Seen | null =>
    seenOf({ kind: "page", received: { kind, at: now, body: { ...page, title }, title, text: "" } }, now);
  assert.equal(seen("iCloud blocks us", "slack"), null);
  const words = "550-5.7.1 Spamhaus PBL: refused. / 550 5.7.1 go there";
  const { action, text } = page;
  const common = { kind: "page", at: now, action: action.text, text };
  assert.deepEqual(seen("iCloud blocks us", "webhook"), { ...common, title: "iCloud blocks us", words });
  const title = "iCloud blocks us: 550 5.7.1 Spamhaus PBL: refused. go there";
  assert.deepEqual(seen(title, "webhook"), { ...common, title, words: null });
});

const pageOfNothing: Page = {
  v: 1,
  state: "firing",
  kind: "blocked",
  alarm: "a",
  at,
  severity: "critical",
  title: "",
  quotes: [],
  action: { text: "do this", url: null },
  facts: [],
  command: null,
  links: [],
  dedupKey: "a",
};
