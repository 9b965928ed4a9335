// What sessions say of port 25, as data; over real sockets, self-check.test.ts has it. And the session that is asked for.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { direct, EgressFault } from "../../functions/route/egress.ts";
import { checkPort25, reachHosts, type Reach } from "../../functions/self-check/port-25.ts";
import { reachRequest } from "../../functions/self-check/reach.ts";
import type { Standing } from "../../functions/self-check/found.ts";
import type { SelfCheckOptions } from "../../functions/self-check/options.ts";
import { parseAddress } from "../../functions/smtp/address.ts";
import type { Ending, Stop, Transcript } from "../../functions/smtp/transcript.ts";
import { judge } from "../../functions/verdict/verdict.ts";
import { exchange, greeting, listed, transcript } from "../cli/sample.ts";
import { assertFound } from "./setup.ts";

function unconnected(by: Ending["by"], text: string, stop: Stop | null = null): Transcript {
  return transcript([], {
    stop,
    ending: { by, stage: stop?.stage ?? "connect", text },
    timings: { connectedMs: null, decidedMs: 1, endedMs: 1 },
  });
}

const greets = transcript([greeting]);
const refused = unconnected("failed", "no connection: ECONNREFUSED");
const late = unconnected("timeout", "no connection within 30 s");
const guarded = unconnected("failed", "guarded", { reason: "guarded", stage: "connect", status: null, text: "mx.example leads to 127.0.0.1 (loopback)" }); // prettier-ignore
const proxy = unconnected("failed", "", { reason: "proxy-refused", stage: "connect", status: null, text: "the proxy says 403" }); // prettier-ignore
const mute = transcript([exchange("greeting", null, null)], { ending: { by: "timeout", stage: "greeting", text: "no answer" } }); // prettier-ignore

const old = transcript([greeting, exchange("ehlo", "EHLO probe.example", "502 what?"), exchange("ehlo", "HELO probe.example", "250 mx.example")], { depth: "ehlo" }); // prettier-ignore
const spared = (domain: string): Reach["unasked"][number] => ({ domain, unasked: `${domain} is spared` });

const reach = (...attempts: readonly Transcript[]): Reach => ({ attempts, unasked: [], egressFault: null });

// prettier-ignore
const rows: readonly (readonly [
  what: string, reach: Reach, ask: readonly string[], standing: Standing, says: RegExp, doing?: RegExp,
])[] = [
  ["a host greets",                    reach(greets), ["a.example"], "ok", /^mx\.example \[127\.0\.0\.1\] answers on port 25$/],
  ["a host refuses in its greeting",   reach(refused, listed), ["a.example"], "ok", /^mx01\.mail\.icloud\.com \[192\.0\.2\.25\] answers/],
  ["a host refuses, and its words are told", reach(refused, listed), ["a.example"], "ok", /; mx01\.mail\.icloud\.com \[192\.0\.2\.25\] said at greeting: 554 5\.7\.1 203\.0\.113\.9 is listed in zen\.spamhaus\.org$/],
  ["a host refuses, and the next greets", reach(listed, greets), ["a.example"], "ok", /^mx01\.\S+ \[192\.0\.2\.25\] answers on port 25; mx01\.\S+ \[192\.0\.2\.25\] said at greeting: 554 5\.7\.1 [^,]*$/],
  ["a host knows no EHLO, and takes HELO", reach(old), ["a.example"], "ok", /^mx\.example \[127\.0\.0\.1\] answers on port 25$/],
  ["nobody may be asked now",          { ...reach(), unasked: [spared("a.example"), spared("b.example")] }, ["a.example", "b.example"], "unknown", /^nobody could be asked: a\.example is spared, b\.example is spared$/, /the next check asks again/],
  ["nobody of those asked is reached", { ...reach(refused), unasked: [spared("a.example")] }, ["a.example", "b.example"], "fault", /^no host of b\.example is reached on port 25:/],
  ["nobody is reached",                reach(refused, late), ["a.example", "b.example"], "fault", /^no host of a\.example, b\.example is reached on port 25: it is closed .*ECONNREFUSED\)$/, /^Ask whoever runs the network to open port 25, or send by a proxy whose network has it open; on AWS: https:\/\/\S+$/],
  ["the proxy does not let us",        reach(proxy, refused), ["a.example"], "fault", /^no host is reached through the proxy: the proxy says 403$/, /^See that the proxy runs/],
  ["a host is mute",                   reach(refused, mute), ["a.example"], "unknown", /takes connections on port 25, and no host greets: no answer$/, /firewall/],
  ["all are guarded",                  reach(guarded), ["a.example"], "unknown", /^no host could be asked: mx\.example leads to 127\.0\.0\.1/, /^Let the configuration have targets .* see that the resolver answers\.$/],
  ["nobody is to be asked",            reach(), [], "unknown", /^no domain is configured/, /^Let the configuration have targets/],
  ["this machine cannot leave",        { attempts: [], unasked: [], egressFault: "no such address" }, ["a.example"], "unknown", /^nobody could be asked/, /egress/],
];

