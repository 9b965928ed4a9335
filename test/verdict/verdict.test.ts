// Many attempts, one verdict (DESIGN §6, across hosts): what wins over what, retries, and what is always kept.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Stop, Transcript } from "../../functions/smtp/transcript.ts";
import { reconcile } from "../../functions/verdict/reconcile.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { transcripts } from "./generated.ts";
import { transcriptOf } from "./transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const envelope = "> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n";
const one = `${hello}${envelope}> QUIT\n`;
const two = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<a@mx.example>\n> RCPT TO:<b@mx.example>\n> QUIT\n`;

const accepted = `${one}< 250 ok\n< 250 2.1.5 ok\n< 221 bye`;
const listed = `${one}< 250 ok\n< 550 5.7.1 listed in bl.example\n< 221 bye`;
const noUser = `${one}< 250 ok\n< 550 5.1.1 no such user\n< 221 bye`;
const greylisted = `${one}< 250 ok\n< 450 4.2.0 greylisted\n< 221 bye`;
const busy = `${one}< 250 ok\n< 450 4.2.1 mailbox busy\n< 221 bye`;
const greeting = "< 554 5.7.1 no\n! fin";
const silent = "! timeout";
const cutAtEhlo = "< 220 mx\n> EHLO probe.example\n! fin";
const cutAtRcpt = `${one}< 250 ok\n! reset`;
const unknown = `${hello}${envelope}> DATA\n< 250 ok\n< 250 ok\n< 354 go on\n> .\n! fin`;
const pipelining = `${one}< 554 5.5.0 improper pipelining\n! fin`;

interface Row {
  readonly name: string;
  /** In the order tried; a retry is said so. */
  readonly attempts: readonly (string | { readonly says: string; readonly facts: Partial<Transcript> })[];
  /** Which attempt decides, counted from 0, and how. */
  readonly decides: number;
  readonly primary: string;
}

const rows: readonly Row[] = [
  { name: "one host", attempts: [noUser], decides: 0, primary: "rejected rcpt 550" },
  {
    name: "accepted wins over a refusal before it",
    attempts: [greeting, accepted],
    decides: 1,
    primary: "accepted rcpt 250",
  },
  {
    name: "accepted wins over a failure before it",
    attempts: [silent, accepted],
    decides: 1,
    primary: "accepted rcpt 250",
  },
  {
    name: "accepted wins over whatever comes behind it",
    attempts: [accepted, listed],
    decides: 0,
    primary: "accepted rcpt 250",
  },
  { name: "unknown wins over refusals", attempts: [listed, unknown], decides: 1, primary: "unknown message null" },
  { name: "accepted wins over unknown", attempts: [unknown, accepted], decides: 1, primary: "accepted rcpt 250" },
  {
    name: "a refusal is never replaced by a later host's time-out",
    attempts: [greeting, silent, silent],
    decides: 0,
    primary: "rejected greeting 554",
  },
  {
    name: "a 4yz is never replaced by a deeper failure",
    attempts: [greylisted, cutAtRcpt],
    decides: 0,
    primary: "deferred rcpt 450",
  },
  {
    name: "a refusal behind failures",
    attempts: [silent, cutAtRcpt, noUser],
    decides: 2,
    primary: "rejected rcpt 550",
  },
  {
    name: "5yz before 4yz, also when the 4yz is wider",
    attempts: [greylisted, noUser],
    decides: 1,
    primary: "rejected rcpt 550",
  },
  { name: "5yz before 4yz, in either order", attempts: [noUser, greylisted], decides: 0, primary: "rejected rcpt 550" },
  { name: "then the wider scope", attempts: [noUser, listed], decides: 1, primary: "rejected rcpt 550" },
  { name: "then the wider scope, of 4yz", attempts: [busy, greylisted], decides: 1, primary: "deferred rcpt 450" },
  { name: "then the first", attempts: [listed, listed, listed], decides: 0, primary: "rejected rcpt 550" },
  {
    name: "then the first, of equals in different words",
    attempts: [greeting, listed],
    decides: 0,
    primary: "rejected greeting 554",
  },
  {
    name: "of failures the deepest",
    attempts: [silent, cutAtRcpt, cutAtEhlo],
    decides: 1,
    primary: "unanswered rcpt null",
  },
  {
    name: "of failures as deep the first",
    attempts: [cutAtEhlo, cutAtEhlo],
    decides: 0,
    primary: "unanswered ehlo null",
  },
  {
    name: "a connection that failed is deeper than a host without address",
    attempts: [dns("no-address"), failed("192.0.2.2")],
    decides: 1,
    primary: "unanswered connect null",
  },
  {
    name: "a guarded address is deeper than DNS without an answer",
    attempts: [dns("dns-failed"), guarded()],
    decides: 1,
    primary: "unanswered connect null",
  },
  { name: "DNS says that there is no mail", attempts: [dns("no-mail-here")], decides: 0, primary: "rejected dns null" },

  {
    name: "lock-step is heard: accepted",
    attempts: [pipelining, retried("lock-step", accepted)],
    decides: 1,
    primary: "accepted rcpt 250",
  },
  {
    name: "lock-step is heard: a 4yz, although the first was 5yz",
    attempts: [pipelining, retried("lock-step", greylisted)],
    decides: 1,
    primary: "deferred rcpt 450",
  },
  {
    name: "lock-step is heard: narrower than the first",
    attempts: [pipelining, retried("lock-step", noUser)],
    decides: 1,
    primary: "rejected rcpt 550",
  },
  {
    name: "lock-step without an answer: the first 5yz stays",
    attempts: [pipelining, retried("lock-step", silent)],
    decides: 0,
    primary: "rejected mail 554",
  },
  {
    name: "lock-step without an answer, at a deeper stage",
    attempts: [pipelining, retried("lock-step", cutAtRcpt)],
    decides: 0,
    primary: "rejected mail 554",
  },
  {
    name: "in the clear: refused",
    attempts: [handshake(), retried("in-clear", listed)],
    decides: 1,
    primary: "rejected rcpt 550",
  },
  {
    name: "in the clear: no answer either",
    attempts: [handshake(), retried("in-clear", silent)],
    decides: 0,
    primary: "unanswered tls null",
  },
  {
    name: "in the clear, and then in lock-step",
    attempts: [handshake(), retried("in-clear", pipelining), retried("lock-step", greylisted)],
    decides: 2,
    primary: "deferred rcpt 450",
  },
  {
    name: "another host's session is no retry",
    attempts: [pipelining, greylisted],
    decides: 0,
    primary: "rejected mail 554",
  },
  {
    name: "a retry at another address is no retry of this one",
    attempts: [{ says: listed, facts: { address: "192.0.2.9" } }, handshake(), retried("in-clear", greylisted)],
    decides: 0,
    primary: "rejected rcpt 550",
  },
];

describe("across hosts", () => {
  for (const { name, attempts, decides, primary } of rows) {
    it(name, () => {
      const all = attempts.map((each, index) => attemptOf(each, index));
      const verdict = judge(all, "direct");
      const { stage, code, host } = verdict.primary;
      assert.equal(`${verdict.outcome} ${stage} ${code}`, primary);
      assert.equal(host, all[decides]?.host);
      assert.equal(verdict.attempts, all);
    });
  }
});

function attemptOf(attempt: Row["attempts"][number], index: number): Transcript {
  const { says, facts } = typeof attempt === "string" ? { says: attempt, facts: {} } : attempt;
  return transcriptOf(says, { host: `mx${index}.example`, recipients: ["x@mx.example"], ...facts });
}

function retried(retry: NonNullable<Transcript["retry"]>, says: string): Row["attempts"][number] {
  return { says, facts: { retry } };
}

function handshake(): Row["attempts"][number] {
  const stop: Stop = { reason: "handshake", stage: "tls", status: null, text: "TLS handshake failed" };
  return { says: `${hello}> STARTTLS\n< 220 go\n! us`, facts: { stop } };
}

function dns(reason: Stop["reason"]): Row["attempts"][number] {
  return unreached({ reason, stage: "dns", status: null, text: "DNS says so" }, null);
}

function guarded(): Row["attempts"][number] {
  return unreached({ reason: "guarded", stage: "connect", status: null, text: "not dialled" }, "127.0.0.1");
}

function unreached(stop: Stop, address: string | null): Row["attempts"][number] {
  return {
    says: "",
    facts: { stop, address, exchanges: [], ending: { by: "failed", stage: stop.stage, text: stop.text } },
  };
}

function failed(address: string): Row["attempts"][number] {
  return {
    says: "",
    facts: { address, exchanges: [], ending: { by: "failed", stage: "connect", text: "ECONNREFUSED" } },
  };
}

describe("several recipients", () => {
  it("each has the most telling word of all hosts, and the refusal is the verdict's", () => {
    const first = transcriptOf(`${two}< 250 ok\n< 250 2.1.5 a\n< 450 4.2.0 greylisted\n< 221 bye`, {
      host: "mx1.example",
    });
    const second = transcriptOf(`${one.replace("x@", "b@")}< 250 ok\n< 550 5.1.1 no such user\n< 221 bye`, {
      host: "mx2.example",
      address: "192.0.2.2",
    });
    const verdict = judge([first, second], "direct");
    assert.deepEqual(
      verdict.recipients.map(({ address, outcome, code }) => [address, outcome, code]),
      [
        ["a@mx.example", "accepted", 250],
        ["b@mx.example", "rejected", 550],
      ],
    );
    assert.deepEqual([verdict.outcome, verdict.primary.host, verdict.primary.code], ["rejected", "mx2.example", 550]);
  });

  it("accepted is the verdict only if everybody was", () => {
    const all = transcriptOf(`${two}< 250 ok\n< 250 2.1.5 a\n< 250 2.1.5 b\n< 221 bye`);
    assert.deepEqual([judge([all], "direct").outcome, judge([all], "direct").class], ["accepted", null]);
    const some = transcriptOf(`${two}< 250 ok\n< 250 2.1.5 a\n! fin`);
    assert.equal(judge([some], "direct").outcome, "unanswered");
  });

  it("the rest in another transaction: everybody accepted", () => {
    const first = transcriptOf(`${two}< 250 ok\n< 250 a\n< 452 4.5.3 too many recipients\n< 221 bye`);
    const rest = transcriptOf(`${one.replace("x@", "b@")}< 250 ok\n< 250 b\n< 221 bye`, { retry: "more-recipients" });
    assert.equal(judge([first, rest], "direct").outcome, "accepted");
  });

  it("somebody left unknown makes the verdict unknown, whoever else was refused", () => {
    const chunk = two.replace("> QUIT", "> BDAT 9 LAST\n> QUIT");
    const verdict = judge([transcriptOf(`${chunk}< 250 ok\n< 550 5.7.1 listed in bl.example\n! reset`)], "direct");
    assert.equal(verdict.outcome, "unknown");
    assert.deepEqual(
      verdict.recipients.map(({ outcome }) => outcome),
      ["rejected", "unknown"],
    );
  });
});

describe("the document", () => {
  it("keeps the peer's words verbatim, apart from our judgement", () => {
    const says = `${one}< 250 ok\n< 550-5.7.1 no,\n< 550 5.7.1 Grüße\n< 221 bye`;
    const { primary, consequences } = judge([transcriptOf(says)], "worker");
    assert.deepEqual(primary, {
      stage: "rcpt",
      command: "RCPT TO:<x@mx.example>",
      code: 550,
      status: "5.7.1",
      text: "550-5.7.1 no,\n550 5.7.1 Grüße",
      partial: false,
      host: "mx.example",
      address: "192.0.2.1",
      port: 25,
    });
    assert.deepEqual(consequences, []);
  });

  it("names the egress, and the address that a connection showed", () => {
    const without = transcriptOf(silent, { localAddress: null });
    assert.deepEqual(judge([without, transcriptOf(noUser)], "worker").egress, {
      name: "worker",
      address: "198.51.100.7",
    });
    assert.deepEqual(judge([without], "direct").egress, { name: "direct", address: null });
  });

  it("lists the consequences of all hosts, each with its own", () => {
    const first = transcriptOf(`${one}< 250 ok\n< 450 4.2.0 greylisted\n< 421 closing\n! fin`, { host: "mx1.example" });
    const second = transcriptOf(`${hello}> STARTTLS\n< 454 no\n${envelope}> QUIT\n< 250 ok\n< 250 ok\n< 221 bye`, {
      host: "mx2.example",
    });
    const { consequences, outcome } = judge([first, second], "direct");
    assert.deepEqual(
      consequences.map(({ host, code }) => [host, code]),
      [
        ["mx1.example", 421],
        ["mx2.example", 454],
      ],
    );
    assert.equal(outcome, "accepted");
  });
});

describe("for any attempts", () => {
  const attempts = fc.array(transcripts, { minLength: 1, maxLength: 4, size: "max" }).map((all) => {
    return all.map((each, index): Transcript => ({ ...each, host: `mx${index}.example`, address: `192.0.2.${index}` }));
  });

  it("every recipient has one word, the verdict is one of them, and no attempt is lost", () => {
    fc.assert(
      fc.property(attempts, (all) => {
        const verdict = judge(all, "direct");
        const everybody = [...new Set(all.flatMap(({ recipients }) => recipients))];
        assert.deepEqual(
          verdict.recipients.map(({ address }) => address),
          everybody,
        );
        assert.ok(
          verdict.recipients.some(({ outcome, text }) => outcome === verdict.outcome && text === verdict.primary.text),
        );
        assert.equal(verdict.attempts, all);
        assert.equal(verdict.class === null, verdict.outcome === "accepted");
      }),
      { numRuns: 1_000 },
    );
  });

  it("whoever one host accepted is accepted, and a refusal is never masked by a failure", () => {
    fc.assert(
      fc.property(attempts, (all) => {
        for (const { address, outcome } of judge(all, "direct").recipients) {
          const outcomes = all.flatMap((each) => reconcile(each).recipients).filter((each) => each.address === address);
          const has = (...kinds: readonly string[]): boolean =>
            outcomes.some(({ judgement }) => kinds.includes(judgement.outcome));
          assert.equal(outcome === "accepted", has("accepted"));
          if (outcome === "unanswered") assert.ok(!has("accepted", "unknown", "rejected", "deferred"));
          if (outcome === "deferred") assert.ok(!has("accepted", "unknown", "rejected"));
          if (outcome === "rejected") assert.ok(!has("accepted", "unknown"));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("it is a function of the stored attempts alone", () => {
    fc.assert(
      fc.property(attempts, (all) => {
        const stored = JSON.parse(JSON.stringify(all)) as Transcript[];
        assert.deepEqual(judge(stored, "direct"), judge(all, "direct"));
      }),
    );
  });
});
