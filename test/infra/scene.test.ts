// The scene: what stands after one thing and another was seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { addSeen, emptyScene, markOf, withBlocks, type ScenePair } from "../../infra/local/view/scene.ts";
import type { Seen, SeenVerdict } from "../../infra/local/view/seen.ts";
import { accepted, seenPage, seenVerdict } from "./sights.ts";

const config = checkConfig({
  identity: { helo: "probe.example", sender: "" },
  egresses: [
    { name: "aws", runner: "functions" },
    { name: "mail-1", runner: "worker" },
  ],
  targets: [
    { provider: "icloud", recipient: "a@icloud.example" },
    { provider: "icloud", recipient: "b@icloud.example" },
    { provider: "gmx", recipient: "a@gmx.example" },
  ],
}).value as Config;

function after(...seen: readonly Seen[]): ScenePair | undefined {
  return seen.reduce(addSeen, emptyScene(config)).pairs[0];
}

test("each provider over each egress has a row, however many targets it has", () => {
  assert.deepEqual(
    emptyScene(config).pairs.map(({ provider, egress }) => `${provider} ${egress}`),
    ["icloud aws", "icloud mail-1", "gmx aws", "gmx mail-1"],
  );
});

// prettier-ignore
const marks: readonly (readonly [Pick<SeenVerdict, "outcome" | "blocked">, string])[] = [
  [{ outcome: "accepted",   blocked: false }, "·"],
  [{ outcome: "accepted",   blocked: null },  "·"],
  [{ outcome: "rejected",   blocked: true },  "✗"],
  [{ outcome: "deferred",   blocked: true },  "✗"],
  [{ outcome: "rejected",   blocked: null },  "x"],
  [{ outcome: "deferred",   blocked: null },  "~"],
  [{ outcome: "unanswered", blocked: null },  "?"],
  [{ outcome: "unknown",    blocked: null },  "?"],
];

for (const [verdict, mark] of marks) {
  test(`${verdict.outcome}, with ${String(verdict.blocked)} said of a block, is marked ${mark}`, () => {
    assert.equal(markOf(verdict), mark);
  });
}

test("a block stands from its first verdict until one says that it is over", () => {
  const [first, again] = [seenVerdict({ at: "2026-11-24T17:00:00.000Z" }), seenVerdict()];
  const silent = seenVerdict({ outcome: "unanswered", blocked: null });
  assert.equal(after(silent)?.blockedSince, null);
  assert.equal(after(first, again, silent)?.blockedSince, first.at);
  assert.equal(after(first, seenVerdict(accepted))?.blockedSince, null);
  assert.equal(after(first, seenVerdict(accepted), again)?.blockedSince, again.at);
  assert.equal(after(first, again, silent, seenVerdict(accepted))?.trend, "✗✗?·");
});

test("a verdict changes its own row alone, and a trend keeps the last twelve", () => {
  const verdicts = Array.from({ length: 13 }, () => seenVerdict());
  const { pairs } = [seenVerdict(accepted), ...verdicts].reduce(addSeen, emptyScene(config));
  assert.equal(pairs[0]?.trend, "✗".repeat(12));
  assert.ok(pairs.slice(1).every(({ last, trend }) => last === null && trend === ""));
});

test("the newest page comes first, and the last fault is kept", () => {
  const fault = { kind: "fault", at: "2026-11-24T17:00:00.000Z", text: "worse" } as const;
  const seen = [seenPage({ title: "one" }), { ...fault, text: "bad" }, seenPage({ title: "two" }), fault];
  const scene = seen.reduce(addSeen, emptyScene(config));
  assert.deepEqual(
    scene.pages.map(({ title }) => title),
    ["two", "one"],
  );
  assert.deepEqual(scene.fault, fault);
});

test("blocks of an earlier run stand, where this one has not seen otherwise", () => {
  const since = "2026-11-23T10:00:00.000Z";
  const states = ["aws", "mail-1"].map((egress) => ({
    provider: "icloud",
    egress,
    block: { stage: "rcpt", host: "mx.icloud.example", since, id: "old" } as const,
    clearedAt: null,
    last: null,
    notBefore: null,
  }));
  const { pairs } = withBlocks(addSeen(emptyScene(config), seenVerdict(accepted)), states);
  assert.deepEqual(
    pairs.map(({ blockedSince }) => blockedSince),
    [null, since, null, null],
  );
});
