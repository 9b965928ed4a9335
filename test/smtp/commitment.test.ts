// That it is written down before a message is begun that it may be delivered: when the session asks for that, what it
// waits for, and what leaves where it was not. What a host sees of it, dialogs show.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { figuresOf } from "../../functions/report/figures.ts";
import { probe } from "../../functions/route/attempts.ts";
import type { ProbeRequest } from "../../functions/route/probe-request.ts";
import { commitmentTo } from "../../functions/smtp/commitment.ts";
import type { Verdict } from "../../functions/verdict/verdict.ts";
import { startLineHost, type LineHost } from "../support/line-host.ts";
import { requestTo } from "../support/request.ts";

const message = Buffer.from("Subject: given\r\n\r\ntext\r\n");

interface Way {
  readonly extensions: readonly string[];
  /** What is not said before it is written down, and what is. */
  readonly waits: string;
  readonly before: readonly string[];
  readonly stage: string;
  readonly own?: null;
}

const verbsBefore = ["EHLO", "MAIL", "RCPT"];

const ways: Readonly<Record<string, Way>> = {
  "DATA in a group": { extensions: ["PIPELINING"], waits: "MAIL", before: ["EHLO"], stage: "mail" },
  "DATA in lock-step": { extensions: [], waits: "DATA", before: verbsBefore, stage: "data" },
  "BDAT behind a group": {
    extensions: ["PIPELINING", "CHUNKING"],
    waits: "BDAT",
    before: verbsBefore,
    stage: "message",
  },
  "BDAT in lock-step": { extensions: ["CHUNKING"], waits: "BDAT", before: verbsBefore, stage: "message" },
  "our own message, BDAT in the group": {
    extensions: ["PIPELINING", "CHUNKING"],
    waits: "MAIL",
    before: ["EHLO"],
    stage: "mail",
    own: null,
  },
};

const refusals: Readonly<Record<string, () => Promise<boolean>>> = {
  "a no": async () => await Promise.resolve(false),
  "a no after the replies": async () => {
    await delay(200);
    return false;
  },
  "a rejection": async () => await Promise.reject(new Error("the table does not answer")),
};

for (const [name, way] of Object.entries(ways)) {
  describe(name, () => {
    const more: Partial<ProbeRequest> = { message: way.own === null ? null : message };

    it("is asked for while the answer to EHLO is still awaited, once", async () => {
      const asked = Promise.withResolvers<void>();
      let count = 0;
      await using host = await startLineHost({
        extensions: way.extensions,
        // A session that asks later would never have its answer.
        answer: async (command) => {
          if (command.startsWith("EHLO")) await asked.promise;
          return null;
        },
      });
      const commit = async (): Promise<boolean> => {
        count += 1;
        asked.resolve();
        return await Promise.resolve(true);
      };
      const verdict = await send([host], { ...more, commit });
      assert.deepEqual([verdict.outcome, verdict.primary.stage, count], ["accepted", "message", 1]);
    });

    it(`is awaited before ${way.waits}, and what comes before does not wait`, async () => {
      await using host = await startLineHost({ extensions: way.extensions });
      let saidBefore: readonly string[] = [];
      const commit = async (): Promise<boolean> => {
        await delay(300);
        saidBefore = verbs(host);
        return true;
      };
      const verdict = await send([host], { ...more, commit });
      assert.equal(verdict.outcome, "accepted");
      assert.deepEqual(saidBefore, way.before);
      assert.ok(verbs(host).includes(way.waits));
      assert.equal(host.messages.length, 1);
    });

    for (const [what, commit] of Object.entries(refusals)) {
      it(`${what}: no message is begun, QUIT is said, nobody else is asked, and no provider is blamed`, async () => {
        await using host = await startLineHost({ extensions: way.extensions });
        await using other = await startLineHost({ extensions: way.extensions });
        const verdict = await send([host, other], { ...more, commit });
        assert.deepEqual(verbs(host), [...way.before, "QUIT"]);
        assert.deepEqual([host.messages.length, other.connections()], [0, 0]);
        const { outcome, primary, attempts } = verdict;
        assert.deepEqual([outcome, primary.stage, primary.code], ["unanswered", way.stage, null]);
        assert.deepEqual([attempts.length, attempts[0]?.stop?.reason], [1, "uncommitted"]);
        assert.equal(attempts[0]?.ending.by, "quit");
        assert.deepEqual(alarming(verdict), []);
      });
    }
  });
}

