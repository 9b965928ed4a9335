// Octets to replies, as tables and as properties: whole, octet by octet and cut at every place, and what has no end.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  lineLimit,
  linesLimit,
  ReplyParser,
  replyLimit,
  type Anomaly,
  type Reply,
} from "../../functions/smtp/reply.ts";
import type { Stage } from "../../functions/smtp/transcript.ts";
import { isYes } from "../../functions/smtp/yes.ts";
import { grownBy } from "../support/memory.ts";

interface Row {
  readonly name: string;
  readonly octets: string | Uint8Array;
  readonly replies: readonly Partial<Reply>[];
  /** What the connection's end would leave; null when nothing. */
  readonly partial?: Partial<Reply>;
  readonly leftover?: string;
  readonly violation?: { readonly reason: "garbage" | "flood"; readonly text: RegExp };
}

const rows: readonly Row[] = [
  { name: "nothing", octets: "", replies: [] },
  {
    name: "a line",
    octets: "250 2.1.0 ok\r\n",
    replies: [{ code: 250, status: "2.1.0", lines: ["250 2.1.0 ok"], partial: false, anomalies: [] }],
  },
  {
    name: "several lines",
    octets: "554-5.7.1 listed\r\n554 5.7.1 https://list.example/\r\n",
    replies: [
      { code: 554, status: "5.7.1", lines: ["554-5.7.1 listed", "554 5.7.1 https://list.example/"], anomalies: [] },
    ],
  },
  {
    name: "several replies in one piece",
    octets: "250 a\r\n550-b\r\n550 c\r\n221 d\r\n",
    replies: [{ code: 250 }, { code: 550, lines: ["550-b", "550 c"] }, { code: 221 }],
  },
  {
    name: "lines that differ: the last one's code decides",
    octets: "250-fine\r\n550-5.7.1 no\r\n421 4.7.0 closing\r\n",
    replies: [{ code: 421, status: "4.7.0", anomalies: ["mixed-codes"] }],
  },
  {
    name: "bare LF",
    octets: "250-a\n250 b\n",
    replies: [{ code: 250, lines: ["250-a", "250 b"], anomalies: ["bare-lf"] }],
  },
  {
    name: "bare LF in one reply says nothing of the next",
    octets: "250 a\n250 b\r\n",
    replies: [{ anomalies: ["bare-lf"] }, { anomalies: [] }],
  },
  { name: "a CR within a line is kept", octets: "250 a\rb\r\n", replies: [{ lines: ["250 a\rb"] }] },
  { name: "a code, a space and no text", octets: "250 \r\n", replies: [{ code: 250, lines: ["250 "], anomalies: [] }] },
  { name: "a code alone", octets: "250\r\n", replies: [{ code: 250, status: null, lines: ["250"], anomalies: [] }] },
  { name: "a code alone ends several lines", octets: "250-a\r\n250\r\n", replies: [{ lines: ["250-a", "250"] }] },
  { name: "a hyphen without text goes on", octets: "250-\r\n250 b\r\n", replies: [{ lines: ["250-", "250 b"] }] },
  { name: "no separator", octets: "550blocked\r\n", replies: [{ code: 550, anomalies: ["no-separator"] }] },
  { name: "a tab for a separator", octets: "550\tblocked\r\n", replies: [{ code: 550, anomalies: ["no-separator"] }] },
  ...[
    "550 [5.7.1] x",
    "550 (5.7.1) x",
    "550 <5.7.1> x",
    "550 #5.7.1 x",
    "550  5.7.1 x",
    "550 5.7.1",
    "550 5.7.1: x",
  ].map((line) => ({ name: `a status: ${line}`, octets: `${line}\r\n`, replies: [{ status: "5.7.1" }] })),
  { name: "a status at its largest", octets: "550 5.999.999 x\r\n", replies: [{ status: "5.999.999" }] },
  ...["550 5.7.1.2 x", "550 5.7.1234 x", "550 5.7 x", "550 3.7.1 x", "550 blocked 5.7.1", "550 15.7.1 x"].map(
    (line) => ({ name: `no status: ${line}`, octets: `${line}\r\n`, replies: [{ code: 550, status: null }] }),
  ),
  {
    name: "a status of another class is kept and flagged",
    octets: "550 4.7.1 x\r\n",
    replies: [{ code: 550, status: "4.7.1", anomalies: ["status-class"] }],
  },
  {
    name: "the deciding line's own status",
    octets: "550-5.1.1 a\r\n550 5.7.1 b\r\n",
    replies: [{ code: 550, status: "5.7.1", anomalies: [] }],
  },
  {
    name: "a status that only an earlier line has",
    octets: "550-5.7.1 listed\r\n550 see https://list.example/\r\n",
    replies: [{ code: 550, status: "5.7.1" }],
  },
  {
    name: "of differing lines a status of the deciding code's class",
    octets: "450-4.2.0 a\r\n550-5.1.1 b\r\n550 c\r\n",
    replies: [{ code: 550, status: "5.1.1", anomalies: ["mixed-codes"] }],
  },
  { name: "a greeting's status", octets: "554 5.7.1 no\r\n", replies: [{ status: "5.7.1" }] },
  {
    name: "UTF-8",
    octets: "550 Empfänger – unbekannt 😀\r\n",
    replies: [{ lines: ["550 Empfänger – unbekannt 😀"], anomalies: [] }],
  },
  {
    name: "Latin-1",
    octets: Buffer.from("550 Empf\u00e4nger unbekannt\r\n", "latin1"),
    replies: [{ lines: ["550 Empfänger unbekannt"], anomalies: ["latin-1"] }],
  },
  {
    name: "NUL and escape sequences stay as they are: whoever shows them makes them visible",
    octets: "550 a\0\x1b[31mb\r\n",
    replies: [{ lines: ["550 a\0\x1b[31mb"] }],
  },
  {
    name: "a line beyond the limit is cut, not fatal",
    octets: `550 5.7.1 ${"x".repeat(lineLimit)}y\r\n250 ok\r\n`,
    replies: [
      { code: 550, status: "5.7.1", lines: [`550 5.7.1 ${"x".repeat(lineLimit - 10)}`], anomalies: ["cut"] },
      { lines: ["250 ok"], anomalies: [] },
    ],
  },
  {
    name: "a cut inside a character",
    octets: `550 ${"x".repeat(lineLimit - 5)}äöü\r\n`,
    replies: [{ lines: [`550 ${"x".repeat(lineLimit - 5)}`], anomalies: ["cut"] }],
  },
  {
    name: "blank lines between replies",
    octets: "\r\n250 a\r\n\r\n\n550 b\r\n",
    replies: [{ lines: ["250 a"] }, { lines: ["550 b"], anomalies: [] }],
  },
  {
    name: "a line without its code inside a reply",
    octets: "550-5.7.1 blocked\r\nask your provider\r\n550 end\r\n",
    replies: [{ code: 550, lines: ["550-5.7.1 blocked", "ask your provider", "550 end"], anomalies: ["no-prefix"] }],
  },
  {
    name: "codes no server should send, for others to judge",
    octets: "100 a\r\n399 b\r\n600 c\r\n999 d\r\n",
    replies: [{ code: 100 }, { code: 399 }, { code: 600 }, { code: 999 }],
  },

  // The connection ended inside a reply.
  {
    name: "a refusal without its end",
    octets: "550 5.7.1 blocked",
    replies: [],
    partial: { code: 550, status: "5.7.1", lines: ["550 5.7.1 blocked"] },
  },
  {
    name: "a refusal of which another line was to come",
    octets: "550-5.7.1 blocked\r\n",
    replies: [],
    partial: { code: 550, status: "5.7.1", lines: ["550-5.7.1 blocked"] },
  },
  {
    name: "both",
    octets: "550-a\r\n550-5.7.1 b",
    replies: [],
    partial: { code: 550, status: "5.7.1", lines: ["550-a", "550-5.7.1 b"] },
  },
  {
    name: "cut inside the second line's code",
    octets: "550-a\r\n55",
    replies: [],
    partial: { code: 550, lines: ["550-a", "55"] },
    leftover: "55",
  },
  { name: "cut between CR and LF", octets: "550 a\r", replies: [], partial: { code: 550, lines: ["550 a"] } },
  { name: "three digits", octets: "250", replies: [], partial: { code: 250, lines: ["250"] } },
  { name: "two digits are no reply", octets: "55", replies: [], leftover: "55" },
  { name: "the start of something else", octets: "SSH-2.0", replies: [], leftover: "SSH-2.0" },
  { name: "a whole reply and two digits", octets: "250 a\r\n55", replies: [{ code: 250 }], leftover: "55" },

  // No SMTP.
  ...[
    "SSH-2.0-OpenSSH_9.9",
    "HTTP/1.1 400 Bad Request",
    "2500 ok",
    "25 ok",
    "2 ok",
    "050 ok",
    "x250 ok",
    " 250 ok",
    "+OK",
    "25x ok",
    "²50 ok",
  ].map((line) => ({
    name: `garbage: ${line}`,
    octets: `${line}\r\n250 ok\r\n`,
    replies: [],
    violation: { reason: "garbage", text: new RegExp(`^${line.replace(/[+.]/g, "\\$&")}$`) } as const,
  })),
  {
    name: "garbage behind a reply",
    octets: "250 ok\r\n<html>\r\n250 ok\r\n",
    replies: [{ code: 250 }],
    violation: { reason: "garbage", text: /^<html>$/ },
  },
];

