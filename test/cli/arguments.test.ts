import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { readProbeArguments } from "../../functions/cli/arguments.ts";
import { UsageFault } from "../../functions/cli/options.ts";
import type { ProbeRequest } from "../../functions/route/attempts.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "delivery-probe-"));
const message = path.join(folder, "message.eml");
const empty = path.join(folder, "empty.eml");
await writeFile(message, "Subject: hello\r\n\r\nhello\r\n");
await writeFile(empty, "");
after(() => rm(folder, { recursive: true }));

async function requestOf(...args: readonly string[]): Promise<ProbeRequest> {
  const { requests } = await readProbeArguments(["someone@example.com", ...args]);
  assert.equal(requests.length, 1);
  return requests[0] as ProbeRequest;
}

test("an address alone is asked up to RCPT, through DNS, guarded, a minute at most", async () => {
  const { recipients, helo, from, ...rest } = await requestOf();
  assert.deepEqual(
    recipients.map((each) => each.text),
    ["someone@example.com"],
  );
  assert.equal(helo, null);
  assert.ok(from === "" || /^probe@[^@]+\.[^@]+$/.test(from), from);
  assert.deepEqual(rest, {
    hosts: null,
    depth: "rcpt",
    message: null,
    tls: "opportunistic",
    timeoutMs: 60_000,
    resolver: null,
    isByHand: true,
    egress: "direct",
    severities: {},
    allowPrivate: false,
    signal: null,
    progress: null,
  });
});

test("recipients of one domain share a request, domains keep their order, and nobody is asked for twice", async () => {
  const { requests } = await readProbeArguments(["a@x.example", "b@y.example", "c@X.example", "a@x.example"]);
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
    assert.deepEqual((await requestOf("--mx", text)).hosts, [{ name, port }]);
  });
}

test("several --mx are several hosts, in order", async () => {
  const { hosts: named } = await requestOf("--mx", "b.example", "--mx=a.example:26");
  assert.deepEqual(named, [
    { name: "b.example", port: 25 },
    { name: "a.example", port: 26 },
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
  [["--egress", "direct"], "depth", "rcpt"],
  [["--tls", "require"], "tls", "require"],
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

test("--message holds the file's octets", async () => {
  const { message: octets } = await requestOf("--message", message, "--depth", "message");
  assert.equal(Buffer.from(octets ?? []).toString(), "Subject: hello\r\n\r\nhello\r\n");
});

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
  [["a@b.example", "--egress", "berlin"], /egress "berlin"; write direct$/],
  [["a@b.example", "--tls", "yes"], /mode "yes"; write never, opportunistic or require$/],
  [["a@b.example", "--from", "x@y.example", "--from", "z@y.example"], /--from is given twice; write it once$/],
  [["a@b.example", "--from"], /--from lacks its value; write --from address$/],
  [["a@b.example", "--from", "--json"], /--from lacks its value; write --from address$/],
  [["a@b.example", "--json=yes"], /--json takes no value; write --json alone$/],
  [["a@b.example", "--hello", "x"], /no option "--hello"; write --helo$/],
  [["a@b.example", "--time", "x"], /no option "--time"; write --timeout$/],
  [["a@b.example", "--no-json"], /no option "--no-json"; write/],
  [["a@b.example", "--quite-another"], /no option "--quite-another"; write one of --mx --depth/],
  [["a@b.example", "-j"], /no option "-j"; write/],
];

for (const [args, says] of faults) {
  test(`${JSON.stringify(args).replaceAll(folder, "")} is a usage fault that says what to write`, async () => {
    await assert.rejects(readProbeArguments(args), (error) => {
      assert.ok(error instanceof UsageFault, String(error));
      assert.match(error.message, says);
      assert.ok(!error.message.includes("\n"));
      return true;
    });
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
      "--timeout",
      "--resolver",
      "--json",
      "--",
      "a@b.example",
    ),
    fc.string({ unit: "binary" }),
    fc.constantFrom("mx\r\n", "x@y\0", "[::1]:25", "rcpt", "1"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(words, { maxLength: 6 }), async (args) => {
      try {
        const { requests } = await readProbeArguments(args);
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
