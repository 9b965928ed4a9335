// The explain command as people and programs run it: a reply in, its meaning out, and what is said of what is no reply.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { readSaid, readStage } from "../../functions/cli/said.ts";
import { UsageFault } from "../../functions/cli/options.ts";
import { visible } from "../../functions/verdict/visible.ts";
import { classes, type Class } from "../../functions/verdict/classes.ts";
import { explain, type Explanation } from "../../functions/verdict/explain.ts";
import { ruleGroups } from "../../functions/verdict/rules/table.ts";

const launcher = path.join(import.meta.dirname, "../../functions/cli/bin.js");

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], input: string | Uint8Array = ""): Promise<Ran> {
  const child = spawn(process.execPath, [launcher, "explain", ...args]);
  child.stdin.on("error", () => {}).end(input);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  assert.equal(visible(stdout), stdout, "nothing raw on standard output");
  assert.equal(visible(stderr), stderr, "nothing raw on standard error");
  return { status: status as number | null, stdout, stderr };
}

/** What --json, and each line of --jsonl, prints; an error in the place of all else. */
interface Document extends Explanation {
  readonly error?: string;
}

async function explained(args: readonly string[], input = ""): Promise<Document> {
  const { status, stdout, stderr } = await run(["--json", ...args], input);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.equal(stdout.indexOf("\n"), stdout.length - 1, "one line");
  return JSON.parse(stdout) as Document;
}

const pbl = "550 5.7.1 Service unavailable; client [203.0.113.9] blocked using Spamhaus PBL";