describe("octets to replies", () => {
  for (const row of rows) {
    it(row.name, () => {
      const octets = Buffer.from(row.octets);
      check(row, [octets], "whole");
      check(
        row,
        [...octets].map((octet) => Uint8Array.of(octet)),
        "octet by octet",
      );
      for (let at = 0; at <= octets.length; at += 1)
        check(row, [octets.subarray(0, at), octets.subarray(at)], `cut at ${at}`);
    });
  }
});

function check(row: Row, pieces: readonly Uint8Array[], how: string): void {
  const parser = new ReplyParser();
  const replies = pieces.flatMap((piece) => parser.push(piece));
  assert.equal(replies.length, row.replies.length, how);
  for (const [index, expected] of row.replies.entries()) {
    assert.deepEqual(pick(replies[index], expected), expected, how);
    assert.equal(replies[index]?.partial, false, how);
  }
  const partial = parser.partial();
  if (row.partial === undefined) assert.equal(partial, null, how);
  else assert.deepEqual(pick(partial, row.partial), row.partial, how);
  assert.equal(partial?.partial ?? true, true, how);
  if (row.leftover !== undefined) assert.equal(parser.leftover(), row.leftover, how);
  assert.equal(parser.violation?.reason, row.violation?.reason, how);
  if (row.violation !== undefined) assert.match(parser.violation?.text ?? "", row.violation.text, how);
  // A clean end: nothing is held that the connection's end would have to tell.
  const isHeld = row.partial !== undefined || row.leftover !== undefined;
  if (row.violation === undefined) assert.equal(parser.pending, isHeld, how);
}

