import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isOpen, type Delivery, type Recipient } from "../../functions/state/deliveries.ts";
import {
  afterAttempt,
  atTime,
  delayedAfterMs,
  dueAtMsOf,
  dueOf,
  failedAtHome,
  reasonFor,
  waiting,
} from "../../functions/send/outcome.ts";
import type { Exchange, Transcript } from "../../functions/smtp/transcript.ts";
import { judge, type Verdict } from "../../functions/verdict/verdict.ts";
import { ReplyParser } from "../../functions/smtp/reply.ts";

const start = new Date("2026-11-24T10:00:00.000Z");
const hourMs = 3_600_000;

const recipientOf = (address: string, more: Partial<Recipient> = {}): Recipient => {
  return { address, state: "waiting", nextAtMs: start.getTime(), attempts: [], word: null, ...more };
};

const deliveryOf = (recipients: readonly Recipient[], more: Partial<Delivery> = {}): Delivery => ({
  id: "order-1",
  domain: "there.example",
  egress: "aws",
  anyEgress: false,
  from: "us@sender.example",
  fromDomain: "sender.example",
  dkimDomain: null,
  onUnknown: "stop",
  priority: "normal",
  createdAt: start.toISOString(),
  expiresAtMs: start.getTime() + 24 * hourMs,
  attempts: [],
  recipients,
  heldBy: null,
  isDelayTold: false,
  untold: [],
  lease: null,
  wakeAtMs: null,
  written: "",
  ...more,
});

/** A session in which each recipient got such an answer; null: none came after the message was sent whole. */
const verdictOf = (answers: Readonly<Record<string, string>>, ending: string | null): Verdict => {
  const replyTo = (text: string) => new ReplyParser().push(Buffer.from(`${text}\r\n`))[0] ?? null;
  const said = (
    stage: Exchange["stage"],
    command: string | null,
    text: string | null,
    recipient: string | null = null,
  ) => ({
    stage,
    command,
    recipient,
    group: 1,
    written: true,
    sentMs: 0,
    reply: text === null ? null : replyTo(text),
    repliedMs: text === null ? null : 1,
  });
  const anybody = Object.values(answers).some((each) => each.startsWith("2"));
  const exchanges: Exchange[] = [
    said("greeting", null, "220 mx.there.example ESMTP"),
    said("ehlo", "EHLO us.example", "250 mx.there.example"),
    said("mail", "MAIL FROM:<us@sender.example>", "250 2.1.0 ok"),
    ...Object.entries(answers).map(([to, text]) => said("rcpt", `RCPT TO:<${to}>`, text, to)),
    ...(anybody ? [said("data", "DATA", "354 go on"), said("message", ".", ending)] : []),
  ];
  const transcript: Transcript = {
    host: "mx.there.example",
    address: "192.0.2.1",
    port: 25,
    localAddress: null,
    egressAddress: null,
    depth: "message",
    tlsPolicy: "never",
    policy: null,
    from: "us@sender.example",
    recipients: Object.keys(answers),
    retry: null,
    startedAt: start.toISOString(),
    tls: null,
    exchanges,
    stop: null,
    ending: { by: "fin", stage: "message", text: "connection closed" },
    timings: { connectedMs: 1, decidedMs: 2, endedMs: 3 },
  };
  return judge([transcript], { name: "aws", address: null });
};

const attemptOf = (number: number, offered: readonly string[], atMs = start.getTime()) => {
  return { number, at: new Date(atMs), egress: "aws", offered, random: () => 0.5 };
};

const reasonsIn = (delivery: Delivery): readonly string[] => delivery.untold.map((each) => reasonFor(each, delivery));

const accepted = "250 2.0.0 queued as 1";

const rows = [
  ["accepted", "250 2.1.5 ok", accepted, "delivered", "delivered", "250 2.0.0 queued"],
  ["refused for good", "550 5.1.1 no such user", null, "failed", "failed", "550 5.1.1 no such user"],
  ["refused with the message", "250 2.1.5 ok", "554 5.6.0 not like that", "failed", "failed", "554 5.6.0"],
  ["greylisted", "451 4.7.1 Greylisted, try again in 5 minutes", null, "waiting", null, ""],
  ["its host is busy", "452 4.3.1 insufficient system storage", null, "waiting", null, ""],
  ["never answered", "250 2.1.5 ok", null, "unknown", "unknown", ""],
  [
    "our IP is listed",
    "550 5.7.1 Service unavailable; client host [192.0.2.9] blocked using Spamhaus",
    null,
    "waiting",
    null,
    "",
  ],
  [
    "our domain is listed",
    "550 5.7.1 sender domain sender.example listed at dbl.spamhaus.org",
    null,
    "waiting",
    null,
    "",
  ],
] as const;

