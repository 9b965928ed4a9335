// From verdicts to figures, in tables; and what a verdict says of a block, which must hide none.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { blockAfter } from "../../functions/report/block.ts";
import { figuresOf, selfCheckFigures, type Figure } from "../../functions/report/figures.ts";
import {
  blockClass,
  egressMetrics,
  misconfigurations,
  pairMetrics,
  rejections,
  type MetricName,
} from "../../functions/report/names.ts";
import { skippedFigure } from "../../functions/report/probed.ts";
import { stages, type Transcript } from "../../functions/smtp/transcript.ts";
import type { Block } from "../../functions/state/pairs.ts";
import type { SeverityOverrides } from "../../functions/verdict/severity.ts";
import { judge, type Verdict } from "../../functions/verdict/verdict.ts";
import { noPtr, notInSpf, selfCheckOf, silentLists, storedSelfCheck } from "../page/sample.ts";
import { transcripts } from "../verdict/generated.ts";
import { transcriptOf } from "../verdict/transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const envelope = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n`;
const message = `${envelope}> DATA\n< 250 ok\n< 250 ok\n< 354 go on\n> .\n`;
const rcpt = (reply: string): string => `${envelope}> QUIT\n< 250 ok\n< ${reply}\n< 221 bye`;

const listed = "550 5.7.1 198.51.100.7 is listed in bl.example";
const accepted = rcpt("250 2.1.5 ok");
const blocked = rcpt(listed);
const blockedAtGreeting = "< 554 5.7.1 198.51.100.7 is listed in bl.example\n! fin";
const blockedAtMail = `${envelope}> QUIT\n< ${listed}\n< 503 no\n< 221 bye`;
const blockedAtMessage = `${message}< ${listed}\n> QUIT\n< 221 bye`;
const acceptedAtMessage = `${message}< 250 ok\n> QUIT\n< 221 bye`;
const unknown = `${message}! fin`;
const greylisted = rcpt("450 4.2.0 greylisted");
const noUser = rcpt("550 5.1.1 no such user");
const silent = "! timeout";
const silentAtRcpt = `${envelope}> QUIT\n< 250 ok\n! timeout`;
const nobodyThere: Partial<Transcript> = {
  exchanges: [],
  ending: { by: "failed", stage: "connect", text: "ECONNREFUSED" },
  timings: { connectedMs: null, decidedMs: 2, endedMs: 3 },
};

type Said = string | { readonly says: string; readonly facts: Partial<Transcript> };

function verdictOf(attempts: readonly Said[], overrides: SeverityOverrides = {}): Verdict {
  const all = attempts.map((each) => {
    return typeof each === "string" ? transcriptOf(each) : transcriptOf(each.says, each.facts);
  });
  return judge(all, { name: "aws", address: null }, overrides);
}

function at(host: string, says: string): Said {
  return { says, facts: { host } };
}

interface Row {
  readonly name: string;
  readonly attempts: readonly Said[];
  readonly overrides?: SeverityOverrides;
  /** What blockAfter said. */
  readonly blocked: boolean | null;
  /** The figures that are not 0, `name` or `name=value`, in any order. */
  readonly pair: string;
  readonly classes?: string;
  readonly egress: string;
}

