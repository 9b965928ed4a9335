import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { readProbeArguments, type SelfCheckArguments } from "../../functions/cli/arguments.ts";
import { UsageFault } from "../../functions/cli/options.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import { direct, type Egress } from "../../functions/route/egress.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
const message = path.join(folder, "message.eml");
const empty = path.join(folder, "empty.eml");
await writeFile(message, "Subject: hello\r\n\r\nhello\r\n");
await writeFile(empty, "");
const config = path.join(folder, "config.json");
/** With one egress. */
const single = path.join(folder, "single.json");
const mail1: Egress = { name: "mail-1", address: "192.0.2.25", families: "4", via: { type: "direct", bind: null } };
const wrong = path.join(folder, "wrong.json");
const egresses = [
  { name: "mail-1", runner: "worker", address: "192.0.2.25" },
  { name: "mail-2", runner: "worker", via: { type: "direct", bind: "2001:db8::25" } },
  {
    name: "proxy",
    runner: "worker",
    via: { type: "socks5", host: "proxy.example", username: "us", password: { env: "PROXY_PASSWORD" } },
  },
];
const file = {
  identity: { helo: "probe.example", sender: "<Probe@SENDER.example>" },
  egresses,
  targets: [{ provider: "icloud", recipient: "probe@icloud.example", severities: { tls: "page" } }],
  hosts: { "icloud.example": ["127.0.0.1:2525"] },
};
await writeFile(config, JSON.stringify(file));
await writeFile(single, JSON.stringify({ ...file, egresses: egresses.slice(0, 1) }));
await writeFile(wrong, JSON.stringify({ ...file, egresses: [], colour: "red" }));
after(() => rm(folder, { recursive: true }));

const env = { PROXY_PASSWORD: "held" };

async function requestsOf(args: readonly string[]): Promise<readonly ProbeRequest[]> {
  const read = await readProbeArguments(args, env);
  assert.ok(read.kind === "probe");
  for (const { allHosts } of read.requests) assert.equal(allHosts, read.allHosts);
  return read.requests;
}

async function selfCheckOf(args: readonly string[]): Promise<SelfCheckArguments> {
  const read = await readProbeArguments(["--self-check", ...args], env);
  assert.ok(read.kind === "self-check");
  return read;
}

async function requestOf(...args: readonly string[]): Promise<ProbeRequest> {
  const requests = await requestsOf(["someone@example.com", ...args]);
  assert.equal(requests.length, 1);
  return requests[0] as ProbeRequest;
}

test("an address alone is asked up to RCPT, through DNS, guarded, a minute at most", async () => {
  const { recipients, helo, from, policies, ...rest } = await requestOf();
  assert.deepEqual(
    recipients.map((each) => each.text),
    ["someone@example.com"],
  );
  assert.equal(helo, null);
  assert.equal(await policies.get("example.com"), null);
  assert.ok(from === "" || /^probe@[^@]+\.[^@]+$/.test(from), from);
  assert.deepEqual(rest, {
    hosts: null,
    depth: "rcpt",
    message: null,
    tls: "opportunistic",
    timeoutMs: 60_000,
    resolver: null,
    commit: null,
    oneTransaction: false,
    untilMs: Infinity,
    budgetMs: 300_000,
    bodyMs: 0,
    port: 25,
    policyPort: 443,
    allHosts: false,
    egress: direct,
    severities: {},
    allowPrivate: false,
    signal: null,
    progress: null,
  });
});

test("recipients of one domain share a request, domains keep their order, and nobody is asked for twice", async () => {
  const requests = await requestsOf(["a@x.example", "b@y.example", "c@X.example", "a@x.example"]);
  assert.deepEqual(
    requests.map((request) => request.recipients.map((each) => each.text)),
    [["a@x.example", "c@x.example"], ["b@y.example"]],
  );
});

const hosts: readonly (readonly [text: string, name: string, port: number])[] = [
  ["mx.example", "mx.example", 25],
  ["mx.example.:2525", "mx.example", 2525],
  ["localhost", "localhost", 25],
  ["Bücher.example", "xn--bcher-kva.example", 25],
  ["127.0.0.1", "127.0.0.1", 25],
  ["127.0.0.1:1", "127.0.0.1", 1],
  ["[::1]", "::1", 25],
  ["[::1]:65535", "::1", 65_535],
];

for (const [text, name, port] of hosts) {
  test(`--mx ${text} is a host and a port`, async () => {
    assert.deepEqual((await requestOf("--mx", text)).hosts, [{ name, port, named: "by-hand" }]);
  });
}