for (const [what, rcpt, message, state, event, words] of rows) {
  test(`a recipient that is ${what} is ${state} then`, () => {
    const to = "a@there.example";
    const before = deliveryOf([recipientOf(to)]);
    const after = afterAttempt(before, verdictOf({ [to]: rcpt }, message), attemptOf(1, [to]));
    const [recipient] = after.recipients;
    assert.equal(recipient?.state, state);
    assert.deepEqual(
      after.untold.map((each) => each.event),
      event === null ? [] : [event],
    );
    assert.ok(event === null || reasonsIn(after)[0]?.includes(words), reasonsIn(after)[0]);
    assert.ok(state !== "waiting" || (recipient?.nextAtMs ?? 0) > start.getTime());
    assert.equal(after.attempts.length, 1);
  });
}

test("nobody's answer is stamped on another, and who was not offered stays as it was", () => {
  const [a, b, c] = ["a@there.example", "b@there.example", "c@there.example"];
  const before = deliveryOf([recipientOf(a), recipientOf(b), recipientOf(c, { state: "delivered", attempts: [1] })]);
  const verdict = verdictOf({ [a]: "250 ok", [b]: "550 5.1.1 no such user" }, accepted);
  const after = afterAttempt(before, verdict, attemptOf(2, [a, b]));
  assert.deepEqual(
    after.recipients.map(({ state }) => state),
    ["delivered", "failed", "delivered"],
  );
  assert.deepEqual(after.recipients[2], before.recipients[2]);
  assert.deepEqual(
    after.untold.map(({ recipient, event }) => [recipient, event]),
    [
      [a, "delivered"],
      [b, "failed"],
    ],
  );
});

test("what is told at the end is the most telling answer of all attempts, not the last one", () => {
  const to = "a@there.example";
  const blocked = verdictOf(
    { [to]: "421 4.7.0 [TSS04] Messages from 192.0.2.9 temporarily deferred due to user complaints" },
    null,
  );
  const first = afterAttempt(deliveryOf([recipientOf(to)]), blocked, attemptOf(1, [to]));
  const silent = verdictOf({ [to]: "451 4.3.0 try later" }, null);
  const later = afterAttempt(first, silent, attemptOf(2, [to], start.getTime() + hourMs));
  const over = atTime({ ...later, isDelayTold: true }, new Date(later.expiresAtMs));
  assert.equal(over.untold.length, 1);
  assert.match(reasonsIn(over)[0] ?? "", /TSS04/);
  assert.equal(over.untold[0]?.event, "expired");
  assert.equal(over.untold[0]?.attempt, 1);
});

test("a process that was not heard of again leaves an unknown recipient, or one that is tried again where the sender says so", () => {
  const to = "a@there.example";
  const stop = atTime(deliveryOf([recipientOf(to, { state: "committing" })]), start);
  assert.equal(stop.recipients[0]?.state, "unknown");
  assert.deepEqual(
    stop.untold.map(({ event }) => event),
    ["unknown"],
  );
  const retry = atTime(deliveryOf([recipientOf(to, { state: "committing" })], { onUnknown: "retry" }), start);
  assert.equal(retry.recipients[0]?.state, "waiting");
  assert.equal(retry.recipients[0]?.nextAtMs, start.getTime());
  assert.deepEqual(retry.untold, []);
  // Whoever may have it is not told at the end that it does not.
  const over = atTime({ ...retry, isDelayTold: true }, new Date(retry.expiresAtMs));
  assert.equal(over.untold[0]?.event, "unknown");
});

