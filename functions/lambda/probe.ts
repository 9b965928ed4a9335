// The probe as Lambda calls it: for each batch of the functions' queue. What it does, probe.ts says.
import { openClients } from "../clients.ts";
import { openSecrets } from "../secrets.ts";
import { config, log, madeOnce, now } from "./setting.ts";

export const handler = madeOnce(async () => {
  const { createProbe } = await import("../probe.ts");
  const clients = await openClients(["sqs", "cloudWatch", "dynamo"]);
  const secrets = openSecrets(process.env, { log });
  return createProbe({
    config,
    clients,
    now,
    log,
    runner: "functions",
    secrets,
    resolver: null,
    logsBecomeMetrics: true,
  });
});
