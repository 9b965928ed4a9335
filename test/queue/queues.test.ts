// The queues: their names, who reads which, and that what a queue does not take is sent again, and told at last.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { closeClients, openClients } from "../../functions/clients.ts";
import { checkConfig } from "../../functions/config/config.ts";
import {
  batchesOf,
  homeOf,
  Queues,
  queueNames,
  runnerOf,
  runnersOf,
  UnsentFault,
  type Outgoing,
} from "../../functions/queue/queues.ts";

describe("names and runners", () => {
  const { value: config } = checkConfig({
    name: "mine",
    identity: { helo: "probe.example", sender: "" },
    egresses: [
      { name: "mail-1", runner: "worker" },
      { name: "aws", runner: "functions" },
      { name: "aws-2", runner: "functions" },
      { name: "mail-2", runner: "worker" },
    ],
    targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
  });
  assert.ok(config !== null);

  it("the functions have one pair of queues, and each worker its own", () => {
    assert.deepEqual(
      runnersOf(config).map((runner) => queueNames(config, runner)),
      [
        { probe: "mine-probe", probeDead: "mine-probe-dead", send: "mine-send", sendDead: "mine-send-dead" },
        ...["mail-1", "mail-2"].map((each) => ({
          probe: `mine-probe-${each}`,
          probeDead: `mine-probe-${each}-dead`,
          send: `mine-send-${each}`,
          sendDead: `mine-send-${each}-dead`,
        })),
      ],
    );
  });

  it("a request belongs to its kind's queue, of the runner of its egress; a send by any to that of the preferred one", () => {
    const sending = { ...config, sends: sendsOf(["aws-2", "mail-1"]) };
    for (const [kind, egress, queue] of [
      ["probe", "mail-2", "mine-probe-mail-2"],
      ["self-check", "aws", "mine-probe"],
      ["send", "mail-1", "mine-send-mail-1"],
      ["send", "aws-2", "mine-send"],
      ["send", null, "mine-send"],
      ["wake", "mail-2", "mine-send-mail-2"],
      ["wake", "gone", "mine-send"],
    ] as const) {
      assert.equal(homeOf({ kind, egress }, sending), queue, `${kind} ${egress}`);
    }
    assert.equal(homeOf({ kind: "send", egress: null }, { ...config, sends: sendsOf(null) }), "mine-send-mail-1");
  });

  function sendsOf(egresses: readonly string[] | null): NonNullable<typeof config>["sends"] {
    const { value } = checkConfig({ ...config, sends: { egresses } });
    assert.ok(value !== null);
    return value.sends;
  }

  it("an egress is its worker's, else the functions'", () => {
    const runners = config.egresses.map(({ name }) => runnerOf(name, config));
    assert.deepEqual(runners, [{ worker: "mail-1" }, "functions", "functions", { worker: "mail-2" }]);
  });
});

test("batches keep the order, and are no more and no longer than SQS takes, but for one that is too long alone", () => {
  const bodies = fc.oneof(
    { arbitrary: fc.nat(2_000), weight: 3 },
    { arbitrary: fc.integer({ min: 90_000, max: 600_000 }), weight: 1 },
    { arbitrary: fc.integer({ min: 900_000, max: 1_100_000 }), weight: 1 },
  );
  const messages = fc
    .array(fc.tuple(bodies, fc.nat(200_000), fc.constantFrom("x", "é")), { maxLength: 40 })
    .map((sizes) =>
      sizes.map(([size, attribute, letter]) => messageOf(letter.repeat(size), attribute === 0 ? {} : blob(attribute))),
    );
  fc.assert(
    fc.property(messages, (messages) => {
      const batches = batchesOf(messages);
      assert.deepEqual(batches.flat(), messages);
      for (const batch of batches) {
        assert.ok(batch.length > 0 && batch.length <= 10);
        assert.ok(batch.length === 1 || octetsOf(batch) <= 1_000_000);
      }
      // No batch could have taken the next one's first.
      for (const [index, batch] of batches.slice(0, -1).entries()) {
        const [next] = batches[index + 1] ?? [];
        assert.ok(next !== undefined && (batch.length === 10 || octetsOf([...batch, next]) > 1_000_000));
      }
    }),
    { numRuns: 50 },
  );
});

