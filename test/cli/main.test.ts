// The command line as people run it: a process, hosts on loopback, what is printed and the exit status.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { Ajv2020 } from "ajv/dist/2020.js";
import schema from "../../functions/cli/verdict.schema.json" with { type: "json" };
import { visible } from "../../functions/verdict/visible.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";

const launcher = path.join(import.meta.dirname, "../../functions/cli/bin.js");
const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
const hosts = new MailHosts();
const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
after(async () => {
  await hosts.close();
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [launcher, ...args]);
}

async function run(args: readonly string[], input = ""): Promise<Ran> {
  const child = start(args);
  child.stdin.end(input);
  return await ranOf(child);
}

async function ranOf(child: ChildProcessWithoutNullStreams): Promise<Ran> {
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: status as number | null, stdout, stderr };
}

/** A host that ends so from RCPT on, or from the greeting on. */
function hostThatSays(says: string, at: "rcpt" | "greeting" = "rcpt"): Promise<MailHost> {
  const envelope = `S: 220 mx.example ESMTP
C~ ^EHLO
S: 250-mx.example
S: 250 PIPELINING
C~ ^MAIL
C~ ^RCPT
C: QUIT
S: 250 2.1.0 ok
`;
  const script = `# as the test says\n${at === "rcpt" ? envelope : ""}${says}\n`;
  return hosts.start(parseDialog(script, "inline.smtp"), { repeat: true });
}

function mx(host: MailHost): readonly string[] {
  return ["--mx", `${host.address}:${host.port}`];
}

const outcomes: readonly (readonly [says: string, status: number, first: RegExp])[] = [
  ["S: 250 2.1.5 ok\nS: 221 bye", 0, /^accepted up to rcpt by 127\.0\.0\.1 \[127\.0\.0\.1\]:\d+: 250 2\.1\.5 ok\n/],
  ["S: 554 5.7.0 blocked\nS! rst", 1, /^rejected at rcpt by 127\.0\.0\.1 \[127\.0\.0\.1\]:\d+: 554 5\.7\.0 blocked\n/],
  [
    "S: 450 4.7.1 greylisted, come again\nS: 221 bye",
    2,
    /^deferred at rcpt by .*: 450 4\.7\.1 greylisted, come again\n/,
  ],
  ["S! fin", 3, /^unanswered at rcpt by .*: connection closed by the peer while waiting/],
];

for (const [says, status, first] of outcomes) {
  test(`a host that says ${says.split("\n")[0]} makes exit status ${status}, printed and as a document`, async () => {
    await using host = await hostThatSays(says);
    const people = await run(["probe", "someone@mx.example", ...mx(host)]);
    assert.match(people.stdout, first);
    assert.match(people.stdout, /^▶ /m);
    assert.equal(visible(people.stdout), people.stdout);
    assert.deepEqual({ status: people.status, stderr: people.stderr }, { status, stderr: "" });

    const programs = await run(["probe", "someone@mx.example", ...mx(host), "--json"]);
    assert.deepEqual({ status: programs.status, stderr: programs.stderr }, { status, stderr: "" });
    assert.equal(programs.stdout.indexOf("\n"), programs.stdout.length - 1, "one line");
    assert.ok(fits(JSON.parse(programs.stdout)), JSON.stringify(fits.errors));

    const again = await run(["replay", "--json"], programs.stdout);
    assert.deepEqual(again, programs);
    const file = path.join(folder, `${status}.json`);
    await writeFile(file, programs.stdout);
    const pasted = await run(["replay", "--dialog", file]);
    assert.equal(pasted.status, status);
    const { outcome } = JSON.parse(programs.stdout) as Verdict;
    assert.equal(parseDialog(pasted.stdout, "pasted.smtp").expected?.outcome, outcome);
    const replayed = await run(["replay", file]);
    assert.equal(replayed.stdout.split("\n")[0], people.stdout.split("\n")[0]);
    assert.equal(replayed.status, status);
  });
}

test("a host that does not answer at all costs the time limit, and no more", async () => {
  await using host = await hostThatSays("S! hang", "greeting");
  const { status, stdout } = await run(["probe", "a@mx.example", ...mx(host), "--timeout", "0.3"]);
  assert.equal(status, 3);
  assert.match(stdout, /^unanswered at greeting by .*0\.3 s for the session is over/);
});

test("recipients of one domain share a session", async () => {
  const dialog = `# two
S: 220 mx.example ESMTP
C~ ^EHLO
S: 250-mx.example
S: 250 PIPELINING
C: MAIL FROM:<>
C: RCPT TO:<a@mx.example>
C: RCPT TO:<b@mx.example>
C: QUIT
S: 250 ok
S: 250 2.1.5 ok
S: 550 5.1.1 no such user
S: 221 bye
`;
  await using host = await hosts.start(parseDialog(dialog, "two.smtp"));
  const { status, stdout } = await run(["probe", "a@mx.example", "b@mx.example", "--from", "", ...mx(host)]);
  assert.equal(status, 1);
  assert.match(stdout, /^ {2}a@mx\.example {2}accepted up to rcpt: 250 2\.1\.5 ok$/m);
  assert.match(stdout, /^ {2}b@mx\.example {2}rejected at rcpt: 550 5\.1\.1 no such user$/m);
  assert.deepEqual(await host.result(), []);
});

