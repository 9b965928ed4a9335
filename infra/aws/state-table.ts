// The table in AWS: the very definition that the local stack has, and what a production table has besides. It knows no row.
import { CfnTable, type CfnTableProps } from "aws-cdk-lib/aws-dynamodb";
import { RemovalPolicy } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { tableDefinition } from "../../functions/state/table.ts";
import { propertiesOf } from "./properties.ts";

export class StateTable extends Construct {
  constructor(scope: Construct, id: string, { name }: Config) {
    super(scope, id);
    const table = new CfnTable(this, "Table", {
      ...(propertiesOf(tableDefinition(name)) as unknown as CfnTableProps),
      timeToLiveSpecification: { attributeName: "expiresAt", enabled: true },
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtectionEnabled: true,
    });
    // What was said, by whom and when, outlives the stack.
    table.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}
