// Many attempts, one verdict (DESIGN §6, across hosts): what wins over what, retries, and what is always kept.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Stop, Transcript } from "../../functions/smtp/transcript.ts";
import { classes } from "../../functions/verdict/classes.ts";
import { reconcile } from "../../functions/verdict/reconcile.ts";
import { direct } from "../../functions/route/egress.ts";
import { judge, wordsOfAttempts, type Finding, type Verdict } from "../../functions/verdict/verdict.ts";
import { transcripts } from "./generated.ts";
import { transcriptOf } from "./transcripts.ts";

const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx\n";
const envelope = "> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n";
const one = `${hello}${envelope}> QUIT\n`;
const two = `${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<a@mx.example>\n> RCPT TO:<b@mx.example>\n> QUIT\n`;

const accepted = `${one}< 250 ok\n< 250 2.1.5 ok\n< 221 bye`;
const listed = `${one}< 250 ok\n< 550 5.7.1 198.51.100.7 is listed in bl.example\n< 221 bye`;
const noUser = `${one}< 250 ok\n< 550 5.1.1 no such user\n< 221 bye`;
const greylisted = `${one}< 250 ok\n< 450 4.2.0 greylisted\n< 221 bye`;
const busy = `${one}< 250 ok\n< 450 4.2.1 mailbox busy\n< 221 bye`;
const greeting = "< 554 5.7.1 no\n! fin";
const silent = "! timeout";
const cutAtEhlo = "< 220 mx\n> EHLO probe.example\n! fin";
const cutAtRcpt = `${one}< 250 ok\n! reset`;
const unknown = `${hello}${envelope}> DATA\n< 250 ok\n< 250 ok\n< 354 go on\n> .\n! fin`;
const pipelining = `${one}< 554 5.5.0 improper pipelining\n! fin`;

interface Row {
  readonly name: string;
  /** In the order tried; a retry is said so. */
  readonly attempts: readonly (string | { readonly says: string; readonly facts: Partial<Transcript> })[];
  /** Which attempt decides, counted from 0, and how. */
  readonly decides: number;
  readonly primary: string;
}

const rows: readonly Row[] = [
  { name: "one host", attempts: [noUser], decides: 0, primary: "rejected rcpt 550" },
  {
    name: "accepted wins over a refusal before it",
    attempts: [greeting, accepted],
    decides: 1,
    primary: "accepted rcpt 250",
  },
  {
    name: "accepted wins over a failure before it",
    attempts: [silent, accepted],
    decides: 1,
    primary: "accepted rcpt 250",
  },
  {
    name: "accepted wins over whatever comes behind it",
    attempts: [accepted, listed],
    decides: 0,
    primary: "accepted rcpt 250",
  },
  { name: "unknown wins over refusals", attempts: [listed, unknown], decides: 1, primary: "unknown message null" },
  { name: "accepted wins over unknown", attempts: [unknown, accepted], decides: 1, primary: "accepted rcpt 250" },
  {
    name: "a refusal is never replaced by a later host's time-out",
    attempts: [greeting, silent, silent],
    decides: 0,
    primary: "rejected greeting 554",
  },
  {
    name: "a 4yz is never replaced by a deeper failure",
    attempts: [greylisted, cutAtRcpt],
    decides: 0,
    primary: "deferred rcpt 450",
  },
  {
    name: "a refusal behind failures",
    attempts: [silent, cutAtRcpt, noUser],
    decides: 2,
    primary: "rejected rcpt 550",
  },
  {
    name: "5yz before 4yz, also when the 4yz is wider",
    attempts: [greylisted, noUser],
    decides: 1,
    primary: "rejected rcpt 550",
  },
  { name: "5yz before 4yz, in either order", attempts: [noUser, greylisted], decides: 0, primary: "rejected rcpt 550" },
  { name: "then the wider scope", attempts: [noUser, listed], decides: 1, primary: "rejected rcpt 550" },
  { name: "then the wider scope, of 4yz", attempts: [busy, greylisted], decides: 1, primary: "deferred rcpt 450" },
  { name: "then the first", attempts: [listed, listed, listed], decides: 0, primary: "rejected rcpt 550" },
  {
    name: "then the first, of equals in different words",
    attempts: [greeting, listed],
    decides: 0,
    primary: "rejected greeting 554",
  },
  {
    name: "of failures the deepest",
    attempts: [silent, cutAtRcpt, cutAtEhlo],
    decides: 1,
    primary: "unanswered rcpt null",
  },
  {
    name: "of failures as deep the first",
    attempts: [cutAtEhlo, cutAtEhlo],
    decides: 0,
    primary: "unanswered ehlo null",
  },
  {
    name: "a connection that failed is deeper than a host without address",
    attempts: [dns("no-address"), failed("192.0.2.2")],
    decides: 1,
    primary: "unanswered connect null",
  },
  {
    name: "a guarded address is deeper than DNS without an answer",
    attempts: [dns("dns-failed"), guarded()],
    decides: 1,
    primary: "unanswered connect null",
  },
  { name: "DNS says that there is no mail", attempts: [dns("no-mail-here")], decides: 0, primary: "rejected dns null" },

  {
    name: "lock-step is heard: accepted",
    attempts: [pipelining, retried("lock-step", accepted)],
    decides: 1,
    primary: "accepted rcpt 250",
  },
  {
    name: "lock-step is heard: a 4yz, although the first was 5yz",
    attempts: [pipelining, retried("lock-step", greylisted)],
    decides: 1,
    primary: "deferred rcpt 450",
  },
  {
    name: "lock-step is heard: narrower than the first",
    attempts: [pipelining, retried("lock-step", noUser)],
    decides: 1,
    primary: "rejected rcpt 550",
  },
  {
    name: "lock-step without an answer: the first 5yz stays",
    attempts: [pipelining, retried("lock-step", silent)],
    decides: 0,
    primary: "rejected mail 554",
  },
  {
    name: "lock-step without an answer, at a deeper stage",
    attempts: [pipelining, retried("lock-step", cutAtRcpt)],
    decides: 0,
    primary: "rejected mail 554",
  },
  {
    name: "in the clear: refused",
    attempts: [handshake(), retried("in-clear", listed)],
    decides: 1,
    primary: "rejected rcpt 550",
  },
  {
    name: "in the clear: no answer either",
    attempts: [handshake(), retried("in-clear", silent)],
    decides: 0,
    primary: "unanswered tls null",
  },
  {
    name: "in the clear, and then in lock-step",
    attempts: [handshake(), retried("in-clear", pipelining), retried("lock-step", greylisted)],
    decides: 2,
    primary: "deferred rcpt 450",
  },
  {
    name: "another host's session is no retry",
    attempts: [pipelining, greylisted],
    decides: 0,
    primary: "rejected mail 554",
  },
  {
    name: "a retry at another address is no retry of this one",
    attempts: [{ says: listed, facts: { address: "192.0.2.9" } }, handshake(), retried("in-clear", greylisted)],
    decides: 0,
    primary: "rejected rcpt 550",
  },
];

