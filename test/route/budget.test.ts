// The time that all hosts have together where a proxy takes some of it, and what of it is each one's.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { attempt } from "../../functions/route/attempt.ts";
import { probe } from "../../functions/route/attempts.ts";
import { startBudget, type Budget } from "../../functions/route/budget.ts";
import { direct, type Egress } from "../../functions/route/egress.ts";
import { unasked } from "../../functions/route/tls-demand.ts";
import { rawProxy, type TestProxy } from "../support/proxies.ts";
import { requestTo } from "../support/request.ts";

describe("a budget", () => {
  it("gives a share that is neither more than is left nor more than is asked for", () => {
    const budget = startBudget(60_000);
    fc.assert(
      fc.property(fc.integer({ min: -3, max: 500 }), fc.integer({ min: 0, max: 200_000 }), (parts, mostMs) => {
        const share = budget.shareMs(parts, mostMs);
        assert.ok(share >= 0 && share <= mostMs && share <= 60_000 / Math.max(1, parts));
      }),
    );
    budget.end();
    assert.equal(budget.over.aborted, true);
  });

  it("has nothing left where nobody could answer in what is left", () => {
    for (const [totalMs, isLeft] of [
      [0, false],
      [99, false],
      [60_000, true],
    ] as const) {
      // prettier-ignore
      const budget = startBudget(totalMs);
      assert.equal(budget.leftMs() > 0, isLeft, `${totalMs} ms`);
      assert.equal(budget.shareMs(1, 1_000) > 0, isLeft, `${totalMs} ms`);
      budget.end();
    }
  });
});

describe("a session through a proxy", () => {
  const established = "HTTP/1.1 200 ok\r\n\r\n";

  it("has what the tunnel left of the time, not all of it once more", async () => {
    await using proxy = await rawProxy(async (peer) => {
      await peer.receivedHead();
      await delay(1_000);
      peer.say(established);
    });
    const request = requestTo(["one@to.test"], [{ name: "127.0.0.2", port: 25 }], { egress: through(proxy) });
    const { attempts } = await probe({ ...request, timeoutMs: 2_000, budgetMs: 2_000 });
    assert.deepEqual(
      attempts.map(({ ending }) => [ending.by, ending.stage]),
      [["deadline", "greeting"]],
    );
    const [, limit] = /our limit of ([\d.]+) s for the session/.exec(attempts[0]?.ending.text ?? "") ?? [];
    assert.ok(Number(limit) <= 1.1, attempts[0]?.ending.text);
  });

  it("is not begun where the tunnel left nothing, and the host is told not to have been asked", async () => {
    await using proxy = await rawProxy(async (peer) => {
      await peer.receivedHead();
      leftMs = 0;
      peer.say(established);
    });
    let leftMs = 30_000;
    const budget: Budget = { ...startBudget(0), totalMs: 30_000, leftMs: () => leftMs, shareMs: (_, mostMs) => mostMs };
    const transcripts = await attempt({
      peer: { name: "mx.to.test", address: "127.0.0.2", port: 25 },
      request: requestTo(["one@to.test"], null, { egress: through(proxy) }),
      recipients: ["one@to.test"],
      demand: unasked("never"),
      budget,
      parts: 1,
    });
    assert.deepEqual(
      transcripts.map(({ stop, timings }) => [stop?.reason, stop?.text, timings.connectedMs]),
      [["out-of-time", "not asked: the 30 s for all hosts together were over", null]],
    );
  });
});

function through({ host, port }: TestProxy): Egress {
  const via = { type: "http-connect", host, port, tls: null, credentials: null, passesNames: false } as const;
  return { ...direct, name: "proxy", via };
}