describe("port 25", () => {
  for (const [what, reached, ask, standing, says, doing] of rows) {
    it(`${what}: ${standing}`, () => assertFound(checkPort25(reached, { ask }), standing, says, doing));
  }

  it("whoever runs the network is not sent to AWS: the link is told as AWS's", () => {
    assert.equal(checkPort25(reach(refused), { ask: ["a.example"] }).remedy?.url, null);
  });

  it("is asked of one domain after the other until a host greets, of three at most, or until we cannot leave", async () => {
    const openTo = async (...said: readonly (Transcript | "fault" | "spared")[]) => {
      const ask = said.map((_, at) => `d${at}.example`);
      const asked: string[] = [];
      const open: SelfCheckOptions["open"] = async (domain) => {
        asked.push(domain);
        const each = said[ask.indexOf(domain)] ?? "fault";
        if (each === "fault") throw new EgressFault("no such address");
        if (each === "spared") return { unasked: `${domain} is spared` };
        return await Promise.resolve(judge([each], direct));
      };
      const { attempts, egressFault } = await reachHosts({ ask, open } as unknown as SelfCheckOptions);
      return [asked.length, attempts.length, egressFault];
    };
    assert.deepEqual(await openTo(greets, greets), [1, 1, null]);
    assert.deepEqual(await openTo(refused, greets, greets), [2, 2, null]);
    assert.deepEqual(await openTo(refused, mute, late, greets), [3, 3, null]);
    assert.deepEqual(await openTo(refused, "fault", greets), [2, 1, "no such address"]);
    // Who is not to be asked now is none of the three.
    assert.deepEqual(await openTo("spared", refused, "spared", mute, late, greets), [5, 3, null]);
    assert.deepEqual(await openTo("spared", "spared", "spared", greets, greets), [4, 1, null]);
  });
});

describe("the session that is asked for", () => {
  const recipient = parseAddress("postmaster@a.example");
  assert.ok("text" in recipient);
  const given = {
    hosts: null,
    egress: direct,
    from: "probe@sender.example",
    helo: "probe.example",
    timeoutMs: 60_000,
    resolver: "192.0.2.53:53",
    allowPrivate: false,
    signal: null,
    progress: null,
  };

  it("goes up to EHLO in the clear, to the domain's own hosts, and asks for nobody", () => {
    const { depth, tls, hosts, allHosts, message, recipients } = reachRequest(recipient, given);
    assert.deepEqual({ depth, tls, hosts, allHosts, message }, { depth: "ehlo", tls: "never", hosts: null, allHosts: false, message: null }); // prettier-ignore
    assert.deepEqual(recipients, [recipient]);
  });

  it("ends within half a minute for all hosts, sooner where less is allowed or left", () => {
    const time = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(time, time, (timeoutMs, leftMs) => {
        const { budgetMs } = reachRequest(recipient, { ...given, timeoutMs }, leftMs);
        assert.equal(budgetMs, Math.min(30_000, timeoutMs, leftMs));
      }),
    );
    assert.equal(reachRequest(recipient, given).budgetMs, 30_000);
  });
});
