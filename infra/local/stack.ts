// The whole system on one machine: embedded services, the lab, and the very handlers that go to AWS, put together as the
// template puts them together there. It decides nothing of its own, and judges no reply.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { closeClients, whenWanted, type Clients } from "../../functions/clients.ts";
import type { Config } from "../../functions/config/config.ts";
import { createPage } from "../../functions/page.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import type { Log } from "../../functions/report/log.ts";
import { scheduleDeadName } from "../../functions/queue/queues.ts";
import { createSchedule, type ScheduleResult } from "../../functions/schedule.ts";
import { openSecrets } from "../../functions/secrets.ts";
import { tableDefinition } from "../../functions/state/table.ts";
import { putAlarms } from "./alarm-commands.ts";
import { bucketOf, setUpBucket } from "./bucket.ts";
import type { Clock } from "./clock.ts";
import type { AlarmChange } from "./cloudwatch/alarm-change.ts";
import type { CloudWatch } from "./cloudwatch/server.ts";
import { embeddedClients } from "./embedded-clients.ts";
import { endpointsOf, StackFault, takeLastEndpoints, topicsOf, writeEndpoints, type Endpoints } from "./endpoints.ts";
import { Invocations } from "./invocations.ts";
import type { Lab } from "./mail/lab.ts";
import { localConfig, ownNames } from "./local-config.ts";
import { PageFunction } from "./page-function.ts";
import { startQueueMetrics } from "./queue-metrics.ts";
import { queuePairs, readQueues, setUpQueues } from "./queue-setup.ts";
import { accountId, region } from "./queues.ts";
import { startRunners } from "./runners.ts";
import { callSchedule } from "./schedule-function.ts";
import { slotAt, startScheduler } from "./scheduler.ts";
import { startServices, type Services } from "./services.ts";
import type { Received, Sink } from "./sink.ts";
import { setUpTable } from "./table.ts";

export interface StackOptions {
  readonly config: Config;
  /** A folder that keeps everything between runs, over a SIGKILL too; null: memory. */
  readonly state: string | null;
  /** How many times as fast as the machine's the clock of schedules, alarms and delays runs. */
  readonly speed: number;
  /** Providers of the lab that refuse from the start; the others are open hosts. */
  readonly blocked: readonly string[];
  /** Where secrets of the configuration are looked up. */
  readonly env: NodeJS.ProcessEnv;
  /** Schedule, work and page; false: only the services. */
  readonly run: boolean;
}

export type StackEvent =
  | { readonly kind: "log"; readonly entry: Parameters<Log>[0] }
  | { readonly kind: "alarm"; readonly change: AlarmChange }
  | { readonly kind: "page"; readonly received: Received }
  | { readonly kind: "tick"; readonly slot: string; readonly result: ScheduleResult };

export interface Stack extends AsyncDisposable {
  /** In effect: hosts are the lab's, routes the sink's. */
  readonly config: Config;
  /** What `DIR/endpoints.json` holds. */
  readonly endpoints: Endpoints;
  readonly clients: Clients;
  readonly clock: Clock;
  readonly cloudWatch: CloudWatch;
  readonly sink: Sink;
  readonly lab: Lab;
  /** The lab's, in the order of their names. */
  readonly providers: readonly { readonly name: string; readonly blocked: boolean }[];
  setBlocked(provider: string, blocked: boolean): Promise<void>;
  onEvent(listener: (event: StackEvent) => void): void;
  /** One call of the schedule, for the slot that the clock is in unless another is given (RFC 3339). */
  tick(slot?: string): Promise<ScheduleResult>;
  /** Resolves when every queue that we read is empty, and nothing is in flight. Sends may still wait in the table. */
  idle(): Promise<void>;
}

