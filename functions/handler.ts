// What every handler is given: the configuration, the services, the time and the log. A handler is made of these once,
// and then called for each event, in Lambda, in a worker and on one machine alike.
import type { Clients } from "./clients.ts";
import type { Config } from "./config/config.ts";
import type { Log } from "./report/log.ts";
import type { Table } from "./state/table.ts";

export interface HandlerDeps {
  readonly config: Config;
  readonly clients: Pick<Clients, "sqs" | "cloudWatch" | "dynamo">;
  /** The clock of schedules, alarms and rows. Sessions and leases are in the machine's own time. */
  readonly now: () => Date;
  readonly log: Log;
}

/** Of Lambda's context what we look at. */
export interface Context {
  readonly getRemainingTimeInMillis: () => number;
}

/** Over after so many milliseconds, however they were reckoned: a timer takes whole ones, above zero. */
export function overAfter(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.max(1, Math.trunc(ms)));
}

/** The table of a configuration. */
export function tableOf({
  config,
  clients,
  now,
}: Pick<HandlerDeps, "config" | "now"> & { readonly clients: Pick<Clients, "dynamo"> }): Table {
  return { client: clients.dynamo, name: config.name, days: config.history.days, now };
}
