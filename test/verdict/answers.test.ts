// Whose answer a reply is: each recipient's own, what is recovered, what shows that the two sides are out of step.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  answerTo,
  askedOf,
  compareRefusals,
  isOutOfStep,
  isTooManyRecipients,
  recoveredOf,
  type Refusal,
  type Asked,
} from "../../functions/verdict/answers.ts";
import { transcripts } from "./generated.ts";
import { transcriptOf } from "./transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const two = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<a@mx.example>\n> RCPT TO:<b@mx.example>\n`;

/** What a and b have so far: kind, and the code that tells it. */
const rows: readonly (readonly [name: string, says: string, a: string, b: string])[] = [
  ["nothing yet", `${two}> QUIT`, "open", "open"],
  ["MAIL accepted", `${two}> QUIT\n< 250 ok`, "open", "open"],
  ["the first accepted", `${two}> QUIT\n< 250 ok\n< 250 2.1.5 a`, "accepted 250", "open"],
  ["the first refused", `${two}> QUIT\n< 250 ok\n< 550 a`, "refused 550", "open"],
  ["both", `${two}> QUIT\n< 250 ok\n< 550 a\n< 450 b`, "refused 550", "refused 450"],
  ["MAIL refused", `${two}> QUIT\n< 553 no`, "refused 553", "refused 553"],
  ["the greeting refused", "< 554 no", "refused 554", "refused 554"],
  [
    "accepted without MAIL's yes is none",
    `${two}> QUIT\n< 150 wait\n< 250 a\n< 250 b`,
    "wrong-yes 150",
    "wrong-yes 150",
  ],
  ["a wrong yes is the one's own", `${two}> QUIT\n< 250 ok\n< 354 a\n< 250 b`, "wrong-yes 354", "accepted 250"],
  ["a partial yes is open", `${two}> QUIT\n< 250 ok\n<~ 250 a`, "open", "open"],
  ["a partial refusal refuses", `${two}> QUIT\n< 250 ok\n<~ 550-a`, "refused 550", "open"],
  ["421 to the first is not the second's", `${two}> QUIT\n< 250 ok\n< 421 a`, "refused 421", "open"],
  [
    "a 421 out of turn is for those without an answer",
    `${two}> QUIT\n< 250 ok\n< 550 5.1.1 a\n< 250 b\n< 221 bye\n<rcpt 421 4.7.0 bye`,
    "refused 550",
    "accepted 250",
  ],
  [
    "DATA refused is those's who were accepted",
    `${two}> DATA\n< 250 ok\n< 550 5.1.1 no such user\n< 250 b\n< 554 5.7.1 spam`,
    "refused 550",
    "refused 554",
  ],
  [
    "DATA refused where nobody was accepted competes",
    `${two}> DATA\n< 250 ok\n< 450 4.2.0 greylisted\n< 450 4.2.0 greylisted\n< 554 5.7.1 192.0.2.1 is listed in bl.example`,
    "refused 554",
    "refused 554",
  ],
  ["RCPT accepted alone is not the message", `${two}> DATA\n< 250 ok\n< 250 a\n< 250 b\n< 354 go on`, "open", "open"],
  [
    "the message accepted",
    `${two}> DATA\n< 250 ok\n< 550 5.1.1 a\n< 250 b\n< 354 go on\n> .\n< 250 2.0.0 queued`,
    "refused 550",
    "accepted 250",
  ],
  [
    "the message accepted before it had left",
    `${two}> DATA\n< 250 ok\n< 250 a\n< 250 b\n< 354 go on\n>! .\n< 250 queued`,
    "wrong-yes 250",
    "wrong-yes 250",
  ],
  [
    "DATA not known where nobody was accepted is a consequence",
    `${two}> DATA\n< 250 ok\n< 550 5.1.1 no such user\n< 550 5.1.1 no such user\n< 502 command not implemented`,
    "refused 550",
    "refused 550",
  ],
  [
    "QUIT refused is nobody's",
    `${two}> QUIT\n< 250 ok\n< 250 a\n< 250 b\n< 554 5.7.1 192.0.2.1 is listed in bl.example`,
    "accepted 250",
    "accepted 250",
  ],
];

describe("each recipient's answer so far", () => {
  for (const [name, says, a, b] of rows) {
    it(name, () => {
      const session = askedOf(transcriptOf(says, { recipients: ["a@mx.example", "b@mx.example"] }));
      assert.deepEqual([shown("a@mx.example", session), shown("b@mx.example", session)], [a, b]);
    });
  }
});

function shown(recipient: string, session: Asked): string {
  const answer = answerTo(recipient, session);
  if (answer.kind === "open") return "open";
  const { reply } = answer.kind === "refused" ? answer.refusal.exchange : answer.exchange;
  return `${answer.kind} ${reply?.code}`;
}

