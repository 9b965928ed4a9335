// Whether the rules' table is sound: every row can be told apart, was heard from somebody, and costs little whatever a
// host says. It does not know whether a row's class is right; the labelled replies tell that.
import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { describe, it } from "node:test";
import fc from "fast-check";
import { blocklists } from "../../functions/verdict/blocklists.ts";
import { classes } from "../../functions/verdict/classes.ts";
import { classify, classifyBy } from "../../functions/verdict/classify.ts";
import { providers } from "../../functions/verdict/providers.ts";
import { fits, type Rule } from "../../functions/verdict/rules/rule.ts";
import { ruleGroups } from "../../functions/verdict/rules/table.ts";
import { readWords } from "../../functions/verdict/words.ts";
import { readSaid } from "../../functions/cli/said.ts";
import { hardNegativesFile, readCorpus, repliesFile } from "../corpus/corpus.ts";

const rules: readonly Rule[] = ruleGroups.flatMap(({ rules }) => rules);

describe("a rule", () => {
  it("has an id of its own", () => assert.deepEqual(repeated(rules.map(({ id }) => id)), []));

  for (const { name, providers: whose, rules } of ruleGroups) {
    it(`of ${name} is whole`, () => {
      for (const id of whose) assert.ok(isProvider(id), `${name}: ${id} is no provider`);
      for (const rule of rules) assertWhole(rule);
    });

    it(`of ${name} begins with its group's name`, () => {
      const strangers = rules.map(({ id }) => id).filter((id) => id !== name && !id.startsWith(`${name}-`));
      assert.deepEqual(strangers, []);
    });
  }

  it("has conditions: none fits everything", () => {
    for (const rule of rules) {
      const conditions = [rule.at, rule.stage, rule.code, rule.status, rule.text, rule.words];
      assert.ok(
        conditions.some((each) => each !== undefined),
        rule.id,
      );
    }
  });
});

function assertWhole(rule: Rule): void {
  const { id, source } = rule;
  assert.match(id, /^[a-z0-9]+(?:[.-][a-z0-9]+)*$/, "it travels to the log");
  assert.ok(Object.hasOwn(classes, rule.class), `${id}: ${rule.class} is no class`);
  for (const at of rule.at ?? []) assert.ok(isProvider(at), `${id}: ${at} is no provider`);
  assert.ok(rule.blocklist === undefined || blocklists.some((list) => list.id === rule.blocklist), id);
  if (rule.blocklist !== undefined)
    assert.ok(
      ["ip-reputation", "domain-reputation", "content-spam"].includes(rule.class),
      `${id}: a list says nothing`,
    );
  // A page, or a few words of where it was seen; never a file of ours.
  if (/^\w+:\/\//.test(source)) assert.ok(/^https?:$/.test(new URL(source).protocol), `${id}: ${source}`);
  else assert.match(source, /^[A-Za-z][^\n/\\]{9,100}$/, id);
  if (rule.remedy !== undefined) {
    assert.match(rule.remedy.text, /^[A-Z].*\.$/, id);
    assert.ok(rule.remedy.url === null || URL.canParse(rule.remedy.url), id);
  }
  for (const pattern of patternsOf(rule)) assertPattern(id, pattern);
}

/** Words.text and Words.words are in lower case and without diacritics, so that another pattern would never be found. */
function assertPattern(id: string, { source, flags }: RegExp): void {
  assert.equal(flags, "", `${id}: flags of ${source}`);
  const letters = source.replaceAll(/\\(?:[a-zA-Z]|[pP]\{[^}]*\})/g, "");
  assert.equal(letters, letters.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase(), id);
  // Of nothing: it holds for any text.
  assert.ok(!new RegExp(`^(?:${source})$`).test(""), `${id}: ${source} finds nothing at all`);
}

function isProvider(id: string): boolean {
  return providers.some((each) => each.id === id);
}

function patternsOf({ text, words, unless, status }: Rule): readonly RegExp[] {
  return [text ?? [], words ?? [], unless ?? [], status ?? []].flat();
}

