// The system in AWS: one stack a region, put together of its capabilities as infra/local/stack.ts does it on one machine.
// What each of them is made of, its own file knows.
import { CfnOutput, Stack, Tags, type StackProps } from "aws-cdk-lib";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Code } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { homeOf, queueNames, runnersOf } from "../../functions/queue/queues.ts";
import { accept } from "./accepted.ts";
import {
  buryRequests,
  kindsOf,
  objectFindings,
  publishResults,
  putMetrics,
  readSecrets,
  secretsFor,
  sendRequests,
  useObjects,
  useTable,
  type QueueKind,
} from "./access.ts";
import { Alarms } from "./alarms.ts";
import { CostBudget } from "./cost-budget.ts";
import { Dashboard } from "./dashboard.ts";
import { Mutes } from "./mutes.ts";
import { Network } from "./network.ts";
import { OnCall } from "./on-call.ts";
import { SavedQueries } from "./queries.ts";
import { RequestQueue } from "./request-queue.ts";
import { Results } from "./results.ts";
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
    const queues = kindsOf(config).flatMap((kind) =>
      runnersOf(config).map((runner) => {
        const name = queueNames(config, runner)[kind];
        return { name, kind, runner, made: new RequestQueue(this, name, { config, runner, kind, alarms }) };
      }),
    );
    const readers = queues.flatMap(({ kind, runner, made }) =>
      runner === "functions" ? [made.readBy({ code, network, statements: statementsOf(this, config, kind) })] : [],
    );
    for (const { function: reader } of readers) {
      if (reader.role !== undefined) accept(reader.role, objectFindings(config));
    }
    if (config.sends !== null) {
      new Results(this, "Results", config);
      const home = homeOf({ kind: "send", egress: null }, config);
      for (const { name, made } of queues) if (name === home) outputEntrance(made);
    }
    for (const egress of config.egresses.filter(({ runner }) => runner === "worker")) {
      new WorkerAccess(this, `Worker-${egress.name}`, config, egress);
    }
    alarms.put(this, () => true);
    new Mutes(this, "Mutes", config);
    const functions = [schedule, ...readers, onCall.page];
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

/** Of the function that reads the functions' queue of a kind. */
function statementsOf(scope: Construct, config: Config, kind: QueueKind): readonly PolicyStatement[] {
  return [
    useTable(scope, config, kind),
    putMetrics(),
    sendRequests(scope, config),
    buryRequests(scope, config, "functions", [kind]),
    ...(kind === "send" ? [publishResults(scope, config), ...useObjects(scope, config)] : []),
    ...readSecrets(scope, secretsFor(kind, config), config.aws.secretKeys),
  ];
}

/** Any of the queues would do: what is another runner's is sent on. */
function outputEntrance({ queue }: RequestQueue): void {
  new CfnOutput(queue.stack, "SendQueue", { value: queue.queueUrl, description: "Where sends are asked for" });
}
