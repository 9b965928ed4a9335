// probe --all-hosts and --egress as people run them: a process, several hosts on loopback, what is printed, as documents
// too, and the exit status.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readEgress } from "../../functions/cli/egress-option.ts";
import { openSecrets } from "../../functions/secrets.ts";
import { UsageFault } from "../../functions/cli/options.ts";
import schema from "../../functions/cli/verdict.schema.json" with { type: "json" };
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { visible } from "../../functions/verdict/visible.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";
import { serveDns } from "../route/dns-server.ts";
import { startHttpConnect, startSocks5 } from "../support/proxies.ts";

const launcher = path.join(import.meta.dirname, "../../functions/cli/bin.js");
const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
const thread = new MailHosts();
after(async () => await thread.close());

const greeting = "S: 220 mx.example\nC~ ^EHLO\n";
const bye = "C: QUIT\nS: 221 bye";
const says = {
  accepts: `${greeting}S: 250 mx.example\n${bye}`,
  blocks: "S: 554 5.7.1 192.0.2.25 is listed in zen.spamhaus.org\nS! fin",
  refusesEhlo: `${greeting}S: 550-5.7.1 go away\nS: 550 5.7.1 we know you\n${bye}`,
  defers: "S: 421 4.3.2 not now\nS! fin",
  hangs: "S! hang",
  /** Who has greeted may take all that is left. */
  hangsAtEhlo: "S: 220 mx.example\nC~ ^EHLO\nS! hang",
} as const;

type Says = keyof typeof says | "absent";

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [launcher, "probe", ...args]);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: status as number | null, stdout, stderr };
}

async function play(script: string): Promise<MailHost> {
  return await thread.start(parseDialog(`# as the test says\n${script}`, "inline.smtp"), { repeat: true });
}

/** Hosts named by hand, each on a port of its own; port 1 is nobody's. */
async function places(hosts: readonly Says[]): Promise<readonly string[]> {
  const ports = hosts.map(async (each) => (each === "absent" ? 1 : (await play(says[each])).port));
  return (await Promise.all(ports)).map((port) => `127.0.0.1:${port}`);
}

const mxOf = (found: readonly string[]): readonly string[] => found.flatMap((each) => ["--mx", each]);

function documentsOf({ stdout }: Ran): readonly Verdict[] {
  const documents = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Verdict); // prettier-ignore
  for (const each of documents) assert.ok(fits(each), JSON.stringify(fits.errors));
  return documents;
}

/** The rows, their columns parted; of the last one, the words, as much as is there. */
function rowsOf(stdout: string): readonly (readonly string[])[] {
  const [, , , ...lines] = stdout.split("\n");
  const end = lines.indexOf("");
  return lines.slice(0, end === -1 ? undefined : end).map((line) => line.split(/ {2,}/));
}

// prettier-ignore
const rows: readonly (readonly [hosts: readonly Says[], status: number, headline: string, answers: readonly string[]])[] = [
  [["accepts", "accepts"], 0, "2 addresses of 2 hosts up to ehlo: 2 accept", ["accepted up to ehlo", "accepted up to ehlo"]],
  [["accepts", "blocks", "accepts"], 1, "3 addresses of 3 hosts up to ehlo: 1 refuses us (ip-reputation), 2 accept", ["accepted up to ehlo", "rejected at greeting", "accepted up to ehlo"]],
  [["refusesEhlo", "accepts"], 1, "2 addresses of 2 hosts up to ehlo: 1 refuses us (unspecified), 1 accepts", ["rejected at ehlo", "accepted up to ehlo"]],
  [["accepts", "defers"], 2, "2 addresses of 2 hosts up to ehlo: 1 defers, 1 accepts", ["accepted up to ehlo", "deferred at greeting"]],
  [["defers", "blocks", "accepts"], 1, "3 addresses of 3 hosts up to ehlo: 1 refuses us (ip-reputation), 1 defers, 1 accepts", ["deferred at greeting", "rejected at greeting", "accepted up to ehlo"]],
  [["absent", "accepts", "blocks"], 1, "3 addresses of 3 hosts up to ehlo: 1 refuses us (ip-reputation), 1 unanswered, 1 accepts", ["unanswered at connect", "accepted up to ehlo", "rejected at greeting"]],
  [["absent", "defers"], 2, "2 addresses of 2 hosts up to ehlo: 1 defers, 1 unanswered", ["unanswered at connect", "deferred at greeting"]],
  [["hangs", "accepts"], 3, "2 addresses of 2 hosts up to ehlo: 1 unanswered, 1 accepts", ["unanswered at greeting", "accepted up to ehlo"]],
  [["absent"], 3, "1 address of 1 host up to ehlo: 1 unanswered", ["unanswered at connect"]],
];

