// Postfix accepts and refuses by rules of its own, at every stage, and the verdict is its word.
import { after, before, test } from "node:test";
import { postfixMissing, startPostfix, type Postfix } from "./postfix.ts";
import { checkCase, type Case } from "./probe.ts";

type Row = Omit<Case, "port"> & { readonly port: keyof Postfix["ports"] };

const listed = "Service unavailable; client [127.0.0.1] blocked using the test list";
const client = "<unknown[127.0.0.1]>: Client host rejected: Access denied";

const rejected = { outcome: "rejected", exitStatus: 1, code: 554, status: "5.7.1" } as const;
const rows: readonly Row[] = [
  {
    name: "a mailbox is accepted",
    port: "plain",
    to: "ok@mx.example",
    depth: "rcpt",
    outcome: "accepted",
    exitStatus: 0,
    stage: "rcpt",
    code: 250,
    status: "2.1.5",
    words: "Ok",
  },
  {
    name: "a message is accepted",
    port: "plain",
    to: "ok@mx.example",
    depth: "message",
    outcome: "accepted",
    exitStatus: 0,
    stage: "message",
    code: 250,
    status: "2.0.0",
    words: "queued as",
  },
  {
    ...rejected,
    name: "a recipient is refused by an access rule",
    port: "plain",
    to: "blocked@mx.example",
    depth: "rcpt",
    stage: "rcpt",
    words: `<blocked@mx.example>: Recipient address rejected: ${listed}`,
  },
  {
    ...rejected,
    name: "a recipient is refused, and the message is not sent",
    port: "plain",
    to: "blocked@mx.example",
    depth: "message",
    stage: "rcpt",
    words: `<blocked@mx.example>: Recipient address rejected: ${listed}`,
  },
  {
    name: "a recipient is put off",
    port: "plain",
    to: "later@mx.example",
    depth: "rcpt",
    outcome: "deferred",
    exitStatus: 2,
    stage: "rcpt",
    code: 450,
    status: "4.2.0",
    words: "greylisted, come back in five minutes",
  },
  {
    ...rejected,
    name: "a sender is refused at MAIL",
    port: "plain",
    to: "ok@mx.example",
    options: ["--from", "bad@sender.example"],
    depth: "rcpt",
    stage: "mail",
    code: 550,
    words: "<bad@sender.example>: Sender address rejected: this sender is not welcome",
  },
  {
    ...rejected,
    name: "relaying is denied",
    port: "plain",
    to: "someone@elsewhere.example",
    depth: "rcpt",
    stage: "rcpt",
    words: "<someone@elsewhere.example>: Relay access denied",
  },
  {
    ...rejected,
    name: "a client is refused in the greeting",
    port: "atConnect",
    to: "ok@mx.example",
    depth: "rcpt",
    stage: "greeting",
    words: client,
    beforeTls: true,
  },
  {
    ...rejected,
    name: "a client is refused when it names a recipient",
    port: "delayed",
    to: "ok@mx.example",
    depth: "rcpt",
    stage: "rcpt",
    words: client,
  },
  {
    ...rejected,
    name: "DATA is refused",
    port: "atData",
    to: "ok@mx.example",
    depth: "message",
    stage: "data",
    words: "<DATA>: Data command rejected: Access denied",
  },
  {
    ...rejected,
    name: "the message is refused at its end",
    port: "atEnd",
    to: "ok@mx.example",
    depth: "message",
    stage: "message",
    words: "<END-OF-MESSAGE>: End-of-data rejected: Access denied",
  },
];

const skip = postfixMissing();
let postfix: Postfix | null = null;

before(async () => {
  if (skip === false) postfix = await startPostfix();
});
after(async () => postfix?.stop());

for (const tls of ["never", "require"] as const) {
  for (const row of rows) {
    test(`Postfix, TLS ${tls}: ${row.name}`, { skip }, async () => {
      await checkCase({ ...row, port: postfix?.ports[row.port] ?? 0 }, tls);
    });
  }
}
