// Whether a refusal says why, and about whom; real wordings, and what only looks like one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ReplyParser, type Reply } from "../../functions/smtp/reply.ts";
import {
  classOf,
  saysOnlyOrder,
  scopeOf,
  scopes,
  statesCause,
  textOf,
  type Peers,
  type Scope,
} from "../../functions/verdict/cause.ts";
import { classes, type Class } from "../../functions/verdict/classes.ts";
import { replies } from "./generated.ts";

const peers: Peers = { host: "mx.example", own: "192.0.2.1" };

interface Row {
  readonly reply: string;
  readonly cause: boolean;
  /** In answer to RCPT, with nobody accepted. */
  readonly scope: Scope;
}

// prettier-ignore
const rows: readonly Row[] = [
  // About us: as wide as it gets, at any stage.
  { reply: "554 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.1", cause: true, scope: "wide" },
  { reply: "550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus", cause: true, scope: "wide" },
  { reply: "550 5.7.1 192.0.2.1 is listed in zen.spamhaus.org", cause: true, scope: "wide" },
  { reply: "554 5.7.1 rejected: sending IP has a poor reputation", cause: true, scope: "wide" },
  { reply: "550 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", cause: true, scope: "wide" },
  { reply: "450 4.7.1 Greylisted, see https://postgrey.example/", cause: true, scope: "wide" },
  { reply: "451 4.7.500 rate limited", cause: true, scope: "wide" },
  { reply: "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints", cause: true, scope: "wide" },
  { reply: "550 5.7.26 unauthenticated email from s.example is not accepted", cause: true, scope: "wide" },
  { reply: "530 5.7.0 Must issue a STARTTLS command first", cause: true, scope: "wide" },
  { reply: "550 5.1.8 Sender address rejected: Domain not found", cause: true, scope: "wide" },
  // About the receiver: as wide, but for the state of one mailbox (X.2).
  { reply: "554 5.7.1 Relay access denied", cause: true, scope: "wide" },
  { reply: "550 denied by policy", cause: true, scope: "wide" },
  { reply: "451 4.3.2 overloaded", cause: true, scope: "wide" },
  { reply: "450 4.2.1 mailbox busy", cause: true, scope: "recipient" },
  // About the message.
  { reply: "552 5.3.4 message too large", cause: true, scope: "message" },
  { reply: "554 5.7.1 content rejected as spam", cause: true, scope: "message" },
  // About the recipient.
  { reply: "550 5.1.1 The email account that you tried to reach does not exist", cause: true, scope: "recipient" },
  { reply: "550 no such user", cause: true, scope: "recipient" },
  { reply: "452 4.2.2 mailbox full", cause: true, scope: "recipient" },
  // A cause by its status, and no class: the stage's scope.
  { reply: "550 5.7.1 rejected", cause: true, scope: "recipient" },
  { reply: "550 5.1.0 no", cause: true, scope: "recipient" },
  // No cause.
  { reply: "550", cause: false, scope: "recipient" },
  { reply: "550 no", cause: false, scope: "recipient" },
  { reply: "554 5.0.0 Transaction failed", cause: false, scope: "recipient" },
  // No cause either: of one command, or of the receiver that closes.
  { reply: "503 bad sequence of commands", cause: false, scope: "recipient" },
  { reply: "503 5.7.1 blocked", cause: false, scope: "recipient" },
  { reply: "554 5.5.1 Error: no valid recipients", cause: false, scope: "recipient" },
  { reply: "554 no valid recipients", cause: false, scope: "recipient" },
  { reply: "421 closing connection", cause: false, scope: "wide" },
  { reply: "421 4.7.0 mx.example closing connection", cause: false, scope: "wide" },
  { reply: "421 4.4.2 Bad command sequence, goodbye", cause: false, scope: "recipient" },
  { reply: "550 too many errors", cause: false, scope: "recipient" },
  { reply: "500 5.5.2 unrecognized", cause: false, scope: "recipient" },
  { reply: "500 unrecognized command", cause: false, scope: "recipient" },
  { reply: "502 command not implemented", cause: false, scope: "recipient" },
];