describe("probe --all-hosts", () => {
  for (const [hosts, status, headline, answers] of rows) {
    it(`${hosts.join(", ")}: all are asked, and the exit status is the most telling one's, ${status}`, async () => {
      const found = await places(hosts);
      const args = ["one@a.example", "--all-hosts", ...mxOf(found), "--timeout", "2"];
      const [people, programs] = await Promise.all([run(args), run([...args, "--json"])]);
      assert.deepEqual([people.status, programs.status, people.stderr, programs.stderr], [status, status, "", ""]);
      assert.equal(people.stdout.split("\n")[0], `a.example: ${headline}`);
      assert.equal(visible(people.stdout), people.stdout);
      const table = rowsOf(people.stdout);
      assert.deepEqual(table.map(([, host, address, answer]) => [host, address, answer]), found.map((host, at) => [host, "127.0.0.1", answers[at]])); // prettier-ignore
      const [document = assert.fail(), ...more] = documentsOf(programs);
      assert.deepEqual([more, document.depth], [[], "ehlo"]);
      assert.deepEqual(document.attempts.map(({ host, port }) => `${host}:${port}`), found); // prettier-ignore
    });
  }

  it("shows the one host of four that refuses with its words, as a finding of its own", async () => {
    const found = await places(["accepts", "accepts", "blocks", "accepts"]);
    const args = ["one@a.example", "--all-hosts", ...mxOf(found)];
    const { stdout } = await run(args);
    const marked = stdout.split("\n").filter((line) => line.startsWith("▶  127"));
    assert.equal(marked.length, 1);
    assert.match(marked[0] ?? "", / rejected at greeting +ip-reputation +- +[\d.]+ +554 5\.7\.1 192\.0\.2\.25 is listed in zen\.spamhaus\.org$/); // prettier-ignore
    assert.match(stdout, /^class: ip-reputation \(page\) · list: Spamhaus ZEN$/m);
    const [document, ...more] = documentsOf(await run([...args, "--json"]));
    assert.deepEqual([more, document?.outcome], [[], "accepted"]);
    assert.deepEqual(document?.findings.map(({ host, port, text }) => [`${host}:${port}`, text]), [[found[2], "554 5.7.1 192.0.2.25 is listed in zen.spamhaus.org"]]); // prettier-ignore
  });

  it("asks every address of hosts in DNS, and says which it may not dial", async () => {
    const zone = {
      "a.example": { MX: ["10 mx1.a.example", "20 mx2.a.example"] },
      "mx1.a.example": { A: ["127.0.0.1", "127.0.0.2"] },
      "mx2.a.example": { A: ["10.0.0.1"] },
    };
    const dns = await serveDns(zone);
    const { status, stdout } = await run(["one@a.example", "--all-hosts", "--resolver", dns.server]);
    await dns.close();
    assert.equal(status, 3);
    const table = rowsOf(stdout);
    assert.deepEqual(table.map(([, host]) => host), ["mx1.a.example", "mx1.a.example", "mx2.a.example"]); // prettier-ignore
    assert.deepEqual(new Set(table.map(([, , address]) => address)), new Set(["127.0.0.1", "127.0.0.2", "10.0.0.1"]));
    assert.match(stdout, /^a\.example: nobody was asked: 3 addresses not dialled$/m);
    assert.match(stdout, /^▶ {2}mx2\..* {2}mx2\.a\.example leads to 10\.0\.0\.1 \(private\), which is not dialled/m);
    assert.equal(stdout.match(/--allow-private/g)?.length, 1);
  });

  it("over an egress of one family says so, and which host has no address of it", async () => {
    await using host = await play(says.accepts);
    const zone = {
      "mx1.a.example": { A: ["127.0.0.1"], AAAA: ["::1"] },
      "mx2.a.example": { AAAA: ["::1"] },
    };
    const dns = await serveDns(zone);
    const named = mxOf(["mx1.a.example", "mx2.a.example"].map((each) => `${each}:${host.port}`));
    const args = ["one@a.example", "--all-hosts", ...named, "--egress", "127.0.0.1", "--resolver", dns.server];
    const { status, stdout } = await run(args);
    await dns.close();
    assert.equal(status, 3);
    const [headline, note] = stdout.split("\n");
    assert.match(
      headline ?? "",
      /^a\.example: 1 address of 1 host up to ehlo: 1 accepts; 1 host without IPv4 address$/,
    );
    assert.equal(note, "note: egress direct dials IPv4 alone; hosts' IPv6 addresses are left out");
  });

  it("goes as deep as is told, and tells several domains apart", async () => {
    const rcpt = `${greeting}S: 250-mx.example\nS: 250 PIPELINING\nC~ ^MAIL\nC~ ^RCPT\nC: QUIT\nS: 250 ok\nS: 550 5.1.1 nobody\nS: 221 bye`;
    await using host = await play(rcpt);
    const args = ["one@a.example", "two@b.example", "--all-hosts", "--depth", "rcpt", "--mx", `127.0.0.1:${host.port}`];
    const { status, stdout } = await run(args);
    assert.equal(status, 1);
    assert.match(stdout, /^a\.example: 1 address of 1 host up to rcpt: 1 refuses us \(mailbox-unknown\)\n/);
    assert.match(stdout, /\n\nb\.example: 1 address of 1 host up to rcpt: 1 refuses us \(mailbox-unknown\)\n/);
    const documents = documentsOf(await run([...args, "--json"]));
    assert.deepEqual(documents.map(({ recipients }) => recipients[0]?.address), ["one@a.example", "two@b.example"]); // prettier-ignore
    assert.deepEqual(await host.result(), []);
  });

  it("says of a domain that does not exist that there is nobody to ask", async () => {
    const dns = await serveDns({});
    const { status, stdout } = await run(["one@a.example", "--all-hosts", "--resolver", dns.server]);
    await dns.close();
    assert.equal(status, 1);
    assert.match(stdout, /^a\.example: there is no address to ask\n/);
    assert.match(
      stdout,
      /^▶ {2}a\.example {2}- +rejected at dns .* {2}DNS: there is no domain a\.example \(NXDOMAIN\)$/m,
    );
  });
});

