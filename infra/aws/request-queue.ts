// A runner's queue of one kind and all that belongs to it: its dead letters, the alarms of both, and, where functions read
// it, the function and its event source. What a request asks for it does not know.
import { Duration } from "aws-cdk-lib";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Code } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue, QueueEncryption, RedrivePermission } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { pairsOf, type Config } from "../../functions/config/config.ts";
import { sendConcurrency } from "../../functions/config/send-concurrency.ts";
import { queueNames, type Runner } from "../../functions/queue/queues.ts";
import { accept } from "./accepted.ts";
import type { QueueKind } from "./access.ts";
import type { Alarms } from "./alarms.ts";
import { shapes } from "./function-shapes.ts";
import type { Network } from "./network.ts";
import { OwnFunction } from "./own-function.ts";

export interface RequestQueueProps {
  readonly config: Config;
  readonly runner: Runner;
  readonly kind: QueueKind;
  readonly alarms: Alarms;
}

export interface ReaderProps {
  readonly code: Code;
  readonly statements: readonly PolicyStatement[];
  readonly network: Network | null;
}

/** Our own fault, five times, is none of the moment. */
const receives = 5;
/** SQS's longest. */
const deadRetention = Duration.days(14);
/** Requests run at once in one invocation, and one that is slow holds no more than these; a send may take 15 minutes. */
const batchSizes: Readonly<Record<QueueKind, number>> = { probe: 5, send: 1 };

export class RequestQueue extends Construct {
  readonly queue: Queue;
  readonly #config: Config;
  readonly #kind: QueueKind;

  constructor(scope: Construct, id: string, { config, runner, kind, alarms }: RequestQueueProps) {
    super(scope, id);
    this.#config = config;
    this.#kind = kind;
    const names = queueNames(config, runner);
    const [name, deadName] = [names[kind], names[`${kind}Dead`]];
    const dead = deadLetters(this, "Dead", deadName);
    this.queue = new Queue(this, "Queue", {
      queueName: name,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(4),
      // "[…] at least six times the timeout that you configure on your function"; a worker says its own with each receive.
      visibilityTimeout: Duration.seconds(6 * shapes(config)[kind].timeoutS),
      deadLetterQueue: { queue: dead, maxReceiveCount: receives },
    });
    alarms.put(this, ({ queue }) => queue === name || queue === deadName);
  }

  /** Has functions read it. */
  readBy({ code, statements, network }: ReaderProps): OwnFunction {
    const [config, kind] = [this.#config, this.#kind];
    const id = kind === "probe" ? "Probe" : "Send";
    const reader = new OwnFunction(this, id, { config, name: kind, code, statements, network });
    reader.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: batchSizes[kind],
        // Each record fails alone: a rejected probe is a success, and is not asked again for another's fault.
        reportBatchItemFailures: true,
        maxConcurrency: concurrencyOf(kind, config),
      }),
    );
    accept(reader, [
      {
        id: "Serverless::Serverless-LambdaEventSourceMappingDestination",
        reason: "Of streams alone: what an SQS queue's reader fails goes to that queue's dead letters.",
      },
    ]);
    return reader;
  }
}

/** More would but wait for each other. Lambda's least is two. */
function concurrencyOf(kind: QueueKind, config: Config): number {
  if (kind === "send" && config.sends !== null) return sendConcurrency(config.sends);
  // One session a provider and egress at a time.
  const pairs = pairsOf(config).filter(({ egress }) => egress.runner === "functions").length;
  return Math.min(20, Math.max(2, pairs));
}

/** Where messages end that nobody could work on, for somebody to read. */
export function deadLetters(scope: Construct, id: string, queueName: string): Queue {
  const dead = new Queue(scope, id, {
    queueName,
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: deadRetention,
    redriveAllowPolicy: { redrivePermission: RedrivePermission.ALLOW_ALL },
  });
  const reason = "These are the dead letters: nothing comes after them.";
  accept(dead, [
    { id: "Serverless::Serverless-SQSRedrivePolicy", reason },
    { id: "AwsSolutions::AwsSolutions-SQS3", reason },
  ]);
  return dead;
}
