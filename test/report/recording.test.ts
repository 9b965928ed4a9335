// What is written down of a verdict: the row, what it changes between us and the provider, and the log's line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { entryText } from "../../functions/report/log.ts";
import { besideOthers, lateState, recordingOf, verdictEntry } from "../../functions/report/recording.ts";
import type { PairState } from "../../functions/state/pairs.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { transcriptOf } from "../verdict/transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const one = `${hello}> MAIL FROM:<probe@sender.example>\n> RCPT TO:<x@mx.example>\n> QUIT\n< 250 ok\n`;
const at = "2026-11-24T12:00:00.000Z";
const backOffMs = 30 * 60_000;

const before: PairState = {
  provider: "icloud",
  egress: "aws",
  block: null,
  clearedAt: null,
  last: null,
  notBefore: null,
};

function storedOf(reply: string, end = "< 221 bye"): Parameters<typeof recordingOf>[0] {
  const verdict = judge([transcriptOf(`${one}< ${reply}\n${end}`, { host: "mx01.mail.icloud.com" })], {
    name: "aws",
    address: null,
  });
  return { id: "a-1", provider: "icloud", egress: "aws", recipient: "x@mx.example", at, verdict, digest: "d" };
}

const listed = storedOf("550 5.7.1 198.51.100.7 is listed in zen.spamhaus.org", "! reset");

test("a refusal of the IP is a block from now on, told, and nobody is left alone for it", () => {
  const { stored, state } = recordingOf(listed, before, backOffMs);
  assert.deepEqual(stored, { ...listed, blocked: true, reported: false, duplicates: 0 });
  assert.deepEqual(state, {
    provider: "icloud",
    egress: "aws",
    block: { stage: "rcpt", host: "mx01.mail.icloud.com", since: at, id: "a-1" },
    clearedAt: null,
    last: { id: "a-1", at },
    notBefore: null,
  });
});

test("a provider that asked us to slow down is left alone for so long", () => {
  const { stored, state } = recordingOf(storedOf("450 4.2.0 greylisted"), before, backOffMs);
  assert.equal(stored.blocked, null);
  assert.equal(state.notBefore, "2026-11-24T12:30:00.000Z");
});

test("an accepted probe ends the block, and the back-off", () => {
  const block = { stage: "rcpt", host: "mx01.mail.icloud.com", since: "2026-11-24T10:00:00.000Z", id: "a-0" } as const;
  const state = { ...before, block, last: { id: "a-0", at: block.since }, notBefore: "2026-11-24T11:00:00.000Z" };
  const recording = recordingOf(storedOf("250 2.1.5 ok"), state, backOffMs);
  assert.equal(recording.stored.blocked, false);
  assert.deepEqual(recording.state, { ...before, clearedAt: at, last: { id: "a-1", at } });
});

const earlier = "2026-11-24T11:00:00.000Z";
const later = "2026-11-24T13:00:00.000Z";

for (const [what, clearedAt, block] of [
  ["nobody has got past one", null, true],
  ["a session got past one before it", earlier, true],
  ["a session got past it since", later, false],
] as const) {
  test(`a refusal that is written late ${block ? "stands" : "is over"} where ${what}`, () => {
    const since = { ...before, clearedAt, last: { id: "b-1", at: later }, notBefore: later };
    const state = lateState({ ...listed, blocked: true, reported: false, duplicates: 0 }, since, backOffMs);
    assert.equal(state.block?.id ?? null, block ? "a-1" : null);
    assert.deepEqual({ ...state, block: null }, { ...since, block: null });
  });
}

test("a yes that is written late ends no block, and a verdict that is the last one counts as ever", () => {
  const block = { stage: "rcpt", host: "mx01.mail.icloud.com", since: earlier, id: "b-0" } as const;
  const yes = { ...storedOf("250 2.1.5 ok"), blocked: false, reported: false, duplicates: 0 };
  const since = { ...before, block, last: { id: "b-1", at: later } };
  assert.deepEqual(lateState(yes, since, backOffMs), since);
  const first = { ...since, last: { id: "b-0", at: earlier } };
  assert.deepEqual(lateState(yes, first, backOffMs), recordingOf(storedOf("250 2.1.5 ok"), first, backOffMs).state);
});

const yes = storedOf("250 2.1.5 ok");
const stood = { stage: "rcpt", host: "mx01.mail.icloud.com", since: "2026-11-24T10:00:00.000Z", id: "a-0" } as const;
const last = { id: "b-1", at: earlier };
const since = { id: "b-1", at: later };
const greylisted = storedOf("450 4.2.0 greylisted");

