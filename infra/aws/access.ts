// What a function or a worker may do, statement by statement: its actions on its resources, and nothing else. It does not
// know which role a statement goes into.
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { ArnFormat, Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Config, ConfigSecret } from "../../functions/config/config.ts";
import { secretFields, type SecretReader } from "../../functions/config/secret-fields.ts";
import { queueNames, runnersOf, type Runner } from "../../functions/queue/queues.ts";
import { namespace } from "../../functions/report/names.ts";
import { pairIndex, wakeIndex } from "../../functions/state/table.ts";
import type { Accepted } from "./accepted.ts";
import { resultsTopicName } from "./results.ts";

/** `sweep`: the schedule's, where there are sends to wake. */
export type TableUse = "schedule" | "sweep" | "probe" | "send" | "page";

/** The table's rows, by their key and in the order of time. */
// prettier-ignore
const tableUses: Readonly<Record<TableUse, { readonly actions: readonly string[]; readonly index: string | null }>> = {
  schedule: { actions: ["GetItem", "BatchGetItem", "PutItem"],                        index: null },
  sweep:    { actions: ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "Query"], index: wakeIndex },
  // What holds sends is taken away by whoever finds it over, a probe too.
  probe:    { actions: ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"], index: pairIndex },
  send:     { actions: ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"], index: null },
  page:     { actions: ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "Query"], index: pairIndex },
};

export function useTable(scope: Construct, { name }: Config, use: TableUse): PolicyStatement {
  const table = arnOf(scope, "dynamodb", "table", name);
  const { actions, index } = tableUses[use];
  return allow(
    actions.map((action) => `dynamodb:${action}`),
    index === null ? [table] : [table, `${table}/index/${index}`],
  );
}

/** Of our namespace alone; PutMetricData knows no resources. */
export function putMetrics(): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    actions: ["cloudwatch:PutMetricData"],
    resources: ["*"],
    conditions: { StringEquals: { "cloudwatch:namespace": namespace } },
  });
}

/** What a queue's requests are: a runner has a pair of queues for each. */
export type QueueKind = "probe" | "send";

/** Sends have queues where the configuration takes them. */
export function kindsOf({ sends }: Config): readonly QueueKind[] {
  return sends === null ? ["probe"] : ["probe", "send"];
}

/**
 * A record that reached the wrong runner, or the queue of the other kind, is sent on, one that is early put back: every
 * runner sends to every queue.
 */
export function sendRequests(scope: Construct, config: Config): PolicyStatement {
  const names = runnersOf(config).map((runner) => queueNames(config, runner));
  const queues = kindsOf(config).flatMap((kind) => names.map((each) => each[kind]));
  return allow(
    ["sqs:SendMessage", "sqs:GetQueueUrl"],
    queues.map((queue) => queueArn(scope, queue)),
  );
}

export function buryRequests(
  scope: Construct,
  config: Config,
  runner: Runner,
  kinds: readonly QueueKind[],
): PolicyStatement {
  const names = queueNames(config, runner);
  const dead = kinds.map((kind) => queueArn(scope, names[`${kind}Dead`]));
  return allow(["sqs:SendMessage", "sqs:GetQueueUrl"], dead);
}

/** For long polling; Lambda's own event source has the same by CDK. */
export function receiveRequests(scope: Construct, config: Config, runner: Runner): PolicyStatement {
  const names = queueNames(config, runner);
  return allow(
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueUrl"],
    kindsOf(config).map((kind) => queueArn(scope, names[kind])),
  );
}

/** Whoever sends tells what became of it. */
export function publishResults(scope: Construct, config: Config): PolicyStatement {
  return allow(["sns:Publish"], [Stack.of(scope).formatArn({ service: "sns", resource: resultsTopicName(config) })]);
}

/** What cdk-nag finds in it: nobody knows before what an object is called. */
export function objectFindings(config: Config): readonly Accepted[] {
  return bucketsRead(config).map((bucket) => ({
    id: `AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${bucket}/*]`,
    reason: "The objects of a bucket that the configuration names for messages, and of no other.",
  }));
}