test("several --mx are several hosts, in order", async () => {
  const { hosts: named } = await requestOf("--mx", "b.example", "--mx=a.example:26");
  assert.deepEqual(named, [
    { name: "b.example", port: 25, named: "by-hand" },
    { name: "a.example", port: 26, named: "by-hand" },
  ]);
});

const values: readonly (readonly [args: readonly string[], field: keyof ProbeRequest, value: unknown])[] = [
  [["--depth", "ehlo"], "depth", "ehlo"],
  [["--message", message], "depth", "message"],
  [["--depth", "message"], "message", null],
  [["--from", ""], "from", ""],
  [["--from", "<>"], "from", ""],
  [["--from="], "from", ""],
  [["--from", "me@sender.example"], "from", "me@sender.example"],
  [["--helo", "Mail.Sender.example"], "helo", "Mail.Sender.example"],
  [["--helo", "mail.sender.example"], "from", "probe@mail.sender.example"],
  [["--helo", "[192.0.2.1]"], "helo", "[192.0.2.1]"],
  [["--helo", "[192.0.2.1]"], "from", ""],
  [["--helo", "[IPv6:2001:db8::1]"], "helo", "[IPv6:2001:db8::1]"],
  [["--helo", "localhost"], "from", ""],
  [["--tls", "require"], "tls", "require"],
  [["--tls", "never"], "tls", "never"],
  [["--tls", "mta-sts"], "tls", "mta-sts"],
  [["--tls", "dane"], "tls", "dane"],
  [["--budget", "2.5"], "budgetMs", 2_500],
  [["--budget", "86400"], "budgetMs", 86_400_000],
  [["--all-hosts"], "allHosts", true],
  [["--all-hosts"], "depth", "ehlo"],
  [["--all-hosts", "--depth", "rcpt"], "depth", "rcpt"],
  [["--config", single], "helo", "probe.example"],
  [["--config", single], "from", "Probe@sender.example"],
  [["--config", single], "egress", mail1],
  [["--config", single, "--egress", "direct"], "egress", direct],
  [["--config", config, "--egress", "direct"], "egress", direct],
  [["--config", single], "severities", {}],
  [["--config", single, "--helo", "mail.sender.example"], "helo", "mail.sender.example"],
  [["--config", single, "--helo", "mail.sender.example"], "from", "Probe@sender.example"],
  [["--config", single, "--from", ""], "from", ""],
  [["--timeout", "1.5"], "timeoutMs", 1_500],
  [["--timeout", "0.0001"], "timeoutMs", 1],
  [["--resolver", "192.0.2.53"], "resolver", "192.0.2.53:53"],
  [["--resolver", "[2001:db8::53]:5353"], "resolver", "[2001:db8::53]:5353"],
  [["--allow-private"], "allowPrivate", true],
];

for (const [args, field, value] of values) {
  test(`${args.join(" ").replace(folder, "")} sets ${field}`, async () => {
    assert.deepEqual((await requestOf(...args))[field], value);
  });
}

const noTls = { tls: null, passesNames: false };
const preset = { tls: { ca: null, certificate: null, key: null }, passesNames: false };
const us = { username: "us", password: "secret" };

