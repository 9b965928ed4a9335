// The address that a host sees us come from: where it stands in what hosts say, and what goes before it.
import assert from "node:assert/strict";
import { isIP } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addressIn, egressNote, isPublic, ownAddress, seenBy } from "../../functions/verdict/own-address.ts";
import { transcripts } from "./generated.ts";
import { transcriptOf } from "./transcripts.ts";

const v4 = "192.0.2.1";
const v6 = "2001:db8:ffff::1";

/** The answer to EHLO. */
function greeted(lines: string, address: string | null = v4, command = "EHLO probe.example"): string | null {
  return seenBy(transcriptOf(`< 220 mx\n> ${command}\n${said(lines)}`, { address }));
}

/** The answer to RCPT. */
function refused(lines: string, address: string | null = v4): string | null {
  return seenBy(transcriptOf(`< 220 mx\n> RCPT TO:<x@mx.example>\n${said(lines)}`, { address }));
}

function said(lines: string): string {
  return lines
    .split(" / ")
    .map((line) => `< ${line}`)
    .join("\n");
}

describe("what hosts answer to EHLO", () => {
  const rows: readonly (readonly [reply: string, seen: string | null, address?: string | null])[] = [
    ["250 mx at your service, [203.0.113.7]", "203.0.113.7"],
    ["250-mx.example at your service, [203.0.113.7] / 250 SIZE 1000", "203.0.113.7"],
    ["250-XX.mail.protection.example Hello [203.0.113.7] / 250 PIPELINING", "203.0.113.7"],
    ["250-mx.example Hello probe.example [203.0.113.7] / 250 HELP", "203.0.113.7"],
    ["250 mx.example Hello probe.example [203.0.113.7], pleased to meet you", "203.0.113.7"],
    ["250-mx.example hello [203.0.113.7] (may be forged) / 250 HELP", "203.0.113.7"],
    ["250 mx.example Hello unknown (203.0.113.7)", "203.0.113.7"],
    ["250 mx.example 203.0.113.7", "203.0.113.7"],
    ["250 mx.example [203.0.113.7:41022]", "203.0.113.7"],
    ["250 mx.example [203.0.113.7], this server offers 6 extensions", "203.0.113.7"],
    ["250 [192.0.2.99] Hello [203.0.113.7]", "203.0.113.7"],
    ["250 mx.example Hello [203.0.113.7] [203.0.113.7]", "203.0.113.7"],
    ["250 mx.example Hello 7.113.0.203.isp.example [203.0.113.7]", "203.0.113.7"],
    ["250 mx.example Hello [IPv6:2001:db8::1]", "2001:db8::1", v6],
    ["250 mx.example Hello [IPv6:2001:DB8:0:0::0001], pleased to meet you", "2001:db8::1", v6],
    ["250 mx.example Hello [2001:db8::1]", "2001:db8::1", null],
    ["250 mx.example Hello [IPv6:::ffff:203.0.113.7]", "203.0.113.7"],
    ["250 mx.example Hello [::ffff:cb00:7107]", "203.0.113.7"],
    // None, or not ours.
    ["250 mx.example", null],
    ["250-mx.example / 250 XCLIENT 203.0.113.7", null],
    ["250 [203.0.113.7]", null],
    ["250 mx.example [192.0.2.1] says hello", null],
    ["250 mx.example Hello [203.0.113.7] from [203.0.113.8]", null],
    ["250 mx.example Hello [2001:db8::1]", null],
    ["250 mx.example Hello [203.0.113.7]", null, v6],
    ["250 mx.example Hello [203.0.113.777]", null],
    ["250 mx.example Hello [203.0.113.07]", null],
    ["250 mx.example Hello [203.0.113]", null],
    ["250 mx.example Hello [203.0.113.7.1]", null],
    ["250 mx.example Hello 203.0.113.7.isp.example", null],
    ["250 mx.example Hello ip-203.0.113.7", null],
    ["250 mx.example Sendmail 8.15.2.1 ready", null],
    ["250 mx.example Version: 10.0.17.1", null],
    ["250 mx.example Hello, see https://mx.example/?ip=203.0.113.7", null],
    ["250 mx.example Hello probe@203.0.113.7", null],
    ["250 mx.example Hello <probe@[203.0.113.7]>", null],
    // The Internet sees none of these: it is a balancer in front of the host that it sees.
    ["250 mx.example Hello [10.0.0.5]", null],
    ["250 mx.example Hello [127.0.0.1]", null],
    ["250 mx.example Hello [100.64.0.1]", null],
    ["250 mx.example Hello [fe80::1%eth0]", null, v6],
    ["250 mx.example Hello [10.0.0.5]", null, null],
    ["250 mx.example Hello [10.0.0.5]", "10.0.0.5", "10.9.9.9"],
    ["250 mx.example Hello [fd00::5]", "fd00::5", "fd00::9"],
    ["250 mx.example Hello [127.0.0.2]", null, "10.9.9.9"],
    ["250 mx.example Hello [127.0.0.2]", "127.0.0.2", "127.0.0.1"],
    ["250 mx.example Hello [224.0.0.1] [0.0.0.0] [255.255.255.255]", null, "10.9.9.9"],
  ];
  for (const [reply, seen, address = v4] of rows) {
    it(`${reply}, at ${address}: ${seen}`, () => assert.equal(greeted(reply, address), seen));
  }

  it("the literal that we said HELO with is only repeated", () => {
    assert.equal(greeted("250 mx.example Hello [203.0.113.7]", v4, "EHLO [203.0.113.7]"), null);
    assert.equal(greeted("250 mx.example Hello [203.0.113.7] [203.0.113.9]", v4, "HELO [203.0.113.7]"), "203.0.113.9");
    assert.equal(greeted("250 mx.example Hello [2001:db8::1]", v6, "EHLO [IPv6:2001:DB8:0::1]"), null);
  });

  it("goes before what a refusal says", () => {
    const both = (first: string): string | null =>
      seenBy(transcriptOf(`< 220 mx\n> EHLO probe.example\n< 250 mx ${first}\n> MAIL FROM:<a@b.example>\n< 550 Client host [203.0.113.9] blocked`)); // prettier-ignore
    assert.equal(both("Hello [203.0.113.7]"), "203.0.113.7");
    assert.equal(both("Hello"), "203.0.113.9");
    assert.equal(both("Hello [203.0.113.7] [203.0.113.8]"), "203.0.113.9");
  });
});