const rows: readonly Row[] = [
  {
    name: "accepted",
    attempts: [accepted],
    blocked: false,
    pair: "Attempts Accepted SessionTime=2",
    egress: "Attempts",
  },
  {
    name: "the IP is refused",
    attempts: [blocked],
    blocked: true,
    pair: "Attempts Rejected Blocked SessionTime=2",
    classes: "ip-reputation",
    egress: "Attempts",
  },
  {
    name: "the IP is refused for the time being",
    attempts: [rcpt("450 4.7.1 198.51.100.7 is listed in bl.example")],
    blocked: true,
    pair: "Attempts Deferred Blocked SessionTime=2",
    classes: "ip-reputation",
    egress: "Attempts",
  },
  {
    name: "greylisted: counted by its class, and nobody is woken",
    attempts: [greylisted],
    blocked: null,
    pair: "Attempts Deferred SessionTime=2",
    classes: "greylist",
    egress: "Attempts",
  },
  {
    name: "asked to slow down, which pages here",
    attempts: [rcpt("451 4.7.1 too many connections, slow down")],
    overrides: { "rate-limit": "page" },
    blocked: null,
    pair: "Attempts Deferred Refused SessionTime=2",
    classes: "rate-limit",
    egress: "Attempts",
  },
  {
    name: "no connection: nothing of a session",
    attempts: [{ says: "", facts: nobodyThere }],
    blocked: null,
    pair: "Attempts Unanswered",
    egress: "Attempts Unreachable",
  },
  {
    name: "connected and never greeted: the way out is fine",
    attempts: [silent],
    blocked: null,
    pair: "Attempts Unanswered SessionTime=2",
    egress: "Attempts",
  },
  {
    name: "one host that cannot be reached, and one that answers: the way out is fine",
    attempts: [{ says: "", facts: nobodyThere }, at("mx2.example", accepted)],
    blocked: null,
    pair: "Attempts Accepted SessionTime=2",
    egress: "Attempts",
  },
  {
    name: "sent and never answered: nobody has answered",
    attempts: [unknown],
    blocked: null,
    pair: "Attempts Unanswered SessionTime=2",
    egress: "Attempts",
  },
  {
    name: "no such mailbox: a class that wakes nobody",
    attempts: [noUser],
    blocked: null,
    pair: "Attempts Rejected SessionTime=2",
    classes: "mailbox-unknown",
    egress: "Attempts",
  },
  {
    name: "the domain's reputation",
    attempts: [rcpt("550 5.7.1 sender domain s.example is listed in dbl.spamhaus.org")],
    blocked: null,
    pair: "Attempts Rejected Refused SessionTime=2",
    classes: "domain-reputation",
    egress: "Attempts",
  },
  {
    name: "a broken conversation",
    attempts: [rcpt("550 5.5.1 bad sequence of commands")],
    blocked: null,
    pair: "Attempts Rejected Refused SessionTime=2",
    classes: "protocol",
    egress: "Attempts",
  },
  {
    name: "no reverse DNS: ours to mend, with an alarm of its own",
    attempts: [rcpt("450 4.7.25 cannot find your reverse hostname, [198.51.100.7]")],
    blocked: null,
    pair: "Attempts Deferred SessionTime=2",
    classes: "reverse-dns",
    egress: "Attempts Misconfigured",
  },
  {
    name: "not authenticated",
    attempts: [rcpt("550 5.7.26 unauthenticated mail is not accepted")],
    blocked: null,
    pair: "Attempts Rejected SessionTime=2",
    classes: "authentication",
    egress: "Attempts Misconfigured",
  },
  {
    name: "a HELO name that does not resolve",
    attempts: [rcpt("550 5.7.1 HELO name does not resolve")],
    blocked: null,
    pair: "Attempts Rejected SessionTime=2",
    classes: "helo",
    egress: "Attempts Misconfigured",
  },
  {
    name: "two hosts find the set-up at fault: one verdict all the same",
    attempts: [
      at("mx1.example", "< 554 5.7.25 no reverse DNS for 198.51.100.7\n! fin"),
      at("mx2.example", rcpt("550 5.7.1 HELO name does not resolve")),
    ],
    blocked: null,
    pair: "Attempts Rejected SessionTime=2 SessionTime=2",
    classes: "reverse-dns helo",
    egress: "Attempts Misconfigured RepliesUnmasked",
  },
  {
    name: "one host refuses the IP, another accepts: both are told",
    attempts: [at("mx1.example", blockedAtGreeting), at("mx2.example", accepted)],
    blocked: true,
    pair: "Attempts Accepted Blocked SessionTime=2 SessionTime=2",
    classes: "ip-reputation",
    egress: "Attempts RepliesUnmasked",
  },
  {
    name: "refused and reset: the reply would have been masked",
    attempts: [`${envelope}> DATA\n< 250 ok\n< ${listed}\n! reset`],
    blocked: true,
    pair: "Attempts Rejected Blocked SessionTime=2",
    classes: "ip-reputation",
    egress: "Attempts RepliesUnmasked",
  },
  {
    name: "refused, and QUIT never answered",
    attempts: [`${envelope}> QUIT\n< 250 ok\n< ${listed}\n! timeout`],
    blocked: true,
    pair: "Attempts Rejected Blocked SessionTime=2",
    classes: "ip-reputation",
    egress: "Attempts RepliesUnmasked",
  },
  {
    name: "accepted, and QUIT never answered: no refusal was masked",
    attempts: [`${message}< 250 ok\n> QUIT\n! reset`],
    blocked: null,
    pair: "Attempts Accepted SessionTime=2",
    egress: "Attempts",
  },
];

