// The page as Lambda calls it: for each alarm's change, by CloudWatch or by SNS. What it does, page.ts says.
import { openClients } from "../clients.ts";
import { openSecrets } from "../secrets.ts";
import { config, log, madeOnce, now } from "./setting.ts";

export const handler = madeOnce(async () => {
  const { createPage } = await import("../page.ts");
  const clients = await openClients(["dynamo", "sns"]);
  return createPage({ config, clients, now, secrets: openSecrets(process.env, { log }), log });
});
