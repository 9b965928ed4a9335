// The system in AWS: one stack a region, put together of its capabilities as infra/local/stack.ts does it on one machine.
// What each of them is made of, its own file knows.
import { Stack, Tags, type StackProps } from "aws-cdk-lib";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Code } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { queueNames, runnersOf, type Runner } from "../../functions/queue/queues.ts";
import { buryRequests, putMetrics, readSecrets, secretsFor, sendRequests, useTable } from "./access.ts";
import { Alarms } from "./alarms.ts";
import { CostBudget } from "./cost-budget.ts";
import { Dashboard } from "./dashboard.ts";
import { Mutes } from "./mutes.ts";
import { Network } from "./network.ts";
import { OnCall } from "./on-call.ts";
import { SavedQueries } from "./queries.ts";
import { RequestQueue } from "./request-queue.ts";
import { StateTable } from "./state-table.ts";
import { Timetable } from "./timetable.ts";
import { WorkerAccess } from "./worker-access.ts";

export interface SystemProps extends StackProps {
  readonly config: Config;
  /** functions/lambda, bundled, with this configuration beside it. */
  readonly code: Code;
}

/** By which the stack's costs can be told apart, where the account's owner makes it a cost allocation tag. */
const costTag = "delivery-probe";

export class System extends Stack {
  constructor(scope: Construct, { config, code, ...props }: SystemProps) {
    super(scope, config.name, {
      description: "delivery-probe: asks mail providers whether they take our mail, and pages in their own words",
      ...props,
    });
    new StateTable(this, "State", config);
    const network = networkOf(this, config);
    const onCall = new OnCall(this, "OnCall", { config, code });
    const alarms = new Alarms(config, [onCall.page.function.functionArn]);
    const { schedule } = new Timetable(this, "Timetable", { config, code, alarms });
    const probes = runnersOf(config).flatMap((runner) => {
      const queue = new RequestQueue(this, queueNames(config, runner).probe, { config, runner, alarms });
      if (runner !== "functions") return [];
      return [queue.readBy({ code, network, statements: statementsOf(this, config, runner) })];
    });
    for (const egress of config.egresses.filter(({ runner }) => runner === "worker")) {
      new WorkerAccess(this, `Worker-${egress.name}`, config, egress);
    }
    alarms.put(this, () => true);
    new Mutes(this, "Mutes", config);
    const functions = [schedule, ...probes, onCall.page];
    const logGroups = functions.map(({ logGroup }) => logGroup);
    new SavedQueries(this, "Queries", { config, logGroups });
    new Dashboard(this, "Dashboard", { config, functions: functions.map((each) => each.function), logGroups });
    new CostBudget(this, "Budget", config);
    Tags.of(this).add(costTag, config.name);
  }
}

function networkOf(scope: Construct, config: Config): Network | null {
  for (const { via } of config.egresses) {
    if (via.type === "vpc") return new Network(scope, "Network", config, via.allocation);
  }
  return null;
}

function statementsOf(scope: Construct, config: Config, runner: Runner): readonly PolicyStatement[] {
  return [
    useTable(scope, config, "probe"),
    putMetrics(),
    sendRequests(scope, config),
    buryRequests(scope, config, runner),
    ...readSecrets(scope, secretsFor("functions", config), config.aws.secretKeys),
  ];
}