// All at once: each waits for its own tries.
describe("sending", { concurrency: true }, () => {
  it("ten are sent in one call, with their bodies, attributes and waits", async () => {
    await using sqs = await startSqs([]);
    const messages = Array.from({ length: 10 }, (_, index) => ({ ...messageOf(`body ${index}`), delayS: index }));
    await withQueues(sqs.url, (queues) => queues.send("probe", messages));
    assert.equal(sqs.sent.length, 1);
    assert.deepEqual(
      sqs.sent[0]?.entries.map(({ MessageBody, DelaySeconds }) => [MessageBody, DelaySeconds]),
      messages.map(({ body, delayS }) => [body, delayS]),
    );
    assert.equal(sqs.sent[0]?.queue, `${sqs.url}/1/probe`);
  });

  it("a queue's URL is asked for once, by all who send to it, and again where asking failed", async () => {
    await using sqs = await startSqs([]);
    await withQueues(sqs.url, async (queues) => {
      await Promise.all([1, 2, 3].map((each) => queues.send("probe", [messageOf(String(each))])));
      assert.equal(sqs.asked.length, 1);
      await assert.rejects(queues.url("nowhere"), { name: "QueueDoesNotExist" });
      await assert.rejects(queues.url("nowhere"), { name: "QueueDoesNotExist" });
      assert.deepEqual(sqs.asked, ["probe", "nowhere", "nowhere"]);
    });
  });

  it("what a call refuses is sent again, and nothing else", async () => {
    await using sqs = await startSqs([[1, 3, 4], [0, 2], [1]]);
    const messages = ["a", "b", "c", "d", "e"].map((body) => messageOf(body));
    await withQueues(sqs.url, (queues) => queues.send("probe", messages));
    assert.deepEqual(
      sqs.sent.map(({ entries }) => entries.map(({ MessageBody }) => MessageBody).join("")),
      ["abcde", "bde", "be", "e"],
    );
    assert.deepEqual(sqs.taken, ["a", "c", "d", "b", "e"]);
  });

  it("a call that fails whole is sent again whole", async () => {
    await using sqs = await startSqs(["fault", "fault", []]);
    await withQueues(sqs.url, (queues) => queues.send("probe", [messageOf("a"), messageOf("b")]));
    assert.deepEqual(sqs.taken, ["a", "b"]);
  });

  it("what no try could send is told, with the queue's own reason: those and no others", async () => {
    await using sqs = await startSqs([[1, 3], [1], [0], [0]]);
    const messages = ["a", "b", "c", "d"].map((body) => messageOf(body));
    await withQueues(sqs.url, async (queues) => {
      await assert.rejects(queues.send("probe", messages), (error) => {
        assert.ok(error instanceof UnsentFault);
        assert.deepEqual(error.unsent, [messages[3]]);
        assert.equal(error.message, "1 messages could not be sent to probe: InternalError: try later");
        return true;
      });
    });
    assert.equal(sqs.sent.length, 4);
    assert.deepEqual(sqs.taken, ["a", "c", "b"]);
  });

  it("one batch that cannot be sent keeps no other from being sent", async () => {
    const all = Array.from({ length: 10 }, (_, index) => index);
    await using sqs = await startSqs([all, all, all, all]);
    const messages = Array.from({ length: 25 }, (_, index) => messageOf(String(index)));
    await withQueues(sqs.url, async (queues) => {
      await assert.rejects(queues.send("probe", messages), (error) => {
        assert.ok(error instanceof UnsentFault);
        assert.deepEqual(error.unsent, messages.slice(0, 10));
        return true;
      });
    });
    assert.deepEqual(
      sqs.taken,
      messages.slice(10).map(({ body }) => body),
    );
  });

  it("a queue that is not there leaves all unsent, and says so", async () => {
    await using sqs = await startSqs([]);
    await withQueues(sqs.url, async (queues) => {
      await assert.rejects(queues.send("nowhere", [messageOf("a")]), (error) => {
        assert.ok(error instanceof UnsentFault);
        assert.equal(error.unsent.length, 1);
        assert.match(error.message, /^1 messages could not be sent to nowhere: QueueDoesNotExist: no such queue$/);
        return true;
      });
    });
  });
});

