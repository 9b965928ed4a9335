// What a host cannot take as it is: not offered to it, offered to the next host, and refused for good where nobody takes it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { probe } from "../../functions/route/attempts.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { startLineHost } from "../support/line-host.ts";
import { requestTo } from "../support/request.ts";

const all = ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 1000000"];

interface Row {
  /** What the host lacks, or announces, that the message exceeds. */
  readonly extensions: readonly string[];
  readonly message: string;
  readonly status: string;
  /** What MAIL says to the host that takes it. */
  readonly parameters: string;
}

const rows: Readonly<Record<string, Row>> = {
  "larger than SIZE (RFC 1870 §6.1)": {
    extensions: ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10"],
    message: "Subject: a\r\n\r\nb\r\n",
    status: "5.3.4",
    parameters: "SIZE=17",
  },
  "8-bit, without 8BITMIME (RFC 6152 §3)": {
    extensions: ["PIPELINING", "SIZE 1000000"],
    message: "Subject: a\r\n\r\né\r\n",
    status: "5.6.3",
    parameters: "SIZE=18 BODY=8BITMIME",
  },
  "UTF-8 in the header, without SMTPUTF8 (RFC 6531 §3.5)": {
    extensions: ["PIPELINING", "8BITMIME", "SIZE 1000000"],
    message: "Subject: é\r\n\r\nb\r\n",
    status: "5.6.9",
    parameters: "SIZE=18 BODY=8BITMIME SMTPUTF8",
  },
};

for (const [name, { extensions, message, status, parameters }] of Object.entries(rows)) {
  describe(name, () => {
    it("goes to the next host, which takes it", async () => {
      await using one = await startLineHost({ extensions });
      await using two = await startLineHost({ extensions: all });
      const { outcome, attempts, recipients } = await send(message, [one, two]);
      assert.deepEqual([outcome, attempts.length, recipients[0]?.outcome], ["accepted", 2, "accepted"]);
      assert.deepEqual(one.commands, ["EHLO probe.example", "QUIT"]);
      assert.equal(two.commands[1], `MAIL FROM:<probe@sender.example> ${parameters}`);
      assert.equal(String(two.messages[0]), `${message}.\r\n`);
    });

    it("is refused for good where no host takes it, and the status is ours", async () => {
      await using one = await startLineHost({ extensions });
      await using two = await startLineHost({ extensions });
      const verdict = await send(message, [one, two]);
      const { outcome, primary, attempts } = verdict;
      assert.deepEqual([outcome, verdict.class, attempts.length], ["rejected", "message-format", 2]);
      assert.deepEqual([primary.stage, primary.code, primary.status], ["mail", null, status]);
      assert.deepEqual([one.messages.length, two.messages.length], [0, 0]);
    });
  });
}

it("who needs no SMTPUTF8 gets the message where another of the same domain does and cannot", async () => {
  await using host = await startLineHost({ extensions: ["PIPELINING"] });
  const to = ["grüße@mx.example", "someone@mx.example"];
  const { recipients } = await send("Subject: a\r\n\r\nb\r\n", [host], to);
  assert.deepEqual(
    recipients.map((each) => [each.address, each.outcome, each.status]),
    [
      ["grüße@mx.example", "rejected", "5.6.7"],
      ["someone@mx.example", "accepted", "2.0.0"],
    ],
  );
  assert.equal(host.messages.length, 1);
});

function send(
  message: string,
  hosts: readonly { readonly address: string; readonly port: number }[],
  to: readonly string[] = ["someone@mx.example"],
): Promise<Verdict> {
  const named = hosts.map(({ address, port }) => ({ name: address, port }));
  return probe(requestTo(to, named, { depth: "message", message: Buffer.from(message) }));
}
