// Which class a reply comes to: where words, codes and stages say different things, which of them counts.
// How often the rules are right is told by the labelled replies.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { stages } from "../../functions/smtp/transcript.ts";
import { blocklists } from "../../functions/verdict/blocklists.ts";
import { classes, type Class } from "../../functions/verdict/classes.ts";
import { classify, type Said } from "../../functions/verdict/classify.ts";
import { providers } from "../../functions/verdict/providers.ts";
import type { RuleStage } from "../../functions/verdict/rules/rule.ts";
import { ruleGroups } from "../../functions/verdict/rules/table.ts";
import { readWords } from "../../functions/verdict/words.ts";
import { hardNegativesFile, readCorpus, repliesFile } from "../corpus/corpus.ts";

interface Row {
  readonly text: string;
  readonly class: Class;
  /** `rcpt` unless said otherwise. */
  readonly stage?: RuleStage;
  readonly at?: string;
  readonly own?: string;
  readonly blocklist?: string | null;
}

function said({ text, stage, at, own }: Row): Said {
  return { text, stage: stage === undefined ? "rcpt" : stage, provider: at ?? null, own: own ?? null };
}

function describeRows(what: string, rows: readonly Row[]): void {
  describe(what, () => {
    for (const row of rows) {
      const where = [row.stage === undefined ? "rcpt" : String(row.stage), ...(row.at === undefined ? [] : [row.at])];
      it(`${JSON.stringify(row.text)} at ${where.join(", ")} is ${row.class}`, () => {
        const got = classify(said(row));
        assert.equal(got.class, row.class, `by ${got.rule}`);
        if (row.blocklist !== undefined) assert.equal(got.blocklist, row.blocklist, `by ${got.rule}`);
      });
    }
  });
}

const postfix = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using";

describeRows("a look-up that failed says nothing about us", [
  {
    text: `${postfix} zen.spamhaus.org; Error: open resolver; https://check.spamhaus.org/returnc/pub/192.0.2.53`,
    class: "system-error",
    blocklist: null,
  },
  {
    text: `${postfix} zen.spamhaus.org; https://www.spamhaus.org/returnc/vol/`,
    class: "system-error",
    blocklist: null,
  },
  {
    text: "550 5.7.1 Sender address [a@s.example] blocked using dbl.spamhaus.org; Error: open resolver",
    class: "system-error",
    blocklist: null,
  },
  {
    text: "554 5.7.1 Blocked by URIBL: Query Refused. See http://uribl.com/refused.shtml",
    class: "system-error",
    stage: "message",
    blocklist: null,
  },
  { text: "550 [192.0.2.1] is listed at zen.spamhaus.org (127.255.255.254)", class: "system-error", blocklist: null },
  { text: "550 zen.spamhaus.org 127.255.255.255 excessive number of queries", class: "system-error", blocklist: null },
  {
    text: "451 4.7.1 DNSBL lookup of zen.spamhaus.org timed out",
    class: "system-error",
    stage: "greeting",
    blocklist: null,
  },
  // Also where the provider's own words follow.
  ...["gmx", "icloud", "yahoo", "outlook", "office365", "mimecast", "comcast", "t-online"].map((at): Row => ({
    text: `${postfix} zen.spamhaus.org; Error: open resolver; https://check.spamhaus.org/returnc/pub/192.0.2.53`,
    class: "system-error",
    at,
    blocklist: null,
  })),
  {
    text: "553 5.7.1 [BL21] Connections not accepted from IP in Spamhaus; Error: open resolver",
    class: "system-error",
    at: "yahoo",
    stage: "mail",
  },
]);

describeRows("the same words by another status", [
  {
    text: "550 5.4.1 Recipient address rejected: Access denied. [abc.prod.protection.outlook.com]",
    class: "mailbox-unknown",
    at: "office365",
  },
  { text: "550 5.4.1 Recipient address rejected: Access denied", class: "mailbox-unknown" },
  { text: "554 5.7.1 <a@mx.example>: Recipient address rejected: Access denied", class: "policy" },
]);

