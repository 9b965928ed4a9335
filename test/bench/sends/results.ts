// What is told of sends, heard by a queue of our own on their topic, and remembered by the id of each event. It does not
// know what should have been told.
import type { Clients } from "../../../functions/clients.ts";

export interface Result {
  readonly eventId: string;
  readonly id: string;
  readonly recipient: string;
  readonly event: "delivered" | "delayed" | "failed" | "expired" | "unknown";
  readonly attempts: number;
  readonly attemptTimes: readonly string[];
  readonly reason: string;
}

export interface Results extends AsyncDisposable {
  /** By `eventId`; of what was told again, the first. */
  readonly heard: ReadonlyMap<string, Result>;
  /** How often something was told again. */
  readonly again: () => number;
}

const readers = 4;

export async function hearResults(topicArn: string, { sqs, sns }: Pick<Clients, "sqs" | "sns">): Promise<Results> {
  const { QueueUrl = "" } = await sqs.createQueue({ QueueName: "bench-results" });
  const AttributeNames = ["QueueArn" as const];
  const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames });
  await sns.subscribe({
    TopicArn: topicArn,
    Protocol: "sqs",
    Endpoint: Attributes?.["QueueArn"] ?? "",
    Attributes: { RawMessageDelivery: "true" },
  });
  const heard = new Map<string, Result>();
  let again = 0;
  const over = new AbortController();
  const read = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 });
      for (const { Body = "" } of Messages) {
        const result = JSON.parse(Body) as Result;
        if (heard.has(result.eventId)) again += 1;
        else heard.set(result.eventId, result);
      }
      if (Messages.length === 0) continue;
      const Entries = Messages.map(({ ReceiptHandle = "" }, index) => ({ Id: String(index), ReceiptHandle }));
      await sqs.deleteMessageBatch({ QueueUrl, Entries });
    }
  };
  const reading = Array.from({ length: readers }, read);
  return {
    heard,
    again: () => again,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await Promise.all(reading);
    },
  };
}