describe("what hosts say when they refuse", () => {
  const rows: readonly (readonly [reply: string, seen: string | null, address?: string | null])[] = [
    ["554 5.7.1 Service unavailable; Client host [203.0.113.7] blocked using zen.example", "203.0.113.7"],
    ["550 Mail from IP 203.0.113.7 was rejected", "203.0.113.7"],
    ["554 IP=203.0.113.7 - A problem occurred. (BL)", "203.0.113.7"],
    ["550 5.7.1 203.0.113.7 is refused here", "203.0.113.7"],
    ["550 5.7.1 Your mail from 203.0.113.7 is rejected.", "203.0.113.7"],
    ["550-203.0.113.7 is in a list / 550 go away", "203.0.113.7"],
    ["550-5.7.1 [203.0.113.7      12] Our system has seen / 550 5.7.1 an unusual rate", "203.0.113.7"],
    ["550 5.7.1 [2001:db8::22 13] Messages with multiple addresses", "2001:db8::22", v6],
    ["553 5.3.0 DNSBL:RBL 521< 203.0.113.7 >_is_blocked", "203.0.113.7"],
    ["450 4.7.1 <out.example[203.0.113.7]>: Client host rejected", "203.0.113.7"],
    [
      "421 4.7.0 [TSS04] Messages from 203.0.113.7 temporarily deferred - 4.16.55.1; see https://x.example",
      "203.0.113.7",
    ],
    ["554 5.7.1 Client host [203.0.113.7] blocked; https://list.example/query/ip/203.0.113.9", "203.0.113.7"],
    ["550 [203.0.113.7] listed, see list.example/q?ip=203.0.113.9", "203.0.113.7"],
    ["550 [203.0.113.7] listed, see https: //list.example/203.0.113.9", "203.0.113.7"],
    ["554 203.0.113.7 listed (127.0.0.2)", "203.0.113.7"],
    ["554 Client host [203.0.113.7] blocked; 127.0.0.1 -> Query Refused [Your DNS IP: 198.51.100.3]", "203.0.113.7"],
    ["554 mx.example 203.0.113.7 listed by 7.113.0.203.zen.example", "203.0.113.7"],
    ["550 the sender at [example.org:203.0.113.7] is refused", "203.0.113.7"],
    // None, several, or somebody else's.
    ["550 no such user", null],
    ["550 203.0.113.7 and 203.0.113.8 are listed", null],
    ["550 the netblock 203.0.113.0/24 is listed", null],
    ["550 listed (127.0.0.2)", null],
    ["550 [192.0.2.1] does not take this", null],
    ["550 HELO should be a literal (See RFC2821 4.1.1.1)", null],
    ["550 see RFC 2821, section 4.1.1.1", null],
    ["554 mx ESMTP Mailer 13.0.1.3 takes no mail", null],
    ["554 mx IceWarp 13.0.1.3", null],
    ["421 temporarily deferred - 4.16.55.1; see https://x.example", null],
    ["450 unverified: host mx.example[203.0.113.7] said: 550 5.1.1 unknown", null],
    ["450 unverified: connect to mail.example[203.0.113.7]:25: Connection refused", null],
    ["550-Verification failed / 550-Called:   203.0.113.7 / 550 Sent: RCPT", null],
    ["553 you are trying to use me [203.0.113.7] as a relay", null],
    ["550 the sender's MX points to 203.0.113.7", null],
    ["550 SERVFAIL for 7.113.0.203.zen.example", null],
    ["550 timeout at 12:34:56, Net::SMTP", null, v6],
    ["250 ok [203.0.113.7]", null],
  ];
  for (const [reply, seen, address = v4] of rows) {
    it(`${reply}: ${seen}`, () => assert.equal(refused(reply, address), seen));
  }

  it("is heard in the greeting, and at MAIL, RCPT, DATA and the message", () => {
    const starts = ["", "< 220 mx\n> MAIL FROM:<a@b.example>\n", "< 220 mx\n> DATA\n", "< 220 mx\n> .\n", "< 220 mx\n> BDAT 9 LAST\n"]; // prettier-ignore
    for (const start of starts)
      assert.equal(seenBy(transcriptOf(`${start}< 554 [203.0.113.7] blocked`)), "203.0.113.7", start);
  });

  it("a reply that was cut short may end inside the address", () => {
    assert.equal(seenBy(transcriptOf("<~ 554 blocked: 203.0.113.7\n! fin")), null);
  });

  it("nor is a line read to where it is cut", () => {
    for (let length = 480; length < 520; length += 1)
      assert.ok([null, "203.0.113.77"].includes(refused(`550 ${"x ".repeat(length / 2)}[203.0.113.77] blocked`)));
  });

  it("what is very long takes no long time, and tells nothing", () => {
    for (const piece of ["1.1.1.1", "a@", "2001:", "esmtp a ", "x.", "https:", "[", "connect to 1"]) {
      const lines = Array.from({ length: 100 }, () => `< 550-${piece.repeat(2_000 / piece.length)}`).join("\n");
      const transcript = transcriptOf(Array.from({ length: 50 }, () => `${lines}\n< 550 x`).join("\n"));
      assert.equal(seenBy(transcript), null, piece);
    }
  });
});

