// The launcher, in copies of what a checkout and an installed package look like.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const launcher = path.join(import.meta.dirname, "../../functions/cli/bin.js");

/** What the launcher has to run; `kind` exists only where types are stripped. */
const program = `
export async function main(argv KIND) {
  if (argv[0] === "throw") throw new Error("thrown");
  if (argv[0] === "late") await new Promise(() => setTimeout(() => { throw new Error("thrown late"); }, 1));
  if (argv[0] === "wait") {
    process.on("SIGTERM", () => process.exit(5));
    console.log("waiting");
    await new Promise(() => setInterval(() => {}, 1000));
  }
  console.log(JSON.stringify(argv));
  return Number(argv[0]);
}
`;

/** Options that make this Node strip no types, as one before 22.18 does. */
const old = [
  process.allowedNodeEnvironmentFlags.has("--no-strip-types") ? "--no-strip-types" : "--no-experimental-strip-types",
];

function lay(files: Readonly<Record<string, string>>, folder: string): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(folder, name), text, { mode: 0o755 });
  }
}

/** A folder with the launcher and these files, for as long as `use` takes. */
async function withFolder(files: Readonly<Record<string, string>>, use: (bin: string) => unknown): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "delivery-probe-bin-"));
  try {
    lay({ "package.json": '{ "type": "module" }', ...files }, folder);
    const bin = path.join(folder, "functions/cli/bin.js");
    cpSync(launcher, bin);
    await use(bin);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const checkout = { "functions/cli/main.ts": program.replace("KIND", ": readonly string[]") };
const installed = { "functions/cli/x": "", "dist/delivery-probe.js": program.replace("KIND", "") };

function run(args: readonly string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}

for (const [name, files] of Object.entries({ checkout, installed })) {
  test(`${name}: what main returns is the exit status, and the arguments are passed on`, async () => {
    await withFolder(files, (bin) => {
      const { status, stdout, stderr } = run([bin, "3", "a b", "--json"]);
      assert.deepEqual({ status, stdout, stderr }, { status: 3, stdout: '["3","a b","--json"]\n', stderr: "" });
    });
  });

  for (const how of ["throw", "late"]) {
    test(`${name}: a fault of ours (${how}) is no exit status that a peer's answer has`, async () => {
      await withFolder(files, (bin) => {
        const { status, stderr } = run([bin, how]);
        assert.equal(status, 70);
        assert.match(stderr, /^delivery-probe: Error: thrown/);
      });
    });
  }
}

test("a Node that strips no types is told in one line what it takes", async () => {
  await withFolder(checkout, (bin) => {
    const { status, stdout, stderr } = run([...old, bin, "0"]);
    assert.deepEqual({ status, stdout, lines: stderr.split("\n").length }, { status: 64, stdout: "", lines: 2 });
    assert.match(
      stderr,
      /^delivery-probe: this is Node \d+\.\d+\.\d+, and it takes 22\.18 or later; `npm ci` brings one/,
    );
  });
});

test("a Node that strips no types runs an installed package", async () => {
  await withFolder(installed, (bin) => assert.equal(run([...old, bin, "2"]).status, 2));
});

test(
  "a Node that strips no types hands over to the one that npm installed, and ends as it ends",
  { skip: process.platform === "win32" && "the stand-in for the installed Node is a shell script" },
  async () => {
    const place = `node_modules/node-${process.platform}-${process.arch}/bin/node`;
    await withFolder({ ...checkout, [place]: `#!/bin/sh\nexec '${process.execPath}' "$@"\n` }, async (bin) => {
      const { status, stdout, stderr } = run([...old, bin, "2", "a b"]);
      assert.deepEqual({ status, stdout, stderr }, { status: 2, stdout: '["2","a b"]\n', stderr: "" });

      const child = spawn(process.execPath, [...old, bin, "wait"], { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      child.kill("SIGTERM");
      assert.deepEqual(await once(child, "close"), [5, null]);
    });
  },
);