describe("across hosts", () => {
  for (const { name, attempts, decides, primary } of rows) {
    it(name, () => {
      const all = attempts.map((each, index) => attemptOf(each, index));
      const verdict = judge(all, direct);
      const { stage, code, host } = verdict.primary;
      assert.equal(`${verdict.outcome} ${stage} ${code}`, primary);
      assert.equal(host, all[decides]?.host);
      assert.equal(verdict.attempts, all);
    });
  }
});

function attemptOf(attempt: Row["attempts"][number], index: number): Transcript {
  const { says, facts } = typeof attempt === "string" ? { says: attempt, facts: {} } : attempt;
  return transcriptOf(says, { host: `mx${index}.example`, recipients: ["x@mx.example"], ...facts });
}

function retried(retry: NonNullable<Transcript["retry"]>, says: string): Row["attempts"][number] {
  return { says, facts: { retry } };
}

function handshake(): Row["attempts"][number] {
  const stop: Stop = { reason: "handshake", stage: "tls", status: null, text: "TLS handshake failed" };
  return { says: `${hello}> STARTTLS\n< 220 go\n! us`, facts: { stop } };
}

function dns(reason: Stop["reason"]): Row["attempts"][number] {
  return unreached({ reason, stage: "dns", status: null, text: "DNS says so" }, null);
}

function guarded(): Row["attempts"][number] {
  return unreached({ reason: "guarded", stage: "connect", status: null, text: "not dialled" }, "127.0.0.1");
}

function unreached(stop: Stop, address: string | null): Row["attempts"][number] {
  return {
    says: "",
    facts: { stop, address, exchanges: [], ending: { by: "failed", stage: stop.stage, text: stop.text } },
  };
}

function failed(address: string): Row["attempts"][number] {
  return {
    says: "",
    facts: { address, exchanges: [], ending: { by: "failed", stage: "connect", text: "ECONNREFUSED" } },
  };
}

