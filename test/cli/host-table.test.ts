// The table of a domain's hosts: a row for each address, and what is told below it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { hostVerdicts, printHosts } from "../../functions/cli/host-table.ts";
import schema from "../../functions/cli/verdict.schema.json" with { type: "json" };
import { direct, type Egress } from "../../functions/route/egress.ts";
import type { Stop, Transcript } from "../../functions/smtp/transcript.ts";
import { judge, type Verdict } from "../../functions/verdict/verdict.ts";
import { visible } from "../../functions/verdict/visible.ts";
import { ehlo, exchange, greeting, listed, transcript } from "./sample.ts";

const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
const depth = { depth: "ehlo" } as const;
const bye = exchange("quit", "QUIT", "221 bye");

function at(host: string, address: string | null, exchanges: Transcript["exchanges"], more: Partial<Transcript> = {}) {
  return transcript(exchanges, { host, address, ...depth, ...more });
}

const good = at("mx1.example", "192.0.2.1", [greeting, ehlo, bye]);
const blocked = { ...listed, ...depth };
const refused = at("mx3.example", "192.0.2.3", [greeting, exchange("ehlo", "EHLO probe.example", ["550-5.7.1 go away", "550 5.7.1 blocked by us"]), bye]); // prettier-ignore
const silent = at("mx4.example", "192.0.2.4", [], {
  ending: { by: "failed", stage: "connect", text: "no connection: ECONNREFUSED" },
  timings: { connectedMs: null, decidedMs: 0.8, endedMs: 0.8 },
});
const left = at("mx5.example", null, [], {
  stop: { reason: "out-of-time", stage: "connect", status: null, text: "not asked: the 2 s for all hosts together were over" }, // prettier-ignore
  ending: { by: "failed", stage: "connect", text: "not asked: the 2 s for all hosts together were over" },
  timings: { connectedMs: null, decidedMs: 0, endedMs: 0 },
});
const nowhere = at("mx.example", null, [], {
  stop: {
    reason: "no-mail-here",
    stage: "dns",
    status: "5.1.2",
    text: "DNS: there is no domain mx.example (NXDOMAIN)",
  },
  ending: { by: "failed", stage: "dns", text: "DNS: there is no domain mx.example (NXDOMAIN)" },
  timings: { connectedMs: null, decidedMs: 2, endedMs: 2 },
});
const secured = { ...good, tls: { version: "TLSv1.3", cipher: "x", certificate: null } };

const deferred = at("mx7.example", "192.0.2.7", [exchange("greeting", null, "421 4.3.2 not now")]);
const listedLater = at("mx8.example", "192.0.2.8", [exchange("greeting", null, "451 4.7.1 203.0.113.9 is listed in zen.spamhaus.org")]); // prettier-ignore
/** It refused STARTTLS because of a list, and took the rest in the clear. */
const forgiven = at("mx6.example", "192.0.2.6", [greeting, ehlo, exchange("starttls", "STARTTLS", "554 5.7.1 203.0.113.9 is listed in zen.spamhaus.org"), bye]); // prettier-ignore

function stopped(host: string, address: string | null, reason: Stop["reason"], text = `${host}: ${reason}`) {
  const stage = address === null ? "dns" : "connect";
  return at(host, address, [], {
    stop: { reason, stage, status: null, text },
    ending: { by: "failed", stage, text },
    timings: { connectedMs: null, decidedMs: 0.1, endedMs: 0.1 },
  });
}

function guarded(number: number): Transcript {
  return stopped(`mx${number}.example`, `10.0.0.${number}`, "guarded");
}

function verdictOf(...attempts: readonly Transcript[]): Verdict {
  return judge(attempts, direct);
}

/** As far as the first blank line behind the table. */
function tableOf(verdict: Verdict): readonly string[] {
  const [headline = "", , ...rows] = printHosts(verdict, direct).split("\n");
  return [headline, ...rows.slice(0, rows.indexOf(""))];
}

