// npm run destroy: says what stays, then has CDK's command line delete the stack, which asks whether that is meant. What
// stays, staying.ts knows.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ConfigFault, loadConfig } from "../../functions/config/load.ts";
import { stayingOf, type Template } from "./staying.ts";
import { synthesis } from "./synthesis.ts";

async function main(args: readonly string[]): Promise<number> {
  const file = process.env["DELIVERY_PROBE_CONFIG"];
  if (file === undefined || file === "") {
    throw new ConfigFault("no configuration is named; set DELIVERY_PROBE_CONFIG to the one that was deployed");
  }
  const config = await loadConfig(file);
  const outdir = await mkdtemp(join(tmpdir(), "delivery-probe-template-"));
  try {
    const { app, stack } = await synthesis(config, outdir);
    const { stacks } = app.synth();
    const template = JSON.parse(await readFile(stacks[0]?.templateFullPath ?? "", "utf8")) as Template;
    say(`What stays when ${stack.stackName} is destroyed:`);
    for (const each of stayingOf(template, config)) say(`  - ${each}`);
    return spawnSync("cdk", ["destroy", "--app", outdir, ...args], { stdio: "inherit" }).status ?? 1;
  } finally {
    await rm(outdir, { recursive: true });
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(`delivery-probe: ${error instanceof Error ? error.message.trim() : String(error)}`);
  process.exitCode = 1;
}
