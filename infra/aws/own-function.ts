// One of our functions as Lambda runs it: Node 24 on arm64, a role of its own with what it is given and nothing else, a log
// group with an end. What a function does, and what calls it, it does not know.
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import type { SubnetSelection } from "aws-cdk-lib/aws-ec2";
import { PolicyDocument, Role, ServicePrincipal, type PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Architecture, Function, LoggingFormat, Runtime, type Code } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { accept } from "./accepted.ts";
import { allow, joinNetwork } from "./access.ts";
import { shapes, type FunctionName } from "./function-shapes.ts";
import type { Network } from "./network.ts";

export interface OwnFunctionProps {
  readonly config: Config;
  /** Of functions/lambda, and of its file there. */
  readonly name: FunctionName;
  readonly code: Code;
  readonly statements: readonly PolicyStatement[];
  /** Null: outside any VPC, where port 25 is closed. */
  readonly network: Network | null;
}

export class OwnFunction extends Construct {
  readonly function: Function;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { config, name, code, statements, network }: OwnFunctionProps) {
    super(scope, id);
    const functionName = `${config.name}-${name}`;
    const { memoryMB, timeoutS, about } = shapes(config)[name];
    this.logGroup = new LogGroup(this, "Log", {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: config.aws.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logs = allow(["logs:CreateLogStream", "logs:PutLogEvents"], [this.logGroup.logGroupArn]);
    const all = [logs, ...statements, ...(network === null ? [] : [joinNetwork()])];
    // All in the role itself, so that the function is never there without what it may.
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      inlinePolicies: { own: new PolicyDocument({ statements: all }) },
    });
    this.function = new Function(this, "Function", {
      functionName,
      description: about,
      code,
      handler: `${name}.handler`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: memoryMB,
      timeout: Duration.seconds(timeoutS),
      role,
      logGroup: this.logGroup,
      // Our lines are JSON already, and CloudWatch reads metrics only from lines that are ours alone.
      loggingFormat: LoggingFormat.TEXT,
      environment: { NODE_OPTIONS: "--enable-source-maps" },
      ...(network === null ? {} : inside(network)),
    });
    acceptFindings(this, role);
  }
}

function inside({ vpc, securityGroup, subnets }: Network): {
  readonly vpc: Network["vpc"];
  readonly vpcSubnets: SubnetSelection;
  readonly securityGroups: Network["securityGroup"][];
} {
  return { vpc, vpcSubnets: subnets, securityGroups: [securityGroup] };
}

function acceptFindings(scope: OwnFunction, role: Role): void {
  const noResources =
    "PutMetricData, bound to our namespace, and the network interfaces of EC2 know no resources; all else is named.";
  accept(role, [
    { id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]", reason: noResources },
    { id: "Serverless::Serverless-LambdaStarPermissions", reason: noResources },
  ]);
  accept(scope.function, [
    {
      id: "Serverless::Serverless-LambdaDLQ",
      reason:
        "What is invoked asynchronously has a failure destination; what reads a queue leaves its record in that queue's dead letters.",
    },
    {
      id: "Serverless::Serverless-LambdaTracing",
      reason: "Sessions with mail hosts are no requests that X-Ray could follow; the log has each with its dialog.",
    },
  ]);
}