test("the sender is told once that somebody waits, an hour after it asked", () => {
  const delivery = deliveryOf([recipientOf("a@there.example", { nextAtMs: start.getTime() + 5 * hourMs })]);
  assert.equal(dueAtMsOf(delivery), start.getTime() + delayedAfterMs);
  const early = atTime(delivery, new Date(start.getTime() + delayedAfterMs - 1));
  assert.deepEqual(early.untold, []);
  const told = atTime(delivery, new Date(start.getTime() + delayedAfterMs));
  assert.deepEqual(
    told.untold.map(({ event }) => event),
    ["delayed"],
  );
  assert.equal(dueAtMsOf({ ...told, untold: [] }), start.getTime() + 5 * hourMs);
  assert.deepEqual(atTime({ ...told, untold: [] }, new Date(start.getTime() + 3 * hourMs)).untold, []);
});

test("a send that has expired before it could be tried says so, with what held it", () => {
  const delivery = deliveryOf([recipientOf("a@there.example")], {
    isDelayTold: true,
    heldBy: "held: outlook has refused egress aws",
  });
  const over = atTime(delivery, new Date(delivery.expiresAtMs));
  assert.equal(over.recipients[0]?.state, "expired");
  assert.match(reasonsIn(over)[0] ?? "", /before it could be tried: held: outlook/);
  assert.equal(over.untold[0]?.attempt, null);
});

test("what is ours to refuse fails for all that are open, and for nobody else", () => {
  const delivery = deliveryOf([recipientOf("a@there.example"), recipientOf("b@there.example", { state: "delivered" })]);
  const failed = failedAtHome(delivery, "its message is gone", start);
  assert.deepEqual(
    failed.recipients.map(({ state }) => state),
    ["failed", "delivered"],
  );
  assert.equal(reasonsIn(failed)[0], "its message is gone");
});

test("whoever waits is not due before its time, and goes along with who is due within half a minute", () => {
  const [a, b] = [recipientOf("a@there.example"), recipientOf("b@there.example")];
  const delivery = waiting(deliveryOf([a, b]), [a], start.getTime() + 20_000, null);
  assert.equal(dueOf(delivery, start.getTime()).length, 2);
  const longer = waiting(deliveryOf([a, b]), [a], start.getTime() + hourMs, "held");
  assert.deepEqual(
    dueOf(longer, start.getTime()).map(({ address }) => address),
    [b.address],
  );
  assert.equal(longer.heldBy, "held");
});

test("whatever answers come and time goes by, who is done stays done and is told once, and who is open has a time", () => {
  const answers = fc.constantFrom("250 ok", "550 5.1.1 no such user", "451 4.7.1 Greylisted", "452 4.3.1 full");
  const endings = fc.constantFrom(accepted, "554 5.6.0 no", "451 4.3.0 later", null);
  const step = fc.record({
    answers: fc.array(answers, { minLength: 3, maxLength: 3 }),
    ending: endings,
    hours: fc.integer({ min: 0, max: 9 }),
  });
  const addresses = ["a@there.example", "b@there.example", "c@there.example"];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom("stop", "retry"), (steps, onUnknown) => {
      let delivery = deliveryOf(
        addresses.map((each) => recipientOf(each)),
        { onUnknown },
      );
      let nowMs = start.getTime();
      for (const [index, { answers, ending, hours }] of steps.entries()) {
        nowMs += hours * hourMs;
        const before = delivery;
        delivery = atTime(delivery, new Date(nowMs));
        const due = dueOf(delivery, nowMs).map(({ address }) => address);
        if (due.length > 0) {
          const said = Object.fromEntries(due.map((each, place) => [each, answers[place] ?? "250 ok"]));
          delivery = afterAttempt(delivery, verdictOf(said, ending), attemptOf(index + 1, due, nowMs));
        }
        for (const [place, each] of before.recipients.entries()) {
          if (!isOpen(each)) assert.deepEqual(delivery.recipients[place], each);
        }
      }
      const final = delivery.untold.filter(({ event }) => event !== "delayed");
      const done = delivery.recipients.filter((each) => !isOpen(each));
      assert.deepEqual(
        final.map(({ recipient }) => recipient).toSorted(),
        done.map(({ address }) => address).toSorted(),
      );
      assert.ok(delivery.untold.length - final.length <= addresses.length);
      const dueAtMs = dueAtMsOf({ ...delivery, untold: [] });
      assert.equal(dueAtMs === null, done.length === addresses.length);
      assert.ok(dueAtMs === null || dueAtMs <= delivery.expiresAtMs);
    }),
  );
});
