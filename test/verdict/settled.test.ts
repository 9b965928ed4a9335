// When nothing that may still arrive can change the verdict (DESIGN §6 rule 8), in tables; and that now stays now.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Exchange, Transcript } from "../../functions/smtp/transcript.ts";
import { askedOf } from "../../functions/verdict/answers.ts";
import { settled } from "../../functions/verdict/settled.ts";
import { replies } from "./generated.ts";
import { transcriptOf } from "./transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const one = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> QUIT\n`;
const oneData = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> DATA\n`;
const two = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<a@mx.example>\n> RCPT TO:<b@mx.example>\n> QUIT\n`;

interface Row {
  readonly name: string;
  readonly says: string;
  readonly depth?: Transcript["depth"];
  readonly going: ReturnType<typeof settled>;
  /** Once nothing more is sent but QUIT. */
  readonly leaving: ReturnType<typeof settled>;
}

const rows: readonly Row[] = [
  { name: "nothing said", says: "< 220 mx", going: "open", leaving: "now" },
  { name: "the greeting refused: we say so by leaving", says: "< 554 5.7.1 no", going: "open", leaving: "now" },
  { name: "the greeting busy", says: "< 421 no", going: "open", leaving: "now" },
  { name: "EHLO refused: HELO may follow", says: "< 220 mx\n> EHLO p\n< 502 no", going: "open", leaving: "now" },
  { name: "EHLO outstanding", says: "< 220 mx\n> EHLO p", going: "open", leaving: "open" },
  { name: "a group outstanding", says: one, going: "open", leaving: "open" },
  { name: "MAIL accepted", says: `${one}< 250 ok`, going: "open", leaving: "open" },
  { name: "RCPT refused for a cause", says: `${one}< 250 ok\n< 550 5.7.1 blocked`, going: "now", leaving: "now" },
  { name: "MAIL refused for a cause", says: `${oneData}< 550 5.7.1 blocked`, going: "now", leaving: "now" },
  {
    name: "RCPT refused without a cause: DATA's answer may tell it",
    says: `${oneData}< 250 ok\n< 550 no`,
    going: "soon",
    leaving: "soon",
  },
  {
    name: "RCPT deferred: DATA's answer may refuse for good",
    says: `${oneData}< 250 ok\n< 450 4.7.1 greylisted`,
    going: "soon",
    leaving: "soon",
  },
  {
    name: "RCPT deferred, and nothing outstanding",
    says: `${oneData}< 250 ok\n< 450 4.7.1 greylisted\n< 503 no`,
    going: "now",
    leaving: "now",
  },
  { name: "503 alone", says: `${one}< 503 5.5.1 bad sequence`, going: "soon", leaving: "soon" },
  {
    name: "accepted: QUIT's answer may show that it was another's",
    says: `${one}< 250 ok\n< 250 ok`,
    going: "open",
    leaving: "open",
  },
  { name: "accepted, and QUIT answered", says: `${one}< 250 ok\n< 250 ok\n< 221 bye`, going: "now", leaving: "now" },
  { name: "a wrong yes, and more to come", says: `${one}< 250 ok\n< 354 go on`, going: "soon", leaving: "soon" },
  {
    name: "a wrong yes, and nothing outstanding",
    says: `${one}< 250 ok\n< 354 go on\n< 221 bye`,
    going: "now",
    leaving: "now",
  },
  { name: "one of two refused", says: `${two}< 250 ok\n< 550 5.1.1 no such user`, going: "open", leaving: "open" },
  {
    name: "both refused for a cause",
    says: `${two}< 250 ok\n< 550 5.1.1 no such user\n< 550 5.1.1 no such user`,
    going: "now",
    leaving: "now",
  },
  {
    name: "one of two deferred",
    says: `${two}< 250 ok\n< 450 4.2.1 busy\n< 550 5.1.1 no such user`,
    going: "soon",
    leaving: "soon",
  },
  {
    name: "one refused, one accepted",
    says: `${two}< 250 ok\n< 550 5.1.1 no such user\n< 250 ok`,
    going: "open",
    leaving: "open",
  },
  {
    name: "one refused, one accepted, QUIT answered",
    says: `${two}< 250 ok\n< 550 5.1.1 no such user\n< 250 ok\n< 221 bye`,
    going: "now",
    leaving: "now",
  },
  {
    name: "RCPT accepted where a message is to follow",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on`,
    going: "open",
    leaving: "now",
  },
  {
    name: "the message outstanding",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n> .`,
    going: "open",
    leaving: "open",
  },
  {
    name: "the message accepted, QUIT to come",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n> .\n< 250 ok`,
    going: "open",
    leaving: "open",
  },
  {
    name: "the message accepted, QUIT answered",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n> .\n< 250 ok\n> QUIT\n< 221 bye`,
    going: "now",
    leaving: "now",
  },
  {
    name: "refused in mid-body",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n>! .\n< 550 5.7.1 spam`,
    going: "now",
    leaving: "now",
  },
  { name: "depth greeting, greeted", says: "< 220 mx", depth: "greeting", going: "open", leaving: "open" },
  {
    name: "depth greeting, QUIT answered",
    says: "< 220 mx\n> QUIT\n< 221 bye",
    depth: "greeting",
    going: "open",
    leaving: "now",
  },
  { name: "depth ehlo, answered", says: `${hello}> QUIT`, depth: "ehlo", going: "open", leaving: "open" },
  {
    name: "depth ehlo, QUIT answered",
    says: `${hello}> QUIT\n< 221 bye`,
    depth: "ehlo",
    going: "open",
    leaving: "now",
  },
];

describe("settled", () => {
  for (const { name, says, depth, going, leaving } of rows) {
    it(name, () => {
      const transcript = transcriptOf(says, depth === undefined ? {} : { depth });
      const [whileGoing, whileLeaving] = [false, true].map((each) =>
        settled(transcript.exchanges, each, askedOf(transcript)),
      );
      assert.deepEqual({ going: whileGoing, leaving: whileLeaving }, { going, leaving });
    });
  }
});

it("now stays now, for a session that was refused, whatever else is answered", () => {
  const starts = fc.constantFrom(
    one,
    oneData,
    two,
    one.replace("> QUIT", "> BDAT 9 LAST\n> QUIT"),
    two.replace("> QUIT", "> BDAT 9 LAST\n> QUIT"),
  );
  const answers = fc.array(fc.oneof(fc.constant("250 ok"), fc.constant("550 5.1.1 no such user"), replies), {
    maxLength: 8,
    size: "max",
  });
  fc.assert(
    fc.property(starts, answers, fc.boolean(), (start, lines, leaving) => {
      const asked = askedOf(transcriptOf(start));
      let before: readonly Exchange[] | null = null;
      for (let count = 1; count <= lines.length; count += 1) {
        const { exchanges } = transcriptOf(
          `${start}${lines
            .slice(0, count)
            .map((line) => `< ${line}`)
            .join("\n")}`,
        );
        const now = settled(exchanges, leaving, asked);
        if (before !== null) assert.equal(now, "now");
        const isRefused = exchanges.some(({ reply }) => reply !== null && reply.code >= 400);
        if (now === "now" && isRefused) before = exchanges;
      }
    }),
    { numRuns: 2_000 },
  );
});

it("with everything answered and leaving, it is never soon: nothing is awaited", () => {
  fc.assert(
    fc.property(fc.array(replies, { minLength: 3, maxLength: 3 }), (lines) => {
      const transcript = transcriptOf(`${oneData}${lines.map((line) => `< ${line}`).join("\n")}`);
      assert.notEqual(settled(transcript.exchanges, true, askedOf(transcript)), "soon");
    }),
  );
});
