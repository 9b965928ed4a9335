// What starting any real mail server on loopback takes: a private folder, free ports, a process that ends with the test.
// What its configuration says, the server's own file knows.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { certificate, key } from "../../infra/local/mail/certificate.ts";

/** A configuration's text, and the command that runs it in the foreground. */
export interface Setup {
  readonly files: Readonly<Record<string, string>>;
  readonly folders: readonly string[];
  /** What the files need besides, before the start. */
  readonly prepare: (folder: string) => void;
  readonly command: (folder: string) => readonly [string, ...string[]];
  /** Ends a server that outlives the command; null where ending the command's process is enough. */
  readonly end: ((folder: string) => void) | null;
  /** Where it writes what goes wrong. */
  readonly log: string;
}

export interface MailServer {
  readonly stop: () => Promise<void>;
}

/** The first of these programs that the PATH, or a place where servers are put, has; null when there is none. */
export function findProgram(names: readonly string[]): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(path.delimiter), "/usr/sbin", "/usr/local/sbin"];
  const places = names.flatMap((name) => (name.includes("/") ? [name] : folders.map((each) => path.join(each, name))));
  return places.find(isExecutable) ?? null;
}

/** Ports that nobody listened on a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map(async (server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map(async (server) => once(server.close(), "close")));
  return ports;
}

/**
 * Lays out the files in a folder of its own, with the key and certificate of our lab, and starts the server.
 * @throws with the server's own words when it has not listened on all ports within 20 seconds
 */
export async function startServer(setup: Setup, ports: readonly number[]): Promise<MailServer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "delivery-probe-mta-"));
  // Mail servers change to users of their own, who have to get through.
  chmodSync(folder, 0o755);
  for (const each of setup.folders) mkdirSync(path.join(folder, each), { recursive: true });
  for (const [name, text] of Object.entries({ ...setup.files, "cert.pem": certificate, "key.pem": key })) {
    writeFileSync(path.join(folder, name), text.replaceAll("FOLDER", folder));
  }
  setup.prepare(folder);
  const [program, ...args] = setup.command(folder);
  // A file, since a server may open /dev/stderr again, which a socket does not allow.
  const output = openSync(path.join(folder, "output"), "a");
  const child = spawn(program, args, { stdio: ["ignore", output, output] });
  closeSync(output);
  const stop = async (): Promise<void> => {
    setup.end?.(folder);
    await end(child);
    rmSync(folder, { recursive: true });
  };
  if (await listening(child, ports)) return { stop };
  const said = ["output", setup.log].map((name) => path.join(folder, name)).filter((file) => existsSync(file));
  const words = said.map((file) => readFileSync(file, "utf8")).join("");
  await stop();
  throw new Error(`${program} ${args.join(" ")} does not listen; it said:\n${words}`);
}

async function listening(child: ChildProcess, ports: readonly number[]): Promise<boolean> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const answers = await Promise.all(ports.map(takesConnections));
    if (answers.every(Boolean)) return true;
    await wait(50);
  }
  return false;
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await closed;
  clearTimeout(timer);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
