// `npm run failover`: what a first host that is down costs beyond its own failure, the same session with the good host
// alone beside it in the same run. Refused ports, and hosts that take the connection and say nothing until our limit.
// Exits non-zero when the median is above the limit.
import process from "node:process";
import { parseArgs } from "node:util";
import { probe } from "../../functions/route/attempts.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts, type MailHost } from "../../infra/local/mail/mail-host.ts";
import { serveDns } from "../route/dns-server.ts";
import { requestTo } from "../support/request.ts";

const limitMs = 20;
const { values } = parseArgs({ options: { runs: { type: "string", default: "100" } } });
const runs = Number(values.runs);

const accepts = `# Accepts.
S: 220 mx ESMTP
C~ ^EHLO
S: 250-mx
S: 250 PIPELINING
C~ ^MAIL
C~ ^RCPT
C: QUIT
S: 250 ok
S: 250 ok
S: 221 bye`;
const silent = "# Says nothing.\nS! hang";

await using mailHosts = new MailHosts();
await using good = await start(accepts, "127.0.0.3");
await using mute = await start(silent, "127.0.0.4", good.port);
const dns = await serveDns({
  "good.test": { MX: ["20 good-mx.test"] },
  "refused.test": { MX: ["10 refused-mx.test", "20 good-mx.test"] },
  "silent.test": { MX: ["10 silent-mx.test", "20 good-mx.test"] },
  "good-mx.test": { A: [good.address] },
  "silent-mx.test": { A: [mute.address] },
  // Nobody listens there.
  "refused-mx.test": { A: ["127.0.0.2"] },
});
let isSlow = false;
try {
  // The first sessions load and compile what all others need.
  for (let run = 0; run < 20; run++) await sessionWith("good.test");
  for (const down of ["refused", "silent"] as const) {
    const alone: number[] = [];
    const beyond: number[] = [];
    for (let run = 0; run < (down === "silent" ? Math.ceil(runs / 3) : runs); run++) {
      alone.push((await sessionWith("good.test")).elapsedMs);
      const { elapsedMs, failureMs } = await sessionWith(`${down}.test`);
      beyond.push(elapsedMs - failureMs);
    }
    const base = quantile(alone, 0.5);
    const overhead = beyond.map((each) => each - base);
    isSlow ||= quantile(overhead, 0.5) > limitMs;
    const figures = [quantile(overhead, 0.5), quantile(overhead, 0.95), base, quantile(alone, 0.95)];
    const [median, p95, baseMedian, baseP95] = figures.map((each) => each.toFixed(1));
    console.log(
      `first host ${down.padEnd(7)}: ${median} ms more than its failure (p95 ${p95}), ` +
        `over ${baseMedian} ms alone (p95 ${baseP95}), ${beyond.length} runs`,
    );
  }
} finally {
  await dns.close();
}
if (isSlow) {
  console.log(`above the limit of ${limitMs} ms`);
  process.exitCode = 1;
}

/** The whole of a probe, its look-ups too; and what its first host took to fail, if it did. */
async function sessionWith(domain: string): Promise<{ readonly elapsedMs: number; readonly failureMs: number }> {
  const more: Partial<ProbeRequest> = { resolver: dns.server, port: good.port, allowPrivate: true };
  const request = requestTo([`one@${domain}`], null, { ...more, timeoutMs: 250 });
  const began = performance.now();
  const { outcome, attempts } = await probe(request);
  const elapsedMs = performance.now() - began;
  const expected = domain === "good.test" ? 1 : 2;
  if (outcome !== "accepted" || attempts.length !== expected) throw new Error(`${domain}: ${JSON.stringify(attempts)}`);
  return { elapsedMs, failureMs: expected === 1 ? 0 : (attempts[0]?.timings.endedMs ?? 0) };
}

function start(dialog: string, address: string, port = 0): Promise<MailHost> {
  return mailHosts.start(parseDialog(dialog, "failover"), { address, port, repeat: true });
}

function quantile(all: readonly number[], share: number): number {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
