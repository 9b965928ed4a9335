// The schedule as Lambda calls it: for each slot of EventBridge Scheduler. What it does, schedule.ts says.
import { openClients } from "../clients.ts";
import { config, log, madeOnce, now } from "./setting.ts";

export const handler = madeOnce(async () => {
  const { createSchedule } = await import("../schedule.ts");
  const clients = await openClients(["sqs", "cloudWatch", "dynamo"]);
  return createSchedule({ config, clients, now, log });
});
