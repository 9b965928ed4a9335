// `npm start` as a person runs it: once, with the page for the block in what it prints; and until it is told to end.
import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import type { Readable } from "node:stream";
import { suite, test } from "node:test";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../../infra/local/start.ts", import.meta.url));

function spawned(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "pipe"], timeout: 120_000 });
}

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

async function start(...args: readonly string[]): Promise<Ran> {
  const child = spawned(args);
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { status: status as number | null, out, err };
}

suite("npm start -- --once", () => {
  test("prints the verdicts, the first page as on-call reads it, and what another client makes of it", async () => {
    const { status, out, err } = await start("--once");
    assert.equal(err, "");
    assert.equal(status, 0, out);
    const lines = out.split("\n");
    assert.match(lines[0] ?? "", /^6 providers over 2 egresses, .* blocked by icloud; /);
    assert.match(lines[2] ?? "", /^provider +egress +verdict +reply +class +ms +first words$/);
    const rows = lines.slice(3, lines.indexOf("", 3)).map((line) => line.split(/ {2,}/).slice(0, 5).join(" "));
    assert.equal(rows.length, 12);
    assert.deepEqual(rows.slice(0, 4), [
      "icloud aws rejected at rcpt 550 5.7.1 ip-reputation",
      "icloud mail-1 rejected at rcpt 550 5.7.1 ip-reputation",
      "outlook aws accepted up to rcpt 250 2.1.5 -",
      "outlook mail-1 accepted up to rcpt 250 2.1.5 -",
    ]);
    assert.equal(rows[10], "gmail aws accepted at message 250 2.0.0 -");
    assert.match(out, /^The first of 2 pages:\n\n {2}iCloud blocks 192\.0\.2\.2[56]: 550 5\.7\.1 .* Spamhaus PBL/m);
    assert.match(out, /^ {4}> 550-5\.7\.1 192\.0\.2\.25 is in Spamhaus PBL: refused\.$/m);
    assert.match(out, /^ {2}Do: \S/m);
    assert.match(out, /^ {2}delivery-probe reports: +rejected at rcpt: 550-5\.7\.1 192\.0\.2\.25 is in Spamhaus PBL/m);
    assert.match(out, /^ {2}nodemailer \d+\.\d+\.\d+ reports: +\S/m);
    assert.ok(!out.includes("\x1b"), "no escape codes on a pipe");
  });

  test("of two providers that block us it has the page of each egress that speaks for both", async () => {
    const { status, out, err } = await start("--once", "--block", "icloud", "--block", "gmx");
    assert.equal(err, "");
    assert.equal(status, 0, out);
    // The lab's hosts see both at one address.
    const titles = out.split("\n").filter((line) => line.trim().startsWith("2 of 6 providers block 192.0.2.25"));
    assert.equal(titles.length, 2, out);
  });
});

suite("npm start", () => {
  test("tells a line for each thing that happens, and ends well when it is interrupted", async () => {
    const child = spawned([]);
    const ended = once(child, "exit");
    const errors = text(child.stderr);
    const isPage = / {2}page {5}iCloud blocks/;
    let out = "";
    child.stdout.setEncoding("utf8");
    for await (const piece of child.stdout as AsyncIterable<string>) {
      const before = out;
      out += piece;
      // A second signal would end it as it ends any program.
      if (!isPage.test(before) && isPage.test(out)) child.kill("SIGINT");
    }
    const [status] = (await ended) as [number | null];
    assert.equal(await errors, "");
    assert.equal(status, 0, out);
    for (const line of [
      /^6 providers over 2 egresses, .*SIGINT ends it$/m,
      /^\d\d:\d\d {2}verdict {2}icloud over aws: rejected at rcpt: 550 5\.7\.1 192\.0\.2\.25 is in Spamhaus PBL/m,
      /^\d\d:\d\d {2}alarm {4}delivery-probe-blocked-icloud-\S+: OK -> ALARM, held back \(WaitPeriod\)$/m,
      /^\d\d:\d\d {2}page {5}iCloud blocks .* {2}Do: \S/m,
    ]) {
      assert.match(out, line);
    }
    assert.ok(!out.includes("\x1b"), "no escape codes on a pipe");
  });

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["--blok", "gmx"], /^npm start: there is no option "--blok"; write --block\n$/],
    [["--block", "gmal"], /^npm start: --block "gmal" is no provider that is probed; write gmail\n$/],
    [["--block", "hanging"], /^npm start: .*; write one of icloud, outlook, yahoo, gmx, comcast, gmail\n$/],
    [["--speed", "0"], /^npm start: --speed "0" is no speed; write a number from 1 to 3600\n$/],
    [["icloud"], /^npm start: there is no operand such as "icloud"; write --block NAME\n$/],
  ];
  for (const [args, expected] of wrong) {
    test(`says in one line what to write in place of ${args.join(" ")}`, async () => {
      const { status, out, err } = await start(...args);
      assert.deepEqual({ status, out }, { status: 64, out: "" });
      assert.match(err, expected);
    });
  }

  test("tells its options", async () => {
    const { status, out } = await start("--help");
    assert.equal(status, 0);
    for (const option of ["--once", "--block name", "--speed n", "--state dir"])
      assert.ok(out.includes(`  ${option} `));
  });
});