test("a reply is told in its class, what that means, who must act, what to do and by which rule", async () => {
  const { status, stdout, stderr } = await run([pbl]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const { means, actor } = classes["ip-reputation"];
  assert.ok(stdout.split("\n").every((line) => line.length <= 100));
  // What is too long for a terminal goes on, set in, on the next line.
  const lines = stdout
    .trimEnd()
    .replaceAll(/\n {4}/g, " ")
    .split("\n");
  assert.equal(lines[0], "class: ip-reputation (page) · list: Spamhaus PBL");
  assert.equal(lines[1], `means: ${means}`);
  assert.equal(lines[2], `who: ${actor}`);
  assert.match(lines[3] ?? "", /^do: Spamhaus PBL: ./);
  assert.equal(lines[4], "see: https://check.spamhaus.org/results?query=203.0.113.9");
  assert.match(lines[5] ?? "", /^rule: [a-z0-9-]+$/);
  assert.equal(lines.length, 6);
});

test("--json has the fields of the documentation in their order, and nothing else", async () => {
  const document = await explained([pbl]);
  assert.deepEqual(Object.keys(document), ["class", "rule", "provider", "blocklist", "remedy", "about", "severity"]);
  const { class: kind, provider, blocklist, about, severity } = document;
  assert.deepEqual([kind, provider, blocklist, about, severity], ["ip-reputation", null, "spamhaus-pbl", "ip", "page"]);
});

test("words that nobody quoted are one reply", async () => {
  assert.deepEqual(await explained(pbl.split(" ")), await explained([pbl]));
});

test("behind -- a word that looks like an option is the reply's", async () => {
  const { class: kind } = await explained(["--", "550", "5.1.1", "--help:", "no", "such", "user"]);
  assert.equal(kind, "mailbox-unknown");
});

const folded = `550-5.7.1 Service unavailable; client [203.0.113.9]\r\n550 5.7.1 blocked using Spamhaus PBL\r\n`;

for (const [name, input] of [
  ["with CRLF", folded],
  ["with LF", folded.replaceAll("\r\n", "\n")],
  ["without a last line end", folded.trimEnd()],
  ["between empty lines", `\n\n${folded}\n\n`],
  ["behind a byte order mark", `\uFEFF${folded}`],
] as const) {
  test(`standard input holds one reply of many lines, ${name}`, async () => {
    assert.deepEqual(await explained([], input), await explained([pbl]));
  });
}

const severities: readonly (readonly [reply: string, shown: string])[] = [
  ["550 5.7.1 denied by policy", "policy warn receiver"],
  ["450 4.7.1 denied by policy", "policy info receiver"],
  ["450-4.7.1 denied\n450 4.7.1 by policy", "policy info receiver"],
  ["450 4.7.1 greylisted", "greylist info session"],
  ["550 5.1.1 no such user", "mailbox-unknown info recipient"],
  ["550 no", "unspecified info receiver"],
  ["what is this", "unspecified info receiver"],
];
for (const [reply, shown] of severities) {
  test(`${JSON.stringify(reply)} is ${shown}`, async () => {
    const { class: kind, severity, about } = await explained([], reply);
    assert.equal(`${kind} ${severity} ${about}`, shown);
  });
}

test("--stage: of an unexplained refusal the greeting can only mean the IP", async () => {
  const reply = "554 5.7.1 access denied";
  assert.equal((await explained([reply, "--stage", "greeting"])).class, "ip-reputation");
  assert.equal((await explained(["--stage=rcpt", reply])).class, "policy");
  assert.equal((await explained([reply])).class, "policy");
});

test("--stage takes other tools' names, in any case", async () => {
  const reply = "554 5.7.1 access denied";
  const [greeting, ...others] = await Promise.all(
    ["greeting", "connect", "banner", "GREETING"].map((stage) => explained([reply, "--stage", stage])),
  );
  for (const each of others) assert.deepEqual(each, greeting);
  assert.deepEqual(await explained([reply, "--stage", "unknown"]), await explained([reply]));
});

test("each stage of ours and of other tools is read as ours", () => {
  const rows = [
    ["connect", "greeting"],
    ["banner", "greeting"],
    ["greeting", "greeting"],
    ["helo", "ehlo"],
    ["EHLO", "ehlo"],
    ["starttls", "starttls"],
    ["mail", "mail"],
    ["Rcpt", "rcpt"],
    ["data", "data"],
    ["body", "message"],
    ["eod", "message"],
    ["message", "message"],
    ["quit", "quit"],
    ["unknown", null],
    [null, null],
  ] as const;
  for (const [word, stage] of rows) assert.equal(readStage(word, ""), stage, String(word));
  for (const word of ["", " ", "toString", "__proto__", "rcpt to", "mail\n"]) {
    assert.throws(() => readStage(word, ""), UsageFault, word);
  }
});

test("--mx takes the host's name, its provider's id or another name of it; of an unknown host nothing is known", async () => {
  const reply = "550 5.7.1 your IP is blocked here";
  const names = ["gmail-smtp-in.l.google.com", "GMAIL-SMTP-IN.L.GOOGLE.COM.", "gmail", "google", "googlemail"];
  for (const name of names) {
    const { class: kind, provider, remedy } = await explained([reply, "--mx", name]);
    assert.deepEqual([kind, provider], ["ip-reputation", "gmail"], name);
    assert.match(remedy?.url ?? "", /^https:\/\/support\.google\.com\//);
  }
  for (const name of ["mx.example", "google.com.mx.example", "gmail2.example"]) {
    assert.equal((await explained([reply, "--mx", name])).provider, null, name);
  }
  const { stdout } = await run([reply, "--mx", "gmail"]);
  assert.match(stdout, /^class: ip-reputation \(page\) · provider: Gmail and Google Workspace$/m);
});

test("--mx that is neither a host nor a provider is mistyped", async () => {
  const { stderr, status } = await run(["550 no", "--mx", "gmal"]);
  assert.match(stderr, /^delivery-probe: --mx "gmal" is no host and no provider; write gmail$/m);
  assert.equal(status, 64);
});

test("a reply that takes what was asked refuses nothing, whatever it says", async () => {
  const { stdout } = await run(["250 2.0.0 Ok, your IP 203.0.113.9 is blocked using zen.spamhaus.org"]);
  assert.match(stdout, /^class: unspecified \(info\)\n[^]*^note: this refuses nothing$/m);
});

test("--address is the one to look up, but for a private one", async () => {
  const reply = "550 5.7.1 you are listed in zen.spamhaus.org";
  const url = async (address: string): Promise<string | null | undefined> =>
    (await explained([reply, "--address", address])).remedy?.url;
  assert.equal(await url("203.0.113.9"), "https://check.spamhaus.org/results?query=203.0.113.9");
  assert.equal(await url("2001:db8::7"), "https://check.spamhaus.org/results?query=2001%3Adb8%3A%3A7");
  assert.equal(await url("10.0.0.5"), "https://check.spamhaus.org/");
});

test("a link of the reply's is repeated where it is the provider's own, and never as it came", async () => {
  const ticket = "https://postmaster.gmx.net/en/case?c=hi&i=ip&v=203.0.113.9";
  const { remedy } = await explained([`554 IP address is block listed. ${ticket}`, "--mx", "gmx"]);
  assert.match(remedy?.url ?? "", /^https:\/\/postmaster\.gmx\.net\//);
  const elsewhere = await explained([`554 IP address is block listed. https://gmx.evil.example/x`, "--mx", "gmx"]);
  assert.doesNotMatch(JSON.stringify(elsewhere), /evil/);
});

test("no escape of a reply's reaches a terminal raw, in any form", async () => {
  const evil = "\u001b]8;;x\u0007\u001b[2J\u009b31m\u202e\u2066";
  const replies = [
    `554 5.7.1 your IP is blocked ${evil}`,
    `554 IP address is block listed. https://postmaster.gmx.net/en/case?c=${evil} ${evil}`,
    evil,
  ];
  for (const reply of replies) {
    await run([reply, "--mx", "gmx"]);
    await run([reply, "--mx", "gmx", "--json"]);
    await run([reply, "--mx", evil]);
    const lines = [
      { reply, mx: evil, stage: null },
      { reply, stage: evil },
      { reply, address: evil },
      { reply: { evil } },
      { reply: [evil] },
      { reply, mx: { [evil]: evil } },
    ];
    const { status } = await run(["--jsonl"], [...lines.map((each) => JSON.stringify(each)), evil].join("\n"));
    assert.equal(status, 64);
  }
});

/** Lines of which each is right or wrong, and what is said of the wrong ones. */
const lines: readonly (readonly [line: string, told: Class | RegExp])[] = [
  [JSON.stringify({ reply: pbl }), "ip-reputation"],
  ["550 5.1.1 no such user", /^this is no JSON object; write \{"reply": "550 …"/],
  [JSON.stringify({ reply: "550 5.1.1 no such user", stage: "rcpt", mx: "mx.example" }), "mailbox-unknown"],
  [JSON.stringify({ reply: "554 5.7.1 access denied", stage: "connect" }), "ip-reputation"],
  [JSON.stringify({ reply: "554 5.7.1 access denied", stage: "unknown", mx: null, address: null }), "policy"],
  [JSON.stringify({ reply: pbl, class: "policy", extra: { deep: [1] } }), "ip-reputation"],
  ['{"reply":"550 5.1.1 no such user"', /^this is no JSON object; write /],
  ["null", /^this is no JSON object; write /],
  ["5", /^this is no JSON object; write /],
  ['"550 5.1.1 no such user"', /^this is no JSON object; write /],
  ['[{"reply":"550 no"}]', /^this is no JSON object; write /],
  ["{}", /^reply is missing; write "reply": "550 …"$/],
  ['{"reply":null}', /^reply is missing; write /],
  ['{"reply":""}', /^reply is missing; write /],
  ['{"reply":" \\r\\n "}', /^reply is missing; write /],
  ['{"reply":550}', /^reply is 550; write text, or null$/],
  ['{"reply":["550 no"]}', /^reply is \["550 no"\]; write text, or null$/],
  ['{"reply":"550 no","stage":5}', /^stage is 5; write text, or null$/],
  ['{"reply":"550 no","mx":{}}', /^mx is \{\}; write text, or null$/],
  ['{"reply":"550 no","address":false}', /^address is false; write text, or null$/],
  ['{"reply":"550 no","stage":"later"}', /^"later" is no stage; write .*greeting, .*message, quit or unknown$/],
  ['{"reply":"550 no","address":"mx.example"}', /^address "mx\.example" is no IP address; write one such as /],
  ['{"__proto__":{"reply":"550 no"}}', /^reply is missing; write /],
  [JSON.stringify({ reply: folded }), "ip-reputation"],
  [JSON.stringify({ reply: "550 no" }), "unspecified"],
];

for (const [name, end, mark] of [
  ["LF", "\n", ""],
  ["CRLF", "\r\n", ""],
  ["LF, behind a byte order mark", "\n", "\uFEFF"],
] as const) {
  test(`--jsonl answers each line in its place, the broken ones too (${name})`, async () => {
    // An empty line between every two: it counts, and is nobody's.
    const input = mark + lines.map(([line]) => line).join(`${end}  ${end}`) + end;
    const { status, stdout, stderr } = await run(["--jsonl"], input);
    assert.equal(status, 64);
    const documents = stdout.trimEnd().split("\n").map(documentIn);
    assert.equal(documents.length, lines.length);
    const said: string[] = [];
    for (const [index, [line, told]] of lines.entries()) {
      const document = documents[index];
      if (typeof told === "string") {
        assert.equal(document?.class, told, line);
        assert.ok(!Object.hasOwn(document, "error"));
        continue;
      }
      assert.deepEqual(Object.keys(document ?? {}), ["error"], line);
      assert.match(document?.error ?? "", told);
      said.push(`delivery-probe: line ${index * 2 + 1}: ${document?.error}`);
    }
    assert.deepEqual(stderr.trimEnd().split("\n"), said);
  });
}

test("--jsonl of good lines alone ends well, of no lines too, and without a last line end", async () => {
  const line = JSON.stringify({ reply: pbl });
  const two = await run(["--jsonl"], `${line}\n${line}`);
  assert.deepEqual([two.status, two.stderr, two.stdout.split("\n").length], [0, "", 3]);
  for (const nothing of ["", "\n\n", " \r\n"]) {
    assert.deepEqual(await run(["--jsonl"], nothing), { status: 0, stdout: "", stderr: "" });
  }
});

test("--jsonl tells the same as one reply alone", async () => {
  const { stdout } = await run(["--jsonl"], JSON.stringify({ reply: pbl, stage: "rcpt", mx: "gmail" }));
  assert.deepEqual(documentIn(stdout), await explained([pbl, "--stage", "rcpt", "--mx", "gmail"]));
});

test("options stand for what a line does not say; the line's own go before them", async () => {
  const reply = "554 5.7.1 access denied";
  const said = [{ reply }, { reply, stage: "rcpt" }, { reply, mx: "icloud" }, { reply, mx: "mx.example" }];
  const input = said.map((each) => JSON.stringify(each)).join("\n");
  const { stdout } = await run(["--jsonl", "--stage", "connect", "--mx", "gmail"], input);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .map(documentIn)
      .map(({ class: kind, provider }) => [kind, provider]),
    [
      ["ip-reputation", "gmail"],
      ["policy", "gmail"],
      ["ip-reputation", "icloud"],
      ["ip-reputation", null],
    ],
  );
});

test("a line that holds a line separator of Unicode is one line", async () => {
  // JSON allows them inside strings as they are, and JSON.stringify leaves them so.
  const line = JSON.stringify({ reply: "550 5.1.1 no such user \u2028 here \u2029 or there" });
  const { status, stdout, stderr } = await run(["--jsonl"], `${line}\n${line}\n`);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .map((each) => documentIn(each).class),
    ["mailbox-unknown", "mailbox-unknown"],
  );
});

test("a line of 1 MB costs no more than a short one says, and the next is still read", async () => {
  const long = JSON.stringify({ reply: `${pbl} ${"x ".repeat(500_000)}` });
  const next = JSON.stringify({ reply: "550 5.1.1 no such user" });
  const broken = "[".repeat(1_000_000);
  const began = performance.now();
  const { status, stdout, stderr } = await run(["--jsonl"], `${long}\n${broken}\n${next}\n`);
  assert.ok(performance.now() - began < 10_000);
  assert.equal(status, 64);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .map(documentIn)
      .map((each) => each.class ?? "error"),
    ["ip-reputation", "error", "mailbox-unknown"],
  );
  assert.ok(stderr.length < 300, "a fault quotes no megabyte");
  assert.equal((await explained([], `${pbl} ${"x ".repeat(500_000)}`)).class, "ip-reputation");
});

test("bytes that are no UTF-8 break no line", async () => {
  const bytes = Buffer.concat([
    Buffer.from('{"reply":"550 5.1.1 no such user '),
    Buffer.of(0xe9, 0xff),
    Buffer.from('"}'),
  ]);
  const { status, stdout } = await run(["--jsonl"], bytes);
  assert.deepEqual([status, documentIn(stdout).class], [0, "mailbox-unknown"]);
});

test("a reader that leaves early is no fault of ours", async () => {
  const child = spawn(process.execPath, [launcher, "explain", "--jsonl"]);
  child.stdout.destroy();
  child.stdin.on("error", () => {}).end(`${JSON.stringify({ reply: pbl })}\n`.repeat(100));
  const [status] = (await once(child, "close")) as [number];
  assert.deepEqual({ status, stderr: await text(child.stderr) }, { status: 0, stderr: "" });
});

test("--rules lists every rule once, in the order in which they are tried", async () => {
  const rules = ruleGroups.flatMap((group) => group.rules);
  const { status, stdout, stderr } = await run(["--rules"]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const shown = stdout.trimEnd().split("\n");
  assert.deepEqual(
    shown.map((line) => line.split(/\s+/).slice(0, 2)),
    rules.map((rule) => [rule.id, rule.class]),
  );
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length, "an id twice");
});

test("--rules --json prints each as a document, with its patterns and its source", async () => {
  const rules = ruleGroups.flatMap((group) => group.rules);
  const { status, stdout, stderr } = await run(["--rules", "--json"]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const shown = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    shown.map((each) => [each["id"], each["class"], each["source"]]),
    rules.map((each) => [each.id, each.class, each.source]),
  );
  for (const [index, rule] of rules.entries()) {
    const [given, told] = [[rule.words ?? []].flat(), [shown[index]?.["words"] ?? []].flat()];
    assert.deepEqual(
      told,
      given.map((each) => each.source),
      rule.id,
    );
  }
});

const faults: readonly (readonly [args: readonly string[], says: RegExp, input?: string])[] = [
  [[], /^no reply is given; write explain "550 5\.7\.1 …", or pipe it in$/],
  [[], /^no reply is given; write /, " \r\n\n"],
  [[""], /^no reply is given; write /],
  [["--json"], /^no reply is given; write /],
  [["550 no", "--stage", "later"], /^--stage "later" is no stage; write .*greeting, .* or unknown$/],
  [["550 no", "--stage"], /^--stage lacks its value; write --stage stage$/],
  [["550 no", "--stage", "rcpt", "--stage", "data"], /^--stage is given twice; write it once$/],
  [["550 no", "--address", "mx.example"], /^--address "mx\.example" is no IP address; write one such as 192\.0\.2\.1$/],
  [["550 no", "--address", "203.0.113"], /^--address "203\.0\.113" is no IP address; write one such as /],
  [["550 no", "--mx"], /^--mx lacks its value; write --mx host$/],
  [["550 no", "--jsom"], /^there is no option "--jsom"; write --json/],
  [["550 no", "--json=yes"], /^--json takes no value; write --json alone$/],
  [["550 no", "--jsonl"], /^--jsonl reads replies from standard input; write explain --jsonl < replies$/],
  [["--jsonl", "--stage", "later"], /^--stage "later" is no stage; write /],
  [["--rules", "550 no"], /^--rules explains nothing; write explain --rules alone$/],
  [["--rules", "--jsonl"], /^--rules explains nothing; write explain --rules alone$/],
  [["550 no", "--stage", "\u001b[31m"], /^--stage "\\u001b\[31m" is no stage; write /],
];

for (const [args, says, input] of faults) {
  test(`${JSON.stringify(args)} exits 64 with one line that says what to write`, async () => {
    const { status, stdout, stderr } = await run(args, input);
    assert.deepEqual({ status, stdout }, { status: 64, stdout: "" });
    const [, line] = /^delivery-probe: ([^\n]*)\n$/.exec(stderr) ?? [];
    assert.match(line ?? stderr, says);
  });
}

test("any line is explained or refused with a remedy, and never otherwise", () => {
  const shared = { stage: null, provider: null, own: null };
  const values = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        reply: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(pbl, folded, "550"), fc.jsonValue()),
        stage: fc.constantFrom("connect", "body", "unknown", "rcpt", null, "x", 5),
        mx: fc.oneof(fc.string(), fc.constantFrom("gmail", null)),
        address: fc.constantFrom("192.0.2.1", "2001:db8::1", null, "x"),
      },
      { requiredKeys: [] },
    ),
  );
  const input = fc.oneof(
    fc.string({ unit: "binary" }),
    values.map((each) => JSON.stringify(each)),
  );
  let understood = 0;
  fc.assert(
    fc.property(input, (line) => {
      try {
        const { class: kind, remedy, severity } = explain(readSaid(line, shared));
        assert.ok(kind !== null && remedy !== null && severity !== null);
        assert.ok(Object.hasOwn(classes, kind));
        assert.ok(remedy.url === null || URL.canParse(remedy.url));
        understood += 1;
      } catch (error) {
        assert.ok(error instanceof UsageFault, String(error));
        assert.match(error.message, /; write /);
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(understood > 50, `only ${understood} lines were replies`);
});

function documentIn(line: string): Document {
  return JSON.parse(line) as Document;
}
