// A host's name: tables of its spelling and of what is one, and what holds of every text.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isHostName, localName, plainName } from "../../functions/smtp/host-name.ts";

// prettier-ignore
const rows: readonly (readonly [name: string, plain: string, isHost: boolean])[] = [
  ["mx.example",          "mx.example",          true],
  ["MX1.Example.",        "mx1.example",         true],
  ["localhost",           "localhost",           true],
  ["_dmarc.example",      "_dmarc.example",      true],
  ["mx-1_a.example",      "mx-1_a.example",      true],
  ["xn--mnchen-3ya.example", "xn--mnchen-3ya.example", true],
  [".",                   ".",                   false],
  ["",                    ".",                   false],
  ["..",                  ".",                   false],
  ["mx.example..",        "mx.example.",         false],
  [".mx.example",         ".mx.example",         false],
  ["mx..example",         "mx..example",         false],
  ["*.example",           "*.example",           false],
  ["mx example",          "mx example",          false],
  ["mx.example\n",        "mx.example\n",        false],
  ["mx\\032.example",     "mx\\032.example",     false],
  ["mx/.example",         "mx/.example",         false],
  ["münchen.example",     "münchen.example",     false],
];

for (const [name, plain, isHost] of rows) {
  test(`${JSON.stringify(name)} is plainly ${JSON.stringify(plain)}, ${isHost ? "a" : "no"} host's`, () => {
    assert.equal(plainName(name), plain);
    assert.equal(isHostName(plain), isHost);
  });
}

// prettier-ignore
const places: readonly (readonly [name: string, why: string | null])[] = [
  ["mx.example.com",             null],
  ["MX.Example.COM.",            null],
  ["127.example",                null],
  ["mx.0x7f.example",            null],
  ["mx.x0",                      null],
  ["mx.0xyz",                    null],
  ["localhost.example",          null],
  ["mxlocal.example",            null],
  ["mx.xlocal",                  null],
  ["home.arpa.example",          null],
  ["1.0.0.127.in-addr.arpa",     null],
  ["2130706433",                 "a number"],
  ["127.1",                      "a number"],
  ["127.000.000.001",            "a number"],
  ["0177.0.0.1",                 "a number"],
  ["0x7f.1",                     "a number"],
  ["0X7F000001",                 "a number"],
  ["127.0.0.0x1",                "a number"],
  ["mx.0x",                      "a number"],
  ["mx.example.25.",             "a number"],
  ["localhost",                  ".localhost"],
  ["LOCALHOST.",                 ".localhost"],
  ["mx.localhost",               ".localhost"],
  ["localhost.localdomain",      ".localdomain"],
  ["x.local",                    ".local"],
  ["metadata.google.internal",   ".internal"],
  ["Metadata.Google.Internal.",  ".internal"],
  ["router.home.arpa",           ".home.arpa"],
  ["mx.corp",                    ".corp"],
  ["nas.lan",                    ".lan"],
  ["mx",                         "a single label"],
  ["com.",                       "a single label"],
];

for (const [name, why] of places) {
  test(`${name} ${why === null ? "may be a host on the Internet" : `is none on the Internet: ${why}`}`, () => {
    assert.equal(localName(name), why);
  });
}

const label = fc.stringMatching(/^[\w-]{1,63}$/);

test("labels with dots between them are a host's name, whose case and final dot make no difference", () => {
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), (labels) => {
      const name = labels.join(".");
      assert.ok(isHostName(name));
      assert.equal(plainName(`${name.toUpperCase()}.`), plainName(name));
      assert.equal(plainName(plainName(name)), plainName(name));
    }),
  );
});

test("of any text what is taken for a host's name holds only what one may", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const labels = text.split(".");
      assert.equal(isHostName(text), labels.every((each) => /^[A-Za-z0-9_-]+$/.test(each) && !each.endsWith("\n"))); // prettier-ignore
      assert.notEqual(plainName(text), "");
    }),
  );
});

test("what a system's look-up reads as an IPv4 address is no name on the Internet, however it is written", () => {
  const part = fc
    .nat({ max: 255 })
    .chain((value) =>
      fc.constantFrom(String(value), `0${value.toString(8)}`, `0x${value.toString(16)}`, `0X0${value.toString(16)}`),
    );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "."), (parts, dot) => {
      assert.equal(localName(parts.join(".") + dot), "a number");
    }),
  );
});

test("two labels or more, the last of them a public zone's, are never taken for a local name", () => {
  const zone = fc.constantFrom("com", "net", "de", "email", "xn--p1ai", "co.uk", "example");
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), zone, (labels, last) => {
      assert.equal(localName([...labels, last].join(".")), null);
    }),
  );
});