describeRows("wrappers lie", [
  {
    text: "550-Requested action not taken: mailbox unavailable\n550 Reject due to policy restrictions.",
    class: "policy",
    at: "gmx",
    stage: "message",
  },
  {
    text: "550 Mailbox unavailable. Your IP address 192.0.2.1 is blacklisted using hostkarma",
    class: "ip-reputation",
    blocklist: "hostkarma",
  },
  { text: "550 5.7.1 No such user!", class: "mailbox-unknown", at: "yandex" },
  {
    text: "421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes",
    class: "ip-reputation",
    at: "yahoo",
    stage: "mail",
  },
  { text: "552 1 Requested mail action aborted, mailbox not found", class: "mailbox-unknown", at: "yahoo" },
  { text: "550 Connection frequency limited. https://service.mail.qq.com/cgi-bin/help", class: "rate-limit", at: "qq" },
  { text: "554 5.7.1 <a@mx.example>: Relay access denied", class: "relay-denied" },
]);

describeRows("prefixes and digits inside a sentence", [
  {
    text: "550-5.7.1 [192.0.2.1] Our system has detected that this message is 550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail, 550-5.7.1 this message has been blocked. gsmtp",
    class: "content-spam",
    at: "gmail",
    stage: "message",
  },
  {
    text: "550-5.7.1 Client host [192.0.2.1]\n550-5.7.1 blocked\n550 5.7.1 using bl.spamcop.net",
    class: "ip-reputation",
    blocklist: "spamcop",
  },
  { text: "550 5.1.1 <550-5.7.25@mx.example>: User unknown", class: "mailbox-unknown" },
  { text: "550 5.1.1 <blocked.spamhaus@mx.example>: User unknown", class: "mailbox-unknown", blocklist: null },
  { text: "450 4.2.0 <a@mx.example>: Greylisted by host 10.5.7.25", class: "greylist" },
]);

describeRows("replies that quote others", [
  {
    text: "550 5.1.1 <a@mx.example>: Recipient address rejected: undeliverable address: host mx2.example[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
    class: "mailbox-unknown",
  },
  {
    text: "550-Verification failed for <a@s.example>\n550-Called:   192.0.2.9\n550-Sent:     RCPT TO:<a@s.example>\n550-Response: 550 5.1.1 No such user\n550 Sender verify failed",
    class: "sender-rejected",
  },
]);

describeRows("one code, several meanings", [
  {
    text: "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. gsmtp",
    class: "ip-reputation",
    at: "gmail",
    stage: "message",
  },
  {
    text: "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your DKIM domain [s.example]. gsmtp",
    class: "domain-reputation",
    at: "gmail",
    stage: "message",
  },
  {
    text: "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail containing one of your URL domains. gsmtp",
    class: "content-spam",
    at: "gmail",
    stage: "message",
  },
  {
    text: "421-4.7.0 The IP address sending this message does not have a PTR record. gsmtp",
    class: "reverse-dns",
    at: "gmail",
    stage: "message",
  },
  {
    text: "421 4.7.0 Temporary System Problem. Try again later. gsmtp",
    class: "system-error",
    at: "gmail",
    stage: "greeting",
  },
  {
    text: "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
    class: "policy",
    at: "yahoo",
    stage: "message",
  },
  {
    text: "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
    class: "ip-reputation",
    at: "outlook",
    stage: "mail",
  },
  { text: "550 5.7.1 Unable to relay", class: "relay-denied", at: "office365" },
  {
    text: "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
    class: "policy",
    at: "office365",
    stage: "message",
  },
]);

describeRows("documented codes beat the wording around them", [
  { text: "421 too many connections OFR_102 [102]", class: "ip-reputation", at: "orange", stage: "greeting" },
  {
    text: "550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit https://sender.office.com/",
    class: "ip-reputation",
    at: "office365",
  },
  {
    text: "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1",
    class: "ip-reputation",
    at: "yahoo",
    stage: "mail",
  },
  {
    text: "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77714)",
    class: "ip-reputation",
    at: "office365",
  },
  {
    text: "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list",
    class: "ip-reputation",
    at: "yahoo",
    stage: "mail",
    blocklist: "spamhaus-zen",
  },
]);

