// The embedded SQS and SNS, by the SDK over HTTP: what fauxqs would lose or misplace, it does not.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  type Message,
} from "@aws-sdk/client-sqs";
import { PublishCommand } from "@aws-sdk/client-sns";
import { allClients, closeClients, openClients, whenWanted, type Clients } from "../../functions/clients.ts";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { topicsOf } from "../../infra/local/endpoints.ts";
import { bucketOf, setUpBucket } from "../../infra/local/bucket.ts";
import { pageFeedName, queuePairs, readQueues, resultsName, setUpQueues } from "../../infra/local/queue-setup.ts";
import { startQueues } from "../../infra/local/queues.ts";

const config = configWith(["aws", "mail-1"]);
const folders: string[] = [];
after(() => Promise.all(folders.map((each) => rm(each, { recursive: true }))));

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "queues-"));
  folders.push(made);
  return made;
}

async function clientsOf(url: string): Promise<Clients> {
  return await openClients(allClients, { sqs: url, sns: url, dynamo: url, cloudWatch: url });
}

async function receive(
  sqs: SQSClient,
  QueueUrl: string,
  more: { VisibilityTimeout?: number } = {},
): Promise<Message[]> {
  const MessageSystemAttributeNames = ["ApproximateReceiveCount" as const];
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames, MaxNumberOfMessages: 10, ...more }),
  );
  return Messages;
}

suite("the embedded queues", () => {
  test("have plain URLs on 127.0.0.1, which a client with no settings of its own takes", async () => {
    await using queues = await startQueues(0, null);
    const clients = await clientsOf(queues.url);
    const { QueueUrl = "" } = await clients.sqs.send(new CreateQueueCommand({ QueueName: "plain" }));
    assert.equal(QueueUrl, `http://127.0.0.1:${queues.port}/000000000000/plain`);
    // The URL alone leads it.
    const credentials = { accessKeyId: "x", secretAccessKey: "x" };
    const plain = new SQSClient({ region: "eu-west-1", credentials });
    await plain.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
    assert.equal(queues.contents("plain")?.visible, 1);
    assert.equal(queues.contents("another"), null);
    plain.destroy();
    closeClients(clients);
  });

  test("tell what they hold: visible, delayed, in flight, and since when", async () => {
    await using queues = await startQueues(0, null);
    const clients = await clientsOf(queues.url);
    const { QueueUrl = "" } = await clients.sqs.send(new CreateQueueCommand({ QueueName: "held" }));
    assert.deepEqual(queues.contents("held"), { visible: 0, delayed: 0, inFlight: 0, oldestMs: null });
    const before = Date.now();
    for (const DelaySeconds of [0, 0, 900]) {
      await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "one", DelaySeconds }));
    }
    await receive(clients.sqs, QueueUrl, { VisibilityTimeout: 900 });
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "two" }));
    const { oldestMs, ...counts } = queues.contents("held") ?? { oldestMs: null };
    assert.deepEqual(counts, { visible: 1, delayed: 1, inFlight: 2 });
    assert.ok(oldestMs !== null && oldestMs >= before && oldestMs <= Date.now());
    closeClients(clients);
  });

  test("with a folder, a message given back at once is there again, with its receive count, after a restart too", async () => {
    const dataDir = await folder();
    let queues = await startQueues(0, dataDir);
    let clients = await clientsOf(queues.url);
    const { QueueUrl = "" } = await clients.sqs.send(new CreateQueueCommand({ QueueName: "kept" }));
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
    for (const count of ["1", "2"]) {
      const [message] = await receive(clients.sqs, QueueUrl);
      assert.equal(message?.Attributes?.["ApproximateReceiveCount"], count);
      const { ReceiptHandle } = message ?? {};
      await clients.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    }
    closeClients(clients);
    await queues[Symbol.asyncDispose]();

    queues = await startQueues(0, dataDir);
    clients = await clientsOf(queues.url);
    const again = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: "kept" }));
    assert.equal(again.QueueUrl, `${queues.url}/000000000000/kept`, "the URL is that of the new port");
    const [message] = await receive(clients.sqs, again.QueueUrl);
    assert.equal(message?.Body, "hello");
    assert.equal(message.Attributes?.["ApproximateReceiveCount"], "3");
    closeClients(clients);
    await queues[Symbol.asyncDispose]();
  });

  test("have S3 beside them: an object is got as it was put, 30 MB at once too, and after a restart", async () => {
    const dataDir = await folder();
    let queues = await startQueues(0, dataDir);
    let s3 = await whenWanted({ s3: queues.url })();
    await setUpBucket(config, s3);
    const Bucket = bucketOf(config);
    assert.equal(Bucket, "test-messages");
    const Body = Buffer.alloc(30_000_000, "a line of the message\r\n");
    await s3.putObject({ Bucket, Key: "large.eml", Body });
    await setUpBucket(config, s3);
    const found = async (): Promise<Uint8Array> => {
      const { Body: got } = await s3.getObject({ Bucket, Key: "large.eml" });
      return (await got?.transformToByteArray()) ?? new Uint8Array();
    };
    assert.ok(Body.equals(await found()));
    await assert.rejects(s3.getObject({ Bucket, Key: "none" }), { name: "NoSuchKey" });
    s3.destroy();
    await queues[Symbol.asyncDispose]();

    queues = await startQueues(0, dataDir);
    s3 = await whenWanted({ s3: queues.url })();
    assert.ok(Body.equals(await found()));
    s3.destroy();
    await queues[Symbol.asyncDispose]();
  });

  test("a port that is taken is told, and the folder is free again", async () => {
    const dataDir = await folder();
    await using other = await startQueues(0, null);
    await assert.rejects(startQueues(other.port, dataDir), { code: "EADDRINUSE" });
    await using queues = await startQueues(0, dataDir);
    assert.notEqual(queues.port, other.port);
  });
});