// prettier-ignore
const ways: readonly (readonly [args: readonly string[], egress: Egress])[] = [
  [["direct"], direct],
  [["direct", "--families", "4"], { ...direct, families: "4" }],
  [["direct", "--families", "both"], direct],
  [["direct:9.9.9.9"], { name: "direct", address: "9.9.9.9", families: "4", via: { type: "direct", bind: "9.9.9.9" } }],
  [["9.9.9.9"], { name: "direct", address: "9.9.9.9", families: "4", via: { type: "direct", bind: "9.9.9.9" } }],
  [["9.9.9.9", "--families", "4"], { name: "direct", address: "9.9.9.9", families: "4", via: { type: "direct", bind: "9.9.9.9" } }],
  // What hosts see of an address behind a NAT is another one.
  [["10.0.0.5"], { name: "direct", address: null, families: "4", via: { type: "direct", bind: "10.0.0.5" } }],
  [["2620:fe::fe"], { name: "direct", address: "2620:fe::fe", families: "6", via: { type: "direct", bind: "2620:fe::fe" } }],
  [["direct:[2620:fe::fe]"], { name: "direct", address: "2620:fe::fe", families: "6", via: { type: "direct", bind: "2620:fe::fe" } }],
  [["socks5://proxy.example"], proxied("socks5://proxy.example:1080", { type: "socks5", host: "proxy.example", port: 1_080, credentials: null, passesNames: false })],
  [["SOCKS5://proxy.example/"], proxied("socks5://proxy.example:1080", { type: "socks5", host: "proxy.example", port: 1_080, credentials: null, passesNames: false })],
  [["socks5://us:secret@[2001:db8::1]:9050", "--families", "6"], { ...proxied("socks5://[2001:db8::1]:9050", { type: "socks5", host: "2001:db8::1", port: 9_050, credentials: us, passesNames: false }), families: "6" }],
  [["https://proxy.example:443"], proxied("https://proxy.example:443", { type: "http-connect", host: "proxy.example", port: 443, credentials: null, ...preset })],
  [["https://us:secret@192.0.2.1"], proxied("https://192.0.2.1:3128", { type: "http-connect", host: "192.0.2.1", port: 3_128, credentials: us, ...preset })],
  [["http://u%40s:a%2Fb%25%20:c@proxy.example:80"], proxied("http://proxy.example:80", { type: "http-connect", host: "proxy.example", port: 80, credentials: { username: "u@s", password: "a/b% :c" }, ...noTls })],
  [["http://us:se@cret@proxy.example"], proxied("http://proxy.example:3128", { type: "http-connect", host: "proxy.example", port: 3_128, credentials: { username: "us", password: "se@cret" }, ...noTls })],
  [["mail-1", "--config", config], { name: "mail-1", address: "192.0.2.25", families: "4", via: { type: "direct", bind: null } }],
  [["mail-2", "--config", config, "--families", "6"], { name: "mail-2", address: null, families: "6", via: { type: "direct", bind: "2001:db8::25" } }],
  [["proxy", "--config", config, "--families", "4"], { name: "proxy", address: null, families: "4", via: { type: "socks5", host: "proxy.example", port: 1_080, credentials: { username: "us", password: "held" }, passesNames: false } }],
  [["10.0.0.5", "--config", config], { name: "direct", address: null, families: "4", via: { type: "direct", bind: "10.0.0.5" } }],
];

function proxied(name: string, via: Egress["via"]): Egress {
  return { name, address: null, families: "both", via };
}

for (const [args, egress] of ways) {
  test(`--egress ${args.join(" ").replace(folder, "")} is that way out`, async () => {
    assert.deepEqual((await requestOf("--egress", ...args)).egress, egress);
  });
}

test("a self-check needs no recipient, and says who we are and which way we leave", async () => {
  const [own, theirs] = [[], ["--config", config, "--egress", "mail-1", "--json", "--allow-private"]];
  const [{ from, asked, ...rest }, given] = await Promise.all([selfCheckOf(own), selfCheckOf(theirs)]);
  assert.ok(from === "" || /^probe@[^@]+\.[^@]+$/.test(from), from);
  const least = { kind: "self-check", timeoutMs: 60_000, resolver: null };
  assert.deepEqual(rest, { ...least, egress: direct, helo: null, allowPrivate: false, json: false });
  const { asked: askedTheirs, ...restTheirs } = given;
  assert.deepEqual(restTheirs, {
    ...least,
    egress: mail1,
    helo: "probe.example",
    from: "Probe@sender.example",
    allowPrivate: true,
    json: true,
  });
  const domains = [asked, askedTheirs].map((each) => each.map(({ recipients }) => recipients[0]?.domain));
  assert.deepEqual(domains, [["gmail.com", "outlook.com", "icloud.com"], ["icloud.example"]]);
  const [{ depth, tls, helo, egress, hosts } = assert.fail()] = askedTheirs;
  assert.deepEqual(
    { depth, tls, helo, egress: egress.name, hosts },
    {
      depth: "ehlo",
      tls: "never",
      helo: "probe.example",
      egress: "mail-1",
      hosts: [{ name: "127.0.0.1", port: 2525, named: "by-hand" }],
    },
  );
});

test("what a self-check asks of a domain is bounded, whatever the time limit for one command", async () => {
  for (const [args, budgetMs] of [
    [[], 30_000],
    [["--timeout", "300"], 30_000],
    [["--timeout", "5"], 5_000],
  ] as const) {
    const { asked } = await selfCheckOf(args);
    assert.deepEqual(asked.map((each) => each.budgetMs), [budgetMs, budgetMs, budgetMs]); // prettier-ignore
  }
});

