// Runs the soak under each Node that must not lose a reply: `npm run soak -- [--current] [--strict] [soak's own options]`.
// It knows where other Nodes come from, and nothing of what the soak measures.
//   --current   only the Node that runs this
//   --strict    a Node that cannot be had fails the run, instead of being skipped aloud
import { spawnSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import process from "node:process";

const versions: readonly string[] = ["22.23.3", "24.21.0", "26.10.0"];
const soak = path.join(import.meta.dirname, "soak.ts");

interface Run {
  readonly version: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly why: string;
}

const options = process.argv.slice(2);
const strict = options.includes("--strict");
const soakOptions = options.filter((option) => option !== "--strict" && option !== "--current");
const runs = wanted().map(runUnder);

console.log("");
for (const { version, result, why } of runs) console.log(`Node ${version}: ${result}${why === "" ? "" : `, ${why}`}`);
const failed = runs.some(({ result }) => result === "failed" || (strict && result === "skipped"));
process.exitCode = failed ? 1 : 0;

function wanted(): readonly string[] {
  if (options.includes("--current")) return [process.versions.node];
  if (packageName() !== null) return versions;
  console.log(`no Node is packed for ${process.platform}-${process.arch}: only this one, ${process.version}, is tried`);
  return [process.versions.node];
}

function runUnder(version: string): Run {
  const node = version === process.versions.node ? process.execPath : fetched(version);
  if (node === null) return { version, result: "skipped", why: `npm could not bring ${packageName()}@${version}` };
  console.log(`\n--- Node ${version}`);
  const { status, signal } = spawnSync(node, [soak, ...soakOptions], { stdio: "inherit" });
  if (status === 0) return { version, result: "passed", why: "" };
  return { version, result: "failed", why: signal === null ? `exit status ${status}` : `ended by ${signal}` };
}

/**
 * The path of this version's executable, from npm's cache or its registry; null when it cannot be had. It is asked for
 * its version: any other `node` on the PATH, such as the lockfile's, would answer as well.
 */
function fetched(version: string): string | null {
  const question = "console.log(JSON.stringify([process.versions.node, process.execPath]))";
  const npm = process.env["npm_execpath"];
  const [program, ...before] = npm === undefined ? ["npm"] : [process.execPath, npm];
  const { status, stdout } = spawnSync(
    program ?? "npm",
    [...before, "exec", "--yes", `--package=${packageName()}@${version}`, "--", "node", "-e", question],
    { cwd: os.tmpdir(), encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  if (status !== 0) return null;
  const [found, node] = JSON.parse(stdout) as [string, string];
  return found === version ? node : null;
}

/** The npm package that holds a Node for this machine, or null where there is none. */
function packageName(): string | null {
  const name = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  return ["linux-x64", "linux-arm64", "win-x64"].includes(name) ? `node-${name}` : null;
}
