// A self-check as people run it: a process, a DNS server and a mail host on loopback, what is printed, and the exit status.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { printSelfCheck, selfCheckStatusOf } from "../../functions/cli/self-check.ts";
import schema from "../../functions/cli/self-check.schema.json" with { type: "json" };
import type { Check, Standing } from "../../functions/self-check/found.ts";
import type { SelfCheck } from "../../functions/self-check/self-check.ts";
import { visible } from "../../functions/verdict/visible.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";
import { serveDns, type Zone } from "../route/dns-server.ts";
import { goodZone } from "../self-check/setup.ts";

const launcher = path.join(import.meta.dirname, "../../functions/cli/bin.js");
const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
const thread = new MailHosts();
const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
after(async () => {
  await thread.close();
  await rm(folder, { recursive: true });
});

const host = await play("S: 220 mx.example\nC: EHLO probe.example\nS: 250 mx.example\nC: QUIT\nS: 221 bye");
const config = await configFor(`${host.address}:${host.port}`);
const nobody = await configFor("127.0.0.1:1");

async function play(script: string): Promise<MailHost> {
  return await thread.start(parseDialog(`# as the test says\n${script}`, "inline.smtp"), { repeat: true });
}

async function configFor(place: string, address: string | null = "192.0.2.25"): Promise<string> {
  const file = path.join(folder, `${place.replaceAll(/\W/g, "-")}-${address}.json`);
  const document = {
    identity: { helo: "probe.example", sender: "probe@sender.example" },
    egresses: [{ name: "mail-1", runner: "worker", address }],
    targets: [{ provider: "icloud", recipient: "probe@icloud.example" }],
    hosts: { "icloud.example": [place] },
  };
  await writeFile(file, JSON.stringify(document));
  return file;
}

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param named the configuration that the environment names; empty: none */
async function run(args: readonly string[], named = ""): Promise<Ran> {
  const env = { ...process.env, DELIVERY_PROBE_CONFIG: named };
  const child = spawn(process.execPath, [launcher, "probe", ...args], { env });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: status as number | null, stdout, stderr };
}

/** The same check twice: for people, and as a document. */
async function checkIn(
  zone: Zone,
  args: readonly string[],
): Promise<{ readonly people: Ran; readonly found: SelfCheck }> {
  const dns = await serveDns(zone);
  const all = ["--self-check", "--resolver", dns.server, "--timeout", "5", ...args];
  const [people, programs] = await Promise.all([run(all), run([...all, "--json"])]);
  await dns.close();
  assert.equal(people.status, programs.status);
  assert.deepEqual([people.stderr, programs.stderr], ["", ""]);
  assert.equal(programs.stdout.indexOf("\n"), programs.stdout.length - 1, "one line");
  const found = JSON.parse(programs.stdout) as SelfCheck;
  assert.ok(fits(found), JSON.stringify(fits.errors));
  assert.equal(visible(people.stdout), people.stdout);
  return { people, found };
}

const own = (file: string): readonly string[] => ["--config", file, "--egress", "mail-1", "--allow-private"];