describe("figures of a verdict", () => {
  for (const { name, attempts, overrides, blocked, pair, classes, egress } of rows) {
    it(name, () => {
      const figures = figuresOf(verdictOf(attempts, overrides), whose, blocked);
      assert.deepEqual(sorted(told(figures, pairOf)), sorted(pair.split(" ")));
      assert.deepEqual(sorted(told(figures, egressOf)), sorted(egress.split(" ")));
      const its = figures.filter((each) => each.name === rejections.name);
      assert.deepEqual(
        its.map(({ dimensions, value }) => ({ dimensions, value })),
        (classes?.split(" ") ?? []).map((kind) => ({ dimensions: { ...pairOf, Class: kind }, value: 1 })),
      );
    });
  }
});

const whose = { provider: "icloud", egress: "aws" };
const pairOf = { Provider: "icloud", Egress: "aws" };
const egressOf = { Egress: "aws" };

/** Of these dimensions, the figures that are not 0. */
function told(figures: readonly Figure[], dimensions: object): readonly string[] {
  return figures
    .filter((each) => each.value !== 0 && JSON.stringify(each.dimensions) === JSON.stringify(dimensions))
    .map(({ name, value }) => (value === 1 ? name : `${name}=${value}`));
}

function sorted(all: readonly string[]): readonly string[] {
  return all.toSorted();
}

test("what did not happen is told as 0, so that its series goes on; only what is rare has none", () => {
  const figures = figuresOf(verdictOf([accepted]), whose, null);
  const zeros = figures.filter(({ value }) => value === 0).map(({ name }) => name);
  assert.deepEqual(zeros, ["Rejected", "Deferred", "Unanswered", "Unreachable", "Misconfigured", "RepliesUnmasked"]);
});

test("Blocked is told as 1 or 0 where it is known, and not at all where it is not", () => {
  const verdict = verdictOf([accepted]);
  const values = [true, false, null].map((blocked) => {
    return figuresOf(verdict, whose, blocked)
      .filter(({ name }) => name === "Blocked")
      .map(({ value }) => value);
  });
  assert.deepEqual(values, [[1], [0], []]);
});

test("what was due and not probed is told by its egress", () => {
  assert.deepEqual(skippedFigure("aws", 3), { name: "Skipped", unit: "Count", dimensions: egressOf, value: 3 });
});

describe("figures of a self-check", () => {
  const earlier = { "reverse-dns": "2026-11-23T11:30:00.000Z" } as const;
  const unknownPtr = { ...noPtr, standing: "unknown" } as const;
  const nothingKnown = selfCheckOf(...selfCheckOf().checks.map((each) => ({ ...each, standing: "unknown" as const })));
  for (const [name, stored, value] of [
    ["all is well: none", storedSelfCheck(selfCheckOf()), 0],
    ["each fault counts", storedSelfCheck(selfCheckOf(noPtr, notInSpf)), 2],
    ["what is not known is no fault", storedSelfCheck(selfCheckOf(silentLists)), 0],
    ["nor is it beside one", storedSelfCheck(selfCheckOf(noPtr, silentLists)), 1],
    ["a fault that could not be looked at again is not mended: nothing is said", storedSelfCheck(selfCheckOf(unknownPtr), earlier), null], // prettier-ignore
    ["one that is mended is", storedSelfCheck(selfCheckOf(), earlier), 0],
    ["nothing could be learnt: nothing is said", storedSelfCheck(nothingKnown), null],
  ] as const) {
    it(name, () => {
      const figures = selfCheckFigures(stored);
      const expected = { name: "SelfCheckFaults", unit: "Count", dimensions: { Egress: "mail-1" }, value };
      assert.deepEqual(figures, value === null ? [] : [expected]);
    });
  }
});

test("every figure has a name, a unit and dimensions of the one list, whatever the verdict", () => {
  const rowsByName = new Map<string, MetricName>([
    ...Object.entries(pairMetrics).map(([name, row]) => [`${name} Provider Egress`, row] as const),
    ...Object.entries(egressMetrics).map(([name, row]) => [`${name} Egress`, row] as const),
    [`${rejections.name} Provider Egress Class`, rejections],
  ]);
  fc.assert(
    fc.property(verdicts, fc.constantFrom(true, false, null), (verdict, blocked) => {
      for (const { name, unit, dimensions, value } of figuresOf(verdict, whose, blocked)) {
        const row = rowsByName.get(`${name} ${Object.keys(dimensions).join(" ")}`);
        assert.ok(row !== undefined, name);
        assert.equal(unit, row.unit);
        assert.ok(Number.isFinite(value) && value >= 0);
      }
    }),
  );
});

