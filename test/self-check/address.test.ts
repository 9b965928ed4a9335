// The address that hosts see: what is configured, what connections show and what hosts say of it. As data, without a
// socket: the hosts' own words in self-check.test.ts are real.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { direct, type Egress } from "../../functions/route/egress.ts";
import {
  checkAddress,
  configuredAddress,
  judgedAddress,
  learntAddress,
  seenAddresses,
  type Seen,
} from "../../functions/self-check/address.ts";
import type { Standing } from "../../functions/self-check/found.ts";
import type { SelfCheckOptions } from "../../functions/self-check/options.ts";
import type { Transcript } from "../../functions/smtp/transcript.ts";
import { exchange, greeting, reply, transcript } from "../cli/sample.ts";
import { address, address6, assertFound } from "./setup.ts";

function options(via: { address?: string | null; bind?: string | null }, allowPrivate = false): SelfCheckOptions {
  const { address: own = null, bind = null } = via;
  const egress: Egress = { ...direct, name: "mail-1", address: own, via: { type: "direct", bind } };
  return { egress, allowPrivate } as SelfCheckOptions;
}

const seenAs = (...addresses: readonly string[]): readonly Seen[] =>
  addresses.map((address, at) => ({ host: `mx${at + 1}.example`, address }));

// prettier-ignore
const rows: readonly (readonly [
  what: string, options: SelfCheckOptions, known: string | null, seen: readonly Seen[], standing: Standing, says: RegExp, doing?: RegExp,
])[] = [
  ["configured, and nobody said",          options({ address }), address, [], "ok", /^192\.0\.2\.25 is configured; no host said what it sees$/],
  ["configured, and seen",                 options({ address }), address, seenAs(address), "ok", /^192\.0\.2\.25 is configured, and mx1\.example sees us come from there$/],
  ["bound, and nobody said",               options({ bind: address }), address, [], "ok", /^192\.0\.2\.25 is configured; no host/],
  ["configured, and another one seen",     options({ address }), address, seenAs("198.51.100.7"), "fault", /^mx1\.example sees us come from 198\.51\.100\.7, not from 192\.0\.2\.25: NAT, or another way out$/, /^Send the egress's connections out by its address/],
  ["configured, and seen by one of two",   options({ address }), address, seenAs(address, "198.51.100.7"), "fault", /^mx2\.example sees us come from 198\.51\.100\.7/],
  ["configured, another family is seen",   options({ address }), address, seenAs(address6), "ok", /^192\.0\.2\.25 is configured; no host said what it sees; mx1\.example sees 2001:db8::25, of the other family/],
  ["configured, both families are seen",   options({ address }), address, seenAs(address6, address), "ok", /, and mx2\.example sees us come from there; mx1\.example sees 2001:db8::25/],
  ["not configured, and seen",             options({}), address, seenAs(address), "ok", /^mx1\.example sees us come from 192\.0\.2\.25$/],
  ["not configured, and of the connection", options({}), address, [], "ok", /^192\.0\.2\.25 is the connection's own; no host said what it sees$/],
  ["not configured, two are seen",         options({}), address, seenAs(address, "198.51.100.7"), "fault", /^mx2\.example sees us come from 198\.51\.100\.7, not from 192\.0\.2\.25/],
  ["not known",                            options({}), null, [], "unknown", /^which address hosts see is not known: none is configured, and no host said what it sees$/, /^Set the egress's address, .*egresses\[\]\.address in the configuration, or --egress/],
  ["configured, and private",              options({ address: "10.1.2.3" }), "10.1.2.3", [], "fault", /^10\.1\.2\.3 is private: no host on the Internet sees mail come from it$/, /^Set the public address .*egresses\[\]\.address/],
  ["configured, and shared",               options({ address: "100.64.0.1" }), "100.64.0.1", [], "fault", /is shared \(CGNAT\)/],
  ["configured, and local",                options({ address: "fd00::1" }), "fd00::1", [], "fault", /is unique local/],
  ["configured, NAT64's",                 options({ address: "64:ff9b::c000:219" }), "64:ff9b::c000:219", [], "fault", /is NAT64/],
  ["private where that is allowed",        options({ address: "127.0.0.1" }, true), "127.0.0.1", seenAs("127.0.0.1"), "ok", /^127\.0\.0\.1 is configured, and mx1/],
];

describe("the address", () => {
  for (const [what, given, known, seen, standing, says, doing] of rows) {
    it(`${what}: ${standing}`, () =>
      assertFound(checkAddress(given, known, { seen, egressFault: null }), standing, says, doing));
  }

  it("is not to be had where this machine cannot leave by the egress", () => {
    const egressFault = "egress mail-1: 192.0.2.25 is not an address of this machine (EADDRNOTAVAIL)";
    const found = checkAddress(options({ address }), address, { seen: [], egressFault });
    assertFound(
      found,
      "fault",
      /^egress mail-1: 192\.0\.2\.25 is not an address/,
      /^Bind an address that this machine has/,
    );
  });

  it("that is judged is the one that hosts see, of the egress's family", () => {
    const said = (...addresses: readonly string[]) => addresses.map((each) => ({ host: "mx.example", address: each }));
    assert.equal(judgedAddress(address, said("203.0.113.9")), "203.0.113.9");
    assert.equal(judgedAddress(address, said(address6)), address);
    assert.equal(judgedAddress(address, []), address);
    assert.equal(judgedAddress(null, said(address6)), address6);
    assert.equal(judgedAddress(null, []), null);
  });

  // prettier-ignore
  const configured: readonly (readonly [what: string, options: SelfCheckOptions, address: string | null])[] = [
    ["the configured one",                options({ address, bind: "10.0.0.1" }), address],
    ["a private one that is configured",  options({ address: "10.0.0.1" }), "10.0.0.1"],
    ["in the one spelling",               options({ address: "2001:DB8:0::25" }), address6],
    ["a mapped one, as IPv4",             options({ address: "::ffff:192.0.2.25" }), address],
    ["the one bound",                     options({ bind: address }), address],
    ["none behind a private one bound",   options({ bind: "10.0.0.1" }), null],
    ["a private one bound, if allowed",   options({ bind: "127.0.0.1" }, true), "127.0.0.1"],
    ["none",                              options({}), null],
  ];
  for (const [what, given, expected] of configured) {
    it(`that is known before anybody was asked: ${what}`, () => assert.equal(configuredAddress(given), expected));
  }

  const ehlo = (text: string): Transcript["exchanges"] => [greeting, exchange("ehlo", "EHLO probe.example", text)];
  const host = { host: "mx.example", address: "198.51.100.80" } as const;
  // prettier-ignore
  const learnt: readonly (readonly [what: string, attempts: readonly Transcript[], address: string | null, seen: readonly string[]])[] = [
    ["the host's word",                   [transcript(ehlo("250 mx.example Hello probe.example [192.0.2.25]"), { ...host, localAddress: "10.0.0.1" })], address, [address]],
    ["the host's word before the connection's", [transcript(ehlo("250 mx.example Hello [192.0.2.25]"), { ...host, localAddress: "203.0.113.9" })], address, [address]],
    ["a refusal's word",                  [transcript([{ ...greeting, reply: reply(["554 5.7.1 192.0.2.25 is listed in zen.spamhaus.org"]) }], { ...host })], address, [address]],
    ["the connection's own",              [transcript(ehlo("250 mx.example"), { ...host, localAddress: "203.0.113.9" })], "203.0.113.9", []],
    ["the proxy's",                       [transcript(ehlo("250 mx.example"), { ...host, localAddress: "10.0.0.1", egressAddress: "203.0.113.9" })], "203.0.113.9", []],
    ["none of a private connection",      [transcript(ehlo("250 mx.example"), { ...host, localAddress: "10.0.0.1" })], null, []],
    ["a later connection's",              [transcript([], { ...host, localAddress: null }), transcript(ehlo("250 mx.example"), { ...host, localAddress: "203.0.113.9" })], "203.0.113.9", []],
    ["none of nobody",                    [], null, []],
  ];
  for (const [what, attempts, expected, seen] of learnt) {
    it(`that the hosts show: ${what}`, () => {
      assert.equal(learntAddress(attempts), expected);
      assert.deepEqual(seenAddresses(attempts).map((each) => each.address), seen); // prettier-ignore
    });
  }
});
