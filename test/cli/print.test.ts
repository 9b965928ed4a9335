import { test } from "node:test";
import assert from "node:assert/strict";
import { print } from "../../functions/cli/print.ts";
import { visible } from "../../functions/verdict/visible.ts";
import type { Transcript } from "../../functions/smtp/transcript.ts";
import { direct } from "../../functions/route/egress.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { blocked, exchange, greeting, listed, reply, transcript, welcome } from "./sample.ts";

const people = { json: false, pretty: false, alone: true };

function printed(...attempts: readonly Transcript[]): string {
  return print(judge(attempts, direct), people);
}

const silent = transcript([], {
  address: "127.0.0.9",
  localAddress: null,
  ending: { by: "failed", stage: "connect", text: "connection refused by 127.0.0.9" },
  timings: { connectedMs: null, decidedMs: 1, endedMs: 1 },
});

test("the verdict comes first, with all lines of the reply, then the class, then the dialog with the deciding reply marked", () => {
  assert.equal(
    printed(blocked),
    `rejected at rcpt by mx.example [127.0.0.1]: 554-5.7.0 blocked
  554 5.7.0 see https://mx.example/
class: unspecified (info)
do: Ask the receiver's postmaster, with the reply's own words and time.

mx.example [127.0.0.1], 2026-11-24T11:30:00.000Z, from 127.0.0.2
  trip       ms
            3.0  S: 220 mx.example ESMTP
     1           C: EHLO probe.example
            2.5  S: 250-mx.example
                 S: 250 PIPELINING
     2           C: MAIL FROM:<probe@sender.example>
                 C: RCPT TO:<someone@mx.example>
                 C: QUIT
            2.5  S: 250 2.1.0 ok
▶           2.5  S: 554-5.7.0 blocked
▶                S: 554 5.7.0 see https://mx.example/
                 S! rst
  TLS: none
  ended: connection reset while waiting for the reply to QUIT
  decided after 9 ms, gone after 10 ms
`,
  );
});

test("a yes to RCPT is a yes up to RCPT, and has no class", () => {
  const text = printed(welcome);
  assert.match(text, /^accepted up to rcpt by mx\.example \[127\.0\.0\.1\]: 250 2\.1\.5 ok\n\nmx\.example/);
  assert.doesNotMatch(text, /deliver|class:|do:|see:|also at/);
  assert.match(text, /^▶ +2\.5 {2}S: 250 2\.1\.5 ok$/m);
});

test("a listing is told with its list, its provider and where to take it", () => {
  assert.equal(
    printed(listed).split("\n\n")[0],
    `rejected at greeting by mx01.mail.icloud.com [192.0.2.25]: 554 5.7.1 203.0.113.9 is listed in zen.spamhaus.org
class: ip-reputation (page) · list: Spamhaus ZEN · provider: iCloud Mail
do: Spamhaus ZEN: Look up on which of Spamhaus's lists the IP is and why; mend the cause there
    named, then remove it.
see: https://check.spamhaus.org/results?query=203.0.113.9`,
  );
});

test("another host's refusal that pages is told too, under a verdict that says accepted", () => {
  const [head] = printed(listed, welcome).split("\n\n");
  assert.match(
    head ?? "",
    /^accepted up to rcpt by mx\.example .*\n(?:note: .*\n)?also at greeting by mx01\.mail\.icloud\.com \[192\.0\.2\.25\]: 554 5\.7\.1 203\.0\.113\.9 is listed in zen\.spamhaus\.org\n {2}class: ip-reputation \(page\) · .*\n {2}do: .*\n {6}.*\n {2}see: https:\/\/check\.spamhaus\.org\/results\?query=203\.0\.113\.9$/,
  );
});

test("the primary is told once, and what does not page not again", () => {
  assert.doesNotMatch(printed(listed), /also at/);
  assert.doesNotMatch(printed(welcome, blocked, silent), /also at/);
  assert.equal(printed(listed, blocked).match(/is listed in zen/g)?.length, 2, "in the verdict and in the dialog");
});

