// The table of a domain's hosts: a row for each address, and what is told below it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { hostVerdicts, printHosts } from "../../functions/cli/host-table.ts";
import schema from "../../functions/cli/verdict.schema.json" with { type: "json" };
import { direct } from "../../functions/route/egress.ts";
import type { Transcript } from "../../functions/smtp/transcript.ts";
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

function verdictOf(...attempts: readonly Transcript[]): Verdict {
  return judge(attempts, direct);
}

/** As far as the first blank line behind the table. */
function tableOf(verdict: Verdict): readonly string[] {
  const [headline = "", , ...rows] = printHosts(verdict).split("\n");
  return [headline, ...rows.slice(0, rows.indexOf(""))];
}

describe("the table of hosts", () => {
  it("has a row for each address, with the host's words, and marks those that do not accept", () => {
    // prettier-ignore
    assert.deepEqual(tableOf(verdictOf(secured, blocked, refused, silent, left)), [
      "mx.example: 1 of 5 addresses accept up to ehlo; 1 not asked",
      "   host                  address     answer                 class          TLS      decided ms  words",
      "   mx1.example           192.0.2.1   accepted up to ehlo    -              TLSv1.3  9.0         250-mx.example / 250 PIPELINING",
      "▶  mx01.mail.icloud.com  192.0.2.25  rejected at greeting   ip-reputation  -        9.0         554 5.7.1 203.0.113.9 is listed in zen.spamhaus.org",
      "▶  mx3.example           192.0.2.3   rejected at ehlo       policy         -        9.0         550-5.7.1 go away / 550 5.7.1 blocked by us",
      "▶  mx4.example           192.0.2.4   unanswered at connect  network        -        0.8         no connection: ECONNREFUSED",
      "▶  mx5.example           -           not asked              network        -        -           not asked: the 2 s for all hosts together were over",
    ]);
  });

  it("is followed by all that is to be said of those that refused, and not of those that accepted or were not asked", () => {
    const printed = printHosts(verdictOf(good, blocked, refused, left));
    assert.match(printed, /^rejected at greeting by mx01\.mail\.icloud\.com \[192\.0\.2\.25\]: 554 5\.7\.1 203/m);
    assert.match(printed, /^see: https:\/\/check\.spamhaus\.org\//m);
    assert.match(printed, /^▶ +S: 550 5\.7\.1 blocked by us$/m);
    assert.ok(!/^accepted/m.test(printed) && !/^unanswered/m.test(printed), printed);
  });

  const headlines: readonly (readonly [attempts: readonly Transcript[], headline: string])[] = [
    [[good], "mx.example: 1 of 1 address accepts up to ehlo"],
    [[refused], "mx.example: 0 of 1 address accepts up to ehlo"],
    [[good, { ...good, address: "192.0.2.2" }], "mx.example: 2 of 2 addresses accept up to ehlo"],
    [[good, nowhere], "mx.example: 1 of 2 addresses accept up to ehlo"],
    [[nowhere], "mx.example: there is no address to ask"],
  ];
  for (const [attempts, headline] of headlines) {
    it(headline, () => assert.equal(tableOf(verdictOf(...attempts))[0], headline));
  }

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
        assert.equal(visible(printHosts(verdict)), printHosts(verdict));
        assert.equal(tableOf(verdict).length, said.length + 2);
      }),
    );
  });
});
