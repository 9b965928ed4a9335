// Those who read the queues of the local stack, in its own process: the functions, a worker for each worker egress, and
// the page function for its topic. Sends are read where the configuration has them. It does not know what they do with a
// message.
import type { SQSClient } from "@aws-sdk/client-sqs";
import { openPolling } from "../../functions/clients.ts";
import { sendConcurrency } from "../../functions/config/send-concurrency.ts";
import { createProbe } from "../../functions/probe.ts";
import { queueNames, runnersOf } from "../../functions/queue/queues.ts";
import { createSend } from "../../functions/send.ts";
import type { SendDeps } from "../../functions/send/runs.ts";
import { startWorker, type Worker, type WorkerOptions } from "../../functions/worker.ts";
import type { Started } from "./endpoints.ts";
import type { PageFunction } from "./page-function.ts";
import { pageFeedName, visibilityS } from "./queue-setup.ts";
import { accountId } from "./queues.ts";

export interface RunnersOptions extends Omit<SendDeps, "runner" | "resolver" | "logsBecomeMetrics"> {
  readonly started: Started;
  readonly pageFunction: PageFunction;
}

/** Batches at a time. */
const pollers = 2;

export async function startRunners(options: RunnersOptions): Promise<AsyncDisposable> {
  const { config, log, started, pageFunction } = options;
  // Long polls hold their connections for longer than any other call may take.
  const sqs = await openPolling({ sqs: started.sqs });
  const read = (queue: string, handler: WorkerOptions["handler"], more: Partial<WorkerOptions> = {}): Worker => {
    const queueUrl = `${started.sqs}/${accountId}/${queue}`;
    return startWorker({ sqs, queueUrl, handler, visibilityS, pollers, batchSize: 10, log, ...more });
  };
  const workers = runnersOf(config).flatMap((runner) => {
    const deps = { ...options, runner, resolver: started.resolver, logsBecomeMetrics: false };
    const names = queueNames(config, runner);
    const probes = read(names.probe, createProbe(deps));
    if (config.sends === null) return [probes];
    // As Lambda has it: a send may take long, and holds back none but itself.
    const one = { batchSize: 1, pollers: sendConcurrency(config.sends) };
    return [probes, read(names.send, createSend(deps), one)];
  });
  workers.push(read(pageFeedName(config), (event) => pageFunction.feed(event)));
  return { [Symbol.asyncDispose]: async () => await stop(workers, sqs) };
}

async function stop(workers: readonly Worker[], sqs: SQSClient): Promise<void> {
  await Promise.all(workers.map((each) => each.stop()));
  sqs.destroy();
}
