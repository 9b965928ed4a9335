// `npm run imports`: how long the functions' bundles take to import, in fresh processes: what is read at the start and,
// beside it, with what any call wants besides; next to an empty handler and to one that imports both of AWS's clients for
// queues and metrics at once, bundled the same way, in the same run. Exits non-zero where the probe is over its budget.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { loadConfig } from "../../functions/config/load.ts";
import { bundleEntries, bundleFunctions } from "../../infra/aws/bundle.ts";
import budget from "../../infra/aws/budget.json" with { type: "json" };

const runs = 15;
const root = path.join(import.meta.dirname, "../..");

const eager = `import { SQS } from "@aws-sdk/client-sqs";
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
const clients = [new SQS({}), new CloudWatch({})];
export const handler = async () => clients.length;
`;

const folder = await mkdtemp(path.join(root, "node_modules/.imports-"));
try {
  process.exitCode = await main();
} finally {
  await rm(folder, { recursive: true });
}

async function main(): Promise<number> {
  const own = await mkdtemp(path.join(tmpdir(), "delivery-probe-imports-"));
  const config = await loadConfig(path.join(root, "infra/config/example.json"));
  const { handlers, sizes } = await bundleFunctions(own, config);
  await writeFile(path.join(folder, "empty.js"), "export const handler = async () => {};\n");
  await writeFile(path.join(folder, "eager.js"), eager);
  const entry = (name: string): string => path.relative(root, path.join(folder, `${name}.js`));
  await bundleEntries(own, { empty: entry("empty"), eager: entry("eager") });
  const cases: Readonly<Record<string, readonly string[]>> = {
    "an empty handler": ["empty.mjs"],
    "both clients at once": ["eager.mjs"],
    "probe: its entry": ["probe.mjs"],
    "probe: with its handler": ["probe.mjs", handlers.probe],
    "schedule: with its handler": ["schedule.mjs", handlers.schedule],
    "send: with its handler": ["send.mjs", handlers.send],
    "page: with its handler": ["page.mjs", handlers.page],
  };
  const times = new Map(Object.keys(cases).map((name) => [name, [] as number[]]));
  for (let run = 0; run < runs; run++) {
    for (const [name, files] of Object.entries(cases)) {
      times.get(name)?.push(importMs(files.map((each) => path.join(own, each))));
    }
  }
  await rm(own, { recursive: true });
  const medians = new Map([...times].map(([name, all]) => [name, medianOf(all)]));
  const emptyMs = medians.get("an empty handler") ?? 0;
  const eagerMs = medians.get("both clients at once") ?? 0;
  for (const [name, ms] of medians) {
    console.log(
      `${name.padEnd(28)} ${ms.toFixed(1).padStart(6)} ms  ${(ms / eagerMs).toFixed(2)} of both clients at once`,
    );
  }
  const { entry: entrySize, handler, lazy } = sizes.probe;
  console.log(`probe: ${entrySize} octets at the start, ${handler} with the first call, ${lazy} when they are wanted`);
  const startMs = (medians.get("probe: its entry") ?? Number.NaN) - emptyMs;
  const share = (medians.get("probe: with its handler") ?? Number.NaN) / eagerMs;
  const { importOverEmptyMs, importShareOfEager } = budget.probe;
  const isWithin = startMs <= importOverEmptyMs && share <= importShareOfEager;
  console.log(
    `probe: its entry is ${startMs.toFixed(1)} ms above an empty handler (${importOverEmptyMs} at most); with its handler ${share.toFixed(2)} of both clients at once (${importShareOfEager} at most): ${isWithin ? "within its budget" : "OVER ITS BUDGET"}`,
  );
  return isWithin ? 0 : 1;
}

/** Of all, one after the other, in a process of their own. */
function importMs(files: readonly string[]): number {
  const script = `const start = performance.now(); for (const file of ${JSON.stringify(files)}) await import(file); console.log(performance.now() - start);`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }));
}

function medianOf(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}
