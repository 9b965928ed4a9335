// How a reply reads before any rule sees it: what is taken away, what is masked, and what stays.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readWords, type Words } from "../../functions/verdict/words.ts";

/** Only what a row names is compared. */
interface Row extends Partial<Words> {
  readonly reply: string;
  readonly own?: string;
}

function describeRows(what: string, rows: readonly Row[]): void {
  describe(what, () => {
    for (const { reply, own, ...expected } of rows) {
      it(JSON.stringify(reply), () => {
        const read = readWords(reply, own ?? null);
        assert.deepEqual({ ...read, ...expected }, read);
      });
    }
  });
}

describeRows("the code", [
  { reply: "550 5.7.1 no", code: 550 },
  { reply: "550-no\n550 never", code: 550 },
  { reply: "550", code: 550, status: null, text: "", words: "" },
  { reply: "550-", code: 550, text: "" },
  { reply: "  421 later", code: 421 },
  { reply: "5500 no", code: null, text: "5500 no" },
  { reply: "no 550 no", code: null, text: "no 550 no" },
  { reply: "connect ECONNREFUSED 192.0.2.1:25", code: null, words: "connect econnrefused %ip:25" },
  { reply: "", code: null, status: null, text: "", words: "" },
  { reply: " \r\n\0", code: null, text: "" },
]);

describeRows("the status", [
  { reply: "550 5.7.1 no", status: "5.7.1", text: "no" },
  { reply: "550-5.7.1 no\n550 5.7.1 never", status: "5.7.1", text: "no never" },
  { reply: "421-4.7.0 later", status: "4.7.0" },
  { reply: "550 5.7.606 Access denied", status: "5.7.606", text: "access denied" },
  { reply: "550 Blocked (#5.7.1)", status: "5.7.1", text: "blocked (#5.7.1)" },
  { reply: "550 Sorry, no mailbox here by that name. (#5.1.1)", status: "5.1.1" },
  { reply: "550 #5.1.0 Address rejected.", status: "5.1.0", text: "address rejected." },
  { reply: "550 #5.7.1 Your access is denied", status: "5.7.1" },
  // The server's own, though it quotes another.
  { reply: "450 4.1.1 unverified address: host said: 550 5.1.1 unknown (#5.1.1)", status: "4.1.1" },
  // Part of something else.
  { reply: "550 192.5.7.1 is listed", status: null, words: "%ip is listed" },
  { reply: "550 5.7.1.25 is listed", status: null, words: "%ip is listed" },
  { reply: "550 host 10.5.7.1 said no", status: null },
  { reply: "550 <5.1.1@mx.example> no", status: null, words: "<%addr> no" },
  { reply: "550 version 5.7.1 refuses", status: null },
  { reply: "550 9.7.1 no", status: null },
]);

describeRows("prefixes", [
  {
    reply:
      "550-5.7.1 Our system has detected that this message is 550-5.7.1 likely unsolicited mail. 550 5.7.1 Goodbye",
    status: "5.7.1",
    text: "our system has detected that this message is likely unsolicited mail. goodbye",
  },
  { reply: "550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1 c", text: "a b c" },
  { reply: "550-a\n550-\n550 c", text: "a c" },
  {
    reply: "554-No SMTP service 554-IP address is block listed. 554 See there",
    text: "no smtp service ip address is block listed. see there",
  },
  { reply: "550 5.7.1  two \t spaces ", text: "two spaces" },
  // Of another code, or no prefix at all.
  { reply: "450 host said: 550 5.1.1 unknown", text: "host said: 550 5.1.1 unknown" },
  { reply: "550 Error:550 no", text: "error:550 no" },
  { reply: "550 ticket 5501", text: "ticket 5501" },
  { reply: "550 x550-5 no", text: "x550-5 no" },
]);

describeRows("letters", [
  { reply: "550 REFUSED", text: "refused" },
  { reply: "550 Accès refusé, réessayez", text: "acces refuse, reessayez" },
  { reply: "550 Empfänger überlastet, Größe", text: "empfanger uberlastet, große" },
  { reply: "550 \uFB01ltered \uFF22locked", text: "filtered blocked" },
  { reply: "550 non\u00A0breaking\u2003space", text: "non breaking space" },
]);

describeRows("mail addresses", [
  { reply: "550 <blocked@spamhaus.org> no", text: "<%addr> no", words: "<%addr> no" },
  { reply: '550 <"john doe"@mx.example>: no such user', words: "<%addr>: no such user" },
  { reply: '550 "blocked using"@mx.example', words: "%addr" },
  { reply: "550 blacklist@spam.mx.example, blocked", words: "%addr, blocked" },
  { reply: "550 mailto:abuse@mx.example", words: "mailto:%addr" },
  { reply: "550 user+spam@mx.example unknown", words: "%addr unknown" },
  { reply: "550 SRS0=a=b=spam.example=x@mx.example", words: "%addr" },
  { reply: "550 no address @ all", words: "no address @ all" },
]);

describeRows("hosts, and where a sentence ends", [
  { reply: "550 mx1.blocked.example: x", text: "mx1.blocked.example: x", words: "%fqdn: x" },
  { reply: "550 You are blocked.Please ask", words: "you are blocked.please ask" },
  { reply: "550 Unknown.User", words: "unknown.user" },
  { reply: "550 message.is spam", words: "message.is spam" },
  { reply: "550 see mail.rbl.is", words: "see %fqdn" },
  {
    reply: "550 blocked using zen.spamhaus.org; no",
    text: "blocked using zen.spamhaus.org; no",
    words: "blocked using %fqdn; no",
  },
  { reply: "550 listed in bl.spamcop.net.", words: "listed in %fqdn." },
  { reply: "550 blocked... e.g. this, i.e. that", words: "blocked... e.g. this, i.e. that" },
]);

