import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { isHelo, parseAddress, parseSender } from "../../functions/smtp/address.ts";

const l64 = "l".repeat(64);
const label63 = "d".repeat(63);
// With "a@" before it, 254 octets.
const domain252 = `${label63}.${label63}.${label63}.${"d".repeat(60)}`;

suite("what is an address", () => {
  // prettier-ignore
  const cases: readonly (readonly [input: string, text: string, domain: string, needsSmtpUtf8?: boolean])[] = [
    ["a@example.com",                     "a@example.com",                     "example.com"],
    ["<a@example.com>",                   "a@example.com",                     "example.com"],
    ["First.Last+tag@Example.COM",        "First.Last+tag@example.com",        "example.com"],
    ["!#$%&'*+-/=?^_`{|}~@x.test",        "!#$%&'*+-/=?^_`{|}~@x.test",        "x.test"],
    ["0@1and1.com",                       "0@1and1.com",                       "1and1.com"],
    ["a@localhost",                       "a@localhost",                       "localhost"],
    ["a@x--y.test",                       "a@x--y.test",                       "x--y.test"],
    ['"a b"@x.test',                      '"a b"@x.test',                      "x.test"],
    ['"a@b"@x.test',                      '"a@b"@x.test',                      "x.test"],
    ['"a<b>"@x.test',                     '"a<b>"@x.test',                     "x.test"],
    ['<"a\\"b\\\\"@x.test>',              '"a\\"b\\\\"@x.test',                "x.test"],
    ['""@x.test',                         '""@x.test',                         "x.test"],
    ['"..a"@x.test',                      '"..a"@x.test',                      "x.test"],
    ["a@[192.0.2.1]",                     "a@[192.0.2.1]",                     "[192.0.2.1]"],
    ["a@[IPv6:2001:DB8::1]",              "a@[IPv6:2001:db8::1]",              "[IPv6:2001:db8::1]"],
    ["a@[ipv6:::ffff:192.0.2.1]",         "a@[IPv6:::ffff:192.0.2.1]",         "[IPv6:::ffff:192.0.2.1]"],
    ["a@münchen.example",                 "a@xn--mnchen-3ya.example",          "xn--mnchen-3ya.example"],
    ["a@MÜNCHEN.example",                 "a@xn--mnchen-3ya.example",          "xn--mnchen-3ya.example"],
    ["a@faß.example",                     "a@xn--fa-hia.example",              "xn--fa-hia.example"],
    ["a@例え。テスト",                     "a@xn--r8jz45g.xn--zckzah",          "xn--r8jz45g.xn--zckzah"],
    ["a@ｅxample.com",                    "a@example.com",                     "example.com"],
    ["用户@example.com",                   "用户@example.com",                   "example.com", true],
    ["jo\u0308rg@example.com",            "j\u00f6rg@example.com",             "example.com", true],
    ["\u0646\u0627\u0645\u0647\u200c\u0627\u06cc@x.test", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc@x.test", "x.test", true],
    ['"用 户"@例え.テスト',                 '"用 户"@xn--r8jz45g.xn--zckzah',     "xn--r8jz45g.xn--zckzah", true],
    [`${l64}@x.test`,                     `${l64}@x.test`,                     "x.test"],
    [`a@${label63}.test`,                 `a@${label63}.test`,                 `${label63}.test`],
    [`<a@${domain252}>`,                  `a@${domain252}`,                    domain252],
  ];
  for (const [input, text, domain, needsSmtpUtf8 = false] of cases) {
    test(JSON.stringify(input.slice(0, 50)), () => {
      const local = text.slice(0, text.length - domain.length - 1);
      assert.deepEqual(parseAddress(input), { text, local, domain, needsSmtpUtf8 });
    });
  }
});

suite("what is none, and what to write instead", () => {
  // prettier-ignore
  const cases: readonly (readonly [input: string, fault: RegExp])[] = [
    ["a b@x.test",                 /^"a b@x\.test" has a space in its local part; write it quoted: "a b"@x\.test$/],
    ["a@b@x.test",                 /has "@" in its local part; write it quoted: "a@b"@x\.test$/],
    ['a"b@x.test',                 /has "\\"" in its local part; write it quoted: "a\\"b"@x\.test$/],
    ["a\u00a0b@x.test",            /has U\+00A0 in its local part/],
    ["a\u037eb@x.test",            /has ";" in its local part/],
    [".a@x.test",                  /has a dot too many in its local part; write it quoted: "\.a"@x\.test$/],
    ["a.@x.test",                  /write it quoted: "a\."@x\.test$/],
    ["a..b@x.test",                /write it quoted: "a\.\.b"@x\.test$/],
    ["",                           /^"" has no "@"; write local@domain$/],
    ["<>",                         /has no "@"/],
    ["postmaster",                 /has no "@"; write local@domain$/],
    ['"a"',                        /has no "@"/],
    ["@x.test",                    /has nothing before its "@"/],
    ["a@",                         /has no domain after its "@"/],
    ["<a@x.test",                  /has "<" in its local part/],
    ["a@x.test>",                  /has ">" in its domain/],
    ["Joe <joe@x.test>",           /has more around the address; write joe@x\.test$/],
    [" a@x.test",                  /has more around the address; write a@x\.test$/],
    ["a@x.test ",                  /has more around the address; write a@x\.test$/],
    ["a@x.test,b@y.test",          /looks like several addresses; write one at a time$/],
    ["<@relay.test,@b.test:a@x.test>", /has a source route; write a@x\.test$/],
    ['"a@x.test',                  /opens a quotation mark and does not close it/],
    ['"a"b@x.test',                /has "b" after its quoted local part/],
    ['"a\\é"@x.test',              /has a backslash before a character that needs none/],
    ["a@x_y.test",                 /has "_" in its domain; write letters, digits, hyphens and dots$/],
    ["a@x y.test",                 /has a space in its domain/],
    ["a@x/y.test",                 /has "\/" in its domain/],
    ["a@x%2ey.test",               /has "%" in its domain/],
    ["a@x.test:25",                /has ":" in its domain/],
    ["a@x\uff0fy.test",            /has a domain that IDNA does not allow/],
    ["a@x.test.",                  /has a dot too many in its domain; write x\.test$/],
    ["a@x..test",                  /has a dot too many in its domain; write x\.test$/],
    ["a@-x.test",                  /has "-x" in its domain/],
    ["a@x-.test",                  /has "x-" in its domain/],
    ["a@192.0.2.1",                /has a bare address for its domain; write it in brackets: \[192\.0\.2\.1\]$/],
    ["a@\uff11\uff19\uff12.0.2.1", /write it in brackets: \[192\.0\.2\.1\]$/],
    ["a@127.1",                    /has a number at the end of its domain/],
    ["a@x.0x7f",                   /has a number at the end of its domain/],
    ["a@[2001:db8::1]",            /write \[IPv6:2001:db8::1\]$/],
    ["a@[192.0.2.256]",            /has an address literal that is none/],
    ["a@[192.0.2.1",               /has an address literal that is none/],
    ["a@[IPv6:fe80::1%eth0]",      /has an address literal that is none/],
    ["a@[tag:content]",            /has an address literal that is none/],
    [`${l64}l@x.test`,             /its local part has 65 octets; write 64 at most$/],
    [`${"é".repeat(33)}@x.test`,   /its local part has 66 octets; write 64 at most$/],
    [`a@${label63}d.test`,         /of its domain has 64 octets; write 63 at most$/],
    [`ab@${domain252}`,            /is too long: it has 255 octets; write 254 at most$/],
    [`a@${"ü".repeat(60)}.test`,   /of its domain has \d+ octets; write 63 at most$/],
    [`${"a".repeat(10_000)}@x.test`, /is too long: it has 10007 octets/],
  ];
  for (const [input, expected] of cases) {
    test(JSON.stringify(input.slice(0, 50)), () => assert.match(faultOf(input), expected));
  }

  for (const unseen of [
    "\r",
    "\n",
    "\0",
    "\t",
    "\x1b",
    "\x7f",
    "\x85",
    "\x9b",
    "\u2028",
    "\u202e",
    "\u200b",
    "\ufeff",
    "\ud800",
  ]) {
    const hex = unseen.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    test(`U+${hex} is refused everywhere, and is not printed`, () => {
      for (const input of [
        `a${unseen}@x.test`,
        `"a${unseen}"@x.test`,
        `"\\${unseen}"@x.test`,
        `a@x${unseen}.test`,
        `a@x.test${unseen}`,
      ]) {
        const fault = faultOf(input);
        assert.match(fault, new RegExp(`holds U\\+${hex}; write it without$`));
        assert.ok(!fault.includes(unseen));
        assert.ok("fault" in parseSender(input));
      }
    });
  }
});

suite("the null reverse-path", () => {
  for (const input of ["", "<>"]) {
    test(`${JSON.stringify(input)} is a sender, and no recipient`, () => {
      assert.deepEqual(parseSender(input), { text: "", local: "", domain: "", needsSmtpUtf8: false });
      assert.ok("fault" in parseAddress(input));
    });
  }
  test("any other sender is an address", () => {
    assert.deepEqual(parseSender("<a@x.test>"), parseAddress("a@x.test"));
    assert.deepEqual(parseSender("a b"), parseAddress("a b"));
  });
});

suite("what EHLO may say", () => {
  for (const text of ["probe.example", "localhost", "xn--mnchen-3ya.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"]) {
    test(text, () => assert.equal(isHelo(text), true));
  }
  for (const text of [
    "",
    "münchen.example",
    "192.0.2.1",
    "[::1]",
    "a_b.test",
    "a b",
    "a.test\r\nQUIT",
    "a.test.",
    "-a.test",
    "[]",
  ]) {
    test(`not ${JSON.stringify(text)}`, () => assert.equal(isHelo(text), false));
  }
});

suite("whatever the input", () => {
  const pieces = fc.constantFrom(
    ...'a . @ " \\ < > [ ] : \r \n \0 \u202e é \u0308 - _ , ; % / 0 例'.split(" "),
    " ",
    "example.com",
    "[IPv6:",
    "::1]",
    "xn--",
  );
  const input = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(pieces, { maxLength: 12 }).map((each) => each.join("")),
    fc.emailAddress(),
  );

  test("an address is one line of the octets that SMTP allows, and parses as itself", () => {
    fc.assert(
      fc.property(input, (text) => {
        const parsed = parseSender(text);
        if ("fault" in parsed || parsed.text === "") return;
        assert.doesNotMatch(parsed.text, /[\p{Cc}\p{Cs}]/u);
        assert.equal(parsed.text, `${parsed.local}@${parsed.domain}`);
        assert.match(parsed.domain, /^[a-z0-9.-]+$|^\[(?:IPv6:[a-f0-9:.]+|[0-9.]+)\]$/);
        assert.ok(Buffer.byteLength(parsed.local) <= 64 && Buffer.byteLength(parsed.text) <= 254);
        assert.equal(parsed.needsSmtpUtf8, /[^\0-\x7f]/.test(parsed.text));
        assert.deepEqual(parseAddress(`<${parsed.text}>`), parsed);
      }),
      { numRuns: 3_000 },
    );
  });

  test("a fault is one short line that is safe to print", () => {
    fc.assert(
      fc.property(input, (text) => {
        const parsed = parseAddress(text);
        if (!("fault" in parsed)) return;
        assert.doesNotMatch(parsed.fault, /[\p{C}\p{Zl}\p{Zp}]/u);
        assert.match(parsed.fault, /^".*" .+; .+$/u);
      }),
      { numRuns: 3_000 },
    );
  });

  test("what a fault says to write in quotation marks is an address", () => {
    const local = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(local, (text) => {
        const parsed = parseAddress(`${text}@x.test`);
        const advised = "fault" in parsed ? /write it quoted: (.*)$/.exec(parsed.fault)?.[1] : undefined;
        if (advised === undefined) return;
        const again = parseAddress(advised);
        assert.ok(!("fault" in again), advised);
        assert.equal(again.local.slice(1, -1).replace(/\\(.)/g, "$1"), text);
      }),
      { numRuns: 2_000 },
    );
  });

  test("addresses that others call valid are addresses", () => {
    fc.assert(fc.property(fc.emailAddress(), (text) => !("fault" in parseAddress(text))));
  });
});

function faultOf(text: string): string {
  const parsed = parseAddress(text);
  assert.ok("fault" in parsed, `${JSON.stringify(text)} was taken for an address`);
  return parsed.fault;
}
