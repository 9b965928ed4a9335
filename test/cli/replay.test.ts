import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { UsageFault } from "../../functions/cli/options.ts";
import { readStored } from "../../functions/cli/replay.ts";
import { direct } from "../../functions/route/egress.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { blocked, ehlo, exchange, greeting, transcript } from "./sample.ts";

const verdict = judge([blocked, transcript([greeting])], { name: "berlin", address: null });
const json = JSON.stringify(verdict);

const sources: readonly (readonly [name: string, content: string, attempts: readonly number[], egress: string])[] = [
  ["a verdict", json, [2], "berlin"],
  ["a verdict that was indented", JSON.stringify(verdict, null, 2), [2], "berlin"],
  ["a verdict behind a byte order mark", `\uFEFF${json}\r\n`, [2], "berlin"],
  ["a transcript", JSON.stringify(blocked), [1], "direct"],
  ["an array of transcripts", JSON.stringify(verdict.attempts), [2], "direct"],
  ["documents, one a line", `${json}\n\n${json}\n`, [2, 2], "berlin"],
  ["transcripts, one a line", `${JSON.stringify(blocked)}\r\n${JSON.stringify(blocked)}`, [1, 1], "direct"],
];

for (const [name, content, attempts, egress] of sources) {
  test(`${name} is read`, () => {
    const stored = readStored(content, "the file");
    assert.deepEqual(
      stored.map((each) => each.attempts.length),
      attempts,
    );
    assert.deepEqual(stored[0]?.egress, { name: egress, address: null });
    assert.deepEqual(stored[0]?.attempts[0], blocked);
  });
}

test("a judgement that was stored does not matter: it is made anew", () => {
  const [stored] = readStored(
    JSON.stringify({ ...verdict, outcome: "accepted", class: "of tomorrow", primary: {} }),
    "x",
  );
  assert.deepEqual(judge(stored?.attempts ?? [], stored?.egress ?? direct), verdict);
});

test("documents that are older than the egress's address and the domain's policy are read", () => {
  const { egressAddress, policy, ...older } = blocked;
  assert.deepEqual([egressAddress, policy], [null, null]);
  const egress = { name: "berlin", address: "127.0.0.2" };
  const [stored] = readStored(JSON.stringify({ ...verdict, egress, attempts: [older] }), "x");
  assert.deepEqual(stored, { attempts: [blocked], egress: { name: "berlin", address: null } });
  assert.deepEqual(readStored(JSON.stringify(older), "x")[0]?.attempts, [blocked]);
});

test("the address that was configured is the egress's again, and what a host saw stands beside it", () => {
  const hello = exchange("ehlo", "EHLO probe.example", "250 mx.example Hello [198.51.100.9]");
  const attempts = [transcript([greeting, hello], { egressAddress: "203.0.113.7" })];
  const configured = judge(attempts, { name: "berlin", address: "203.0.113.7" });
  assert.deepEqual(configured.egress, { name: "berlin", address: "203.0.113.7", seen: "198.51.100.9" });
  const [stored] = readStored(JSON.stringify(configured), "x");
  assert.deepEqual(judge(stored?.attempts ?? [], stored?.egress ?? direct), configured);
});

const attempt = verdict.attempts[0] as object;
const faults: readonly (readonly [name: string, content: string, says: RegExp])[] = [
  ["nothing", " \n", /^the file is empty; write what/],
  ["no JSON", "220 mx.example", /^the file, line 1: this is no JSON; write/],
  ["JSON that is cut", json.slice(0, -5), /^the file, line 1: this is no JSON; write/],
  ["a line that is no JSON", `${json}\n${json}\noops`, /^the file, line 3: this is no JSON; write/],
  ["a number", "5", /^the file: this is no transcript; write/],
  ["null", "null", /^the file: this is no transcript; write/],
  ["another object", "{}", /^the file: attempts is missing; write/],
  ["another version", JSON.stringify({ ...verdict, v: 2 }), /^the file: v is "2"; write a document of version 1$/],
  ["no version", JSON.stringify({ ...verdict, v: undefined }), /^the file: v is "missing"; write/],
  ["no attempts", JSON.stringify({ ...verdict, attempts: [] }), /^the file: attempts does not fit; write 1 or more/],
  ["an empty array", "[]", /^the file: the document does not fit; write 1 or more/],
  ["no egress", JSON.stringify({ ...verdict, egress: null }), /^the file: egress does not fit; write object$/],
  [
    "a wrong attempt",
    JSON.stringify({ ...verdict, attempts: [{ ...attempt, port: "25" }] }),
    /^the file: attempts\[0\]\.port does not fit; write integer$/,
  ],
  [
    "a wrong transcript",
    JSON.stringify({ ...attempt, ending: { by: "luck", stage: "quit", text: "" } }),
    /^the file: ending\.by does not fit; write quit, us, .* or failed$/,
  ],
  [
    "a wrong array",
    JSON.stringify([attempt, { ...attempt, host: 1 }]),
    /^the file: \[1\]\.host does not fit; write string$/,
  ],
  [
    "a transcript without recipients",
    JSON.stringify({ ...attempt, recipients: [] }),
    /^the file: recipients does not fit; write 1 or more entries$/,
  ],
  [
    "a wrong second line",
    `${json}\n${JSON.stringify({ ...attempt, from: null })}`,
    /^the file, line 2: from does not fit; write string$/,
  ],
];

for (const [name, content, says] of faults) {
  test(`${name} is a usage fault that names the place`, () => {
    assert.throws(
      () => readStored(content, "the file"),
      (error) => {
        assert.ok(error instanceof UsageFault, String(error));
        assert.match(error.message, says);
        return true;
      },
    );
  });
}

test("whatever fits the schema can be judged, however unlikely it is", () => {
  const stages = ["greeting", "ehlo", "starttls", "mail", "rcpt", "data", "message", "quit"] as const;
  const exchanges = fc.array(
    fc
      .record({
        stage: fc.constantFrom(...stages),
        command: fc.constantFrom(null, "EHLO x", "MAIL FROM:<>", "RCPT TO:<someone@mx.example>", "DATA", ".", "QUIT"),
        code: fc.constantFrom(null, 220, 250, 354, 421, 450, 550, 999, 100),
        partial: fc.boolean(),
        written: fc.boolean(),
      })
      .map(({ stage, command, code, partial, written }) => {
        const said = exchange(stage, command, code === null ? null : `${code} text`, { written });
        return said.reply === null ? said : { ...said, reply: { ...said.reply, partial } };
      }),
    { maxLength: 8 },
  );
  const depths = fc.constantFrom("greeting", "ehlo", "rcpt", "message" as const);
  const bys = fc.constantFrom("quit", "us", "fin", "reset", "timeout", "deadline", "abort", "failed" as const);
  fc.assert(
    fc.property(exchanges, depths, bys, fc.constantFrom("connect", ...stages), (said, depth, by, stage) => {
      const document = transcript(said, { depth, ending: { by, stage, text: "so it ended" } });
      const [stored] = readStored(JSON.stringify(document), "x");
      const again = judge(stored?.attempts ?? [], direct);
      assert.equal(again.recipients.length, 1);
    }),
  );
  assert.equal(judge([transcript([greeting, ehlo])], direct).outcome, "unanswered");
});
