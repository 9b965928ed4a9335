// The bench of sends can fail: whatever breaks a promise, its ledger and what was told give away.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { probe } from "../../functions/route/attempts.ts";
import { startHosts } from "../bench/sends/hosts.ts";
import { Ledger } from "../bench/sends/ledger.ts";
import { actOf, sendsOf, shares, words, type Act, type PlannedSend } from "../bench/sends/plan.ts";
import { findingsOf } from "../bench/sends/promises.ts";
import type { Result } from "../bench/sends/results.ts";
import { requestTo } from "../support/request.ts";

const seed = "promises";
const sends = sendsOf(400, seed);

interface Lie {
  readonly name: string;
  /** What is done to a world in which everything is as promised. */
  readonly tell: (world: World) => void;
  readonly says: RegExp;
}

interface World {
  readonly ledger: Ledger;
  readonly results: Result[];
}

const accepting = withAct("accept");
const refusing = withAct("refuse");
const stamped = besideRefused();
const lies: readonly Lie[] = [
  {
    name: "a recipient that got it twice",
    tell: ({ ledger }) => ledger.take([accepting.recipient], copyOf(accepting.send)),
    says: /delivered, and taken 2 times/,
  },
  {
    name: "a recipient that got it and is told unknown, twice",
    tell: ({ ledger, results }) => {
      ledger.take([accepting.recipient], copyOf(accepting.send));
      replace(results, accepting, { event: "unknown" });
    },
    says: /unknown, and taken 2 times/,
  },
  {
    name: "a recipient that is told to have it and has not",
    tell: ({ results }) => replace(results, refusing, { event: "delivered" }),
    says: /delivered, and taken 0 times/,
  },
  {
    name: "a recipient of which nothing was told",
    tell: ({ results }) => void results.splice(indexOf(results, accepting), 1),
    says: /nothing final was told/,
  },
  {
    name: "a recipient that was told two ends",
    tell: ({ results }) => results.push(resultOf(accepting, { event: "unknown" })),
    says: /told delivered and unknown/,
  },
  {
    name: "a refusal in other words than the host's",
    tell: ({ results }) => replace(results, refusing, { reason: "connection reset" }),
    says: /its host's words are not told/,
  },
  {
    name: "a refusal that no host has said",
    tell: ({ results }) => replace(results, accepting, { event: "failed" }),
    says: /failed, and taken 1 times|failed, though its host takes it/,
  },
  {
    name: "a refusal of another recipient, stamped on this one",
    tell: ({ results }) => replace(results, stamped, { event: "failed", reason: words.refuse.rcpt }),
    says: /failed, though its host takes it/,
  },
  {
    name: "a message that was changed on its way",
    tell: ({ ledger }) => ledger.take([accepting.recipient], Buffer.from("Message-ID: <a@b>\r\n\r\nother\r\n")),
    says: /it came otherwise than it was sent/,
  },
  {
    name: "a message for somebody to whom nobody sent one",
    tell: ({ ledger }) => ledger.take(["send-0@p9.example"], copyOf(accepting.send)),
    says: /nobody sent it anything/,
  },
  {
    name: "an event under another id",
    tell: ({ results }) => replace(results, accepting, { eventId: "0".repeat(64) }),
    says: /another eventId/,
  },
  {
    name: "attempts without times",
    tell: ({ results }) => replace(results, accepting, { attempts: 2 }),
    says: /2 attempts, and 1 times/,
  },
];

test("where every promise is kept, none is said to be broken", () => {
  const { broken, recipients, delivered, failed } = findingsOf({ sends, seed, ...promised() });
  assert.deepEqual(broken, []);
  assert.equal(delivered + failed, recipients);
});

for (const { name, tell, says } of lies) {
  test(`found out: ${name}`, () => {
    const world = promised();
    tell(world);
    const { broken } = findingsOf({ sends, seed, ...world });
    assert.match(broken.join("\n"), says);
  });
}

