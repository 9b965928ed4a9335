// One session's verdict, rule by rule (DESIGN §6), from transcripts written as conversations; and what must hold for
// any transcript.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Stop, Transcript } from "../../functions/smtp/transcript.ts";
import { isNegative } from "../../functions/smtp/yes.ts";
import { answerTo, askedOf, recoveredOf } from "../../functions/verdict/answers.ts";
import { scopes } from "../../functions/verdict/cause.ts";
import { reconcile, type Judgement } from "../../functions/verdict/reconcile.ts";
import { transcripts } from "./generated.ts";
import { transcriptOf } from "./transcripts.ts";

interface Row {
  readonly name: string;
  readonly says: string;
  readonly facts?: Partial<Transcript>;
  /** `outcome stage code status`, and the class where it is told apart. */
  readonly primary: string;
  readonly recipients?: Readonly<Record<string, string>>;
  /** Codes. */
  readonly consequences?: readonly number[];
  readonly text?: RegExp;
}

const hello = "< 220 mx.example ESMTP\n> EHLO probe.example\n< 250 mx.example\n";
const one = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> QUIT\n`;
const oneData = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> DATA\n`;
const oneChunk = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> BDAT 9 LAST\n> QUIT\n`;
const two = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<a@mx.example>\n> RCPT TO:<b@mx.example>\n> QUIT\n`;
const twoData = two.replace("QUIT", "DATA");
const twoChunk = two.replace("> QUIT", "> BDAT 9 LAST\n> QUIT");

