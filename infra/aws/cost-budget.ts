// The monthly budget: who is told by e-mail when the system costs more than it should. It knows no prices.
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import { Stack } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { estimateOf } from "./price.ts";

/**
 * Told at 80 % and 100 % of what was spent, and when 100 % is forecast (which takes AWS five weeks of history).
 *
 * It counts what the services that the stack uses cost in its region, whoever uses them: metrics, the estimate's largest
 * row, bear no tags, and a budget that looked for ours would keep silent about them. In an account that has more than
 * this system, aws.budgetUsd says how much all of it may cost.
 *
 * The budget has no name of its own: CloudFormation replaces it when its subscribers change, and makes the new one first,
 * so that two would be of one name.
 */
export class CostBudget extends Construct {
  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    const { emails, budgetUsd } = config.aws;
    if (emails.length === 0) return;
    const subscribers = emails.map((address) => ({ subscriptionType: "EMAIL", address }));
    new CfnBudget(this, "Budget", {
      budget: {
        budgetType: "COST",
        timeUnit: "MONTHLY",
        budgetLimit: { amount: budgetUsd ?? Math.ceil(2 * estimateOf(config).totalUsd), unit: "USD" },
        costFilters: { Region: [Stack.of(this).region], Service: services },
      },
      notificationsWithSubscribers: warnings.map(({ type, percent }) => ({
        notification: {
          notificationType: type,
          comparisonOperator: "GREATER_THAN",
          threshold: percent,
          thresholdType: "PERCENTAGE",
        },
        subscribers,
      })),
    });
  }
}

/** As AWS's bills call them. */
const services: readonly string[] = [
  "AmazonCloudWatch",
  "AWS Lambda",
  "Amazon Simple Queue Service",
  "Amazon Simple Notification Service",
  "Amazon DynamoDB",
  "AWS Key Management Service",
  "AWS Secrets Manager",
  "EC2 - Other",
  "Amazon Virtual Private Cloud",
];

const warnings = [
  { type: "ACTUAL", percent: 80 },
  { type: "ACTUAL", percent: 100 },
  { type: "FORECASTED", percent: 100 },
] as const;