test("a host that the egress's IP version does not reach is nobody's silence", () => {
  const stop = { reason: "no-family", stage: "dns", status: null, text: "no IPv6 address" } as const;
  const attempt = transcriptOf("", { stop });
  const told = (attempts: readonly Transcript[]): readonly string[] => {
    const verdict = judge(attempts, { name: "aws", address: null });
    return figuresOf(verdict, whose, null).flatMap(({ name, value }) => (value > 0 ? [name] : []));
  };
  assert.ok(!told([attempt]).includes("Unanswered"));
  const more = transcriptOf("", { stop: { ...stop, reason: "left-out", stage: "connect" } });
  assert.ok(!told([attempt, more]).includes("Unanswered"));
  assert.ok(told([attempt, transcriptOf(silent)]).includes("Unanswered"));
});

test("of a verdict's outcomes one is told, once by its pair and its egress", () => {
  fc.assert(
    fc.property(verdicts, (verdict) => {
      const figures = figuresOf(verdict, whose, null);
      const sum = (...names: readonly string[]): number => {
        return figures.filter(({ name }) => names.includes(name)).reduce((all, { value }) => all + value, 0);
      };
      // What our own time cut short is nobody's silence.
      const isCut = verdict.attempts.every(({ ending }) => ending.by === "abort");
      const isSilent = verdict.outcome === "unanswered" || verdict.outcome === "unknown";
      assert.equal(sum("Accepted", "Rejected", "Deferred", "Unanswered"), isCut && isSilent ? 0 : 1);
      assert.equal(sum("Attempts"), 2);
    }),
  );
});

const verdicts = fc
  .array(fc.tuple(transcripts, fc.constantFrom("mx1.example", "mx2.example")), { minLength: 1, maxLength: 3 })
  .map((attempts) => attempts.map(([attempt, host]) => ({ ...attempt, host })))
  .map((attempts) => judge(attempts, { name: "aws", address: null }));

const before: Block = { stage: "rcpt", host: "mx1.example", since: "2026-11-24T10:00:00.000Z", id: "first" };
const now = { id: "now", at: "2026-11-24T12:00:00.000Z" };

interface BlockRow {
  readonly name: string;
  readonly attempts: readonly Said[];
  readonly before: Block | null;
  /** `same`: as before. */
  readonly block: Block | "same" | null;
  readonly blocked: boolean | null;
}