const rows: readonly Row[] = [
  // Rule 1: an ending is evidence.
  {
    name: "G01: the greeting refuses, and closes",
    says: "< 554 5.7.1 no\n! fin",
    primary: "rejected greeting 554 5.7.1",
  },
  {
    name: "G02: in several lines, all kept",
    says: "< 554-5.7.1 listed\n< 554 5.7.1 https://list.example\n! fin",
    primary: "rejected greeting 554 5.7.1",
    text: /^554-5\.7\.1 listed\n554 5\.7\.1 https/,
  },
  { name: "a greeting that is busy", says: "< 421 4.7.0 try later\n! fin", primary: "deferred greeting 421 4.7.0" },
  ...(["fin", "reset", "timeout", "deadline", "abort"] as const).map((by) => ({
    name: `G05: nothing said, then ${by}`,
    says: `! ${by}`,
    facts: { ending: { by, stage: "greeting", text: `${by} while waiting for the greeting` } as const },
    primary: "unanswered greeting - - network",
    text: new RegExp(`^${by} while waiting for the greeting$`),
  })),
  ...(["fin", "reset", "timeout", "deadline", "abort", "us"] as const).map((by) => ({
    name: `P01: RCPT refused, then ${by}`,
    says: `${oneData}< 250 ok\n< 554 5.7.0 blocked\n! ${by}`,
    primary: "rejected rcpt 554 5.7.0",
    consequences: [],
  })),
  {
    name: "P02: MAIL refused, and closed",
    says: `${oneData}< 550 5.7.1 banned\n! fin`,
    primary: "rejected mail 550 5.7.1",
  },
  {
    name: "P08: the first command left unanswered names the stage, and the last reply is told",
    says: `${oneData}< 250 2.1.0 ok\n! fin`,
    primary: "unanswered rcpt - - network",
    text: /reply to RCPT.*last reply read was 250 2\.1\.0 ok/,
  },
  {
    name: "P10: DATA left unanswered",
    says: `${oneData}< 250 ok\n< 250 ok\n! fin`,
    primary: "unanswered data - - network",
  },
  { name: "MAIL left unanswered", says: `${oneData}! reset`, primary: "unanswered mail - - network" },
  {
    name: "no connection",
    says: "! failed",
    facts: {
      ending: { by: "failed", stage: "connect", text: "no connection: failed connecting to 192.0.2.1 (ECONNREFUSED)" },
    },
    primary: "unanswered connect - - network",
    text: /ECONNREFUSED/,
  },
  {
    name: "the handshake left unanswered is ours to tell as tls",
    says: `${hello}> STARTTLS\n< 220 go\n! fin`,
    facts: { ending: { by: "fin", stage: "tls", text: "connection closed" } },
    primary: "unanswered tls - - tls",
  },

  // Rule 2: consequences.
  {
    name: "P03: 503 behind a refusal",
    says: `${oneData}< 250 ok\n< 550 5.1.1 no such user\n< 503 5.5.1 bad sequence\n! fin`,
    primary: "rejected rcpt 550 5.1.1",
    consequences: [503],
  },
  {
    name: "P04: 354 behind a refusal, and the lone dot's answer",
    says: `${oneData}< 250 ok\n< 550 5.1.1 no such user\n< 354 go on\n> .\n< 554 5.5.1 no valid recipients\n! quit`,
    primary: "rejected rcpt 550 5.1.1",
    consequences: [554],
  },
  {
    name: "the lone dot accepted: nobody got it",
    says: `${oneData}< 250 ok\n< 550 5.1.1 no such user\n< 354 go on\n> .\n< 250 ok\n! quit`,
    primary: "rejected rcpt 550 5.1.1",
  },
  {
    name: "MAIL refused, the rest in its wake",
    says: `${oneData}< 550 5.7.1 banned\n< 503 5.5.1 need MAIL\n< 503 5.5.1 need RCPT\n! fin`,
    primary: "rejected mail 550 5.7.1",
    consequences: [503, 503],
  },
  {
    name: "MAIL refused without a cause, the rest in its wake",
    says: `${oneData}< 451 no\n< 503 sender not yet given\n< 554 no valid recipients\n! fin`,
    primary: "deferred mail 451 -",
    consequences: [503, 554],
  },
  {
    name: "a 421 that announces the close",
    says: `${one}< 250 ok\n< 550 5.1.1 no such user\n< 421 4.7.0 closing connection\n! fin`,
    primary: "rejected rcpt 550 5.1.1",
    consequences: [421],
  },
  {
    name: "a 5yz that announces the close",
    says: `${oneData}< 250 ok\n< 450 4.2.0 try later\n< 554 too many errors, closing\n! fin`,
    primary: "deferred rcpt 450 4.2.0",
    consequences: [554],
  },
  {
    name: "the same text again",
    says: `${oneData}< 550 5.7.1 blocked by policy\n< 550 5.7.1 blocked by policy\n< 550 5.7.1 blocked by policy\n! fin`,
    primary: "rejected mail 550 5.7.1",
    consequences: [550, 550],
  },
  {
    name: "QUIT refused",
    says: `${one}< 250 ok\n< 550 5.1.1 no such user\n< 500 5.5.2 what\n! fin`,
    primary: "rejected rcpt 550 5.1.1",
    consequences: [500],
  },
  {
    name: "another cause competes: greylisted, then listed",
    says: `${oneData}< 250 ok\n< 450 4.2.0 greylisted\n< 554 5.7.1 listed in zen.spamhaus.org\n! fin`,
    primary: "rejected data 554 5.7.1",
    consequences: [450],
  },
  {
    name: "another cause competes: MAIL 4yz, then RCPT listed",
    says: `${oneData}< 451 4.3.0 busy\n< 550 5.7.1 listed in zen.spamhaus.org\n< 503 need RCPT\n! fin`,
    primary: "rejected rcpt 550 5.7.1",
    consequences: [451, 503],
  },
  {
    name: "a consequence alone is an answer: nothing came before it",
    says: `${one}< 250 ok\n< 503 5.5.1 bad sequence\n! fin`,
    primary: "rejected rcpt 503 5.5.1",
  },
  {
    name: "DATA's `no valid recipients` alone is an answer",
    says: `${oneData}< 250 ok\n< 250 ok\n< 554 5.5.1 no valid recipients\n! fin`,
    primary: "rejected data 554 5.5.1",
  },

  // Rule 2: recovered.
  {
    name: "E01: EHLO refused for a cause is a refusal",
    says: "< 220 mx\n> EHLO probe.example\n< 550 5.7.1 blocked\n! fin",
    primary: "rejected ehlo 550 5.7.1",
  },
  {
    name: "E02: EHLO 502, HELO, RCPT refused",
    says: "< 220 mx\n> EHLO probe.example\n< 502 5.5.1 what\n> HELO probe.example\n< 250 hi\n> MAIL FROM:<p@s.example>\n< 250 ok\n> RCPT TO:<x@mx.example>\n< 554 5.7.1 blocked\n! fin",
    primary: "rejected rcpt 554 5.7.1",
    consequences: [502],
  },
  {
    name: "EHLO 502, HELO, accepted",
    says: "< 220 mx\n> EHLO probe.example\n< 502 what\n> HELO probe.example\n< 250 hi\n> MAIL FROM:<p@s.example>\n< 250 ok\n> RCPT TO:<x@mx.example>\n< 250 ok\n> QUIT\n< 221 bye",
    primary: "accepted rcpt 250 -",
    consequences: [502],
  },
  {
    name: "EHLO 502, HELO refused too",
    says: "< 220 mx\n> EHLO probe.example\n< 502 what\n> HELO probe.example\n< 550 5.7.1 blocked\n! fin",
    primary: "rejected ehlo 550 5.7.1",
    consequences: [502],
  },
  {
    name: "EHLO 502, HELO without an answer: no further",
    says: "< 220 mx\n> EHLO probe.example\n< 502 5.5.1 what\n> HELO probe.example\n! fin",
    primary: "rejected ehlo 502 5.5.1",
  },
  {
    name: "T01: STARTTLS refused, gone on without, accepted",
    says: `${hello}> STARTTLS\n< 454 4.7.0 not now\n> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> QUIT\n< 250 ok\n< 250 ok\n< 221 bye`,
    primary: "accepted rcpt 250 -",
    consequences: [454],
  },
  {
    name: "T01: STARTTLS refused, gone on without, RCPT refused",
    says: `${hello}> STARTTLS\n< 454 4.7.0 not now\n> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> QUIT\n< 250 ok\n< 550 5.1.1 no such user\n< 221 bye`,
    primary: "rejected rcpt 550 5.1.1",
    consequences: [454],
  },
  {
    name: "T02: STARTTLS refused, and closed",
    says: `${hello}> STARTTLS\n< 554 5.7.1 blocked\n! fin`,
    primary: "rejected starttls 554 5.7.1",
    facts: { ending: { by: "fin", stage: "mail", text: "closed" } },
  },
  {
    name: "T02: STARTTLS refused where it is required",
    says: `${hello}> STARTTLS\n< 454 4.7.0 not now\n> QUIT\n< 221 bye`,
    facts: { tlsPolicy: "require" },
    primary: "deferred starttls 454 4.7.0",
  },

  // Rule 3: unsolicited replies.
  {
    name: "a 421 out of turn before MAIL",
    says: `${hello}<mail 421 4.7.0 too many connections\n! fin`,
    primary: "deferred mail 421 4.7.0",
  },
  {
    name: "a 554 out of turn before EHLO",
    says: "< 220 mx\n<ehlo 554 5.7.1 blocked\n! fin",
    primary: "rejected ehlo 554 5.7.1",
  },
  {
    name: "a 421 where MAIL's answer should be",
    says: `${one}< 421 4.7.0 too many connections\n! fin`,
    primary: "deferred mail 421 4.7.0",
  },

  // Rule 4: several recipients, scopes.
  {
    name: "P15: 250, 550, closed",
    says: `${twoData}< 250 ok\n< 550 5.1.1 no such user\n! fin`,
    primary: "rejected rcpt 550 5.1.1",
    recipients: { "a@mx.example": "rejected rcpt 550 5.1.1", "b@mx.example": "unanswered rcpt - - network" },
  },
  {
    name: "P20: one accepted, one refused",
    says: `${twoData}< 250 ok\n< 250 ok\n< 550 5.1.1 no such user\n< 354 go on\n> .\n< 250 2.0.0 queued\n> QUIT\n< 221 bye`,
    primary: "rejected rcpt 550 5.1.1",
    recipients: { "a@mx.example": "accepted message 250 2.0.0", "b@mx.example": "rejected rcpt 550 5.1.1" },
    consequences: [],
  },
  {
    name: "one refused, and the message refused for the other",
    says: `${twoData}< 250 ok\n< 550 5.1.1 no such user\n< 250 ok\n< 354 go on\n> .\n< 554 5.7.1 message content rejected\n> QUIT\n< 221 bye`,
    primary: "rejected message 554 5.7.1",
    recipients: { "a@mx.example": "rejected rcpt 550 5.1.1", "b@mx.example": "rejected message 554 5.7.1" },
    consequences: [],
  },
  {
    name: "421 to the second is its own, and the third is deferred for it",
    says: `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<a@mx.example>\n> RCPT TO:<b@mx.example>\n> RCPT TO:<c@mx.example>\n> QUIT\n< 250 ok\n< 250 ok\n< 421 4.7.0 too many recipients\n! fin`,
    primary: "deferred rcpt 421 4.7.0",
    recipients: {
      "a@mx.example": "accepted rcpt 250 -",
      "b@mx.example": "deferred rcpt 421 4.7.0",
      "c@mx.example": "deferred rcpt - - rate-limit",
    },
  },
  {
    name: "421 to the first, 5yz to the second: each its own",
    says: `${two}< 250 ok\n< 421 4.2.1 a is busy\n< 550 5.1.1 no such user\n! fin`,
    primary: "rejected rcpt 550 5.1.1",
    recipients: { "a@mx.example": "deferred rcpt 421 4.2.1", "b@mx.example": "rejected rcpt 550 5.1.1" },
  },
  {
    name: "the widest scope is the session's: a list before an unknown user",
    says: `${two}< 250 ok\n< 550 5.1.1 no such user\n< 450 4.7.1 your IP is listed in bl.example\n< 221 bye`,
    primary: "deferred rcpt 450 4.7.1",
    recipients: { "a@mx.example": "rejected rcpt 550 5.1.1", "b@mx.example": "deferred rcpt 450 4.7.1" },
  },
  {
    name: "of one scope, 5yz before 4yz",
    says: `${two}< 250 ok\n< 450 4.2.1 mailbox busy\n< 550 5.1.1 no such user\n< 221 bye`,
    primary: "rejected rcpt 550 5.1.1",
  },
  {
    name: "of one scope and permanence, the first",
    says: `${two}< 250 ok\n< 550 5.1.1 no such user\n< 552 5.2.2 quota exceeded\n< 221 bye`,
    primary: "rejected rcpt 550 5.1.1",
  },
  {
    name: "both refused alike: each has its own",
    says: `${two}< 250 ok\n< 550 5.7.1 blocked by policy\n< 550 5.7.1 blocked by policy\n< 221 bye`,
    primary: "rejected rcpt 550 5.7.1",
    recipients: { "a@mx.example": "rejected rcpt 550 5.7.1", "b@mx.example": "rejected rcpt 550 5.7.1" },
    consequences: [],
  },
  {
    name: "MAIL refused is everybody's",
    says: `${two}< 550 5.7.1 sender denied\n< 503 need MAIL\n< 503 need MAIL\n< 221 bye`,
    primary: "rejected mail 550 5.7.1",
    recipients: { "a@mx.example": "rejected mail 550 5.7.1", "b@mx.example": "rejected mail 550 5.7.1" },
    consequences: [503, 503],
  },
  {
    name: "sent whole and never answered for one: unknown, whoever else was refused",
    says: `${twoData}< 250 ok\n< 550 5.7.1 198.51.100.7 is listed in bl.example\n< 250 ok\n< 354 go on\n> .\n! fin`,
    primary: "unknown message - - network",
    recipients: { "a@mx.example": "rejected rcpt 550 5.7.1", "b@mx.example": "unknown message - - network" },
  },
  {
    name: "DATA refused for those accepted; who was refused keeps the own",
    says: `${twoData}< 250 ok\n< 550 5.1.1 no such user\n< 250 ok\n< 451 4.3.0 try later\n! fin`,
    primary: "deferred data 451 4.3.0",
    recipients: { "a@mx.example": "rejected rcpt 550 5.1.1", "b@mx.example": "deferred data 451 4.3.0" },
  },

  // Rule 5: the right yes.
  { name: "P22: 251 accepts", says: `${one}< 250 ok\n< 251 will forward\n< 221 bye`, primary: "accepted rcpt 251 -" },
  { name: "252 accepts", says: `${one}< 250 ok\n< 252 2.5.2 will try\n< 221 bye`, primary: "accepted rcpt 252 2.5.2" },
  {
    name: "220 to RCPT is no yes",
    says: `${one}< 250 ok\n< 220 mx.example\n< 250 ok\n! us`,
    primary: "unanswered rcpt 220 - protocol",
  },
  {
    name: "2yz to DATA is no yes",
    says: `${oneData}< 250 ok\n< 250 ok\n< 250 ok\n! us`,
    primary: "unanswered data 250 - protocol",
  },
  {
    name: "3yz to RCPT is no yes",
    says: `${one}< 250 ok\n< 354 go on\n< 221 bye`,
    primary: "unanswered rcpt 354 - protocol",
  },
  {
    name: "1yz to MAIL is no yes",
    says: `${one}< 150 wait\n< 250 ok\n< 221 bye`,
    primary: "unanswered mail 150 - protocol",
  },
  { name: "6yz is no yes", says: `${one}< 250 ok\n< 650 ok\n< 221 bye`, primary: "unanswered rcpt 650 - protocol" },
  {
    name: "3yz to the message, sent whole: nobody knows",
    says: `${oneChunk}< 250 ok\n< 250 ok\n< 354 go on\n< 221 bye`,
    primary: "unknown message 354 - protocol",
  },
  {
    name: "a wrong yes to RCPT with the message sent whole: nobody knows",
    says: `${oneChunk}< 250 ok\n< 220 mx.example\n< 250 ok\n< 221 bye`,
    primary: "unknown rcpt 220 - protocol",
  },
  {
    name: "a wrong yes to MAIL with the message sent whole: nobody knows",
    says: `${oneChunk}< 354 go on\n< 250 ok\n< 250 ok\n< 221 bye`,
    primary: "unknown mail 354 - protocol",
  },
  {
    name: "a yes that came before the message had left is none",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n>! .\n< 250 queued\n! us`,
    primary: "unanswered message 250 - protocol",
  },
  {
    name: "a refusal counts before a wrong yes",
    says: `${oneData}< 250 ok\n< 550 5.1.1 no such user\n< 250 ok\n! us`,
    primary: "rejected rcpt 550 5.1.1",
  },
  {
    name: "one reply more than commands: out of step",
    says: `${one}< 250 ok\n< 250 ok\n< 221 bye\n<quit 250 ok\n! us`,
    primary: "unanswered rcpt 250 - protocol",
  },
  {
    name: "a refusal with a cause in QUIT's place: out of step",
    says: `${one}< 250 ok\n< 250 ok\n< 550 5.1.1 no such user\n! us`,
    primary: "unanswered rcpt 550 5.1.1 protocol",
    text: /no such user/,
  },
  {
    name: "the same behind a message: nobody knows",
    says: `${oneChunk}< 250 ok\n< 250 ok\n< 250 ok\n< 554 5.7.1 content rejected\n! us`,
    primary: "unknown message 554 5.7.1 protocol",
  },
  {
    name: "3yz in QUIT's place",
    says: `${one}< 250 ok\n< 250 ok\n< 354 go on\n! us`,
    primary: "unanswered rcpt 250 - protocol",
  },
  {
    name: "QUIT refused without a cause changes nothing",
    says: `${one}< 250 ok\n< 250 2.1.5 ok\n< 500 5.5.2 what\n! fin`,
    primary: "accepted rcpt 250 2.1.5",
  },
  {
    name: "421 in QUIT's place changes nothing",
    says: `${one}< 250 ok\n< 250 2.1.5 ok\n< 421 4.4.2 too many connections from your IP\n! fin`,
    primary: "accepted rcpt 250 2.1.5",
  },
  {
    name: "a reply's own digit decides, its status is kept",
    says: `${one}< 250 ok\n< 450 5.7.1 blocked\n< 221 bye`,
    primary: "deferred rcpt 450 5.7.1",
  },
  {
    name: "552 to RCPT behind an accepted one is 452",
    says: `${two}< 250 ok\n< 250 ok\n< 552 too many recipients\n< 221 bye`,
    primary: "deferred rcpt 552 -",
  },
  {
    name: "552 that speaks of quota is itself",
    says: `${two}< 250 ok\n< 250 ok\n< 552 5.2.2 quota exceeded\n< 221 bye`,
    primary: "rejected rcpt 552 5.2.2",
  },
  {
    name: "552 to the first recipient is itself",
    says: `${two}< 250 ok\n< 552 too many recipients\n< 250 ok\n< 221 bye`,
    primary: "rejected rcpt 552 -",
  },
  {
    name: "552 behind a refused one is itself, and about the session",
    says: `${two}< 250 ok\n< 550 5.1.1 no such user\n< 552 5.3.0 too many recipients\n< 221 bye`,
    recipients: { "a@mx.example": "rejected rcpt 550 5.1.1", "b@mx.example": "rejected rcpt 552 5.3.0" },
    primary: "rejected rcpt 552 5.3.0",
  },

  // Rule 6 is the session's; its outcome: 354 behind an accepted recipient.
  {
    name: "P38: DATA refused",
    says: `${oneData}< 250 ok\n< 250 ok\n< 554 5.7.1 blocked\n! fin`,
    primary: "rejected data 554 5.7.1",
  },
  {
    name: "D02: the message refused",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n> .\n< 550 5.7.1 spam\n! quit`,
    primary: "rejected message 550 5.7.1",
  },
  {
    name: "refused in mid-body",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n>! .\n< 550 5.7.1 spam\n! us`,
    primary: "rejected message 550 5.7.1",
  },

  // Rule 9: unknown only when all was written.
  {
    name: "D04: accepted, then reset",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n> .\n< 250 queued\n! reset`,
    primary: "accepted message 250 -",
  },
  ...(["fin", "reset", "timeout", "deadline", "abort"] as const).flatMap((by) => [
    {
      name: `sent whole, then ${by}`,
      says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n> .\n! ${by}`,
      primary: "unknown message - - network",
      text: /RFC 1047/,
    },
    {
      name: `in mid-body ${by}`,
      says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n>! .\n! ${by}`,
      primary: "unanswered message - - network",
    },
  ]),
  {
    name: "sent whole, a partial 250",
    says: `${oneData}< 250 ok\n< 250 ok\n< 354 go on\n> .\n<~ 250 2.0.0 que\n! fin`,
    primary: "unknown message - - network",
    text: /inside the reply "250 2\.0\.0 que"/,
  },
  {
    name: "sent whole in one group, nothing answered",
    says: `${oneChunk}! reset`,
    primary: "unknown message - - network",
  },
  {
    name: "sent whole in one group, MAIL accepted alone",
    says: `${oneChunk}< 250 ok\n! reset`,
    primary: "unknown message - - network",
  },
  {
    name: "sent whole in one group, a partial 250 to RCPT",
    says: `${oneChunk}< 250 ok\n<~ 250 o\n! reset`,
    primary: "unknown message - - network",
  },
  {
    name: "sent whole in one group, RCPT refused",
    says: `${oneChunk}< 250 ok\n< 550 5.1.1 no such user\n! reset`,
    primary: "rejected rcpt 550 5.1.1",
  },
  {
    name: "in one group, half of it left",
    says: `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n>! BDAT 9 LAST\n>! QUIT\n! reset`,
    primary: "unanswered mail - - network",
  },
  {
    name: "sent whole to two, one refused and one not answered",
    says: `${twoChunk}< 250 ok\n< 550 5.1.1 no such user\n! reset`,
    primary: "unknown message - - network",
    recipients: { "a@mx.example": "rejected rcpt 550 5.1.1", "b@mx.example": "unknown message - - network" },
  },

  // Rule 10: partial replies.
  {
    name: "a partial refusal refuses",
    says: `${one}< 250 ok\n<~ 550-5.7.1 blocked\n! timeout`,
    primary: "rejected rcpt 550 5.7.1",
  },
  {
    name: "a partial yes is none",
    says: `${one}< 250 ok\n<~ 250 2.1.5 o\n! fin`,
    primary: "unanswered rcpt - - network",
    text: /inside the reply "250 2\.1\.5 o"/,
  },
  {
    name: "a partial greeting is none",
    says: "<~ 220-mx\n! fin",
    facts: { ending: { by: "fin", stage: "greeting", text: "closed" } },
    primary: "unanswered greeting - - network",
  },

  // Depths.
  {
    name: "depth greeting",
    says: "< 220 mx\n> QUIT\n< 221 bye",
    facts: { depth: "greeting" },
    primary: "accepted greeting 220 -",
  },
  { name: "depth ehlo", says: `${hello}> QUIT\n< 221 bye`, facts: { depth: "ehlo" }, primary: "accepted ehlo 250 -" },
  {
    name: "depth ehlo behind TLS: the last answer counts",
    says: `${hello}> STARTTLS\n< 220 go\n> EHLO probe.example\n< 250 2.0.0 secure\n> QUIT\n< 221 bye`,
    facts: { depth: "ehlo" },
    primary: "accepted ehlo 250 2.0.0",
  },
  {
    name: "EHLO refused behind TLS",
    says: `${hello}> STARTTLS\n< 220 go\n> EHLO probe.example\n< 550 5.7.1 blocked\n> QUIT\n< 221 bye`,
    primary: "rejected ehlo 550 5.7.1",
  },
  {
    name: "EHLO left unanswered behind TLS",
    says: `${hello}> STARTTLS\n< 220 go\n> EHLO probe.example\n! fin`,
    primary: "unanswered ehlo - - network",
  },
  {
    name: "STARTTLS left unanswered, at depth ehlo",
    says: `${hello}> STARTTLS\n! fin`,
    facts: { depth: "ehlo" },
    primary: "unanswered starttls - - network",
  },
  {
    name: "STARTTLS refused, at depth ehlo",
    says: `${hello}> STARTTLS\n< 454 4.7.0 not now\n> QUIT\n< 221 bye`,
    facts: { depth: "ehlo" },
    primary: "accepted ehlo 250 -",
    consequences: [454],
  },
  {
    name: "STARTTLS required and not offered, at depth ehlo",
    says: `${hello}> QUIT\n< 221 bye`,
    facts: {
      depth: "ehlo",
      tlsPolicy: "require",
      stop: { reason: "tls-not-offered", stage: "starttls", status: null, text: "not offered" },
    },
    primary: "unanswered starttls - - tls",
  },
  {
    name: "the handshake failed, at depth ehlo",
    says: `${hello}> STARTTLS\n< 220 go\n! us`,
    facts: {
      depth: "ehlo",
      tlsPolicy: "require",
      stop: { reason: "handshake", stage: "tls", status: null, text: "failed" },
    },
    primary: "unanswered tls - - tls",
  },
  {
    name: "EHLO left unanswered behind TLS, at depth ehlo",
    says: `${hello}> STARTTLS\n< 220 go\n> EHLO probe.example\n! fin`,
    facts: { depth: "ehlo" },
    primary: "unanswered ehlo - - network",
  },
];