test("a self-check takes the environment's configuration where none is given, and its only egress; a probe does not", async () => {
  const named = { ...env, DELIVERY_PROBE_CONFIG: single };
  const selfChecked = await readProbeArguments(["--self-check"], named);
  assert.deepEqual([selfChecked.kind, selfChecked.kind === "self-check" && selfChecked.egress], ["self-check", mail1]);
  const other = { ...env, DELIVERY_PROBE_CONFIG: path.join(folder, "none.json") };
  const given = await readProbeArguments(["--self-check", "--config", single], other);
  assert.ok(given.kind === "self-check" && given.helo === "probe.example");
  await assert.rejects(readProbeArguments(["--self-check"], other), /none\.json cannot be read \(ENOENT\)/);
  const probed = await readProbeArguments(["a@b.example"], named);
  assert.ok(probed.kind === "probe");
  assert.deepEqual(probed.requests.map(({ egress, helo }) => [egress, helo]), [[direct, null]]); // prettier-ignore
  const none = await readProbeArguments(["--self-check"], { DELIVERY_PROBE_CONFIG: "" });
  assert.deepEqual(none.kind === "self-check" && none.egress, direct);
});

test("--message holds the file's octets", async () => {
  const { message: octets } = await requestOf("--message", message, "--depth", "message");
  assert.equal(Buffer.from(octets ?? []).toString(), "Subject: hello\r\n\r\nhello\r\n");
});

