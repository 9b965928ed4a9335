// The commands that we send: how they read, and that none can hold another one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  bdatLast,
  data,
  ehlo,
  finalDot,
  helo,
  mail,
  quit,
  rcpt,
  startTls,
  type Command,
} from "../../functions/smtp/command.ts";

describe("how they read", () => {
  const rows: readonly (readonly [
    command: Command,
    stage: Command["stage"],
    line: string,
    recipient: string | null,
  ])[] = [
    [ehlo("probe.example"), "ehlo", "EHLO probe.example", null],
    [ehlo("[127.0.0.1]"), "ehlo", "EHLO [127.0.0.1]", null],
    [helo("probe.example"), "ehlo", "HELO probe.example", null],
    [startTls(), "starttls", "STARTTLS", null],
    [mail("a@b.example", []), "mail", "MAIL FROM:<a@b.example>", null],
    [mail("", []), "mail", "MAIL FROM:<>", null],
    [mail("a@b.example", ["SIZE=10", "SMTPUTF8"]), "mail", "MAIL FROM:<a@b.example> SIZE=10 SMTPUTF8", null],
    [rcpt("x@y.example", []), "rcpt", "RCPT TO:<x@y.example>", "x@y.example"],
    [rcpt("x@y.example", ["NOTIFY=NEVER"]), "rcpt", "RCPT TO:<x@y.example> NOTIFY=NEVER", "x@y.example"],
    [rcpt('"a b"@y.example', []), "rcpt", 'RCPT TO:<"a b"@y.example>', '"a b"@y.example'],
    [data(), "data", "DATA", null],
    [bdatLast(0), "message", "BDAT 0 LAST", null],
    [bdatLast(1_234_567), "message", "BDAT 1234567 LAST", null],
    [finalDot(), "message", ".", null],
    [quit(), "quit", "QUIT", null],
  ];
  for (const [command, stage, line, recipient] of rows) {
    it(line, () => assert.deepEqual(command, { stage, line, recipient }));
  }
});

const builders: Readonly<Record<string, (text: string) => Command>> = {
  EHLO: ehlo,
  HELO: helo,
  MAIL: (text) => mail(text, []),
  "a parameter of MAIL": (text) => mail("a@b.example", [text]),
  RCPT: (text) => rcpt(text, []),
  "a parameter of RCPT": (text) => rcpt("x@y.example", ["NOTIFY=NEVER", text]),
};

describe("CR, LF and NUL never reach a command line", () => {
  for (const [name, build] of Object.entries(builders)) {
    for (const octet of ["\r", "\n", "\0", "\r\n"]) {
      it(`${name} with ${JSON.stringify(octet)}`, () => {
        for (const text of [`${octet}a`, `a${octet}`, `a>${octet}RCPT TO:<b`]) {
          assert.throws(() => build(text), { message: /^A command with CR, LF or NUL is never sent/ });
        }
      });
    }
  }

  it("whatever is asked for: one line, or an error that itself is one line", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.constantFrom("\r", "\n", "\0", "a", "@", ">", " ")).map((words) => words.join("")),
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(builders)), text, (build, given) => {
        const isSafe = !/[\r\n\0]/.test(given);
        try {
          assert.doesNotMatch(build(given).line, /[\r\n\0]/);
          assert.ok(isSafe);
        } catch (error) {
          assert.ok(!isSafe, String(error));
          assert.doesNotMatch((error as Error).message, /[\r\n\0]/);
        }
      }),
    );
  });
});
