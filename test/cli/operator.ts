// The operator's side of the tests: a local stack with a folder, and the commands run as processes beside it.
import assert from "node:assert/strict";
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { after } from "node:test";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { UsageFault } from "../../functions/cli/options.ts";
import { visible } from "../../functions/verdict/visible.ts";
import { startStack, type Stack } from "../../infra/local/stack.ts";

const launcher = path.join(import.meta.dirname, "../../functions/cli/bin.js");

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of a test that failed half-way. */
const left = new Set<ChildProcessWithoutNullStreams>();
after(() => left.forEach((child) => child.kill("SIGKILL")));

export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  // Nothing of an account that the machine may have.
  const { PATH = "", SystemRoot = "" } = process.env;
  const own = { PATH, SystemRoot, AWS_EC2_METADATA_DISABLED: "true", ...env };
  const child = spawn(process.execPath, [launcher, ...args], { env: own });
  left.add(child);
  child.once("close", () => left.delete(child));
  return child;
}

export async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = start(args, env);
  child.stdin.end();
  return await ranOf(child);
}

export async function ranOf(child: ChildProcessWithoutNullStreams): Promise<Ran> {
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  assert.equal(visible(stdout), stdout, "nothing raw on standard output");
  assert.equal(visible(stderr), stderr, "nothing raw on standard error");
  return { status: status as number | null, stdout, stderr };
}

/** Two providers of the lab, the functions' egress and a worker's. */
export const config: Config = checked({
  identity: { helo: "probe.example", sender: "probe@sender.example" },
  egresses: [
    { name: "aws", runner: "functions", address: "192.0.2.25" },
    { name: "mail-1", runner: "worker", address: "192.0.2.26" },
  ],
  targets: [
    { provider: "icloud", recipient: "probe@icloud.example" },
    { provider: "gmx", recipient: "probe@gmx.example" },
  ],
});

export function checked(value: object): Config {
  const { value: config, faults } = checkConfig(value);
  assert.ok(config !== null, faults?.join("; "));
  return config;
}

export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly stack: Stack;
}

/** Services alone, nobody at work, by a clock that runs so many times as fast as ours. */
export async function startSite(speed = 60): Promise<Site> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
  resources.defer(async () => await rm(folder, { recursive: true }));
  const options = { config, state: folder, speed, blocked: ["icloud"], env: {}, run: false };
  const stack = resources.use(await startStack(options));
  const all = resources.move();
  return { folder, stack, [Symbol.asyncDispose]: async () => await all.disposeAsync() };
}

/** What a command line is refused with, before anything is asked of a service. */
export async function refused(run: () => Promise<number>): Promise<string> {
  try {
    return `it ran, with exit status ${await run()}`;
  } catch (error) {
    assert.ok(error instanceof UsageFault, String(error));
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
}
