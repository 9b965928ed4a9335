// The queues and topics of the local stack, made as the template makes them in AWS, through the SDK: each queue with its
// dead letters, the topic of pages with a queue from which the page function is fed, and that of results with one that
// is there to be read by whoever wants to.
import { CreateTopicCommand, SubscribeCommand, type SNSClient } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Clients } from "../../functions/clients.ts";
import type { Config } from "../../functions/config/config.ts";
import { queueNames, runnersOf, scheduleDeadName } from "../../functions/queue/queues.ts";
import { accountId, region } from "./queues.ts";

/** What a queue and its dead letters are called. */
export interface QueuePair {
  readonly queue: string;
  readonly dead: string;
}

/** Of the configuration, those of probes first. Those of sends are there where none are taken, too, and nobody reads them. */
export function queuePairs(config: Config): readonly QueuePair[] {
  const names = runnersOf(config).map((runner) => queueNames(config, runner));
  return [
    ...names.map(({ probe, probeDead }) => ({ queue: probe, dead: probeDead })),
    ...names.map(({ send, sendDead }) => ({ queue: send, dead: sendDead })),
  ];
}

/** Those that somebody of ours reads. */
export function readQueues(config: Config): readonly string[] {
  const names = runnersOf(config).map((runner) => queueNames(config, runner));
  return [
    ...names.map(({ probe }) => probe),
    ...(config.sends === null ? [] : names.map(({ send }) => send)),
    pageFeedName(config),
  ];
}

/** The queue that stands for the subscription of the page function. */
export function pageFeedName({ name }: Pick<Config, "name">): string {
  return `${name}-pages-feed`;
}

/** The queue that hears what becomes of sends: the results as they were published, each with its attributes. */
export function resultsName({ name }: Pick<Config, "name">): string {
  return `${name}-results`;
}

/** A message comes again after this, if whoever took it is not heard of. */
export const visibilityS = 60;
/** Our own fault, five times, is none of the moment. */
const receives = 5;
/** SQS's longest: 14 days. */
const deadRetentionS = 1_209_600;

/** Makes what is not there; what is there is brought to the same settings, and keeps its messages. */
export async function setUpQueues(config: Config, { sqs, sns }: Pick<Clients, "sqs" | "sns">): Promise<void> {
  await Promise.all([
    ...queuePairs(config).map((pair) => setUpPair(pair, sqs)),
    setUpQueue(scheduleDeadName(config), { MessageRetentionPeriod: String(deadRetentionS) }, sqs),
    setUpQueue(pageFeedName(config), { VisibilityTimeout: String(visibilityS) }, sqs),
    setUpQueue(resultsName(config), { MessageRetentionPeriod: String(deadRetentionS) }, sqs),
  ]);
  const pages = await setUpTopic(`${config.name}-pages`, sns);
  const results = await setUpTopic(`${config.name}-results`, sns);
  await setUpTopic(`${config.name}-oncall`, sns);
  await sns.send(new SubscribeCommand({ TopicArn: pages, Protocol: "sqs", Endpoint: queueArn(pageFeedName(config)) }));
  await sns.send(
    new SubscribeCommand({
      TopicArn: results,
      Protocol: "sqs",
      Endpoint: queueArn(resultsName(config)),
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
}

async function setUpPair({ queue, dead }: QueuePair, sqs: SQSClient): Promise<void> {
  await setUpQueue(dead, { MessageRetentionPeriod: String(deadRetentionS) }, sqs);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn(dead), maxReceiveCount: receives });
  await setUpQueue(queue, { VisibilityTimeout: String(visibilityS), RedrivePolicy }, sqs);
}

/** Attributes apart: a queue that is there with others is no fault. */
async function setUpQueue(name: string, Attributes: Record<string, string>, sqs: SQSClient): Promise<void> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
}

async function setUpTopic(name: string, sns: SNSClient): Promise<string> {
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: name }));
  return TopicArn;
}

function queueArn(name: string): string {
  return `arn:aws:sqs:${region}:${accountId}:${name}`;
}
