// Kills a worker with SIGKILL at random moments while it works on requests, starts it again, and counts what became of
// each request: a verdict, a dead letter, or nothing, which must not be. `npm run kills -- [--requests N] [--kills N]`.
// The worker is the command line's, in a process of its own; queues, table, metrics and mail hosts are embedded.
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { checkConfig } from "../../functions/config/config.ts";
import { Queues, queueNames } from "../../functions/queue/queues.ts";
import { findVerdict, type StoredVerdict } from "../../functions/state/verdicts.ts";
import { startStack, type Stack } from "../../infra/local/stack.ts";

export interface KillsOptions {
  readonly requests: number;
  readonly kills: number;
  /** How the rest is awaited, after the last kill. */
  readonly limitMs: number;
}

export interface KillsResult {
  readonly verdicts: number;
  readonly dead: number;
  /** Ids of requests of which nothing came. */
  readonly lost: readonly string[];
  /** Messages that came again after their request's verdict, and were acknowledged without a session. */
  readonly duplicates: number;
  /** Sessions that the hosts saw beyond one for each verdict: begun by a worker that was killed in them. */
  readonly sessionsAgain: number;
  readonly elapsedMs: number;
}

const providers = ["accepting", "comcast", "gmail", "gmx", "icloud", "outlook", "yahoo"] as const;
const bin = fileURLToPath(new URL("../../functions/cli/bin.js", import.meta.url));
const example = new URL("../../infra/config/example.json", import.meta.url);

export async function runKills({ requests, kills, limitMs }: KillsOptions): Promise<KillsResult> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "kills-"));
  try {
    const { value: config } = checkConfig(JSON.parse(await readFile(example, "utf8")));
    if (config === null) throw new Error("the example is no configuration");
    await using stack = await startStack({
      config,
      state: folder,
      speed: 1,
      blocked: providers.slice(1),
      env: {},
      run: false,
    });
    const began = Date.now();
    const ids = Array.from({ length: requests }, (_, index) => `kill-${index}`);
    await sendAll(ids, stack);
    await killSome(kills, requests, folder);
    const worker = startWorker(folder);
    const untilMs = Date.now() + limitMs;
    let left = ids.length;
    while (left > 0 && Date.now() < untilMs) {
      await sleep(2_000);
      left = (await withoutEnd(ids, stack)).lost.length;
    }
    await stop(worker, "SIGTERM");
    const { lost, dead, verdicts, duplicates } = await withoutEnd(ids, stack);
    const sessions = await Promise.all(stack.lab.hosts.map(async ({ host }) => host.connections()));
    const sessionsAgain = sessions.reduce((sum, each) => sum + each, 0) - verdicts;
    return { verdicts, dead, lost, duplicates, sessionsAgain, elapsedMs: Date.now() - began };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sendAll(ids: readonly string[], { clients, config }: Stack): Promise<void> {
  const messages = ids.map((id, index) => {
    const recipient = `probe@${providers[index % providers.length]}.example`;
    return { body: JSON.stringify({ v: 1, kind: "probe", id, recipient, egress: "aws" }), attributes: {}, delayS: 0 };
  });
  await new Queues(clients.sqs).send(queueNames(config, "functions").probe, messages);
}

/** Each worker lives until a random number of verdicts, and then some milliseconds: in a session, a write, a call. */
async function killSome(kills: number, requests: number, folder: string): Promise<void> {
  for (let killed = 0; killed < kills; killed++) {
    const worker = startWorker(folder);
    const share = Math.max(1, Math.floor((0.8 * requests) / kills));
    let verdicts = Math.floor(Math.random() * share);
    const enough = Promise.withResolvers<void>();
    worker.stdout?.on("data", (chunk: Buffer) => {
      verdicts -= chunk.toString().split('"event":"verdict"').length - 1;
      if (verdicts <= 0) enough.resolve();
    });
    // One that waits for the leases of the dead is killed as well.
    await Promise.race([enough.promise, sleep(12_000)]);
    await sleep(Math.random() * 60);
    await stop(worker, "SIGKILL");
  }
}

function startWorker(folder: string): ChildProcess {
  const args = [bin, "worker", "--egress", "functions", "--state", folder, "--visibility", "3", "--pollers", "3"];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

async function stop(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(worker, "exit");
  worker.stdout?.resume();
  worker.kill(signal);
  await gone;
}

async function withoutEnd(
  ids: readonly string[],
  { clients, config, clock }: Stack,
): Promise<Pick<KillsResult, "lost" | "dead" | "verdicts" | "duplicates">> {
  const table = { client: clients.dynamo, name: config.name, days: 30, now: () => new Date(clock.now()) };
  const rows: { readonly id: string; readonly row: StoredVerdict | null }[] = [];
  for (let from = 0; from < ids.length; from += 50) {
    const some = ids.slice(from, from + 50).map(async (id) => ({ id, row: await findVerdict(id, table) }));
    rows.push(...(await Promise.all(some)));
  }
  const QueueUrl = await new Queues(clients.sqs).url(queueNames(config, "functions").probeDead);
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] });
  const dead = Number((await clients.sqs.send(asked)).Attributes?.ApproximateNumberOfMessages ?? 0);
  const lost = rows.filter(({ row }) => row === null).map(({ id }) => id);
  return {
    lost: lost.slice(dead),
    dead,
    verdicts: rows.length - lost.length,
    duplicates: rows.reduce((sum, { row }) => sum + (row?.duplicates ?? 0), 0),
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { requests: { type: "string" }, kills: { type: "string" } } });
  const [requests, kills] = [Number(values.requests ?? 2_000), Number(values.kills ?? 50)];
  const { lost, ...result } = await runKills({ requests, kills, limitMs: 300_000 });
  console.log(`${requests} requests, ${kills} kills: ${JSON.stringify({ ...result, lost: lost.length })}`);
  if (lost.length > 0) console.log(`lost: ${lost.slice(0, 20).join(" ")}`);
  process.exitCode = lost.length > 0 ? 1 : 0;
}