function pick(reply: Reply | undefined | null, like: Partial<Reply>): Partial<Reply> {
  return Object.fromEntries(Object.entries(reply ?? {}).filter(([key]) => key in like));
}

describe("what has no end", () => {
  const piece = Buffer.alloc(65_536, "x");
  const line = Buffer.from("250-x\r\n".repeat(9_362));

  /** Pushes 50 MB, and tells where it stopped being read. */
  function pour(first: string, rest: Uint8Array): { readonly parser: ReplyParser; readonly stoppedAt: number } {
    const parser = new ReplyParser();
    parser.push(Buffer.from(first));
    let stoppedAt = Infinity;
    for (let poured = 0; poured < 50_000_000; poured += rest.length) {
      parser.push(rest);
      if (parser.violation !== null) stoppedAt = Math.min(stoppedAt, poured + rest.length);
    }
    return { parser, stoppedAt };
  }

  for (const [name, first, rest] of [
    ["a line", "220 ", piece],
    ["a line that is no reply", "", piece],
    ["a reply", "", line],
    ["a reply whose lines have no code", "250-x\r\n", Buffer.from("\r\n".repeat(30_000))],
    ["nothing but line ends", "", Buffer.from("\r\n".repeat(30_000))],
  ] as const) {
    it(`${name} without end is a flood, in bounded memory`, () => {
      let parser: ReplyParser | null = null;
      const grown = grownBy(() => {
        const poured = pour(first, rest);
        parser = poured.parser;
        assert.equal(parser.violation?.reason, "flood");
        assert.ok(poured.stoppedAt < replyLimit + 2 * piece.length, `stopped at ${poured.stoppedAt}`);
      });
      assert.ok(parser !== null && grown < 8_000_000, `${grown} octets`);
    });
  }

  it("a flood says how it began", () => {
    const parser = new ReplyParser();
    parser.push(Buffer.from(`220 ${"x".repeat(replyLimit)}`));
    assert.match(parser.violation?.text ?? "", /beginning "220 xxx/);
    assert.ok((parser.violation?.text.length ?? Infinity) < 400);
    assert.equal(parser.partial(), null);
  });

  it("a long reply is cut to its first lines and its last", () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => `550-line ${index}`);
    const [reply] = new ReplyParser().push(Buffer.from(`${lines.join("\r\n")}\r\n554 5.7.1 the end\r\n`));
    assert.deepEqual(reply?.lines, [...lines.slice(0, linesLimit - 1), "554 5.7.1 the end"]);
    assert.equal(reply.code, 554);
    assert.equal(reply.status, "5.7.1");
    assert.deepEqual(reply.anomalies, ["cut", "mixed-codes"]);
  });

  it("the longest reply that is one: just under the limit", () => {
    const text = `250-${"x".repeat(1_020)}\r\n`;
    const many = text.repeat(Math.floor(replyLimit / text.length) - 1);
    const [reply, ...others] = new ReplyParser().push(Buffer.from(`${many}250 end\r\n`));
    assert.equal(reply?.lines.at(-1), "250 end");
    assert.deepEqual(others, []);
  });
});

