// Host after host and address after address: who is asked next, who is never asked again, and what the verdict says.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { probe } from "../../functions/route/attempts.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";
import { requestTo } from "../support/request.ts";
import { serveDns, type DnsServer, type Zone } from "./dns-server.ts";

const mailHosts = new MailHosts();
const dnsServers: DnsServer[] = [];
after(async () => {
  await mailHosts.close();
  for (const each of dnsServers) await each.close();
});

const accepts = `
C: MAIL FROM:<probe@sender.example>
C~ ^RCPT TO
C: QUIT
S: 250 2.1.0 ok
S: 250 2.1.5 ok
S: 221 2.0.0 bye`;

describe("hosts in their order", () => {
  it("goes on from a host that is not there, and keeps the attempt", async () => {
    await using host = await play(accepts);
    const verdict = await ask(["one@mx.example"], [{ name: "127.0.0.1", port: 1 }, at(host)]);
    assert.equal(verdict.outcome, "accepted");
    assert.deepEqual(
      verdict.attempts.map(({ ending }) => ending.by),
      ["failed", "quit"],
    );
    assert.equal(verdict.attempts[0]?.ending.stage, "connect");
  });

  it("goes on from a greeting that refuses", async () => {
    await using closed = await playWhole("S: 554 5.7.1 not here\nS! fin");
    await using host = await play(accepts);
    const verdict = await ask(["one@mx.example"], [at(closed), at(host)]);
    assert.equal(verdict.outcome, "accepted");
    assert.equal(verdict.attempts.length, 2);
  });

  it("never lets a later host's silence replace an earlier host's refusal", async () => {
    await using closed = await playWhole("S: 554 5.7.1 192.0.2.1 is on our list\nS! fin");
    await using silent = await playWhole("S! hang");
    const verdict = await ask(["one@mx.example"], [at(closed), at(silent)], { timeoutMs: 400 });
    assert.deepEqual([verdict.outcome, verdict.primary.stage, verdict.primary.code], ["rejected", "greeting", 554]);
    assert.equal(verdict.attempts.length, 2);
  });

  it("ends the search at a 5yz to RCPT", async () => {
    await using refusing = await play(accepts.replace("S: 250 2.1.5 ok", "S: 550 5.7.1 192.0.2.1 is on our list"));
    await using host = await play(accepts);
    const verdict = await ask(["one@mx.example"], [at(refusing), at(host)]);
    assert.equal(verdict.outcome, "rejected");
    assert.equal(await host.connections(), 0);
  });

  it("gives a verdict to a request that its caller gave up before it began", async () => {
    await using host = await play(accepts);
    const verdict = await ask(["one@mx.example"], [at(host)], { signal: AbortSignal.abort() });
    assert.deepEqual([verdict.outcome, verdict.attempts[0]?.ending.by], ["unanswered", "abort"]);
    assert.equal(await host.connections(), 0);
  });
});

/** Which 4yz asks us to come later, whichever of a site's hosts is asked (DESIGN §6), and what only says so of itself. */
const refusals: readonly (readonly [stage: "greeting" | "ehlo" | "mail" | "rcpt", reply: string, ends: boolean])[] = [
  ["greeting", "421 4.7.1 127.0.0.1 is listed in zen.spamhaus.org", true],
  ["greeting", "421 4.7.0 too many connections from your IP", true],
  ["greeting", "421 4.7.1 greylisted, come again", true],
  ["greeting", "421 4.3.2 overloaded", false],
  ["greeting", "421 closing", false],
  ["greeting", "450 4.7.1 denied by policy", false],
  ["greeting", "554 5.7.1 127.0.0.1 is listed in zen.spamhaus.org", false],
  ["greeting", "554 no", false],
  ["ehlo", "450 4.7.1 127.0.0.1 is listed in zen.spamhaus.org", true],
  ["ehlo", "550 5.7.1 127.0.0.1 is listed in zen.spamhaus.org", false],
  ["mail", "451 4.7.1 greylisted, come again", true],
  ["mail", "451 4.3.0 overloaded", false],
  ["mail", "550 5.7.1 127.0.0.1 is listed in zen.spamhaus.org", true],
  ["mail", "550 no", true],
  ["rcpt", "450 4.7.1 greylisted, come again", true],
  ["rcpt", "451 4.7.1 too many messages from your IP, slow down", true],
  ["rcpt", "450 4.7.1 127.0.0.1 is listed in zen.spamhaus.org", true],
  ["rcpt", "450 4.2.1 mailbox busy", false],
  ["rcpt", "450 4.7.25 cannot find your reverse hostname", false],
  ["rcpt", "451 no", false],
  ["rcpt", "550 no", true],
];