describe("recovered", () => {
  const rows: readonly (readonly [
    name: string,
    says: string,
    tlsPolicy: Asked["tlsPolicy"],
    codes: readonly number[],
  ])[] = [
    ["EHLO refused and HELO tried", "< 220 mx\n> EHLO p\n< 502 no\n> HELO p\n< 250 ok", "never", [502]],
    ["EHLO refused, HELO refused", "< 220 mx\n> EHLO p\n< 502 no\n> HELO p\n< 550 no", "never", [502]],
    ["EHLO refused alone", "< 220 mx\n> EHLO p\n< 550 no", "never", []],
    ["STARTTLS refused", `${hello}> STARTTLS\n< 454 no`, "opportunistic", [454]],
    ["STARTTLS refused where it is required", `${hello}> STARTTLS\n< 454 no`, "require", []],
    ["STARTTLS forestalled by a 421", `${hello}<starttls 421 no`, "opportunistic", []],
    ["STARTTLS taken", `${hello}> STARTTLS\n< 220 go`, "opportunistic", []],
  ];
  for (const [name, says, tlsPolicy, codes] of rows) {
    it(name, () => {
      const recovered = recoveredOf(transcriptOf(says, { tlsPolicy }));
      assert.deepEqual(
        recovered.map(({ reply }) => reply?.code),
        codes,
      );
    });
  }
});

describe("out of step", () => {
  const quits = `${two}> QUIT\n< 250 ok\n< 250 a\n< 250 b\n`;
  const rows: readonly (readonly [says: string, isIt: boolean])[] = [
    [`${quits}< 221 bye`, false],
    [`${quits}< 250 ok`, false],
    [`${quits}< 500 5.5.2 what`, false],
    [`${quits}< 500 unrecognized command`, false],
    [`${quits}< 502 command not implemented`, false],
    [`${quits}< 550 no`, false],
    [`${quits}< 554 192.0.2.1 is listed in bl.example`, true],
    [`${quits}< 421 4.7.0 blocked by policy`, false],
    [`${quits}< 554 5.7.1 blocked by policy`, true],
    [`${quits}< 354 go on`, true],
    [`${quits}<~ 554-5.7.1 blocked by policy`, false],
    [`${quits}< 221 bye\n<quit 250 ok`, true],
    [`${quits}< 221 bye\n<quit 421 closing`, false],
    [`${quits}< 221 bye\n<quit 554 5.7.1 blocked`, true],
    ["< 220 mx\n<ehlo 250 hi", true],
    ["< 220 mx\n<ehlo 421 busy", false],
  ];
  for (const [says, isIt] of rows) {
    it(`${isIt ? "" : "not "}${says.split("\n").slice(-2).join(" ")}`, () => {
      assert.equal(isOutOfStep(askedOf(transcriptOf(says))), isIt);
    });
  }
});

describe("too many recipients", () => {
  const rows: readonly (readonly [first: string, second: string, isIt: boolean])[] = [
    ["250 ok", "452 4.5.3 no more", true],
    ["250 ok", "452 too many recipients", true],
    ["250 ok", "452 4.2.2 mailbox full", false],
    ["250 ok", "452 4.3.1 insufficient storage", false],
    ["250 ok", "552 too many recipients", true],
    ["250 ok", "552 5.5.3 no", true],
    ["250 ok", "552 5.2.2 no", false],
    ["250 ok", "552 quota exceeded", false],
    ["250 ok", "552 mailbox full", false],
    ["250 ok", "552 no storage space", false],
    ["251 ok", "552 too many recipients", true],
    ["550 no", "552 too many recipients", false],
    ["550 no", "452 4.5.3 too many recipients", false],
    ["250 ok", "550 too many recipients", false],
    ["250 ok", "451 4.5.3 too many recipients", false],
  ];
  for (const [first, second, isIt] of rows) {
    it(`${first}, ${second}`, () => {
      const { exchanges } = transcriptOf(`${two}> QUIT\n< 250 ok\n< ${first}\n< ${second}`);
      const exchange = exchanges.find((each) => each.recipient === "b@mx.example");
      assert.ok(exchange !== undefined);
      assert.equal(isTooManyRecipients(exchange, exchanges), isIt);
    });
  }
});

it("refusals are ordered by scope, then permanence, then place: any two of them, and never in a circle", () => {
  const exchange = transcriptOf("< 554 no").exchanges[0];
  assert.ok(exchange !== undefined);
  const refusals = fc.record(
    {
      exchange: fc.constant(exchange),
      permanent: fc.boolean(),
      scope: fc.constantFrom<Refusal["scope"]>("wide", "message", "recipient"),
      order: fc.nat({ max: 5 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(refusals, refusals, refusals, (a, b, c) => {
      assert.equal(Math.sign(compareRefusals(a, b)), -Math.sign(compareRefusals(b, a)) + 0);
      if (compareRefusals(a, b) <= 0 && compareRefusals(b, c) <= 0) assert.ok(compareRefusals(a, c) <= 0);
    }),
  );
});

it("an answer is about the recipient it is given for", () => {
  fc.assert(
    fc.property(transcripts, (transcript) => {
      for (const recipient of transcript.recipients) {
        const answer = answerTo(recipient, askedOf(transcript));
        if (answer.kind === "open") continue;
        const { recipient: named } = answer.kind === "refused" ? answer.refusal.exchange : answer.exchange;
        assert.ok(named === null || named === recipient);
      }
    }),
    { numRuns: 1_000 },
  );
});
