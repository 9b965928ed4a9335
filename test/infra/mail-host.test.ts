// A mail host against real clients on loopback: what it reads, what it writes, how it ends, and what it reports.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { after, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { certificate } from "../../infra/local/mail/certificate.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, startMailHost } from "../../infra/local/mail/mail-host.ts";
import type { MailHost, MailHostOptions } from "../../infra/local/mail/mail-host.ts";

// Closes all that the tests start.
const hosts = new MailHosts();
after(() => hosts.close());

function start(script: string, options: MailHostOptions = {}): Promise<MailHost> {
  return hosts.start(parseDialog(`# a test\n${script}`, "a.smtp"), options);
}

interface Heard {
  /** What each read brought. */
  readonly pieces: readonly string[];
  readonly text: string;
  readonly ended: "fin" | "reset";
}

// Before libuv 1.52 (Node 22) a client is told of an end where a reset came together with data: the host's reset was
// real, but such a client cannot tell.
const seesResets = Number(process.versions.uv.split(".")[1]) >= 52;
const asReset: readonly string[] = seesResets ? ["reset"] : ["reset", "fin"];

/** Waits until the host has said something that ends so. */
async function hear(socket: Socket, end: string): Promise<string> {
  let text = "";
  for (;;) {
    const [octets] = (await once(socket, "data")) as [Buffer];
    text += octets.toString("latin1");
    if (text.endsWith(end)) return text;
  }
}

/** All that the host says from here on, and how it ends. */
function hearAll(socket: Socket): Promise<Heard> {
  const pieces: string[] = [];
  let reset = false;
  socket.on("data", (octets: Buffer) => pieces.push(octets.toString("latin1")));
  socket.on("error", () => (reset = true));
  return new Promise((resolve) => {
    socket.on("close", () => resolve({ pieces, text: pieces.join(""), ended: reset ? "reset" : "fin" }));
  });
}

/** Says it all at once, and hears the host out. */
function converse(host: MailHost, text: string | Uint8Array): Promise<Heard> {
  const socket = connect(host.port, host.address);
  const heard = hearAll(socket);
  socket.write(text);
  return heard;
}

async function upgrade(host: MailHost): Promise<Socket> {
  const socket = connect(host.port, host.address);
  await hear(socket, "220 mx.example ESMTP\r\n");
  socket.write("EHLO probe.example\r\n");
  assert.equal(await hear(socket, "STARTTLS\r\n"), "250-mx.example\r\n250 STARTTLS\r\n");
  socket.write("STARTTLS\r\n");
  assert.equal(await hear(socket, "\r\n"), "220 2.0.0 go ahead\r\n");
  const secured = connectTls({ socket, ca: certificate, servername: "mx.example" });
  await once(secured, "secureConnect");
  return secured;
}

function block(blockMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
}