describe("several recipients", () => {
  it("each has the most telling word of all hosts, and the refusal is the verdict's", () => {
    const first = transcriptOf(`${two}< 250 ok\n< 250 2.1.5 a\n< 450 4.2.0 greylisted\n< 221 bye`, {
      host: "mx1.example",
    });
    const second = transcriptOf(`${one.replace("x@", "b@")}< 250 ok\n< 550 5.1.1 no such user\n< 221 bye`, {
      host: "mx2.example",
      address: "192.0.2.2",
    });
    const verdict = judge([first, second], direct);
    assert.deepEqual(
      verdict.recipients.map(({ address, outcome, code }) => [address, outcome, code]),
      [
        ["a@mx.example", "accepted", 250],
        ["b@mx.example", "rejected", 550],
      ],
    );
    assert.deepEqual([verdict.outcome, verdict.primary.host, verdict.primary.code], ["rejected", "mx2.example", 550]);
  });

  it("accepted is the verdict only if everybody was", () => {
    const all = transcriptOf(`${two}< 250 ok\n< 250 2.1.5 a\n< 250 2.1.5 b\n< 221 bye`);
    assert.deepEqual([judge([all], direct).outcome, judge([all], direct).class], ["accepted", null]);
    const some = transcriptOf(`${two}< 250 ok\n< 250 2.1.5 a\n! fin`);
    assert.equal(judge([some], direct).outcome, "unanswered");
  });

  it("the rest in another transaction: everybody accepted", () => {
    const first = transcriptOf(`${two}< 250 ok\n< 250 a\n< 452 4.5.3 too many recipients\n< 221 bye`);
    const rest = transcriptOf(`${one.replace("x@", "b@")}< 250 ok\n< 250 b\n< 221 bye`, { retry: "more-recipients" });
    assert.equal(judge([first, rest], direct).outcome, "accepted");
  });

  it("somebody left unknown makes the verdict unknown, whoever else was refused", () => {
    const chunk = two.replace("> QUIT", "> BDAT 9 LAST\n> QUIT");
    const verdict = judge(
      [transcriptOf(`${chunk}< 250 ok\n< 550 5.7.1 198.51.100.7 is listed in bl.example\n! reset`)],
      direct,
    );
    assert.equal(verdict.outcome, "unknown");
    assert.deepEqual(
      verdict.recipients.map(({ outcome }) => outcome),
      ["rejected", "unknown"],
    );
  });
});

