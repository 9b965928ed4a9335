// The embedded services of the local stack, and the lab: started on the ports of the last run where those are free,
// and stopped in the other order. It knows none of our handlers.
import { createServer } from "node:net";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import type { AlarmChange } from "./cloudwatch/alarm-change.ts";
import { startCloudWatch, type CloudWatch } from "./cloudwatch/server.ts";
import type { Endpoints, Started } from "./endpoints.ts";
import { startKeptClock } from "./kept-clock.ts";
import { startLab, type Lab } from "./mail/lab.ts";
import { labDomain } from "./local-config.ts";
import { startNameServer, type OwnNames } from "./name-server.ts";
import { accountId, region, startQueues, type QueueService } from "./queues.ts";
import { startSink, type Received, type Sink } from "./sink.ts";
import { startTable } from "./table.ts";

export interface ServicesOptions {
  /** A folder that keeps everything; null: memory. */
  readonly state: string | null;
  /** Of the clock. */
  readonly speed: number;
  /** What our own records in DNS say. */
  readonly own: OwnNames;
  /** Of the last run in this folder. */
  readonly last: Endpoints | null;
  /** An alarm's action. It may be called before all has started: alarms go on where they were. */
  readonly act: (arn: string, change: AlarmChange) => Promise<void>;
  readonly onPage: (received: Received) => void;
}

export interface Services {
  readonly clock: Clock;
  readonly queues: QueueService;
  readonly lab: Lab;
  readonly sink: Sink;
  readonly cloudWatch: CloudWatch;
  readonly started: Started;
}

/** @throws Error where one cannot start; those that did are in `resources` */
export async function startServices(options: ServicesOptions, resources: AsyncDisposableStack): Promise<Services> {
  const { state, speed, own, last, act, onPage } = options;
  const within = (name: string): string | null => (state === null ? null : join(state, name));
  const { clock } = resources.use(await startKeptClock(speed, within("clock.json")));
  const table = resources.use(await startTable(await freePort(last?.dynamodb), within("table")));
  const queues = resources.use(await startQueues(await freePort(last?.sqs), within("queues")));
  const lab = resources.use(await startLab(undefined, { clients: "anybody", ports: await freePorts(last?.lab ?? {}) }));
  const domains = lab.hosts.map(({ dialog }) => labDomain(dialog.provider));
  const names = resources.use(await startNameServer(domains, own));
  const sink = resources.use(await startSink({ port: await freePort(last?.sink), onPage }));
  const port = await freePort(last?.cloudwatch);
  const cloudWatch = resources.use(
    await startCloudWatch({ clock, act, state: within("cloudwatch.json"), port, region, accountId }),
  );
  return {
    clock,
    queues,
    lab,
    sink,
    cloudWatch,
    started: {
      sqs: queues.url,
      dynamodb: table.url,
      cloudwatch: cloudWatch.url,
      sink: sink.url,
      lab: Object.fromEntries(lab.hosts.map(({ dialog, host }) => [dialog.provider, `${host.address}:${host.port}`])),
      resolver: names.address,
    },
  };
}

async function freePorts(last: Readonly<Record<string, string>>): Promise<Readonly<Record<string, number>>> {
  const ports = Object.entries(last).map(async ([name, host]) => [name, await freePort(`tcp://${host}`)] as const);
  return Object.fromEntries(await Promise.all(ports));
}

/** The port of a URL of the last run, where nobody else has it now; else 0, for any. */
async function freePort(last: string | undefined): Promise<number> {
  if (last === undefined) return 0;
  const port = Number(new URL(last).port);
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(0));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(port)));
  });
}
