// The worker's file as a mail host has it: in a folder with nothing beside it, run by a plain node with what the unit
// gives it, next to a local stack.
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { SQS } from "@aws-sdk/client-sqs";
import packageFile from "../../../package.json" with { type: "json" };
import { bundleWorker, workerFile } from "../../../infra/worker/bundle.ts";
import { startSite } from "../../cli/operator.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-worker-"));
const file = await bundleWorker(folder);
const site = await startSite();
const { env, queues } = site.stack.endpoints;
const unitFile = path.join(import.meta.dirname, "../../../infra/worker/delivery-probe-worker@.service");
const unit = await readFile(unitFile, "utf8");

const left = new Set<ChildProcessWithoutNullStreams>();
after(async () => {
  left.forEach((child) => child.kill("SIGKILL"));
  await site[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Where no `package.json` and no `node_modules` is, and with no more of this machine's environment than a unit has. */
function start(args: readonly string[], own: Readonly<Record<string, string>>): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, args, { cwd: "/", env: { AWS_EC2_METADATA_DISABLED: "true", ...own } });
  left.add(child);
  child.once("close", () => left.delete(child));
  return child;
}

async function run(args: readonly string[], own: Readonly<Record<string, string>> = {}) {
  const child = start([file, ...args], own);
  child.stdin.end();
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: status as number | null, stdout, stderr };
}

/** The unit's own command line, with what systemd puts in. */
function unitsCommand(egress: string): readonly string[] {
  const [, line = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  const [node, program = "", ...args] = line.replaceAll("%i", egress).split(" ");
  assert.equal(node, "/usr/bin/node");
  assert.equal(path.basename(program), workerFile);
  return [file, ...args.map((each) => each.replace("${CREDENTIALS_DIRECTORY}", site.folder))];
}

test("it is one file, which may be called by its name, and knows its version", async () => {
  assert.equal(file, path.join(folder, workerFile));
  assert.ok(((await stat(file)).mode & 0o100) !== 0);
  const { status, stdout, stderr } = await run(["--version"]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${packageFile.version}\n`, stderr: "" });
});

test("by the unit's command line a worker probes what its egress's queue asks for, and SIGTERM ends it with 0", async () => {
  const child = start(unitsCommand("mail-1"), env);
  const entries = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (event: string): Promise<Readonly<Record<string, unknown>>> => {
    for (;;) {
      const { value, done } = await entries.next();
      assert.ok(done !== true, `it ended, and never logged ${event}`);
      const entry = JSON.parse(value) as Readonly<Record<string, unknown>>;
      if (entry["event"] === event) return entry;
    }
  };
  const queue = queues.workers["mail-1"]?.probe ?? "";
  assert.equal((await next("worker-started"))["queue"], queue.split("/").at(-1));
  const request = { v: 1, kind: "probe", id: "from-a-file", recipient: "probe@icloud.example", egress: "mail-1" };
  await using sqs = openSqs();
  await sqs.client.sendMessage({ QueueUrl: queue, MessageBody: JSON.stringify(request) });
  assert.equal((await next("verdict"))["id"], "from-a-file");
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await next("worker-stopped");
  assert.deepEqual(await closed, [0, null]);

  const { status, stdout, stderr } = await run(["status", "--json", "--config", `${site.folder}/config.json`], env);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const { pairs } = JSON.parse(stdout) as { readonly pairs: readonly object[] };
  const rows = pairs.filter((each) => JSON.stringify(each).includes('"from-a-file"'));
  assert.equal(rows.length, 1);
});

function openSqs(): AsyncDisposable & { readonly client: SQS } {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new SQS({ endpoint: site.stack.endpoints.sqs, region: "us-east-1", credentials });
  return { client, [Symbol.asyncDispose]: async () => client.destroy() };
}

test("a self-check runs, with the library that it brings along", async () => {
  const args = ["probe", "--self-check", "--json", "--allow-private", "--resolver", site.stack.endpoints.resolver];
  const { stdout, stderr } = await run([...args, "--config", `${site.folder}/config.json`, "--egress", "mail-1"], env);
  assert.equal(stderr, "");
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly { readonly check: string }[] };
  const spf = checks.find(({ check }) => check === "spf");
  assert.match(JSON.stringify(spf), /SPF of sender\.example passes for 192\.0\.2\.25/);
});

test("what it lacks is told in one line", async () => {
  const local = await run(["local"]);
  assert.deepEqual([local.status, local.stdout], [64, ""]);
  assert.match(local.stderr, /^delivery-probe: local runs from a checkout of the project alone, [^\n]*\n$/);
  const nowhere = await run(["worker", "--egress", "mail-1", "--config", "/nowhere/config.json"], env);
  assert.deepEqual([nowhere.status, nowhere.stdout], [64, ""]);
  assert.match(nowhere.stderr, /^delivery-probe: \/nowhere\/config\.json cannot be read \(ENOENT\); [^\n]*\n$/);
});

const analyzer = "systemd-analyze";
const isThere = spawnSync(analyzer, ["--version"]).status === 0;

test("systemd takes the unit", { skip: !isThere && `${analyzer} is not installed (Debian: systemd)` }, async () => {
  const instance = path.join(folder, "delivery-probe-worker@mail-1.service");
  // It looks whether the program is there.
  await writeFile(instance, unit.replace("ExecStart=/usr/bin/node", `ExecStart=${process.execPath}`));
  const { status, stdout, stderr } = spawnSync(analyzer, ["verify", "--man=no", instance], {
    encoding: "utf8",
  });
  assert.deepEqual({ status, said: `${stdout}${stderr}` }, { status: 0, said: "" });
});
