// A message on its way, whole: large ones octet by octet as they were given, and the time that one has from when it is
// begun. What the host says to it, dialogs show.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { SMTPServer } from "smtp-server";
import { probe } from "../../functions/route/attempts.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import { chunkSize, normalise } from "../../functions/smtp/message.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { certificate, key } from "../../infra/local/mail/certificate.ts";
import { startLineHost } from "../support/line-host.ts";
import { requestTo } from "../support/request.ts";

/** 25 MB of what is easily changed on the way: dots, 8-bit octets, long lines, and dots at the borders of our chunks. */
const normal = normalise(largeMessage(25_000_000));

function largeMessage(size: number): Buffer {
  const head = Buffer.from("Subject: large\r\n\r\n");
  const text = `.\r\n..\r\n.leading\r\nGrüße\r\n${"long ".repeat(300)}\r\n\r\n.\r\nQUIT\r\n`;
  const body = Buffer.alloc(size - head.length - 2, text);
  for (let border = chunkSize; border < body.length; border += chunkSize) {
    const shift = (border / chunkSize) % 5;
    body.write("\r\n.\r\n", border - head.length - shift, "latin1");
  }
  return Buffer.concat([head, body.subarray(0, -2), Buffer.from("\r\n")]);
}

describe("25 MB arrive as they were given", { timeout: 120_000 }, () => {
  for (const tls of ["never", "require"] as const) {
    it(`by DATA, at smtp-server, TLS ${tls}`, async () => {
      const messages: Buffer[] = [];
      const server = new SMTPServer({
        authOptional: true,
        disabledCommands: ["AUTH"],
        disableReverseLookup: true,
        key,
        cert: certificate,
        size: 60_000_000,
        onData: (stream, _session, done) => {
          stream.once("end", done);
          void buffer(stream).then((octets) => messages.push(octets));
        },
      });
      server.on("error", () => {});
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.server.address() as AddressInfo;
      try {
        const verdict = await send([{ address: "127.0.0.1", port }], { message: normal, tls, bodyMs: 60_000 });
        assert.equal(verdict.outcome, "accepted", verdict.primary.text);
        assert.equal(messages.length, 1);
        assert.ok(messages[0]?.equals(normal));
      } finally {
        await new Promise<void>((resolve) => server.close(resolve));
      }
    });
  }

  for (const extensions of [
    ["PIPELINING", "CHUNKING", "8BITMIME"],
    ["CHUNKING", "8BITMIME"],
  ]) {
    it(`by BDAT, ${extensions.includes("PIPELINING") ? "behind a group" : "in lock-step"}`, async () => {
      await using host = await startLineHost({ extensions });
      const verdict = await send([host], { message: normal, bodyMs: 60_000 });
      assert.equal(verdict.outcome, "accepted", verdict.primary.text);
      assert.ok(host.messages[0]?.equals(normal));
      assert.deepEqual(
        host.commands.filter((each) => each.startsWith("BDAT")),
        [`BDAT ${normal.length} LAST`],
      );
    });
  }
});

describe("a message that is begun has its own time", () => {
  for (const extensions of [["PIPELINING"], [], ["PIPELINING", "CHUNKING"], ["CHUNKING"]]) {
    const how = extensions.length === 0 ? "in lock-step" : extensions.join(", ");
    it(`${how}: its answer is read beyond the session's deadline and the budget of all hosts`, async () => {
      await using host = await startLineHost({ extensions, answer: slowly("250 2.0.0 queued") });
      const verdict = await send([host], { message: small, timeoutMs: 900, budgetMs: 900, bodyMs: 20_000 });
      assert.deepEqual([verdict.outcome, verdict.primary.stage], ["accepted", "message"], verdict.primary.text);
      assert.ok((verdict.attempts[0]?.timings.decidedMs ?? 0) > 1_000);
    });

    it(`${how}: without it the session's deadline is the message's too`, async () => {
      await using host = await startLineHost({ extensions, answer: slowly("250 2.0.0 queued") });
      const verdict = await send([host], { message: small, timeoutMs: 900 });
      assert.deepEqual([verdict.outcome, verdict.primary.stage], ["unknown", "message"]);
      assert.match(verdict.primary.text, /limit of 0\.9 s for the session/);
    });
  }

  it("when the budget is over by then, nobody else is asked", async () => {
    await using host = await startLineHost({ extensions: ["PIPELINING"], answer: slowly("451 4.3.0 try again") });
    await using other = await startLineHost({ extensions: ["PIPELINING"] });
    const verdict = await send([host, other], { message: small, timeoutMs: 900, budgetMs: 900, bodyMs: 20_000 });
    assert.deepEqual([verdict.outcome, verdict.primary.code, other.connections()], ["deferred", 451, 0]);
    assert.equal(verdict.attempts[1]?.stop?.reason, "out-of-time");
  });

  it("a 354 that comes too late: closed, with nothing begun, and not even a lone dot", async () => {
    await using host = await startLineHost({
      extensions: ["PIPELINING"],
      answer: async (command) => {
        if (command === "DATA") await delay(1_500);
        return null;
      },
    });
    const verdict = await send([host], { message: small, timeoutMs: 900, bodyMs: 20_000 });
    assert.deepEqual([verdict.outcome, verdict.primary.stage], ["unanswered", "data"]);
    assert.equal(verdict.attempts[0]?.ending.by, "deadline");
    assert.ok((verdict.attempts[0]?.timings.endedMs ?? Infinity) < 1_400);
    await delay(1_000);
    assert.deepEqual([host.commands.at(-1), host.messages], ["DATA", []]);
  });

  it("our caller's wish ends it all the same: it may have been delivered", async () => {
    await using host = await startLineHost({ extensions: ["PIPELINING"], answer: slowly("250 2.0.0 queued") });
    const signal = AbortSignal.timeout(500);
    const verdict = await send([host], { message: small, bodyMs: 20_000, signal });
    assert.deepEqual([verdict.outcome, verdict.attempts[0]?.ending.by], ["unknown", "abort"]);
  });
});

const small = Buffer.from("Subject: small\r\n\r\ntext\r\n");

/** What answers the message is said 1.2 s late. */
function slowly(said: string): (command: string) => Promise<string | null> {
  return async (command) => {
    if (command !== "." && !command.startsWith("BDAT")) return null;
    await delay(1_200);
    return said;
  };
}

function send(
  hosts: readonly { readonly address: string; readonly port: number }[],
  more: Partial<ProbeRequest>,
): Promise<Verdict> {
  const named = hosts.map(({ address, port }) => ({ name: address, port }));
  return probe(requestTo(["someone@mx.example"], named, { depth: "message", timeoutMs: 60_000, ...more }));
}
