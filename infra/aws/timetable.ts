// What calls the schedule: EventBridge Scheduler, every five minutes, with the time that the call was meant for. What it
// could not call, and calls that the function failed, are dead letters. What is due when, functions/queue/due.ts knows.
import { Duration, Stack, type CfnElement } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Code } from "aws-cdk-lib/aws-lambda";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import {
  ContextAttribute,
  Schedule,
  ScheduleExpression,
  ScheduleTargetInput,
  TimeWindow,
} from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Construct } from "constructs";
import type { Config } from "../../functions/config/config.ts";
import { slotMs } from "../../functions/queue/due.ts";
import { scheduleDeadName } from "../../functions/queue/queues.ts";
import { accept } from "./accepted.ts";
import { putMetrics, sendRequests, useTable } from "./access.ts";
import type { Alarms } from "./alarms.ts";
import { OwnFunction } from "./own-function.ts";
import { deadLetters } from "./request-queue.ts";

export interface TimetableProps {
  readonly config: Config;
  readonly code: Code;
  readonly alarms: Alarms;
}

const slotMinutes = slotMs / 60_000;
/** So that not everybody's functions start at :00. */
const flexibleMinutes = 1;

export class Timetable extends Construct {
  readonly schedule: OwnFunction;

  constructor(scope: Construct, id: string, { config, code, alarms }: TimetableProps) {
    super(scope, id);
    const name = scheduleDeadName(config);
    const dead = deadLetters(this, "Dead", name);
    const use = config.sends === null ? "schedule" : "sweep";
    const statements = [useTable(this, config, use), putMetrics(), sendRequests(this, config)];
    this.schedule = new OwnFunction(this, "Schedule", { config, name: "schedule", code, statements, network: null });
    const role = new Role(this, "Caller", {
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    });
    const age = Duration.minutes(slotMinutes);
    this.schedule.function.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: age,
      onFailure: new SqsDestination(dead),
    });
    new Schedule(this, "Calls", {
      scheduleName: `${config.name}-schedule`,
      description: "Calls the schedule for each slot",
      schedule: ScheduleExpression.expression(`cron(0/${slotMinutes} * * * ? *)`),
      timeWindow: TimeWindow.flexible(Duration.minutes(flexibleMinutes)),
      target: new LambdaInvoke(this.schedule.function, {
        input: ScheduleTargetInput.fromObject({ slot: ContextAttribute.scheduledTime }),
        role,
        deadLetterQueue: dead,
        // Later the next slot has come, and the same requests have the same ids.
        maxEventAge: age,
        retryAttempts: 3,
      }),
    });
    accept(role, [
      {
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${idOf(this.schedule.function)}.Arn>:*]`,
        reason: "Of this one function: CDK's grant names all of its versions.",
      },
    ]);
    alarms.put(this, ({ queue }) => queue === name);
  }
}

/** As the template calls it. */
function idOf(resource: OwnFunction["function"]): string {
  return Stack.of(resource).getLogicalId(resource.node.defaultChild as CfnElement);
}