test("several domains: a document a line in the order given, and the highest of the exit statuses", async () => {
  await using host = await hostThatSays("S: 450 4.3.2 later\nS: 221 bye");
  const { status, stdout } = await run(["probe", "a@one.example", "b@two.example", ...mx(host), "--json"]);
  const verdicts = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Verdict);
  assert.deepEqual(
    verdicts.map((each) => each.recipients.map((recipient) => recipient.address)),
    [["a@one.example"], ["b@two.example"]],
  );
  assert.equal(status, 2);
  const people = await run(["replay"], stdout);
  assert.match(people.stdout, /^one\.example:\ndeferred at rcpt .*\n(.*\n)*two\.example:\ndeferred at rcpt /);
});

test("--message sends the file, whole and dot-stuffed, and prints the host's last word", async () => {
  const dialog = `# a message
S: 220 mx.example ESMTP
C~ ^EHLO
S: 250-mx.example
S: 250 PIPELINING
C~ ^MAIL
C~ ^RCPT
C: DATA
S: 250 ok
S: 250 ok
S: 354 go
C...
S: 250 2.0.0 queued as 4711
C: QUIT
S: 221 bye
`;
  const file = path.join(folder, "message.eml");
  await writeFile(file, "Subject: hello\n\n.a dot\nthe end");
  await using host = await hosts.start(parseDialog(dialog, "message.smtp"));
  const { status, stdout } = await run(["probe", "a@mx.example", "--message", file, ...mx(host)]);
  assert.match(stdout, /^accepted at message by .*: 250 2\.0\.0 queued as 4711\n/);
  assert.match(stdout, /^ +3 +C\.\.\.$/m);
  assert.equal(status, 0);
  assert.deepEqual(
    (await host.messages()).map((octets) => Buffer.from(octets).toString()),
    ["Subject: hello\r\n\r\n.a dot\r\nthe end\r\n"],
  );
});

test("Ctrl-C ends the session, and the verdict is still told", async () => {
  const server = net.createServer((socket) => socket.on("error", () => {}).write("220-mx.example\r\n"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as net.AddressInfo;
  const child = start(["probe", "a@mx.example", "--mx", `127.0.0.1:${port}`]);
  await once(server, "connection");
  // The child has yet to see that it is connected, and to read.
  await new Promise((resolve) => setTimeout(resolve, 200));
  child.kill("SIGINT");
  const { status, stdout, stderr } = await ranOf(child);
  server.close();
  assert.match(stdout, /^unanswered at greeting by .*stopped by our caller/);
  assert.deepEqual({ status, stderr }, { status: 3, stderr: "" });
});

test("a reader that leaves early is no fault of ours", async () => {
  await using host = await hostThatSays("S: 554 5.7.0 blocked\nS! rst");
  const child = start(["probe", "a@mx.example", ...mx(host)]);
  child.stdout.destroy();
  const [status] = (await once(child, "close")) as [number];
  assert.deepEqual({ status, stderr: await text(child.stderr) }, { status: 1, stderr: "" });
});

const faults: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /^no command is given; write one of probe, explain, replay, .*, or --help$/],
  [["prob", "a@b.example"], /^there is no command "prob"; write probe$/],
  [["a@b.example"], /^there is no command "a@b\.example"; write probe a@b\.example$/],
  [["explode"], /^there is no command "explode"; write one of probe, explain, replay, .*$/],
  [["probe"], /^no recipient is given; write probe someone@example\.com$/],
  [["probe", "a@b.example", "--jsn"], /^there is no option "--jsn"; write --json$/],
  [["probe", "a\u001b[31m@b.example", "--mx", "127.0.0.1:1"], /^[ -~]+; write [ -~]+$/],
  [["probe", "a@b.example", "--depth", "\u202edeep"], /^there is no depth "\\u202edeep"; write greeting/],
  [["replay", "none.json"], /^"none\.json" cannot be read \(ENOENT\); write the path of a file$/],
  [["replay", os.tmpdir()], /cannot be read \(EISDIR\); write the path of a file$/],
  [["replay", "--dialog", "--json"], /^--dialog and --json are two answers; write one of them$/],
  [["replay", "a", "b"], /^replay takes one file, not 2; write replay a$/],
  [["replay"], /^standard input is empty; write what/],
  [["replay", "--mx", "x"], /^there is no option "--mx"; write/],
];

for (const [args, says] of faults) {
  test(`${JSON.stringify(args)} exits 64 with one line that says what to write`, async () => {
    const { status, stdout, stderr } = await run(args);
    assert.deepEqual({ status, stdout }, { status: 64, stdout: "" });
    const [, line] = /^delivery-probe: ([^\n]*)\n$/.exec(stderr) ?? [];
    assert.match(line ?? stderr, says);
  });
}

for (const args of [
  ["--help"],
  ["-h"],
  ["help"],
  ["probe", "--help"],
  ["replay", "-h"],
  ["help", "probe"],
  ["explain", "-h"],
]) {
  test(`${args.join(" ")} tells how to write it`, async () => {
    const { status, stdout, stderr } = await run(args);
    assert.match(stdout, /^usage: delivery-probe /);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    for (const line of stdout.split("\n")) assert.ok(line.length <= 120, line);
  });
}

test("--version is the package's", async () => {
  const file = JSON.parse(await readFile(path.join(import.meta.dirname, "../../package.json"), "utf8")) as {
    version: string;
  };
  assert.equal((await run(["--version"])).stdout, `${file.version}\n`);
});
