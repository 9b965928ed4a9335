// What the screen shows: of any scene, on a terminal of any size.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { columnsOf } from "../../infra/local/view/columns.ts";
import { screenOf, type Line, type Size, type View } from "../../infra/local/view/live-view.ts";
import type { ScenePair } from "../../infra/local/view/scene.ts";
import { accepted, seenPage, seenVerdict } from "./sights.ts";

const at = "2026-11-24T17:30:00.000Z";

function pairOf(provider: string, egress: string, more: Partial<ScenePair> = {}): ScenePair {
  return {
    provider,
    egress,
    last: seenVerdict({ provider, egress, ...accepted }),
    trend: "··",
    blockedSince: null,
    ...more,
  };
}

const blockedPair = pairOf("icloud", "aws", {
  last: seenVerdict(),
  trend: "··✗✗",
  blockedSince: "2026-11-24T17:05:10.000Z",
});
const names = ["icloud", "outlook", "yahoo", "gmx", "comcast", "gmail"];
const view: View = {
  at,
  speed: 300,
  scene: {
    pairs: names.flatMap((name) => [name === "icloud" ? blockedPair : pairOf(name, "aws"), pairOf(name, "mail-1")]),
    pages: [seenPage()],
    fault: null,
  },
  providers: names.map((name) => ({ name, blocked: name === "icloud" })),
  alarms: [
    { name: "delivery-probe-blocked-icloud-aws", since: "2026-11-24T17:20:00.000Z", isSuppressed: false },
    { name: "delivery-probe-blocked-gmx-aws", since: "2026-11-23T17:21:00.000Z", isSuppressed: true },
  ],
  asksProvider: false,
  notice: null,
};

function textsOf(shown: View, size: Size): readonly string[] {
  return screenOf(shown, size).map(textOf);
}

function textOf(line: Line): string {
  return line.map(({ text }) => text).join("");
}

