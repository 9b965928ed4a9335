// Plays every conversation of test/dialogs on a real socket and compares the verdict: in the clear, under STARTTLS,
// octet by octet, and with our event loop busy at the worst moment.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { probe, type ProbeRequest } from "../functions/route/attempts.ts";
import { parseAddress, type Address } from "../functions/smtp/address.ts";
import { judge, type Verdict } from "../functions/verdict/verdict.ts";
import { setupOf, type Setup } from "../infra/local/dialog-setup.ts";
import { parseDialog, type Dialog, type Way } from "../infra/local/dialog.ts";
import { MailHosts } from "../infra/local/mail-host.ts";
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
  await using host = await hosts.start(dialog, { tls: way === "tls", bytes: way === "bytes" });
  using _busy = way === "busy" ? busyAroundWrites(50) : null;
  const verdict = await probe(requestOf(setupOf(dialog), host.port, way));
  compare(verdict, dialog, way);
  assert.deepEqual(await host.result(), []);
  // A stored transcript gives the same verdict.
  assert.deepEqual(judge(JSON.parse(JSON.stringify(verdict.attempts)) as Verdict["attempts"], "direct"), verdict);
}

function compare(verdict: Verdict, dialog: Dialog, way: Way): void {
  const { expected, recipients } = dialog;
  assert.ok(expected !== null, `${dialog.file} expects no verdict: end it with "=> outcome stage code status"`);
  const { outcome, stage, code, status, clauses } = expected;
  const { primary } = verdict;
  const got = { outcome: verdict.outcome, stage: primary.stage, code: primary.code, status: primary.status };
  assert.deepEqual(got, { outcome, stage, code, status }, JSON.stringify(verdict, null, 1));
  const actual: Readonly<Record<string, string | null>> = {
    class: verdict.class,
    ended: verdict.attempts.at(-1)?.ending.by ?? null,
    partial: primary.partial ? "" : null,
    consequences: String(verdict.consequences.length),
    attempts: String(verdict.attempts.length),
    retry: verdict.attempts.at(-1)?.retry ?? null,
  };
  for (const [key, value] of Object.entries(clauses)) {
    if (key === "text") assert.ok(primary.text.includes(value), `"${primary.text}" does not hold "${value}"`);
    // Between a busy loop and a close of ours, who ended first is a matter of luck.
    else if (key !== "ended" || way === "clear") assert.equal(actual[key], value, `${key} of the verdict`);
  }
  for (const { address, ...expectation } of recipients) {
    const found = verdict.recipients.find((each) => each.address === address);
    assert.ok(found !== undefined, `no verdict for ${address}`);
    const { outcome: its, stage: at, code: said, status: with_ } = found;
    assert.deepEqual({ outcome: its, stage: at, code: said, status: with_ }, expectation, `verdict for ${address}`);
  }
}

function requestOf(setup: Setup, port: number, way: Way): ProbeRequest {
  return {
    recipients: setup.recipients.map(addressOf),
    hosts: [{ name: "127.0.0.1", port }],
    from: setup.from,
    helo: setup.helo,
    depth: setup.depth,
    message: messageOf(setup.message),
    tls: way === "tls" && setup.tls === "never" ? "opportunistic" : setup.tls,
    timeoutMs: setup.timeoutMs ?? 30_000,
    resolver: null,
    allowPrivate: false,
    signal: null,
    progress: null,
  };
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if ("fault" in address) throw new Error(address.fault);
  return address;
}

function messageOf(kind: Setup["message"]): Buffer | null {
  switch (kind) {
    case "small":
      return null;
    case "given":
      return Buffer.from("Subject: given\n\n.a line that begins with a dot\nthe end\n");
    case "8bit":
      return Buffer.from("Subject: 8-bit\r\n\r\nGrüße\r\n");
    case "large":
      return Buffer.concat([Buffer.from("Subject: large\r\n\r\n"), Buffer.alloc(8_000_000, "0123456789abcdef\r\n")]);
  }
}
