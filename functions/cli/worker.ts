// Runs the worker command: the handlers of probes and, where the configuration has them, of sends, each fed from its queue
// by long polling, until it is told to stop. For mail hosts, whose IP is the one that is judged, and for containers. What
// a request asks for it does not know.
import process from "node:process";
import type { Config } from "../config/config.ts";
import { openPolling, whenWanted } from "../clients.ts";
import { sendConcurrency } from "../config/send-concurrency.ts";
import { tableOf } from "../handler.ts";
import { runningNameOf, tellRunning } from "../note-running.ts";
import { createProbe } from "../probe.ts";
import { Queues, queueNames, type Runner } from "../queue/queues.ts";
import { consoleLog } from "../report/log.ts";
import { openSecrets } from "../secrets.ts";
import { createSend } from "../send.ts";
import { startWorker } from "../worker.ts";
import { nearest, quote, readOptions, UsageFault, type OptionSpec } from "./options.ts";
import { atPlace, placeOptions, type Place } from "./place.ts";

export const workerOptions: readonly OptionSpec[] = [
  {
    name: "egress",
    value: "name",
    many: false,
    about: "whose queue to work on; `functions` for that of the functions",
  },
  {
    name: "pollers",
    value: "number",
    many: false,
    about: "batches of ten probes that are worked on at a time; 2 by default",
  },
  {
    name: "sends",
    value: "number",
    many: false,
    about: "sends that are worked on at a time; what sends.rates come to by default",
  },
  {
    name: "visibility",
    value: "seconds",
    many: false,
    about: "how soon another takes up what a dead worker had; 60 by default",
  },
  ...placeOptions,
];

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * `worker --egress NAME`: runs until a signal, ends what it has begun, and returns 0. A second signal ends it at once:
 * what was begun then comes again, to another.
 * @throws UsageFault
 */
export async function workerCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, workerOptions);
  const [operand] = options.positionals;
  if (operand !== undefined) throw new UsageFault(`worker takes no argument; write --egress ${quote(operand)}`);
  const pollers = readNumber("--pollers", options.one("pollers") ?? "2", 1, 100);
  const given = options.one("sends");
  const sends = given === null ? null : readNumber("--sends", given, 1, 100);
  // SQS's own limit is twelve hours; the lease of the messages is renewed every third of it.
  const visibilityS = readNumber("--visibility", options.one("visibility") ?? "60", 3, 43_200);
  const egress = options.one("egress");
  return await atPlace(options, async (place) => {
    const runner = readRunner(egress, place.config);
    return await work(runner, { pollers, sends, visibilityS }, place);
  });
}

interface Limits {
  readonly pollers: number;
  /** Null: as many as the rates come to. */
  readonly sends: number | null;
  readonly visibilityS: number;
}

async function work(runner: Runner, { pollers, sends, visibilityS }: Limits, place: Place): Promise<number> {
  const { config, now } = place;
  const { probe, send } = queueNames(config, runner);
  const sendPollers = config.sends === null ? null : (sends ?? sendConcurrency(config.sends));
  const probes = { queueUrl: await urlOf(probe, place), pollers, batchSize: 10 };
  // One that takes long holds back none but itself.
  const sending =
    sendPollers === null ? null : { queueUrl: await urlOf(send, place), pollers: sendPollers, batchSize: 1 };
  const stopped = nextSignal();
  const log = consoleLog(now);
  const clients = { ...place.clients, s3: whenWanted(place.endpoints) };
  const secrets = openSecrets(process.env, { log });
  const deps = { config, clients, now, log, runner, resolver: place.resolver, secrets, logsBecomeMetrics: false };
  // It may be long until somebody asks it for something.
  await tellRunning(runningNameOf(runner), { config, now, log }, tableOf(place));
  const sqs = await openPolling(place.endpoints);
  const both = { sqs, visibilityS, log };
  const workers = [
    startWorker({ ...both, ...probes, handler: createProbe(deps) }),
    ...(sending === null ? [] : [startWorker({ ...both, ...sending, handler: createSend(deps) })]),
  ];
  const sent = sendPollers === null ? {} : { sendQueue: send, sends: sendPollers };
  log({ level: "info", event: "worker-started", queue: probe, pollers, visibilityS, ...sent });
  const signal = await stopped;
  log({ level: "info", event: "worker-stopping", queue: probe, signal });
  await Promise.all(workers.map((each) => each.stop()));
  sqs.destroy();
  log({ level: "info", event: "worker-stopped", queue: probe });
  return 0;
}

async function urlOf(queue: string, { clients, folder }: Place): Promise<string> {
  try {
    return await new Queues(clients.sqs).url(queue);
  } catch (error) {
    // "AWS.SimpleQueueService.NonExistentQueue" by the older protocol.
    if (!(error instanceof Error) || !/QueueDoesNotExist|NonExistentQueue/.test(error.name)) throw error;
    const where = folder === null ? "AWS_REGION" : "the folder of the stack";
    throw new UsageFault(`there is no queue ${quote(queue)}; look at ${where}, --egress and the configuration's name`);
  }
}

/** Once: what comes after it does what signals do. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      for (const each of signals) process.removeListener(each, onSignal);
      resolve(signal);
    };
    for (const each of signals) process.on(each, onSignal);
  });
}

function readNumber(name: string, text: string, from: number, to: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= from && number <= to) return number;
  throw new UsageFault(`${name} ${quote(text)} is no such number; write a whole one from ${from} to ${to}`);
}

function readRunner(name: string | null, { egresses }: Config): Runner {
  const workers = egresses.filter(({ runner }) => runner === "worker").map((each) => each.name);
  const known = [...workers, "functions"];
  if (name === null) throw new UsageFault(`whose queue is not given; write --egress ${known.join(" or --egress ")}`);
  if (workers.includes(name)) return { worker: name };
  if (name === "functions") return "functions";
  if (egresses.some((each) => each.name === name)) {
    throw new UsageFault(
      `the egress ${quote(name)} is the functions'; write --egress functions to work on their queue`,
    );
  }
  const meant = nearest(name, known) ?? `one of ${known.join(", ")}`;
  throw new UsageFault(`the configuration has no egress ${quote(name)}; write ${meant}`);
}
