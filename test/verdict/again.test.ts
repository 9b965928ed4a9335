// Whether the same address is asked once more, without what, and for whom (DESIGN §6 rules 5 and 7).
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Retry, Stop, Transcript } from "../../functions/smtp/transcript.ts";
import { again } from "../../functions/verdict/again.ts";
import { transcripts } from "./generated.ts";
import { transcriptOf } from "./transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const [a, b, c] = ["a@mx.example", "b@mx.example", "c@mx.example"] as const;
const mail = "> MAIL FROM:<p@s.example>\n";
const three = `${hello}${mail}> RCPT TO:<${a}>\n> RCPT TO:<${b}>\n> RCPT TO:<${c}>\n`;
const handshake: Stop = { reason: "handshake", stage: "tls", status: null, text: "TLS handshake failed" };

interface Row {
  readonly name: string;
  readonly says: string;
  readonly facts?: Partial<Transcript>;
  readonly before?: readonly Retry[];
  readonly next: Retry | null;
  readonly recipients?: readonly string[];
}

const inTls = { by: "fin", stage: "tls", text: "closed" } as const;

const rows: readonly Row[] = [
  { name: "accepted", says: `${three}> QUIT\n< 250 ok\n< 250 ok\n< 250 ok\n< 250 ok\n< 221 bye`, next: null },
  {
    name: "refused",
    says: `${three}> QUIT\n< 250 ok\n< 550 5.1.1 no such user\n< 550 5.1.1 no such user\n< 550 5.1.1 no such user\n< 221 bye`,
    next: null,
  },
  { name: "nothing said", says: "! fin", next: null },

  {
    name: "a handshake that failed",
    says: `${hello}> STARTTLS\n< 220 go\n! us`,
    facts: { stop: handshake, recipients: [a, b] },
    next: "in-clear",
    recipients: [a, b],
  },
  {
    name: "a handshake that failed, once more",
    says: `${hello}> STARTTLS\n< 220 go\n! us`,
    facts: { stop: handshake },
    before: ["in-clear"],
    next: null,
  },
  {
    name: "a handshake that failed where TLS is required",
    says: `${hello}> STARTTLS\n< 220 go\n! us`,
    facts: { stop: handshake, tlsPolicy: "require" },
    next: null,
  },
  ...(["fin", "reset", "timeout", "deadline"] as const).map((by) => ({
    name: `a handshake and ${by}`,
    says: `${hello}> STARTTLS\n< 220 go`,
    facts: { ending: { ...inTls, by } },
    next: "in-clear" as const,
  })),
  {
    name: "a handshake and our caller's abort",
    says: `${hello}> STARTTLS\n< 220 go`,
    facts: { ending: { ...inTls, by: "abort" } },
    next: null,
  },
  {
    name: "an injection",
    says: `${hello}> STARTTLS\n< 220 go\n! us`,
    facts: { stop: { ...handshake, reason: "injection", stage: "starttls" } },
    next: null,
  },
  { name: "STARTTLS refused, and closed: it was an answer", says: `${hello}> STARTTLS\n< 454 no\n! fin`, next: null },

  {
    name: "a group refused for its pipelining",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> QUIT\n< 250 ok\n< 554 5.5.0 improper command pipelining\n! fin`,
    next: "lock-step",
    recipients: [a],
  },
  {
    name: "Exim's words for it",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> QUIT\n< 554 SMTP synchronization error\n! fin`,
    next: "lock-step",
    recipients: [a],
  },
  {
    name: "refused for it in lock-step",
    says: `${hello}${mail}< 554 5.5.0 improper command pipelining\n! fin`,
    next: null,
  },
  {
    name: "refused for it again",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> QUIT\n< 554 improper pipelining\n! fin`,
    before: ["lock-step"],
    next: null,
  },
  {
    name: "refused for it for now",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> QUIT\n< 451 improper pipelining\n! fin`,
    next: null,
  },
  {
    name: "refused for it, and somebody was accepted",
    says: `${three}> QUIT\n< 250 ok\n< 250 ok\n< 554 improper pipelining\n< 554 improper pipelining\n! fin`,
    next: null,
  },

  ...[500, 502, 503].map((code) => ({
    name: `BDAT refused by ${code}`,
    says: `${hello}${mail}> RCPT TO:<${a}>\n> RCPT TO:<${b}>\n> BDAT 9 LAST\n> QUIT\n< 250 ok\n< 250 ok\n< 550 5.1.1 no such user\n< ${code} what\n< 221 bye`,
    next: "without-chunking" as const,
    recipients: [a],
  })),
  {
    name: "BDAT refused for good reason",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> BDAT 9 LAST\n> QUIT\n< 250 ok\n< 250 ok\n< 554 5.7.1 spam\n< 221 bye`,
    next: null,
  },
  {
    name: "BDAT refused in the wake of RCPT",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> BDAT 9 LAST\n> QUIT\n< 250 ok\n< 550 5.1.1 no such user\n< 503 5.5.1 no valid recipients\n< 221 bye`,
    next: null,
  },
  {
    name: "BDAT refused once more",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> BDAT 9 LAST\n> QUIT\n< 250 ok\n< 250 ok\n< 502 what\n< 221 bye`,
    before: ["without-chunking"],
    next: null,
  },
  {
    name: "DATA refused by 502",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> DATA\n< 250 ok\n< 250 ok\n< 502 what\n> QUIT\n< 221 bye`,
    next: null,
  },

  {
    name: "452: another transaction for the rest",
    says: `${three}> QUIT\n< 250 ok\n< 250 ok\n< 452 4.5.3 too many recipients\n< 452 4.5.3 too many recipients\n< 221 bye`,
    next: "more-recipients",
    recipients: [b, c],
  },
  {
    name: "552 read as 452",
    says: `${three}> QUIT\n< 250 ok\n< 250 ok\n< 250 ok\n< 552 too many recipients\n< 221 bye`,
    next: "more-recipients",
    recipients: [c],
  },
  {
    name: "the announced limit: those who were not named",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> QUIT\n< 250 ok\n< 250 ok\n< 221 bye`,
    facts: { recipients: [a, b, c] },
    next: "more-recipients",
    recipients: [b, c],
  },
  {
    name: "the announced limit again: as often as it takes",
    says: `${hello}${mail}> RCPT TO:<${b}>\n> QUIT\n< 250 ok\n< 250 ok\n< 221 bye`,
    facts: { recipients: [b, c] },
    before: ["more-recipients"],
    next: "more-recipients",
    recipients: [c],
  },
  {
    name: "452 where nobody was accepted is an answer",
    says: `${three}> QUIT\n< 250 ok\n< 452 4.5.3 too many recipients\n< 452 4.5.3 too many recipients\n< 452 4.5.3 too many recipients\n< 221 bye`,
    next: null,
  },
  {
    name: "the announced limit, and the one refused: nobody has asked for the other",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> QUIT\n< 250 ok\n< 550 5.1.1 no such user\n< 221 bye`,
    facts: { recipients: [a, b] },
    next: "more-recipients",
    recipients: [b],
  },
  {
    name: "the announced limit, and the message refused",
    says: `${hello}${mail}> RCPT TO:<${a}>\n> DATA\n< 250 ok\n< 250 ok\n< 354 go on\n> .\n< 554 5.7.1 spam\n> QUIT\n< 221 bye`,
    facts: { recipients: [a, b] },
    next: "more-recipients",
    recipients: [b],
  },
  {
    name: "421 in lock-step: whoever was to come next is deferred, not asked for on another connection",
    says: `${hello}${mail}< 250 ok\n> RCPT TO:<${a}>\n< 250 ok\n> RCPT TO:<${b}>\n< 421 4.7.0 too many connections\n! fin`,
    facts: { recipients: [a, b, c] },
    next: null,
  },
  {
    name: "closed in lock-step: the next address is for those",
    says: `${hello}${mail}< 250 ok\n> RCPT TO:<${a}>\n< 250 ok\n> RCPT TO:<${b}>\n! fin`,
    facts: { recipients: [a, b, c] },
    next: null,
  },
  { name: "closed in a group", says: `${three}> QUIT\n< 250 ok\n< 250 ok\n! fin`, next: null },
];

describe("asking once more", () => {
  for (const { name, says, facts, before, next, recipients } of rows) {
    it(name, () => {
      const found = again(transcriptOf(says, facts), before ?? []);
      assert.equal(found?.retry ?? null, next);
      if (recipients !== undefined) assert.deepEqual(found?.recipients, recipients);
    });
  }
});

describe("for any transcript", () => {
  it("it asks for some of its recipients, each once, and for nobody who was accepted", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        const found = again(transcript, []);
        if (found === null) return;
        assert.ok(found.recipients.length > 0);
        assert.equal(new Set(found.recipients).size, found.recipients.length);
        for (const each of found.recipients) assert.ok(transcript.recipients.includes(each));
        if (found.retry === "more-recipients") assert.ok(found.recipients.length < transcript.recipients.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it("it never asks for the same again", () => {
    const all: readonly Retry[] = ["in-clear", "lock-step", "without-chunking"];
    fc.assert(
      fc.property(transcripts, fc.subarray([...all]), (transcript, before) => {
        const found = again(transcript, before);
        assert.ok(found === null || !before.includes(found.retry));
      }),
    );
  });
});