describe("one session", () => {
  for (const { name, says, facts, primary, recipients, consequences, text } of rows) {
    it(name, () => {
      const verdict = reconcile(transcriptOf(says, facts));
      assert.equal(shown(verdict.primary, primary), primary);
      if (text !== undefined) assert.match(verdict.primary.answer.text, text);
      for (const [address, expected] of Object.entries(recipients ?? {})) {
        const found = verdict.recipients.find((each) => each.address === address);
        assert.ok(found !== undefined);
        assert.equal(shown(found.judgement, expected), expected, address);
      }
      if (consequences !== undefined)
        assert.deepEqual(
          verdict.consequences.map(({ code }) => code),
          consequences,
        );
    });
  }
});

function shown({ outcome, class: kind, answer }: Judgement, like: string): string {
  const words = [outcome, answer.stage, answer.code ?? "-", answer.status ?? "-", kind ?? "none"];
  return words.slice(0, like.split(" ").length).join(" ");
}

describe("where we stopped", () => {
  const stops: readonly (readonly [reason: Stop["reason"], primary: string])[] = [
    ["garbage", "unanswered mail - - protocol"],
    ["flood", "unanswered mail - - protocol"],
    ["wrong-yes", "unanswered mail - - protocol"],
    ["out-of-step", "unanswered mail - - protocol"],
    ["injection", "unanswered mail - - protocol"],
    ["handshake", "unanswered mail - - tls"],
    ["tls-not-offered", "unanswered mail - - tls"],
    ["too-large", "rejected mail - - message-format"],
    ["needs-8bitmime", "rejected mail - - message-format"],
    ["needs-smtputf8", "rejected mail - - message-format"],
    ["uncommitted", "unanswered mail - - network"],
    ["no-mail-here", "rejected mail - - relay-denied"],
    // With a status DNS says that there is no mail.
    ["no-address", "rejected mail - - relay-denied"],
    ["own-host", "rejected mail - - relay-denied"],
    ["no-family", "unanswered mail - - network"],
    ["dns-failed", "unanswered mail - - network"],
    ["guarded", "unanswered mail - - network"],
    ["left-out", "unanswered mail - - network"],
  ];
  for (const [reason, primary] of stops) {
    const stop: Stop = { reason, stage: "mail", status: "5.9.9", text: "why" };
    it(reason, () => {
      const verdict = reconcile(transcriptOf(`${hello}! us`, { stop }));
      assert.equal(shown(verdict.primary, primary), primary.replace("- -", "- 5.9.9"));
      assert.equal(verdict.primary.answer.text, reason === "garbage" ? "not an SMTP reply: why" : "why");
    });
    it(`${reason}, behind a refusal`, () => {
      const { primary: judged } = reconcile(transcriptOf(`${one}< 250 ok\n< 550 5.7.1 blocked\n! us`, { stop }));
      assert.equal(shown(judged, "rejected rcpt 550 5.7.1"), "rejected rcpt 550 5.7.1");
    });
    it(`${reason}, with the message sent whole`, () => {
      const { primary: judged } = reconcile(transcriptOf(`${oneChunk}< 250 ok\n< 250 ok\n! us`, { stop }));
      assert.equal(judged.outcome, "unknown");
    });
  }

  // Of a refusal in QUIT's place nobody can tell whether it crossed ours; of a QUIT that is not known it is none of us.
  const meanwhile: readonly (readonly [reason: Stop["reason"], stage: Stop["stage"], says: string, primary: string])[] =
    [
      ["tls-not-offered", "starttls", "421 4.7.0 Too many connections", "deferred starttls 421 4.7.0"],
      [
        "tls-not-offered",
        "starttls",
        "554 5.7.1 198.51.100.7 is listed in zen.spamhaus.org",
        "rejected starttls 554 5.7.1",
      ],
      ["tls-not-offered", "starttls", "502 5.5.1 Command not implemented", "unanswered starttls - -"],
      ["tls-not-offered", "starttls", "221 bye", "unanswered starttls - -"],
      ["tls-policy", "tls", "554 5.7.1 198.51.100.7 is listed in zen.spamhaus.org", "rejected ehlo 554 5.7.1"],
      ["tls-policy", "tls", "221 bye", "unanswered tls - -"],
      ["needs-smtputf8", "mail", "554 5.7.1 198.51.100.7 is listed in zen.spamhaus.org", "rejected mail 554 5.7.1"],
      ["needs-smtputf8", "mail", "500 what?", "rejected mail - -"],
    ];
  for (const [reason, stage, says, primary] of meanwhile) {
    it(`${reason}, and ${says} in QUIT's place`, () => {
      const stop: Stop = { reason, stage, status: null, text: "why" };
      const { primary: judged } = reconcile(transcriptOf(`${hello}> QUIT\n< ${says}`, { stop }));
      assert.equal(shown(judged, primary), primary);
    });
  }

  it("garbage behind a refused STARTTLS: the session got no further than the refusal", () => {
    const stop: Stop = { reason: "garbage", stage: "mail", status: null, text: "<html>" };
    const { primary } = reconcile(transcriptOf(`${hello}> STARTTLS\n< 554 5.7.1 blocked\n! us`, { stop }));
    assert.equal(shown(primary, "rejected starttls 554 5.7.1"), "rejected starttls 554 5.7.1");
  });
});