for (const [name, said, pair, changes, blocked] of [
  ["of a send that was taken, with no block", yes, { ...before, last }, null, false],
  ["of a send that was taken, past a block", yes, { ...before, block: stood, last }, { block: null, clearedAt: at, last: { id: "a-1", at } }, false], // prettier-ignore
  ["of a refusal, the first", listed, before, { block: { ...stood, since: at, id: "a-1" }, last: { id: "a-1", at } }, true], // prettier-ignore
  ["of a refusal that was said before, so that nobody who comes late ends it", listed, { ...before, block: stood, last }, { last: { id: "a-1", at } }, true], // prettier-ignore
  ["of what says nothing of the block", greylisted, { ...before, block: stood, last }, null, null],
  ["of a yes that comes late, past a block", yes, { ...before, block: stood, last: since }, null, null],
  ["of a yes that comes late, with no block", yes, { ...before, last: since }, null, false],
  ["of a refusal that comes late", listed, { ...before, last: since }, { block: { ...stood, since: at, id: "a-1" } }, true], // prettier-ignore
  ["of a refusal that comes late, where one stands", listed, { ...before, block: stood, last: since }, null, true],
  ["of a refusal that comes late, and that a session has got past since", listed, { ...before, clearedAt: later, last: since }, null, true], // prettier-ignore
] as const) {
  test(`without the lease, of the pair is written ${changes === null ? "nothing" : "the block alone"} ${name}`, () => {
    assert.deepEqual(besideOthers(said, pair), { state: changes === null ? null : { ...pair, ...changes }, blocked });
  });
}

test("what is to be written is plain JSON: another process can write it, later", () => {
  const recording = recordingOf(listed, before, backOffMs);
  assert.deepEqual(JSON.parse(JSON.stringify(recording)), recording);
});

test("the log's line has the server's words, what they come to, and the conversation as a dialog to play again", () => {
  const { stored } = recordingOf(listed, before, backOffMs);
  const { dialog, remedy, rule, ...rest } = verdictEntry(stored);
  assert.deepEqual(rest, {
    level: "error",
    event: "verdict",
    id: "a-1",
    provider: "icloud",
    egress: "aws",
    recipient: "x@mx.example",
    at,
    outcome: "rejected",
    class: "ip-reputation",
    severity: "page",
    blocklist: "spamhaus-zen",
    stage: "rcpt",
    code: 550,
    status: "5.7.1",
    text: "550 5.7.1 198.51.100.7 is listed in zen.spamhaus.org",
    host: "mx01.mail.icloud.com",
    address: "192.0.2.1",
    blocked: true,
    policies: [],
    attempts: 1,
    decidedMs: 2,
  });
  assert.equal(remedy, stored.verdict.remedy?.url);
  assert.equal(rule, stored.verdict.rule);
  assert.ok(typeof dialog === "string" && dialog.includes("S: 550 5.7.1 198.51.100.7 is listed"), String(dialog));
  assert.ok(dialog.includes("=> rejected rcpt 550 5.7.1"), dialog);
  assert.equal(parseDialog(dialog, "logged.smtp").name, "mx01.mail.icloud.com at 2026-03-04T05:06:07.890Z: rejected at rcpt."); // prettier-ignore
  assert.equal(entryText(verdictEntry(stored), new Date(at)).split("\n").length, 1);
});

for (const [reply, level] of [
  ["550 5.7.1 198.51.100.7 is listed in zen.spamhaus.org", "error"],
  ["451 4.7.1 too many connections, slow down", "warn"],
  ["450 4.2.0 greylisted", "info"],
  ["250 2.1.5 ok", "info"],
] as const) {
  test(`"${reply}" is logged as ${level}`, () => {
    assert.equal(verdictEntry(recordingOf(storedOf(reply), before, backOffMs).stored).level, level);
  });
}

test("where nobody was reached, there is no dialog to play again", () => {
  const verdict = judge([transcriptOf("", { exchanges: [], ending: { by: "failed", stage: "connect", text: "no" } })], { name: "aws", address: null }); // prettier-ignore
  const { stored } = recordingOf({ ...listed, verdict }, before, backOffMs);
  const { dialog, code, stage } = verdictEntry(stored);
  assert.deepEqual({ dialog, code, stage }, { dialog: null, code: null, stage: "connect" });
});

test("the time to the decision is over all hosts: those before it to their end", () => {
  const first = transcriptOf("! timeout", { host: "mx1.example", timings: { connectedMs: 1, decidedMs: 90, endedMs: 100.4 } }); // prettier-ignore
  const verdict = judge([first, transcriptOf(`${one}< 250 ok\n< 221 bye`)], { name: "aws", address: null });
  const { stored } = recordingOf({ ...listed, verdict }, before, backOffMs);
  const { decidedMs, attempts } = verdictEntry(stored);
  assert.deepEqual({ decidedMs, attempts }, { decidedMs: 102, attempts: 2 });
});