const blockRows: readonly BlockRow[] = [
  {
    name: "begins with the first refusal of the IP",
    attempts: [at("mx1.example", blocked)],
    before: null,
    block: { stage: "rcpt", host: "mx1.example", since: now.at, id: now.id },
    blocked: true,
  },
  {
    name: "begins with another host's refusal while one accepts",
    attempts: [at("mx1.example", blockedAtGreeting), at("mx2.example", accepted)],
    before: null,
    block: { stage: "greeting", host: "mx1.example", since: now.at, id: now.id },
    blocked: true,
  },
  {
    name: "begins at the furthest of the stages refused",
    attempts: [at("mx1.example", blockedAtGreeting), at("mx2.example", blocked)],
    before: null,
    block: { stage: "rcpt", host: "mx2.example", since: now.at, id: now.id },
    blocked: true,
  },
  {
    name: "goes on from its first word",
    attempts: [at("mx2.example", blocked)],
    before,
    block: { ...before, host: "mx2.example" },
    blocked: true,
  },
  {
    name: "moves to a later stage",
    attempts: [at("mx2.example", blockedAtMessage)],
    before,
    block: { ...before, stage: "message", host: "mx2.example" },
    blocked: true,
  },
  {
    name: "does not move back to an earlier stage",
    attempts: [at("mx2.example", blockedAtMail)],
    before,
    block: "same",
    blocked: true,
  },
  {
    name: "ends by a yes at its stage, of the host that refused",
    attempts: [at("mx1.example", accepted)],
    before,
    block: null,
    blocked: false,
  },
  {
    name: "ends by a yes at its stage of another host, where the one that refused was not asked",
    attempts: [at("mx2.example", accepted)],
    before,
    block: null,
    blocked: false,
  },
  {
    name: "ends by a yes beyond its stage",
    attempts: [at("mx1.example", acceptedAtMessage)],
    before: { ...before, stage: "greeting" },
    block: null,
    blocked: false,
  },
  {
    name: "ends by a yes at its stage, though the message is refused for something else",
    attempts: [at("mx1.example", `${message}< 550 5.7.1 this message was taken for spam\n> QUIT\n< 221 bye`)],
    before,
    block: null,
    blocked: false,
  },
  {
    name: "stays, where the host that refused was asked again and did not come so far, though another accepts",
    attempts: [at("mx1.example", silentAtRcpt), at("mx2.example", accepted)],
    before,
    block: "same",
    blocked: null,
  },
  {
    name: "ends, where the host that refused came so far at its second address",
    attempts: [at("mx1.example", silent), at("mx1.example", accepted)],
    before,
    block: null,
    blocked: false,
  },
  { name: "stays on silence", attempts: [at("mx1.example", silent)], before, block: "same", blocked: null },
  {
    name: "stays without a connection",
    attempts: [{ says: "", facts: { ...nobodyThere, host: "mx1.example" } }],
    before,
    block: "same",
    blocked: null,
  },
  {
    name: "stays on greylisting",
    attempts: [at("mx1.example", greylisted)],
    before,
    block: "same",
    blocked: null,
  },
  {
    name: "stays where the mailbox is refused",
    attempts: [at("mx1.example", noUser)],
    before,
    block: "same",
    blocked: null,
  },
  {
    name: "stays on a green probe up to RCPT after a refusal of the message",
    attempts: [at("mx1.example", accepted)],
    before: { ...before, stage: "message" },
    block: "same",
    blocked: null,
  },
  {
    name: "stays where the message was sent and never answered",
    attempts: [at("mx1.example", unknown)],
    before: { ...before, stage: "message" },
    block: "same",
    blocked: null,
  },
  {
    name: "stays on a yes that came before the last octet had left",
    attempts: [at("mx1.example", `${envelope}> DATA\n< 250 ok\n< 250 ok\n< 354 go on\n>! .\n< 250 ok\n! fin`)],
    before: { ...before, stage: "message" },
    block: "same",
    blocked: null,
  },
  {
    name: "stays on a cut yes",
    attempts: [at("mx1.example", `${envelope}> QUIT\n< 250 ok\n<~ 250 2.1.5 o\n! reset`)],
    before,
    block: "same",
    blocked: null,
  },
  {
    name: "stays on the yes to QUIT",
    attempts: [at("mx1.example", `${envelope}> QUIT\n< 250 ok\n< 450 4.2.0 greylisted\n< 221 bye`)],
    before: { ...before, stage: "message" },
    block: "same",
    blocked: null,
  },
  { name: "there is none, and the host accepts", attempts: [accepted], before: null, block: null, blocked: false },
  { name: "there is none, and nobody answers", attempts: [silent], before: null, block: null, blocked: null },
  { name: "there is none, and it is greylisted", attempts: [greylisted], before: null, block: null, blocked: null },
];

describe("a block", () => {
  for (const { name, attempts, before, block, blocked } of blockRows) {
    it(name, () => {
      const after = blockAfter(verdictOf(attempts), before, now);
      assert.deepEqual(after, { block: block === "same" ? before : block, blocked });
    });
  }
});

test("Blocked never says no while a host refuses the IP, and a block goes on from its first word", () => {
  const standing = fc.constantFrom(null, ...stages.map((stage) => ({ ...before, stage })));
  let refused = 0;
  fc.assert(
    fc.property(verdicts, standing, (verdict, before) => {
      const { block, blocked } = blockAfter(verdict, before, now);
      const isRefused = verdict.findings.some(({ class: kind }) => kind === blockClass);
      if (isRefused) refused += 1;
      if (isRefused) assert.ok(blocked === true && block !== null);
      if (blocked === false) assert.equal(block, null);
      if (blocked === null) assert.deepEqual(block, before);
      if (before !== null && block !== null) {
        assert.ok(stages.indexOf(block.stage) >= stages.indexOf(before.stage));
        assert.deepEqual([block.since, block.id], [before.since, before.id]);
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(refused > 200, `only ${refused} of them refused the IP`);
});

test("each class with an alarm of its own has a row of figures", () => {
  for (const kind of [blockClass, ...misconfigurations]) {
    assert.ok(
      rows.some(({ classes }) => classes?.split(" ").includes(kind)),
      kind,
    );
  }
});
