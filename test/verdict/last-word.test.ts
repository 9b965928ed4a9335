// What a sender is told after many attempts: the most telling answer of all, in the server's words.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { direct } from "../../functions/route/egress.ts";
import { stages, type Transcript } from "../../functions/smtp/transcript.ts";
import {
  compareWords,
  moreTelling,
  reasonOf,
  textLimit,
  wordFor,
  type LastWord,
} from "../../functions/verdict/last-word.ts";
import { severityOf } from "../../functions/verdict/severity.ts";
import { judge, wordsOfAttempts } from "../../functions/verdict/verdict.ts";
import { visible } from "../../functions/verdict/visible.ts";
import { transcripts } from "./generated.ts";
import { transcriptOf } from "./transcripts.ts";

const at = "2026-11-24T12:00:00.000Z";
const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const rcpt = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> DATA\n< 250 ok\n`;
const sent = `${rcpt}< 250 ok\n< 354 go on\n> .\n`;

const said = {
  accepted: `${sent}< 250 2.0.0 queued as 4711\n! quit`,
  unknown: `${sent}! reset`,
  listed: `${rcpt}< 550 5.7.1 198.51.100.7 is listed in zen.spamhaus.org\n! fin`,
  noUser: `${rcpt}< 550 5.1.1 no such user\n! fin`,
  disabled: `${rcpt}< 550 5.2.1 mailbox disabled\n! fin`,
  greylisted: `${rcpt}< 450 4.2.0 greylisted\n! fin`,
  full: `${rcpt}< 452 4.2.2 mailbox full\n! fin`,
  ipDeferred: `${rcpt}< 421 4.7.1 198.51.100.7 is listed in zen.spamhaus.org\n! fin`,
  cutAtRcpt: `${rcpt}! reset`,
  cutAtEhlo: "< 220 mx\n> EHLO probe.example\n! fin",
  silent: "! timeout",
} as const;

type Said = keyof typeof said;

function wordOf(name: Said, attempt: number, facts: Partial<Transcript> = {}): LastWord {
  return wordIn([transcriptOf(said[name], { depth: "message", ...facts })], attempt);
}

function wordIn(attempts: readonly Transcript[], attempt: number): LastWord {
  return wordFor("x@mx.example", judge(attempts, direct), attempt, at);
}

const skipped: Partial<Transcript> = {
  stop: { reason: "out-of-time", stage: "connect", status: null, text: "there was no time left for mx.example" },
};

suite("the last word", () => {
  const wins: readonly (readonly [best: Said, ...others: Said[]])[] = [
    ["accepted", "unknown", "listed", "silent"],
    ["unknown", "listed", "greylisted", "silent"],
    ["listed", "noUser", "ipDeferred", "full", "cutAtRcpt"],
    ["noUser", "ipDeferred", "greylisted", "full", "silent"],
    ["ipDeferred", "full", "cutAtRcpt"],
    ["greylisted", "silent", "cutAtEhlo", "cutAtRcpt"],
    ["cutAtRcpt", "cutAtEhlo", "silent"],
    ["cutAtEhlo", "silent"],
  ];
  for (const [best, ...others] of wins) {
    test(`${best} stays before ${others.join(", ")}, whichever came first`, () => {
      for (const other of others) {
        assert.equal(moreTelling(wordOf(best, 1), wordOf(other, 2)).attempt, 1, other);
        assert.equal(moreTelling(wordOf(other, 1), wordOf(best, 2)).attempt, 2, other);
      }
    });
  }

  const equals: readonly (readonly [one: Said, other: Said])[] = [
    ["noUser", "disabled"],
    ["disabled", "noUser"],
    ["full", "full"],
    ["silent", "silent"],
  ];
  for (const [one, other] of equals) {
    test(`of ${one} and then ${other} the later one is told`, () => {
      assert.equal(moreTelling(wordOf(one, 1), wordOf(other, 2)).attempt, 2);
    });
  }

  test("who could not be asked at all says less than a failure, and is named nowhere", () => {
    const nobody = wordOf("silent", 1, skipped);
    assert.equal(nobody.host, null);
    assert.equal(moreTelling(wordOf("silent", 1), { ...nobody, attempt: 2 }).attempt, 1);
  });

  test("before the first there is none", () => assert.equal(moreTelling(null, wordOf("silent", 1)).attempt, 1));

  test("it holds what was said, by whom, in which attempt, and what the rules make of it", () => {
    const { text, ...rest } = wordOf("listed", 3);
    assert.equal(text, "550 5.7.1 198.51.100.7 is listed in zen.spamhaus.org");
    const { rule, blocklist } = rest;
    assert.ok(rule !== null && blocklist !== null);
    assert.deepEqual(rest, {
      outcome: "rejected",
      class: "ip-reputation",
      scope: "wide",
      stage: "rcpt",
      code: 550,
      status: "5.7.1",
      host: "mx.example",
      blocklist,
      rule,
      attempt: 3,
      at,
    });
  });

  test("of several hosts of an attempt it is the one that the verdict tells of", () => {
    const [other, silent] = [transcriptOf(said.noUser, { host: "mx2.example" }), transcriptOf(said.silent)];
    assert.deepEqual(
      [wordIn([silent, other], 1).host, wordIn([other, silent], 1).host],
      ["mx2.example", "mx2.example"],
    );
  });

  test("each of several recipients has its own", () => {
    const conversation = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<a@mx.example>\n> RCPT TO:<b@mx.example>\n> DATA
< 250 ok\n< 250 ok\n< 550 5.1.1 no such user\n< 354 go on\n> .\n< 250 ok\n! quit`;
    const verdict = judge([transcriptOf(conversation)], direct);
    const outcomes = ["a@mx.example", "b@mx.example"].map((each) => wordFor(each, verdict, 1, at).outcome);
    assert.deepEqual(outcomes, ["accepted", "rejected"]);
    assert.throws(() => wordFor("c@mx.example", verdict, 1, at), /says nothing of c@mx\.example/);
  });

  test("a long text is cut, between two characters", () => {
    for (const pad of ["", "x"]) {
      const reply = `550 5.1.1 ${pad}${"😀".repeat(400)}`;
      const { text } = wordIn([transcriptOf(`${rcpt}< ${reply}\n! fin`)], 1);
      const octets = Buffer.byteLength(text);
      assert.ok(octets <= textLimit && octets > textLimit - 8, `${octets}`);
      assert.ok(text.isWellFormed() && text.endsWith("…"));
      assert.ok(reply.startsWith(text.slice(0, -1)));
    }
  });

  const words = fc.tuple(transcripts, fc.boolean(), fc.nat(9)).map(([transcript, isSkipped, attempt]): LastWord => {
    const its = isSkipped ? { ...transcript, exchanges: [], ...skipped } : transcript;
    const verdict = judge([its], direct);
    return wordFor(its.recipients[0] ?? "", verdict, attempt, at);
  });
  const rank = { accepted: 0, unknown: 1, rejected: 2, deferred: 3, unanswered: 4 } as const;

  test("any two compare the same way round, and three in a row: it is an order", () => {
    fc.assert(
      fc.property(words, words, words, (a, b, c) => {
        assert.equal(Math.sign(compareWords(a, b)), 0 - Math.sign(compareWords(b, a)));
        if (compareWords(a, b) <= 0 && compareWords(b, c) <= 0) assert.ok(compareWords(a, c) <= 0);
        if (compareWords(a, b) === 0 && compareWords(b, c) === 0) assert.equal(compareWords(a, c), 0);
      }),
    );
  });

  test("whatever the order of attempts, nothing less telling is told: no failure for a refusal, no 4yz for a 5yz", () => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 6 }), (all) => {
        const told = all.reduce<LastWord | null>(moreTelling, null);
        assert.ok(told !== null && all.includes(told));
        for (const each of all) assert.ok(rank[told.outcome] <= rank[each.outcome] && compareWords(told, each) <= 0);
        const equals = all.filter((each) => compareWords(each, told) === 0);
        const pages = (word: LastWord): number => {
          const order = ["info", "warn", "page"];
          return word.class === null ? 0 : order.indexOf(severityOf(word.class, word.outcome === "rejected"));
        };
        const most = Math.max(...equals.map(pages));
        const urgent = equals.filter((each) => pages(each) === most);
        assert.equal(told, urgent.at(-1), "of equal ones the one that somebody is woken for, then the latest");
      }),
    );
  });

  test("hosts of one attempt and attempts of a send are held against each other alike", () => {
    fc.assert(
      fc.property(fc.array(transcripts, { minLength: 1, maxLength: 4 }), (attempts) => {
        const alike = attempts.map((each) => ({ ...each, recipients: ["a@mx.example"], retry: null }));
        const counting = wordsOfAttempts(alike).get("a@mx.example")?.length ?? 0;
        // What asks for TLS alone is told only where nothing else was said.
        if (counting < alike.length) return;
        const word = wordFor("a@mx.example", judge(alike, direct), 1, at);
        const single = alike.map((each) => wordFor("a@mx.example", judge([each], direct), 1, at));
        for (const each of single) assert.ok(compareWords(word, each) <= 0);
        assert.ok(single.some((each) => compareWords(word, each) === 0));
      }),
    );
  });
});

