// What a verdict says of the holds on sends: who is held for what, and what lets them go.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { holdAfter } from "../../functions/send/hold.ts";
import { stages } from "../../functions/smtp/transcript.ts";
import type { Hold, HoldKey } from "../../functions/state/holds.ts";
import { classes } from "../../functions/verdict/classes.ts";
import type { SeverityOverrides } from "../../functions/verdict/severity.ts";
import { judge, type Verdict } from "../../functions/verdict/verdict.ts";
import { transcripts } from "../verdict/generated.ts";
import { transcriptOf } from "../verdict/transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const envelope = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n`;
const rcpt = (reply: string): string => `${envelope}> QUIT\n< 250 ok\n< ${reply}\n< 221 bye`;
const message = (reply: string): string =>
  `${envelope}> DATA\n< 250 ok\n< 250 ok\n< 354 go on\n> .\n< ${reply}\n> QUIT\n< 221 bye`;

const listed = "550 5.7.1 198.51.100.7 is listed in zen.spamhaus.org";
const noPtr = "550 5.7.25 198.51.100.7 has no PTR record";
const unsigned = "550 5.7.26 sender.example fails DMARC";
const domainListed = "550 5.7.1 sender.example is listed in dbl.spamhaus.org";

const ip: HoldKey = { about: "ip", provider: "icloud", egress: "aws" };
const domain: HoldKey = { about: "domain", provider: "icloud", domain: "sender.example" };

const earlier = "2026-11-24T10:00:00.000Z";
const at = "2026-11-24T12:00:00.000Z";
const later = "2026-11-24T13:00:00.000Z";
const said = { id: "new", at };

const before: Hold = {
  key: ip,
  stage: "rcpt",
  host: "mx.example",
  since: earlier,
  id: "old",
  lastAt: earlier,
  canaryAt: null,
  text: listed,
  class: "ip-reputation",
};

function verdictOf(says: string, overrides: SeverityOverrides = {}): Verdict {
  return judge([transcriptOf(says)], { name: "aws", address: null }, overrides);
}

describe("a refusal begins a hold", () => {
  for (const [reply, kind, key] of [
    [listed, "ip-reputation", ip],
    ["451 4.7.1 your IP is temporarily blocked because of bad reputation", "ip-reputation", ip],
    [noPtr, "reverse-dns", ip],
    [unsigned, "authentication", domain],
    [domainListed, "domain-reputation", domain],
  ] as const) {
    it(`of the ${key.about}: "${reply}"`, () => {
      const other = key === ip ? domain : ip;
      const verdict = verdictOf(rcpt(reply));
      assert.deepEqual(holdAfter(verdict, key, null, said), {
        key,
        stage: "rcpt",
        host: "mx.example",
        since: at,
        id: "new",
        lastAt: at,
        canaryAt: null,
        text: reply,
        class: kind,
      });
      assert.equal(holdAfter(verdict, other, null, said), null);
    });
  }

  it("also where the operator has the class wake nobody: that is no wish to burn mail on it", () => {
    const verdict = verdictOf(rcpt(listed), { "ip-reputation": "info" });
    assert.deepEqual(verdict.findings, []);
    assert.equal(holdAfter(verdict, ip, null, said)?.stage, "rcpt");
  });

  it("with no more of the server's words than a row wants", () => {
    assert.equal(holdAfter(verdictOf(rcpt(`${listed} ${"x".repeat(800)}`)), ip, null, said)?.text.length, 500);
  });

  for (const reply of [
    "450 4.2.0 greylisted",
    "451 4.7.1 too many connections, slow down",
    "550 5.1.1 no such user",
    "552 5.2.2 mailbox full",
    "550 5.7.1 this message was taken for spam",
    "550 no",
    "250 ok",
  ]) {
    it(`but not "${reply}"`, () => {
      for (const key of [ip, domain]) assert.equal(holdAfter(verdictOf(message(reply)), key, null, said), null);
    });
  }

  it("nor a host that nobody reached", () => {
    assert.equal(holdAfter(verdictOf("! timeout"), ip, null, said), null);
  });
});

describe("a hold", () => {
  const after = (says: string, hold: Hold | null = before): Hold | null => holdAfter(verdictOf(says), ip, hold, said);

  it("that is said again goes on from its first word, and is known to stand now", () => {
    const canaryAt = "2026-11-24T11:00:00.000Z";
    assert.deepEqual(after(rcpt(noPtr), { ...before, canaryAt }), {
      ...before,
      canaryAt,
      lastAt: at,
      text: noPtr,
      class: "reverse-dns",
    });
  });

  it("moves to a later stage with the words that were said there", () => {
    assert.deepEqual(after(message(noPtr)), {
      ...before,
      stage: "message",
      lastAt: at,
      text: noPtr,
      class: "reverse-dns",
    });
  });

  it("keeps its stage and words where an earlier stage refuses", () => {
    const deep: Hold = { ...before, stage: "message" };
    assert.deepEqual(after(rcpt(noPtr), deep), { ...deep, lastAt: at });
  });

  it("ends where a session got past its stage, whatever was refused beyond", () => {
    assert.equal(after(rcpt("250 ok")), null);
    assert.equal(after(message("550 5.7.1 this message was taken for spam")), null);
  });

  it("stays, and is not touched, where nothing is said of it", () => {
    const deep: Hold = { ...before, stage: "message" };
    assert.equal(after(rcpt("250 ok"), deep), deep);
    for (const says of [rcpt("450 4.2.0 greylisted"), rcpt("550 5.1.1 no such user"), "! timeout"]) {
      assert.equal(after(says), before);
    }
    assert.equal(holdAfter(verdictOf(rcpt(unsigned)), ip, before, said), before);
  });

  it("stays where the session that got past it was over before it was said again", () => {
    const fresh: Hold = { ...before, lastAt: later };
    assert.equal(after(rcpt("250 ok"), fresh), fresh);
    assert.equal(after(rcpt(listed), fresh)?.lastAt, later);
  });
});

test("a hold begins only for a class that is about what it holds, and ends only by a session without such a refusal", () => {
  const standing = fc.constantFrom(null, ...stages.map((stage): Hold => ({ ...before, stage })));
  const verdicts = fc
    .array(transcripts, { minLength: 1, maxLength: 3 })
    .map((all) => judge(all, { name: "aws", address: null }));
  let held = 0;
  fc.assert(
    fc.property(verdicts, standing, fc.constantFrom(ip, domain), (verdict, hold, key) => {
      const isTold = (kind: Verdict["class"]): boolean => kind !== null && classes[kind].about === key.about;
      const isIn = verdict.recipients.some(({ outcome }) => outcome === "accepted");
      const isHeld = !isIn && verdict.findings.some(({ class: kind }) => isTold(kind));
      const after = holdAfter(verdict, key, hold === null ? null : { ...hold, key }, said);
      if (isHeld) held += 1;
      if (isHeld) assert.ok(after !== null && after.lastAt === at);
      else if (hold === null) assert.equal(after, null);
      if (after === null || hold === null) return;
      assert.deepEqual([after.since, after.id], [hold.since, hold.id]);
      assert.ok(stages.indexOf(after.stage) >= stages.indexOf(hold.stage));
    }),
    { numRuns: 1_000 },
  );
  assert.ok(held > 100, `only ${held} were told`);
});