describeRows("the cause outranks the verdict, and the stronger cause the weaker", [
  { text: "421 4.7.0 192.0.2.1 is rate limited due to IP reputation", class: "ip-reputation", stage: "mail" },
  { text: "421 too many connections: your IP has a poor reputation", class: "ip-reputation", stage: "greeting" },
  { text: "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", class: "reverse-dns" },
  { text: "421 rate limited: your IP [192.0.2.1] has no PTR record", class: "reverse-dns", stage: "greeting" },
  { text: "450 4.7.1 <x>: Helo command rejected: Host not found", class: "helo" },
  { text: "550 5.7.1 Recipient address rejected: SPF check failed", class: "authentication" },
  { text: "421 4.7.0 rate limited because the message fails SPF", class: "authentication", stage: "message" },
  {
    text: "550 5.7.1 Access denied: your domain s.example has a poor reputation",
    class: "domain-reputation",
    stage: "mail",
  },
  { text: "530 5.7.0 Must issue a STARTTLS command first", class: "tls", stage: "mail" },
  { text: "554 5.7.1 Message rejected as spam by policy", class: "content-spam", stage: "message" },
  { text: "451 4.7.1 Greylisting in action, too many new senders, please come back later", class: "greylist" },
  { text: "452 4.5.3 Too many recipients, user unknown", class: "rate-limit" },
  { text: "550 5.1.8 <a@s.example>: Sender address rejected: Domain not found", class: "sender-rejected" },
  { text: "553 sorry, that domain isn't in my list of allowed rcpthosts", class: "relay-denied" },
  { text: "552 5.3.4 Message size exceeds fixed limit", class: "message-format", stage: "mail" },
  { text: "550 5.7.1 Rejected by local policy", class: "policy" },
  { text: "451 4.3.0 Temporary server error", class: "system-error" },
  { text: "503 5.5.1 Bad sequence of commands", class: "protocol" },
  { text: "554 5.7.1 Client host rejected: Relaying denied - Your IP identified as spammer", class: "ip-reputation" },
]);

describeRows("what is listed decides", [
  {
    text: `${postfix} zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1`,
    class: "ip-reputation",
    blocklist: "spamhaus-zen",
  },
  { text: `${postfix} bl.mx.example`, class: "ip-reputation", blocklist: null },
  {
    text: "554 5.7.1 Service unavailable; Sender address [a@s.example] blocked using dbl.spamhaus.org",
    class: "domain-reputation",
    blocklist: "spamhaus-dbl",
  },
  {
    text: "554 5.7.1 Service unavailable; Helo command [s.example] blocked using dbl.spamhaus.org",
    class: "domain-reputation",
    blocklist: "spamhaus-dbl",
  },
  {
    text: "550 5.7.1 Mailfrom domain [s.example] is listed in Spamhaus. To request removal, see https://www.spamhaus.org/query/lookup/",
    class: "domain-reputation",
    at: "outlook",
    stage: "mail",
    blocklist: "spamhaus-dbl",
  },
  {
    text: "554 5.7.1 Message contains a URL listed by multi.surbl.org",
    class: "content-spam",
    stage: "message",
    blocklist: "surbl",
  },
  {
    text: "550 5.7.1 The message has a link that is blacklisted by uribl.com",
    class: "content-spam",
    stage: "message",
    blocklist: "uribl",
  },
  // The link names the list better than the words.
  {
    text: "554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1",
    class: "ip-reputation",
    stage: "greeting",
    blocklist: "proofpoint-pdr",
  },
  {
    text: "554 5.7.1 Client host [192.0.2.1] blocked, https://www.spamhaus.org/pbl/query/PBL000001",
    class: "ip-reputation",
    blocklist: "spamhaus-pbl",
  },
  // Who is on no list is told of none.
  {
    text: "550 5.1.1 <a@mx.example>: User unknown; see https://www.spamhaus.org/",
    class: "mailbox-unknown",
    blocklist: null,
  },
]);

describeRows("the stage counts", [
  { text: "554 blocked", class: "ip-reputation", stage: "greeting" },
  { text: "554 5.7.1 Access denied", class: "ip-reputation", stage: "greeting" },
  { text: "554 mx.example ESMTP rejected", class: "ip-reputation", stage: "greeting" },
  { text: "421 mx.example", class: "system-error", stage: "greeting" },
  { text: "421 4.3.2 Service not available, try later", class: "system-error", stage: "greeting" },
  { text: "550 5.7.1 <a@mx.example>: Recipient address rejected", class: "unspecified", stage: "rcpt" },
]);

describe("a bare refusal", () => {
  for (const text of ["554 blocked", "550 Blocked", "554 5.7.1 Access denied", "550 rejected"])
    for (const stage of ["rcpt", "data", "message"] as const)
      it(`${text} at ${stage} is nothing against the IP`, () =>
        assert.notEqual(classify({ text, stage, provider: null, own: null }).class, "ip-reputation"));
});

