// The dialog notation: every letter of it, what a script shows of its client, and how a mistake is answered.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { canRunUnderTls, setupOf, underTls } from "../../infra/local/mail/dialog-setup.ts";
import type { Setup } from "../../infra/local/mail/dialog-setup.ts";
import type { Act, Step } from "../../infra/local/mail/dialog-step.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import type { Dialog, Script } from "../../infra/local/mail/dialog.ts";

function read(...lines: readonly string[]): Dialog {
  return parseDialog(["# a test", ...lines].join("\n"), "a.smtp");
}

/** A script as one line a step: what is sent, awaited or done. */
function told(script: Script): string[] {
  return script.map((step) => {
    if (step.kind === "send") return `send ${JSON.stringify(Buffer.from(step.octets).toString("latin1"))}`;
    if (step.kind === "act") return `act ${JSON.stringify(step.act)}`;
    if (step.kind === "line") return `line ${step.text}`;
    return step.kind === "pattern" ? `pattern ${String(step.pattern)}` : "body";
  });
}

function onlyAct(line: string): Act {
  const [step] = read(line, "S! fin").scripts[0];
  assert.equal(step?.kind, "act");
  return (step as Step & { kind: "act" }).act;
}

suite("reading a dialog", () => {
  test("reads every kind of step, in order", () => {
    const dialog = parseDialog(
      [
        "# The name.",
        "# And why.",
        "",
        "S: 220 mx.example  ESMTP ",
        "S| 250-\\xe4\\r\\n\\t\\\\\\0ü",
        "C: MAIL FROM:<a@x.example>  SIZE=1",
        "C~ ^RCPT TO:<.*>$",
        "C...",
        "S! wait 1.5s",
        "S:",
        "S! rst",
      ].join("\r\n"),
      "a.smtp",
    );
    assert.equal(dialog.name, "The name.");
    assert.equal(dialog.file, "a.smtp");
    assert.deepEqual(told(dialog.scripts[0]), [
      'send "220 mx.example  ESMTP \\r\\n"',
      'send "250-ä\\r\\n\\t\\\\\\u0000Ã¼"',
      "line MAIL FROM:<a@x.example>  SIZE=1",
      "pattern /^RCPT TO:<.*>$/",
      "body",
      'act {"name":"wait","waitMs":1500}',
      'send "\\r\\n"',
      'act {"name":"rst"}',
    ]);
    assert.deepEqual(
      [dialog.scripts[0][2]?.lineNumber, dialog.scripts[0][2]?.source],
      [6, "C: MAIL FROM:<a@x.example>  SIZE=1"],
    );
  });

  for (const [line, act] of [
    ["S! wait 200ms", { name: "wait", waitMs: 200 }],
    ["S! tls", { name: "tls", version: null }],
    ["S! tls 1.0", { name: "tls", version: "TLSv1" }],
    ["S! dribble 3", { name: "dribble", octets: 3 }],
    ["S! junk 70000", { name: "junk", octets: 70_000 }],
    ["S! flood 20 250-more  of it", { name: "flood", times: 20, text: "250-more  of it" }],
    ["S! flood 20", { name: "flood", times: 20, text: "" }],
    ["S! fin", { name: "fin" }],
  ] as const) {
    test(`reads ${line}`, () => assert.deepEqual(onlyAct(line), act));
  }

  test("a line of two dashes begins the next connection's script", () => {
    const dialog = read("S: 421 a", "S! fin", "--", "S: 220 b", "S! close", "=> deferred greeting 421");
    assert.deepEqual(dialog.scripts.map(told), [
      ['send "421 a\\r\\n"', 'act {"name":"fin"}'],
      ['send "220 b\\r\\n"', 'act {"name":"close"}'],
    ]);
  });

  for (const [line, answered, clauses] of [
    ["=> rejected rcpt 554 5.7.0", ["rejected", "rcpt", 554, "5.7.0"], {}],
    ["=> deferred greeting 421", ["deferred", "greeting", 421, null], {}],
    ["=> rejected dns - 5.1.10", ["rejected", "dns", null, "5.1.10"], {}],
    ["=> rejected dns 5.1.10 -", ["rejected", "dns", null, "5.1.10"], {}],
    ["=> unanswered mail; ended by fin", ["unanswered", "mail", null, null], { ended: "fin" }],
    [
      '=> rejected data 554 5.7.1 ; class ip-reputation; text "a; b"; consequences 2; partial',
      ["rejected", "data", 554, "5.7.1"],
      { class: "ip-reputation", text: "a; b", consequences: "2", partial: "" },
    ],
  ] as const) {
    test(`reads ${line}`, () => {
      const { expected } = read("S! fin", line);
      assert.deepEqual([expected?.outcome, expected?.stage, expected?.code, expected?.status], answered);
      assert.deepEqual(expected?.clauses, clauses);
    });
  }

  test("reads the verdicts of single recipients beside the session's", () => {
    const dialog = read(
      "S! fin",
      "=> rejected rcpt 550",
      "=> a@x.example: accepted rcpt 250 2.1.5",
      "=> b@x.example: rejected rcpt 550",
    );
    assert.equal(dialog.expected?.code, 550);
    assert.deepEqual(dialog.recipients, [
      { address: "a@x.example", outcome: "accepted", stage: "rcpt", code: 250, status: "2.1.5" },
      { address: "b@x.example", outcome: "rejected", stage: "rcpt", code: 550, status: null },
    ]);
  });

  test("reads what @ says", () => {
    const { said } = read(
      "@ depth message",
      "@ tls require",
      "@ to a@x.example b@x.example",
      "@ from c@x.example",
      "@ timeout 500ms",
      "@ message 8bit",
      "@ ways clear busy",
      "S! fin",
    );
    assert.deepEqual(said, {
      depth: "message",
      tls: "require",
      to: ["a@x.example", "b@x.example"],
      from: "c@x.example",
      timeoutMs: 500,
      message: "8bit",
      bodyMs: null,
      commit: null,
      ways: ["clear", "busy"],
    });
  });

  test("a pasted incident is read as if its margin were not there", () => {
    const plain = [
      "S: 220 1.2.3.4 ready",
      "C: EHLO x",
      "C~ ^2",
      "C...",
      "S| 5",
      "S! rst",
      "=> rejected mail 554",
      "@ tls never",
    ];
    const margins = ["▶  2   12.3  ", "    1    0.0  ", "> ", "  ·  1204 "];
    const pasted = plain.map((line, index) => `${margins[index % margins.length]}${line}`);
    assert.deepEqual(read(...pasted), read(...plain));
  });

  test("any octets can be said with escapes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        const escaped = [...octets].map((octet) => `\\x${octet.toString(16).padStart(2, "0")}`).join("");
        const [step] = read(`S| ${escaped}`, "S! fin").scripts[0];
        assert.equal(step?.kind, "send");
        assert.deepEqual(Buffer.from((step as Step & { kind: "send" }).octets), Buffer.from(octets));
      }),
    );
  });
});