describe("probe --budget", () => {
  it("that is too small for all names those that were not asked", async () => {
    const found = await places(["hangsAtEhlo", "accepts", "blocks"]);
    const args = ["one@a.example", "--all-hosts", ...mxOf(found), "--budget", "2"];
    const began = performance.now();
    const people = await run(args);
    assert.ok(performance.now() - began < 20_000);
    assert.equal(people.status, 3);
    assert.match(people.stdout, /^a\.example: 1 address of 1 host up to ehlo: 1 unanswered; 2 not asked\n/);
    const table = rowsOf(people.stdout);
    assert.deepEqual(table.map(([, host, , answer]) => [host, answer]), found.map((host, at) => [host, at === 0 ? "unanswered at ehlo" : "not asked"])); // prettier-ignore
    assert.match(people.stdout, /not asked: the 2 s for all hosts together were over$/m);
    const [document] = documentsOf(await run([...args, "--json"]));
    assert.deepEqual(document?.attempts.map(({ stop }) => stop?.reason ?? null), [null, "out-of-time", "out-of-time"]); // prettier-ignore
  });

  it("names addresses of the same host, too", async () => {
    await using host = await play(says.hangsAtEhlo);
    const dns = await serveDns({ "mx.a.example": { A: ["127.0.0.1", "127.0.0.2", "127.0.0.3"] } });
    const others = ["127.0.0.2", "127.0.0.3"].map(async (address) => await thread.start(parseDialog(`# hangs\n${says.hangsAtEhlo}`, "inline.smtp"), { repeat: true, address, port: host.port })); // prettier-ignore
    const opened = await Promise.all(others);
    const args = ["one@a.example", "--all-hosts", "--mx", `mx.a.example:${host.port}`, "--resolver", dns.server, "--budget", "2"]; // prettier-ignore
    const { stdout } = await run(args);
    await Promise.all([dns.close(), ...opened.map(async (each) => await each.close())]);
    assert.match(stdout, /^a\.example: 1 address of 1 host up to ehlo: 1 unanswered; 2 not asked\n/);
    const table = rowsOf(stdout);
    assert.deepEqual(new Set(table.map(([, , address]) => address)), new Set(["127.0.0.1", "127.0.0.2", "127.0.0.3"]));
  });

  it("says without --all-hosts who decided, and keeps those that were not asked in the document", async () => {
    const found = await places(["hangsAtEhlo", "accepts"]);
    const { status, stdout } = await run(["one@a.example", ...mxOf(found), "--budget", "2", "--json"]);
    assert.equal(status, 3);
    const [document] = documentsOf({ status, stdout, stderr: "" });
    assert.deepEqual(document?.attempts.map(({ port, stop }) => [`127.0.0.1:${port}`, stop?.reason ?? null]), [[found[0], null], [found[1], "out-of-time"]]); // prettier-ignore
  });
});