describe("what ends the search", () => {
  for (const [stage, reply, ends] of refusals) {
    it(`${stage}: ${reply}: ${ends ? "the next host is not asked" : "the next host is"}`, async () => {
      await using refusing = await playWhole(refusalAt(stage, reply));
      await using host = await play(accepts);
      const verdict = await ask(["one@mx.example"], [at(refusing), at(host)]);
      assert.equal(await host.connections(), ends ? 0 : 1);
      assert.equal(verdict.attempts.length, ends ? 1 : 2);
      assert.equal(verdict.outcome, ends ? (reply.startsWith("4") ? "deferred" : "rejected") : "accepted");
      assert.deepEqual(await refusing.result(), []);
      const isListed = reply.includes("spamhaus");
      if (isListed)
        assert.deepEqual(
          verdict.findings.map(({ blocklist }) => blocklist),
          ["spamhaus-zen"],
        );
    });
  }

  it("for the recipient that was told so alone: another one is still asked for at the next host", async () => {
    await using first = await playWhole(
      "S: 220 one\nC~ ^EHLO\nS: 250-mx\nS: 250 PIPELINING\nC~ ^MAIL\nC~ ^RCPT TO:<one@\nC~ ^RCPT TO:<two@\nC: QUIT\n" +
        "S: 250 ok\nS: 450 4.7.1 greylisted\nS: 450 4.2.1 mailbox busy\nS: 221 bye",
    );
    await using second = await play(accepts.replace("C~ ^RCPT TO", "C~ ^RCPT TO:<two@"));
    const verdict = await ask(["one@mx.example", "two@mx.example"], [at(first), at(second)]);
    assert.deepEqual(
      verdict.recipients.map(({ outcome }) => outcome),
      ["deferred", "accepted"],
    );
    assert.deepEqual([await first.result(), await second.result()], [[], []]);
  });
});

function refusalAt(stage: (typeof refusals)[number][0], reply: string): string {
  const greeting = "S: 220 mx.example ESMTP\nC~ ^EHLO\n";
  const group = `${greeting}S: 250-mx.example\nS: 250 PIPELINING\nC~ ^MAIL\nC~ ^RCPT\nC: QUIT\n`;
  switch (stage) {
    case "greeting":
      return `S: ${reply}\nS! fin`;
    case "ehlo":
      return `${greeting}S: ${reply}\nS! fin`;
    case "mail":
      return `${group}S: ${reply}\nS: 503 5.5.1 need MAIL\nS: 221 bye`;
    case "rcpt":
      return `${group}S: 250 ok\nS: ${reply}\nS: 221 bye`;
  }
}