describe("the table of hosts", () => {
  it("has a row for each address, with the host's words, and marks those that do not accept", () => {
    // prettier-ignore
    assert.deepEqual(tableOf(verdictOf(secured, blocked, refused, silent, left)), [
      "mx.example: 4 addresses of 4 hosts up to ehlo: 1 refuses us (ip-reputation), 1 refuses us (policy), 1 unanswered, 1 accepts; 1 not asked",
      "   host                  address     answer                 class          TLS      decided ms  words",
      "   mx1.example           192.0.2.1   accepted up to ehlo    -              TLSv1.3  9.0         250-mx.example / 250 PIPELINING",
      "▶  mx01.mail.icloud.com  192.0.2.25  rejected at greeting   ip-reputation  -        9.0         554 5.7.1 203.0.113.9 is listed in zen.spamhaus.org",
      "▶  mx3.example           192.0.2.3   rejected at ehlo       policy         -        9.0         550-5.7.1 go away / 550 5.7.1 blocked by us",
      "▶  mx4.example           192.0.2.4   unanswered at connect  network        -        0.8         no connection: ECONNREFUSED",
      "▶  mx5.example           -           not asked              network        -        -           not asked: the 2 s for all hosts together were over",
    ]);
  });

  // prettier-ignore
  const headlines: readonly (readonly [attempts: readonly Transcript[], headline: string])[] = [
    [[good], "1 address of 1 host up to ehlo: 1 accepts"],
    [[refused], "1 address of 1 host up to ehlo: 1 refuses us (policy)"],
    [[good, { ...good, address: "192.0.2.2" }], "2 addresses of 1 host up to ehlo: 2 accept"],
    [[good, refused, deferred, blocked, silent], "5 addresses of 5 hosts up to ehlo: 1 refuses us (ip-reputation), 1 refuses us (policy), 1 defers, 1 unanswered, 1 accepts"],
    [[refused, listedLater], "2 addresses of 2 hosts up to ehlo: 1 defers (ip-reputation), 1 refuses us (policy)"],
    [[blocked, { ...blocked, address: "192.0.2.26" }, silent], "3 addresses of 2 hosts up to ehlo: 2 refuse us (ip-reputation), 1 unanswered"],
    [[forgiven, refused], "2 addresses of 2 hosts up to ehlo: 1 accepts (ip-reputation), 1 refuses us (policy)"],
    [[good, stopped("mx6.example", null, "no-address")], "1 address of 1 host up to ehlo: 1 accepts; 1 host without address"],
    [[good, stopped("mx6.example", null, "no-family"), stopped("mx7.example", null, "dns-failed")], "1 address of 1 host up to ehlo: 1 accepts; 1 host without IPv4 address; DNS fails for 1 host"],
    [[good, left, guarded(1), guarded(2)], "1 address of 1 host up to ehlo: 1 accepts; 2 addresses not dialled; 1 not asked"],
    [[good, stopped("mx8.example", null, "left-out")], "1 address of 1 host up to ehlo: 1 accepts; more than we ask left out"],
    [[good, stopped("mx.example", null, "left-out")], "1 address of 1 host up to ehlo: 1 accepts; more than we ask left out"],
    [[guarded(1), guarded(2)], "nobody was asked: 2 addresses not dialled"],
    [[stopped("mx7.example", null, "dns-failed")], "nobody was asked: DNS fails for 1 host"],
    [[stopped("mx7.example", "192.0.2.7", "proxy")], "1 address of 1 host up to ehlo: 1 unanswered"],
    [[nowhere], "there is no address to ask"],
  ];
  for (const [attempts, headline] of headlines) {
    it(headline, () => {
      const [first] = printHosts(verdictOf(...attempts), { ...direct, families: "4" }).split("\n");
      assert.equal(first, `mx.example: ${headline}`);
    });
  }

  it("is headed by a note where the egress has one IP version, and a proxy does not dial what it likes", () => {
    const bound: Egress = { ...direct, name: "mail-6", via: { type: "direct", bind: "2001:db8::25" } };
    const proxy = { type: "socks5", host: "proxy.example", port: 1080, credentials: null, passesNames: true } as const;
    const notes = (egress: Egress): readonly string[] =>
      printHosts(verdictOf(good), egress).split("\n").filter((line) => line.startsWith("note:")); // prettier-ignore
    assert.deepEqual(notes(direct), []);
    assert.deepEqual(notes({ ...direct, families: "4", via: proxy }), []);
    assert.deepEqual(notes({ ...direct, families: "4", via: { ...proxy, passesNames: false } }), ["note: egress direct dials IPv4 alone; hosts' IPv6 addresses are left out"]); // prettier-ignore
    assert.deepEqual(notes(bound), ["note: egress mail-6 dials IPv6 alone; hosts' IPv4 addresses are left out"]);
  });

  it("marks also one that accepted, and said on the way what somebody is woken for", () => {
    assert.deepEqual(tableOf(verdictOf(good, forgiven)).slice(2).map((row) => row[0]), [" ", "▶"]); // prettier-ignore
  });

  it("does not cut the words of one that is not told of again", () => {
    const text = `mx9.example leads to 10.0.0.1 (private), which is not dialled; ${"very ".repeat(20)}long`;
    const one = stopped("mx9.example", "10.0.0.1", "guarded", text);
    assert.ok(tableOf(verdictOf(one))[2]?.endsWith(text));
  });

  it("names another port than 25 with the host, and cuts words that are too many for a row", () => {
    const long = at("mx.example", "192.0.2.9", [exchange("greeting", null, `554 5.7.1 ${"very ".repeat(40)}long`)], { port: 2525 }); // prettier-ignore
    const [, , row = ""] = tableOf(verdictOf(long));
    assert.match(row, /^▶ {2}mx\.example:2525 {2}192\.0\.2\.9 .* 554 5\.7\.1 very [very ]+…$/);
    assert.ok(row.length < 170, row);
  });

  it("keeps several sessions with one address in one row, and two addresses of one host in two", () => {
    const again = { ...good, retry: "in-clear" } as const;
    const other = { ...good, address: "192.0.2.2" };
    const hosts = hostVerdicts(verdictOf(good, again, other));
    assert.deepEqual(
      hosts.map(({ primary, attempts }) => [primary.address, attempts.length]),
      [
        ["192.0.2.1", 2],
        ["192.0.2.2", 1],
      ],
    );
  });

  it("is made of verdicts that fit the schema, none of which knows another host's words", () => {
    const hosts = hostVerdicts(verdictOf(good, blocked, refused, silent, left, nowhere));
    assert.deepEqual(
      hosts.map(({ outcome }) => outcome),
      ["accepted", "rejected", "rejected", "unanswered", "unanswered", "rejected"],
    );
    for (const each of hosts) {
      assert.ok(fits(JSON.parse(JSON.stringify(each))), JSON.stringify(fits.errors));
      assert.equal(new Set(each.attempts.map(({ host }) => host)).size, 1);
    }
    assert.deepEqual(
      hosts.map(({ findings }) => findings.length),
      [0, 1, 0, 0, 0, 0],
    );
  });

  it("is safe on a terminal whatever hosts and DNS say, a row each", () => {
    const anything = fc.string({ unit: "binary", maxLength: 80 });
    fc.assert(
      fc.property(fc.array(fc.tuple(anything, anything), { minLength: 1, maxLength: 6 }), (said) => {
        const attempts = said.map(([host, words], index) =>
          at(host, `192.0.2.${index}`, [exchange("greeting", null, `554 ${words.replaceAll(/[\r\n]/g, "")}`)]),
        );
        const verdict = verdictOf(...attempts);
        assert.equal(visible(printHosts(verdict, direct)), printHosts(verdict, direct));
        assert.equal(tableOf(verdict).length, said.length + 2);
      }),
    );
  });
});

