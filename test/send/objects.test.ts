// Messages in S3, against an embedded one: what is fetched whole, and what is told of an object that cannot be had.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it, test } from "node:test";
import type { S3 } from "@aws-sdk/client-s3";
import { whenWanted } from "../../functions/clients.ts";
import { getMessage, objectOctets, putMessage } from "../../functions/send/objects.ts";
import { startQueues, type QueueService } from "../../infra/local/queues.ts";

describe("an object", () => {
  let service: QueueService;
  let s3: S3;
  before(async () => {
    service = await startQueues(0, null);
    s3 = await whenWanted({ s3: service.url })();
    await s3.createBucket({ Bucket: "mine" });
  });
  after(async () => {
    s3.destroy();
    await service[Symbol.asyncDispose]();
  });

  it("comes back as it was put, whatever its key, also one of 25 MB", async () => {
    for (const [key, octets] of [
      ["a", 1],
      ["requests/a b+c%2F?ü&/1.eml", 70_000],
      ["large", 25_000_000],
    ] as const) {
      const bytes = randomBytes(octets);
      const { etag } = await putMessage("mine", key, bytes, s3);
      const found = await getMessage({ bucket: "mine", key, etag }, s3);
      assert.ok("bytes" in found, JSON.stringify(found));
      assert.ok(bytes.equals(found.bytes));
      assert.equal(found.etag, etag);
    }
  });

  it("that was changed since is told, and its content is not taken for the other", async () => {
    const { etag } = await putMessage("mine", "changing", Buffer.from("one"), s3);
    await putMessage("mine", "changing", Buffer.from("two"), s3);
    assert.deepEqual(await getMessage({ bucket: "mine", key: "changing", etag }, s3), {
      fault: 'the object "changing" in the bucket mine is no longer what it was when the send was taken on',
      isFinal: true,
    });
    const now = await getMessage({ bucket: "mine", key: "changing", etag: null }, s3);
    assert.equal("bytes" in now && Buffer.from(now.bytes).toString(), "two");
  });

  it("that is not there, or in no bucket, or empty is told", async () => {
    await putMessage("mine", "empty", new Uint8Array(), s3);
    const faultOf = async (bucket: string, key: string): Promise<unknown> =>
      await getMessage({ bucket, key, etag: null }, s3);
    assert.deepEqual(await faultOf("mine", "none\n"), {
      fault: 'there is no object "none\\n" in the bucket mine',
      isFinal: true,
    });
    assert.deepEqual(await faultOf("nobodys", "a"), { fault: 'there is no such bucket: the object "a" in the bucket nobodys', isFinal: false }); // prettier-ignore
    assert.deepEqual(await faultOf("mine", "empty"), {
      fault: 'the object "empty" in the bucket mine is empty',
      isFinal: true,
    });
  });

  it("that is larger than mail hosts take is not fetched", async () => {
    await putMessage("mine", "huge", Buffer.alloc(objectOctets + 1), s3);
    const found = await getMessage({ bucket: "mine", key: "huge", etag: null }, s3);
    assert.deepEqual(found, {
      fault: 'the object "huge" in the bucket mine has more than 50000000 octets, which is more than mail hosts take',
      isFinal: true,
    });
  });
});

/** A service that answers every request so. */
async function answering(status: number, code: string, run: (s3: S3) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": "application/xml" });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const s3 = await whenWanted({ s3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })();
  try {
    await run(s3);
  } finally {
    s3.destroy();
    server.closeAllConnections();
    server.close();
  }
}

const object = { bucket: "mine", key: "a", etag: null };

for (const [status, code, fault] of [
  [403, "AccessDenied", 'the object "a" in the bucket mine may not be read by this system, or is not there'],
  [403, "InvalidObjectState", 'the object "a" in the bucket mine is archived, and has to be restored first'],
  [301, "PermanentRedirect", 'the object "a" in the bucket mine is in another region than this system'],
] as const) {
  test(`${code} is the request's fault, and told`, async () => {
    await answering(status, code, async (s3) =>
      assert.deepEqual(await getMessage(object, s3), { fault, isFinal: false }),
    );
  });
}

for (const [status, code] of [
  [403, "ExpiredToken"],
  [403, "InvalidAccessKeyId"],
  [503, "SlowDown"],
  [500, "InternalError"],
] as const) {
  test(`${code} is none of the request, and thrown`, async () => {
    await answering(status, code, async (s3) => await assert.rejects(getMessage(object, s3), { name: code }));
  });
}
