// Time limits and aborts that fall due while the event loop is busy and the reply already lies in the kernel.
import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import net from "node:net";
import { after, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { onAbort, startLimit, type Limit } from "../../functions/smtp/limit.ts";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import { MailHosts } from "../../infra/local/mail/mail-host.ts";
import { block } from "../support/busy.ts";

const hosts = new MailHosts();
after(() => hosts.close());

const dialog = parseDialog(
  "# A reply 20 ms after the greeting\nS: 220 mx\nS! wait 20ms\nS: 550 5.7.1 blocked\nS! hang",
  "limit",
);

/**
 * Arms a limit when the greeting is read, and is then busy until long after the limit and the reply. Tells what came
 * first.
 */
async function race(arm: (received: () => number, expire: () => void) => Limit): Promise<"reply" | "expired"> {
  await using host = await hosts.start(dialog);
  const socket = net.connect(host.port, host.address);
  let received = 0;
  let limit: Limit | null = null;
  const first = await new Promise<"reply" | "expired">((resolve) => {
    socket.on("data", (octets) => {
      received += octets.length;
      if (limit !== null) return resolve("reply");
      limit = arm(
        () => received,
        () => resolve("expired"),
      );
      block(100);
    });
  });
  (limit as Limit | null)?.cancel();
  socket.destroy();
  await once(socket, "close");
  return first;
}

describe("a reply that lay in the kernel when time was up", () => {
  it("is masked by a plain timer: what these limits are for", async () => {
    const plain = await race((_, expire) => {
      const timer = setTimeout(expire, 50);
      return { cancel: () => clearTimeout(timer) };
    });
    assert.equal(plain, "expired");
  });

  it("is found by a limit", async () => {
    for (let count = 0; count < 5; count += 1) {
      assert.equal(await race((received, expire) => startLimit(50, received, expire)), "reply");
    }
  });

  it("is found at an abort", async () => {
    for (let count = 0; count < 5; count += 1) {
      const abort = new AbortController();
      const arm = (received: () => number, expire: () => void): Limit => {
        setTimeout(() => abort.abort(), 50);
        return onAbort(abort.signal, received, expire);
      };
      assert.equal(await race(arm), "reply");
      assert.equal(getEventListeners(abort.signal, "abort").length, 0);
    }
  });

  it("is found at an AbortSignal's own time-out", async () => {
    assert.equal(await race((received, expire) => onAbort(AbortSignal.timeout(50), received, expire)), "reply");
  });
});

describe("a limit", () => {
  it("expires where nothing comes, once, and not before its time", async () => {
    const started = performance.now();
    const expired = await new Promise<number>((resolve) =>
      startLimit(
        30,
        () => 0,
        () => resolve(performance.now()),
      ),
    );
    assert.ok(expired - started >= 29, `${expired - started}`);
    let count = 0;
    startLimit(
      1,
      () => 0,
      () => (count += 1),
    );
    await delay(100);
    assert.equal(count, 1);
  });

  it("expires though a peer never stops sending", async () => {
    let octets = 0;
    await new Promise<void>((resolve) => startLimit(1, () => (octets += 1), resolve));
    assert.ok(octets > 2, "it looked again");
    assert.ok(octets < 1_000, "and not for ever");
  });

  it("does not expire when it was cancelled: at once, or during the second look", async () => {
    let count = 0;
    startLimit(
      5,
      () => 0,
      () => (count += 1),
    ).cancel();
    const limit = startLimit(
      1,
      () => 0,
      () => (count += 1),
    );
    // The first look is what asks; there the reply has just been read, and the limit is no more.
    const looked = startLimit(
      1,
      () => (looked.cancel(), 0),
      () => (count += 1),
    );
    limit.cancel();
    await delay(50);
    assert.equal(count, 0);
  });

  it("of more milliseconds than a timer knows is none that fires at once, and one that is over fires", async () => {
    let count = 0;
    const long = startLimit(
      2 ** 40,
      () => 0,
      () => (count += 1),
    );
    await delay(30);
    long.cancel();
    assert.equal(count, 0);
    await new Promise<void>((resolve) => startLimit(-5, () => 0, resolve));
  });

  it("counts its quiet turns anew with whatever comes during its second look", async () => {
    // One octet a turn of the loop, five turns long, from the first look on.
    let octets = 0;
    const arrive = (): void => {
      octets += 1;
      if (octets < 5) setImmediate(arrive);
    };
    let isLooking = false;
    const received = (): number => {
      if (!isLooking) setImmediate(arrive);
      isLooking = true;
      return octets;
    };
    await new Promise<void>((resolve) => startLimit(1, received, resolve));
    assert.equal(octets, 5);
  });
});

describe("an abort", () => {
  it("that was there before counts", async () => {
    await new Promise<void>((resolve) => onAbort(AbortSignal.abort(), () => 0, resolve));
  });

  it("that was there before can be cancelled", async () => {
    let count = 0;
    onAbort(
      AbortSignal.abort(),
      () => 0,
      () => (count += 1),
    ).cancel();
    await delay(30);
    assert.equal(count, 0);
  });

  it("counts once, and leaves no listener", async () => {
    const abort = new AbortController();
    let count = 0;
    const limits = [1, 2, 3].map(() =>
      onAbort(
        abort.signal,
        () => 0,
        () => (count += 1),
      ),
    );
    assert.equal(getEventListeners(abort.signal, "abort").length, 3);
    limits[0]?.cancel();
    assert.equal(getEventListeners(abort.signal, "abort").length, 2);
    abort.abort();
    await delay(30);
    assert.equal(count, 2);
    assert.equal(getEventListeners(abort.signal, "abort").length, 0);
  });
});
