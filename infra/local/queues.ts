// The embedded SQS, SNS and S3 on loopback (fauxqs), and what its queues hold. It mends what the package would lose or
// misplace, and knows none of our queues' and buckets' names.
//
// Four things of fauxqs 2.4.1: its own start binds every address, so that the app is built and listens here; its queues'
// URLs name a host that only some systems resolve, and an old port after a restart on another; a visibility of 0
// fails where messages are kept on disk, and loses the message; and it takes no object of more than 11 MiB at once.
import { join } from "node:path";

/** The account of fauxqs, in every URL and ARN. */
export const accountId = "000000000000";
/** Of the embedded services; a client's own region decides where it looks for a queue by name. */
export const region = "us-east-1";

/** What a queue holds, without touching it. */
export interface QueueContents {
  readonly visible: number;
  readonly delayed: number;
  readonly inFlight: number;
  /** When the oldest message was sent, in milliseconds since the epoch; null: there is none. */
  readonly oldestMs: number | null;
}

export interface QueueService extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Null: there is no such queue. */
  contents(name: string): QueueContents | null;
}

/** In octets, of one PutObject: larger than any provider takes a message. */
const objectLimit = 64 * 1_048_576;

/**
 * Starts SQS, SNS and S3, which share one endpoint.
 * @param port 0: any free one
 * @param dataDir where messages, queues and topics are kept, over a SIGKILL too; null: nowhere
 * @throws Error when the port is taken, or the folder cannot be used
 */
export async function startQueues(port: number, dataDir: string | null): Promise<QueueService> {
  const { buildApp } = await import("fauxqs");
  const { SqsStore } = (await inside("sqs/sqsStore.js")) as { readonly SqsStore: new () => SqsStore };
  const { SnsStore } = (await inside("sns/snsStore.js")) as { readonly SnsStore: new () => SnsStore };
  const { S3Store } = (await inside("s3/s3Store.js")) as { readonly S3Store: new () => S3Store };
  const stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  // No host of its own: a queue's URL names the host that was asked.
  stores.sqsStore.host = "";
  const kept = dataDir === null ? null : await openKept(dataDir);
  const app = buildApp({ logger: false, defaultRegion: region, stores: stores as never });
  app.removeContentTypeParser("*");
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: objectLimit }, (_, body, done) => done(null, body));
  if (kept !== null) app.addHook("preClose", async () => kept.close());
  const url = await app.listen({ port, host: "127.0.0.1" });
  if (kept !== null) restore(kept, url, stores);
  return {
    url,
    port: Number(new URL(url).port),
    contents: (name) => contentsOf(stores.sqsStore.inspectQueue(name)),
    [Symbol.asyncDispose]: async () => await app.close(),
  };
}

/** What we use of fauxqs's own parts, which it does not export. */
interface SqsStore {
  host: string;
  persistence: Kept | undefined;
  allQueues(): Iterable<{ persistence: Kept | undefined }>;
  inspectQueue(name: string): Inspected | undefined;
}

interface SnsStore {
  persistence: Kept | undefined;
}

interface S3Store {
  persistence: Kept | undefined;
}

interface Kept {
  readonly db: { prepare(sql: string): { run(...values: readonly string[]): unknown } };
  updateMessageReady: (messageId: string) => void;
  load(sqsStore: SqsStore, snsStore: SnsStore, s3Store: S3Store): void;
  close(): void;
}

interface Inspected {
  readonly messages: {
    readonly ready: readonly Message[];
    readonly delayed: readonly Message[];
    readonly inflight: readonly { readonly message: Message; readonly visibilityDeadline: number }[];
  };
}

interface Message {
  readonly sentTimestamp: number;
  readonly delayUntil?: number;
}

function inside(file: string): Promise<unknown> {
  return import(new URL(file, import.meta.resolve("fauxqs")).href);
}

async function openKept(dataDir: string): Promise<Kept> {
  const { PersistenceManager } = (await inside("persistence.js")) as {
    readonly PersistenceManager: new (dataDir: string) => Kept;
  };
  const kept = new PersistenceManager(join(dataDir));
  const ready = kept.db.prepare(
    "UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?",
  );
  // Its own statement sets the receive count to NULL as well, which the table does not allow.
  kept.updateMessageReady = (messageId) => void ready.run(messageId);
  return kept;
}

interface Stores {
  readonly sqsStore: SqsStore;
  readonly snsStore: SnsStore;
  readonly s3Store: S3Store;
}

/** Before anything is written: what is loaded must not be written again, which would delete the queues' messages. */
function restore(kept: Kept, url: string, { sqsStore, snsStore, s3Store }: Stores): void {
  kept.db.prepare("UPDATE sqs_queues SET url = ? || name").run(`${url}/${accountId}/`);
  kept.load(sqsStore, snsStore, s3Store);
  for (const store of [sqsStore, snsStore, s3Store]) store.persistence = kept;
  for (const queue of sqsStore.allQueues()) queue.persistence = kept;
}

/** fauxqs looks at its deadlines only when somebody receives: here they are looked at by the time they stand for. */
function contentsOf(inspected: Inspected | undefined): QueueContents | null {
  if (inspected === undefined) return null;
  const { ready, delayed, inflight } = inspected.messages;
  const nowMs = Date.now();
  const waiting = delayed.filter(({ delayUntil = 0 }) => delayUntil > nowMs);
  const held = inflight.filter(({ visibilityDeadline }) => visibilityDeadline > nowMs);
  const all = [...ready, ...delayed, ...inflight.map(({ message }) => message)];
  return {
    visible: all.length - waiting.length - held.length,
    delayed: waiting.length,
    inFlight: held.length,
    oldestMs: all.length === 0 ? null : Math.min(...all.map(({ sentTimestamp }) => sentTimestamp)),
  };
}
