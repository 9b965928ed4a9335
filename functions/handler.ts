// What every handler is given: the configuration, the services, the time and the log. A handler is made of these once,
// and then called for each event, in Lambda, in a worker and on one machine alike.
import type { Clients } from "./clients.ts";
import type { Config } from "./config/config.ts";
import type { Runner } from "./queue/queues.ts";
import type { Log } from "./report/log.ts";
import type { Secrets } from "./secrets.ts";
import type { Table } from "./state/table.ts";

export interface HandlerDeps {
  readonly config: Config;
  readonly clients: Pick<Clients, "sqs" | "cloudWatch" | "dynamo">;
  /** The clock of schedules, alarms and rows. Sessions and leases are in the machine's own time. */
  readonly now: () => Date;
  readonly log: Log;
}

/** Of those who read a runner's queues. */
export interface RunnerDeps extends HandlerDeps {
  /** Whose queue this is. A record for another egress is sent on: here it would judge another IP. */
  readonly runner: Runner;
  /** What reads the egresses' secrets, and the keys that messages are signed with. */
  readonly secrets: Secrets;
  /** The DNS server to ask, `ip[:port]`; null: the configuration's, or the system's. */
  readonly resolver: string | null;
  /** Whether CloudWatch makes metrics of what is logged, as in Lambda: figures that it does not take go there. */
  readonly logsBecomeMetrics: boolean;
}

/** The DNS server to ask; null: the system's. */
export function resolverOf({ resolver, config }: Pick<RunnerDeps, "resolver" | "config">): string | null {
  return resolver ?? config.resolver;
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
