// Who is woken by which class. It does not know when an alarm is one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { classes, type Class } from "../../functions/verdict/classes.ts";
import { severities, severityOf, type Severity } from "../../functions/verdict/severity.ts";

/**
 * The taxonomy's column "page?", and what a refusal for good comes to by it. Greylisting is for the time being: one for
 * good does not pass by itself.
 */
// prettier-ignore
const rows: readonly (readonly [kind: Class, page: string, permanent: Severity])[] = [
  ["ip-reputation",     "page",                       "page"],
  ["domain-reputation", "page",                       "page"],
  ["authentication",    "page",                       "page"],
  ["reverse-dns",       "page",                       "page"],
  ["helo",              "page (our config)",          "page"],
  ["tls",               "page if > 1 receiver",       "warn"],
  ["rate-limit",        "warn if sustained",          "warn"],
  ["greylist",          "no",                         "warn"],
  ["sender-rejected",   "warn",                       "warn"],
  ["content-spam",      "warn",                       "warn"],
  ["message-format",    "warn (probe bug)",           "warn"],
  ["mailbox-unknown",   "no (ticket)",                "info"],
  ["mailbox-full",      "no",                         "info"],
  ["mailbox-disabled",  "no",                         "info"],
  ["relay-denied",      "warn (wrong MX)",            "warn"],
  ["policy",            "warn if a big provider",     "warn"],
  ["system-error",      "no; alarm on rate",          "info"],
  ["protocol",          "page (our bug)",             "page"],
  ["network",           "alarm on rate",              "info"],
  ["unspecified",       "no; count",                  "info"],
];

/** What a 4yz of the same class comes to, where that is less. */
const milder: Readonly<Partial<Record<Class, Severity>>> = { greylist: "info", protocol: "warn", policy: "info" };

/** Pages for the time being too: a block that defers is a block. */
const alwaysPages: readonly Class[] = ["ip-reputation", "domain-reputation", "authentication", "reverse-dns", "helo"];

const order: readonly Severity[] = ["info", "warn", "page"];

describe("a class's severity", () => {
  for (const [kind, page, permanent] of rows) {
    it(`${kind}: ${page}`, () => assert.equal(severityOf(kind, true), permanent));
    it(`${kind} for the time being`, () => assert.equal(severityOf(kind, false), milder[kind] ?? permanent));
  }

  it("is told of every class, and once", () => {
    assert.deepEqual(rows.map(([kind]) => kind).toSorted(), Object.keys(classes).toSorted());
    assert.deepEqual(Object.keys(severities).toSorted(), Object.keys(classes).toSorted());
  });

  it("never grows when the refusal is for the time being only", () => {
    for (const [kind] of rows)
      assert.ok(order.indexOf(severityOf(kind, false)) <= order.indexOf(severityOf(kind, true)), kind);
  });

  it("wakes somebody for a block, a 4yz too", () => {
    for (const kind of alwaysPages) assert.equal(severityOf(kind, false), "page", kind);
  });

  it("never wakes anybody for what is the recipient's or the receiver's alone", () => {
    for (const [kind] of rows.filter(([kind]) => ["recipient", "receiver"].includes(classes[kind].about)))
      assert.notEqual(severityOf(kind, true), "page", kind);
  });
});