describe("what a refusal comes to", () => {
  const pbl = "198.51.100.7 is listed in the PBL of zen.spamhaus.org";

  it("the provider is known by the MX host's name, whatever was said", () => {
    const hosts: readonly (readonly [host: string, provider: string | null])[] = [
      ["gmail-smtp-in.l.google.com", "gmail"],
      ["ALT1.GMAIL-SMTP-IN.L.GOOGLE.COM.", "gmail"],
      ["mx01.mail.icloud.com", "icloud"],
      ["google.com.mx.example", null],
      ["192.0.2.1", null],
    ];
    for (const [host, provider] of hosts) {
      for (const says of [accepted, listed, silent]) {
        assert.equal(judge([transcriptOf(says, { host })], direct).provider, provider, host);
      }
    }
    const wording = `${one}< 250 ok\n< 550 5.7.1 our gmail and icloud users are protected\n< 221 bye`;
    assert.equal(judge([transcriptOf(wording)], direct).provider, null);
  });

  it("of several hosts the one that decided is named", () => {
    const all = [
      transcriptOf(silent, { host: "gmail-smtp-in.l.google.com" }),
      transcriptOf(noUser, { host: "mx01.mail.icloud.com" }),
    ];
    assert.equal(judge(all, direct).provider, "icloud");
  });

  it("accepted has no class, and nothing is to be done", () => {
    const { class: kind, severity, blocklist, remedy, rule, findings } = judge([transcriptOf(accepted)], direct);
    assert.deepEqual([kind, severity, blocklist, remedy, rule, findings], [null, null, null, null, null, []]);
  });

  it("what failed has a class and a remedy, and no rule: no refusal was read", () => {
    const { class: kind, severity, blocklist, remedy, rule, findings } = judge([transcriptOf(silent)], direct);
    assert.deepEqual([kind, severity, blocklist, rule, findings], ["network", "info", null, null, []]);
    assert.equal(remedy?.text, classes.network.remedy);
  });

  it("a listing names the list, and how to leave it", () => {
    const verdict = judge([transcriptOf(refusing(`550 5.7.1 ${pbl}`))], direct);
    assert.deepEqual([verdict.class, verdict.severity, verdict.blocklist], ["ip-reputation", "page", "spamhaus-pbl"]);
    assert.equal(verdict.remedy?.url, "https://check.spamhaus.org/results?query=198.51.100.7");
    assert.ok(verdict.rule !== null && verdict.rule !== "none");
  });

  const severities: readonly (readonly [reply: string, shown: string])[] = [
    ["550 5.7.1 198.51.100.7 is listed in bl.example", "rejected ip-reputation page"],
    ["450 4.7.1 198.51.100.7 is listed in bl.example", "deferred ip-reputation page"],
    ["550 5.7.1 denied by policy", "rejected policy warn"],
    ["450 4.7.1 denied by policy", "deferred policy info"],
    ["501 5.5.4 syntax error in parameters", "rejected protocol page"],
    ["451 4.5.0 protocol error", "deferred protocol warn"],
    ["550 5.7.1 greylisted", "rejected greylist warn"],
    ["450 4.7.1 greylisted", "deferred greylist info"],
    ["550 5.1.1 no such user", "rejected mailbox-unknown info"],
    ["550 no", "rejected unspecified info"],
  ];
  for (const [reply, shown] of severities) {
    it(`${reply}: ${shown}`, () => {
      const { outcome, class: kind, severity } = judge([transcriptOf(refusing(reply))], direct);
      assert.equal(`${outcome} ${kind} ${severity}`, shown);
    });
  }

  it("nothing that went unanswered pages: what was read is not a refusal", () => {
    for (const says of [silent, cutAtEhlo, cutAtRcpt, unknown, `${one}< 354 go on\n! fin`]) {
      const { severity, findings } = judge([transcriptOf(says)], direct);
      assert.notEqual(severity, "page", says);
      assert.deepEqual(findings, []);
    }
  });

  const addresses: readonly (readonly [local: string | null, reply: string, query: string | null])[] = [
    ["198.51.100.7", "zen.spamhaus.org lists you", "198.51.100.7"],
    ["2001:db8::7", "zen.spamhaus.org lists you", "2001%3Adb8%3A%3A7"],
    // Behind NAT the host alone knows: the one public address that it names.
    ["10.0.0.5", "203.0.113.9 is listed in zen.spamhaus.org", "203.0.113.9"],
    ["198.51.100.7", "203.0.113.9 is listed in zen.spamhaus.org", "198.51.100.7"],
    ["10.0.0.5", "224.0.0.251 is listed in zen.spamhaus.org", null],
    ["10.0.0.5", "999.999.999.999 is listed in zen.spamhaus.org", null],
    ["198.51.100.7", "198.51.100.7 is listed in zen.spamhaus.org by 203.0.113.9", "198.51.100.7"],
    [null, "203.0.113.9 is listed in zen.spamhaus.org", "203.0.113.9"],
    // A private address is nobody's to look up.
    ["10.0.0.5", "zen.spamhaus.org lists you", null],
    ["10.0.0.5", "10.0.0.5 is listed in zen.spamhaus.org", null],
    ["10.0.0.5", "203.0.113.9 and 203.0.113.10 are listed in zen.spamhaus.org", null],
    ["172.31.255.1", "zen.spamhaus.org lists you", null],
    ["192.168.1.2", "zen.spamhaus.org lists you", null],
    ["100.64.0.1", "zen.spamhaus.org lists you", null],
    ["169.254.1.1", "zen.spamhaus.org lists you", null],
    ["127.0.0.1", "zen.spamhaus.org lists you", null],
    ["::1", "zen.spamhaus.org lists you", null],
    ["fd00::5", "zen.spamhaus.org lists you", null],
    ["fe80::5", "zen.spamhaus.org lists you", null],
    [null, "zen.spamhaus.org lists you", null],
  ];
  for (const [local, reply, query] of addresses) {
    it(`from ${local}, "${reply}": the remedy's link asks for ${query ?? "nothing"}`, () => {
      const attempt = transcriptOf(refusing(`550 5.7.1 blocked: ${reply}`), { localAddress: local });
      const url = judge([attempt], direct).remedy?.url;
      assert.equal(url, `https://check.spamhaus.org/${query === null ? "" : `results?query=${query}`}`);
    });
  }
});

/** One recipient, refused at RCPT. */
function refusing(reply: string): string {
  return `${one}< 250 ok\n< ${reply}\n< 221 bye`;
}