function bucketsRead({ requests, sends }: Config): readonly string[] {
  if (sends === null) return [];
  return unique([...requests.buckets, ...(sends.bucket === null ? [] : [sends.bucket])]);
}

/** Messages that requests name, which are read alone, and those that wait for another attempt. */
export function useObjects(scope: Construct, config: Config): readonly PolicyStatement[] {
  const kept = config.sends?.bucket ?? null;
  const read = bucketsRead(config);
  const objects = (bucket: string): string => objectsArn(scope, bucket);
  return [
    ...(read.length === 0 ? [] : [allow(["s3:GetObject"], read.map(objects))]),
    ...(kept === null ? [] : [allow(["s3:PutObject", "s3:AbortMultipartUpload"], [objects(kept)])]),
  ];
}

export function publishTo(topicArns: readonly string[]): readonly PolicyStatement[] {
  return topicArns.length === 0 ? [] : [allow(["sns:Publish"], topicArns)];
}

/**
 * The secrets' values, and the keys of those that are under a key of ours (aws.secretKeys). A secret that is known by its
 * name has six characters more in its ARN, which nobody can know before.
 */
export function readSecrets(
  scope: Construct,
  secrets: readonly ConfigSecret[],
  keyArns: readonly string[],
): readonly PolicyStatement[] {
  const managed = secrets.flatMap((each) =>
    typeof each === "object" && "secretsManager" in each ? [secretArn(scope, each.secretsManager)] : [],
  );
  const parameters = secrets.flatMap((each) =>
    typeof each === "object" && "ssm" in each ? [parameterArn(scope, each.ssm)] : [],
  );
  const isAny = managed.length + parameters.length > 0;
  return [
    ...(managed.length === 0 ? [] : [allow(["secretsmanager:GetSecretValue"], unique(managed))]),
    ...(parameters.length === 0 ? [] : [allow(["ssm:GetParameter"], unique(parameters))]),
    ...(isAny && keyArns.length > 0 ? [allow(["kms:Decrypt"], keyArns)] : []),
  ];
}

/** Of one of the functions, or of an egress's worker. */
export function secretsFor(
  whose: Exclude<SecretReader, "worker"> | Exclude<Runner, "functions">,
  config: Config,
): readonly ConfigSecret[] {
  const its = secretFields(config).filter(({ reader, egress }) =>
    typeof whose === "string" ? reader === whose : reader === "worker" && egress === whose.worker,
  );
  return its.map(({ secret }) => secret);
}

/** A function in a VPC has a network interface there; EC2's actions for it know no resources. */
export function joinNetwork(): PolicyStatement {
  return allow(
    [
      "ec2:CreateNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ],
    ["*"],
  );
}

export function allow(actions: readonly string[], resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] });
}

function queueArn(scope: Construct, queue: string): string {
  return Stack.of(scope).formatArn({ service: "sqs", resource: queue });
}

/** A bucket's name is nobody else's in the world, and its ARN names no account. */
function objectsArn(scope: Construct, bucket: string): string {
  return Stack.of(scope).formatArn({ service: "s3", region: "", account: "", resource: bucket, resourceName: "*" });
}

function arnOf(scope: Construct, service: string, resource: string, resourceName: string): string {
  return Stack.of(scope).formatArn({ service, resource, resourceName });
}

function secretArn(scope: Construct, name: string): string {
  if (name.startsWith("arn:")) return name;
  return Stack.of(scope).formatArn({
    service: "secretsmanager",
    resource: "secret",
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

function parameterArn(scope: Construct, name: string): string {
  return name.startsWith("arn:") ? name : arnOf(scope, "ssm", "parameter", name.replace(/^\//, ""));
}

function unique(all: readonly string[]): readonly string[] {
  return [...new Set(all)];
}
