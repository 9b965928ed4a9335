// What is said of the TLS policies beside the answer.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DomainPolicy } from "../../functions/smtp/transcript.ts";
import { policyNotes } from "../../functions/verdict/policy-note.ts";

const enforced: DomainPolicy = { by: "mta-sts", mode: "enforce", text: "the policy", fault: null };

// prettier-ignore
const rows: readonly (readonly [what: string, policies: readonly (DomainPolicy | null)[], notes: readonly string[]])[] = [
  ["nobody looked",          [null], []],
  ["all is as it asks",      [enforced], []],
  ["there is none",          [{ ...enforced, mode: "none", text: "no policy" }], []],
  ["it is not known, told once", [{ ...enforced, mode: "unknown", text: "no file" }, { ...enforced, mode: "unknown", text: "no file" }],
    ["MTA-STS is not known, and nothing was asked of TLS: no file"]],
  ["DANE is not known",      [{ ...enforced, by: "dane", mode: "unknown", text: "no DNSSEC" }],
    ["DANE is not known, and nothing was asked of TLS: no DNSSEC"]],
  ["testing",                [{ ...enforced, mode: "testing", fault: "expired" }],
    ["mx0.example is not as MTA-STS asks, which refuses nothing while it is in testing: expired"]],
  ["one host of two fails",  [{ ...enforced, fault: "expired" }, enforced], ["mx0.example is not as MTA-STS asks: expired"]],
  ["what the primary says",  [{ ...enforced, fault: "a wrong name" }], []],
];

describe("a note on the TLS policy", () => {
  for (const [what, policies, notes] of rows) {
    it(what, () => {
      const attempts = policies.map((policy, index) => ({ host: `mx${index}.example`, policy }));
      assert.deepEqual(
        policyNotes({ primary: { text: "no: a wrong name; asked for by the policy" }, attempts }),
        notes,
      );
    });
  }
});