describe("findings: what somebody is paged for", () => {
  const banned = "< 554 5.7.1 198.51.100.7 is listed in zen.spamhaus.org\n! fin";

  it("a host that accepts hides no other host's refusal", () => {
    const all = [
      transcriptOf(banned, { host: "mx01.mail.icloud.com" }),
      transcriptOf(accepted, { host: "mx2.example" }),
    ];
    const verdict = judge(all, direct);
    assert.deepEqual([verdict.outcome, verdict.class, verdict.provider], ["accepted", null, null]);
    const [finding] = verdict.findings;
    assert.equal(verdict.findings.length, 1);
    assert.ok(finding !== undefined);
    const { rule, ...rest } = finding;
    assert.ok(rule !== null && rule !== "none");
    assert.deepEqual(rest, {
      class: "ip-reputation",
      severity: "page",
      provider: "icloud",
      blocklist: "spamhaus-zen",
      remedy: rest.remedy,
      stage: "greeting",
      command: null,
      code: 554,
      status: "5.7.1",
      text: "554 5.7.1 198.51.100.7 is listed in zen.spamhaus.org",
      partial: false,
      host: "mx01.mail.icloud.com",
      address: "192.0.2.1",
      port: 25,
    });
    assert.match(rest.remedy?.text ?? "", /Spamhaus/);
    assert.equal(rest.remedy?.url, "https://check.spamhaus.org/results?query=198.51.100.7");
  });

  const cases: readonly (readonly [
    name: string,
    attempts: Row["attempts"],
    outcome: Verdict["outcome"],
    shown: readonly string[],
  ])[] = [
    ["the primary, once", [listed], "rejected", ["ip-reputation rcpt 550"]],
    ["nothing that does not page", [noUser, greylisted, silent], "rejected", []],
    ["a 4yz that pages", [refusing("450 4.7.25 no PTR record")], "deferred", ["reverse-dns rcpt 450"]],
    ["each host's own", [banned, listed], "rejected", ["ip-reputation greeting 554", "ip-reputation rcpt 550"]],
    [
      "one that lost to another of the same session",
      [`${one}< 450 4.7.1 198.51.100.7 is listed in bl.example\n< 550 5.1.8 sender's domain not found\n< 221 bye`],
      "rejected",
      ["ip-reputation mail 450"],
    ],
    [
      "one that was behind the answer, and not it",
      [`${one}< 550 5.1.8 sender's domain not found\n< 450 4.7.1 198.51.100.7 is listed in bl.example\n< 221 bye`],
      "rejected",
      ["ip-reputation rcpt 450"],
    ],
    [
      "both of one session",
      [`${one}< 450 4.7.25 no PTR record\n< 550 5.7.1 198.51.100.7 is listed in bl.example\n< 221 bye`],
      "rejected",
      ["reverse-dns mail 450", "ip-reputation rcpt 550"],
    ],
    [
      "the same words again are no second one",
      [one.concat(`${`< ${listedReply()}\n`.repeat(2)}< 221 bye`)],
      "rejected",
      ["ip-reputation mail 550"],
    ],
    [
      "one in QUIT's place, at the depth we had come to",
      [`${one}< 250 ok\n< 250 ok\n< ${listedReply()}\n! fin`],
      "unanswered",
      ["ip-reputation rcpt 550"],
    ],
    [
      "QUIT refused in the same words again is no second one",
      [`${one}< 250 ok\n< ${listedReply()}\n< ${listedReply()}\n! fin`],
      "rejected",
      ["ip-reputation rcpt 550"],
    ],
    [
      "a 421 in QUIT's place, though everybody was accepted",
      [`${one}< 250 ok\n< 250 ok\n< 421 4.7.1 198.51.100.7 is listed in bl.example\n! fin`],
      "accepted",
      ["ip-reputation rcpt 421"],
    ],
    [
      "words in a reply that is about order by its code",
      [`${one}< 450 4.3.2 overloaded\n< 503 5.7.1 198.51.100.7 is listed in bl.example\n< 221 bye`],
      "deferred",
      ["ip-reputation rcpt 503"],
    ],
    ["QUIT not known is none", [`${one}< 250 ok\n< 250 ok\n< 500 unrecognized command\n! fin`], "accepted", []],
    ["a refusal said out of turn", [`${one}<mail ${listedReply()}\n! fin`], "rejected", ["ip-reputation mail 550"]],
    [
      "a partial refusal",
      [`${one}< 250 ok\n<~ 550-5.7.1 198.51.100.7 is listed in bl.example\n! reset`],
      "rejected",
      ["ip-reputation rcpt 550"],
    ],
    ["had again lock-step, and accepted: none", [pipelining, retried("lock-step", accepted)], "accepted", []],
    [
      "had again lock-step, and refused otherwise: that alone",
      [pipelining, retried("lock-step", listed)],
      "rejected",
      ["ip-reputation rcpt 550"],
    ],
    [
      "had again lock-step, without an answer: the first stays",
      [pipelining, retried("lock-step", silent)],
      "rejected",
      ["protocol mail 554"],
    ],
    [
      "had again in the clear, and told to use TLS: none",
      [handshake(), retried("in-clear", `${one}< 530 5.7.0 Must issue a STARTTLS command first\n! fin`)],
      "unanswered",
      [],
    ],
    [
      "recovered from: EHLO not known, and HELO taken",
      [
        `< 220 mx\n> EHLO p\n< 502 5.5.1 unknown command\n> HELO p\n< 250 mx\n${envelope}> QUIT\n< 250 ok\n< 250 ok\n< 221 bye`,
      ],
      "accepted",
      [],
    ],
    [
      "EHLO not known, and HELO never answered: the primary is one",
      ["< 220 mx\n> EHLO p\n< 502 5.5.1 unknown command\n> HELO p\n! fin"],
      "rejected",
      ["protocol ehlo 502"],
    ],
    [
      "STARTTLS refused for a listing, and nothing after it: the primary is one",
      [`${hello}> STARTTLS\n< ${listedReply()}\n! fin`],
      "rejected",
      ["ip-reputation starttls 550"],
    ],
  ];
  for (const [name, attempts, outcome, shown] of cases) {
    it(name, () => {
      const verdict = judge(attempts.map(attemptOf), direct);
      assert.equal(verdict.outcome, outcome);
      assert.deepEqual(verdict.findings.map(shownFinding), shown);
    });
  }

  it("one for each cause, however many recipients it refused", () => {
    const each = transcriptOf(`${two}< 250 ok\n< ${listedReply()}\n< ${listedReply()}\n< 221 bye`);
    assert.deepEqual(
      judge([each], direct).findings.map(({ command }) => command),
      ["RCPT TO:<a@mx.example>"],
    );
    const lists = `< ${listedReply()} in zen.spamhaus.org\n< ${listedReply()} in bl.spamcop.net`;
    assert.deepEqual(
      judge([transcriptOf(`${two}< 250 ok\n${lists}\n< 221 bye`)], direct).findings.map(({ blocklist }) => blocklist),
      ["spamhaus-zen", "spamcop"],
    );
    const all = transcriptOf(`${two}< ${listedReply()}\n< 503 5.5.1 need MAIL\n< 503 5.5.1 need MAIL\n< 221 bye`);
    assert.deepEqual(judge([all], direct).findings.map(shownFinding), ["ip-reputation mail 550"]);
  });

  it("what was told before the session was had again without pipelining is still told, what refused pipelining not", () => {
    const first = transcriptOf(
      `${one}< 450 4.7.1 198.51.100.7 is listed in bl.example\n< 550 5.5.0 improper pipelining\n! fin`,
    );
    const again = transcriptOf(`${one}< 250 ok\n< 250 ok\n< 221 bye`, { retry: "lock-step" });
    const { outcome, findings } = judge([first, again], direct);
    assert.deepEqual([outcome, findings.map(shownFinding)], ["accepted", ["ip-reputation mail 450"]]);
  });

  it("one recipient's chunk, recovered with DATA, is none, whoever else was refused", () => {
    const chunk = two.replace("> QUIT", "> BDAT 9 LAST");
    const first = transcriptOf(`${chunk}< 250 ok\n< 550 5.1.1 no such user\n< 250 ok\n< 502 5.5.1 unknown command`);
    const data = `${one.replace("x@", "b@").replace("> QUIT\n", "> DATA\n")}< 250 ok\n< 250 ok\n< 354 go on\n> .\n< 250 ok`;
    const verdict = judge([first, transcriptOf(data, { retry: "without-chunking" })], direct);
    assert.deepEqual(
      verdict.recipients.map(({ outcome }) => outcome),
      ["rejected", "accepted"],
    );
    assert.deepEqual(verdict.findings.map(shownFinding), []);
  });

  function listedReply(): string {
    return "550 5.7.1 198.51.100.7 is listed in bl.example";
  }
});

