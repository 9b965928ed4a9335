// Where results are told: the topic of the configuration's name, beside its queues. SNS wants its ARN, and what is in that,
// the queue's URL and the client know.
import { queueNames } from "../queue/queues.ts";
import type { Runs } from "./runs.ts";

export async function resultsTopicArn({ deps, queues }: Runs): Promise<string> {
  const { config, clients } = deps;
  const url = new URL(await queues.url(queueNames(config, deps.runner).send));
  const account = url.pathname.split("/").at(1) ?? "";
  const region = await clients.sns.config.region();
  return `arn:${partitionOf(region)}:sns:${region}:${account}:${resultsTopicName(config)}`;
}

export function resultsTopicName({ name }: { readonly name: string }): string {
  return `${name}-results`;
}

/** AWS's own parts: China and its government's have accounts of their own. */
function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
