// What is told of a proxy's words: a table of what is and what is not, and that no spelling of our credentials is.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { tellable } from "../../functions/route/proxy-words.ts";
import { echoes, secretForms } from "../support/echoes.ts";

const us = { username: "somebody", password: "pass-w0rd!" };
const leftOut = "(in words that are left out: they may repeat our credentials)";

describe("to whom no credentials were told", () => {
  it("is told all that it said", () => {
    for (const words of ["", "Bad Gateway", "50% of \\x and ä\x1b", "x".repeat(3_000)]) {
      assert.equal(tellable(words, null), words);
    }
  });
});

describe("with credentials", () => {
  const told = [
    "",
    "Bad Gateway",
    "Unable to connect",
    "ECONNREFUSED 192.0.2.1:25",
    "Can't reach [2001:db8::25]: host's network is down",
    'access to "mx.example" (port 25) is denied; see the rules',
    "pass",
  ];
  for (const words of told) {
    it(`is told: ${JSON.stringify(words)}`, () => assert.equal(tellable(words, us), words));
  }

  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const not: readonly (readonly [name: string, words: string])[] = [
    ["the password", "no pass-w0rd! here"],
    ["in capitals", "no PASS-W0RD! here"],
    ["with spaces", "no p a s s - w 0 r d"],
    ["the beginning of it", "no pass-w"],
    ["the end of it", "no -w0rd!"],
    ["the name", "somebody is unknown"],
    ["percent-encoded", "no pass%2dw0rd%21"],
    ["JSON-escaped", "no pass\\u002dw0rd"],
    ["HTML-escaped", "no pass&#45;w0rd"],
    ["quoted-printable", "no pass=2Dw0rd"],
    ["the pair in base64", base64("somebody:pass-w0rd!")],
    ["the pair in base64, without its end", base64("somebody:pass-w0rd!").replace(/=+$/, "")],
    ["the password in base64", base64("pass-w0rd!").replace(/=+$/, "")],
    ["the name in base64", base64("somebody").replace(/=+$/, "")],
    ["base64 that begins with something else", base64("x:pass-w0rd!").replace(/=+$/, "")],
    ["base64 right behind other letters", `Basic${base64("somebody:pass-w0rd!")}`.replace(/=+$/, "")],
    ["hexadecimal", Buffer.from("pass-w0rd!").toString("hex")],
    ["hexadecimal behind another digit", `a${Buffer.from("pass-w0rd!").toString("hex")}`],
    ["letters that are not ASCII's", "Accès refusé"],
    ["more than anybody reads", "x".repeat(201)],
  ];
  for (const [name, words] of not) {
    it(`is not told: ${name}`, () => assert.equal(tellable(words, us), leftOut));
  }

  it("is not told where a short secret is in it, at all, for a mask would show it", () => {
    assert.equal(tellable("Bad Gateway", { username: "us", password: "Gate" }), leftOut);
    assert.equal(tellable("Bad Gateway", { username: "us", password: "" }), "Bad Gateway");
  });

  it("holds no spelling of them, whatever they are and wherever they stand", () => {
    fc.assert(
      fc.property(echoes, ({ credentials, echo, before, after }) => {
        const words = tellable(`${before}${echo.toString("latin1")}${after}`, credentials);
        for (const form of secretForms(credentials)) {
          if (leftOut.includes(form)) continue;
          assert.ok(!words.includes(form), `${JSON.stringify(words)} tells ${JSON.stringify(form)}`);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