function shownFinding({ class: kind, stage, code }: Finding): string {
  return `${kind} ${stage} ${code}`;
}

describe("the document", () => {
  it("keeps the peer's words verbatim, apart from our judgement", () => {
    const says = `${one}< 250 ok\n< 550-5.7.1 no,\n< 550 5.7.1 Grüße\n< 221 bye`;
    const { primary, consequences } = judge([transcriptOf(says)], { name: "worker", address: null });
    assert.deepEqual(primary, {
      stage: "rcpt",
      command: "RCPT TO:<x@mx.example>",
      code: 550,
      status: "5.7.1",
      text: "550-5.7.1 no,\n550 5.7.1 Grüße",
      partial: false,
      host: "mx.example",
      address: "192.0.2.1",
      port: 25,
    });
    assert.deepEqual(consequences, []);
  });

  it("names the egress, and the address that a connection showed", () => {
    const without = transcriptOf(silent, { localAddress: null });
    assert.deepEqual(judge([without, transcriptOf(noUser)], { name: "worker", address: null }).egress, {
      name: "worker",
      address: "198.51.100.7",
      seen: null,
    });
    assert.deepEqual(judge([without], direct).egress, { name: "direct", address: null, seen: null });
  });

  describe("behind NAT", () => {
    const behind = { localAddress: "10.0.0.5" };
    const hello = "< 220 mx\n> EHLO probe.example\n< 250 mx.example Hello probe.example [203.0.113.7]\n";
    const greeted = transcriptOf(`${hello}> MAIL FROM:<p@s.example>\n> RCPT TO:<x@mx.example>\n> QUIT\n< 250 ok\n< 550 5.7.1 blocked, see zen.spamhaus.org\n< 221 bye`, behind); // prettier-ignore
    const told = transcriptOf(refusing("550 5.7.1 Client host [203.0.113.9] blocked using zen.spamhaus.org"), behind);

    it("the egress has the address that a host sees", () => {
      assert.deepEqual(judge([greeted], direct).egress, {
        name: "direct",
        address: "203.0.113.7",
        seen: "203.0.113.7",
      });
      assert.deepEqual(judge([told], direct).egress, { name: "direct", address: "203.0.113.9", seen: "203.0.113.9" });
    });

    it("a private address stands only where no attempt knows better", () => {
      const quiet = transcriptOf(noUser, behind);
      assert.equal(judge([quiet], direct).egress.address, "10.0.0.5");
      assert.equal(judge([quiet, told], direct).egress.address, "203.0.113.9");
    });

    it("what is configured goes first, and what is seen stands beside it", () => {
      const configured = { name: "mail-1", address: "198.51.100.7" };
      assert.deepEqual(judge([greeted], configured).egress, { ...configured, seen: "203.0.113.7" });
    });

    it("the link to the list asks for the address that the host judges", () => {
      const urls = [greeted, told].map((each) => judge([each], direct).remedy?.url);
      assert.deepEqual(urls, [
        "https://check.spamhaus.org/results?query=203.0.113.7",
        "https://check.spamhaus.org/results?query=203.0.113.9",
      ]);
      // The configuration is wrong, and what the host judges is what is to be taken off the list.
      const configured = { ...told, egressAddress: "203.0.113.11" };
      assert.equal(judge([configured], direct).remedy?.url, "https://check.spamhaus.org/results?query=203.0.113.9");
    });

    it("an address of ours in a refusal is evidence, as it is without NAT", () => {
      const bare = (facts: Partial<Transcript>): string | null =>
        judge([transcriptOf(refusing("550 Refused: 203.0.113.7"), facts)], direct).class;
      assert.equal(bare({ localAddress: "203.0.113.7" }), "ip-reputation");
      assert.equal(bare({ localAddress: null, egressAddress: "203.0.113.7" }), "ip-reputation");
      assert.equal(bare(behind), "ip-reputation");
    });
  });

  it("lists the consequences of all hosts, each with its own", () => {
    const first = transcriptOf(`${one}< 250 ok\n< 450 4.2.0 greylisted\n< 421 closing\n! fin`, { host: "mx1.example" });
    const second = transcriptOf(`${hello}> STARTTLS\n< 454 no\n${envelope}> QUIT\n< 250 ok\n< 250 ok\n< 221 bye`, {
      host: "mx2.example",
    });
    const { consequences, outcome } = judge([first, second], direct);
    assert.deepEqual(
      consequences.map(({ host, code }) => [host, code]),
      [
        ["mx1.example", 421],
        ["mx2.example", 454],
      ],
    );
    assert.equal(outcome, "accepted");
  });
});

