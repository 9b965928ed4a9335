// The services that handlers need, embedded and real over HTTP, for one test file: queues, table, metrics. And the small
// questions that tests ask them.
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type Message,
} from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { setTimeout as sleep } from "node:timers/promises";
import { allClients, closeClients, openClients, type Clients, type Endpoints } from "../../functions/clients.ts";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { Queues, queueNames, runnersOf } from "../../functions/queue/queues.ts";
import type { Entry } from "../../functions/report/log.ts";
import { tableDefinition, type Table } from "../../functions/state/table.ts";
import { realClock } from "../../infra/local/clock.ts";
import { startCloudWatch } from "../../infra/local/cloudwatch/server.ts";
import { accountId, region, startQueues } from "../../infra/local/queues.ts";
import { startTable } from "../../infra/local/table.ts";

export interface Services extends AsyncDisposable {
  readonly endpoints: Endpoints;
  readonly clients: Clients;
  readonly config: Config;
  readonly table: Table;
  readonly queues: Queues;
  readonly entries: Entry[];
  readonly log: (entry: Entry) => void;
}

/** A configuration for tests: two egresses, one of a worker, and targets at these hosts. */
export function configFor(hosts: Readonly<Record<string, readonly string[]>>, more: object = {}): Config {
  const { value, faults } = checkConfig({
    name: "test",
    identity: { helo: "probe.example", sender: "probe@sender.example" },
    egresses: [
      { name: "aws", runner: "functions" },
      { name: "mail-1", runner: "worker" },
    ],
    targets: Object.keys(hosts).map((domain) => ({ provider: domain.split(".")[0], recipient: `probe@${domain}` })),
    hosts,
    limits: { sessionSeconds: 5, gapSeconds: 0 },
    requests: { recipients: ["*"], ports: "any", privateAddresses: true },
    ...more,
  });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

export async function startServices(config: Config): Promise<Services> {
  const queueService = await startQueues(0, null);
  const tableService = await startTable(0, null);
  const act = async (): Promise<void> => {};
  const cloudWatch = await startCloudWatch({ clock: realClock(), act, state: null, port: 0, region, accountId });
  const endpoints = {
    sqs: queueService.url,
    sns: queueService.url,
    dynamo: tableService.url,
    cloudWatch: cloudWatch.url,
    s3: queueService.url,
  };
  const clients = await hurriedClients(endpoints);
  for (const runner of runnersOf(config)) {
    for (const QueueName of Object.values(queueNames(config, runner))) {
      await clients.sqs.send(new CreateQueueCommand({ QueueName }));
    }
  }
  await clients.dynamo.send(new CreateTableCommand(tableDefinition(config.name)));
  const entries: Entry[] = [];
  return {
    endpoints,
    clients,
    config,
    table: { client: clients.dynamo, name: config.name, days: 30, now: () => new Date() },
    queues: new Queues(clients.sqs),
    entries,
    log: (entry) => void entries.push(entry),
    [Symbol.asyncDispose]: async () => {
      closeClients(clients);
      await Promise.all([queueService, tableService, cloudWatch].map(async (each) => each[Symbol.asyncDispose]()));
    },
  };
}

/** Clients whose messages wait in no queue, so that no test waits for one. */
export async function hurriedClients(endpoints: Endpoints): Promise<Clients> {
  const clients = await openClients(allClients, endpoints);
  clients.sqs.middlewareStack.add(
    (next) => async (args) => {
      const { Entries = [] } = args.input as { readonly Entries?: readonly { DelaySeconds?: number }[] };
      for (const each of Entries) each.DelaySeconds = 0;
      return await next(args);
    },
    { step: "initialize" },
  );
  return clients;
}

/** A record as Lambda hands it over. */
export function recordOf(body: unknown, more: Partial<SQSRecord> = {}): SQSRecord {
  return {
    messageId: crypto.randomUUID(),
    receiptHandle: "",
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "0",
      SenderId: "",
      ApproximateFirstReceiveTimestamp: "0",
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:test-probe",
    awsRegion: "us-east-1",
    ...more,
  };
}

/** A message of a queue as the record that it becomes. */
export function recordOfMessage({ MessageId = "", Body = "", MessageAttributes = {} }: Message): SQSRecord {
  return recordOf(Body, {
    messageId: MessageId,
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType = "String", StringValue, BinaryValue }]) => [
        name,
        {
          dataType: DataType,
          ...(StringValue === undefined ? {} : { stringValue: StringValue }),
          ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
        },
      ]),
    ),
  });
}

/** With time enough, and not in whole milliseconds: who reckons it owes nobody that. */
export const context = { getRemainingTimeInMillis: (): number => 60_000.5 };

/** What can be read from a queue now, and the delayed ones within `waitS`; taken out. */
export async function drained({ clients, queues }: Services, name: string, waitS = 0): Promise<readonly Message[]> {
  const QueueUrl = await queues.url(name);
  const found: Message[] = [];
  for (let rest = waitS * 10; rest >= 0; rest--) {
    const { Messages = [] } = await clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] }),
    );
    for (const { ReceiptHandle } of Messages)
      await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    found.push(...Messages);
    if (Messages.length > 0) rest = Math.max(rest, 1);
    else if (rest > 0) await sleep(100);
  }
  return found;
}

export async function put({ clients, queues }: Services, name: string, body: unknown): Promise<void> {
  const MessageBody = typeof body === "string" ? body : JSON.stringify(body);
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: await queues.url(name), MessageBody }));
}

/** The sum of a metric over the last hour; null: it was never told. */
export async function sumOf(
  { clients }: Services,
  MetricName: string,
  dimensions: Readonly<Record<string, string>>,
): Promise<number | null> {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: "DeliveryProbe", MetricName, Dimensions };
  const { MetricDataResults = [] } = await clients.cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [{ Id: "m", MetricStat: { Metric, Period: 60, Stat: "Sum" } }],
    }),
  );
  const { Values = [] } = MetricDataResults[0] ?? {};
  return Values.length === 0 ? null : Values.reduce((sum, each) => sum + each, 0);
}
