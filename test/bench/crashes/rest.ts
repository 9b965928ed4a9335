// The system after the crashes: a queue whose records come again, somebody who works on them, and the schedule, by a clock
// of their own. It does not know who died of what.
import { setTimeout as sleep } from "node:timers/promises";
import { whenWanted } from "../../../functions/clients.ts";
import { queueNames } from "../../../functions/queue/queues.ts";
import { createSchedule } from "../../../functions/schedule.ts";
import { openSecrets } from "../../../functions/secrets.ts";
import { createSend } from "../../../functions/send.ts";
import { dueWakes } from "../../../functions/state/wakes.ts";
import { hurriedClients, recordOfMessage, type Services } from "../../support/services.ts";

const minuteMs = 60_000;
const slotMs = 5 * minuteMs;
/** By then everything must have come to its end, by the clock of schedules. */
const slotsLimit = 60;

export class Rest {
  failedRecords = 0;
  readonly #services: Services;
  #nowMs: number;

  constructor(services: Services, nowMs: number) {
    this.#services = services;
    this.#nowMs = nowMs;
  }

  /** Records that nobody has acknowledged. */
  async putBack(bodies: readonly string[]): Promise<void> {
    const { queues, config } = this.#services;
    const messages = bodies.map((body) => ({ body, attributes: {}, delayS: 0 }));
    await queues.send(queueNames(config, "functions").send, messages);
  }

  /** @returns how many deliveries are still to be woken */
  async goOn(): Promise<number> {
    const { endpoints, config } = this.#services;
    const clients = await hurriedClients(endpoints);
    const deps = { config, clients, now: () => new Date(this.#nowMs), log: this.#services.log };
    const schedule = createSchedule(deps);
    await this.#drain();
    for (let slots = 0; slots < slotsLimit && (await this.#wakes()) > 0; slots++) {
      const slot = new Date(Math.floor(this.#nowMs / slotMs) * slotMs).toISOString();
      this.#nowMs = Date.parse(slot) + slotMs;
      await schedule({ slot }, { getRemainingTimeInMillis: () => minuteMs });
      await this.#drain();
    }
    return await this.#wakes();
  }

  /** Works on what the queue has, until it has nothing more. */
  async #drain(): Promise<void> {
    const { config, clients, endpoints, queues, log } = this.#services;
    const QueueUrl = await queues.url(queueNames(config, "functions").send);
    const send = createSend({
      config,
      clients: { ...clients, s3: whenWanted(endpoints) },
      now: () => new Date(this.#nowMs),
      log,
      runner: "functions",
      secrets: openSecrets({}, { log }),
      resolver: null,
      logsBecomeMetrics: false,
    });
    const read = async (): Promise<void> => {
      for (let empty = 0; empty < 3;) {
        const { Messages = [] } = await clients.sqs.receiveMessage({
          QueueUrl,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ["All"],
          VisibilityTimeout: 30,
        });
        empty = Messages.length === 0 ? empty + 1 : 0;
        if (Messages.length === 0) await sleep(100);
        const untilMs = Date.now() + minuteMs;
        const context = { getRemainingTimeInMillis: (): number => untilMs - Date.now() };
        const { batchItemFailures } = await send({ Records: Messages.map(recordOfMessage) }, context);
        this.failedRecords += batchItemFailures.length;
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        for (const { MessageId = "", ReceiptHandle } of Messages) {
          if (!failed.has(MessageId)) await clients.sqs.deleteMessage({ QueueUrl, ReceiptHandle });
        }
      }
    };
    await Promise.all([read(), read(), read()]);
  }

  async #wakes(): Promise<number> {
    let count = 0;
    for await (const _each of dueWakes(Number.MAX_SAFE_INTEGER, 100_000, this.#services.table)) count += 1;
    return count;
  }

  async deadLetters(): Promise<number> {
    const { config, clients, queues } = this.#services;
    const QueueUrl = await queues.url(queueNames(config, "functions").sendDead);
    const AttributeNames = ["ApproximateNumberOfMessages" as const];
    const { Attributes } = await clients.sqs.getQueueAttributes({ QueueUrl, AttributeNames });
    return Number(Attributes?.["ApproximateNumberOfMessages"] ?? 0);
  }
}
