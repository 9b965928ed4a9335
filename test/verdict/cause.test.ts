// Whether a refusal says why, and about whom; real wordings, and what only looks like one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ReplyParser, type Reply } from "../../functions/smtp/reply.ts";
import { saysOnlyOrder, scopeOf, scopes, statesCause, wordsOf, type Scope } from "../../functions/verdict/cause.ts";

interface Row {
  readonly reply: string;
  readonly cause: boolean;
  /** In answer to RCPT, with nobody accepted. */
  readonly scope: Scope;
}

const rows: readonly Row[] = [
  // About us: as wide as it gets, at any stage.
  {
    reply: "554 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.1",
    cause: true,
    scope: "wide",
  },
  {
    reply: "550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus",
    cause: true,
    scope: "wide",
  },
  { reply: "550 5.7.1 192.0.2.1 is listed in zen.spamhaus.org", cause: true, scope: "wide" },
  { reply: "554 5.7.1 rejected: sending IP has a poor reputation", cause: true, scope: "wide" },
  {
    reply: "550 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
    cause: true,
    scope: "wide",
  },
  { reply: "450 4.7.1 Greylisted, see https://postgrey.example/", cause: true, scope: "wide" },
  { reply: "451 4.7.500 rate limited", cause: true, scope: "wide" },
  {
    reply: "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints",
    cause: true,
    scope: "wide",
  },
  { reply: "550 5.7.26 unauthenticated email from s.example is not accepted", cause: true, scope: "wide" },
  { reply: "530 5.7.0 Must issue a STARTTLS command first", cause: true, scope: "wide" },
  { reply: "550 5.1.8 Sender address rejected: Domain not found", cause: true, scope: "wide" },
  // About the recipient.
  { reply: "550 5.1.1 The email account that you tried to reach does not exist", cause: true, scope: "recipient" },
  { reply: "550 no such user", cause: true, scope: "recipient" },
  { reply: "452 4.2.2 mailbox full", cause: true, scope: "recipient" },
  { reply: "554 5.7.1 Relay access denied", cause: true, scope: "recipient" },
  // A cause, whoever it is about: the stage's scope.
  { reply: "550 5.7.1 rejected", cause: true, scope: "recipient" },
  { reply: "550 denied by policy", cause: true, scope: "recipient" },
  { reply: "451 4.3.2 overloaded", cause: true, scope: "recipient" },
  // No cause.
  { reply: "550", cause: false, scope: "recipient" },
  { reply: "550 no", cause: false, scope: "recipient" },
  { reply: "554 5.0.0 Transaction failed", cause: false, scope: "recipient" },
  { reply: "503 bad sequence of commands", cause: false, scope: "recipient" },
  { reply: "503 5.7.1 blocked", cause: false, scope: "recipient" },
  { reply: "554 5.5.1 Error: no valid recipients", cause: false, scope: "recipient" },
  { reply: "554 no valid recipients", cause: false, scope: "recipient" },
  { reply: "421 closing connection", cause: false, scope: "recipient" },
  { reply: "421 4.7.0 mx.example closing connection", cause: false, scope: "recipient" },
  { reply: "421 4.4.2 Bad command sequence, goodbye", cause: false, scope: "recipient" },
  { reply: "550 too many errors", cause: false, scope: "recipient" },
  { reply: "500 5.5.2 unrecognized", cause: false, scope: "recipient" },
];

describe("a refusal's cause and scope", () => {
  for (const { reply, cause, scope } of rows) {
    it(reply, () => {
      assert.equal(statesCause(read(reply)), cause);
      assert.equal(scopeOf(read(reply), "rcpt", false), scope);
    });
  }

  it("a refusal that closes and says why states a cause", () => {
    const both = [
      "554 5.7.1 listed in bl.example; closing connection",
      "421 4.7.0 your IP is blocked, closing connection",
      "550 spf check failed, bye",
    ];
    for (const each of both) assert.equal(statesCause(read(each)), true, each);
  });

  it("what says only order states no cause", () => {
    for (const { reply } of rows) {
      if (saysOnlyOrder(read(reply))) assert.equal(statesCause(read(reply)), false, reply);
    }
  });

  it("a phrase that lines break is one phrase", () => {
    const broken = read(
      "550-5.7.1 your message was refused: your host is listed\r\n550-5.7.1 in our\r\n550 5.7.1 list",
    );
    assert.equal(wordsOf(broken), "your message was refused: your host is listed in our list");
    assert.equal(scopeOf(broken, "rcpt", false), "wide");
  });
});

describe("without words the stage tells the scope", () => {
  const plain = read("550 no");
  const rows = [
    ["greeting", "wide", "wide"],
    ["ehlo", "wide", "wide"],
    ["starttls", "wide", "wide"],
    ["mail", "wide", "wide"],
    ["rcpt", "recipient", "recipient"],
    ["data", "recipient", "message"],
    ["message", "recipient", "message"],
  ] as const;
  for (const [stage, nobody, somebody] of rows) {
    it(stage, () => {
      assert.equal(scopeOf(plain, stage, false), nobody);
      assert.equal(scopeOf(plain, stage, true), somebody);
    });
  }

  it("words go before it", () => {
    assert.equal(scopeOf(read("550 your IP is listed in bl.example"), "rcpt", true), "wide");
    assert.equal(scopeOf(read("550 5.1.1 no such user"), "message", true), "recipient");
    assert.equal(scopeOf(read("550 5.1.1 no such user"), "mail", true), "wide");
    assert.equal(scopeOf(read("554 spam"), "message", true), "message");
  });
});

it("any reply has a scope, and nothing is a cause and order alone", () => {
  const text = fc.array(
    fc.constantFrom(
      "listed in",
      "closing",
      "no valid recipients",
      "5.7.1",
      "4.5.3",
      "user",
      "spam",
      "-",
      "(",
      "\\",
      "é",
    ),
    { maxLength: 8, size: "max" },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 400, max: 599 }),
      text,
      fc.constantFrom("mail", "rcpt", "data", "message"),
      (code, words, stage) => {
        const reply = read(`${code} ${words.join(" ")}`);
        assert.ok(scopes.includes(scopeOf(reply, stage, true)));
        assert.ok(!(statesCause(reply) && saysOnlyOrder(reply)));
      },
    ),
  );
});

function read(text: string): Reply {
  const [reply] = new ReplyParser().push(Buffer.from(`${text}\r\n`));
  assert.ok(reply !== undefined);
  return reply;
}