describe("how often it is asked for", () => {
  it("never, of a probe that sends no message", async () => {
    await using host = await startLineHost({ extensions: ["PIPELINING"] });
    let count = 0;
    const commit = async (): Promise<boolean> => await Promise.resolve((count += 1) > 0);
    const verdict = await send([host], { depth: "rcpt", commit });
    assert.deepEqual([verdict.outcome, count], ["accepted", 0]);
  });

  it("once a session, of those that a request leads to", async () => {
    let count = 0;
    await using host = await startLineHost({
      extensions: ["PIPELINING"],
      answer: (command) =>
        count === 1 && command.startsWith("MAIL") ? "554 5.5.0 improper pipelining is not wanted here" : null,
    });
    const commit = async (): Promise<boolean> => await Promise.resolve((count += 1) > 0);
    const verdict = await send([host], { message, commit });
    assert.deepEqual([verdict.outcome, verdict.attempts.length, count], ["accepted", 2, 2]);
  });

  it("never, where the host refuses us before anything leaves", async () => {
    let count = 0;
    await using host = await startLineHost({ extensions: [], greeting: "554 5.7.1 no service for your address" });
    const commit = async (): Promise<boolean> => await Promise.resolve((count += 1) > 0);
    const verdict = await send([host], { message, commit });
    assert.deepEqual([verdict.outcome, verdict.primary.stage, count], ["rejected", "greeting", 0]);
  });

  it("never, where the host speaks out of turn before anything leaves", async () => {
    let count = 0;
    await using host = await startLineHost({
      extensions: [],
      greeting: "220 mx.example ESMTP\r\n421 4.3.2 no, not now",
    });
    const commit = async (): Promise<boolean> => await Promise.resolve((count += 1) > 0);
    const verdict = await send([host], { message, commit });
    assert.deepEqual([verdict.outcome, verdict.primary.code, count], ["deferred", 421, 0]);
  });

  it("once, however often the session looks: behind STARTTLS there is a second EHLO", async () => {
    let count = 0;
    const committed = commitmentTo(async () => await Promise.resolve((count += 1) > 0));
    assert.deepEqual([await committed.made(["a"]), await committed.made(["a"]), count], [true, true, 1]);
  });

  it("of a session that is over is not made any more, though it was asked for while another was on its way", async () => {
    const asked: (readonly string[])[] = [];
    const first = Promise.withResolvers<boolean>();
    const commitment = commitmentTo(async (recipients) => {
      asked.push(recipients);
      return await first.promise;
    });
    const all = commitment.made(["a", "b"]);
    const some = commitment.made(["a"]);
    commitment.close();
    first.resolve(true);
    assert.deepEqual([await all, await some, asked], [true, false, [["a", "b"]]]);
  });
});

it("a host that failed before is not blamed either, where our own fault ended the search", async () => {
  const gone = await startLineHost({ extensions: [] });
  await gone[Symbol.asyncDispose]();
  await using host = await startLineHost({ extensions: ["PIPELINING"] });
  const verdict = await send([gone, host], { message, commit: async () => await Promise.resolve(false) });
  assert.deepEqual([verdict.outcome, verdict.attempts.length], ["unanswered", 2]);
  assert.deepEqual(alarming(verdict), []);
});

function send(hosts: readonly Pick<LineHost, "address" | "port">[], more: Partial<ProbeRequest>): Promise<Verdict> {
  const named = hosts.map(({ address, port }) => ({ name: address, port }));
  return probe(requestTo(["someone@mx.example"], named, { depth: "message", ...more }));
}

function verbs({ commands }: LineHost): readonly string[] {
  return commands.map((each) => each.split(" ")[0] ?? "");
}

/** The figures by which somebody would be woken. */
function alarming(verdict: Verdict): readonly string[] {
  const figures = figuresOf(verdict, { provider: "other", egress: "direct" }, null);
  const names = new Set(["Unanswered", "Unreachable", "Rejected", "Rejections", "Refused", "Blocked"]);
  return figures.filter(({ name, value }) => names.has(name) && value > 0).map(({ name }) => name);
}
