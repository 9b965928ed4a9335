// The lab: every host gives the verdict that its dialog says.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { probe } from "../../functions/route/attempts.ts";
import { surprises } from "../../infra/local/mail/dialog-probe.ts";
import { requestTo, startLab, type Lab } from "../../infra/local/mail/lab.ts";
import { depths, type Depth } from "../../functions/smtp/transcript.ts";
import { requestTo as requestFor } from "../support/request.ts";

/** What providers do to an IP that they do not like: where, and with which code. In the order of the table. */
const answers = [
  ["accepting", "accepted at message", "250", "2.0.0"],
  ["comcast", "rejected at rcpt", "554", "5.7.1"],
  ["gmail", "rejected at message", "550", "5.7.28"],
  ["gmx", "rejected at greeting", "554", null],
  ["hanging", "unanswered at rcpt", null, null],
  ["icloud", "rejected at rcpt", "550", "5.7.1"],
  ["outlook", "rejected at mail", "550", "5.7.1"],
  ["resetting", "unanswered at rcpt", null, null],
  ["yahoo", "deferred at mail", "421", "4.7.0"],
] as const;

const folders: string[] = [];
after(() => Promise.all(folders.map((each) => rm(each, { recursive: true }))));

/** A lab of one's own, from file names and dialogs. */
async function labOf(files: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lab-"));
  folders.push(folder);
  for (const [file, lines] of Object.entries(files)) await writeFile(join(folder, file), lines.join("\n"));
  return folder;
}

const urlOf = (folder: string) => pathToFileURL(`${folder}/`);

suite("the lab", () => {
  test("every host is understood, all at once, and none left its script", async () => {
    await using lab = await startLab();
    const verdicts = await Promise.all(lab.hosts.map((each) => probe(requestTo(each))));
    const got = verdicts.map(({ outcome, primary: { stage, code, status } }, index) => {
      return [lab.hosts[index]?.dialog.provider, `${outcome} at ${stage}`, code === null ? null : String(code), status];
    });
    assert.deepEqual(got, answers);
    for (const [index, { dialog, host }] of lab.hosts.entries()) {
      const verdict = verdicts[index];
      assert.ok(verdict !== undefined);
      assert.deepEqual(surprises(dialog, verdict), []);
      assert.deepEqual(await host.result(), []);
    }
  });

  test("some are asked under TLS, one cannot pipeline, one is asked to send a message", async () => {
    await using lab = await startLab();
    const asked = await Promise.all(
      lab.hosts.map(async (each) => ({ provider: each.dialog.provider, verdict: await probe(requestTo(each)) })),
    );
    const underTls = asked.filter(({ verdict }) => verdict.attempts.some(({ tls }) => tls !== null));
    assert.deepEqual(
      underTls.map(({ provider }) => provider),
      ["accepting", "comcast", "gmail", "outlook", "yahoo"],
    );
    const groupsOf = (provider: string) =>
      asked
        .find((each) => each.provider === provider)
        ?.verdict.attempts[0]?.exchanges.filter(({ stage }) => ["mail", "rcpt", "message"].includes(stage))
        .map(({ group }) => group);
    assert.deepEqual(groupsOf("comcast"), [4, 5], "lock-step");
    assert.deepEqual(groupsOf("gmail"), [4, 4, 4], "one round trip, BDAT with it");
  });

  test("serves anyone who comes, again and again", async () => {
    await using lab = await startLab();
    const icloud = lab.hosts.find(({ dialog }) => dialog.provider === "icloud");
    assert.ok(icloud !== undefined);
    for (let times = 0; times < 3; times += 1) {
      assert.deepEqual(surprises(icloud.dialog, await probe(requestTo(icloud))), []);
    }
    assert.equal(await icloud.host.connections(), 3);
  });

  test("says how a verdict differs from what is expected", async () => {
    const greeting = ["# wrong in every way", "S: 554 5.7.1 go away", "S! fin", "@ depth rcpt"];
    const expected =
      '=> deferred mail 421 4.7.0; text "come in"; partial; class tls; ended by deadline; retry lock-step; ' +
      "consequences 9; attempts 2; colour red";
    const own = ["=> probe@odd.example: accepted rcpt 250", "=> other@odd.example: accepted rcpt 250"];
    await using lab = await startLab(urlOf(await labOf({ "odd.smtp": [...greeting, expected, ...own] })));
    const [odd] = lab.hosts;
    assert.ok(odd !== undefined);
    const told = surprises(odd.dialog, await probe(requestTo(odd)));
    assert.deepEqual(
      told.map((each) => each.replace(/got (fin|us|quit|reset)$/, "got an end")),
      [
        "expected deferred mail 421 4.7.0, and got rejected greeting 554 5.7.1",
        'expected words with "come in", and heard "554 5.7.1 go away"',
        "expected a partial reply, and it was whole",
        "expected class tls, and got ip-reputation",
        "expected an end by deadline, and got an end",
        "expected a retry lock-step, and got none",
        "expected consequences 9, and got 0",
        "expected attempts 2, and got 1",
        'there is no clause "colour"',
        "expected for probe@odd.example: accepted rcpt 250, and got rejected greeting 554 5.7.1",
        "expected for other@odd.example: accepted rcpt 250, and got no verdict",
      ],
    );
  });

  test("refuses what it cannot play or judge, and names the file", async () => {
    const cases = [
      [{}, /no lab in .*: a host is a file NAME\.smtp there/],
      [{ "a.smtp": ["# no verdict", "S! hang"] }, /^a\.smtp: say what it must give: => /],
      [{ "a.smtp": ["# two", "S! fin", "--", "S! fin", "=> unanswered greeting"] }, /^a\.smtp: .*one script/],
      [{ "a.smtp": ["# big", "@ message large", "S! fin", "=> unanswered greeting"] }, /^a\.smtp: .*@ message small/],
    ] as const;
    for (const [files, message] of cases) await assert.rejects(startLab(urlOf(await labOf(files))), { message });
  });
});