test("a host's ledger has a message that is sent twice twice, as it was sent", async () => {
  const { send, recipient } = accepting;
  const ledger = new Ledger(() => send.message);
  await using hosts = await startHosts({
    howMany: 1,
    ledger,
    actOf: () => ({ kind: "accept" }),
    onStep: () => {},
  });
  const port = Number(hosts.addresses[0]?.split(":")[1]);
  const asked = { depth: "message", message: copyOf(send), from: send.from } as const;
  for (let times = 0; times < 2; times++) await probe(requestTo([recipient], [{ name: "127.0.0.1", port }], asked));
  assert.deepEqual(
    ledger.of(recipient).map(({ isWhole }) => isWhole),
    [true, true],
  );
});

test("a host does what the plan says, and each share of it comes up", async () => {
  const acts: readonly Act[] = sends.flatMap(({ to }) => to.map((each) => actOf(each, seed)));
  const share = (kind: Act["kind"]): number => acts.filter((each) => each.kind === kind).length / acts.length;
  assert.ok(Math.abs(share("defer") - shares.defer) < 0.06, `${share("defer")} put off`);
  assert.ok(Math.abs(share("refuse") - shares.refuse) < 0.03, `${share("refuse")} refuse`);
  assert.ok(Math.abs(share("reset") - shares.reset) < 0.03, `${share("reset")} cut off`);
});

interface Chosen {
  readonly send: PlannedSend;
  readonly recipient: string;
}

/** Of those that are alone at their domain. */
function withAct(kind: Act["kind"]): Chosen {
  const send = sends.find(({ to: [first = "", ...others] }) => others.length === 0 && actOf(first, seed).kind === kind);
  const [recipient = ""] = send?.to ?? [];
  if (send === undefined) throw new Error(`nobody has the act ${kind}`);
  return { send, recipient };
}

/** The second of two at one domain, of which the first is refused at RCPT. */
function besideRefused(): Chosen {
  for (const send of sends) {
    const [first = "", second = ""] = send.to;
    const [act, own] = [actOf(first, seed), actOf(second, seed)];
    const isSo = act.kind === "refuse" && act.at === "rcpt" && own.kind === "accept" && second.includes("-second@");
    if (isSo) return { send, recipient: second };
  }
  throw new Error("nobody is beside one who is refused");
}

/** As if nobody had been killed, and nothing cut off in the window. */
function promised(): World {
  const bySender = new Map(sends.flatMap((send) => send.to.map((each) => [each, send.message] as const)));
  const ledger = new Ledger((recipient) => bySender.get(recipient) ?? null);
  const results: Result[] = [];
  for (const send of sends) {
    for (const recipient of send.to) {
      const refusal = refusalOf(recipient);
      const event = refusal === null ? "delivered" : "failed";
      if (refusal === null) ledger.take([recipient], copyOf(send));
      results.push(resultOf({ send, recipient }, { event, reason: `550 ${refusal ?? ""}` }));
    }
  }
  return { ledger, results };
}

/** A refusal of the message is for both of a domain. */
function refusalOf(recipient: string): string | null {
  const own = actOf(recipient, seed);
  if (own.kind === "refuse") return words.refuse[own.at];
  const leader = actOf(recipient.replace("-second@", "@"), seed);
  return leader.kind === "refuse" && leader.at === "message" ? words.refuse.message : null;
}

function copyOf({ message }: PlannedSend): Buffer {
  const named = message.includes("Message-ID: ") ? "" : "Message-ID: <ours@sender.example>\r\n";
  return Buffer.concat([Buffer.from(named), message]);
}

function resultOf({ send: { id }, recipient }: Chosen, more: Partial<Result>): Result {
  const { event = "delivered" } = more;
  const eventId = createHash("sha256")
    .update(JSON.stringify([id, recipient, event]))
    .digest("hex");
  return { eventId, id, recipient, event, attempts: 1, attemptTimes: ["2026-01-01T00:00:00Z"], reason: "", ...more };
}

function indexOf(results: readonly Result[], { recipient }: Chosen): number {
  return results.findIndex((each) => each.recipient === recipient);
}

function replace(results: Result[], chosen: Chosen, more: Partial<Result>): void {
  const index = indexOf(results, chosen);
  const { event = "delivered", reason = "" } = results[index] ?? {};
  results[index] = resultOf(chosen, { event, reason, ...more });
}
