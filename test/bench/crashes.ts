// Ends a process at every await of a send, one by one, and sees what becomes of it: a send to two recipients of one domain, of
// which the host puts one off, so that everything is passed, from intake to the second attempt. Each of thousands of such
// sends dies at another continuation of a promise; then records come again, leases end, the sweep goes round, and nobody
// dies any more. `npm run crashes -- [--every N] [--from K]`. Queues, topic and table are embedded, the host is smtp-server's.
import { build } from "esbuild";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { Case } from "./crashes/findings.ts";
import type { Said } from "./crashes/process.ts";
import { openWorld, type World, type WorldFindings } from "./crashes/world.ts";

export interface CrashesOptions {
  /** One in so many continuations. */
  readonly every: number;
  /** The first of them, from 1 to `every`. */
  readonly from: number;
  readonly say: (line: string) => void;
}

export interface CrashesResult extends WorldFindings {
  /** Of a send that nothing happened to. */
  readonly continuations: number;
  readonly crashes: number;
  /** Sends that were done before their turn to die had come. */
  readonly uncrashed: number;
  readonly elapsedS: number;
}

/** At a time: two cores are full then. */
const together = 4;
/** Runs differ by a few continuations: a packet more or less. */
const beyond = 1.02;

export async function runCrashes({ every, from, say }: CrashesOptions): Promise<CrashesResult> {
  const began = performance.now();
  const folder = await mkdtemp(path.join(os.tmpdir(), "crashes-"));
  try {
    const file = await bundled(folder);
    await using world = await openWorld();
    // Compiling the rules' expressions well takes longer than a short life has use for.
    setFlagsFromString("--no-regexp-optimization");
    const whole = await wholeRun(file, world);
    say(`${whole} continuations`);
    const crashes = await crashAll(file, world, { every, from, to: Math.ceil(whole * beyond) }, say);
    const findings = await world.findings();
    const elapsedS = Math.round((performance.now() - began) / 100) / 10;
    return { continuations: whole, ...crashes, ...findings, elapsedS };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A thread that loads one file is there in a fifth of a second. */
async function bundled(folder: string): Promise<string> {
  const outfile = path.join(folder, "process.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("crashes/process.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["fauxqs", "dynalite"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  return outfile;
}

/** @returns how many continuations it has */
async function wholeRun(file: string, world: World): Promise<number> {
  // The first one finds nothing that is shared between sends, such as the key that is made once.
  await live(file, world.newCase(null));
  const said = await live(file, world.newCase(null));
  const last = said.findLast((each) => each.kind === "acknowledged");
  if (last?.count === 2) return last.continuations;
  throw new Error(`a send that nothing happened to did not go through: ${JSON.stringify(said)}`);
}

interface Range {
  readonly every: number;
  readonly from: number;
  readonly to: number;
}

async function crashAll(
  file: string,
  world: World,
  { every, from, to }: Range,
  say: (line: string) => void,
): Promise<Pick<CrashesResult, "crashes" | "uncrashed">> {
  const turns = Array.from({ length: Math.ceil((to - from + 1) / every) }, (_, index) => from + index * every);
  let [crashes, uncrashed] = [0, 0];
  const queue = turns.values();
  const lane = async (): Promise<void> => {
    for (const at of queue) {
      const one = world.newCase(at);
      const said = await live(file, one);
      const acknowledged = said.reduce((most, each) => (each.kind === "acknowledged" ? each.count : most), 0);
      if (acknowledged === one.crash.bodies.length) uncrashed += 1;
      else crashes += 1;
      world.died(one, acknowledged);
      if ((crashes + uncrashed) % 200 === 0) say(`${crashes + uncrashed} of ${turns.length}`);
    }
  };
  await Promise.all(Array.from({ length: together }, lane));
  return { crashes, uncrashed };
}

/** @returns what it said before it came to its end, or was brought to it */
async function live(file: string, { crash }: Case): Promise<readonly Said[]> {
  const said: Said[] = [];
  // A heap of some size from the start, which nobody has to tidy up in so short a life.
  const worker = new Worker(file, { workerData: crash, resourceLimits: { maxYoungGenerationSizeMb: 64 } });
  worker.on("message", (each: Said) => said.push(each));
  await once(worker, "exit");
  return said;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { every: { type: "string" }, from: { type: "string" } } });
  const say = (line: string): void => console.log(line);
  const { broken, ...result } = await runCrashes({
    every: Number(values.every ?? 1),
    from: Number(values.from ?? 1),
    say,
  });
  say(JSON.stringify(result, null, 2));
  say(broken.length === 0 ? "every promise was kept" : `${broken.length} promises broken:`);
  for (const each of broken.slice(0, 50)) say(`  ${each}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
