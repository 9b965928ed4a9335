// What a host announces in its reply to EHLO, read from the reply's lines.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { noExtensions, readExtensions, type Extensions } from "../../functions/smtp/extensions.ts";
import { ReplyParser } from "../../functions/smtp/reply.ts";

/** Keywords announced, and what differs from a host that announces nothing. */
const rows: readonly (readonly [keywords: readonly string[], announced: Partial<Extensions>])[] = [
  [[], {}],
  [["PIPELINING"], { pipelining: true }],
  [["pipelining"], { pipelining: true }],
  [["PIPELINING "], { pipelining: true }],
  [["PIPELINING2", "XPIPELINING", "X PIPELINING"], {}],
  [["ENHANCEDSTATUSCODES"], { enhancedStatusCodes: true }],
  [["8BITMIME"], { eightBitMime: true }],
  [["SMTPUTF8"], { smtpUtf8: true }],
  [["CHUNKING"], { chunking: true }],
  [["STARTTLS"], { startTls: true }],
  [["REQUIRETLS"], { requireTls: true }],
  [["DSN"], { dsn: true }],
  [["SIZE"], { size: 0 }],
  [["SIZE 0"], { size: 0 }],
  [["SIZE 35882577"], { size: 35_882_577 }],
  [["SIZE=1000"], { size: 1_000 }],
  [["SIZE many"], { size: 0 }],
  [["SIZE -1"], { size: 0 }],
  [["SIZE 99999999999999999999"], { size: 0 }],
  [["LIMITS RCPTMAX=20"], { recipientsLimit: 20 }],
  [["LIMITS MAILMAX=5 rcptmax=3 RCPTDOMAINMAX=1"], { recipientsLimit: 3 }],
  [["LIMITS RCPTDOMAINMAX=7"], {}],
  [["LIMITS RCPTMAX=0"], {}],
  [["LIMITS RCPTMAX=x", "LIMITS"], {}],
  [["AUTH=LOGIN PLAIN", "AUTH LOGIN", "HELP", ""], {}],
  [
    ["SIZE 10", "PIPELINING", "STARTTLS", "CHUNKING", "SMTPUTF8"],
    { size: 10, pipelining: true, startTls: true, chunking: true, smtpUtf8: true },
  ],
];

describe("what a host announces", () => {
  for (const [keywords, announced] of rows) {
    it(keywords.join(", ") || "nothing", () => {
      assert.deepEqual(read(["mx.example at your service", ...keywords]), { ...noExtensions, ...announced });
    });
  }

  it("the first line is the host's name, whatever it says", () => {
    assert.deepEqual(read(["PIPELINING STARTTLS"]), noExtensions);
    assert.deepEqual(read(["PIPELINING", "DSN"]), { ...noExtensions, dsn: true });
  });

  it("after HELO there is nothing", () => {
    assert.deepEqual(readExtensions(null), noExtensions);
    assert.ok(Object.values(noExtensions).every((each) => each === false || each === null));
  });
});

function read(texts: readonly string[]): Extensions {
  const lines = texts.map((each, index) => `250${index === texts.length - 1 ? " " : "-"}${each}\r\n`);
  const [reply] = new ReplyParser().push(Buffer.from(lines.join("")));
  assert.ok(reply !== undefined);
  return readExtensions(reply);
}
