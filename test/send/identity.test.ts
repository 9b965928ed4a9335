// What an independent server receives is what was asked to be sent and what was added to it, octet for octet, and its
// signature verifies: through the real session, to smtp-server of npm on loopback.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { SMTPServer } from "smtp-server";
import { probe } from "../../functions/route/attempts.ts";
import { prepare } from "../../functions/send/prepare.ts";
import { normalise } from "../../functions/smtp/message.ts";
import { requestTo } from "../support/request.ts";
import { signer, verified } from "./keys.ts";

const head = "From: us <us@sender.example>\r\nTo: them@mx.example\r\nSubject: x\r\n\r\n";

function withBody(body: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

// prettier-ignore
const messages: readonly (readonly [what: string, message: Buffer])[] = [
  ["a simple body",            withBody("body\r\n")],
  ["no body",                  withBody("")],
  ["not even an empty line",   Buffer.from("From: us <us@sender.example>")],
  ["no line end at its end",   withBody("body")],
  ["empty lines at its end",   withBody("body\r\n\r\n\r\n")],
  ["lines of dots",            withBody(".\r\n..\r\n.a\r\n...\r\n.\r\n")],
  ["a lone dot between bare line ends", withBody("a\n.\nMAIL FROM:<x@y>\r.\r\nb\r.\n")],
  ["bare line ends",           Buffer.from(head.replaceAll("\r\n", "\n") + "a\rb\nc\r\r\nd\n\re")],
  ["8-bit octets",             withBody(Buffer.from("grüße \xff\xfe\r\n", "latin1"))],
  ["every octet",              withBody(Uint8Array.from({ length: 256 }, (_, at) => at))],
  ["a line of 100 kB",         withBody(`${"x ".repeat(50_000)}\r\n`)],
  ["a line of 100 kB of dots", withBody(`${".".repeat(100_000)}\r\n`)],
  ["a folded header",          Buffer.from("From: us\r\n\t<us@sender.example>\r\nSubject: a\r\n  b\r\n\tc \r\n\r\nbody\r\n")],
  ["a header in UTF-8",        Buffer.from("From: Jörg <us@sender.example>\r\nSubject: grüße\r\n\r\nbody\r\n")],
  ["25 MB",                    withBody(Buffer.alloc(25_000_000, `.\xe4\r\n${"0123456789 abcd\r\n".repeat(99)}`, "latin1"))],
];

const received: Buffer[] = [];
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["AUTH", "STARTTLS"],
  disableReverseLookup: true,
  size: 30_000_000,
  onData: (stream, _session, done) => {
    stream.once("end", done);
    void buffer(stream).then((octets) => received.push(octets));
  },
});

before(async () => await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(async () => await new Promise<void>((resolve) => server.close(resolve)));

describe("what is received is what was asked for, behind what was added", () => {
  for (const [what, message] of messages) {
    it(what, async () => {
      const prepared = await prepare({
        id: what,
        message,
        helo: "probe.example",
        now: new Date(),
        signer: async () => await Promise.resolve(signer),
      });
      assert.ok(prepared.kind === "prepared");
      const whole = Buffer.concat([prepared.head, prepared.body]);
      const { port } = server.server.address() as AddressInfo;
      const request = requestTo(["them@mx.example"], [{ name: "127.0.0.1", port }], {
        message: whole,
        depth: "message",
      });
      const { outcome, primary } = await probe(request);
      assert.equal(outcome, "accepted", primary.text);
      const octets = received.pop();
      assert.ok(octets !== undefined);
      // Not deepEqual, which would print 25 MB.
      assert.ok(octets.equals(whole));
      assert.ok(octets.subarray(prepared.head.length).equals(normalise(message)));
      assert.deepEqual(await verified(octets), [["sender.example", "pass"]]);
    });
  }
});