suite("mistakes in a dialog", () => {
  for (const [what, lines, fault] of [
    ["no name", ["S! fin"], "a.smtp:1: a dialog needs a name"],
    [
      "another letter",
      ["# a", "S! fin", "X: hello"],
      'a.smtp:3: cannot read "X: hello": a line begins with # S: S| S!',
    ],
    ["words behind C...", ["# a", "C... 5", "S! fin"], 'a.smtp:2: cannot read "C... 5"'],
    ["an unknown act", ["# a", "S! sleep 5s"], 'a.smtp:2: "sleep" is no act: S! fin, rst, close, hang'],
    ["an act with too much", ["# a", "S! fin now"], "a.smtp:2: S! fin takes nothing after it"],
    ["a wait without a unit", ["# a", "S! wait 5"], 'a.smtp:2: S! wait takes a time such as 200ms or 2s, not "5"'],
    ["no number", ["# a", "S! dribble 0"], 'a.smtp:2: S! dribble N, in octets: N is a whole number from 1, not "0"'],
    ["no times", ["# a", "S! flood many x"], 'a.smtp:2: S! flood N TEXT: N is a whole number from 1, not "many"'],
    ["another TLS version", ["# a", "S! tls 2"], 'a.smtp:2: the TLS version is one of 1.0, 1.1, 1.2, 1.3, not "2"'],
    ["a bad pattern", ["# a", "C~ (", "S! fin"], 'a.smtp:2: "(" is no regular expression: SyntaxError'],
    ["a bad escape", ["# a", "S| a\\q", "S! fin"], 'a.smtp:2: "\\\\q" is no escape: use \\r \\n \\t \\0 \\\\ or \\xNN'],
    ["half an escape", ["# a", "S| a\\x4", "S! fin"], 'a.smtp:2: "\\\\x" is no escape'],
    ["a last backslash", ["# a", "S| a\\", "S! fin"], 'a.smtp:2: "\\\\" is no escape'],
    ["something behind the end", ["# a", "S! rst", "S: 250 a"], "a.smtp:3: nothing can follow S! rst: begin the next"],
    ["words behind fin", ["# a", "S! fin", "S: 250 a"], "a.smtp:3: nothing can be sent after S! fin"],
    ["no steps", ["# a", ""], "a.smtp:2: a script needs steps"],
    ["no steps of the next", ["# a", "S! fin", "--"], "a.smtp:3: a script needs steps"],
    [
      "another outcome",
      ["# a", "S! fin", "=> refused rcpt"],
      "a.smtp:3: the outcome is one of accepted, rejected, deferred",
    ],
    ["another stage", ["# a", "S! fin", "=> rejected rset"], "a.smtp:3: the stage is one of dns, connect, greeting"],
    [
      "a clause unmarked",
      ["# a", "S! fin", "=> rejected rcpt 554 by fin"],
      'a.smtp:3: cannot read "by": => outcome stage',
    ],
    ["two codes", ["# a", "S! fin", "=> rejected rcpt 554 550"], 'a.smtp:3: cannot read "554 550"'],
    ["no clause", ["# a", "S! fin", "=> rejected rcpt 554; 5"], 'a.smtp:3: cannot read the clause " 5"'],
    ["two verdicts", ["# a", "S! fin", "=> rejected rcpt", "=> rejected mail"], "a.smtp:4: there is one verdict"],
    ["another setting", ["# a", "@ retries 5", "S! fin"], 'a.smtp:2: "retries" is no setting: @ depth, tls, to'],
    [
      "another depth",
      ["# a", "@ depth data", "S! fin"],
      'a.smtp:2: @ depth is one of greeting, ehlo, rcpt, message, not "data"',
    ],
    [
      "another way",
      ["# a", "@ ways clear fast", "S! fin"],
      'a.smtp:2: @ ways is one of clear, tls, bytes, busy, not "fast"',
    ],
    ["nobody", ["# a", "@ to", "S! fin"], "a.smtp:2: say who gets it: @ to a@mx.example"],
  ] as const) {
    test(`${what} is answered with the line and how to say it right`, () => {
      assert.throws(
        () => parseDialog(lines.join("\n"), "a.smtp"),
        (error) => error instanceof Error && error.message.startsWith(fault),
        fault,
      );
    });
  }
});

