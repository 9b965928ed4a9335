// A worker of the command line in a process of its own, which is killed at random moments and started again. It does not
// know what the worker is at.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../../functions/cli/bin.js", import.meta.url));

/** More of them would but wait for the two processors. */
export const sendsAtATime = 16;

export interface Worker {
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Resolves when it reads its queues. */
export async function startWorker(folder: string, onLine: (line: string) => void): Promise<Worker> {
  const limits = ["--visibility", "5", "--sends", String(sendsAtATime)];
  const args = [bin, "worker", "--egress", "functions", "--state", folder, ...limits];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const started = Promise.withResolvers<void>();
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.includes('"event":"worker-started"')) started.resolve();
      onLine(line);
    }
  });
  child.once("exit", (code, signal) => started.reject(new Error(`the worker ended: ${signal ?? code}`)));
  await started.promise;
  return { kill: async () => await end(child, "SIGKILL"), stop: async () => await end(child, "SIGTERM") };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error("the worker had ended by itself");
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

export interface Killing {
  readonly kills: number;
  readonly folder: string;
  readonly onLine: (line: string) => void;
  /** Resolves when so much of all has been done, of 1. */
  readonly done: (share: number) => Promise<void>;
  /** Resolves at the next thing that happens in a session. */
  readonly step: () => Promise<void>;
  /** Just before a kill. */
  readonly onKill: () => void;
}

/**
 * Each lives until a random part of its share is done, and dies some milliseconds after something happened in one of its
 * sessions. All die while there is still much to do: the embedded queue goes on handing messages to those who waited for
 * one when they died.
 */
export async function killSome({ kills, folder, onLine, done, step, onKill }: Killing): Promise<void> {
  for (let killed = 0; killed < kills; killed++) {
    const worker = await startWorker(folder, onLine);
    await Promise.race([done((busyShare * (killed + Math.random())) / kills), sleep(longestLifeMs)]);
    await Promise.race([step(), sleep(longestLifeMs)]);
    await sleep(Math.random() * 20);
    onKill();
    await worker.kill();
  }
}

const busyShare = 0.6;
const longestLifeMs = 15_000;