describe("probe --self-check", () => {
  it("exits 0 where all is as it must be, in a line for each check", async () => {
    const { people, found } = await checkIn(goodZone, own(config));
    assert.equal(people.status, 0, people.stdout);
    assert.equal(found.standing, "ok");
    assert.equal(
      people.stdout,
      [
        "ok: egress mail-1 (192.0.2.25), EHLO probe.example, sender probe@sender.example",
        "ok     address      192.0.2.25 is configured; no host said what it sees",
        "ok     helo         probe.example leads to 192.0.2.25",
        "ok     reverse-dns  192.0.2.25 is probe.example, which leads back to it",
        "ok     sender       bounces to probe@sender.example go to mx.sender.example",
        "ok     spf          SPF of sender.example passes for 192.0.2.25: v=spf1 ip4:192.0.2.25",
        "                    ip6:2001:db8::25 -all",
        `ok     port-25      127.0.0.1 answers on port ${host.port}`,
        "ok     blocklists   192.0.2.25 is not on Spamhaus ZEN, SpamCop, Barracuda BRBL, PSBL, Mailspike,",
        "                    DroneBL",
        "",
      ].join("\n"),
    );
  });

  it("exits 1 at a fault, and says what to do and where", async () => {
    const zone = {
      ...goodZone,
      "25.2.0.192.zen.spamhaus.org": { A: ["127.0.0.10"], TXT: ["a\u001b[31m list's words"] },
    };
    const { people, found } = await checkIn(zone, own(config));
    assert.equal(people.status, 1);
    assert.equal(found.standing, "fault");
    assert.match(people.stdout, /^1 fault: egress mail-1 \(192\.0\.2\.25\), EHLO probe\.example, /);
    assert.match(
      people.stdout,
      /^FAULT {2}blocklists {3}192\.0\.2\.25 is on Spamhaus PBL \("a\\x1b\[31m list's words"\)$/m,
    );
    assert.match(people.stdout, /^ {20}do: Spamhaus PBL: The range is listed/m);
    assert.match(people.stdout, /^ {20}see: https:\/\/check\.spamhaus\.org\/results\?query=192\.0\.2\.25$/m);
  });

  it("exits 1 where nobody is reached on the port", async () => {
    const { people } = await checkIn(goodZone, own(nobody));
    assert.equal(people.status, 1);
    assert.match(people.stdout, /^FAULT {2}port-25 {6}no host of icloud\.example is reached on port 1: it is closed/m);
  });

  it("exits 3 where something could not be learnt, and tells what to do once", async () => {
    const { people, found } = await checkIn({ ...goodZone, "sender.example": "SERVFAIL" }, own(config));
    assert.equal(people.status, 3);
    assert.equal(found.standing, "unknown");
    assert.match(people.stdout, /^2 not known: egress mail-1 /);
    assert.match(people.stdout, /^\? {6}sender {7}DNS: SERVFAIL for MX sender\.example from 127\.0\.0\.1:\d+$/m);
    assert.equal(people.stdout.match(/do: See that the resolver answers/g)?.length, 1);
    assert.match(people.stdout, /^ {20}do: as for sender$/m);
  });

  it("tells a fault and what is not known apart, and exits 1", async () => {
    const { people } = await checkIn({ ...goodZone, "sender.example": "SERVFAIL", "probe.example": {} }, own(config));
    assert.equal(people.status, 1);
    assert.match(people.stdout, /^2 faults, 2 not known: /);
  });

  it("follows DNS to hosts that it guards, and asks none on this machine unless it may", async () => {
    const args = ["--helo", "probe.example", "--from", "probe@sender.example", "--egress", "192.0.2.25"];
    const zone = { ...goodZone, "gmail.com": { MX: ["10 mx.gmail.com"] }, "mx.gmail.com": { A: ["127.0.0.1"] } };
    const { people, found } = await checkIn(zone, args);
    // This machine may have the address, or not.
    assert.ok(["fault", "unknown"].includes(found.standing), people.stdout);
    assert.match(people.stdout, /^(\? {4}|FAULT) {2}port-25 /m);
  });

  it("has the address that a host says, where the configuration has none", async () => {
    await using seeing = await play("S: 554 5.7.1 Client host [192.0.2.25] blocked\nS! fin");
    const file = await configFor(`${seeing.address}:${seeing.port}`, null);
    const { people, found } = await checkIn(goodZone, own(file));
    assert.deepEqual(found.egress, { name: "mail-1", address: "192.0.2.25", seen: "192.0.2.25" });
    assert.equal(people.status, 0, people.stdout);
    assert.match(people.stdout, /^ok {5}address {6}127\.0\.0\.1 sees us come from 192\.0\.2\.25$/m);
  });

  it("ends, with a document, where DNS is dead and the host is silent", async () => {
    await using silent = await play("S! hang");
    const dns = await serveDns({});
    await dns.close();
    const file = await configFor(`${silent.address}:${silent.port}`);
    const began = performance.now();
    const { status, stdout } = await run([...own(file), "--self-check", "--resolver", dns.server, "--timeout", "1"]);
    assert.ok(performance.now() - began < 30_000);
    assert.equal(status, 3, stdout);
    assert.match(stdout, /^6 not known: /);
    assert.match(stdout, /127\.0\.0\.1 takes connections on port \d+, and no host greets/);
  });

  it("is of the environment's configuration and its only egress, as a page's command has it", async () => {
    const dns = await serveDns(goodZone);
    const args = ["--self-check", "--resolver", dns.server, "--timeout", "5", "--allow-private"];
    const all = await Promise.all([run(args, config), run([...args, "--egress", "mail-1"], config)]);
    await dns.close();
    for (const { status, stdout, stderr } of all) {
      assert.deepEqual([status, stderr], [0, ""], stdout);
      assert.match(stdout, /^ok: egress mail-1 \(192\.0\.2\.25\), EHLO probe\.example, /);
      assert.match(stdout, new RegExp(`answers on port ${host.port}$`, "m"));
    }
  });

  it("of a configuration with several egresses exits 64, and names them", async () => {
    const file = path.join(folder, "several.json");
    const { egresses, ...rest } = JSON.parse(await readFile(config, "utf8")) as { egresses: readonly object[] };
    const second = { name: "mail-2", runner: "worker", address: "192.0.2.26" };
    await writeFile(file, JSON.stringify({ ...rest, egresses: [...egresses, second] }));
    const { status, stdout, stderr } = await run(["--self-check"], file);
    assert.deepEqual([status, stdout], [64, ""]);
    assert.equal(stderr, "delivery-probe: the configuration has several egresses; write --egress and one of mail-1, mail-2\n"); // prettier-ignore
  });

  it("never shows a proxy's password", async () => {
    const args = ["--egress", "socks5://us:a-secret@127.0.0.1:1", "--allow-private", "--config", config];
    const { people, found } = await checkIn(goodZone, args);
    assert.match(people.stdout, /egress socks5:\/\/127\.0\.0\.1:1 \(address not known\)/);
    assert.ok(!`${people.stdout}${JSON.stringify(found)}`.includes("a-secret"));
    const { standing, text: said } = found.checks.find(({ check }) => check === "port-25") ?? assert.fail();
    assert.equal(standing, "fault");
    assert.equal(said, "no host is reached through the proxy: the proxy socks5 127.0.0.1:1 cannot be reached: ECONNREFUSED"); // prettier-ignore
  });
});

