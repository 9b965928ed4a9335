// Delivers to an independent server, smtp-server of npm, in the clear and under STARTTLS: what we play against our own
// mail host could be our own misunderstanding.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { probe } from "../../functions/route/attempts.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { certificate, key } from "../../infra/local/mail/certificate.ts";
import { requestTo } from "../support/request.ts";

interface Taken {
  readonly verdict: Verdict;
  readonly messages: readonly Buffer[];
}

for (const tls of ["never", "require"] as const) {
  describe(`smtp-server, TLS ${tls}`, () => {
    it("takes our own message for two recipients, dots and all", async () => {
      const message = Buffer.from("Subject: peer\n\n.leading dot\n..two\n\nend");
      const { verdict, messages } = await deliver(tls, { message, depth: "message" }, {});
      assert.equal(verdict.outcome, "accepted");
      assert.equal(verdict.primary.stage, "message");
      assert.equal(verdict.attempts[0]?.tls === null, tls === "never");
      assert.equal(verdict.attempts[0]?.ending.by, "quit");
      assert.deepEqual(messages.map(String), ["Subject: peer\r\n\r\n.leading dot\r\n..two\r\n\r\nend\r\n"]);
    });

    it("takes a message of 20 MB", async () => {
      const message = Buffer.concat([
        Buffer.from("Subject: large\r\n\r\n"),
        Buffer.alloc(20_000_000, "0123456789abcd\r\n"),
      ]);
      const { verdict, messages } = await deliver(tls, { message, depth: "message" }, { size: 30_000_000 });
      assert.equal(verdict.outcome, "accepted");
      assert.equal(messages[0]?.length, message.length);
    });

    it("is not sent what exceeds its SIZE", async () => {
      const { verdict } = await deliver(tls, { message: Buffer.alloc(2_000, "x"), depth: "message" }, { size: 1_000 });
      assert.deepEqual([verdict.outcome, verdict.class, verdict.primary.code], ["rejected", "message-format", null]);
      assert.match(verdict.primary.text, /2002 octets.*SIZE 1000/);
    });

    it("refuses a recipient in its own words", async () => {
      const { verdict, messages } = await deliver(
        tls,
        { depth: "message" },
        {
          onRcptTo: ({ address }, _session, done) =>
            done(address.startsWith("bad") ? refusal(550, "5.1.1 no such mailbox here") : null),
        },
      );
      assert.deepEqual(
        verdict.recipients.map(({ address, outcome, code }) => [address, outcome, code]),
        [
          ["good@mx.example", "accepted", 250],
          ["bad@mx.example", "rejected", 550],
        ],
      );
      assert.match(verdict.primary.text, /5\.1\.1 no such mailbox here/);
      assert.equal(messages.length, 1);
    });

    it("refuses a sender in its own words", async () => {
      const { verdict } = await deliver(
        tls,
        { depth: "rcpt" },
        {
          onMailFrom: (_address, _session, done) => done(refusal(554, "5.7.1 your network is on our list")),
        },
      );
      assert.deepEqual([verdict.outcome, verdict.primary.stage, verdict.primary.status], ["rejected", "mail", "5.7.1"]);
    });

    it("refuses the connection in its greeting", async () => {
      const { verdict } = await deliver(
        tls,
        { depth: "rcpt" },
        {
          onConnect: (_session, done) => done(refusal(554, "5.7.1 no service for your address")),
        },
      );
      assert.deepEqual([verdict.outcome, verdict.primary.stage, verdict.primary.code], ["rejected", "greeting", 554]);
    });
  });
}

async function deliver(
  tls: ProbeRequest["tls"],
  asked: Partial<ProbeRequest>,
  options: SMTPServerOptions,
): Promise<Taken> {
  const messages: Buffer[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH"],
    disableReverseLookup: true,
    key,
    cert: certificate,
    onData: (stream, _session, done) => {
      stream.once("end", done);
      void buffer(stream).then((octets) => messages.push(octets));
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  try {
    const hosts = [{ name: "127.0.0.1", port }];
    const verdict = await probe(requestTo(["good@mx.example", "bad@mx.example"], hosts, { tls, ...asked }));
    return { verdict, messages };
  } finally {
    await new Promise<void>((resolve) => server.close(resolve));
  }
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
