// The exit statuses: of the hosts of one domain, and of several domains.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { exitStatusOf, outcomeAcrossHosts } from "../../functions/cli/exit.ts";
import type { Outcome } from "../../functions/verdict/reconcile.ts";

const anyOutcome = fc.constantFrom<Outcome>("accepted", "rejected", "deferred", "unanswered", "unknown");

describe("of all hosts of a domain", () => {
  const rows: readonly (readonly [outcomes: readonly Outcome[], tells: Outcome])[] = [
    [["accepted", "accepted"], "accepted"],
    [["accepted", "unanswered"], "unanswered"],
    [["accepted", "unknown", "unanswered"], "unknown"],
    [["unanswered", "deferred", "accepted"], "deferred"],
    [["unanswered", "deferred", "rejected", "unknown"], "rejected"],
    [["unanswered", "rejected"], "rejected"],
  ];
  for (const [outcomes, tells] of rows) {
    it(`${outcomes.join(", ")}: ${tells}`, () => assert.equal(outcomeAcrossHosts(outcomes), tells));
  }

  it("the order of the hosts is nothing to it, a refusal is never hidden, and a yes is one of all", () => {
    fc.assert(
      fc.property(fc.array(anyOutcome, { minLength: 1 }), (outcomes) => {
        const tells = outcomeAcrossHosts(outcomes);
        assert.ok(outcomes.includes(tells));
        assert.equal(outcomeAcrossHosts(outcomes.toReversed()), tells);
        assert.equal(tells === "rejected", outcomes.includes("rejected"));
        assert.equal(
          tells === "accepted",
          outcomes.every((each) => each === "accepted"),
        );
      }),
    );
  });
});

describe("of several domains", () => {
  const rows: readonly (readonly [outcomes: readonly Outcome[], status: number])[] = [
    [["accepted"], 0],
    [["rejected", "accepted"], 1],
    [["rejected", "deferred"], 2],
    [["rejected", "unanswered"], 3],
    [["unknown", "deferred"], 3],
  ];
  for (const [outcomes, status] of rows) {
    it(`${outcomes.join(", ")}: the highest, ${status}`, () => assert.equal(exitStatusOf(outcomes), status));
  }
});