describe("a refusal's cause and scope", () => {
  for (const { reply, cause, scope } of rows) {
    it(reply, () => {
      assert.equal(statesCause(read(reply), "rcpt", peers), cause);
      assert.equal(scopeAt(reply, "rcpt", false), scope);
    });
  }

  it("a refusal that closes and says why states a cause", () => {
    const both = [
      "554 5.7.1 your IP is listed in bl.example; closing connection",
      "421 4.7.0 your IP is blocked, closing connection",
      "550 spf check failed, bye",
    ];
    for (const each of both) assert.equal(statesCause(read(each), "rcpt", peers), true, each);
  });

  it("what says only order states no cause", () => {
    for (const { reply } of rows) {
      if (saysOnlyOrder(read(reply), "rcpt", peers))
        assert.equal(statesCause(read(reply), "rcpt", peers), false, reply);
    }
  });

  it("a phrase that lines break is one phrase", () => {
    const broken = "550-5.7.1 your message was refused: your host is listed\r\n550-5.7.1 in our\r\n550 5.7.1 list";
    assert.equal(textOf(read(broken)), "your message was refused: your host is listed in our list");
    assert.equal(scopeAt(broken, "rcpt", false), "wide");
  });
});

it("a reply is read once, however often it is asked about: a host that says much must not hold us up", (context) => {
  // Each reading begins with it (words.ts).
  const { mock: reading } = context.mock.method(String.prototype, "normalize");
  for (const text of ["550 5.7.1 your IP is listed in bl.example", "550 no reason, closing connection", "550 no"]) {
    const reply = read(text);
    const ask = (): unknown => [statesCause(reply, "rcpt", peers), textOf(reply), classOf(reply, "rcpt", peers)];
    const first = ask();
    const readings = reading.callCount();
    assert.ok(readings > 0);
    assert.deepEqual(ask(), first);
    assert.equal(reading.callCount(), readings, text);
  }
});

describe("a reply's class", () => {
  const listed = "554 5.7.1 [192.0.2.1] is on a list";

  it("depends on the host: what anybody might say is known by who says it", () => {
    const words = read("553 message filtered");
    assert.notEqual(classOf(words, "message", peers).class, "content-spam");
    for (const host of ["cluster5.us.messagelabs.com", "CLUSTER5.US.MESSAGELABS.COM."]) {
      assert.equal(classOf(words, "message", { ...peers, host }).class, "content-spam");
    }
  });

  it("does not depend on how its lines are broken", () => {
    const folded = read("554-5.7.1 [192.0.2.1] is\r\n554 5.7.1 on a list");
    assert.deepEqual(classOf(folded, "rcpt", peers), classOf(read(listed), "rcpt", peers));
  });

  it("depends on the stage: of an unexplained refusal the greeting can only mean the IP", () => {
    const blocked = read("554 5.7.1 access denied");
    assert.equal(classOf(blocked, "greeting", peers).class, "ip-reputation");
    assert.notEqual(classOf(blocked, "rcpt", peers).class, "ip-reputation");
  });
});

const everyStage = ["greeting", "ehlo", "starttls", "mail", "rcpt", "data", "message", "quit"] as const;
type At = (typeof everyStage)[number];

describe("without a class the stage tells the scope", () => {
  const rows: readonly (readonly [At, Scope, Scope])[] = [
    ["greeting", "wide", "wide"],
    ["ehlo", "wide", "wide"],
    ["starttls", "wide", "wide"],
    ["mail", "wide", "wide"],
    ["rcpt", "recipient", "recipient"],
    ["data", "recipient", "message"],
    ["message", "recipient", "message"],
    ["quit", "recipient", "message"],
  ];
  for (const [stage, nobody, somebody] of rows) {
    it(stage, () => {
      assert.equal(scopeOf("unspecified", { stage, status: null }, false), nobody);
      assert.equal(scopeOf("unspecified", { stage, status: null }, true), somebody);
      assert.equal(scopeOf("unspecified", { stage, status: "5.7.1" }, true), somebody);
    });
  }
});

