// How often the rules are right on the labelled replies, and that each line is one. What they miss is printed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { readStage } from "../../functions/cli/said.ts";
import { blocklists } from "../../functions/verdict/blocklists.ts";
import { classes } from "../../functions/verdict/classes.ts";
import type { Classification } from "../../functions/verdict/classify.ts";
import {
  classifyLabelled,
  hardNegativesFile,
  longTailFile,
  readCorpus,
  repliesFile,
  unseenFile,
  type Labelled,
} from "./corpus.ts";

interface Scored {
  readonly row: Labelled;
  readonly got: Classification;
}

const score = (file: string): readonly Scored[] => readCorpus(file).map((row) => ({ row, got: classifyLabelled(row) }));
const replies = score(repliesFile);
const hardNegatives = score(hardNegativesFile);

function isRight({ row, got }: Scored): boolean {
  return got.class === row.class;
}

const isIp = ({ row }: Scored): boolean => row.class === "ip-reputation";
const saidIp = ({ got }: Scored): boolean => got.class === "ip-reputation";

describe("the labelled replies", () => {
  it("are enough to tell", () => assert.ok(replies.length >= 310, String(replies.length)));

  it("are of every class", () => {
    const seen = new Set(replies.map(({ row }) => row.class));
    assert.deepEqual([...seen].toSorted(), Object.keys(classes).toSorted());
  });

  it("are classified rightly: 97 % at least", () => assertShare(0.97, replies, isRight));

  it("page for the IP when it is about the IP: 98 % of the times that it is said", () =>
    assertShare(0.98, replies.filter(saidIp), isRight));

  it("page for the IP when it is about the IP: 97 % of the times that it is", () =>
    assertShare(0.97, replies.filter(isIp), isRight));

  it("name the blocklist: 97 % of those that do", () =>
    assertShare(
      0.97,
      replies.filter(({ row }) => row.blocklist !== null),
      ({ row, got }) => got.blocklist === row.blocklist,
    ));
});

describe("replies that no rule was written from", () => {
  const unseen = score(unseenFile);

  it("are classified rightly: 88 % at least", () => assertShare(0.88, unseen, isRight));

  it("page for the IP when it is about the IP: 95 % of the times that it is said", () =>
    assertShare(0.95, unseen.filter(saidIp), isRight));
});

describe("replies of small and old receivers", () => {
  it("are classified rightly: 75 % at least", () => assertShare(0.75, score(longTailFile), isRight));
});

describe("replies that only sound like a block of the IP", () => {
  it("are many", () => assert.ok(hardNegatives.length >= 150, String(hardNegatives.length)));

  it("are none by their labels", () =>
    assert.deepEqual(hardNegatives.filter(({ row }) => row.class === "ip-reputation").map(lineOf), []));

  it("page nobody for the IP", () =>
    assert.deepEqual(hardNegatives.filter(({ got }) => got.class === "ip-reputation").map(lineOf), []));

  it("are classified rightly: 85 % at least", () => assertShare(0.85, hardNegatives, isRight));
});

function assertShare(atLeast: number, all: readonly Scored[], isRight: (each: Scored) => boolean): void {
  const misses = all.filter((each) => !isRight(each));
  const share = 1 - misses.length / all.length;
  const percent = `${(100 * share).toFixed(1)} % of ${all.length}`;
  assert.ok(share >= atLeast, [percent, ...misses.map(lineOf)].join("\n"));
}

function lineOf({ row, got }: Scored): string {
  const [labelled, given] = [row, got].map(
    ({ class: kind, blocklist }) => `${kind}${blocklist === null ? "" : `/${blocklist}`}`,
  );
  return `${labelled} → ${given} by ${got.rule} [${row.stage}, ${row.mx ?? "-"}] ${row.reply.replaceAll("\n", " / ")}`;
}

for (const file of [repliesFile, hardNegativesFile, unseenFile, longTailFile]) {
  describe(path.basename(file), () => {
    const lines = readFileSync(file, "utf8").split("\n");
    const rows = lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Record<string, unknown>);

    it("ends with a line end, and has no empty line", () => {
      assert.equal(lines.at(-1), "");
      assert.ok(lines.slice(0, -1).every((line) => line.trim() !== ""));
    });

    it("says on each line who was told what, when", () => {
      for (const [index, row] of rows.entries()) assertLabelled(row, `line ${index + 1}: ${JSON.stringify(row)}`);
    });

    it("has no reply twice", () => {
      const keys = rows.map(({ reply, stage, mx }) =>
        JSON.stringify([String(reply).replaceAll(/\s+/g, " ").trim(), stage, mx]),
      );
      assert.deepEqual(
        keys.filter((key, index) => keys.indexOf(key) !== index),
        [],
      );
    });

    it("says the same of the same words at the same place", () => {
      const labels = new Map<string, unknown>();
      for (const { reply, stage, mx, class: kind } of rows) {
        const key = JSON.stringify([String(reply).toLowerCase().replaceAll(/\s+/g, " ").trim(), stage, mx]);
        assert.equal(labels.get(key) ?? kind, kind, key);
        labels.set(key, kind);
      }
    });
  });
}

const known = ["reply", "stage", "mx", "class", "blocklist", "source", "why"];

function assertLabelled(row: Readonly<Record<string, unknown>>, what: string): void {
  const { reply, stage, mx, class: kind, blocklist = null, source, why } = row;
  assert.deepEqual(
    Object.keys(row).filter((name) => !known.includes(name)),
    [],
    what,
  );
  assert.ok(typeof reply === "string" && reply.trim() !== "", what);
  assert.doesNotMatch(reply, /(?!\s)\p{Cc}/u, what);
  assert.ok(typeof stage === "string", what);
  assert.doesNotThrow(() => readStage(stage, "stage "), what);
  assert.ok(mx === null || (typeof mx === "string" && mx.trim() !== ""), what);
  assert.ok(typeof kind === "string" && Object.hasOwn(classes, kind), what);
  assert.ok(blocklist === null || blocklists.some(({ id }) => id === blocklist), what);
  // Who says so, or why it is none of the IP's.
  assert.ok(
    [source, why].some((each) => typeof each === "string" && each.length >= 3),
    what,
  );
}