suite("what a mail host reads", () => {
  const script = "S: 220 mx.example ESMTP\nC: NOOP\nS: 554 no\nS! ";

  test("a close over what the script has not come to makes the kernel send a reset", async () => {
    for (let round = 0; round < 20; round += 1) {
      const host = await start(`${script}close`);
      const { text, ended } = await converse(host, "NOOP\r\nQ");
      assert.equal(text, "220 mx.example ESMTP\r\n554 no\r\n");
      assert.ok(asReset.includes(ended), ended);
      assert.deepEqual(await host.result(), []);
    }
  });

  test("a close with nothing unread ends with FIN, so not an octet was read ahead", async () => {
    for (let round = 0; round < 20; round += 1) {
      const host = await start(`${script}close`);
      const heard = await converse(host, "NOOP\r\n");
      assert.deepEqual([heard.text, heard.ended], ["220 mx.example ESMTP\r\n554 no\r\n", "fin"]);
    }
  });

  test("fin ends with FIN though the client has said more", async () => {
    const host = await start(`${script}fin`);
    const socket = connect(host.port, host.address);
    const heard = hearAll(socket);
    socket.write("NOOP\r\nNOOP\r\nQUIT\r\n");
    assert.equal((await heard).ended, "fin");
    assert.deepEqual(await host.result(), []);
    assert.deepEqual(await host.received(), [["NOOP"]]);
  });

  test("rst resets though nothing is unread", async () => {
    const host = await start(`${script}rst`);
    const { text, ended } = await converse(host, "NOOP\r\n");
    assert.equal(text, "220 mx.example ESMTP\r\n554 no\r\n");
    assert.ok(asReset.includes(ended), ended);
  });

  for (const [what, steps, sent] of [
    ["a pattern", "C~ ^NO", "NOOP\r\n"],
    ["a message", "C...", "Subject: a\r\n\r\n..b\r\n..\r\n\r.\r\r\n.\r\n"],
    ["an empty message", "C...", ".\r\n"],
    ["a chunk", "C~ ^BDAT \nC...", "BDAT 7 LAST\r\n.\r\n.\r\n "],
    ["an empty chunk", "C: BDAT 0 LAST\nC...", "BDAT 0 LAST\r\n"],
  ] as const) {
    test(`${what} is read to its end and no further`, async () => {
      const host = await start(`${steps}\nS: 250 ok\nS! close`);
      const other = await start(`${steps}\nS: 250 ok\nS! close`);
      assert.equal((await converse(host, sent)).ended, "fin");
      const { ended } = await converse(other, `${sent}Q`);
      assert.ok(asReset.includes(ended), ended);
      assert.deepEqual([...(await host.result()), ...(await other.result())], []);
    });
  }

  test("a refusal in mid-message leaves the rest of it unread", async () => {
    const host = await start("C: DATA\nS: 354 go\nC: Subject: a\nS: 550 5.7.1 spam\nS! close");
    const heard = await converse(host, `DATA\r\nSubject: a\r\n${"x".repeat(100_000)}`);
    assert.equal(heard.text, "354 go\r\n550 5.7.1 spam\r\n");
    assert.ok(asReset.includes(heard.ended), heard.ended);
  });

  test("messages arrive with their dots unstuffed, and chunks put together", async () => {
    const host = await start(
      ["C: DATA", "S: 354 go", "C...", "C~ ^BDAT", "C...", "C~ ^BDAT", "C...", "S: 250 ok", "S! fin"].join("\n"),
    );
    await converse(host, "DATA\r\n..a\r\n\r\nb.\r\n.\r\nBDAT 4\r\n.c\r\nBDAT 2 LAST\r\nd\n");
    const messages = await host.messages();
    assert.deepEqual(
      messages.map((each) => Buffer.from(each).toString()),
      [".a\r\n\r\nb.\r\n", ".c\r\nd\n"],
    );
    const lines = ["DATA", "..a", "", "b.", ".", "BDAT 4", ".c", "BDAT 2 LAST", "d"];
    assert.deepEqual(await host.received(), [lines]);
  });

  test("a large message is read within seconds", async () => {
    const host = await start("C...\nS: 250 ok\nS! fin");
    const line = `${"x".repeat(76)}\r\n`;
    await converse(host, `${line.repeat(20_000)}.\r\n`);
    const [message] = await host.messages();
    assert.equal(message?.length, line.length * 20_000);
  });

  test("lines of other encodings than ASCII arrive as they are", async () => {
    const host = await start("C: MAIL FROM:<ü@x.example> SMTPUTF8\nC~ .\nS: 250 ok\nS! fin");
    await converse(host, Buffer.concat([Buffer.from("MAIL FROM:<ü@x.example> SMTPUTF8\r\n"), Buffer.of(0xfc, 13, 10)]));
    assert.deepEqual(await host.received(), [["MAIL FROM:<ü@x.example> SMTPUTF8", "ü"]]);
  });
});