it("of a reply on its own, whoever said it, the address is told by the same rules", () => {
  assert.equal(
    addressIn("550-5.7.1 Client host\n550 5.7.1 [203.0.113.7] blocked, see https://x.example/203.0.113.8"),
    "203.0.113.7",
  );
  assert.equal(addressIn("550 5.7.1 Client host [2001:DB8::0:7] blocked"), "2001:db8::7");
  for (const none of [
    "",
    "550 no",
    "550 [10.0.0.5] blocked",
    "550 203.0.113.7 and 203.0.113.8",
    "450 host x[203.0.113.7] said: 550 no",
  ])
    assert.equal(addressIn(none), null, none);
});

describe("our own address", () => {
  const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx Hello [203.0.113.9]";
  const rows: readonly (readonly [egress: string | null, local: string | null, says: string, own: string | null])[] = [
    ["203.0.113.7", "198.51.100.7", hello, "198.51.100.7"],
    ["203.0.113.7", "10.0.0.5", hello, "203.0.113.9"],
    ["203.0.113.7", null, hello, "203.0.113.9"],
    ["203.0.113.7", "10.0.0.5", "", "203.0.113.7"],
    ["203.0.113.7", null, "", "203.0.113.7"],
    ["2001:db8::7", "198.51.100.7", hello, "198.51.100.7"], // of the other family
    ["2001:db8::7", "10.0.0.5", "", "10.0.0.5"],
    [null, "198.51.100.7", hello, "198.51.100.7"],
    [null, "8.8.4.4", hello, "8.8.4.4"],
    [null, "10.0.0.5", hello, "203.0.113.9"],
    [null, "100.64.0.5", hello, "203.0.113.9"],
    [null, "127.0.0.1", hello, "203.0.113.9"],
    [null, null, hello, "203.0.113.9"],
    [null, "10.0.0.5", "", "10.0.0.5"],
    [null, null, "", null],
  ];
  for (const [egressAddress, localAddress, says, own] of rows) {
    it(`of ${egressAddress}, ${localAddress} and ${says === "" ? "nothing" : "203.0.113.9"}: ${own}`, () => {
      assert.equal(ownAddress(transcriptOf(says, { egressAddress, localAddress })), own);
    });
  }

  it("is spelled as a host spells it", () => {
    const facts = { egressAddress: "2001:DB8:0:0:0:0:0:7", address: v6, localAddress: null };
    assert.equal(ownAddress(transcriptOf("", facts)), "2001:db8::7");
  });
});

