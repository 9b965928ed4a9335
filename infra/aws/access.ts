// What a function or a worker may do, statement by statement: its actions on its resources, and nothing else. It does not
// know which role a statement goes into.
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { ArnFormat, Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Config, ConfigSecret } from "../../functions/config/config.ts";
import { secretFields } from "../../functions/config/secret-fields.ts";
import { queueNames, runnersOf, type Runner } from "../../functions/queue/queues.ts";
import { namespace } from "../../functions/report/names.ts";
import { pairIndex } from "../../functions/state/table.ts";

/** The table's rows, by their key and in the order of time. */
export type TableUse = "schedule" | "probe" | "page";

// prettier-ignore
const tableActions: Readonly<Record<TableUse, readonly string[]>> = {
  schedule: ["GetItem", "BatchGetItem", "PutItem"],
  probe:    ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "Query"],
  page:     ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "Query"],
};

export function useTable(scope: Construct, { name }: Config, use: TableUse): PolicyStatement {
  const table = arnOf(scope, "dynamodb", "table", name);
  return allow(
    tableActions[use].map((action) => `dynamodb:${action}`),
    use === "schedule" ? [table] : [table, `${table}/index/${pairIndex}`],
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

/** A record that reached the wrong runner is sent on, one that is early put back: every runner sends to every queue. */
export function sendRequests(scope: Construct, config: Config): PolicyStatement {
  const queues = runnersOf(config).map((runner) => queueNames(config, runner).probe);
  return allow(
    ["sqs:SendMessage", "sqs:GetQueueUrl"],
    queues.map((queue) => queueArn(scope, queue)),
  );
}

export function buryRequests(scope: Construct, config: Config, runner: Runner): PolicyStatement {
  return allow(["sqs:SendMessage", "sqs:GetQueueUrl"], [queueArn(scope, queueNames(config, runner).probeDead)]);
}

/** For long polling; Lambda's own event source has the same by CDK. */
export function receiveRequests(scope: Construct, config: Config, runner: Runner): PolicyStatement {
  return allow(
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueUrl"],
    [queueArn(scope, queueNames(config, runner).probe)],
  );
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

/** Of the page function, or of a runner's egresses. */
export function secretsFor(reader: "page" | Runner, config: Config): readonly ConfigSecret[] {
  const its = secretFields(config).filter((each) => {
    if (reader === "page") return each.reader === "page";
    if (reader === "functions") return each.reader === "probe";
    return each.reader === "worker" && each.egress === reader.worker;
  });
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
