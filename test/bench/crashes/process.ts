// One send in a thread of its own, which dies at the k-th continuation of a promise: its first record, then, half an hour
// later by the clock of schedules, the message that wakes it. Every await there is ends in such a continuation, ours, the
// session's and the SDK's, so that between two of them lies all that a process can be killed in. What becomes of the send
// then is others' to see.
import process from "node:process";
import { promiseHooks } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import { allClients, closeClients, openClients, whenWanted, type Endpoints } from "../../../functions/clients.ts";
import type { Config } from "../../../functions/config/config.ts";
import { openSecrets } from "../../../functions/secrets.ts";
import { createSend } from "../../../functions/send.ts";
import { recordOf } from "../../support/services.ts";

export interface Crash {
  /** Which continuation is its last; null: none. */
  readonly at: number | null;
  readonly endpoints: Endpoints;
  readonly config: Config;
  /** The messages that it gets, each some milliseconds later than the one before. */
  readonly bodies: readonly string[];
  readonly beganMs: number;
  readonly apartMs: number;
}

/** What the thread tells before it dies. */
export type Said =
  /** The handler is done with so many of the messages: they are acknowledged. */
  | { readonly kind: "acknowledged"; readonly count: number; readonly continuations: number }
  | { readonly kind: "fault"; readonly text: string };

const { at, endpoints, config, bodies, beganMs, apartMs } = workerData as Crash;
if (parentPort === null) throw new Error("a thread of the bench of crashes");
const parent = parentPort;
const say = (said: Said): void => parent.postMessage(said, []);

let lateMs = 0;
const clients = await openClients(allClients, endpoints);
const log: Parameters<typeof openSecrets>[1]["log"] = (entry) => {
  if (entry.level === "error") say({ kind: "fault", text: JSON.stringify(entry) });
};
const send = createSend({
  config,
  clients: { ...clients, s3: whenWanted(endpoints) },
  now: () => new Date(beganMs + lateMs),
  log,
  runner: "functions",
  secrets: openSecrets({}, { log }),
  resolver: null,
  logsBecomeMetrics: false,
});

let continuations = 0;
const stop = promiseHooks.onBefore(() => {
  continuations += 1;
  if (continuations !== at) return;
  // It ends the thread at once, as SIGKILL does a process: sockets are closed by the system, and nothing else is done.
  process.exit();
});
for (const [index, body] of bodies.entries()) {
  const untilMs = Date.now() + 60_000;
  const context = { getRemainingTimeInMillis: (): number => untilMs - Date.now() };
  const { batchItemFailures } = await send({ Records: [recordOf(body)] }, context);
  if (batchItemFailures.length === 0) say({ kind: "acknowledged", count: index + 1, continuations });
  lateMs += apartMs;
}
stop();
closeClients(clients);