function repeated(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

describe("the labelled replies", () => {
  const rows = [...readCorpus(repliesFile), ...readCorpus(hardNegativesFile)];
  // A probe knows its own address, and it is most often the one that the reply names.
  const heard = rows.flatMap(({ reply, stage, mx }) =>
    [null, reply.match(/\d{1,3}(?:\.\d{1,3}){3}/)?.[0] ?? null].map((own) => {
      const said = readSaid(JSON.stringify({ reply, stage, mx }), { stage: null, provider: null, own });
      const context = { words: readWords(reply, own), stage: said.stage, provider: said.provider };
      return { context, first: classifyBy(context, ruleGroups).rule };
    }),
  );
  const firsts = new Set(heard.map(({ first }) => first));

  for (const { name, rules } of ruleGroups) {
    it(`reach every rule of ${name} first`, () => {
      const unreached = rules.filter(({ id }) => !firsts.has(id)).map((rule) => `${rule.id}${shadowOf(rule)}`);
      assert.deepEqual(unreached, []);
    });
  }

  /** Who takes all the replies that it would have fitted. */
  function shadowOf(rule: Rule): string {
    const before = new Set(heard.filter(({ context }) => fits(rule, context)).map(({ first }) => first));
    return before.size === 0 ? ": fits no reply" : `: shadowed by ${[...before].join(", ")}`;
  }
});

// A host says what it likes, and a backtracking pattern would hold the event loop for it. No reply is read farther than
// some 4 KB.
const textLength = 4000;
const limitMs = (2 * textLength) / 1024; // 2 ms a KB
const wholeLimitMs = 50;

describe("no text makes a rule slow", () => {
  for (const { name, rules } of ruleGroups) {
    it(`of ${name}: 2 ms per KB at most`, () => {
      for (const rule of rules) assertQuick(rule, [...commonTexts, ...textsOf(rule)]);
    });
  }

  it("a reply is read in 2 ms per KB at most", () => {
    for (const text of [...commonTexts, ...rules.flatMap((rule) => textsOf(rule).slice(0, 2))])
      assertWithin(limitMs, () => readWords(`550 5.7.1 ${text}`, "192.0.2.1"), `readWords ${head(text)}`);
  });

  it("a reply of 4 KB is classified within 50 ms", () => {
    let run = 0;
    const worst = rules.flatMap((rule, index) => (index % 10 === 0 ? textsOf(rule).slice(0, 2) : []));
    for (const text of [...commonTexts, ...worst]) {
      // Each run says something else: what was said before would be remembered.
      const classifyOnce = (): unknown =>
        classify({
          text: `550 ${(run += 1)} ${text}`,
          stage: "rcpt",
          provider: providers[run % providers.length]?.id ?? null,
          own: "192.0.2.1",
        });
      assertWithin(wholeLimitMs, classifyOnce, `classify ${head(text)}`);
    }
  });
});

function assertQuick(rule: Rule, texts: readonly string[]): void {
  const patterns = patternsOf(rule);
  for (const text of texts)
    assertWithin(
      limitMs,
      () => {
        for (const pattern of patterns) pattern.test(text);
      },
      `${rule.id} ${head(text)}`,
    );
}

/** In the best of some runs: others may have the processor. */
function assertWithin(limit: number, work: () => void, what: string): void {
  let best = Infinity;
  for (let run = 0; run < 6 && best > limit; run++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  assert.ok(best <= limit, `${what}: ${best.toFixed(1)} ms`);
}

function head(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

function filled(text: string): string {
  return text.repeat(Math.ceil(textLength / Math.max(1, text.length))).slice(0, textLength);
}

/** The rule's own words: each alone, and all of them in turn, shuffled, and with what stands between words in replies. */
function textsOf(rule: Rule): readonly string[] {
  const sources = patternsOf(rule).map(({ source }) => source.replaceAll(/\\[a-zA-Z]/g, " "));
  const words = [...new Set(sources.flatMap((source) => source.match(/%?[\p{L}\d]{2,}/gu) ?? []))];
  if (words.length === 0) return [];
  const shuffles = fc.sample(fc.array(fc.constantFrom(...words, ...between), { minLength: 2, maxLength: 300 }), {
    seed: 1,
    numRuns: 6,
  });
  const pairs = fc.sample(fc.tuple(fc.constantFrom(...words), fc.constantFrom(...words, ...between)), {
    seed: 2,
    numRuns: 6,
  });
  return [
    words.join(" "),
    words.join(""),
    ...shuffles.flatMap((each) => [`${each.join(" ")} `, each.join("")]),
    ...pairs.map((each) => `${each.join(" ")} `),
    ...words.map((word) => `${word} `),
    ...words,
  ].map(filled);
}

const between = ["%ip", "%own", "%fqdn", "%addr", "<%addr>", "[", "(", "<", ":", "-", "is", "not", "the", "your", "a"];

const letters = "abeilnoprst .-:<>[]%@/0123".split("");

const commonTexts: readonly string[] = [
  ...between.flatMap((each) => [each, `${each} `]),
  ...'mailbox |user |recipient |spam |blocked |message |listed |address |from |too many |does not |no |in |to the | |. |1.|1:|::|a.|a@|@|"|_|%|/|www.|https://|https: //|ip=|5.7.1 |550 |550-5.7.1 |#5.7.1 |\u00e9|\u0130|\ud83d\ude00|\n|\0'.split(
    "|",
  ),
  ...fc.sample(fc.string({ unit: "binary", minLength: textLength, maxLength: textLength }), { seed: 3, numRuns: 5 }),
  ...fc.sample(fc.string({ unit: fc.constantFrom(...letters), minLength: 200, maxLength: 4000 }), {
    seed: 4,
    numRuns: 10,
  }),
].map(filled);