suite("what a dialog says of its client", () => {
  const greeting = "S: 220 mx.example";
  const ehlo = ["C: EHLO probe.example", "S: 250-mx.example", "S: 250 SIZE"];
  const quit = ["C: QUIT", "S: 221 bye"];

  for (const [what, lines, setup] of [
    ["nothing", ["S! fin"], { helo: "probe.example", from: "probe@sender.example", depth: "rcpt", tls: "never" }],
    ["nothing, of recipients", ["S! fin"], { recipients: ["someone@mx.example"], timeoutMs: null, message: "small" }],
    ["a greeting and QUIT", [greeting, ...quit], { depth: "greeting" }],
    ["a refusing greeting and QUIT", ["S: 554 no", ...quit], { depth: "rcpt" }],
    ["EHLO and QUIT", [greeting, ...ehlo, ...quit], { depth: "ehlo" }],
    [
      "a refused EHLO and QUIT",
      [greeting, "C: EHLO a.example", "S: 550 no", ...quit],
      { depth: "rcpt", helo: "a.example" },
    ],
    ["HELO and QUIT", [greeting, ...ehlo.slice(0, 1), "S: 502 no", "C: HELO b", "S: 250", ...quit], { depth: "ehlo" }],
    [
      "QUIT behind TLS",
      ["C: STARTTLS", "S: 220 go", "S! tls", ...ehlo, ...quit],
      { depth: "ehlo", tls: "opportunistic" },
    ],
    [
      "MAIL, RCPT and QUIT",
      ["C: MAIL FROM:<>", "C: RCPT TO:<a@x>", ...quit],
      { depth: "rcpt", from: "", recipients: ["a@x"] },
    ],
    ["DATA", ["C: DATA", "S! fin"], { depth: "message" }],
    ["BDAT, as a pattern", ["C~ ^BDAT \\d+ LAST$", "S! fin"], { depth: "message" }],
    ["a message", ["C...", "S! fin"], { depth: "message" }],
    [
      "recipients of two connections",
      [
        "C: RCPT TO:<b@x>",
        "C: RCPT TO:<a@x>",
        "S! fin",
        "--",
        "C: RCPT TO:<a@x> NOTIFY=NEVER",
        "C: RCPT TO:<c@x>",
        "S! fin",
      ],
      { recipients: ["b@x", "a@x", "c@x"] },
    ],
    [
      "patterns",
      ["C~ ^EHLO \\S+$", "C~ ^MAIL FROM:<p@s\\.example> SIZE=\\d+$", "C~ ^RCPT TO:<.*>$", "S! fin"],
      { helo: "probe.example", from: "p@s.example", recipients: ["someone@mx.example"] },
    ],
    [
      "more than it shows, with @",
      ["@ depth ehlo", "@ tls require", "@ to z@x", "@ from", "@ timeout 1s", "@ message large", "C: DATA", "S! fin"],
      { depth: "ehlo", tls: "require", recipients: ["z@x"], from: "", timeoutMs: 1_000, message: "large" },
    ],
    ["no EHLO", [greeting, "S! fin"], { ways: ["clear", "bytes", "busy"] }],
    ["EHLO", [greeting, ...ehlo, "S! fin"], { ways: ["clear", "bytes", "busy", "tls"] }],
    ["EHLO, and @ ways", ["@ ways clear", greeting, ...ehlo, "S! fin"], { ways: ["clear"] }],
  ] satisfies readonly (readonly [string, readonly string[], Partial<Setup>])[]) {
    test(`shows ${what}`, () => {
      const whole = setupOf(read(...lines));
      assert.deepEqual({ ...whole, ...setup }, whole);
    });
  }

  for (const [what, lines, can] of [
    ["with an EHLO", [greeting, ...ehlo, "S! fin"], true],
    ["without one", [greeting, "S! fin"], false],
    ["with its own STARTTLS", [greeting, ...ehlo, "C: STARTTLS", "S: 454 no", "S! fin"], false],
    ["with a HELO", [greeting, ...ehlo, "C: HELO x", "S! fin"], false],
    ["with an EHLO, and @ tls never", ["@ tls never", greeting, ...ehlo, "S! fin"], false],
    ["whose second connection is refused", [greeting, ...ehlo, "S! fin", "--", "S: 421 no", "S! fin"], true],
  ] as const) {
    test(`a dialog ${what} can${can ? "" : "not"} be run under TLS`, () => {
      assert.equal(canRunUnderTls(read(...lines)), can);
    });
  }

  test("under TLS a script is played from its EHLO on, behind a STARTTLS of ours", () => {
    assert.deepEqual(told(underTls(read(greeting, ...ehlo, "S! fin").scripts[0])), [
      'send "220 mx.example\\r\\n"',
      "line EHLO probe.example",
      'send "250-mx.example\\r\\n"',
      'send "250 STARTTLS\\r\\n"',
      "line STARTTLS",
      'send "220 2.0.0 go ahead\\r\\n"',
      'act {"name":"tls","version":null}',
      "line EHLO probe.example",
      'send "250-mx.example\\r\\n"',
      'send "250 SIZE\\r\\n"',
      'act {"name":"fin"}',
    ]);
  });
});