// prettier-ignore
const faults: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /no recipient .*; write probe someone@example\.com$/],
  [["someone"], /"someone" .*; write /],
  [["a@b.example\r\nDATA"], /line end or a NUL; write it without$/],
  [["a@b.example\0"], /line end or a NUL; write it without$/],
  [["a@b.example", "--from", "x\n@y.example"], /--from .* line end .*; write/],
  [["a@b.example", "--from", "nobody"], /^--from "nobody" .*; write/],
  [["a@b.example", "--helo", "x\ry"], /--helo .*; write/],
  [["a@b.example", "--helo", "two words"], /--helo "two words" .*; write a domain/],
  [["a@b.example", "--helo", "192.0.2.1"], /; write \[192\.0\.2\.1\]$/],
  [["a@b.example", "--helo", "2001:db8::1"], /; write \[IPv6:2001:db8::1\]$/],
  [["a@b.example", "--mx", "x\0"], /--mx .*; write/],
  [["a@b.example", "--mx", ""], /--mx "" .*; write/],
  [["a@b.example", "--mx", "mx.example:0"], /port .*; write one from 1 to 65535$/],
  [["a@b.example", "--mx", "mx.example:65536"], /port .*; write one from 1 to 65535$/],
  [["a@b.example", "--mx", "mx.example:"], /port .*; write one from 1 to 65535$/],
  [["a@b.example", "--mx", "mx.example:smtp"], /port .*; write one from 1 to 65535$/],
  [["a@b.example", "--mx", "::1"], /; write \[::1\] or \[::1\]:25$/],
  [["a@b.example", "--mx", "[::1"], /--mx .*; write/],
  [["a@b.example", "--mx", "[mx.example]"], /--mx .*; write/],
  [["a@b.example", "--mx", "no_host"], /--mx .*; write/],
  [["a@b.example", "--resolver", "dns.example"], /--resolver .* no IP address; write/],
  [["a@b.example", "--resolver", "2001:db8::53"], /; write \[2001:db8::53\] or \[2001:db8::53\]:53$/],
  [["a@b.example", "--resolver", "192.0.2.1:99999"], /port .*; write/],
  [["a@b.example", "--timeout", "0"], /--timeout "0" .*; write seconds/],
  [["a@b.example", "--timeout", "-5"], /--timeout "-5" .*; write seconds/],
  [["a@b.example", "--timeout", "soon"], /--timeout .*; write seconds/],
  [["a@b.example", "--timeout", "NaN"], /--timeout .*; write seconds/],
  [["a@b.example", "--timeout", "Infinity"], /--timeout .*; write seconds/],
  [["a@b.example", "--timeout", "1e9"], /--timeout .*; write seconds/],
  [["a@b.example", "--timeout", "86401"], /--timeout .*; write seconds/],
  [["a@b.example", "--depth", "deep"], /depth "deep"; write greeting, ehlo, rcpt, message$/],
  [["a@b.example", "--message", message, "--depth", "rcpt"], /; write --depth message, or leave --message out$/],
  [["a@b.example", "--message", empty], /is empty; write/],
  [["a@b.example", "--message", folder], /cannot be read \(EISDIR\); write/],
  [["a@b.example", "--message", path.join(folder, "none.eml")], /cannot be read \(ENOENT\); write/],
  [["a@b.example", "--message", "/dev/zero"], /is a device; write/],
  [["a@b.example", "--message", ""], /cannot be read .*; write/],
  [["a@b.example", "--egress", "berlin"], /egress "berlin"; write direct, an .* --config and a name of its egresses$/],
  [["a@b.example", "--egress", "berlin", "--config", config], /egress "berlin"; write direct, .* or mail-1, mail-2, proxy$/],
  [["a@b.example", "--egress", ""], /no egress of this form; write direct, /],
  [["a@b.example", "--egress", "direct:eth0"], /direct: takes an address .*; write one such as direct:203/],
  [["a@b.example", "--egress", "192.0.2.256"], /no egress "192\.0\.2\.256"; write direct, /],
  [["a@b.example", "--egress", "socks4://proxy.example"], /kind that there is not; write socks5:/],
  [["a@b.example", "--egress", "socks5://"], /^--egress socks5:.* no host and port; write socks5:\/\/host:port or /],
  [["a@b.example", "--egress", "https://proxy.example:0"], /^--egress https:.* no host and port; write https:/],
  [["a@b.example", "--egress", "https://proxy.example/a"], /^--egress https:.* no host and port; write https:/],
  [["a@b.example", "--egress", "socks5://2001:db8::1"], /^--egress socks5:.* no host and port; write socks5:/],
  [["a@b.example", "--egress", "http://secret@proxy.example"], /user or a password alone; write http:/],
  [["a@b.example", "--egress", "http://us:@proxy.example"], /user or a password alone; write http:/],
  [["a@b.example", "--egress", "http://:secret@proxy.example"], /user or a password alone; write http:/],
  [["a@b.example", "--egress", "http://us:secret%@proxy.example"], /encodes nothing; write %25/],
  [["a@b.example", "--egress", "http://us:secret%ff@proxy.example"], /encodes nothing; write %25/],
  [["a@b.example", "--egress", "http://u%3as:secret@proxy.example"], /has a user .*; write a name without ":"/],
  [["a@b.example", "--egress", "https://us:secret%0a@proxy.example"], /has a password .*; write a text without control/],
  [["a@b.example", "--egress", `socks5://us:${"secret".repeat(43)}@proxy.example`], /has a password .*; write 1 to 255/],
  // What somebody forgets, or takes for the form, is no reason to print it.
  [["a@b.example", "--egress", "socks5://us:secret"], /no host and port; write socks5:/],
  [["a@b.example", "--egress", "us:secret@proxy.example"], /no egress of this form; write direct, /],
  [["a@b.example", "--egress", "proxy.example:1080:us:secret"], /no egress of this form; write direct, /],
  [["a@b.example", "--egress", "https://us:se/secret@proxy.example/a"], /no host and port; write https:/],
  [["a@b.example", "--egress", "socks5h://us:secret@proxy.example"], /kind that there is not; write socks5:/],
  [["a@b.example", "--families", "5"], /no families "5"; write both, 4 or 6$/],
  [["a@b.example", "--families", "ipv4"], /no families "ipv4"; write both, 4 or 6$/],
  [["a@b.example", "--egress", "9.9.9.9", "--families", "6"], /does not go with 9\.9\.9\.9; write --families 4, or leave/],
  [["a@b.example", "--egress", "9.9.9.9", "--families", "both"], /does not go with 9\.9\.9\.9; write --families 4, or/],
  [["a@b.example", "--egress", "mail-2", "--config", config, "--families", "4"], /go with 2001:db8::25; write --families 6/],
  [["a@b.example", "--config", path.join(folder, "none.json")], /none\.json cannot be read \(ENOENT\); name a conf/],
  [["a@b.example", "--config", wrong], /wrong\.json is no configuration: egresses: .*; colour: there is no such field$/],
  [["a@b.example", "--tls", "yes"], /mode "yes"; write never, opportunistic, require, mta-sts, dane$/],
  [["a@b.example", "--budget", "0"], /--budget "0" .*; write seconds/],
  [["a@b.example", "--budget", "86401"], /--budget .*; write seconds/],
  [["a@b.example", "--all-hosts", "--depth", "message"], /a message to each host; write --depth rcpt, or/],
  [["a@b.example", "--all-hosts", "--message", message], /a message to each host; leave --message or --all-hosts out$/],
  [["--self-check", "a@b.example"], /^--self-check asks for nobody's mailbox; write it without "a@b\.example"$/],
  [["--self-check", "--depth", "ehlo"], /^--self-check does not go with --depth; write one of the two$/],
  [["--self-check", "--mx", "mx.example"], /does not go with --mx; write one of the two$/],
  [["--self-check", "--message", message], /does not go with --message; write one of the two$/],
  [["--self-check", "--all-hosts"], /does not go with --all-hosts; write one of the two$/],
  [["--self-check", "--tls", "require"], /does not go with --tls; write one of the two$/],
  [["--self-check", "--budget", "5"], /does not go with --budget; write one of the two$/],
  [["a@b.example", "--config", config], /^the configuration has several egresses; write --egress and one of mail-1, mail-2, proxy$/],
  [["a@b.example", "--config", config, "--families", "4"], /several egresses; write --egress and one of mail-1, /],
  [["--self-check", "--config", config], /several egresses; write --egress and one of mail-1, mail-2, proxy$/],
  [["--self-check", "--egress", "berlin"], /egress "berlin"; write direct, /],
  [["a@b.example", "--from", "x@y.example", "--from", "z@y.example"], /--from is given twice; write it once$/],
  [["a@b.example", "--from"], /--from lacks its value; write --from address$/],
  [["a@b.example", "--from", "--json"], /--from lacks its value; write --from address$/],
  [["a@b.example", "--json=yes"], /--json takes no value; write --json alone$/],
  [["a@b.example", "--hello", "x"], /no option "--hello"; write --helo$/],
  [["a@b.example", "--time", "x"], /no option "--time"; write --timeout$/],
  [["a@b.example", "--no-json"], /no option "--no-json"; write/],
  [["a@b.example", "--quite-another"], /no option "--quite-another"; write one of --mx --all-hosts --depth/],
  [["a@b.example", "-j"], /no option "-j"; write/],
];