suite("a lab for anybody", () => {
  const options = { clients: "anybody" } as const;

  /** What a provider of the lab is asked by somebody whom its dialog does not know. */
  async function ask(lab: Lab, provider: string, depth: Depth): Promise<readonly (string | number | null)[]> {
    const host = lab.hosts.find(({ dialog }) => dialog.provider === provider)?.host;
    assert.ok(host !== undefined);
    const to = [`somebody@${provider}.example`];
    const hosts = [{ name: host.address, port: host.port }];
    const more = { helo: "else.example", from: "other@else.example", depth, tls: "opportunistic" } as const;
    const { outcome, primary } = await probe(requestFor(to, hosts, { ...more, timeoutMs: 3_000 }));
    assert.deepEqual(await host.result(), []);
    return [outcome, primary.stage, primary.code];
  }

  test("refuses whoever asks as far as the dialog goes, and lets go whoever stops before", async () => {
    await using lab = await startLab(undefined, options);
    assert.deepEqual(await ask(lab, "icloud", "rcpt"), ["rejected", "rcpt", 550]);
    assert.deepEqual(await ask(lab, "icloud", "message"), ["rejected", "rcpt", 550]);
    assert.deepEqual(await ask(lab, "comcast", "rcpt"), ["rejected", "rcpt", 554]);
    assert.deepEqual(await ask(lab, "outlook", "rcpt"), ["rejected", "mail", 550]);
    assert.deepEqual(await ask(lab, "gmail", "message"), ["rejected", "message", 550]);
    assert.deepEqual(await ask(lab, "gmail", "rcpt"), ["accepted", "rcpt", 250], "green, as Gmail is up to RCPT");
    assert.deepEqual(await ask(lab, "icloud", "ehlo"), ["accepted", "ehlo", 250]);
    assert.deepEqual(await ask(lab, "accepting", "message"), ["accepted", "message", 250]);
  });

  test("unblocks and blocks a provider on the same port, at every depth", async () => {
    await using lab = await startLab(undefined, options);
    const port = () => lab.hosts.find(({ dialog }) => dialog.provider === "gmx")?.host.port;
    const before = port();
    assert.deepEqual(await ask(lab, "gmx", "rcpt"), ["rejected", "greeting", 554]);
    await lab.setBlocked("gmx", false);
    for (const depth of depths) {
      const code = depth === "greeting" ? 220 : 250;
      assert.deepEqual(await ask(lab, "gmx", depth), ["accepted", depth, code]);
    }
    await lab.setBlocked("gmx", true);
    assert.deepEqual(await ask(lab, "gmx", "rcpt"), ["rejected", "greeting", 554]);
    assert.equal(port(), before);
    await assert.rejects(lab.setBlocked("hotmail", false), { message: "the lab has no provider hotmail" });
  });

  test("an open host takes messages as they are, under TLS, and refuses what is out of order", async () => {
    await using lab = await startLab(undefined, options);
    const host = lab.hosts.find(({ dialog }) => dialog.provider === "gmx")?.host;
    assert.ok(host !== undefined);
    await lab.setBlocked("gmx", false);
    const message = Buffer.from("Subject: dots\r\n\r\n.\r\n..two\r\nend\r\n");
    const hosts = [{ name: host.address, port: host.port }];
    const two = ["one@gmx.example", "two@gmx.example"];
    const verdict = await probe(requestFor(two, hosts, { depth: "message", message, tls: "require" }));
    assert.equal(verdict.outcome, "accepted");
    assert.ok(verdict.attempts[0]?.tls !== null);
    assert.deepEqual(await host.messages(), [new Uint8Array(message)]);

    const socket = connect(host.port, host.address);
    socket.end(
      "DATA\r\nRCPT TO:<a@b>\r\nEHLO me\r\nMAIL FROM:a@b\r\nMAIL FROM:<a@b>\r\nEXPN all\r\nRSET\r\nQUIT\r\nNOOP\r\n",
    );
    const replies = (await text(socket)).split("\r\n").filter((line) => /^\d{3} /.test(line));
    assert.deepEqual(
      replies.map((line) => line.slice(0, 3)),
      ["220", "503", "503", "250", "501", "250", "500", "250", "221"],
    );
  });

  test("an open host takes what providers take: 25 MB, to the octet, in seconds", async () => {
    await using lab = await startLab(undefined, options);
    const host = lab.hosts.find(({ dialog }) => dialog.provider === "gmail")?.host;
    assert.ok(host !== undefined);
    await lab.setBlocked("gmail", false);
    const line = Buffer.from(`.${"x".repeat(75)}\r\n`);
    const message = Buffer.concat([Buffer.from("Subject: large\r\n\r\n"), Buffer.alloc(25_000_000 - 20 - 8, line), Buffer.from("the end\r\n")]); // prettier-ignore
    const hosts = [{ name: host.address, port: host.port }];
    const request = requestFor(["someone@gmail.example"], hosts, { depth: "message", message, timeoutMs: 20_000 });
    assert.equal((await probe(request)).outcome, "accepted");
    const [received] = await host.messages();
    assert.ok(received !== undefined && message.equals(received), `${received?.length} of ${message.length} octets`);
  });

  test("takes the ports that it is given, and says when one is taken", async () => {
    await using one = await startLab(undefined, options);
    const ports = Object.fromEntries(one.hosts.map(({ dialog, host }) => [dialog.provider, host.port]));
    await assert.rejects(startLab(undefined, { ...options, ports }), /EADDRINUSE/);
    await one[Symbol.asyncDispose]();
    await using again = await startLab(undefined, { ...options, ports });
    assert.deepEqual(
      again.hosts.map(({ host }) => host.port),
      Object.values(ports),
    );
  });
});
