import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { dialogLines, dialogText, type DialogVerdict } from "../../functions/smtp/dialog.ts";
import { ReplyParser, type Reply } from "../../functions/smtp/reply.ts";
import type { Exchange, Transcript } from "../../functions/smtp/transcript.ts";
import { visibleLine } from "../../functions/verdict/visible.ts";
import { setupOf } from "../../infra/local/mail/dialog-setup.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { blocked, ehlo, exchange, greeting, reply, transcript } from "../cli/sample.ts";

const rejected: DialogVerdict = { outcome: "rejected", stage: "rcpt", code: 554, status: "5.7.0", recipients: [] };

function linesOf(of: Transcript): readonly string[] {
  return dialogLines(of).map((line) => line.text);
}

test("the commands of a group come before their replies, as on the wire", () => {
  assert.deepEqual(linesOf(blocked), [
    "S: 220 mx.example ESMTP",
    "C: EHLO probe.example",
    "S: 250-mx.example",
    "S: 250 PIPELINING",
    "C: MAIL FROM:<probe@sender.example>",
    "C: RCPT TO:<someone@mx.example>",
    "C: QUIT",
    "S: 250 2.1.0 ok",
    "S: 554-5.7.0 blocked",
    "S: 554 5.7.0 see https://mx.example/",
    "S! rst",
  ]);
});

test("the plain form is a dialog that says all that a test needs", () => {
  const text = dialogText([blocked], rejected, "A host that refuses RCPT and hangs up has refused RCPT.");
  assert.equal(text.split("\n").length, 17);
  assert.deepEqual(setupOf(parseDialog(text, "x")), {
    helo: "probe.example",
    from: "probe@sender.example",
    recipients: ["someone@mx.example"],
    depth: "rcpt",
    tls: "opportunistic",
    timeoutMs: null,
    message: "small",
    bodyMs: 0,
    commit: null,
    ways: ["clear", "bytes", "busy", "tls"],
  });
  const dialog = parseDialog(text, "pasted.smtp");
  assert.equal(dialog.name, "A host that refuses RCPT and hangs up has refused RCPT.");
  assert.deepEqual(dialog.expected, {
    outcome: "rejected",
    stage: "rcpt",
    code: 554,
    status: "5.7.0",
    clauses: { ended: "reset" },
  });
});

test("who was never come to is named, and so is the null sender", () => {
  const text = dialogText([transcript([greeting], { from: "" })], rejected, "cut");
  assert.match(text, /^@ from\n@ to someone@mx\.example$/m);
});

test("a host that was asked again has a script for each connection", () => {
  const again = transcript([greeting, exchange("quit", "QUIT", "221 bye")], { retry: "lock-step" });
  const { scripts, expected } = parseDialog(dialogText([blocked, again], rejected, "twice"), "x");
  assert.equal(scripts.length, 2);
  assert.equal(expected?.clauses["ended"], "quit");
});

test("each recipient's own answer is said when there are several", () => {
  const recipients = [
    { address: "a@mx.example", outcome: "accepted", stage: "rcpt", code: 250, status: null },
    { address: "b@mx.example", outcome: "unanswered", stage: "rcpt", code: null, status: null },
  ];
  const text = dialogText([transcript([greeting])], { ...rejected, recipients }, "two");
  assert.match(text, /^=> a@mx\.example: accepted rcpt 250$/m);
  assert.match(text, /^=> b@mx\.example: unanswered rcpt -$/m);
  assert.equal(parseDialog(text.replace("=> rejected", "C: QUIT\nS: 221 bye\n=> rejected"), "x").recipients.length, 2);
});

test("what differs on another machine is a pattern in the plain form", () => {
  const text = dialogText(
    [
      transcript([
        greeting,
        ehlo,
        exchange("mail", "MAIL FROM:<a+b@c.example> SIZE=512 BODY=8BITMIME", "250 ok", { group: 2 }),
        exchange("message", "BDAT 512 LAST", "250 ok", { group: 2 }),
        exchange("quit", "QUIT", "221 bye", { group: 2 }),
      ]),
    ],
    rejected,
    "patterns",
  );
  const script = parseDialog(text, "x").scripts[0];
  const patterns = script.flatMap((step) => (step.kind === "pattern" ? [step.pattern] : []));
  assert.equal(patterns.length, 2);
  assert.match("MAIL FROM:<a+b@c.example> SIZE=9 BODY=8BITMIME", patterns[0] as RegExp);
  assert.doesNotMatch("MAIL FROM:<aab@c.example> SIZE=9 BODY=8BITMIME", patterns[0] as RegExp);
  assert.match("BDAT 17 LAST", patterns[1] as RegExp);
  assert.deepEqual(
    script.map((step) => step.kind),
    ["send", "line", "send", "send", "pattern", "pattern", "body", "line", "send", "send", "send"],
  );
});

const bodies: readonly (readonly [name: string, exchanges: readonly Exchange[], shown: readonly string[]])[] = [
  [
    "a message behind DATA",
    [exchange("data", "DATA", "354 go"), exchange("message", "(a message)", "250 ok", { group: 2 })],
    ["C: DATA", "S: 354 go", "C...", "S: 250 ok"],
  ],
  ["a message in BDAT", [exchange("message", "BDAT 7 LAST", "250 ok")], ["C: BDAT 7 LAST", "C...", "S: 250 ok"]],
  [
    "a message stopped by an early refusal",
    [exchange("message", "(a message)", "552 5.3.4 too big", { written: false })],
    ["# the message, stopped before its end", "S: 552 5.3.4 too big"],
  ],
  [
    "a reply to nothing we had sent",
    [greeting, exchange("mail", null, "421 4.3.2 closing", { group: 0 })],
    ["S: 220 mx.example ESMTP", "S: 421 4.3.2 closing"],
  ],
];