/** Octets like those of a conversation, and any others. */
const octets = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        "250",
        "550",
        "421",
        "554",
        "99",
        "-",
        " ",
        " 5.7.1 ",
        "4.2.2",
        "ok",
        "\r\n",
        "\n",
        "\r",
        "é",
        "x".repeat(2_100),
      ),
      { maxLength: 40, size: "max" },
    )
    .map((words) => Buffer.from(words.join(""))),
  fc.uint8Array({ maxLength: 200, size: "max" }),
  fc
    .array(fc.constantFrom("250 ok", "550-5.7.1 a", "550 5.7.1 b", "250", "", "x"), { maxLength: 20, size: "max" })
    .map((lines) => Buffer.from(lines.join("\r\n"))),
);

describe("for any octets", () => {
  it("it does not matter how they were cut", () => {
    fc.assert(
      fc.property(octets, fc.array(fc.nat({ max: 300 }), { maxLength: 8 }), (bytes, places) => {
        const whole = new ReplyParser();
        const cut = new ReplyParser();
        const edges = [0, ...places.filter((each) => each < bytes.length).toSorted((a, b) => a - b), bytes.length];
        const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        assert.deepEqual(
          pieces.flatMap((piece) => cut.push(piece)),
          whole.push(bytes),
        );
        assert.deepEqual(cut.partial(), whole.partial());
        assert.equal(cut.leftover(), whole.leftover());
        assert.deepEqual(cut.violation, whole.violation);
        assert.equal(cut.pending, whole.pending);
      }),
      { numRuns: 500 },
    );
  });

  it("the parser never throws, and its replies hold what they promise", () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        const parser = new ReplyParser();
        for (const reply of [...parser.push(bytes), parser.partial()]) {
          if (reply === null) continue;
          assert.ok(reply.code >= 100 && reply.code <= 999);
          assert.ok(reply.lines.length >= 1 && reply.lines.length <= linesLimit + 1);
          assert.ok(reply.lines.every((line) => line.length <= lineLimit && !line.includes("\n")));
          assert.ok(
            reply.partial || reply.lines.at(-1)?.startsWith(String(reply.code)),
            "the last line's code decides",
          );
          assert.ok(reply.status === null || reply.lines.some((line) => line.includes(reply.status as string)));
          assert.equal(new Set(reply.anomalies).size, reply.anomalies.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("what is unfinished is never a yes", () => {
    const stages = ["greeting", "ehlo", "starttls", "mail", "rcpt", "data", "message", "quit"] as const;
    fc.assert(
      fc.property(octets, fc.constantFrom<Stage | "quit">(...stages), (bytes, stage) => {
        const parser = new ReplyParser();
        parser.push(bytes);
        assert.equal(isYes({ stage, reply: parser.partial() }), false);
      }),
    );
  });
});

it("a reply that is written and read again is the same", () => {
  const text = fc
    .string({ unit: "grapheme", maxLength: 80 })
    .map((each) => each.toWellFormed().replaceAll(/[\r\n]/g, " "));
  const generated = fc.record(
    { code: fc.integer({ min: 200, max: 599 }), texts: fc.array(text, { minLength: 1, maxLength: linesLimit }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(generated, { maxLength: 5 }), (replies) => {
      const expected = replies.map(({ code, texts }) => {
        return texts.map((each, index) => `${code}${index < texts.length - 1 ? "-" : " "}${each}`);
      });
      const parser = new ReplyParser();
      const read = parser.push(
        Buffer.from(expected.map((lines) => lines.map((line) => `${line}\r\n`).join("")).join("")),
      );
      assert.deepEqual(
        read.map(({ lines }) => lines),
        expected,
      );
      assert.deepEqual(
        read.map(({ code }) => code),
        replies.map(({ code }) => code),
      );
      const odd: readonly Anomaly[] = ["status-class"];
      assert.ok(read.every(({ anomalies, partial }) => !partial && anomalies.every((each) => odd.includes(each))));
      assert.equal(parser.pending, false);
    }),
  );
});
