// The estimate of a month's price: that it counts what is there, and that it moves the right way; and the budget made of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { checkConfig, type Config } from "../../../functions/config/config.ts";
import { CostBudget } from "../../../infra/aws/cost-budget.ts";
import { estimateOf, estimateText, seriesCount } from "../../../infra/aws/price.ts";

const functions = { name: "aws", runner: "functions", address: "192.0.2.25" };
const worker = { name: "mail-1", runner: "worker", address: "192.0.2.26" };
const providers = ["icloud", "outlook", "yahoo", "gmx", "comcast", "gmail"];
const targets = providers.map((provider) => {
  return { provider, recipient: `probe@${provider}.example`, everyMinutes: 60 };
});
const small = {
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [functions],
  targets: [{ ...targets[0], everyMinutes: 30 }],
};

function configOf(more: object = {}): Config {
  const { value, faults } = checkConfig({ ...small, ...more });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

function usdOf(config: Config, item: string): number | null {
  const found = estimateOf(config).rows.find((each) => each.item === item);
  return found === undefined ? null : found.usdPerMonth;
}

/** By hand: 730 hours, a probe each half hour and a self-check a day, 1,490.4 requests; 8,760 slots; 200 changes of alarms. */
const byHand = {
  "CloudWatch metrics": (8 + 1 + 7) * 0.3, // one pair, a class of rejections, one egress
  // blocking, refused, egress-down (2), probe-silent (2), misconfigured, self-check; the functions' queues two, the schedule's one
  "CloudWatch alarms": 11 * 0.1,
  "CloudWatch composite alarms": 0.5,
  "CloudWatch PutMetricData": (10_250.4 / 1_000) * 0.01,
  "CloudWatch dashboard": 3,
  "Logs taken in": 10_450.4 * 6e-6 * 0.5,
  "Lambda calls": (10_450.4 / 1e6) * 0.2,
  // 512 MB for 2 s and 3 s, 1,024 MB for 5 s
  "Lambda time": (8_760 + 1_490.4 * 5 + 300) * 0.0000133334,
  // five pollers, three times a minute
  "SQS requests": ((657_000 + 1_490.4 * 3) / 1e6) * 0.4,
  "EventBridge Scheduler": 0.00876,
  "SNS e-mails": 0,
  "DynamoDB writes": ((1_490.4 * 30 + 8_760) / 1e6) * 0.625,
  "DynamoDB reads": ((1_490.4 * 20 + 8_760) / 1e6) * 0.125,
  "KMS key": 1,
} as const;

for (const [item, usd] of Object.entries(byHand)) {
  test(`${item}: as reckoned by hand`, () => {
    const found = usdOf(configOf(), item);
    assert.ok(found !== null && Math.abs(found - usd) < 1e-4, `${found} is not ${usd}`);
  });
}

test("the total is that of the rows, and every row is its quantity times its price", () => {
  const { rows, totalUsd, date } = estimateOf(configOf());
  for (const each of rows) assert.equal(each.usdPerMonth, each.quantity * each.unitUsd, each.item);
  assert.equal(
    totalUsd,
    rows.reduce((sum, { usdPerMonth }) => sum + usdPerMonth, 0),
  );
  assert.match(date, /^20\d\d-\d\d$/);
});

test("more targets, egresses and rounds cost more", () => {
  const steps = [
    configOf({ targets: targets.slice(0, 1) }),
    configOf({ targets: targets.slice(0, 3) }),
    configOf({ targets }),
    configOf({ targets, egresses: [functions, worker] }),
    configOf({
      targets: targets.map((each) => ({ ...each, everyMinutes: 5 })),
      egresses: [functions, worker],
    }),
  ];
  const totals = steps.map((each) => estimateOf(each).totalUsd);
  assert.deepEqual(
    totals,
    [...new Set(totals)].toSorted((a, b) => a - b),
  );
});

test("two targets of one provider feed the same series", () => {
  const two = [15, 1_440].map((everyMinutes, index) => {
    return { ...targets[0], depth: index === 0 ? "rcpt" : "message", everyMinutes };
  });
  assert.equal(seriesCount(configOf({ targets: two })), seriesCount(configOf()));
});

test("an egress by the VPC adds a NAT gateway and an address, and no other does", () => {
  const plain = configOf();
  const vpc = configOf({ egresses: [{ ...functions, via: { type: "vpc" } }] });
  assert.equal(usdOf(plain, "NAT gateway"), null);
  assert.equal(usdOf(vpc, "NAT gateway"), 730 * 0.045);
  assert.equal(usdOf(vpc, "Public IPv4 address"), 730 * 0.005);
  assert.ok(estimateOf(vpc).totalUsd > estimateOf(plain).totalUsd + 36);
});

test("a worker asks its queue for ever, and is no call of a function", () => {
  const byWorker = configOf({ egresses: [worker] });
  assert.ok((usdOf(byWorker, "SQS requests") ?? 0) > (usdOf(configOf(), "SQS requests") ?? 0));
  assert.ok((usdOf(byWorker, "Lambda time") ?? 0) < (usdOf(configOf(), "Lambda time") ?? 0));
});

test("a secret of Secrets Manager costs once, wherever it is named; parameters and variables nothing", () => {
  const route = (name: string, url: object): object => ({ name, type: "slack", url });
  const routes = [
    route("a", { secretsManager: "mail/slack" }),
    route("b", { secretsManager: "mail/slack" }),
    route("c", { ssm: "/mail/slack" }),
    route("d", { env: "SLACK_URL" }),
  ];
  assert.equal(usdOf(configOf({ onCall: { routes } }), "Secrets Manager"), 0.4);
  assert.equal(usdOf(configOf({ onCall: { routes: routes.slice(2) } }), "Secrets Manager"), null);
});

/** By hand: 10,000 sends a month, of which each is two calls of five seconds in all; fifteen workers' polls beside. */
test("sends add what they are, and nothing where none are taken", () => {
  const rates = { default: { concurrency: 5 }, gmail: { concurrency: 10 } };
  const [none, sending] = [configOf(), configOf({ sends: { rates } })];
  const more = (item: string, of = sending): number => (usdOf(of, item) ?? 0) - (usdOf(none, item) ?? 0);
  for (const [item, usd] of Object.entries({
    "CloudWatch metrics": 5 * 0.3,
    "CloudWatch alarms": 2 * 0.1,
    "CloudWatch PutMetricData": 10 * 0.01,
    "Lambda calls": 0.02 * 0.2,
    "Lambda time": 50_000 * 0.0000133334,
    "SQS requests": ((657_000 + 60_000) / 1e6) * 0.4,
    "SNS results of sends": 0.005,
    "DynamoDB writes": 1.2 * 0.625,
    "DynamoDB reads": 0.6 * 0.125,
    "KMS requests": 2 * 0.03,
    "Secrets Manager": 0,
  })) {
    assert.ok(Math.abs(more(item) - usd) < 1e-4, `${item}: ${more(item)} is not ${usd}`);
  }
  assert.equal(usdOf(none, "SNS results of sends"), null);
  const key = { secretsManager: "mail/dkim" };
  const signing = configOf({ sends: { dkim: [{ domain: "sender.example", selector: "s1", key }] } });
  assert.equal(more("Secrets Manager", signing), 0.4);
  // A worker's sends are no calls of a function, and each of its pollers asks for ever.
  const [probing, byWorker] = [configOf({ egresses: [worker] }), configOf({ egresses: [worker], sends: { rates } })];
  assert.equal(usdOf(byWorker, "Lambda time"), usdOf(probing, "Lambda time"));
  const polls = (usdOf(byWorker, "SQS requests") ?? 0) - (usdOf(probing, "SQS requests") ?? 0);
  assert.ok(Math.abs(polls - (((5 + 15) * 131_400 + 60_000) / 1e6) * 0.4) < 1e-4, String(polls));
});

test("the text has every row, the total, the prices' date, and that no free tier is taken off", () => {
  const estimate = estimateOf(configOf());
  const text = estimateText(estimate);
  for (const { item } of estimate.rows) assert.ok(text.includes(item), item);
  assert.match(text, new RegExp(`\\$${estimate.totalUsd.toFixed(2).replace(".", "\\.")}$`));
  assert.ok(text.includes(estimate.date) && text.includes("no free tier"));
});

interface Budget {
  readonly Budget: { readonly BudgetLimit: object; readonly CostFilters: object };
  readonly NotificationsWithSubscribers: readonly object[];
}

function budgetOf(config: Config): Budget | null {
  const stack = new Stack(new App(), "Test");
  const { node } = new CostBudget(stack, "Budget", config);
  if (node.children.length === 0) return null;
  const [found] = Object.values(Template.fromStack(stack).findResources("AWS::Budgets::Budget"));
  return (found?.["Properties"] as Budget | undefined) ?? null;
}

test("the budget is twice the estimate, of what bears the tag, and told three times to everybody", () => {
  const config = configOf({ aws: { emails: ["one@example.com", "two@example.com"] } });
  const budget = budgetOf(config);
  const limit = { Amount: Math.ceil(2 * estimateOf(config).totalUsd), Unit: "USD" };
  assert.deepEqual(budget?.Budget.BudgetLimit, limit);
  const { Service, Region } = budget.Budget.CostFilters as {
    readonly Service: readonly string[];
    readonly Region: unknown;
  };
  assert.ok(Service.includes("AmazonCloudWatch"), "metrics bear no tags, and are the most of it");
  assert.deepEqual(Region, [{ Ref: "AWS::Region" }]);
  const told = [
    ["ACTUAL", 80],
    ["ACTUAL", 100],
    ["FORECASTED", 100],
  ].map(([NotificationType, Threshold]) => ({
    Notification: { NotificationType, Threshold, ComparisonOperator: "GREATER_THAN", ThresholdType: "PERCENTAGE" },
    Subscribers: ["one@example.com", "two@example.com"].map((Address) => ({ SubscriptionType: "EMAIL", Address })),
  }));
  assert.deepEqual(budget.NotificationsWithSubscribers, told);
});

test("a budget that is set is taken, and with nobody to tell there is none", () => {
  const emails = ["one@example.com"];
  const set = budgetOf(configOf({ aws: { emails, budgetUsd: 12.5 } }));
  assert.deepEqual(set?.Budget.BudgetLimit, { Amount: 12.5, Unit: "USD" });
  assert.equal(budgetOf(configOf()), null);
});
