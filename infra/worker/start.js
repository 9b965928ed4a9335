#!/usr/bin/env node
// The worker's launcher: what functions/cli/bin.js is to a checkout, for the one file that bundle.ts makes. It runs the
// command line, and knows no option of it.
import process from "node:process";

/** EX_USAGE and EX_SOFTWARE of sysexits.h: 1 to 3 are what the peer said, and a fault of ours must not look like it. */
const statusUsage = 64;
const statusFault = 70;

if (Number(process.versions.node.split(".")[0]) < 22) {
  process.stderr.write(
    `delivery-probe: this is Node ${process.versions.node}, and it takes 22 or later; install one, 24 if you can\n`,
  );
  process.exitCode = statusUsage;
} else {
  process.on("uncaughtException", fail);
  try {
    // Not before the look at the version: what this brings asks for a new Node as soon as it is run.
    const { main } = await import("../../functions/cli/main.ts");
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    fail(error);
  }
}

/** @param {unknown} error */
function fail(error) {
  process.stderr.write(`delivery-probe: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(statusFault);
}
