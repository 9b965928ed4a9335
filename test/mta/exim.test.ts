// Exim accepts and refuses by rules of its own, at every stage, and the verdict is its word.
import { after, before, test } from "node:test";
import { eximMissing, startExim, type Exim } from "./exim.ts";
import { checkCase, type Case } from "./probe.ts";

type Row = Omit<Case, "port"> & { readonly port: keyof Exim["ports"] };

const listed = "Service unavailable; client [127.0.0.1] blocked using the test list";

const accepted = { outcome: "accepted", exitStatus: 0, code: 250, status: null } as const;
const rejected = { outcome: "rejected", exitStatus: 1, code: 550, status: "5.7.1" } as const;
const rows: readonly Row[] = [
  {
    ...accepted,
    name: "a mailbox is accepted",
    port: "plain",
    to: "ok@mx.example",
    depth: "rcpt",
    stage: "rcpt",
    words: "Accepted",
  },
  {
    ...accepted,
    name: "a message is accepted by BDAT",
    port: "plain",
    to: "ok@mx.example",
    depth: "message",
    stage: "message",
    words: "OK id=",
  },
  {
    ...accepted,
    name: "a message is accepted by DATA",
    port: "noChunking",
    to: "ok@mx.example",
    depth: "message",
    stage: "message",
    words: "OK id=",
  },
  {
    ...rejected,
    name: "a client is refused in the greeting",
    port: "atConnect",
    to: "ok@mx.example",
    depth: "rcpt",
    stage: "greeting",
    words: listed,
    beforeTls: true,
  },
  {
    ...rejected,
    name: "our name is refused at EHLO",
    port: "plain",
    to: "ok@mx.example",
    options: ["--helo", "bad.example"],
    depth: "rcpt",
    stage: "ehlo",
    words: "HELO names a host that is not welcome",
    beforeTls: true,
  },
  {
    ...rejected,
    name: "a sender is refused at MAIL",
    port: "plain",
    to: "ok@mx.example",
    options: ["--from", "bad@sender.example"],
    depth: "rcpt",
    stage: "mail",
    words: "this sender is not welcome",
  },
  {
    ...rejected,
    name: "a recipient is refused",
    port: "plain",
    to: "blocked@mx.example",
    depth: "rcpt",
    stage: "rcpt",
    words: listed,
  },
  {
    ...rejected,
    name: "a recipient is refused, and the message is not sent",
    port: "plain",
    to: "blocked@mx.example",
    depth: "message",
    stage: "rcpt",
    words: listed,
  },
  {
    name: "a recipient is put off",
    port: "plain",
    to: "later@mx.example",
    depth: "rcpt",
    outcome: "deferred",
    exitStatus: 2,
    stage: "rcpt",
    code: 451,
    status: "4.2.0",
    words: "greylisted, come back in five minutes",
  },
  {
    ...rejected,
    name: "DATA is refused",
    port: "noChunking",
    to: "no-data@mx.example",
    depth: "message",
    stage: "data",
    words: "no data for this mailbox",
  },
  {
    ...rejected,
    name: "the message is refused by BDAT",
    port: "plain",
    to: "no-message@mx.example",
    depth: "message",
    stage: "message",
    words: "the message looks like spam",
  },
  {
    ...rejected,
    name: "the message is refused by DATA",
    port: "noChunking",
    to: "no-message@mx.example",
    depth: "message",
    stage: "message",
    words: "the message looks like spam",
  },
];

const skip = eximMissing();
let exim: Exim | null = null;

before(async () => {
  if (skip === false) exim = await startExim();
});
after(async () => exim?.stop());

for (const tls of ["never", "require"] as const) {
  for (const row of rows) {
    test(`Exim, TLS ${tls}: ${row.name}`, { skip }, async () => {
      await checkCase({ ...row, port: exim?.ports[row.port] ?? 0 }, tls);
    });
  }
}