describe("probe --egress", () => {
  it("from an address that this machine does not have exits 64 in one line, and dials nobody", async () => {
    await using host = await play(says.accepts);
    for (const way of ["203.0.113.99", "direct:203.0.113.99", "2001:db8::99"]) {
      const { status, stdout, stderr } = await run([
        "one@a.example",
        "--egress",
        way,
        "--mx",
        `127.0.0.1:${host.port}`,
      ]);
      assert.deepEqual([status, stdout], [64, ""]);
      assert.match(stderr, /^delivery-probe: egress direct: \S+ is not an address of this machine \(EADDRNOTAVAIL\); bind one that it has\n$/); // prettier-ignore
    }
    assert.equal(await host.connections(), 0);
  });

  it("through proxies with a password leads to the host, and shows the proxy without it", async () => {
    const given = { username: "us", password: "p@ss:w%rd/a-secret" };
    const userinfo = `us:${encodeURIComponent(given.password)}`;
    await using host = await play(says.accepts);
    await using socks = await startSocks5(given);
    await using http = await startHttpConnect(given);
    for (const [scheme, { port }] of [
      ["socks5", socks],
      ["http", http],
    ] as const) {
      // prettier-ignore
      const args = ["one@a.example", "--depth", "ehlo", "--mx", `127.0.0.1:${host.port}`, "--egress", `${scheme}://${userinfo}@127.0.0.1:${port}`]; // prettier-ignore
      const ran = await run([...args, "--json"]);
      assert.equal(ran.status, 0, `${ran.stdout}${ran.stderr}`);
      assert.equal(documentsOf(ran)[0]?.egress.name, `${scheme}://127.0.0.1:${port}`);
      assert.ok(!`${ran.stdout}${ran.stderr}`.includes("secret"));
    }
    assert.deepEqual([socks.connections(), http.connections()], [1, 1]);
  });

  it("never repeats a password: with a proxy that does not know us, or is not there", async () => {
    await using socks = await startSocks5({ username: "them", password: "other" });
    await using http = await startHttpConnect({ username: "them", password: "other" });
    const ways = [`socks5://us:s3cret@127.0.0.1:${socks.port}`, `http://us:s3cret@127.0.0.1:${http.port}`, "http://us:s3cret@127.0.0.1:1", `https://us:s3cret@127.0.0.1:${http.port}`]; // prettier-ignore
    for (const way of ways) {
      const args = ["one@a.example", "--mx", "127.0.0.1:1", "--egress", way, "--timeout", "5"];
      const all = await Promise.all(
        [[], ["--json"], ["--all-hosts"]].map(async (more) => await run([...args, ...more])),
      );
      for (const { status, stdout, stderr } of all) {
        assert.equal(status, 3, stderr);
        for (const form of ["s3cret", Buffer.from("us:s3cret").toString("base64")]) {
          assert.ok(!`${stdout}${stderr}`.includes(form), stdout);
        }
      }
    }
  });

  it("with a value that is none exits 64 in one line without the password", async () => {
    for (const way of ["us:s3cret@proxy.example:1080", "http://us:s3cret@proxy.example/\nhttp://x"]) {
      const { status, stdout, stderr } = await run(["one@a.example", "--mx", "127.0.0.1:1", "--egress", way]);
      assert.deepEqual([status, stdout], [64, ""], stderr);
      assert.match(stderr, /^delivery-probe: [^\n]+; write [^\n]+\n$/);
      assert.ok(!stderr.includes("s3cret"), stderr);
    }
  });

  // Where a password may stand, and what is wrong around it.
  for (const way of [
    "socks5://us:s3cret",
    "socks5://us:s3cret@",
    "socks5://us:s3cret@:1080",
    "socks5://us:s3cret@proxy.example:99999",
    "socks5://us:s3cret@proxy.example/path",
    "socks5://us:s3cret@proxy.example:1080:1080",
    "socks5://us:s3cret@[::1",
    "socks5://us:s3cret@us:s3cret@proxy example",
    "socks5:us:s3cret@proxy.example",
    "socks5:/us:s3cret@proxy.example",
    "socks5//us:s3cret@proxy.example",
    "socks4a://us:s3cret@proxy.example",
    "http://us:s3cret%@proxy.example",
    "http://us:s3cret%00@proxy.example",
    "http://s3cret@proxy.example",
    "http://:s3cret@proxy.example",
    "us:s3cret@proxy.example:1080",
    "s3cret@proxy.example",
    "direct:us:s3cret@proxy.example",
    "http://us:s3cret@proxy.example\nhttp://x",
    "\u001b[31mus:s3cret@proxy.example",
  ]) {
    it(`${JSON.stringify(way)} is none, and the fault does not repeat the password`, async () => {
      const secrets = openSecrets({}, { log: () => {} });
      await assert.rejects(
        () => readEgress({ egress: way, families: null, config: null, secrets }),
        (error) => {
          assert.ok(error instanceof UsageFault);
          assert.match(error.message, /^[^\n]+; write [^\n]+$/);
          return !error.message.includes("s3cret");
        },
      );
    });
  }
});