describe("a class goes before it", () => {
  /** At RCPT; at DATA with nobody accepted; and with somebody. */
  const abouts: Readonly<Record<string, readonly [rcpt: Scope, alone: Scope, others: Scope]>> = {
    ip: ["wide", "wide", "wide"],
    domain: ["wide", "wide", "wide"],
    session: ["wide", "wide", "wide"],
    sender: ["wide", "wide", "wide"],
    receiver: ["wide", "recipient", "wide"],
    message: ["message", "recipient", "message"],
    recipient: ["recipient", "recipient", "recipient"],
  };
  for (const kind of classNames().filter((each) => each !== "unspecified")) {
    it(`${kind}, which is about the ${classes[kind].about}`, () => {
      // What is wrong with one RCPT command is wrong with it alone.
      const expected = kind === "protocol" ? ["recipient", "wide", "wide"] : abouts[classes[kind].about];
      const found = [at(kind, "rcpt", false), at(kind, "data", false), at(kind, "message", true)];
      assert.deepEqual(found, expected);
      assert.equal(at(kind, "rcpt", true), expected?.[0]);
      for (const stage of ["greeting", "ehlo", "starttls", "mail"] as const)
        assert.equal(at(kind, stage, false), "wide");
    });
  }

  it("one mailbox's state is not the receiver's", () => {
    assert.equal(scopeOf("system-error", { stage: "rcpt", status: "4.2.1" }, false), "recipient");
    assert.equal(scopeOf("system-error", { stage: "rcpt", status: "4.3.2" }, false), "wide");
    assert.equal(scopeOf("ip-reputation", { stage: "rcpt", status: "5.2.1" }, false), "wide");
  });

  it("and is read from the words", () => {
    assert.equal(scopeAt("550 your IP is listed in bl.example", "rcpt", true), "wide");
    assert.equal(scopeAt("550 5.1.1 no such user", "message", true), "recipient");
    assert.equal(scopeAt("550 5.1.1 no such user", "mail", true), "wide");
    assert.equal(scopeAt("554 spam", "message", true), "message");
  });

  function at(kind: Class, stage: At, anyAccepted: boolean): Scope {
    return scopeOf(kind, { stage, status: null }, anyAccepted);
  }
});

it("any reply has a scope and a class, and nothing is a cause and order alone", () => {
  const words = fc.constantFrom(
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
  );
  const made = fc
    .tuple(fc.integer({ min: 400, max: 599 }), fc.array(words, { maxLength: 8, size: "max" }))
    .map(([code, texts]) => `${code} ${texts.join(" ")}`);
  const refusals = replies.filter((each) => /^[45]/.test(each));
  fc.assert(
    fc.property(fc.oneof(made, refusals), fc.constantFrom(...everyStage), fc.boolean(), (text, stage, somebody) => {
      assert.ok(scopes.includes(scopeAt(text, stage, somebody)));
      assert.ok(!(statesCause(read(text), stage, peers) && saysOnlyOrder(read(text), stage, peers)));
      assert.ok(Object.hasOwn(classes, classOf(read(text), stage, peers).class));
    }),
  );
});

function classNames(): readonly Class[] {
  return Object.keys(classes) as Class[];
}

function scopeAt(text: string, stage: At, anyAccepted: boolean): Scope {
  const reply = read(text);
  return scopeOf(classOf(reply, stage, peers).class, { stage, status: reply.status }, anyAccepted);
}

function read(text: string): Reply {
  const [reply] = new ReplyParser().push(Buffer.from(`${text}\r\n`));
  assert.ok(reply !== undefined);
  return reply;
}