suite("the live view", () => {
  test("shows on 120 columns the time, each pair, the alarms, the pages and the keys", () => {
    const lines = textsOf(view, { columns: 120, rows: 40 }).map((line) => line.trimEnd());
    assert.equal(lines[0], "delivery-probe  2026-11-24 17:30:00 UTC, 300 times as fast  blocked by icloud");
    assert.deepEqual(lines.slice(2, 6), [
      "   provider  egress  last verdict         reply      class          trend  blocked",
      "1  icloud    aws     rejected at rcpt     550 5.7.1  ip-reputation  ··✗✗   17:05",
      "             mail-1  accepted up to rcpt  250 2.1.5                 ··",
      "2  outlook   aws     accepted up to rcpt  250 2.1.5                 ··",
    ]);
    assert.deepEqual(lines.slice(16, 23), [
      "In ALARM: 2",
      "  delivery-probe-blocked-icloud-aws  since 17:20",
      "  delivery-probe-blocked-gmx-aws     since 11-23 17:21, suppressed",
      "",
      "Pages, the newest first:",
      "  17:20  iCloud blocks 192.0.2.25: 550 5.7.1 192.0.2.25 is in Spamhaus PBL",
      "         Do: have it taken out",
    ]);
    assert.equal(lines.at(-1), "b 1-6 (un)block q quit  · accepted ✗ blocked x rejected ~ deferred ? unanswered");
    assert.equal(lines.length, 40);
  });

  test("has room on 80 columns and 24 rows for all that stands, and a trend gives way first", () => {
    const trend = "····✗✗✗✗✗✗✗✗";
    const pairs = view.scene.pairs.map((pair) => ({ ...pair, trend }));
    const lines = textsOf({ ...view, scene: { ...view.scene, pairs } }, { columns: 80, rows: 24 });
    for (const text of [
      /^1 icloud {3}aws {4}rejected at rcpt {4}550 5\.7\.1 ip-reputation ··✗{8} 17:05 *$/,
      /^ {2}delivery-probe-blocked-gmx-aws .*suppressed$/,
      /^ {2}17:20 {2}iCloud blocks/,
      / Do: have/,
    ]) {
      assert.ok(
        lines.some((line) => text.test(line)),
        String(text),
      );
    }
    assert.match(lines.at(-1) ?? "", / \? unanswered$/);
  });

  test("colours what stands: a block, a yes, another refusal, and nothing yet", () => {
    const pairs = [
      blockedPair,
      pairOf("gmx", "aws"),
      pairOf("yahoo", "aws", { last: seenVerdict({ outcome: "deferred", blocked: null }) }),
      pairOf("gmail", "aws", { last: null, trend: "" }),
    ];
    const rows = screenOf({ ...view, scene: { ...view.scene, pairs } }, { columns: 120, rows: 40 }).slice(3, 7);
    assert.deepEqual(
      rows.map((line) => line[3]?.tone),
      ["bad", "good", "warn", "dim"],
    );
    assert.match(textOf(rows[3] ?? []), /^6 {2}gmail +aws +not yet probed/);
  });

  test("asks for a provider, tells what a key did, and what went wrong", () => {
    const size = { columns: 80, rows: 24 };
    assert.match(textsOf({ ...view, asksProvider: true }, size).at(-1) ?? "", /^block or unblock which provider\? 1-6/);
    const fault = { kind: "fault", at, text: "function-failed \x1b[2J" } as const;
    const failed = { ...view, scene: { ...view.scene, fault } };
    assert.equal(textsOf(failed, size).at(-2), String.raw`fault: function-failed \x1b[2J`);
    assert.equal(textsOf({ ...failed, notice: "done" }, size).at(-2), "done");
  });

  test("says how many rows, and how many alarms, there is no room for", () => {
    const alarms = Array.from({ length: 9 }, (_, index) => ({ name: `a-${index}`, since: at, isSuppressed: false }));
    const lines = textsOf({ ...view, alarms }, { columns: 80, rows: 24 });
    const left = lines.find((line) => /^ {2}… \d+ more$/.test(line));
    const shown = lines.filter((line) => /^ {2}a-\d/.test(line)).length;
    assert.equal(left, `  … ${9 - shown} more`);
    assert.ok(textsOf(view, { columns: 80, rows: 8 }).includes("  … 8 more"));
  });

  test("shows that nothing has happened", () => {
    const scene = { pairs: [pairOf("gmx", "aws", { last: null, trend: "" })], pages: [], fault: null };
    const providers = [{ name: "gmx", blocked: false }];
    const lines = textsOf({ ...view, scene, alarms: [], providers }, { columns: 80, rows: 12 });
    assert.match(lines[0] ?? "", /nobody blocks us$/);
    assert.ok(lines.includes("No alarm is in ALARM."));
    assert.ok(lines.includes("No page has come yet."));
    assert.match(lines.at(-1) ?? "", /^b 1 \(un\)block/);
  });

  test("never has another number of lines than the terminal has rows, nor a wider one, nor a control", () => {
    const text = fc.string({ unit: "binary", maxLength: 200 });
    const views = fc.record(
      {
        texts: fc.array(text, { maxLength: 12 }),
        alarms: fc.nat(20),
        notice: fc.option(text),
        asksProvider: fc.boolean(),
        columns: fc.integer({ min: 1, max: 140 }),
        rows: fc.integer({ min: 1, max: 50 }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(views, ({ texts, alarms, columns, rows, ...others }) => {
        const pairs = texts.map((each) => pairOf(each, each, { last: seenVerdict({ text: each, class: each }) }));
        const pages = texts.map((title) => seenPage({ title, words: title, action: title }));
        const named = texts.slice(0, alarms).map((name) => ({ name, since: at, isSuppressed: false }));
        const scene = { pairs, pages, fault: null };
        const lines = textsOf({ ...view, ...others, scene, alarms: named }, { columns, rows });
        assert.equal(lines.length, rows);
        for (const line of lines) {
          assert.ok(columnsOf(line) <= columns, line);
          assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
        }
      }),
    );
  });
});