describeRows("links", [
  { reply: "550 see https://list.example/a?ip=192.0.2.1&x=blocked", words: "see %href" },
  { reply: "550 see <https://list.example/a>, (http://list.example/b)", words: "see <%href>, (%href)" },
  { reply: "550 see www.list.example/lookup now", words: "see %href now" },
  { reply: "550-see https:\r\n550 //list.example/a", text: "see https://list.example/a", words: "see %href" },
  { reply: "550 see http: //list.example/a", text: "see http://list.example/a", words: "see %href" },
  { reply: "550 5.7.1 https://check.spamhaus.org/", text: "https://check.spamhaus.org/", words: "%href" },
]);

describeRows("addresses of hosts", [
  { reply: "550 [192.0.2.1] listed", words: "[%ip] listed" },
  { reply: "550 [192.0.2.1] listed", own: "192.0.2.1", words: "[%own] listed" },
  { reply: "550 192.0.2.10 listed", own: "192.0.2.1", words: "%ip listed" },
  { reply: "550 192.0.2.1 and 192.0.2.2.", own: "192.0.2.1", words: "%own and %ip." },
  { reply: "550 192.0.2.1:25", words: "%ip:25" },
  { reply: "550 192.0.2.0/24 is blocked", words: "%ip is blocked" },
  { reply: "550 1.2.3.4.5 is none", words: "1.2.3.4.5 is none" },
  { reply: "550 2001:db8::1 listed", words: "%ip listed" },
  { reply: "550 [2001:DB8::1] listed", own: "2001:db8::1", words: "[%own] listed" },
  { reply: "550 [2001:db8::1] listed", own: "2001:DB8::1", words: "[%own] listed" },
  { reply: "550 [IPv6:2001:db8:0:1:2:3:4:5]", words: "[ipv6:%ip]" },
  { reply: "550 2001:db8::/32 is blocked", words: "%ip is blocked" },
  { reply: "550 [::1] and fe80::1", words: "[%ip] and %ip" },
  { reply: "550 ::ffff:192.0.2.1 listed", words: "%ip listed" },
  { reply: "421 at 16:36:58 closed", words: "at 16:36:58 closed" },
  { reply: "421 2026-11-24T16:36:58Z", words: "2026-11-24t16:36:58z" },
  { reply: "550 a::b is Perl", words: "%ip is perl" },
]);

const localPart = fc.constantFrom("blocked", "spamhaus", "user.unknown", "5.7.1", "550", "a+rbl", '"no such user"');

describe("any reply", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc
      .array(fc.constantFrom("550", "-", " ", "5.7.1", "#", "a@b.example", "192.0.2.1", "::1", "\n", "é", "://"), {
        maxLength: 30,
        size: "max",
      })
      .map((parts) => parts.join("")),
  );

  it("reads as one line in lower case", () => {
    fc.assert(
      fc.property(anything, (reply) => {
        const { text, words } = readWords(reply, null);
        for (const each of [text, words]) {
          assert.doesNotMatch(each, /[\r\n\t\0\u00A0]| {2}|^ | $|\p{M}/u);
          assert.equal(each, each.toLowerCase());
        }
      }),
    );
  });

  it("has a code of three digits and a status of three numbers, or none", () => {
    fc.assert(
      fc.property(anything, (reply) => {
        const { code, status } = readWords(reply, null);
        assert.ok(code === null || (Number.isInteger(code) && code >= 0 && code <= 999));
        assert.match(status ?? "5.0.0", /^[245]\.\d{1,3}\.\d{1,3}$/);
      }),
    );
  });

  it("is read no farther than a page and its end, however long one character becomes", () => {
    const end = "blocked using zen.spamhaus.org";
    const { text } = readWords(`550 ${"no reason ".repeat(10_000)}${end}`, null);
    assert.ok(text.length < 4100 && text.endsWith(end));
    assert.ok(readWords(`550 ${"\ufdfa".repeat(4000)}`, null).text.length < 4100);
  });

  it("reads the same whatever a mail address's local part says", () => {
    fc.assert(
      fc.property(localPart, fc.domain(), (local, domain) => {
        const of = (address: string): Words => readWords(`550 5.1.1 <${address}>: not here`, null);
        assert.deepEqual(of(`${local}@${domain}`), of("a@mx.example"));
      }),
    );
  });

  it("reads the same whichever IP address it names, but for our own", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const reply = `550 5.7.1 [${address}] is refused`;
        assert.equal(readWords(reply, null).words, "[%ip] is refused");
        assert.equal(readWords(reply, address).words, "[%own] is refused");
      }),
    );
  });

  it("keeps the time of day", () => {
    const two = fc.integer({ min: 0, max: 59 }).map((each) => String(each).padStart(2, "0"));
    fc.assert(
      fc.property(two, two, two, (hours, minutes, seconds) => {
        const time = `${hours}:${minutes}:${seconds}`;
        assert.equal(readWords(`421 at ${time}, closing`, null).words, `at ${time}, closing`);
      }),
    );
  });

  it("keeps the words of a sentence that goes on without a space", () => {
    fc.assert(
      fc.property(fc.constantFrom("blocked", "listed", "unknown", "spam"), (word) => {
        for (const next of ["please", "your", "contact", "the", "this", "see", "message"])
          assert.equal(readWords(`550 ${word}.${next} x`, null).words, `${word}.${next} x`);
      }),
    );
  });
});
