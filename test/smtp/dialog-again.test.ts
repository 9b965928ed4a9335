// What the printer prints happens again: a session is held, printed, played by a mail host, and ends in the same verdict.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { probe } from "../../functions/route/attempts.ts";
import { dialogText } from "../../functions/smtp/dialog.ts";
import type { Transcript } from "../../functions/smtp/transcript.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { requestOf } from "../../infra/local/mail/dialog-probe.ts";
import { setupOf } from "../../infra/local/mail/dialog-setup.ts";
import { parseDialog, type Dialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts } from "../../infra/local/mail/mail-host.ts";

const hosts = new MailHosts();
after(() => hosts.close());

const hello = `S: 220 mx.example ESMTP
C: EHLO probe.example
S: 250-mx.example
S: 250 PIPELINING`;
const envelope = `C: MAIL FROM:<probe@sender.example>
C: RCPT TO:<someone@mx.example>`;

const dialogs: readonly (readonly [name: string, script: string])[] = [
  ["a refusal and a reset", `${hello}\n${envelope}\nC: QUIT\nS: 250 2.1.0 ok\nS: 554 5.7.0 blocked\nS! rst`],
  ["a refusal in several lines", `${hello}\n${envelope}\nC: QUIT\nS: 250 ok\nS: 550-5.7.1 a\nS: 550 5.7.1 b\nS! fin`],
  ["a refusal cut short", `${hello}\n${envelope}\nC: QUIT\nS: 250 ok\nS| 550 5.7.1 cut \\xe2\\x80\\xae\nS! fin`],
  ["a refusal in the greeting, in Latin-1", "S| 554 5.7.1 caf\\xe9 \\x1b[2J\\r\\n\nS! fin"],
  ["no word at all", "S! fin"],
  ["no SMTP", "S: SSH-2.0-OpenSSH_9.9\nS! hang"],
  ["a polite yes", `${hello}\n${envelope}\nC: QUIT\nS: 250 ok\nS: 250 2.1.5 ok\nS: 221 bye`],
  [
    "two recipients, each with an answer",
    `@ to a@mx.example b@mx.example
${hello}
C: MAIL FROM:<probe@sender.example>
C: RCPT TO:<a@mx.example>
C: RCPT TO:<b@mx.example>
C: QUIT
S: 250 ok
S: 250 2.1.5 ok
S: 550 5.1.1 unknown
S: 221 bye`,
  ],
  [
    "a message",
    `${hello}\n${envelope}\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC...\nS: 550 5.7.1 spam\nC: QUIT\nS: 221 bye`,
  ],
  [
    "a message in a chunk",
    `${hello.replace("250 PIPELINING", "250-PIPELINING\nS: 250-SIZE 100000\nS: 250 CHUNKING")}
C~ ^MAIL FROM:<probe@sender.example> SIZE=
C: RCPT TO:<someone@mx.example>
C~ ^BDAT
C...
C: QUIT
S: 250 ok
S: 250 ok
S: 250 2.0.0 queued
S: 221 bye`,
  ],
  [
    "STARTTLS",
    `${hello.replace("250 PIPELINING", "250 STARTTLS")}
C: STARTTLS
S: 220 go
S! tls
C: EHLO probe.example
S: 550 5.7.1 blocked
S! fin`,
  ],
  [
    "commands one at a time on a second connection",
    `${hello}
${envelope}
C: QUIT
S: 550 5.5.0 improper command pipelining
S! fin
--
${hello}
C: MAIL FROM:<probe@sender.example>
S: 250 ok
C: RCPT TO:<someone@mx.example>
S: 550 5.7.1 blocked
S! fin`,
  ],
  [
    "a message that was not begun, for that could not be written down",
    `@ depth message
@ commit no
${hello}
C: QUIT
S: 221 bye`,
  ],
];

for (const [name, script] of dialogs) {
  test(`${name} happens again as it was printed`, async () => {
    const first = await hold(parseDialog(`# ${name}\n${script}\n`, "first.smtp"));
    const { outcome, primary, recipients, attempts } = first;
    const { stage, code, status } = primary;
    const sessions = attempts as readonly [Transcript, ...Transcript[]];
    const printed = dialogText(sessions, { outcome, stage, code, status, recipients }, name);
    const dialog = parseDialog(printed, "printed.smtp");
    const again = await hold(dialog);
    assert.deepEqual(said(again), said(first), printed);
    const clauses = { ended: again.attempts.at(-1)?.ending.by };
    assert.deepEqual(dialog.expected, { outcome, stage, code, status, clauses }, printed);
  });
}

/** Holds the conversation with a host that plays it to the letter. */
async function hold(dialog: Dialog): Promise<Verdict> {
  await using host = await hosts.start(dialog);
  const verdict = await probe(requestOf(setupOf(dialog), host));
  assert.deepEqual(await host.result(), []);
  return verdict;
}

/** The verdict and what was said, without times, ports and the message's size. */
function said({ outcome, primary, recipients, attempts }: Verdict): unknown {
  const { stage, code, status, text, partial } = primary;
  const replies = attempts.map(({ exchanges }) => {
    // Whether our QUIT still left before the host's close was read is a matter of luck.
    const heard = exchanges.filter((each) => each.stage !== "quit" || each.reply !== null);
    return heard.map((exchange) => [exchange.stage, exchange.reply]);
  });
  return { outcome, stage, code, status, text, partial, recipients, replies };
}