describe("below the table", () => {
  /** What is behind the table: its blocks, in their lines. */
  const blocksOf = (...attempts: readonly Transcript[]): readonly (readonly string[])[] => {
    const [, , ...told] = printHosts(verdictOf(...attempts), direct).trimEnd().split("\n\n"); // prettier-ignore
    return told.map((each) => each.split("\n"));
  };

  it("nothing is said of those that accepted", () => assert.deepEqual(blocksOf(good, secured), []));

  it("what to do about hosts that were never reached is told once, without their headlines and endings", () => {
    const hosts = [1, 2, 3, 4, 5, 6, 7].map(guarded);
    const blocks = blocksOf(...hosts);
    assert.equal(blocks.length, 1);
    const text = blocks.flat().join("\n");
    assert.match(text, /^mx1\.example \[10\.0\.0\.1\], mx2\.example \[10\.0\.0\.2\], /);
    for (const { host } of hosts) assert.equal(text.split(`${host} `).length, 2, host);
    assert.equal(text.match(/^class: network/gm)?.length, 1);
    assert.equal(text.match(/^do: Tell the domain's owner/gm)?.length, 1);
    assert.doesNotMatch(text, /unanswered|ended:|decided after/);
    assert.ok(blocks.flat().length < 8, text);
  });

  it("different remedies are told apart, each with its hosts", () => {
    const blocks = blocksOf(guarded(1), left, guarded(2), silent, { ...silent, address: "192.0.2.44" });
    assert.deepEqual(
      blocks.map(([first]) => first),
      [
        "mx1.example [10.0.0.1], mx2.example [10.0.0.2]:",
        "mx5.example:",
        "mx4.example [192.0.2.4], mx4.example [192.0.2.44]:",
      ],
    );
    for (const [, kind, action] of blocks) assert.match(`${kind}\n${action}`, /^class: network .*\ndo: /);
  });

  it("a host that refused is told with its dialog, those that page first, and the same remedy by the first of them", () => {
    const again = { ...blocked, host: "mx02.mail.icloud.com", address: "192.0.2.26" };
    const text = blocksOf(refused, good, blocked, silent, again).flat().join("\n");
    const heads = text.match(/^(?:rejected|unanswered|accepted|mx4).*/gm);
    assert.deepEqual(heads, [
      "rejected at greeting by mx01.mail.icloud.com [192.0.2.25]: 554 5.7.1 203.0.113.9 is listed in zen.spamhaus.org",
      "rejected at greeting by mx02.mail.icloud.com [192.0.2.26]: 554 5.7.1 203.0.113.9 is listed in zen.spamhaus.org",
      "rejected at ehlo by mx3.example [192.0.2.3]: 550-5.7.1 go away",
      "mx4.example [192.0.2.4]:",
    ]);
    assert.match(text, /^do: as for mx01\.mail\.icloud\.com \[192\.0\.2\.25\]$/m);
    assert.equal(text.match(/^see: https:\/\/check\.spamhaus\.org\//gm)?.length, 1);
    assert.match(text, /^▶ .* S: 550 5\.7\.1 blocked by us$/m);
    assert.equal(text.match(/^ {2}ended: /gm)?.length, 3);
  });

  const dialogs: readonly (readonly [what: string, attempt: Transcript, isTold: boolean])[] = [
    ["said yes until it fell silent", at("mx.a", "192.0.2.1", [greeting, exchange("ehlo", "EHLO a", null)]), false],
    ["took the connection and said nothing", at("mx.a", "192.0.2.1", [exchange("greeting", null, null)]), false],
    ["deferred", deferred, true],
    ["accepted, with a refusal that pages on the way", forgiven, true],
    [
      "is no mail host",
      at("mx.a", "192.0.2.1", [], { stop: { reason: "garbage", stage: "greeting", status: null, text: "SSH-2.0-x" } }),
      true,
    ],
    ["was not reached by the proxy", stopped("mx.a", "192.0.2.1", "proxy-refused"), false],
  ];
  for (const [what, attempt, isTold] of dialogs) {
    it(`a host that ${what} is told ${isTold ? "with" : "without"} its dialog`, () => {
      assert.equal(/^ {2}decided after/m.test(blocksOf(attempt).flat().join("\n")), isTold);
    });
  }
});
