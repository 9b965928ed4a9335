// The proxy's configuration as it ships, in a Squid of its own on loopback: to whom it lends its address, for what, and to
// whom not. Only places, the port and the addresses are other ones here, and one mail host of the lab is exempted.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";
import { probe } from "../../../functions/route/attempts.ts";
import type { HttpConnect } from "../../../functions/route/egress.ts";
import { openTunnel } from "../../../functions/route/tunnel.ts";
import { certificate, key } from "../../../infra/local/mail/certificate.ts";
import { requestTo } from "../../support/request.ts";

const shipped = path.join(import.meta.dirname, "../../../infra/proxy");
const credentials = { username: "probe", password: "pass:w0rd" };
/** What `openssl passwd -6` makes of it. */
const hash = "$6$probe$NeXnIS8LCK5C/B1KGKbKjAzn9it.HH041ibv4nfUnPWbxncjE1X1gs/4etDBAo5tKPfeyIrVgubwvZyf9AT6Z/";
/** What hosts must see; the lab's host, which alone is exempted; and one beside it, which is not. */
const own = "127.25.0.9";
const labHost = "127.25.0.1";
const beside = "127.25.0.2";

/** Where no mail host on the Internet is, in forms that a resolver or a socket might take for another. */
const closed = [
  "0.0.0.0 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1",
  "192.0.0.192 192.0.2.1 192.168.1.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255",
  ":: ::1 ::127.0.0.1 ::ffff:0:0 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1",
  "64:ff9b:1::7f00:1 2001::1 2001:db8::1 2002:7f00:1:: 3fff::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1",
  "localhost mx.example.com 127.1 2130706433 0x7f000001 0177.0.0.1 0 00.0.0.0",
  // This machine's own.
  `${beside} ${own}`,
].flatMap((row) => row.split(" "));

const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());

/** Debian's is not on everybody's PATH. */
const squid = ["squid", "/usr/sbin/squid"].find((each) => String(spawnSync(each, ["-v"]).stdout).includes("openssl"));
const skip = squid === undefined && "Squid with OpenSSL is not installed (Debian: squid-openssl)";
const mailPort = skip === false ? await startMailHosts() : 25;
const ipv4 = await startSquid({ family: "ipv4", address: own });
/** It leaves by loopback's own address, which leads nowhere. */
const ipv6 = await startSquid({ family: "ipv6", address: "::1" });

interface Running {
  readonly port: number;
  readonly log: string;
}

interface Leaving {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
}

