// Sends as the send function makes them, to Exim and Postfix: a message of a megabyte, with lines that begin with dots and
// octets of 8 bits, said to be on its way before it is, and taken whole. Exim refuses a message that is not what it was
// said to be; what it does with one, nobody here asks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { probe } from "../../functions/route/attempts.ts";
import { requestTo } from "../support/request.ts";
import { eximMissing, startExim, type Exim } from "./exim.ts";
import type { MailServer } from "./mail-server.ts";
import { postfixMissing, startPostfix, type Postfix } from "./postfix.ts";

interface Row {
  readonly name: string;
  readonly skip: string | false;
  readonly port: () => number | undefined;
  /** Words that only the server knows. */
  readonly words: string;
}

const missing = { exim: eximMissing(), postfix: postfixMissing() };
let exim: Exim | null = null;
let postfix: Postfix | null = null;

const rows: readonly Row[] = [
  { name: "Exim, by BDAT", skip: missing.exim, port: () => exim?.ports.plain, words: "OK id=" },
  { name: "Exim, by DATA", skip: missing.exim, port: () => exim?.ports.noChunking, words: "OK id=" },
  { name: "Postfix, by BDAT", skip: missing.postfix, port: () => postfix?.ports.plain, words: "queued as" },
  { name: "Postfix, by DATA", skip: missing.postfix, port: () => postfix?.ports.noChunking, words: "queued as" },
];

before(async () => {
  if (missing.exim === false) exim = await startExim();
  if (missing.postfix === false) postfix = await startPostfix();
});
after(async () => {
  const servers: readonly (MailServer | null)[] = [exim, postfix];
  for (const each of servers) await each?.stop();
});

for (const tls of ["never", "require"] as const) {
  for (const { name, skip, port, words } of rows) {
    test(`a megabyte with dots and 8 bits is sent to ${name}, TLS ${tls}`, { skip }, async () => {
      let commits = 0;
      const hosts = [{ name: "127.0.0.1", port: port() ?? 0 }];
      const verdict = await probe(
        requestTo(["ok@mx.example", "blocked@mx.example"], hosts, {
          depth: "message",
          message,
          tls,
          bodyMs: 10_000,
          commit: async () => {
            commits += 1;
            return await Promise.resolve(true);
          },
        }),
      );
      const [taken, refused] = verdict.recipients;
      assert.deepEqual(
        [taken?.outcome, taken?.stage, taken?.code, refused?.outcome, refused?.stage],
        ["accepted", "message", 250, "rejected", "rcpt"],
        JSON.stringify(verdict.recipients),
      );
      assert.ok(taken?.text.includes(words), `${JSON.stringify(taken?.text)} holds ${JSON.stringify(words)}`);
      assert.equal(commits, 1);
    });
  }
}

const head = [
  "From: <orders@sender.example>",
  "To: <ok@mx.example>",
  "Subject: a megabyte",
  "Date: Sun, 29 Nov 2026 09:00:00 +0000",
  "Message-ID: <megabyte@sender.example>",
  "MIME-Version: 1.0",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: 8bit",
];
const lines = [".", "..", ".leading dot", "Grüße, 你好", "a line that says nothing", ""];
const some = Buffer.from(`${lines.join("\r\n")}\r\n`);
const message = Buffer.concat([
  Buffer.from(`${head.join("\r\n")}\r\n\r\n`),
  ...Array.from({ length: Math.ceil(1_048_576 / some.length) }, () => some),
]);