suite("the reason, for people", () => {
  const rows: readonly (readonly [word: LastWord, says: string])[] = [
    [wordOf("noUser", 1), "550 5.1.1 no such user (mx.example at rcpt)"],
    [
      wordIn([transcriptOf(`${rcpt}< 550-5.7.1 first\n< 550 5.7.1 second\n! fin`)], 1),
      "550-5.7.1 first / 550 5.7.1 second (mx.example at rcpt)",
    ],
    [wordOf("accepted", 1), "250 2.0.0 queued as 4711 (mx.example at message)"],
    [
      wordOf("cutAtRcpt", 1),
      "ended by reset while waiting for the reply to RCPT TO:<x@mx.example>; the last reply read was 250 ok (mx.example at rcpt)",
    ],
    [
      wordOf("unknown", 1),
      "the message was sent whole and never answered, so it may have been delivered (RFC 1047): ended by reset while waiting for the reply to . (mx.example at message)",
    ],
    [
      wordIn([transcriptOf(`${sent}< 354 go on\n! fin`)], 1),
      "354 go on (mx.example at message); it may have been delivered (RFC 1047)",
    ],
    [wordOf("silent", 1, skipped), "there was no time left for mx.example"],
  ];
  for (const [word, says] of rows) test(says, () => assert.equal(reasonOf(word), says));

  test("is one line, and moves no cursor, whatever a server says", () => {
    const hostile = fc.string({ unit: fc.constantFrom("\n", "\r", "\u001b[2J", "\u202e", "\u0007", "x", " ", "漢") });
    fc.assert(
      fc.property(hostile, hostile, fc.constantFrom(...stages), (text, host, stage) => {
        const shown = reasonOf({ ...wordOf("noUser", 1), text, host, stage });
        assert.equal(visible(shown), shown);
        assert.doesNotMatch(shown, /[\r\n]/);
      }),
    );
  });
});
