// A worker: reads a queue by long polling and hands its messages to the handler that Lambda would call with them. For
// mail hosts, containers and one machine alike. It does not know what a message asks for.
import type { Message, MessageAttributeValue, SQSClient } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent, SQSMessageAttribute, SQSRecord } from "aws-lambda";
import { Consumer } from "sqs-consumer";
import type { Context } from "./handler.ts";
import { faultText, type Log } from "./report/log.ts";

export interface WorkerOptions {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly handler: (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;
  /** A record of a worker that dies comes again after this; while it lives, the time is made longer again and again. */
  readonly visibilityS: number;
  /** Batches that are worked on at a time: a slow record holds back its own batch alone. */
  readonly pollers: number;
  /** Messages of a batch; ten, SQS's own limit, or fewer where a single one may take long. */
  readonly batchSize: number;
  readonly log: Log;
}

export interface Worker {
  /** Takes nothing more, and waits for what it has. What is not done then comes again to somebody else. */
  readonly stop: () => Promise<void>;
}

/** SQS's own limit, and the cheapest way to wait. */
const waitTimeSeconds = 20;
/** As long as a function may take. */
const limitMs = 900_000;

export function startWorker(options: WorkerOptions): Worker {
  const pollers = Array.from({ length: options.pollers }, () => startPoller(options));
  return { stop: async () => void (await Promise.all(pollers.map((each) => each.stop()))) };
}

function startPoller({ sqs, queueUrl, handler, visibilityS, batchSize, log }: WorkerOptions): Worker {
  let batch = Promise.withResolvers<void>();
  batch.resolve();
  let isBusy = false;
  const consumer = Consumer.create({
    sqs,
    queueUrl,
    batchSize,
    waitTimeSeconds,
    visibilityTimeout: visibilityS,
    heartbeatInterval: Math.max(1, Math.floor(visibilityS / 3)),
    messageAttributeNames: ["All"],
    messageSystemAttributeNames: ["All"],
    handleMessageBatch: async (messages) => {
      const untilMs = Date.now() + limitMs;
      batch = Promise.withResolvers();
      isBusy = true;
      const context = { getRemainingTimeInMillis: () => untilMs - Date.now() };
      const { batchItemFailures } = await handler(eventOf(messages, queueUrl), context);
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      // Those that are returned are acknowledged.
      return messages.filter(({ MessageId = "" }) => !failed.has(MessageId));
    },
  });
  consumer.on("error", (error) => {
    // The long poll that a stop broke off is none.
    if (consumer.status.isRunning || !/aborted/i.test(error.message))
      log({ level: "error", event: "worker", queue: queueUrl, fault: faultText(error) });
  });
  // Handled, and acknowledged as far as it was.
  consumer.on("response_processed", () => {
    isBusy = false;
    batch.resolve();
  });
  consumer.start();
  return {
    stop: async () => {
      // An abort ends the long poll, and would end the acknowledgement of what is worked on.
      consumer.stop({ abort: !isBusy });
      await batch.promise;
    },
  };
}

/** Messages as Lambda's event source mapping hands them over. */
function eventOf(messages: readonly Message[], queueUrl: string): SQSEvent {
  const queue = queueUrl.split("/").at(-1) ?? "";
  return { Records: messages.map((message) => recordOf(message, queue)) };
}

function recordOf(message: Message, queue: string): SQSRecord {
  const {
    MessageId = "",
    ReceiptHandle = "",
    Body = "",
    MD5OfBody = "",
    Attributes = {},
    MessageAttributes = {},
  } = message;
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "0",
      SenderId: "",
      ApproximateFirstReceiveTimestamp: "0",
      ...Attributes,
    },
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, value]) => [name, attributeOf(value)]),
    ),
    md5OfBody: MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:::${queue}`,
    awsRegion: "",
  };
}

function attributeOf({ DataType = "String", StringValue, BinaryValue }: MessageAttributeValue): SQSMessageAttribute {
  return {
    dataType: DataType,
    ...(StringValue === undefined ? {} : { stringValue: StringValue }),
    ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
  };
}
