// Recipients' local parts, taken out of verdicts: nowhere left before their domain, and nothing else changed.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { masked, maskedAddress } from "../../functions/state/mask.ts";
import { judge, type Verdict } from "../../functions/verdict/verdict.ts";
import { transcripts } from "../verdict/generated.ts";
import { transcriptOf } from "../verdict/transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";

function verdictTo(address: string, reply: string): Verdict {
  const says = `${hello}> MAIL FROM:<probe@sender.example>\n> RCPT TO:<${address}>\n> QUIT\n< 250 ok\n< ${reply}\n< 221 bye`; // prettier-ignore
  return judge([transcriptOf(says)], { name: "aws", address: null });
}

for (const [name, address, says, shown] of [
  [
    "in angle brackets",
    "probe@mx.example",
    "550 5.1.1 <probe@mx.example>: no such user",
    "550 5.1.1 <p***@mx.example>: no such user",
  ],
  ["in other capitals", "probe@mx.example", "550 5.1.1 PROBE@MX.Example unknown", "550 5.1.1 p***@MX.Example unknown"],
  ["twice", "probe@mx.example", "550 probe@mx.example, probe@mx.example", "550 p***@mx.example, p***@mx.example"],
  [
    "alone, in brackets or quotes",
    "probe@mx.example",
    "550 <probe> \"probe\" 'probe' unknown",
    "550 <p***> \"p***\" 'p***' unknown",
  ],
  [
    "as a part of another's",
    "probe@mx.example",
    "550 my.probe@mx.example probe2@mx.example",
    "550 my.probe@mx.example probe2@mx.example",
  ],
  [
    "at another domain",
    "probe@mx.example",
    "550 probe@sender.example is no sender",
    "550 probe@sender.example is no sender",
  ],
  ["as a word of the reply", "probe@mx.example", "550 we probe no probe", "550 we probe no probe"],
  [
    "with marks that mean something in patterns",
    "a+b.c@mx.example",
    "550 a+b.c@mx.example aab0c@mx.example",
    "550 a***@mx.example aab0c@mx.example",
  ],
  ["of one letter", "p@mx.example", "550 p@mx.example", "550 p***@mx.example"],
  ["beyond ASCII", "ünal@mx.example", "550 Ünal@mx.example", "550 ü***@mx.example"],
  ["quoted", '"a b"@mx.example', '550 "a b"@mx.example', '550 "***@mx.example'],
] as const) {
  // prettier-ignore
  test(`a local part ${name} is shown as ${shown.slice(4)}`, () => {
    assert.equal(masked(verdictTo(address, says)).primary.text, shown);
  });
}

test("it is masked in commands, recipients and endings too", () => {
  const text = JSON.stringify(masked(verdictTo("probe@mx.example", "550 5.1.1 <probe@mx.example> unknown")));
  assert.ok(!/probe@mx\.example/i.test(text));
  assert.ok(text.includes("RCPT TO:<p***@mx.example>"));
  assert.ok(text.includes("MAIL FROM:<probe@sender.example>"));
});

test("a verdict that is masked is judged again to the same", () => {
  const verdict = masked(verdictTo("probe@mx.example", "550 5.1.1 <probe@mx.example> unknown"));
  assert.deepEqual(judge(verdict.attempts, { name: "aws", address: null }), verdict);
});

test("an address is masked on its own, up to its last @", () => {
  assert.equal(maskedAddress("probe@mx.example"), "p***@mx.example");
  assert.equal(maskedAddress('"a@b"@mx.example'), '"***@mx.example');
});

const local = fc.stringMatching(/^[a-z0-9][a-z0-9.+_-]{0,12}$/);
const domain = fc.constantFrom("mx.example", "icloud.example", "a-b.example");

test("nowhere is a local part left before its domain, and codes, statuses and our judgement stay", () => {
  const words = fc.constantFrom("<A>", "A", "(A)", "for A:", "a=A", "mailto:A", "A;A", "user unknown", "rcpt");
  fc.assert(
    fc.property(local, domain, fc.array(words, { maxLength: 4 }), fc.boolean(), (local, domain, words, isLoud) => {
      const address = `${local}@${domain}`;
      const text = words.join(" ").replaceAll("A", isLoud ? address.toUpperCase() : address);
      const verdict = verdictTo(address, `550 5.1.1 ${text}`);
      const shown = masked(verdict);
      const escaped = local.replaceAll(/[.+]/g, "\\$&");
      assert.ok(!new RegExp(`(?<![\\w.+-])${escaped}@${domain}`, "i").test(JSON.stringify(shown)));
      const judgement = ({ primary, recipients, attempts, ...others }: Verdict): unknown[] => [
        { ...others, consequences: [], findings: others.findings.length },
        [primary.stage, primary.code, primary.status, primary.partial, primary.host],
        recipients.map(({ outcome, code, status, stage }) => [outcome, code, status, stage]),
        attempts.map(({ exchanges, ending }) => [exchanges.map(({ stage, reply }) => [stage, reply?.code, reply?.status]), ending.by]),
      ]; // prettier-ignore
      assert.deepEqual(judgement(shown), judgement(verdict));
    }),
  );
});

describe("whatever was said", () => {
  it("the document keeps its shape, its recipients masked", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        const verdict = judge([transcript], { name: "aws", address: null });
        const once = masked(verdict);
        assert.deepEqual(keysOf(once), keysOf(verdict));
        for (const { address } of once.recipients) assert.match(address, /^[abc]\*\*\*@mx\.example$/);
      }),
    );
  });
});

/** Every place in a document. */
function keysOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.entries(value).map(([name, each]) => [name, keysOf(each)]);
}
