// Plays every conversation of test/dialogs on a real socket and compares the verdict: in the clear, under STARTTLS,
// octet by octet, and with our event loop busy at the worst moment.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { probe } from "../functions/route/attempts.ts";
import { direct } from "../functions/route/egress.ts";
import { judge, type Verdict } from "../functions/verdict/verdict.ts";
import { requestOf, surprises } from "../infra/local/mail/dialog-probe.ts";
import { setupOf } from "../infra/local/mail/dialog-setup.ts";
import { parseDialog, type Dialog, type Way } from "../infra/local/mail/dialog.ts";
import { MailHosts } from "../infra/local/mail/mail-host.ts";
import { busyAroundWrites } from "./support/busy.ts";

const folder = new URL("./dialogs/", import.meta.url);
const only = process.env["DIALOG"] ?? "";
const hosts = new MailHosts();
after(() => hosts.close());

const dialogs = readdirSync(folder)
  .filter((file) => file.endsWith(".smtp") && file.includes(only))
  .map((file) => parseDialog(readFileSync(new URL(file, folder), "utf8"), file));

// Most dialogs wait more than they work; only a busy loop wants the process for itself.
describe("dialogs", { concurrency: 8 }, () => {
  for (const dialog of dialogs) {
    for (const way of setupOf(dialog).ways.filter((each) => each !== "busy")) {
      it(`${dialog.file}, ${way}: ${dialog.name}`, () => play(dialog, way));
    }
  }
});

describe("dialogs, with our event loop busy", () => {
  for (const dialog of dialogs.filter((each) => setupOf(each).ways.includes("busy"))) {
    it(`${dialog.file}: ${dialog.name}`, () => play(dialog, "busy"));
  }
});

async function play(dialog: Dialog, way: Way): Promise<void> {
  const { expected } = dialog;
  assert.ok(expected !== null, `${dialog.file} expects no verdict: end it with "=> outcome stage code status"`);
  await using host = await hosts.start(dialog, { tls: way === "tls", bytes: way === "bytes" });
  using _busy = way === "busy" ? busyAroundWrites(50) : null;
  const setup = setupOf(dialog);
  const tls = way === "tls" && setup.tls === "never" ? "opportunistic" : setup.tls;
  const verdict = await probe(requestOf({ ...setup, tls }, host));
  // Between a busy loop and a close of ours, who ended first is a matter of luck.
  const { ended, ...clauses } = expected.clauses;
  const asserted = { ...expected, clauses: way === "clear" && ended !== undefined ? { ...clauses, ended } : clauses };
  assert.deepEqual(surprises({ ...dialog, expected: asserted }, verdict), [], JSON.stringify(verdict, null, 1));
  assert.deepEqual(await host.result(), []);
  // A stored transcript gives the same verdict.
  assert.deepEqual(judge(JSON.parse(JSON.stringify(verdict.attempts)) as Verdict["attempts"], direct), verdict);
}