test("a yes up to RCPT of a provider that refuses later is said to be no more than that", () => {
  assert.doesNotMatch(printed(welcome), /^note: /m);
  const gmail = { ...welcome, host: "gmail-smtp-in.l.google.com" };
  assert.match(printed(gmail), /^note: Gmail .*has refused an IP at message, and this went up to rcpt$/m);
  const icloud = { ...welcome, host: "mx01.mail.icloud.com" };
  assert.doesNotMatch(printed(icloud), /^note: /m);
  assert.doesNotMatch(printed({ ...silent, host: "gmail-smtp-in.l.google.com" }), /^note: /m);
});

test("a port other than 25 is told", () => {
  assert.match(printed({ ...welcome, port: 2525 }), /^accepted up to rcpt by mx\.example \[127\.0\.0\.1\]:2525: /);
});

test("several recipients have a line each", () => {
  const text = printed(
    transcript(
      [
        ...welcome.exchanges.slice(0, 3),
        exchange("rcpt", "RCPT TO:<a@mx.example>", "250 2.1.5 ok", { group: 2 }),
        exchange("rcpt", "RCPT TO:<longer@mx.example>", "550 5.1.1 no such user", { group: 2 }),
        exchange("quit", "QUIT", "221 bye", { group: 2 }),
      ],
      { recipients: ["a@mx.example", "longer@mx.example"] },
    ),
  );
  assert.match(text, /^rejected at rcpt by .*: 550 5\.1\.1 no such user\n/);
  assert.ok(
    text.includes(`recipients:
  a@mx.example       accepted up to rcpt: 250 2.1.5 ok
  longer@mx.example  rejected at rcpt: 550 5.1.1 no such user
`),
    text,
  );
  assert.equal(text.match(/^▶/gm)?.length, 1);
  assert.match(text, /^▶.*550 5\.1\.1 no such user$/m);
});

test("a failure without a reply is told in words, and its attempt is marked", () => {
  const text = printed(silent);
  assert.match(text, /^unanswered at connect by mx\.example \[127\.0\.0\.9\]: connection refused by 127\.0\.0\.9/);
  assert.match(text, /^▶ ended: connection refused by 127\.0\.0\.9$/m);
});

test("a host that closes without a word has its close marked", () => {
  const ending = { by: "fin", stage: "greeting", text: "connection closed while waiting for the greeting" } as const;
  const text = printed(transcript([exchange("greeting", null, null)], { ending }));
  assert.match(text, /^unanswered at greeting by /);
  assert.match(text, /^▶ +S! fin$/m);
});

test("every attempt is printed, and one alone is marked", () => {
  const text = printed(silent, blocked);
  assert.match(text, /^rejected at rcpt by mx\.example \[127\.0\.0\.1\]/);
  assert.match(text, /^mx\.example \[127\.0\.0\.9\], /m);
  assert.equal(text.match(/^▶/gm)?.length, 2, "the two lines of one reply");
});

for (const [retry, says] of [
  ["lock-step", /^ {2}asked again lock-step, because it refused commands that were pipelined$/m],
  ["without-chunking", /^ {2}asked again with DATA, because it refused BDAT/m],
  ["in-clear", /^ {2}asked again in the clear, because TLS failed$/m],
  ["more-recipients", /^ {2}asked again, because it takes no more recipients in one transaction$/m],
] as const) {
  test(`a host that was asked again (${retry}) is said to be`, () => {
    assert.match(printed(welcome, { ...blocked, retry }), says);
  });
}