/** Where there is none, of nothing: the tests are skipped then. */
async function startSquid(leaving: Leaving): Promise<Running> {
  if (squid === undefined) return { port: 0, log: "" };
  const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-squid-"));
  resources.defer(async () => await rm(folder, { recursive: true }));
  const port = await freePort();
  const args = ["-N", "-n", `${leaving.family}of${process.pid}`, "-f", await render(folder, port, leaving)];
  const child = spawn(squid, args, { stdio: ["ignore", "ignore", "pipe"] });
  const said = text(child.stderr);
  const exited = once(child, "exit");
  resources.defer(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  for (let tries = 0; !(await isListening(port)); tries += 1) {
    if (child.exitCode !== null || tries > 200) assert.fail(`Squid did not start: ${await said}`);
    await delay(50);
  }
  return { port, log: path.join(folder, "log/access.log") };
}

/** What ships, at places of this test. */
async function render(folder: string, port: number, { family, address }: Leaving): Promise<string> {
  const put = async (name: string, content: string) =>
    await writeFile(path.join(folder, name), content, { mode: 0o644 });
  const placed = async (name: string) =>
    (await readFile(path.join(shipped, name), "utf8"))
      .replaceAll("/etc/squid/delivery-probe", folder)
      .replaceAll("/var/log/squid", path.join(folder, "log"));
  const squidConf = (await placed("squid.conf")).replace("acl mail port 25\n", `acl mail port ${mailPort}\n`);
  await put("squid.conf", `${squidConf}pid_filename ${folder}/log/pid\n`);
  const siteConf = (await placed("site.conf"))
    .replace("https_port 3129 ", `https_port 127.0.0.1:${port} `)
    .replaceAll("203.0.113.9", address)
    .replace("acl ourselves dst ::1/32\n", "acl ourselves dst ::1/128\n")
    .replace("acl family any-of ipv4\n", `acl family any-of ${family}\n`);
  await put("site.conf", `${siteConf}acl relay dst ${labHost}/32\nacl exempted any-of relay\n`);
  await put("fullchain.pem", certificate);
  await put("privkey.pem", key);
  await put("passwd", `${credentials.username}:${hash}\n`);
  await mkdir(path.join(folder, "log"));
  // Squid that root starts goes on as another user, whose name Debian has in the build.
  await chmod(folder, 0o755);
  await chmod(path.join(folder, "log"), 0o777);
  return path.join(folder, "squid.conf");
}

/** Hosts that tell whom they see, on port 25 where this process may have it. */
async function startMailHosts(): Promise<number> {
  const wanted = (await listen(labHost, 25)) ?? (await listen(labHost, 0));
  assert.ok(wanted !== null, `${labHost} takes a listener`);
  assert.ok((await listen(beside, wanted)) !== null);
  return wanted;
}

async function listen(host: string, port: number): Promise<number | null> {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    const { remoteAddress } = socket;
    socket.write("220 mx.example ESMTP\r\n");
    socket.on("data", (octets) => {
      const said = octets.toString("latin1");
      if (/^EHLO/i.test(said)) socket.write(`250-mx.example Hello [${remoteAddress}]\r\n250 PIPELINING\r\n`);
      if (/^MAIL/i.test(said)) socket.end("250 2.1.0 ok\r\n250 2.1.5 ok\r\n221 2.0.0 bye\r\n");
    });
  });
  try {
    await once(server.listen(port, host), "listening");
  } catch (error) {
    if (["EACCES", "EADDRINUSE"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
  server.unref();
  resources.defer(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function via(more: Partial<HttpConnect> = {}): HttpConnect {
  const pem = { ca: certificate, certificate: null, key: null };
  return {
    type: "http-connect",
    host: "127.0.0.1",
    port: ipv4.port,
    tls: pem,
    credentials,
    passesNames: false,
    ...more,
  };
}

/** What the proxy says to a destination: `open`, or the words of our own client. */
async function answerTo(host: string, more: Partial<HttpConnect> = {}): Promise<string> {
  const opened = await openTunnel(via(more), { host, port: mailPort }, limits);
  if (opened.kind === "failed") return opened.text;
  opened.socket.destroy();
  return "open";
}

const limits = { timeoutMs: 5_000, signal: null };

/** Of anything else than our own client; the head of the answer. */
async function headOf(request: string): Promise<string> {
  const socket = tls.connect({ port: ipv4.port, host: "127.0.0.1", ca: certificate });
  await once(socket, "secureConnect");
  const { username, password } = credentials;
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  socket.write(`${request}\r\nHost: 127.0.0.1\r\nProxy-Authorization: Basic ${basic}\r\nConnection: close\r\n\r\n`);
  let answer = "";
  for await (const octets of socket) {
    answer += String(octets);
    if (answer.includes("\r\n\r\n")) break;
  }
  const [head = ""] = answer.split("\r\n\r\n");
  return head;
}

const proxy = ({ port }: Running = ipv4): string => `the proxy http-connect 127.0.0.1:${port}`;

describe("the proxy that ships", { skip }, () => {
  it("lends its address to who has the password: the host sees that one, and the probe is accepted", async () => {
    const hosts = [{ name: labHost, port: mailPort, named: "by-hand" as const }];
    const egress = { name: "mail-3", address: null, families: "4" as const, via: via() };
    const verdict = await probe({ ...requestTo(["one@example.com"], null, { egress, allowPrivate: true }), hosts });
    assert.equal(verdict.outcome, "accepted", verdict.primary.text);
    assert.match(JSON.stringify(verdict.attempts[0]?.exchanges), new RegExp(`Hello \\[${own}\\]`));
  });

  for (const [who, given] of [
    ["nobody", null],
    ["a wrong password", { ...credentials, password: "pass:w0rd!" }],
    ["an unknown name", { ...credentials, username: "root" }],
  ] as const) {
    it(`asks ${who} for the password: 407, which is ours to mend`, async () => {
      const opened = await openTunnel(via({ credentials: given }), { host: labHost, port: mailPort }, limits);
      assert.ok(opened.kind === "failed");
      assert.equal(opened.by, "proxy");
      assert.ok(opened.text.startsWith(`${proxy()} answered: 407`), opened.text);
      assert.ok(!opened.text.includes("w0rd"));
    });
  }

  it("leads to no other port, whose host alone that is", async () => {
    for (const other of [22, 80, 443, 465, 587, 3128, mailPort + 1]) {
      const opened = await openTunnel(via(), { host: labHost, port: other }, limits);
      assert.ok(opened.kind === "failed");
      assert.deepEqual([opened.by, opened.text], ["refused", `${proxy()} answered: 403 Forbidden`]);
    }
  });

  for (const [family, running, other] of [
    ["IPv4", ipv4, "2606:4700::1"],
    ["IPv6", ipv6, "198.41.0.4"],
  ] as const) {
    // A public one of the other family would leave by another address.
    for (const host of [...closed, other]) {
      it(`leads, for ${family}, to no mail host at ${host}`, async () => {
        assert.equal(await answerTo(host, { port: running.port }), `${proxy(running)} answered: 403 Forbidden`);
      });
    }
  }

  it("leads where site.conf says, in whatever form that is asked for", async () => {
    for (const host of [labHost, `::ffff:${labHost}`]) assert.equal(await answerTo(host), "open");
  });

  for (const request of [
    `GET http://${labHost}:${mailPort}/ HTTP/1.1`,
    `POST http://${labHost}:${mailPort}/ HTTP/1.1`,
    "GET http://127.0.0.1/squid-internal-mgr/menu HTTP/1.1",
    "GET /squid-internal-mgr/info HTTP/1.1",
    "GET cache_object://127.0.0.1/info HTTP/1.1",
  ]) {
    it(`is no proxy for ${request}`, async () => {
      const head = await headOf(request);
      assert.match(head, /^HTTP\/1\.1 40[03] /);
      assert.doesNotMatch(head, /squid\/\d/i);
    });
  }

  it("says nothing in the clear", async () => {
    assert.notEqual(await answerTo(labHost, { tls: null }), "open");
    assert.doesNotMatch(await answerTo(labHost, { tls: null }), /answered: 200|answered: 407/);
  });

  it("logs who asked for what and what came of it, and no password", async () => {
    const lines = await readFile(ipv4.log, "utf8");
    const [day = ""] = new Date().toISOString().split("T");
    assert.match(lines, new RegExp(`^${day}T[^ ]+ 127\\.0\\.0\\.1 probe CONNECT ${labHost}:${mailPort} 200/`, "m"));
    assert.match(lines, / - CONNECT [^ ]+ 407\/TCP_DENIED /);
    const { username, password } = credentials;
    for (const secret of [password, Buffer.from(`${username}:${password}`).toString("base64")]) {
      assert.ok(!lines.includes(secret));
    }
  });
});