describeRows("no reply came", [
  { text: "connect ECONNREFUSED 192.0.2.1:25", class: "network", stage: "connect" },
  { text: "connect ETIMEDOUT 192.0.2.1:25", class: "network", stage: "connect" },
  { text: "getaddrinfo ENOTFOUND mx.example", class: "network", stage: "dns" },
  { text: "read ECONNRESET", class: "network", stage: "greeting" },
  { text: "no reply to MAIL within 300 s: timeout", class: "network", stage: "mail" },
  { text: "TLS handshake failed: certificate has expired", class: "tls", stage: "tls" },
  { text: "error:0A000102:SSL routines::unsupported protocol", class: "tls", stage: "tls" },
]);

describeRows("other languages", [
  { text: "554 5.7.1 Ihre IP-Adresse 192.0.2.1 ist gesperrt", class: "ip-reputation", stage: "mail" },
  { text: "550 5.1.1 Empfänger unbekannt", class: "mailbox-unknown" },
  { text: "552 5.2.2 Das Postfach ist voll", class: "mailbox-full" },
  { text: "550 5.1.1 Utilisateur inconnu", class: "mailbox-unknown" },
  { text: "421 Trop de connexions, veuillez réessayer plus tard", class: "rate-limit", stage: "greeting" },
  { text: "550 5.1.1 Destinatario sconosciuto", class: "mailbox-unknown" },
  { text: "552 Casella piena", class: "mailbox-full" },
  { text: "550 5.1.1 El usuario no existe", class: "mailbox-unknown" },
  { text: "550 5.1.1 Użytkownik nieznany", class: "mailbox-unknown" },
  { text: "550 用户不存在", class: "mailbox-unknown" },
]);

describeRows("our own address is evidence", [
  { text: "550 5.7.1 [192.0.2.1] refused", class: "ip-reputation", own: "192.0.2.1" },
  { text: "554 192.0.2.1: black", class: "ip-reputation", own: "192.0.2.1" },
  { text: "550 5.7.1 [2001:db8::1] not welcome", class: "ip-reputation", own: "2001:db8::1" },
  // It is named in many a reply.
  { text: "550 5.1.1 <a@mx.example>: user unknown, 192.0.2.1", class: "mailbox-unknown", own: "192.0.2.1" },
  { text: "554 5.7.1 Relaying denied for [192.0.2.1]", class: "relay-denied", own: "192.0.2.1" },
]);

it("another's address is no evidence", () => {
  const of = (own: string): Class =>
    classify({ text: "554 203.0.113.9: black", stage: "data", provider: null, own }).class;
  assert.equal(of("203.0.113.9"), "ip-reputation");
  assert.notEqual(of("192.0.2.1"), "ip-reputation");
});

const rows = [...readCorpus(repliesFile), ...readCorpus(hardNegativesFile)];

describe("a rule that holds at some providers", () => {
  const bound = ruleGroups.flatMap(({ rules }) => rules).filter(({ at }) => at !== undefined);

  it("fires nowhere else", () => {
    const names = new Map(bound.map(({ id, at }) => [id, at ?? []]));
    for (const { reply } of rows)
      for (const stage of ["greeting", "rcpt"] as const)
        for (const provider of [null, "gmail", "yahoo-jp", "sophos"]) {
          const { rule } = classify({ text: reply, stage, provider, own: null });
          const at = names.get(rule);
          assert.ok(
            at === undefined || (provider !== null && at.includes(provider)),
            `${rule} at ${provider}: ${reply}`,
          );
        }
  });

  it("fires there: the same words mean something else elsewhere", () => {
    const text = "554 5.3.2 Resources temporarily not available - Please try again later";
    const at = (provider: string | null): string => classify({ text, stage: "mail", provider, own: null }).rule;
    assert.equal(at("yahoo"), "yahoo-busy-host");
    assert.notEqual(at(null), "yahoo-busy-host");
    assert.notEqual(at("gmx"), "yahoo-busy-host");
  });

  it("belongs to its group's providers, where the group has any", () => {
    for (const { name, providers: whose, rules } of ruleGroups)
      for (const { id, at } of rules)
        if (whose.length > 0 && at !== undefined)
          assert.ok(
            at.some((each) => whose.includes(each)),
            `${id} of ${name}`,
          );
  });
});

/** A reply as it was: the code, the status that its lines begin with, and the words in between. */
interface Parts {
  readonly code: string;
  readonly status: string;
  readonly words: readonly string[];
}