test("TLS is told in a line: version, cipher, the certificate and whether it verifies", () => {
  const certificate = {
    names: ["mx.example", "*.mx.example"],
    issuer: "Example CA\x1b[0m",
    validFrom: "2026-01-01T00:00:00.000Z",
    validTo: "2027-01-01T00:00:00.000Z",
    verified: false,
    fault: "self-signed certificate",
  };
  const tls = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", certificate };
  assert.ok(
    printed({ ...welcome, tls }).includes(
      "\n  TLS: TLSv1.3, TLS_AES_256_GCM_SHA384; certificate for mx.example, *.mx.example, by Example CA\\x1b[0m, " +
        "valid from 2026-01-01T00:00:00.000Z to 2027-01-01T00:00:00.000Z, not verified (self-signed certificate)\n",
    ),
  );
  const trusted = { ...certificate, verified: true, fault: null };
  assert.match(printed({ ...welcome, tls: { ...tls, certificate: trusted } }), /, verified$/m);
});

test("a reply that was cut short is said to be", () => {
  const cut = { ...greeting, reply: reply(["554-5.7.1 listed"], { partial: true }) };
  const ending = { by: "fin", stage: "greeting", text: "connection closed inside a reply" } as const;
  assert.match(
    printed(transcript([cut], { ending })),
    /^rejected at greeting .*\n {2}\(cut short: the reply never ended\)\n/,
  );
});

test("nothing that a host, a certificate or a stored file says reaches the terminal as it came", () => {
  const evil = "\x1b[2J\u202e\x9b\r\n▶ accepted";
  const text = printed(
    transcript([{ ...greeting, reply: reply([`554 5.7.1 ${evil}`]) }], {
      host: evil,
      address: evil,
      localAddress: evil,
      recipients: [`a${evil}@b`, `c${evil}@d`],
      startedAt: evil,
      stop: { reason: "garbage", stage: "ehlo", status: null, text: evil },
      ending: { by: "fin", stage: "ehlo", text: evil },
    }),
  );
  assert.equal(visible(text), text);
  assert.doesNotMatch(text, /^▶ accepted/m, "a forged line");
});

test("the printed dialog can be pasted into test/dialogs/ with its margins", () => {
  const rows = printed(blocked)
    .split("\n")
    .filter((line) => /^(▶| ) .* [SC][:|!.]/.test(line));
  const { scripts } = parseDialog(["# pasted", ...rows, "=> rejected rcpt 554 5.7.0; ended by reset"].join("\n"), "x");
  assert.deepEqual(
    scripts[0].map((step) => step.kind),
    ["send", "line", "send", "send", "line", "line", "line", "send", "send", "send", "act"],
  );
});

test("several verdicts stand each under its domain; documents come one a line", () => {
  const verdict = judge([blocked], direct);
  assert.match(print(verdict, { ...people, alone: false }), /^mx\.example:\nrejected at rcpt by /);
  const line = print(verdict, { json: true, pretty: true, alone: false });
  assert.equal(line.indexOf("\n"), line.length - 1);
  assert.deepEqual(JSON.parse(line), verdict);
  const pretty = print(verdict, { json: true, pretty: true, alone: true });
  assert.match(pretty, /^\{\n {2}"v": 1,\n/);
  assert.deepEqual(JSON.parse(pretty), verdict);
});

test("a document is the same data, and safe to show", () => {
  const verdict = judge([transcript([{ ...greeting, reply: reply(["554 \x1b\x7f\x9b\u202e\ud800"]) }])], direct);
  const json = print(verdict, { json: true, pretty: false, alone: true });
  assert.deepEqual(JSON.parse(json), verdict);
  assert.equal(visible(json), json);
});

test("a host that sees us come from another address than the egress has is told below the meaning", () => {
  const hello = exchange("ehlo", "EHLO probe.example", "250 mx.example Hello [198.51.100.9]\u001b");
  const verdict = judge([{ ...blocked, exchanges: [greeting, hello, ...blocked.exchanges.slice(2)] }], direct);
  assert.doesNotMatch(print(verdict, people), /sees us come from/);
  const other = { ...verdict, egress: { ...verdict.egress, address: "203.0.113.7" } };
  assert.match(
    print(other, people),
    /^do: .*\nmx\.example sees us come from 198\.51\.100\.9, not from 203\.0\.113\.7: NAT, or another way out\n/m,
  );
});
