// Which reply is the right yes for which command, code by code (DESIGN §6 rule 5).
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reply } from "../../functions/smtp/reply.ts";
import type { Exchange } from "../../functions/smtp/transcript.ts";
import { isNegative, isWrongYes, isYes } from "../../functions/smtp/yes.ts";

const codes = [100, 199, 200, 220, 221, 250, 251, 252, 253, 299, 300, 334, 354, 399, 600, 699, 700, 999];
const positive = [200, 220, 221, 250, 251, 252, 253, 299];
const intermediate = [300, 334, 354, 399];

/** Per stage: the codes that are its yes. 220 is a greeting and 221 a farewell, and neither is anybody else's. */
const yeses: Readonly<Record<Exchange["stage"], readonly number[]>> = {
  dns: [],
  connect: [],
  greeting: positive.filter((code) => code !== 221),
  ehlo: positive.filter((code) => code !== 220 && code !== 221),
  starttls: positive.filter((code) => code !== 221),
  tls: [],
  mail: positive.filter((code) => code !== 220 && code !== 221),
  rcpt: positive.filter((code) => code !== 220 && code !== 221),
  data: intermediate,
  message: positive.filter((code) => code !== 220 && code !== 221),
  quit: positive,
};

const refusals = [400, 421, 450, 452, 499, 500, 503, 550, 554, 599];
const stages = Object.keys(yeses) as Exchange["stage"][];

describe("a yes", () => {
  for (const stage of stages) {
    it(`to ${stage}`, () => {
      const right = codes.filter((code) => isYes({ stage, reply: reply(code) }));
      const wrong = codes.filter((code) => isWrongYes({ stage, reply: reply(code) }));
      assert.deepEqual(right, yeses[stage]);
      assert.deepEqual(
        wrong,
        codes.filter((code) => !right.includes(code)),
      );
    });
  }

  it("is no refusal, and a refusal is none of either", () => {
    for (const stage of stages) {
      for (const code of refusals) {
        assert.equal(isNegative(reply(code)), true);
        assert.equal(isYes({ stage, reply: reply(code) }), false);
        assert.equal(isWrongYes({ stage, reply: reply(code) }), false);
      }
    }
    assert.deepEqual(
      codes.filter((code) => isNegative(reply(code))),
      [],
    );
    assert.equal(isNegative(null), false);
  });

  it("is complete: a partial reply and silence are none", () => {
    for (const stage of stages) {
      for (const code of [...codes, ...refusals]) {
        assert.equal(isYes({ stage, reply: reply(code, true) }), false);
        assert.equal(isWrongYes({ stage, reply: reply(code, true) }), false);
      }
      assert.equal(isYes({ stage, reply: null }), false);
      assert.equal(isWrongYes({ stage, reply: null }), false);
    }
  });

  it("a refusal that was cut is one", () => assert.equal(isNegative(reply(550, true)), true));
});

function reply(code: number, partial = false): Reply {
  return { code, status: null, lines: [`${code} text`], partial, anomalies: [] };
}
