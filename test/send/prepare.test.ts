// What is added to a message, and that nothing of its own is changed.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { fieldsOf } from "../../functions/send/header.ts";
import { prepare, type Preparation, type Prepared, type Unfit } from "../../functions/send/prepare.ts";
import { normalise } from "../../functions/smtp/message.ts";
import { signer, verified } from "./keys.ts";

const now = new Date(Date.UTC(2026, 10, 29, 8, 5, 3, 999));
const hash = "173d0ddbff034193face7ce60d3f58b4";
const received = `Received: by probe.example (delivery-probe)\r\n id ${hash};\r\n Sun, 29 Nov 2026 08:05:03 +0000\r\n`;
const messageId = `Message-ID: <${hash}@sender.example>\r\n`;
const date = "Date: Sun, 29 Nov 2026 08:05:03 +0000\r\n";
const from = "From: us <us@sender.example>\n";

async function prepareText(text: string | Buffer, change: Partial<Preparation> = {}): Promise<Prepared | Unfit> {
  const usual = { id: "order-4711", helo: "probe.example", now, signer: async () => await Promise.resolve(null) };
  return await prepare({ ...usual, message: Buffer.from(text), ...change });
}

async function preparedOf(text: string | Buffer, change: Partial<Preparation> = {}): Promise<Prepared> {
  const prepared = await prepareText(text, change);
  assert.ok(prepared.kind === "prepared", JSON.stringify(prepared));
  return prepared;
}

const signed: Partial<Preparation> = { signer: async () => await Promise.resolve(signer) };

// prettier-ignore
const rows: readonly (readonly [what: string, text: string, change: Partial<Preparation>, head: string])[] = [
  ["all that is missing, the trace first", `${from}\nbody`, {}, `${received}${messageId}${date}`],
  ["all to a header without a body", from, {}, `${received}${messageId}${date}`],
  ["no second date", `DATE: x\n${from}\n`, {}, `${received}${messageId}`],
  ["no second name", `message-id: <x@y>\n${from}\n`, {}, `${received}${date}`],
  ["no second trace", `received: x\n${from}\n`, {}, `${messageId}${date}`],
  ["nothing where nothing is missing", `Date: x\nMessage-ID: <x@y>\nReceived: x\n${from}\n`, {}, ""],
  ["what stands in the body alone", `${from}\nDate: x\nMessage-ID: <x@y>\nReceived: x\n`, {}, `${received}${messageId}${date}`],
  ["the author's domain where we have no name", `${from}\n`, { helo: null }, `${received.replace("probe.example", "sender.example")}${messageId}${date}`],
  ["no address of ours", `${from}\n`, { helo: "[10.0.0.7]" }, `${received.replace("probe.example", "sender.example")}${messageId}${date}`],
  ["our name where the author's domain is an address", "From: us@[192.0.2.1]\n\n", {}, `${received}${messageId.replace("sender", "probe")}${date}`],
  ["no address but the author's own", "From: us@[192.0.2.1]\n\n", { helo: "[10.0.0.7]" }, `${received.replace("by probe.example (delivery-probe)\r\n ", "")}${messageId.replace("sender.example", "[192.0.2.1]")}${date}`],
  ["the domain in A-labels", "From: us@bücher.example\n\n", {}, `${received}${messageId.replace("sender", "xn--bcher-kva")}${date}`],
  ["another name to another send", `Received: x\nDate: x\n${from}\n`, { id: "order-4712" }, `Message-ID: <183e45c39d2d9ae17553e72c38ba7511@sender.example>\r\n`],
];

