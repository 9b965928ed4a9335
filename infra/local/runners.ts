// Those who read the queues of the local stack, in its own process: the functions, a worker for each worker egress, and
// the page function for its topic. It does not know what they do with a message.
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { HandlerDeps } from "../../functions/handler.ts";
import { openPolling } from "../../functions/clients.ts";
import { createProbe } from "../../functions/probe.ts";
import { queueNames, runnersOf } from "../../functions/queue/queues.ts";
import type { Secrets } from "../../functions/secrets.ts";
import { startWorker, type WorkerOptions } from "../../functions/worker.ts";
import type { Started } from "./endpoints.ts";
import type { PageFunction } from "./page-function.ts";
import { pageFeedName, visibilityS } from "./queue-setup.ts";
import { accountId } from "./queues.ts";

export interface RunnersOptions extends HandlerDeps {
  readonly secrets: Secrets;
  readonly started: Started;
  readonly pageFunction: PageFunction;
}

/** Batches at a time. */
const pollers = 2;

export async function startRunners(options: RunnersOptions): Promise<AsyncDisposable> {
  const { config, log, started, pageFunction } = options;
  // Long polls hold their connections for longer than any other call may take.
  const sqs = await openPolling({ sqs: started.sqs });
  const read = (queue: string, handler: WorkerOptions["handler"]): ReturnType<typeof startWorker> =>
    startWorker({ sqs, queueUrl: `${started.sqs}/${accountId}/${queue}`, handler, visibilityS, pollers, log });
  const workers = runnersOf(config).map((runner) => {
    const probe = createProbe({
      ...options,
      runner,
      resolver: started.resolver,
      logsBecomeMetrics: false,
    });
    return read(queueNames(config, runner).probe, probe);
  });
  workers.push(read(pageFeedName(config), (event) => pageFunction.feed(event)));
  return { [Symbol.asyncDispose]: async () => await stop(workers, sqs) };
}

async function stop(workers: readonly { stop: () => Promise<void> }[], sqs: SQSClient): Promise<void> {
  await Promise.all(workers.map((each) => each.stop()));
  sqs.destroy();
}