/**
 * Starts everything, on loopback alone. With a folder, its `endpoints.json` is there when all is ready.
 * @throws StackFault for a provider that the lab does not have and a folder in use
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  await using resources = new AsyncDisposableStack();
  const stack = await startParts(options, resources);
  const all = resources.move();
  return Object.assign(stack, { [Symbol.asyncDispose]: () => all.disposeAsync() });
}

type Parts = Omit<Stack, typeof Symbol.asyncDispose>;

async function startParts(options: StackOptions, resources: AsyncDisposableStack): Promise<Parts> {
  const { state, speed } = options;
  const listeners = new Set<(event: StackEvent) => void>();
  const tell = (event: StackEvent): void => listeners.forEach((listener) => listener(event));
  const log: Log = (entry) => tell({ kind: "log", entry });
  if (state !== null) await mkdir(state, { recursive: true });

  const ready = Promise.withResolvers<PageFunction>();
  ready.promise.catch(() => {});
  let clients: Clients | null = null;
  resources.defer(() => void (clients === null || closeClients(clients)));
  const services = await startServices(
    {
      state,
      speed,
      own: ownNames(options.config),
      last: state === null ? null : await takeLastEndpoints(state),
      act: async (arn, change) => await (await ready.promise).act(arn, change),
      onPage: (received) => tell({ kind: "page", received }),
    },
    resources,
  );
  resources.defer(() => ready.reject(new Error("the local stack did not start")));
  const { clock, cloudWatch, sink, started } = services;
  cloudWatch.onChange((change) => tell({ kind: "alarm", change }));
  const providers = await blockSome(services.lab, options.blocked);
  clients = await embeddedClients(started, speed);
  const s3 = whenWanted({ s3: started.sqs });
  const config = localConfig(options.config, {
    ...started,
    topics: topicsOf(options.config),
    bucket: bucketOf(options.config),
  });
  const endpoints = endpointsOf(started, config, state === null ? null : join(state, "config.json"));
  const deps = { config, clients, now: () => new Date(clock.now()), log };
  const secrets = openSecrets(options.env, { log });

  await setUpTable(tableDefinition(config.name), clients.dynamo);
  await setUpQueues(config, clients);
  await setUpBucket(config, await s3());
  const pageArn = `arn:aws:lambda:${region}:${accountId}:function:${config.name}-page`;
  await putAlarms(alarmsOf(config), `${config.name}-`, [pageArn, endpoints.topics.pages], clients.cloudWatch);

  const invocations = new Invocations(clock, log);
  const pageFunction = new PageFunction({
    page: createPage({ ...deps, secrets }),
    invocations,
    sns: clients.sns,
    arn: pageArn,
    failureTopic: endpoints.topics.oncall,
    log,
  });
  const schedule = {
    schedule: createSchedule(deps),
    name: `${config.name}-schedule`,
    invocations,
    sqs: clients.sqs,
    deadUrl: `${started.sqs}/${accountId}/${scheduleDeadName(config)}`,
    log,
  };
  const tick = async (slot = slotAt(clock.now())): Promise<ScheduleResult> => {
    const result = await callSchedule(slot, schedule);
    tell({ kind: "tick", slot, result });
    return result;
  };
  if (options.run) {
    resources.use(await startRunners({ ...deps, clients: { ...clients, s3 }, secrets, started, pageFunction }));
    const scheduler = startScheduler(clock, tick);
    resources.defer(() => scheduler.stop());
  }
  resources.defer(() => invocations.stop());
  startMetrics(config, services, speed, resources);
  ready.resolve(pageFunction);
  if (state !== null) await writeState(state, config, endpoints);

  return {
    config,
    endpoints,
    clients,
    clock,
    cloudWatch,
    sink,
    lab: services.lab,
    get providers() {
      return [...providers].map(([name, blocked]) => ({ name, blocked }));
    },
    setBlocked: async (provider, blocked) => {
      await services.lab.setBlocked(provider, blocked);
      providers.set(provider, blocked);
    },
    onEvent: (listener) => void listeners.add(listener),
    tick,
    idle: async () => await idle(config, services, invocations),
  };
}

/** Who refuses, by name. */
async function blockSome(lab: Lab, blocked: readonly string[]): Promise<Map<string, boolean>> {
  const names = lab.hosts.map(({ dialog }) => dialog.provider);
  const unknown = blocked.find((each) => !names.includes(each));
  if (unknown !== undefined) throw new StackFault(`the lab has no provider ${unknown}; it has ${names.join(", ")}`);
  const providers = new Map(names.map((name) => [name, blocked.includes(name)]));
  for (const [name, isBlocked] of providers) await lab.setBlocked(name, isBlocked);
  return providers;
}

function startMetrics(config: Config, services: Services, speed: number, resources: AsyncDisposableStack): void {
  const { queues, cloudWatch, clock } = services;
  const metrics = startQueueMetrics({
    queues: [...queuePairs(config).flatMap(({ queue, dead }) => [queue, dead]), scheduleDeadName(config)],
    contents: (queue) => queues.contents(queue),
    publish: (namespace, data) => cloudWatch.publish(namespace, data),
    clock,
    speed,
  });
  resources.defer(() => metrics.stop());
}

/** The endpoints last: they say that the rest is there. */
async function writeState(folder: string, config: Config, endpoints: Endpoints): Promise<void> {
  const file = join(folder, "config.json");
  await writeFile(`${file}.tmp`, `${JSON.stringify(config, null, 2)}\n`);
  await rename(`${file}.tmp`, file);
  await writeEndpoints(folder, endpoints);
}

/** A message that is passed on is nowhere for a moment: quiet is what is quiet twice. */
async function idle(config: Config, { queues }: Services, invocations: Invocations): Promise<void> {
  const names = readQueues(config);
  for (let quiet = 0; quiet < 2; await sleep(50)) {
    const held = names.map((name) => queues.contents(name));
    const isQuiet = invocations.pending === 0 && held.every((each) => each === null || each.oldestMs === null);
    quiet = isQuiet ? quiet + 1 : 0;
  }
}