describe("for any transcript", () => {
  it("reconciling never throws, and every recipient has one judgement", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        const { recipients, primary, consequences } = reconcile(transcript);
        assert.deepEqual(
          recipients.map(({ address }) => address),
          transcript.recipients,
        );
        assert.ok(recipients.some(({ judgement }) => judgement === primary));
        assert.ok(consequences.every(({ code }) => code !== null && code >= 400));
      }),
      { numRuns: 2_000 },
    );
  });

  it("it is a function of the stored transcript alone", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        const stored = JSON.parse(JSON.stringify(transcript)) as Transcript;
        assert.deepEqual(
          JSON.parse(JSON.stringify(reconcile(stored))),
          JSON.parse(JSON.stringify(reconcile(transcript))),
        );
      }),
    );
  });

  it("nobody is accepted whose own RCPT, or whose MAIL, EHLO or greeting, was refused", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        const recovered = recoveredOf(transcript);
        for (const { address, judgement } of reconcile(transcript).recipients) {
          const refused = transcript.exchanges.some(
            (each) =>
              isNegative(each.reply) &&
              !recovered.includes(each) &&
              (each.stage === "rcpt" ? each.recipient === address : each.stage !== "quit") &&
              each.command !== null,
          );
          if (refused) assert.notEqual(judgement.outcome, "accepted");
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("whoever is accepted was told so, in full, and by the right yes", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        for (const { address, judgement } of reconcile(transcript).recipients) {
          if (judgement.outcome !== "accepted") continue;
          assert.equal(judgement.class, null);
          assert.equal(judgement.answer.partial, false);
          assert.equal(judgement.answer.stage, transcript.depth);
          assert.ok((judgement.answer.code ?? 0) >= 200 && (judgement.answer.code ?? 0) < 300);
          if (transcript.depth !== "rcpt" && transcript.depth !== "message") continue;
          const own = transcript.exchanges.find((each) => each.recipient === address);
          assert.ok(own?.reply != null && own.reply.code < 300);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("nobody's answer to RCPT is stamped on another", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        for (const { address, judgement } of reconcile(transcript).recipients) {
          if (judgement.answer.command?.startsWith("RCPT ") !== true || judgement.answer.code === null) continue;
          assert.equal(judgement.answer.command, `RCPT TO:<${address}>`);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("unanswered means that nobody refused, and unknown that a message left whole", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        for (const { address, judgement } of reconcile(transcript).recipients) {
          const { kind } = answerTo(address, askedOf(transcript));
          if (judgement.outcome === "unanswered") assert.notEqual(kind, "refused");
          if (judgement.outcome !== "unknown") continue;
          assert.ok(transcript.exchanges.some((each) => each.stage === "message" && each.written));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("the ending never changes what was refused or accepted", () => {
    fc.assert(
      fc.property(transcripts, transcripts, (transcript, { ending }) => {
        const before = reconcile(transcript).recipients;
        const after = reconcile({ ...transcript, ending }).recipients;
        for (const [index, { judgement }] of before.entries()) {
          if (judgement.outcome === "unanswered" || judgement.outcome === "unknown") continue;
          assert.deepEqual(after[index]?.judgement, judgement);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("after a refusal that states its cause", () => {
  const refusals = [
    `${oneData}< 250 ok\n< 550 5.1.1 no such user`,
    `${oneData}< 250 ok\n< 554 5.7.1 blocked using bl.example`,
    `${oneData}< 550 5.7.1 sender denied`,
  ];

  it("nothing that follows changes outcome and code, unless it is about something wider", () => {
    const tail = fc.array(
      fc.constantFrom(
        "< 250 ok",
        "< 354 go on",
        "< 503 5.5.1 bad sequence",
        "< 554 no valid recipients",
        "< 421 closing",
        "< 550 5.1.1 no such user",
        "< 450 4.2.0 greylisted",
        "< 554 5.7.1 listed in zen.spamhaus.org",
        "<~ 550-5.7.1 x",
        "< 220 mx",
        "< 150 x",
        "> .",
        "> QUIT",
        "! reset",
        "! timeout",
      ),
      { maxLength: 6, size: "max" },
    );
    fc.assert(
      fc.property(fc.constantFrom(...refusals), tail, (refusal, lines) => {
        const before = reconcile(transcriptOf(refusal)).primary;
        const after = reconcile(transcriptOf(`${refusal}\n${lines.join("\n")}`)).primary;
        const isWider = scopes.indexOf(after.scope) < scopes.indexOf(before.scope);
        if (isWider) assert.ok(lines.some((line) => /greylisted|listed/.test(line)));
        else assert.deepEqual(after, before);
      }),
      { numRuns: 1_000 },
    );
  });
});
