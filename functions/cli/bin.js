#!/usr/bin/env node
// The launcher: finds a Node that can run the program, and hands over. It knows no option of the command line.
// A checkout runs the sources, whose types Node strips. Below node_modules Node strips none, so that an installed
// package, which has no main.ts, runs the bundle that `npm pack` makes.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** EX_USAGE and EX_SOFTWARE of sysexits.h: 1 to 3 are what the peer said, and a fault of ours must not look like it. */
const statusUsage = 64;
const statusFault = 70;

const sources = new URL("./main.ts", import.meta.url);
const isCheckout = existsSync(sources);

if (canRun()) {
  process.on("uncaughtException", fail);
  const program = isCheckout ? sources : new URL("../../dist/delivery-probe.js", import.meta.url);
  try {
    const { main } = await import(program.href);
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    fail(error);
  }
} else {
  handOver();
}

/** Whether this Node runs what is here: `features.typescript` is there since 22.10, and true by default since 22.18. */
function canRun() {
  return isCheckout ? Boolean(process.features.typescript) : Number(process.versions.node.split(".")[0]) >= 22;
}

/** Runs this file again under the Node that the lockfile brings, and ends as that one ends. */
function handOver() {
  const node = installedNode();
  if (node === null || node === process.execPath) {
    const need = isCheckout ? "22.18 or later; `npm ci` brings one on Linux and Windows" : "22 or later";
    process.stderr.write(`delivery-probe: this is Node ${process.versions.node}, and it takes ${need}\n`);
    process.exitCode = statusUsage;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      // A terminal's Ctrl-C reaches both of us by itself, and a second one may mean "at once".
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.once("error", fail);
  child.once("close", (status, signal) => {
    if (signal === null) {
      process.exitCode = status ?? statusFault;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** The Node that came with the optional dependencies of package.json, or null. */
function installedNode() {
  const windows = process.platform === "win32";
  const name = `node-${windows ? "win" : process.platform}-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${name}/bin/node${windows ? ".exe" : ""}`);
  } catch {
    return null;
  }
}

/** @param {unknown} error */
function fail(error) {
  process.stderr.write(`delivery-probe: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(statusFault);
}