suite("what a mail host writes", () => {
  test("neighbouring lines leave in one write", async () => {
    const host = await start("C: NOOP\nS: 250-a\nS: 250 b\nS| 25\\x30 c\\r\\n\nS: 354 d\nS! fin");
    assert.deepEqual((await converse(host, "NOOP\r\n")).pieces, ["250-a\r\n250 b\r\n250 c\r\n354 d\r\n"]);
  });

  test("lines with a command between them leave in writes of their own", async () => {
    const host = await start("S: 220 a\nC: NOOP\nS: 250 b\nC: QUIT\nS: 221 c");
    const socket = connect(host.port, host.address);
    assert.equal(await hear(socket, "\n"), "220 a\r\n");
    socket.write("NOOP\r\n");
    assert.equal(await hear(socket, "\n"), "250 b\r\n");
    socket.write("QUIT\r\n");
    assert.deepEqual(await hearAll(socket), { pieces: ["221 c\r\n"], text: "221 c\r\n", ended: "fin" });
    assert.deepEqual(await host.result(), []);
  });

  test("it goes on while the client's event loop is busy", async () => {
    const host = await start("S: 220 a\nC: NOOP\nS: 250 b\nS! wait 20ms\nS: 421 c\nS! rst");
    const socket = connect(host.port, host.address);
    await hear(socket, "\n");
    socket.write("NOOP\r\n");
    const heard = hearAll(socket);
    block(300);
    // Everything had arrived when the loop came back to it.
    assert.deepEqual((await heard).pieces, ["250 b\r\n421 c\r\n"]);
  });

  test("wait waits, and is cut short when the client is gone and the host is asked", async () => {
    const host = await start("S: 220 a\nS! wait 100ms\nS: 250 b\nS! wait 60s\nS: 421 c\nS! fin");
    const socket = connect(host.port, host.address);
    await hear(socket, "220 a\r\n");
    const startedAt = performance.now();
    await hear(socket, "250 b\r\n");
    assert.ok(performance.now() - startedAt > 60);
    socket.destroy();
    assert.deepEqual(await host.result(), []);
    assert.ok(performance.now() - startedAt < 10_000);
  });

  test("dribble sends pieces, and bytes sends everything in them", async () => {
    const lines = "S: 250-a line of thirty octets......\n".repeat(50);
    const host = await start(`S: 220 a\nS! wait 50ms\nS! dribble 2\n${lines}S! fin`);
    const other = await start(`${lines}S! fin`, { bytes: true });
    const heard = await converse(host, "");
    assert.equal(heard.pieces[0], "220 a\r\n");
    const { pieces, text } = await converse(other, "");
    assert.equal(heard.text, `220 a\r\n${text}`);
    assert.equal(text, "250-a line of thirty octets......\r\n".repeat(50));
    // A reader that is late reads several together.
    assert.ok(heard.pieces.length > 10 && pieces.length > 10, `${heard.pieces.length} ${pieces.length}`);
  });

  test("a flood of lines and of octets comes whole, as fast as it is read", async () => {
    const host = await start("S! flood 100000 250-more\nS! junk 3000000\nS! fin");
    const heard = await converse(host, "");
    assert.equal(heard.text.length, 100_000 * "250-more\r\n".length + 3_000_000);
    assert.ok(heard.text.startsWith("250-more\r\n250-more\r\n") && heard.text.endsWith("xxx"));
  });

  test("a flood that nobody reads ends when the client goes", async () => {
    const host = await start("S! junk 100000000\nS! hang");
    const socket = connect(host.port, host.address);
    await once(socket, "connect");
    await wait(50);
    socket.resetAndDestroy();
    assert.deepEqual(await host.result(), []);
  });

  test("hang says nothing and stays until the client leaves", async () => {
    const host = await start("C: NOOP\nS! hang");
    const socket = connect(host.port, host.address);
    const heard = hearAll(socket);
    socket.write("NOOP\r\nNOOP\r\n");
    await wait(100);
    assert.equal(socket.readable, true);
    socket.end();
    assert.deepEqual(await heard, { pieces: [], text: "", ended: "fin" });
    assert.deepEqual(await host.result(), []);
  });
});

