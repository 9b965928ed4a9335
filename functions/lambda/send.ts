// The send as Lambda calls it: for each record of the functions' queue of sends. What it does, send.ts says.
import { openClients, whenWanted } from "../clients.ts";
import { openSecrets } from "../secrets.ts";
import { config, log, madeOnce, now } from "./setting.ts";

export const handler = madeOnce(async () => {
  const { createSend } = await import("../send.ts");
  const clients = await openClients(["sqs", "sns", "cloudWatch", "dynamo"]);
  const secrets = openSecrets(process.env, { log });
  return createSend({
    config,
    clients: { ...clients, s3: whenWanted(null) },
    now,
    log,
    runner: "functions",
    secrets,
    resolver: null,
    logsBecomeMetrics: true,
  });
});
