// What tests of the send's handler share: its services with a topic whose results can be read, and what is asked of them.
import { CreateTopicCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { whenWanted } from "../../functions/clients.ts";
import { openSecrets } from "../../functions/secrets.ts";
import type { SendResult } from "../../functions/send/results.ts";
import type { SendDeps } from "../../functions/send/runs.ts";
import { accountId, region } from "../../infra/local/queues.ts";
import { configFor, recordOf, startServices, type Services } from "../support/services.ts";

/** A configuration that takes sends from sender.example to these domains. */
export function sendingConfig(
  hosts: Readonly<Record<string, readonly string[]>>,
  more: object = {},
): Services["config"] {
  return configFor(hosts, {
    sends: { attemptSeconds: 10, answerSeconds: 2, rates: { default: { concurrency: 50, perMinute: 5_000 } } },
    requests: { recipients: ["*"], senders: ["@sender.example"], ports: "any", privateAddresses: true },
    ...more,
  });
}

const results = "test-results-seen";

export async function startSending(config: Services["config"]): Promise<Services> {
  const services = await startServices(config);
  const { clients } = services;
  const { TopicArn } = await clients.sns.send(new CreateTopicCommand({ Name: "test-results" }));
  await clients.sqs.send(new CreateQueueCommand({ QueueName: results }));
  const Endpoint = `arn:aws:sqs:${region}:${accountId}:${results}`;
  const Attributes = { RawMessageDelivery: "true" };
  await clients.sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint, Attributes }));
  return services;
}

export function sendDeps({ config, clients, endpoints, log }: Services, now: () => Date): SendDeps {
  return {
    config,
    clients: { ...clients, s3: whenWanted(endpoints) },
    now,
    log,
    runner: "functions",
    secrets: openSecrets({}, { log }),
    resolver: null,
    logsBecomeMetrics: false,
  };
}

export const messageText =
  "From: us@sender.example\r\nTo: a@there.example\r\nSubject: hello\r\n\r\n.dots\r\nand text\r\n";

export function sendOf(id: string, to: readonly string[], more: object = {}): object {
  return { v: 1, kind: "send", id, from: "us@sender.example", to, message: messageText, ...more };
}

/** All that lies in a queue, taken from it. */
export async function taken(queue: string, { queues, clients }: Services): Promise<readonly SQSRecord[]> {
  const QueueUrl = await queues.url(queue);
  const found: SQSRecord[] = [];
  for (;;) {
    const { Messages = [] } = await clients.sqs.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
    });
    if (Messages.length === 0) return found;
    for (const { Body = "", ReceiptHandle, MessageAttributes = {} } of Messages) {
      await clients.sqs.deleteMessage({ QueueUrl, ReceiptHandle });
      const messageAttributes = Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, { DataType = "String", StringValue, BinaryValue }]) => [
          name,
          {
            dataType: DataType,
            ...(StringValue === undefined ? {} : { stringValue: StringValue }),
            ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
          },
        ]),
      );
      found.push(recordOf(Body, { messageAttributes }));
    }
  }
}

/** The results that were told since they were last asked for. */
export async function told(services: Services): Promise<readonly SendResult[]> {
  return (await taken(results, services)).map(({ body }) => JSON.parse(body) as SendResult);
}
