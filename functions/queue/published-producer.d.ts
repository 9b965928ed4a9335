// What a program sees of functions/queue/producer.ts that has this package installed: `delivery-probe/producer`. A test
// holds the two together.

export interface SendRequest {
  /** The message's own: the same again sends nothing again. 1 to 200 visible ASCII characters. */
  readonly id: string;
  /** The envelope's sender, of those that the configuration allows; empty for the null one. */
  readonly from: string;
  /** 1 to 100 addresses, none twice. */
  readonly to: readonly string[];
  /** An RFC 5322 message: its text, its octets, or an object in Amazon S3 that holds them. */
  readonly message: string | Uint8Array | { readonly s3: { readonly bucket: string; readonly key: string } };
  /** One of the configuration's that sends; else whichever it prefers. */
  readonly egress?: string | undefined;
  /** Until when it is tried, 14 days at most; else as long as the configuration says. RFC 3339, or a date. */
  readonly expires?: string | Date | undefined;
  /** What becomes of a recipient whose host took the whole message and never answered; else "stop". */
  readonly onUnknown?: "stop" | "retry" | undefined;
  readonly priority?: "high" | "normal" | "low" | undefined;
}

export interface Destination {
  /** `new SQS()` of @aws-sdk/client-sqs. */
  readonly sqs: {
    sendMessage(input: { QueueUrl: string; MessageBody: string }): Promise<{ MessageId?: string | undefined }>;
  };
  /** Of `<name>-send`, or of the egress's worker, `<name>-send-<egress>`. */
  readonly queueUrl: string;
  /** Where a message waits that no queue takes: without it one of more than 1 MiB is a fault. */
  readonly large?: Bucket | null | undefined;
}

export interface Bucket {
  /** `new S3()` of @aws-sdk/client-s3. */
  readonly s3: {
    putObject(input: { Bucket: string; Key: string; Body: Uint8Array; ContentType: string }): Promise<unknown>;
  };
  /** One of the configuration's requests.buckets. */
  readonly bucket: string;
}

export interface Enqueued {
  readonly id: string;
  /** Amazon SQS's own. */
  readonly messageId: string | null;
  /** Where the message was put that was too large for the queue; null: it went along. */
  readonly object: { readonly bucket: string; readonly key: string } | null;
}

/** What is wrong with a request: each fault begins with the path of its field. */
export declare class SendRequestFault extends Error {
  override readonly name: "SendRequestFault";
  readonly faults: readonly string[];
  constructor(faults: readonly string[]);
}

/** Puts a send on the queue. It rejects with a SendRequestFault before anything is sent, or with what the SDK throws. */
export declare function enqueue(destination: Destination, request: SendRequest): Promise<Enqueued>;
