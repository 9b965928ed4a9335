// What a worker on a mail host may do, as a managed policy that its user, role or certificate is given. It makes no user
// and no key: whose a mail host is, and how it proves that, is not the stack's to say.
import { CfnOutput } from "aws-cdk-lib";
import { ManagedPolicy } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { Config, ConfigEgress } from "../../functions/config/config.ts";
import { accept } from "./accepted.ts";
import {
  buryRequests,
  kindsOf,
  objectFindings,
  publishResults,
  putMetrics,
  readSecrets,
  receiveRequests,
  secretsFor,
  sendRequests,
  useObjects,
  useTable,
} from "./access.ts";

export class WorkerAccess extends Construct {
  constructor(scope: Construct, id: string, config: Config, egress: ConfigEgress) {
    super(scope, id);
    const runner = { worker: egress.name };
    const policy = new ManagedPolicy(this, "Policy", {
      managedPolicyName: `${config.name}-worker-${egress.name}`,
      description: `What the worker of egress ${egress.name} may do`,
      statements: [
        receiveRequests(this, config, runner),
        sendRequests(this, config),
        buryRequests(this, config, runner, kindsOf(config)),
        // What sends do there probes do too.
        useTable(this, config, "probe"),
        putMetrics(),
        ...(config.sends === null ? [] : [publishResults(this, config), ...useObjects(this, config)]),
        ...readSecrets(this, secretsFor(runner, config), config.aws.secretKeys),
      ],
    });
    accept(policy, [
      {
        id: "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
        reason: "PutMetricData knows no resources, and is bound to our namespace; all else is named.",
      },
      ...objectFindings(config),
    ]);
    new CfnOutput(this, "Arn", { value: policy.managedPolicyArn, description: `For the worker of ${egress.name}` });
  }
}