suite("the set-up of queues and topics", () => {
  test("makes each runner's pair and the topics, and leaves what is there as it is", async () => {
    await using queues = await startQueues(0, null);
    const clients = await clientsOf(queues.url);
    await setUpQueues(config, clients);
    assert.deepEqual(queuePairs(config), [
      { queue: "test-probe", dead: "test-probe-dead" },
      { queue: "test-probe-mail-1", dead: "test-probe-mail-1-dead" },
      { queue: "test-send", dead: "test-send-dead" },
      { queue: "test-send-mail-1", dead: "test-send-mail-1-dead" },
    ]);
    const QueueUrl = `${queues.url}/000000000000/test-probe`;
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
    await setUpQueues(config, clients);
    assert.equal(queues.contents("test-probe")?.visible, 1);
    for (const { dead } of queuePairs(config)) assert.equal(queues.contents(dead)?.visible, 0);
    assert.equal(queues.contents("test-schedule-dead")?.visible, 0);
    const { Attributes } = await clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["VisibilityTimeout", "RedrivePolicy"] }),
    );
    assert.equal(Attributes?.["VisibilityTimeout"], "60");
    assert.deepEqual(JSON.parse(Attributes["RedrivePolicy"] ?? ""), {
      deadLetterTargetArn: "arn:aws:sqs:us-east-1:000000000000:test-probe-dead",
      maxReceiveCount: 5,
    });
    closeClients(clients);
  });

  test("a message that was received five times in vain is a dead letter", async () => {
    await using queues = await startQueues(0, null);
    const clients = await clientsOf(queues.url);
    await setUpQueues(config, clients);
    const QueueUrl = `${queues.url}/000000000000/test-probe-mail-1`;
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "poison" }));
    for (let times = 1; times <= 5; times += 1) {
      const [message] = await receive(clients.sqs, QueueUrl);
      const { ReceiptHandle } = message ?? {};
      await clients.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    }
    assert.deepEqual(await receive(clients.sqs, QueueUrl), []);
    const [dead] = await receive(clients.sqs, `${QueueUrl}-dead`);
    assert.equal(dead?.Body, "poison");
    closeClients(clients);
  });

  test("what is published to the topic of pages is in the page function's feed, once, in SNS's envelope", async () => {
    await using queues = await startQueues(0, null);
    const clients = await clientsOf(queues.url);
    await setUpQueues(config, clients);
    await setUpQueues(config, clients);
    const { pages } = topicsOf(config);
    await clients.sns.send(new PublishCommand({ TopicArn: pages, Subject: "ALARM", Message: "the alarm" }));
    const messages = await receive(clients.sqs, `${queues.url}/000000000000/${pageFeedName(config)}`);
    const { Type, TopicArn, Subject, Message } = JSON.parse(messages[0]?.Body ?? "") as Record<string, string>;
    assert.deepEqual(
      { Type, TopicArn, Subject, Message },
      {
        Type: "Notification",
        TopicArn: pages,
        Subject: "ALARM",
        Message: "the alarm",
      },
    );
    assert.equal(messages.length, 1);
    closeClients(clients);
  });

  test("what is published to the topic of results can be read from a queue, once, as it was, with its attributes", async () => {
    await using queues = await startQueues(0, null);
    const clients = await clientsOf(queues.url);
    await setUpQueues(config, clients);
    await setUpQueues(config, clients);
    const MessageAttributes = { event: { DataType: "String", StringValue: "delivered" } };
    const TopicArn = topicsOf(config).results;
    await clients.sns.send(new PublishCommand({ TopicArn, Message: '{"v":1}', MessageAttributes }));
    const QueueUrl = `${queues.url}/000000000000/${resultsName(config)}`;
    const { Messages = [] } = await clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] }),
    );
    assert.deepEqual(Messages.map(({ Body }) => Body), ['{"v":1}']); // prettier-ignore
    assert.equal(Messages[0]?.MessageAttributes?.["event"]?.StringValue, "delivered");
    closeClients(clients);
  });
});

test("those that are read are those of sends too where the configuration takes them", () => {
  const feed = "test-pages-feed";
  assert.deepEqual(readQueues(config), ["test-probe", "test-probe-mail-1", feed]);
  const sending = { ...config, sends: configWith(["aws"], { sends: {} }).sends };
  assert.deepEqual(readQueues(sending), ["test-probe", "test-probe-mail-1", "test-send", "test-send-mail-1", feed]);
});

/** The first egress is the functions', the others' are workers'. */
function configWith(egresses: readonly string[], more: object = {}): Config {
  const { value, faults } = checkConfig({
    name: "test",
    identity: { helo: "probe.example", sender: "probe@sender.example" },
    egresses: egresses.map((name, index) => ({ name, runner: index === 0 ? "functions" : "worker" })),
    targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
    ...more,
  });
  assert.deepEqual(faults, null);
  assert.ok(value !== null);
  return value;
}