const whole: readonly Parts[] = rows.flatMap(({ reply }) => {
  const line = reply.replaceAll(/\s+/g, " ").trim();
  const found = /^(\d{3})[ -]([245]\.\d{1,3}\.\d{1,3} )?(\S.*)$/.exec(line);
  const [, code = "", status = "", rest = ""] = found ?? [];
  return found === null || line.length > 1500 ? [] : [{ code, status, words: rest.split(" ") }];
});

/** A line that begins with what looks like a code or a status of its own is not told from one. */
function mayBeginALine(word: string | undefined, code: string): boolean {
  return word !== undefined && !word.startsWith(code) && !/^#?[245]\.\d/.test(word);
}

describe("folded over lines", () => {
  const folded = fc
    .record({
      parts: fc.constantFrom(...whole),
      seed: fc.array(fc.boolean(), { minLength: 1, maxLength: 60, size: "max" }),
      repeats: fc.boolean(),
      end: fc.constantFrom("\n", "\r\n", " "),
    })
    .map(({ parts: { code, status, words }, seed, repeats, end }) => {
      const lines: string[][] = [[]];
      for (const [index, word] of words.entries()) {
        const breaks = seed[index % seed.length] === true && index > 0 && mayBeginALine(word, code);
        if (breaks) lines.push([]);
        lines.at(-1)?.push(word);
      }
      const text = lines
        .map((line, index) => {
          const mark = index === lines.length - 1 ? " " : "-";
          return `${code}${mark}${index === 0 || repeats ? status : ""}${line.join(" ")}`;
        })
        .join(end);
      return { text, flat: `${code} ${status}${words.join(" ")}` };
    });

  it("a reply reads as it does in one line", () => {
    fc.assert(
      fc.property(folded, ({ text, flat }) => {
        assert.deepEqual(readWords(text, null), readWords(flat, null));
      }),
      { numRuns: 2000 },
    );
  });

  it("a reply is of the same class", () => {
    fc.assert(
      fc.property(folded, fc.constantFrom(null, ...stages), ({ text, flat }, stage) => {
        const of = (each: string): unknown => classify({ text: each, stage, provider: null, own: null });
        assert.deepEqual(of(text), of(flat));
      }),
      { numRuns: 500 },
    );
  });

  it("a phrase that breaks anywhere is found", () => {
    const words = "Client host [192.0.2.1] blocked using zen.spamhaus.org".split(" ");
    for (let at = 1; at < words.length; at++) {
      const text = `554-5.7.1 ${words.slice(0, at).join(" ")}\n554 5.7.1 ${words.slice(at).join(" ")}`;
      const { class: kind, blocklist } = classify({ text, stage: "rcpt", provider: null, own: null });
      assert.deepEqual([kind, blocklist], ["ip-reputation", "spamhaus-zen"], text);
    }
  });
});

describe("anything", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 300 }).map((words) => `550 5.7.1 ${words}`),
    fc
      .array(fc.constantFrom(...whole.flatMap(({ words }) => words)), { maxLength: 40, size: "max" })
      .map((words) => `450 ${words.join(" ")}`),
  );
  const stage = fc.constantFrom(null, "quit" as const, ...stages);
  const provider = fc.option(fc.oneof(fc.constantFrom(...providers.map(({ id }) => id)), fc.string()));
  const own = fc.option(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()));

  it("is given a class of the table by a rule of the table", () => {
    const ids = new Set(["none", ...ruleGroups.flatMap(({ rules }) => rules.map(({ id }) => id))]);
    const lists = new Set<string | null>([null, ...blocklists.map(({ id }) => id)]);
    fc.assert(
      fc.property(fc.record({ text, stage, provider, own }), (said) => {
        const got = classify(said);
        assert.ok(Object.hasOwn(classes, got.class), got.class);
        assert.ok(ids.has(got.rule), got.rule);
        assert.ok(lists.has(got.blocklist), String(got.blocklist));
        if (got.rule === "none") assert.equal(got.class, "unspecified");
      }),
      { numRuns: 500 },
    );
  });

  it("said twice is told the same, whatever was said in between", () => {
    fc.assert(
      fc.property(fc.record({ text, stage, provider, own }), (said) => {
        const first = classify(said);
        for (let count = 0; count < 3; count++) classify({ ...said, text: `${said.text} ${count}` });
        assert.deepEqual(classify(said), first);
      }),
    );
  });
});
