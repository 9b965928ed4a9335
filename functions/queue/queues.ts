// The queues: what they are called, which runner reads which, and how requests are put there. A queue's messages are
// requests; what is in them, request.ts knows.
import type { MessageAttributeValue, SendMessageBatchRequestEntry, SQS } from "@aws-sdk/client-sqs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { sendEgresses } from "../config/send-faults.ts";
import type { Request } from "./request.ts";

/** Who reads a queue: the functions, or the worker of one egress. */
export type Runner = "functions" | { readonly worker: string };

export interface QueueNames {
  readonly probe: string;
  /** Where a message ends that nobody can work on. */
  readonly probeDead: string;
  readonly send: string;
  readonly sendDead: string;
}

export function queueNames({ name }: Pick<Config, "name">, runner: Runner): QueueNames {
  const whose = runner === "functions" ? "" : `-${runner.worker}`;
  const [probe, send] = [`${name}-probe${whose}`, `${name}-send${whose}`];
  return { probe, probeDead: `${probe}-dead`, send, sendDead: `${send}-dead` };
}

/** Where a request belongs: to its kind's queue, of whoever runs its egress; what may leave by any, by the preferred one. */
export function homeOf(
  { kind, egress }: { readonly kind: Request["kind"]; readonly egress: string | null },
  config: Config,
): string {
  const names = queueNames(config, runnerOf(egress ?? sendEgresses(config)[0] ?? "", config));
  return kind === "send" || kind === "wake" ? names.send : names.probe;
}

/** Where an invocation of the schedule ends that was given up. */
export function scheduleDeadName({ name }: Pick<Config, "name">): string {
  return `${name}-schedule-dead`;
}

/** Of the whole configuration, the functions' first, which are always there. */
export function runnersOf({ egresses }: Config): readonly Runner[] {
  const workers = egresses.filter(({ runner }) => runner === "worker").map(({ name }) => ({ worker: name }));
  return ["functions", ...workers];
}

/** Whose queue the requests of an egress of the configuration go to. */
export function runnerOf(egress: string, { egresses }: Config): Runner {
  const found = egresses.find(({ name }) => name === egress);
  return found?.runner === "worker" ? { worker: found.name } : "functions";
}

export interface Outgoing {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** 0 to 900. */
  readonly delayS: number;
}

/** SQS's own limits of SendMessageBatch: entries, and octets of all together (1 MiB). */
const batchEntries = 10;
const batchOctets = 1_000_000;
const tries = 4;

/** Finds queues' URLs by their names, once, and sends. */
export class Queues {
  readonly #sqs: SQS;
  readonly #urls = new Map<string, Promise<string>>();

  constructor(sqs: SQS) {
    this.#sqs = sqs;
  }

  async url(name: string): Promise<string> {
    const known = this.#urls.get(name);
    if (known !== undefined) return await known;
    const asked = this.#sqs.getQueueUrl({ QueueName: name }).then(({ QueueUrl = "" }) => QueueUrl);
    this.#urls.set(name, asked);
    // What failed is asked again the next time.
    asked.catch(() => this.#urls.delete(name));
    return await asked;
  }

  /**
   * Sends all, in as few calls as SQS takes. What a call refuses is tried again, a little later each time.
   * @throws UnsentFault with those that no try could send
   */
  async send(name: string, messages: readonly Outgoing[]): Promise<void> {
    const unsent: Outgoing[] = [];
    let reason = "";
    for (const batch of batchesOf(messages)) {
      const left = await this.#sendBatch(name, batch);
      unsent.push(...left.messages);
      reason ||= left.reason;
    }
    if (unsent.length > 0) throw new UnsentFault(name, unsent, reason);
  }

  async #sendBatch(name: string, batch: readonly Outgoing[]): Promise<Unsent> {
    let left: readonly Outgoing[] = batch;
    let reason = "";
    for (let attempt = 1; attempt <= tries && left.length > 0; attempt++) {
      if (attempt > 1) await sleep(100 * 2 ** attempt);
      const now: Unsent = await this.#sendOnce(name, left);
      left = now.messages;
      reason = now.reason;
    }
    return { messages: left, reason };
  }

  async #sendOnce(name: string, batch: readonly Outgoing[]): Promise<Unsent> {
    try {
      const QueueUrl = await this.url(name);
      const { Failed = [] } = await this.#sqs.sendMessageBatch({ QueueUrl, Entries: batch.map(entryOf) });
      const messages = Failed.flatMap(({ Id }) => batch[Number(Id)] ?? []);
      return { messages, reason: Failed.map(({ Code, Message }) => `${Code}: ${Message ?? ""}`)[0] ?? "" };
    } catch (error) {
      return { messages: batch, reason: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
    }
  }
}

interface Unsent {
  readonly messages: readonly Outgoing[];
  readonly reason: string;
}

/** Messages that a queue did not take, after every try. */
export class UnsentFault extends Error {
  override readonly name = "UnsentFault";
  readonly unsent: readonly Outgoing[];

  constructor(queue: string, unsent: readonly Outgoing[], reason: string) {
    super(`${unsent.length} messages could not be sent to ${queue}: ${reason}`);
    this.unsent = unsent;
  }
}

export function batchesOf(messages: readonly Outgoing[]): readonly (readonly Outgoing[])[] {
  const batches: Outgoing[][] = [];
  let octets = 0;
  for (const each of messages) {
    const size = sizeOf(each);
    const last = batches.at(-1);
    if (last === undefined || last.length === batchEntries || octets + size > batchOctets) {
      batches.push([each]);
      octets = size;
    } else {
      last.push(each);
      octets += size;
    }
  }
  return batches;
}

/** As SQS counts: the body, and the attributes' names, types and values. */
function sizeOf({ body, attributes }: Outgoing): number {
  const others = Object.entries(attributes).map(
    ([name, { DataType = "", StringValue = "", BinaryValue }]) =>
      Buffer.byteLength(name + DataType + StringValue) + (BinaryValue?.length ?? 0),
  );
  return others.reduce((sum, each) => sum + each, Buffer.byteLength(body));
}

function entryOf({ body, attributes, delayS }: Outgoing, index: number): SendMessageBatchRequestEntry {
  return { Id: String(index), MessageBody: body, MessageAttributes: { ...attributes }, DelaySeconds: delayS };
}
