// The way from an alarm to somebody's phone: CloudWatch calls the page function, and what that cannot bring ends, plain, at
// a topic that people subscribe to. Each link of it fails silently where it is wrong, so that a test walks them all. What a
// page says it does not know.
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { CfnPermission, type Code } from "aws-cdk-lib/aws-lambda";
import { SnsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { accept } from "./accepted.ts";
import { publishTo, readSecrets, secretsFor, useTable } from "./access.ts";
import { OwnFunction } from "./own-function.ts";

export interface OnCallProps {
  readonly config: Config;
  readonly code: Code;
}

export class OnCall extends Construct {
  readonly page: OwnFunction;
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { config, code }: OnCallProps) {
    super(scope, id);
    const { name, onCall, aws } = config;
    this.topic = plainTopic(this, config);
    for (const email of aws.emails) this.topic.addSubscription(new EmailSubscription(email));
    accept(this.topic, [
      { id: "Serverless::Serverless-SNSRedrivePolicy", reason: "SNS keeps no dead letters of e-mail." },
    ]);
    const topics = onCall.routes.flatMap((route) => (route.type === "sns" ? [route.topicArn] : []));
    const statements = [
      useTable(this, config, "page"),
      ...publishTo(topics),
      ...readSecrets(this, secretsFor("page", config), aws.secretKeys),
    ];
    this.page = new OwnFunction(this, "Page", { config, name: "page", code, statements, network: null });
    this.page.function.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
      onFailure: new SnsDestination(this.topic),
    });
    if (this.page.function.role !== undefined) {
      accept(this.page.function.role, [
        {
          id: "AwsSolutions::AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
          reason: "Of the topic's own key alone: CDK's grant to publish, which names both of GenerateDataKey's forms.",
        },
      ]);
    }
    // One for all alarms: with one each, the function's policy would be full at some 45 of them.
    const stack = Stack.of(this);
    new CfnPermission(this, "AlarmsMayCall", {
      action: "lambda:InvokeFunction",
      functionName: this.page.function.functionArn,
      principal: "lambda.alarms.cloudwatch.amazonaws.com",
      sourceAccount: stack.account,
      sourceArn: stack.formatArn({ service: "cloudwatch", resource: `alarm:${name}-*` }),
    });
  }
}

/**
 * Under a key of ours: CloudWatch may not use the one that SNS has by itself, and would say nothing. It is let in, so that
 * an alarm of anybody's in this account can name the topic.
 */
function plainTopic(scope: Construct, { name }: Config): Topic {
  const key = new Key(scope, "Key", {
    description: `Pages of ${name} that go out plain`,
    enableKeyRotation: true,
    // Nothing is kept under it.
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const topic = new Topic(scope, "Topic", {
    topicName: `${name}-oncall`,
    displayName: "delivery-probe",
    masterKey: key,
    enforceSSL: true,
  });
  const cloudWatch = new ServicePrincipal("cloudwatch.amazonaws.com");
  const conditions = { StringEquals: { "aws:SourceAccount": Stack.of(scope).account } };
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [cloudWatch],
      actions: ["sns:Publish"],
      resources: [topic.topicArn],
      conditions,
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [cloudWatch],
      actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
      resources: ["*"],
      conditions,
    }),
  );
  return topic;
}