describe("the statuses of a self-check", () => {
  const rows: readonly (readonly [standings: readonly Standing[], status: number])[] = [
    [["ok"], 0],
    [["ok", "ok"], 0],
    [["unknown"], 3],
    [["ok", "unknown"], 3],
    [["unknown", "fault", "ok"], 1],
    [["fault"], 1],
  ];
  for (const [standings, status] of rows) {
    it(`${standings.join(", ")}: ${status}`, () => assert.equal(selfCheckStatusOf(standings), status));
  }

  it("are told by the help", async () => {
    const { stdout } = await run(["--help"]);
    const text = stdout.replaceAll(/\s+/g, " ");
    assert.match(text, /--self-check .* exit status 0 ok, 1 a fault, 3 not known/);
    assert.match(text, /^usage: delivery-probe probe <address>\.\.\. \| --self-check \[options\] /);
    assert.match(text, /--self-check tell .* without one to gmail\.com, outlook\.com, icloud\.com; /);
  });
});

const anyText = fc.string({ unit: "binary", maxLength: 400 });
const anyStanding = fc.constantFrom<Standing>("ok", "fault", "unknown");
const anyCheck: fc.Arbitrary<Check> = fc.record({
  check: fc.constantFrom("address", "helo", "reverse-dns", "sender", "spf", "port-25", "blocklists"),
  standing: anyStanding,
  text: anyText,
  remedy: fc.option(fc.record({ text: anyText, url: fc.option(anyText) })),
});
const anySelfCheck: fc.Arbitrary<SelfCheck> = fc.record({
  v: fc.constant(1),
  at: fc.constant("2026-11-24T11:30:00.000Z"),
  egress: fc.record({ name: anyText, address: fc.option(anyText), seen: fc.option(anyText) }),
  helo: fc.option(anyText),
  sender: anyText,
  standing: anyStanding,
  checks: fc.array(anyCheck, { minLength: 1 }),
});

describe("a self-check of any texts", () => {
  it("is safe on a terminal, one line a check at least, and the same as a document", () => {
    fc.assert(
      fc.property(anySelfCheck, (document) => {
        const printed = printSelfCheck(document, { json: false, pretty: false, alone: true });
        assert.equal(visible(printed), printed);
        const marked = printed.split("\n").filter((line) => /^(?:ok {3}|FAULT|\? {4}) {2}[a-z]/.test(line));
        assert.ok(marked.length >= document.checks.length);
        for (const pretty of [false, true]) {
          const json = printSelfCheck(document, { json: true, pretty, alone: true });
          assert.equal(visible(json), json);
          assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(document)));
        }
      }),
    );
  });
});