describe("addresses of one host", () => {
  it("offers nobody with a final answer again at the next address", async () => {
    const dns = await dnsOf({ "mx.test": { A: ["127.0.0.1", "127.0.0.2"] } });
    const first = await playWhole(
      "S: 220 one\nC~ ^EHLO\nS: 250-mx\nS: 250 PIPELINING\nC~ ^MAIL\nC~ ^RCPT TO:<one@\nC~ ^RCPT TO:<two@\nC: DATA\n" +
        "S: 250 ok\nS: 250 ok\nS: 452 4.5.3 too many recipients\nS: 354 go ahead\nC...\nS: 250 2.0.0 queued\nC: QUIT\nS: 221 bye\n" +
        "--\nS: 220 one\nC~ ^EHLO\nS! rst",
    );
    const second = await playWhole(
      "S: 220 two\nC~ ^EHLO\nS: 250-mx\nS: 250 PIPELINING\nC~ ^MAIL\nC~ ^RCPT TO:<two@\nC: DATA\n" +
        "S: 250 ok\nS: 250 ok\nS: 354 go ahead\nC...\nS: 250 2.0.0 queued\nC: QUIT\nS: 221 bye",
      { address: "127.0.0.2", port: first.port },
    );
    const hosts = [{ name: "mx.test", port: first.port }];
    const verdict = await ask(["one@mx.example", "two@mx.example"], hosts, { depth: "message", resolver: dns.server });
    assert.deepEqual(
      verdict.recipients.map(({ outcome }) => outcome),
      ["accepted", "accepted"],
    );
    assert.deepEqual(
      verdict.attempts.map(({ recipients }) => recipients.length),
      [2, 1, 1],
    );
    assert.deepEqual([await first.result(), await second.result()], [[], []]);
  });
});

describe("what DNS says", () => {
  const cases: readonly (readonly [string, Zone, string, string | null])[] = [
    ["no such domain", {}, "rejected", "5.1.2"],
    ["a null MX", { "mx.example": { MX: ["0 ."] } }, "rejected", "5.1.10"],
    ["hosts without addresses", { "mx.example": { MX: ["5 a.test", "6 b.test"] } }, "rejected", "5.4.4"],
    ["SERVFAIL", { "mx.example": "SERVFAIL" }, "unanswered", null],
    [
      "one host without an address, one unknown",
      { "mx.example": { MX: ["5 a.test", "6 b.test"] }, "b.test": "SERVFAIL" },
      "unanswered",
      null,
    ],
  ];
  for (const [name, zone, outcome, status] of cases) {
    it(name, async () => {
      const dns = await dnsOf(zone);
      const verdict = await ask(["one@mx.example"], null, { resolver: dns.server, timeoutMs: 3_000 });
      const { primary } = verdict;
      assert.deepEqual([verdict.outcome, primary.stage, primary.code, primary.status], [outcome, "dns", null, status]);
      if (outcome === "unanswered") assert.match(primary.text, /SERVFAIL/);
    });
  }

  it("does not dial a private address found in DNS, and says which", async () => {
    const dns = await dnsOf({ "mx.example": { MX: ["5 a.test"] }, "a.test": { A: ["10.0.0.1"] } });
    const verdict = await ask(["one@mx.example"], null, { resolver: dns.server });
    assert.deepEqual([verdict.outcome, verdict.primary.stage], ["unanswered", "connect"]);
    assert.match(verdict.primary.text, /10\.0\.0\.1 \(.*private.*\)/);
  });
});

function play(script: string): Promise<MailHost> {
  return playWhole(`S: 220 mx.example ESMTP\nC~ ^EHLO\nS: 250-mx.example\nS: 250 PIPELINING${script}`);
}

function playWhole(script: string, options: Parameters<MailHosts["start"]>[1] = {}): Promise<MailHost> {
  return mailHosts.start(parseDialog(`# A host of this test.\n${script}`, "attempts.test"), options);
}

async function dnsOf(zone: Zone): Promise<DnsServer> {
  const server = await serveDns(zone);
  dnsServers.push(server);
  return server;
}

function at({ address, port }: MailHost): { readonly name: string; readonly port: number } {
  return { name: address, port };
}

function ask(...[to, hosts, more]: Parameters<typeof requestTo>): Promise<Verdict> {
  return probe(requestTo(to, hosts, more));
}