for (const [name, exchanges, shown] of bodies) {
  test(`${name} is shown as it was`, () => assert.deepEqual(linesOf(transcript(exchanges)), shown));
}

const endings: readonly (readonly [by: Transcript["ending"]["by"], act: string | null])[] = [
  ["quit", null],
  ["us", "S! hang"],
  ["fin", "S! fin"],
  ["reset", "S! rst"],
  ["timeout", "S! hang"],
  ["deadline", "S! hang"],
  ["abort", "S! hang"],
  ["failed", null],
];

for (const [by, act] of endings) {
  test(`an ending by ${by} is ${act ?? "no act"}`, () => {
    const ended = transcript([], { ending: { by, stage: "connect", text: "connection refused" } });
    assert.deepEqual(linesOf(ended), act === null ? [] : [act]);
  });
}

test("without a connection there is nothing to play", () => {
  const timings = { connectedMs: null, decidedMs: 1, endedMs: 1 };
  const ending = { by: "deadline", stage: "connect", text: "no answer\n" } as const;
  assert.deepEqual(linesOf(transcript([], { timings, ending })), ["# no answer\\n"]);
});

test("TLS begins behind the 220 to STARTTLS, an old version by its name", () => {
  const asked = exchange("starttls", "STARTTLS", "220 go");
  const spoken = (version: string) => transcript([asked], { tls: { version, cipher: "x", certificate: null } });
  assert.deepEqual(linesOf(spoken("TLSv1.3")), ["C: STARTTLS", "S: 220 go", "S! tls"]);
  assert.deepEqual(linesOf(spoken("TLSv1")), ["C: STARTTLS", "S: 220 go", "S! tls 1.0"]);
  assert.deepEqual(linesOf(transcript([asked])), ["C: STARTTLS", "S: 220 go"]);
});

test("what was no reply keeps its words", () => {
  const stop = { reason: "garbage", stage: "greeting", status: null, text: "SSH-2.0-x\x1b[2J" } as const;
  const ending = { by: "us", stage: "greeting", text: "" } as const;
  assert.deepEqual(linesOf(transcript([], { stop, ending })), [
    "S| SSH-2.0-x\\x1b[2J\\r\\n",
    "# stopped at greeting (garbage): SSH-2.0-x\\x1b[2J",
    "S! hang",
  ]);
});

const replies: readonly (readonly [name: string, reply: Reply, shown: readonly string[]])[] = [
  ["an escape sequence", reply(["550 \x1b[31mno"]), ["S| 550 \\x1b[31mno\\r\\n"]],
  ["a bidirectional mark", reply(["550 \u202eon"]), ["S| 550 \\xe2\\x80\\xaeon\\r\\n"]],
  ["letters of another script", reply(["550 нет"]), ["S: 550 нет"]],
  ["Latin-1", reply(["550 caf\xe9"], { anomalies: ["latin-1"] }), ["S| 550 caf\\xe9\\r\\n"]],
  ["bare line feeds", reply(["550-a", "550 b"], { anomalies: ["bare-lf"] }), ["S| 550-a\\n", "S| 550 b\\n"]],
  ["a space at the end", reply(["250 "]), ["S| 250 \\r\\n"]],
  ["a code alone", reply(["250"]), ["S: 250"]],
  ["a reply cut in its line", reply(["554 5.7.1 listed \\ at"], { partial: true }), ["S| 554 5.7.1 listed \\\\ at"]],
  ["a reply cut between its lines", reply(["554-5.7.1 listed"], { partial: true }), ["S: 554-5.7.1 listed"]],
];

for (const [name, each, shown] of replies) {
  test(`${name} is written so that it can be read back`, () => {
    const of = transcript([{ ...greeting, reply: each }], { ending: { by: "fin", stage: "ehlo", text: "" } });
    assert.deepEqual(linesOf(of), [...shown, "S! fin"]);
    const again = replyOf(sentOctets(of));
    assert.deepEqual(again?.lines, each.lines);
    assert.equal(again?.partial, each.partial);
  });
}

test("whatever a host says, the dialog is safe to show and says it again octet for octet", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 4 }), (texts) => {
      const octets = Buffer.from(
        texts.map((text, index) => `550${index + 1 < texts.length ? "-" : " "}${text}`).join("\r\n"),
      );
      const said = replyOf(Buffer.concat([octets, Buffer.from("\r\n")]));
      fc.pre(said !== null);
      const of = transcript([{ ...greeting, reply: said }], { ending: { by: "fin", stage: "ehlo", text: "" } });
      for (const line of linesOf(of)) assert.equal(visibleLine(line), line);
      const again = replyOf(sentOctets(of));
      assert.deepEqual(again?.lines, said.lines);
      assert.equal(again?.code, said.code);
    }),
  );
});

/** What the script that the plain form is would send. */
function sentOctets(of: Transcript): Uint8Array {
  const script = parseDialog(dialogText([of], rejected, "said again"), "x").scripts[0];
  return Buffer.concat(script.flatMap((step) => (step.kind === "send" ? [step.octets] : [])));
}

function replyOf(octets: Uint8Array): Reply | null {
  const parser = new ReplyParser();
  return parser.push(octets)[0] ?? parser.partial();
}