for (const [args, says] of faults) {
  test(`${JSON.stringify(args).replaceAll(folder, "")} is a usage fault that says what to write`, async () => {
    await assert.rejects(readProbeArguments(args, env), (error) => {
      assert.ok(error instanceof UsageFault, String(error));
      assert.match(error.message, says);
      assert.ok(!error.message.includes("\n"));
      assert.ok(!error.message.includes("secret"), error.message);
      return true;
    });
  });
}

for (const held of [{}, { PROXY_PASSWORD: "" }]) {
  test(`an egress whose password the environment ${"PROXY_PASSWORD" in held ? "has empty" : "lacks"} is a usage fault`, async () => {
    await assert.rejects(
      readProbeArguments(["a@b.example", "--config", config, "--egress", "proxy"], held),
      (error) => {
        assert.ok(error instanceof UsageFault, String(error));
        assert.match(error.message, /^egress proxy: the environment variable PROXY_PASSWORD is not set; set it to /);
        return true;
      },
    );
  });
}

test("whatever is typed is a request without line ends, or a usage fault in one line", async () => {
  const words = fc.oneof(
    fc.constantFrom(
      "--mx",
      "--from",
      "--helo",
      "--depth",
      "--tls",
      "--egress",
      "--families",
      "--budget",
      "--all-hosts",
      "--self-check",
      "--timeout",
      "--resolver",
      "--json",
      "--",
      "a@b.example",
    ),
    fc.string({ unit: "binary" }),
    fc.constantFrom("mx\r\n", "x@y\0", "[::1]:25", "rcpt", "1", "4", "9.9.9.9", "socks5://a:b@c", "https://%@c:1"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(words, { maxLength: 6 }), async (args) => {
      try {
        const read = await readProbeArguments(args, env);
        const requests = read.kind === "probe" ? read.requests : [{ ...read, recipients: [], hosts: null }];
        for (const { recipients, hosts: named, from, helo } of requests) {
          const sent = [
            ...recipients.map((each) => each.text),
            ...(named ?? []).map((each) => each.name),
            from,
            helo ?? "",
          ];
          for (const text of sent) assert.doesNotMatch(text, /[\r\n\0]/);
        }
      } catch (error) {
        if (!(error instanceof UsageFault)) throw error;
        assert.match(error.message, /^[^\r\n\0]+; [^\r\n\0]+$/);
      }
    }),
  );
});