describe("what is added", () => {
  for (const [what, text, change, head] of rows) {
    it(what, async () => {
      const prepared = await preparedOf(text, change);
      assert.equal(prepared.head.toString(), head);
      assert.deepEqual(prepared.body, normalise(Buffer.from(text)));
      assert.equal(prepared.dkimDomain, null);
    });
  }

  it("a signature that covers what was added, behind the trace", async () => {
    const { head, body, fromDomain, dkimDomain } = await preparedOf(`${from}\nbody`, signed);
    const names = fieldsOf(head).map(({ name }) => name);
    assert.deepEqual(names, ["Received", "DKIM-Signature", "Message-ID", "Date"]);
    assert.match(head.toString(), /;\r\n h=from:date:message-id;/);
    assert.deepEqual([fromDomain, dkimDomain], ["sender.example", "sender.example"]);
    assert.deepEqual(await verified(Buffer.concat([head, body])), [["sender.example", "pass"]]);
  });

  it("a signature beside another's, which stays as it is", async () => {
    const theirs = await preparedOf(`${from}\nbody`, signed);
    const whole = Buffer.concat([theirs.head, theirs.body]);
    const ours = await preparedOf(whole, { ...signed, id: "another" });
    assert.deepEqual(
      fieldsOf(ours.head).map(({ name }) => name),
      ["DKIM-Signature"],
    );
    assert.deepEqual(ours.body, whole);
    assert.deepEqual(await verified(Buffer.concat([ours.head, ours.body])), [
      ["sender.example", "pass"],
      ["sender.example", "pass"],
    ]);
  });

  it("by whoever signs for the author's domain", async () => {
    const asked: string[] = [];
    await preparedOf("From: us@Mail.Sender.EXAMPLE\n\n", {
      signer: async (domain) => {
        asked.push(domain);
        return await Promise.resolve(null);
      },
    });
    assert.deepEqual(asked, ["mail.sender.example"]);
  });
});

test("a message that nobody should send is not prepared, and no key is read for it", async () => {
  const prepared = await prepareText(`${from}${from}Bcc: x\n\n`, { signer: () => assert.fail("a key was read") });
  assert.ok(prepared.kind === "unfit");
  assert.deepEqual(prepared.faults, [
    "message: it has 2 From fields; leave one (RFC 5322 §3.6)",
    "message: it has a Bcc field, which every recipient would read; remove it, and name them in to alone",
  ]);
});

test("a key that cannot be read is thrown", async () => {
  const fault = new Error("none");
  await assert.rejects(prepareText(`${from}\n`, { signer: async () => await Promise.reject(fault) }), fault);
});

/** Lines of a header as senders write them: some of what is missing otherwise, some of it folded, some of it 8-bit. */
const lines = fc.subarray([
  "Date: Sat, 28 Nov 2026 08:05:03 +0000",
  "message-id: <x@y.example>",
  "Received: x",
  "Subject: a\n\tb",
  "X-A: \u00e4 ",
  "X-B:",
  "To: a@b.example,\n c@d.example",
]);
const octet = fc.oneof(fc.constantFrom(0x0a, 0x0d, 0x20, 0x2e), fc.integer({ min: 0, max: 255 }));

test("whatever the body is, what goes on the wire is the added fields, each once, and the message as it was", async () => {
  await fc.assert(
    fc.asyncProperty(lines, fc.array(octet, { maxLength: 60 }), fc.string(), async (fields, octets, id) => {
      const header = [from.trimEnd(), ...fields].join("\n");
      const text = Buffer.concat([Buffer.from(`${header}\n\n`), Buffer.from(octets)]);
      const { head, body } = await preparedOf(text, { ...signed, id });
      assert.deepEqual(body, normalise(text));
      const all = fieldsOf(Buffer.concat([head, body])).map(({ name }) => name.toLowerCase());
      for (const name of ["date", "message-id", "received", "dkim-signature", "from"]) {
        assert.equal(all.filter((each) => each === name).length, 1, name);
      }
      assert.equal(all.length, fieldsOf(head).length + fieldsOf(body).length);
      assert.deepEqual((await preparedOf(text, { ...signed, id })).head, head);
      assert.deepEqual(await verified(Buffer.concat([head, body])), [["sender.example", "pass"]]);
    }),
    { numRuns: 60 },
  );
});

test("whatever is given for a message, it is prepared as it is or told to be unfit", async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.uint8Array({ maxLength: 100 }), async (isHeaded, octets) => {
      const text = Buffer.concat([Buffer.from(isHeaded ? from : ""), octets]);
      const prepared = await prepareText(text);
      if (prepared.kind === "unfit") return assert.ok(prepared.faults.length > 0);
      assert.deepEqual(prepared.body, normalise(text));
    }),
  );
});

test("lines that are added are no longer than readers like them (RFC 5322 §2.1.1)", async () => {
  const { head } = await preparedOf(`${from}\n`, { helo: `${"a".repeat(40)}.example` });
  for (const line of head.toString().split("\r\n")) assert.ok(line.length <= 78, line);
});
