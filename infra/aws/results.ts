// The topic on which it is told what became of sends, for whoever asked for them to subscribe to. What a result says, and who
// publishes it, it does not know.
import { CfnOutput } from "aws-cdk-lib";
import { Alias } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";

/** By which functions/send/results-topic.ts finds it. */
export function resultsTopicName({ name }: Pick<Config, "name">): string {
  return `${name}-results`;
}

/** Under the key that SNS has by itself: only we publish, by roles of ours, which that key lets in; and it costs nothing. */
export class Results extends Construct {
  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    const topic = new Topic(this, "Topic", {
      topicName: resultsTopicName(config),
      masterKey: Alias.fromAliasName(this, "Key", "alias/aws/sns"),
      enforceSSL: true,
    });
    new CfnOutput(this, "Arn", { value: topic.topicArn, description: "Where it is told what became of sends" });
  }
}
