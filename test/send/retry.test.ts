// How long is waited after which answer: the first hours of each class, and what holds for all.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { jitter, plainWaitMs, retryAfterMs } from "../../functions/send/retry.ts";
import { classes, type Class } from "../../functions/verdict/classes.ts";
import type { LastWord } from "../../functions/verdict/last-word.ts";

type Said = Pick<LastWord, "outcome" | "class">;

const deferred = (kind: Class): Said => ({ outcome: "deferred", class: kind });
const doubling = [10, 20, 40, 80, 160, 240, 240];
const reputation = [30, 60, 120, 240, 240];

/** In minutes, from the first attempt on. */
const rows: readonly (readonly [name: string, said: Said, minutes: readonly number[]])[] = [
  ["what is usual", deferred("system-error"), doubling],
  ["a refusal without a reason", deferred("unspecified"), doubling],
  ["no answer", { outcome: "unanswered", class: "network" }, [5, 10, 20, 40, 80, 160, 240, 240]],
  ["a TLS that fails, which is no answer either", { outcome: "unanswered", class: "tls" }, [5, 10, 20]],
  ["a TLS that is asked for", deferred("tls"), doubling],
  ["who may have the message already", { outcome: "unknown", class: "network" }, doubling],
  ["greylisting", deferred("greylist"), [6, 6, 6, 10, 20, 40, 80, 160, 240, 240]],
  ["a rate limit", deferred("rate-limit"), [30, 60, 120, 240, 360, 360]],
  ["a full mailbox", deferred("mailbox-full"), [60, 120, 240, 480, 480]],
  ["a block of the IP", { outcome: "rejected", class: "ip-reputation" }, reputation],
  ["a PTR that is missing", deferred("reverse-dns"), reputation],
  ["a block of the domain", deferred("domain-reputation"), reputation],
  ["a signature that is missing", { outcome: "rejected", class: "authentication" }, reputation],
];

suite("the wait for the next attempt", () => {
  for (const [name, said, minutes] of rows) {
    test(`after ${name}: ${minutes.join(", ")} minutes`, () => {
      const waits = minutes.map((_, index) => retryAfterMs(said, index + 1, () => 0.5) / 60_000);
      assert.deepEqual(waits, minutes);
    });
  }

  test("a day of what is usual has some ten attempts", () => {
    let [attempts, atMs] = [1, 0];
    while ((atMs += plainWaitMs(deferred("system-error"), attempts)) < 86_400_000) attempts += 1;
    assert.ok(attempts >= 8 && attempts <= 12, `${attempts}`);
  });

  const saids = fc.record<Said>({
    outcome: fc.constantFrom("rejected", "deferred", "unanswered", "unknown"),
    class: fc.constantFrom(null, ...(Object.keys(classes) as Class[])),
  });
  const randoms = fc.double({ min: 0, max: 1, noNaN: true });

  test("it is minutes at least, hours at most, and whole milliseconds, whatever was said however often", () => {
    fc.assert(
      fc.property(saids, fc.nat(), randoms, (said, attempts, random) => {
        const waitMs = retryAfterMs(said, attempts, () => random);
        assert.ok(Number.isInteger(waitMs));
        assert.ok(waitMs >= 5 * 60_000 * (1 - jitter) && waitMs <= 8 * 3_600_000 * (1 + jitter), `${waitMs}`);
      }),
    );
  });

  test("the more attempts, the longer it is", () => {
    fc.assert(
      fc.property(saids, fc.nat(2_000), (said, attempts) => {
        assert.ok(plainWaitMs(said, attempts) <= plainWaitMs(said, attempts + 1));
      }),
    );
  });

  test("the jitter takes or adds a fifth at most, by the number that is drawn", () => {
    fc.assert(
      fc.property(saids, fc.nat(50), randoms, (said, attempts, random) => {
        const ratio = retryAfterMs(said, attempts, () => random) / plainWaitMs(said, attempts);
        assert.ok(Math.abs(ratio - (0.8 + 0.4 * random)) < 1e-5, `${ratio}`);
      }),
    );
  });
});
