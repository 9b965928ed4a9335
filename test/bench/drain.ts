// Drains a queue of requests against the lab, through a worker in a process of its own: requests a second, and the
// worker's memory as it goes. Beside it, in the same run, the same sessions without queue, table and metrics, as many at
// a time as there are providers: what the pipeline costs is the ratio. `npm run drain -- [--requests N]`.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checkConfig } from "../../functions/config/config.ts";
import { Queues, queueNames } from "../../functions/queue/queues.ts";
import { probe } from "../../functions/route/attempts.ts";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { requestTo } from "../support/request.ts";

const providers = ["accepting", "comcast", "gmail", "gmx", "icloud", "outlook", "yahoo"] as const;
const bin = fileURLToPath(new URL("../../functions/cli/bin.js", import.meta.url));
const example = new URL("../../infra/config/example.json", import.meta.url);

const { values } = parseArgs({ options: { requests: { type: "string" } } });
const requests = Number(values.requests ?? 10_000);
const folder = await mkdtemp(path.join(os.tmpdir(), "drain-"));
try {
  const { value: config } = checkConfig(JSON.parse(await readFile(example, "utf8")));
  if (config === null) throw new Error("the example is no configuration");
  const blocked = providers.slice(1);
  await using stack = await startStack({ config, state: folder, speed: 1, blocked, env: {}, run: false });
  const bare = await bareSessions(Math.min(requests, 1_400), stack);
  console.log(`sessions alone: ${bare.toFixed(1)} a second`);
  await sendAll(requests, stack);
  const drained = await drain(requests, folder);
  console.log(`through the pipeline: ${drained.toFixed(1)} a second, ${(drained / bare).toFixed(2)} of that`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Providers side by side, each one's sessions one after the other: what the lease allows. */
async function bareSessions(howMany: number, { lab }: Stack): Promise<number> {
  const began = performance.now();
  await Promise.all(
    providers.map(async (provider) => {
      const host = lab.hosts.find(({ dialog }) => dialog.provider === provider)?.host;
      if (host === undefined) throw new Error(`the lab has no ${provider}`);
      const hosts = [{ name: host.address, port: host.port }];
      for (let done = 0; done < howMany / providers.length; done++) {
        await probe(requestTo([`probe@${provider}.example`], hosts, { tls: "opportunistic" }));
      }
    }),
  );
  return howMany / ((performance.now() - began) / 1000);
}

async function sendAll(howMany: number, { clients, config }: Stack): Promise<void> {
  const queues = new Queues(clients.sqs);
  const messages = Array.from({ length: howMany }, (_, index) => {
    const recipient = `probe@${providers[index % providers.length]}.example`;
    const body = JSON.stringify({ v: 1, kind: "probe", id: `drain-${index}`, recipient, egress: "aws" });
    return { body, attributes: {}, delayS: 0 };
  });
  await queues.send(queueNames(config, "functions").probe, messages);
}

async function drain(howMany: number, state: string): Promise<number> {
  const began = performance.now();
  const worker = spawn(process.execPath, [bin, "worker", "--egress", "functions", "--state", state, "--pollers", "8"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await allVerdicts(worker, howMany);
  const seconds = (performance.now() - began) / 1000;
  const gone = once(worker, "exit");
  worker.stdout.resume();
  worker.kill("SIGTERM");
  await gone;
  return howMany / seconds;
}

/** Until the log has so many; tells the memory at every tenth of them. */
async function allVerdicts({ stdout, pid }: ChildProcess, howMany: number): Promise<void> {
  const all = Promise.withResolvers<void>();
  let verdicts = 0;
  let told = 0;
  stdout?.on("data", (chunk: Buffer) => {
    verdicts += chunk.toString().split('"event":"verdict"').length - 1;
    if (verdicts >= ((told + 1) * howMany) / 10) {
      told += 1;
      console.log(`${verdicts} verdicts, ${memoryMb(pid ?? 0)} MB`);
    }
    if (verdicts >= howMany) all.resolve();
  });
  await all.promise;
}

/** The resident set, where the system tells it. */
function memoryMb(pid: number): number {
  const file = `/proc/${pid}/status`;
  const status = existsSync(file) ? readFileSync(file, "utf8") : "";
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024);
}