describe("the note on the egress", () => {
  const at = (host: string, says: string): ReturnType<typeof transcriptOf> =>
    transcriptOf(`< 220 mx\n> EHLO probe.example\n< 250 mx ${says}`, { host });

  it("names the first host that sees another address", () => {
    const attempts = [at("mx1.example", "Hello [203.0.113.7]"), at("mx2.example", "Hello [198.51.100.9]")];
    assert.equal(
      egressNote({ egress: { address: "203.0.113.7" }, attempts }),
      "mx2.example sees us come from 198.51.100.9, not from 203.0.113.7: NAT, or another way out",
    );
  });

  it("is none where hosts see the egress, say nothing, or see another family", () => {
    const seen = [at("mx.example", "Hello [203.0.113.7]")];
    assert.equal(egressNote({ egress: { address: "203.0.113.7" }, attempts: seen }), null);
    assert.equal(egressNote({ egress: { address: "2001:db8::7" }, attempts: seen }), null);
    assert.equal(egressNote({ egress: { address: null }, attempts: seen }), null);
    assert.equal(egressNote({ egress: { address: "203.0.113.8" }, attempts: [at("mx.example", "Hello")] }), null);
  });

  it("is none for another spelling", () => {
    const attempt = transcriptOf("< 220 mx\n> EHLO probe.example\n< 250 mx [IPv6:2001:db8::7]", { address: v6 });
    assert.equal(egressNote({ egress: { address: "2001:DB8:0::7" }, attempts: [attempt] }), null);
  });
});

describe("whatever is said", () => {
  it("an address that is seen is one, spelled once and for all, public, and not the host's", () => {
    const piece = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ maxLength: 8 }),
      fc.constantFrom(
        "Hello",
        "[",
        "]",
        "IPv6:",
        "from",
        "version",
        "said:",
        "203.0.113.7",
        "2001:db8::1",
        "@",
        "/",
        ".",
      ),
    );
    const line = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(" ").replaceAll(/[\r\n]/g, ""));
    fc.assert(
      fc.property(line, fc.constantFrom(v4, v6, null), fc.boolean(), (text, address, isHello) => {
        const reply = `${isHello ? "250 mx" : "550"} ${text}`.replaceAll(/ \/ +/g, " /");
        const seen = isHello ? greeted(reply, address) : refused(reply, address);
        if (seen === null) return;
        assert.notEqual(isIP(seen), 0, seen);
        assert.ok(isPublic(seen), seen);
        assert.notEqual(seen, address);
        if (address !== null) assert.equal(isIP(seen), isIP(address));
        assert.equal(refused(`550 [${seen}] blocked`, address), seen, "found again in the spelling that was given");
      }),
      { numRuns: 2_000 },
    );
  });

  it("a host finds its way to say any public address, in any spelling", () => {
    const forms = fc.constantFrom<(address: string) => string>(
      (address) => `Hello probe.example [${address}]`,
      (address) => `at your service, [${address}]`,
      (address) => `Hello [IPv6:${address}]`.replace(/IPv6:(?=[\d.]+\])/, ""),
      (address) => `Hello (${address}), pleased to meet you`,
      (address) => `${address.toUpperCase()} hello`,
    );
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), forms, (address, form) => {
        fc.pre(isPublic(address));
        const seen = greeted(`250 mx.example ${form(address)}`, null);
        assert.ok(seen !== null, address);
        assert.equal(greeted(`250 mx.example ${form(seen)}`, null), seen);
      }),
      { numRuns: 1_000 },
    );
  });

  it("two public addresses are none", () => {
    const address = fc.ipV4().filter(isPublic);
    fc.assert(
      fc.property(address, address, (a, b) => {
        assert.equal(greeted(`250 mx.example Hello [${a}] and [${b}]`, null), a === b ? a : null);
      }),
    );
  });

  it("of a generated session nothing is thrown, and nothing is said twice differently", () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        const [own, seen] = [ownAddress(transcript), seenBy(transcript)];
        assert.equal(ownAddress({ ...transcript, localAddress: null }), seen);
        assert.equal(own, transcript.localAddress);
      }),
    );
  });
});