describe("for any attempts", () => {
  it("one counts where no session that was had once more, right behind it, has an answer", () => {
    const says = fc.constantFrom(silent, cutAtRcpt, noUser, busy, accepted);
    const facts = fc.record({
      retry: fc.constantFrom(null, "lock-step" as const, "more-recipients" as const),
      address: fc.constantFrom("192.0.2.1", "192.0.2.2"),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(says, facts), { maxLength: 12 }), (sessions) => {
        const all = sessions.map(([text, more]) => ({ ...transcriptOf(text), ...more }));
        const counted = all.filter((attempt, index) => {
          const later = all.slice(index + 1);
          const end = later.findIndex(({ retry, address }) => retry === null || address !== attempt.address);
          const again = end === -1 ? later : later.slice(0, end);
          return again.every((each) => reconcile(each).primary.outcome === "unanswered");
        });
        const words = [...wordsOfAttempts(all).values()].flat();
        assert.deepEqual(words.map(({ attempt }) => all.indexOf(attempt as (typeof all)[number])), counted.map((each) => all.indexOf(each))); // prettier-ignore
      }),
    );
  });

  it("many of them are judged in a time that grows with them, not with their square", () => {
    const all = Array.from({ length: 100_000 }, (_, index) => ({
      ...transcriptOf(silent),
      address: `192.0.2.${index}`,
    }));
    const began = performance.now();
    assert.equal(wordsOfAttempts(all).size, 1);
    const elapsedMs = performance.now() - began;
    assert.ok(elapsedMs < 10_000, `${elapsedMs} ms`);
  });

  const attempts = fc.array(transcripts, { minLength: 1, maxLength: 4, size: "max" }).map((all) => {
    return all.map((each, index): Transcript => ({ ...each, host: `mx${index}.example`, address: `192.0.2.${index}` }));
  });

  it("every recipient has one word, the verdict is one of them, and no attempt is lost", () => {
    fc.assert(
      fc.property(attempts, (all) => {
        const verdict = judge(all, direct);
        const everybody = [...new Set(all.flatMap(({ recipients }) => recipients))];
        assert.deepEqual(
          verdict.recipients.map(({ address }) => address),
          everybody,
        );
        assert.ok(
          verdict.recipients.some(({ outcome, text }) => outcome === verdict.outcome && text === verdict.primary.text),
        );
        assert.equal(verdict.attempts, all);
        assert.equal(verdict.class === null, verdict.outcome === "accepted");
      }),
      { numRuns: 1_000 },
    );
  });

  it("whoever one host accepted is accepted, and a refusal is never masked by a failure", () => {
    fc.assert(
      fc.property(attempts, (all) => {
        for (const { address, outcome } of judge(all, direct).recipients) {
          const outcomes = all.flatMap((each) => reconcile(each).recipients).filter((each) => each.address === address);
          const has = (...kinds: readonly string[]): boolean =>
            outcomes.some(({ judgement }) => kinds.includes(judgement.outcome));
          assert.equal(outcome === "accepted", has("accepted"));
          if (outcome === "unanswered") assert.ok(!has("accepted", "unknown", "rejected", "deferred"));
          if (outcome === "deferred") assert.ok(!has("accepted", "unknown", "rejected"));
          if (outcome === "rejected") assert.ok(!has("accepted", "unknown"));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("every finding pages, and is a negative reply that stands in an attempt; the primary is one if it pages", () => {
    let pages = 0;
    fc.assert(
      fc.property(attempts, (all) => {
        const { findings, primary, severity } = judge(all, direct);
        for (const each of findings) {
          assert.equal(each.severity, "page");
          assert.ok(each.code !== null && each.code >= 400 && each.code < 600);
          assert.ok(each.class !== null && each.rule !== null && each.remedy !== null);
          assert.ok(all.some((attempt) => attempt.host === each.host && saysSo(attempt, each)));
        }
        const places = findings.map(({ host, stage, command, text }) => [host, stage, command, text].join("\n"));
        assert.equal(new Set(places).size, places.length, "one twice");
        const isPrimary = (each: Finding): boolean =>
          Object.entries(primary).every(([key, value]) => Reflect.get(each, key) === value);
        const count = findings.filter(isPrimary).length;
        // Out of step, the words that tell so are a finding, and the primary is that no yes can be trusted.
        if (severity === "page" && primary.code !== null) assert.equal(count, 1);
        else assert.ok(count <= 1);
        pages += findings.length;
      }),
      { numRuns: 1_000 },
    );
    assert.ok(pages > 300, `only ${pages} findings`);
  });

  it("no host's answer hides another host's finding, or adds to it", () => {
    // Of several recipients that a host refused for one cause, the one that speaks for them may be another.
    const causeOf = ({ host, address, class: kind, rule, blocklist }: Finding): string =>
      [host, address, kind, rule, blocklist].join(" ");
    fc.assert(
      fc.property(attempts, (all) => {
        assert.deepEqual(
          judge(all, direct).findings.map(causeOf),
          all.flatMap((each) => judge([each], direct).findings).map(causeOf),
        );
      }),
    );
  });

  it("what it comes to is whole where somebody was not accepted, and nothing where everybody was", () => {
    fc.assert(
      fc.property(attempts, (all) => {
        const { outcome, class: kind, severity, blocklist, remedy, rule } = judge(all, direct);
        const isAccepted = outcome === "accepted";
        for (const each of [kind, severity, remedy]) assert.equal(each === null, isAccepted);
        if (isAccepted) assert.deepEqual([blocklist, rule], [null, null]);
        if (outcome === "rejected") assert.notEqual(rule, null);
        if (kind !== null) assert.ok(Object.hasOwn(classes, kind));
      }),
    );
  });

  it("it is a function of the stored attempts alone", () => {
    fc.assert(
      fc.property(attempts, (all) => {
        const stored = JSON.parse(JSON.stringify(all)) as Transcript[];
        assert.deepEqual(judge(stored, direct), judge(all, direct));
      }),
    );
  });
});

/** Whether a reply of this session is the finding's. */
function saysSo({ exchanges }: Transcript, { command, code, text }: Finding): boolean {
  return exchanges.some(
    ({ command: sent, reply }) => sent === command && reply?.code === code && reply.lines.join("\n") === text,
  );
}