function messageOf(body: string, attributes: Outgoing["attributes"] = {}): Outgoing {
  return { body, attributes, delayS: 0 };
}

function blob(octets: number): Outgoing["attributes"] {
  return { Recorded: { DataType: "Binary", BinaryValue: Buffer.alloc(octets) } };
}

/** As SQS counts, and nothing of how batchesOf does it. */
function octetsOf(batch: readonly Outgoing[]): number {
  const blobs = batch.map(({ attributes }) => {
    const size = attributes["Recorded"]?.BinaryValue?.length;
    return size === undefined ? 0 : size + "RecordedBinary".length;
  });
  const bodies = batch.map(({ body }) => Buffer.byteLength(body));
  return [...blobs, ...bodies].reduce((sum, each) => sum + each, 0);
}

async function withQueues(url: string, run: (queues: Queues) => Promise<void>): Promise<void> {
  const clients = await openClients(["sqs"], { sqs: url });
  try {
    await run(new Queues(clients.sqs));
  } finally {
    closeClients(clients);
  }
}

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly DelaySeconds: number;
}

interface SqsStub extends AsyncDisposable {
  readonly url: string;
  /** Names whose URL was asked for. */
  readonly asked: string[];
  readonly sent: { readonly queue: string; readonly entries: readonly Entry[] }[];
  /** Bodies, in the order in which they were taken. */
  readonly taken: string[];
}

/**
 * SQS's JSON protocol as far as sending goes. It has a queue `probe`.
 * @param refusals of each call in turn the places of the entries that it refuses, or that the call itself fails;
 *   later calls take all
 */
async function startSqs(refusals: readonly (readonly number[] | "fault")[]): Promise<SqsStub> {
  const stub = { asked: [] as string[], sent: [] as SqsStub["sent"], taken: [] as string[] };
  const left = [...refusals];
  const answer = (operation: string, input: Input): readonly [status: number, output: object] => {
    if (operation === "GetQueueUrl") {
      stub.asked.push(input.QueueName);
      if (input.QueueName === "probe") return [200, { QueueUrl: `${url}/1/probe` }];
      return [400, { __type: "com.amazonaws.sqs#QueueDoesNotExist", message: "no such queue" }];
    }
    const refused = left.shift() ?? [];
    // Not a fault that the SDK tries again by itself: how often a call comes is what is counted here.
    if (refused === "fault") return [400, { __type: "com.amazonaws.sqs#InvalidAddress", message: "not now" }];
    stub.sent.push({ queue: input.QueueUrl, entries: input.Entries });
    const isRefused = (_: Entry, index: number): boolean => refused.includes(index);
    const taken = input.Entries.filter((each, index) => !isRefused(each, index));
    stub.taken.push(...taken.map(({ MessageBody }) => MessageBody));
    return [
      200,
      {
        Successful: taken.map(({ Id, MessageBody }) => {
          return { Id, MessageId: `m-${Id}`, MD5OfMessageBody: createHash("md5").update(MessageBody).digest("hex") };
        }),
        Failed: input.Entries.filter(isRefused).map(({ Id }) => {
          return { Id, Code: "InternalError", Message: "try later", SenderFault: false };
        }),
      },
    ];
  };
  const server = createServer((request, response) => {
    void inputOf(request).then(([operation, input]) => {
      const [status, output] = answer(operation, input);
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify(output));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...stub,
    url,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Input {
  readonly QueueName: string;
  readonly QueueUrl: string;
  readonly Entries: readonly Entry[];
}

async function inputOf(request: IncomingMessage): Promise<readonly [operation: string, input: Input]> {
  const operation = String(request.headers["x-amz-target"]).replace("AmazonSQS.", "");
  return [operation, JSON.parse(await text(request)) as Input];
}