suite("a mail host under TLS", () => {
  const script = "S: 220 mx.example ESMTP\nC: EHLO probe.example\nS: 250 mx.example\nC: NOOP\nS: 250-a\nS: 250 b\n";

  for (const act of ["fin", "rst", "close"]) {
    test(`plays the same script, and ${act} comes behind what was written`, async () => {
      for (let round = 0; round < 10; round += 1) {
        const host = await start(`${script}S! ${act}`, { tls: true });
        const socket = await upgrade(host);
        socket.write("EHLO probe.example\r\n");
        await hear(socket, "250 mx.example\r\n");
        const heard = hearAll(socket);
        socket.write("NOOP\r\nNOOP\r\n");
        const { text, ended } = await heard;
        assert.equal(text, "250-a\r\n250 b\r\n");
        assert.ok(act === "fin" ? ended === "fin" : asReset.includes(ended), ended);
        assert.deepEqual(await host.result(), []);
        const lines = ["EHLO probe.example", "STARTTLS", "EHLO probe.example", "NOOP"];
        assert.deepEqual(await host.received(), [lines]);
      }
    });
  }

  test("shows a certificate for mx.example, in the version that the script asks for", async () => {
    const host = await start("C: STARTTLS\nS: 220 go\nS! tls 1.0\nC: QUIT\nS: 221 bye");
    const socket = connect(host.port, host.address);
    socket.write("STARTTLS\r\n");
    await hear(socket, "220 go\r\n");
    const secured = connectTls({
      socket,
      ca: certificate,
      servername: "mx.example",
      minVersion: "TLSv1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    await once(secured, "secureConnect");
    assert.deepEqual([secured.getProtocol(), secured.authorized], ["TLSv1", true]);
    secured.write("QUIT\r\n");
    assert.equal((await hearAll(secured)).text, "221 bye\r\n");
    assert.deepEqual(await host.result(), []);
  });

  test("octets behind the 220 may leave with it, in the clear", async () => {
    const host = await start("C: STARTTLS\nS: 220 go\nS: 250 injected\nS! fin");
    assert.deepEqual((await converse(host, "STARTTLS\r\n")).pieces, ["220 go\r\n250 injected\r\n"]);
  });

  test("a handshake that fails is a fault", async () => {
    const host = await start("C: STARTTLS\nS: 220 go\nS! tls\nC: QUIT\nS: 221 bye");
    await converse(host, "STARTTLS\r\nEHLO probe.example\r\n");
    const [fault = ""] = await host.result();
    assert.match(fault, /▶ S! tls\n {2}came: a handshake that failed: /);
  });

  test("a large message comes whole", async () => {
    const host = await start(`${script.replace("C: NOOP", "C...")}S! fin`, { tls: true });
    const socket = await upgrade(host);
    socket.write(`EHLO probe.example\r\n${"..\r\n".repeat(200_000)}.\r\n`);
    assert.equal((await hearAll(socket)).text, "250 mx.example\r\n250-a\r\n250 b\r\n");
    const [message] = await host.messages();
    assert.equal(message?.length, 3 * 200_000);
  });
});

suite("what a mail host reports", () => {
  const script = "S: 220 mx.example ESMTP\nC: NOOP\nS: 250 ok\nC: QUIT\nS: 221 bye";

  test("a line that is not the script's, with the script and the step marked", async () => {
    const host = await start(script);
    const heard = await converse(host, "NOOP\r\nRSET\r\nQUIT\r\n");
    assert.ok(asReset.includes(heard.ended), heard.ended);
    assert.deepEqual(await host.result(), [
      [
        "a.smtp:5: connection 1 of 1 left its script",
        "  S: 220 mx.example ESMTP",
        "  C: NOOP",
        "  S: 250 ok",
        "▶ C: QUIT",
        '  came: "RSET"',
        "  S: 221 bye",
      ].join("\n"),
    ]);
  });

  for (const [what, sent, came] of [
    ["a client that leaves early", "NOOP\r\n", /▶ C: QUIT\n {2}came: the client closed \(FIN\)\n/],
    ["half a line", "NOOP\r\nQUI", /▶ C: QUIT\n {2}came: the client closed \(FIN\), behind "QUI"/],
    ["a bare line feed", "NOOP\n", /▶ C: NOOP\n {2}came: "NOOP\\n" without CRLF/],
    ["more than the script", "NOOP\r\nQUIT\r\nNOOP\r\n", /▶ \(the script is over\)\n {2}came: "NOOP"$/],
  ] as const) {
    test(what, async () => {
      const host = await start(script);
      const socket = connect(host.port, host.address);
      const heard = hearAll(socket);
      socket.end(sent);
      await heard;
      const faults = await host.result();
      assert.equal(faults.length, 1);
      assert.match(faults[0] ?? "", came);
    });
  }

  test("a message that does not end", async () => {
    const host = await start("C...\nS: 250 ok\nS! fin");
    const socket = connect(host.port, host.address);
    socket.end("Subject: a\r\n");
    await hearAll(socket);
    assert.match(
      (await host.result())[0] ?? "",
      /came: the client closed \(FIN\), within the message, after 12 octets/,
    );
  });

  test("what a client said before it reset is still read", async () => {
    const host = await start("S: 220 a\nS! wait 100ms\nS: 250-b\nC: NOOP\nS: 250 c\nC: QUIT\nS! fin");
    const socket = connect(host.port, host.address);
    await hear(socket, "220 a\r\n");
    socket.write("NOOP\r\nQUIT\r\n", () => socket.resetAndDestroy());
    await once(socket, "close");
    await wait(200);
    assert.deepEqual(await host.result(), []);
  });

  test("a client that stays is reported, and not waited for", async () => {
    const host = await start(script);
    const socket = connect(host.port, host.address);
    await once(socket, "connect");
    assert.deepEqual(await host.result(), ["a.smtp: connection 1 is still open: the client has not left"]);
    socket.destroy();
  });

  test("each connection plays the next script, and those beyond the last are refused and reported", async () => {
    const host = await start("S: 220 a\nS! fin\n--\nS: 220 b\nS! fin");
    const first = await converse(host, "");
    assert.deepEqual(await host.result(), ["a.smtp: connection 2 of 2 never came"]);
    const second = await converse(host, "");
    assert.deepEqual([first.text, second.text], ["220 a\r\n", "220 b\r\n"]);
    assert.deepEqual(await host.result(), []);
    const third = await converse(host, "");
    assert.deepEqual([third.text, third.ended], ["", "reset"]);
    assert.deepEqual(await host.result(), ["a.smtp: connection 3 came, and there are scripts for 2"]);
    assert.equal(await host.connections(), 3);
  });
});

suite("mail hosts", () => {
  test("one that repeats plays its script to every client, several at a time", async () => {
    const host = await start("S: 220 a\nC~ .\nS: 554 no\nS! fin", { repeat: true });
    const heard = await Promise.all(Array.from({ length: 150 }, () => converse(host, "NOOP\r\n")));
    assert.deepEqual(new Set(heard.map(({ text }) => text)), new Set(["220 a\r\n554 no\r\n"]));
    assert.deepEqual([await host.connections(), await host.result()], [150, []]);
    assert.equal((await host.received()).length, 100);
  });

  test("one alone has a thread of its own, which ends with it", async () => {
    const dialog = parseDialog(
      readFileSync(new URL("../dialogs/rcpt-blocked-then-reset.smtp", import.meta.url), "utf8"),
      "b",
    );
    const host = await startMailHost(dialog, { address: "127.0.0.2" });
    const group = "EHLO probe.example\r\nMAIL FROM:<probe@sender.example>\r\nRCPT TO:<someone@mx.example>\r\nQUIT\r\n";
    assert.match((await converse(host, group)).text, /\r\n250 2\.1\.0 ok\r\n554 5\.7\.0 blocked\r\n$/);
    assert.deepEqual(await host.result(), []);
    await host.close();
    await assert.rejects(host.result(), /has ended/);
  });

  test("one that cannot listen says why, and none listens beyond loopback", async () => {
    const host = await start("S! fin", { repeat: true });
    await assert.rejects(start("S! fin", { port: host.port }), /EADDRINUSE/);
    await assert.rejects(start("S! fin", { address: "0.0.0.0" }), /loopback only, not on 0\.0\.0\.0/);
  });

  test("a closed one refuses connections", async () => {
    const host = await start("S! fin");
    await host.close();
    const [error] = (await once(connect(host.port, host.address), "error")) as [NodeJS.ErrnoException];
    assert.equal(error.code, "ECONNREFUSED");
    await assert.rejects(host.result(), /closed/);
  });
});
