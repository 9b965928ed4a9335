import assert from "node:assert/strict";
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { daneFault, isUsable, recordsText, type TlsaRecord } from "../../functions/smtp/dane-match.ts";
import { certificate as selfSignedPem } from "../../infra/local/mail/certificate.ts";
import { below, impostor, issuer, leaf, named, root } from "./chains.ts";

const selfSigned = new X509Certificate(selfSignedPem);
const now = Date.parse("2026-01-01T00:00:00Z");

/** The record `usage selector matching` for a certificate, by Node's own encoding of its key. */
function record(terms: string, certificate: X509Certificate): TlsaRecord {
  const [usage = 0, selector = 0, matching = 0] = terms.split(" ").map(Number);
  const part = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: "spki", format: "der" });
  const digest = (name: string): Buffer => createHash(name).update(part).digest();
  return { usage, selector, matching, data: matching === 0 ? part : digest(matching === 1 ? "sha256" : "sha512") };
}

const everyTerm = ["0 0", "0 1", "0 2", "1 0", "1 1", "1 2"];

suite("the host's own certificate (3)", () => {
  for (const terms of everyTerm) {
    test(`3 ${terms} matches it, and no other`, () => {
      assert.equal(daneFault([leaf], [record(`3 ${terms}`, leaf)], ["mx.example"], now), null);
      assert.equal(daneFault([selfSigned], [record(`3 ${terms}`, selfSigned)], ["mx.example"], now), null);
      assert.notEqual(daneFault([leaf], [record(`3 ${terms}`, named)], ["mx.example"], now), null);
    });
  }

  test("neither names nor dates count (RFC 7672 §3.1.1)", () => {
    const records = [record("3 1 1", leaf)];
    assert.equal(daneFault([leaf], records, ["elsewhere.example"], now), null);
    assert.equal(daneFault([leaf], records, [], Date.parse("2100-01-01")), null);
    assert.equal(daneFault([leaf], records, [], 0), null);
  });

  test("that of an issuer is not the host's own", () => {
    assert.notEqual(daneFault([leaf, issuer, root], [record("3 1 1", issuer)], ["mx.example"], now), null);
  });

  test("one record of several is enough", () => {
    const records = [record("3 1 1", named), record("3 0 1", leaf), record("2 1 1", root)];
    assert.equal(daneFault([leaf], records, ["mx.example"], now), null);
  });
});

suite("a trust anchor (2)", () => {
  for (const terms of everyTerm) {
    test(`2 ${terms} matches what stands above the host's certificate`, () => {
      assert.equal(daneFault([leaf, issuer, root], [record(`2 ${terms}`, root)], ["mx.example"], now), null);
      assert.equal(daneFault([leaf, issuer, root], [record(`2 ${terms}`, issuer)], ["mx.example"], now), null);
      assert.equal(daneFault([leaf, issuer], [record(`2 ${terms}`, issuer)], ["mx.example"], now), null);
    });
  }

  test("is found in any order, and among certificates that have nothing to do with it", () => {
    const chain = [leaf, root, impostor, selfSigned, issuer, issuer];
    assert.equal(daneFault(chain, [record("2 0 1", root)], ["mx.example"], now), null);
  });

  for (const terms of ["0 0", "1 0"]) {
    test(`given in full by 2 ${terms}, need not be shown`, () => {
      assert.equal(daneFault([leaf], [record(`2 ${terms}`, issuer)], ["mx.example"], now), null);
      assert.equal(daneFault([leaf, issuer], [record(`2 ${terms}`, root)], ["mx.example"], now), null);
      // What lies between must be.
      assert.notEqual(daneFault([leaf], [record(`2 ${terms}`, root)], ["mx.example"], now), null);
    });
  }

  // prettier-ignore
  const faults: readonly (readonly [title: string, chain: readonly X509Certificate[], records: readonly TlsaRecord[], names: readonly string[], at: string, fault: RegExp])[] = [
    ["not shown, its digest alone known", [leaf, issuer], [record("2 0 1", root)], ["mx.example"], "2026", /shown 2 0 1 [0-9a-f]{8}…$/],
    ["shown, with nothing between",       [leaf, root],   [record("2 1 1", root)], ["mx.example"], "2026", /^2 1 1 [0-9a-f]{8}… was shown, but it has not issued the host's certificate/],
    ["an impostor of its name",           [leaf, issuer, impostor], [record("2 0 1", impostor)], ["mx.example"], "2026", /was shown, but it has not issued/],
    ["an impostor of its name, in full",  [leaf, issuer], [record("2 0 0", impostor)], ["mx.example"], "2026", /^the certificate fits none of /],
    ["the host's own certificate",        [leaf],         [record("2 0 1", leaf)], ["mx.example"], "2026", /^the certificate fits none of the TLSA records: shown no issuer$/],
    ["a host's, which is no authority",   [below, leaf, issuer, root], [record("2 0 1", leaf)], ["below.example"], "2026", /has not issued/],
    ["above a host's, no authority",      [below, leaf, issuer, root], [record("2 0 1", root)], ["below.example"], "2026", /has not issued/],
    ["over a certificate that is too old", [leaf, issuer, root], [record("2 0 1", root)], ["mx.example"], "2035", /time is over or not come: Jan +1 00:00:00 2022 GMT to Jan +1 00:00:00 2030 GMT$/],
    ["over an issuer that is too old",    [leaf, issuer, root], [record("2 0 1", root)], ["mx.example"], "2045", /the time of a certificate on the way is over or not come/],
    ["too old itself",                    [leaf, issuer], [record("2 0 1", issuer)], ["mx.example"], "2045", /the time of a certificate on the way is over/],
    ["too old itself, in full",           [leaf],         [record("2 0 0", issuer)], ["mx.example"], "2045", /fits none of the TLSA records: shown no issuer$/],
    ["of a certificate not valid yet",    [leaf, issuer, root], [record("2 0 1", root)], ["mx.example"], "2021-06", /time is over or not come/],
    ["of another name's certificate",     [leaf, issuer, root], [record("2 0 1", root)], ["mx.other.example", "other.example"], "2026", /^the certificate is for DNS:mx\.example, .*, not for mx\.other\.example or other\.example$/],
  ];
  for (const [title, chain, records, names, at, fault] of faults) {
    test(`does not do: ${title}`, () =>
      assert.match(daneFault(chain, records, names, Date.parse(at)) ?? "null", fault));
  }
});

suite("names under a trust anchor (RFC 7672 §3.2)", () => {
  // prettier-ignore
  const cases: readonly (readonly [name: string, shown: X509Certificate, matches: boolean])[] = [
    ["mx.example",            leaf,  true],
    ["MX.Example",            leaf,  true],
    ["example",               leaf,  false],
    ["a.mx.example",          leaf,  false],
    ["any.wild.example",      leaf,  true],
    ["wild.example",          leaf,  false],
    ["two.any.wild.example",  leaf,  false],
    ["part.partial.example",  leaf,  false], // a wildcard is the whole first label
    ["ignored.example",       leaf,  false], // the common name counts without alternative names only
    ["mx.example",            named, true],
    [".example",              leaf,  false], // OpenSSL takes a leading dot for a wish
    ["",                      leaf,  false],
    ["mx.example\u0000",      leaf,  false],
  ];
  for (const [name, shown, matches] of cases) {
    test(`${JSON.stringify(name)} and ${shown === leaf ? "alternative names" : "a common name"}: ${matches}`, () => {
      assert.equal(daneFault([shown, issuer], [record("2 0 1", issuer)], [name], now) === null, matches);
    });
  }

  test("one of several is enough", () => {
    assert.equal(daneFault([leaf, issuer], [record("2 0 1", issuer)], ["other.example", "mx.example"], now), null);
  });
});

suite("what cannot be held against a certificate", () => {
  const digest = Buffer.alloc(32);
  // prettier-ignore
  const cases: readonly (readonly [usage: number, selector: number, matching: number, data: Buffer, usable: boolean])[] = [
    [0,   0, 1, digest,            false], // for public authorities (RFC 7672 §3.1.3)
    [1,   1, 1, digest,            false],
    [2,   0, 1, digest,            true],
    [3,   1, 1, digest,            true],
    [4,   1, 1, digest,            false],
    [255, 1, 1, digest,            false],
    [3,   2, 1, digest,            false],
    [3,   1, 3, digest,            false],
    [3,   1, 1, digest.subarray(1), false],
    [3,   1, 2, digest,            false],
    [3,   1, 2, Buffer.alloc(64),  true],
    [3,   1, 1, Buffer.alloc(0),   false],
    [3,   0, 0, Buffer.alloc(0),   false],
    [3,   0, 0, digest,            false],
    [3,   0, 0, leaf.raw,          true],
    [3,   1, 0, leaf.raw,          false],
    [3,   1, 0, createPublicKey(selfSignedPem).export({ type: "spki", format: "der" }), true],
  ];
  for (const [usage, selector, matching, data, usable] of cases) {
    test(`${usage} ${selector} ${matching} of ${data.length} octets: ${usable ? "usable" : "unusable"}`, () => {
      assert.equal(isUsable({ usage, selector, matching, data }), usable);
    });
  }

  test("matches nothing, though it is the certificate's", () => {
    for (const terms of ["0 0 1", "1 1 1"]) assert.notEqual(daneFault([leaf], [record(terms, leaf)], [], now), null);
  });
});

test("a weaker digest beside a stronger one of its kind does not count (RFC 7671 §9)", () => {
  const weak = record("3 1 1", leaf);
  assert.notEqual(daneFault([leaf], [weak, record("3 1 2", named)], [], now), null);
  assert.equal(daneFault([leaf], [weak, record("3 0 2", named)], [], now), null, "another selector");
  assert.equal(daneFault([leaf], [weak, record("2 1 2", named)], [], now), null, "another usage");
  assert.equal(
    daneFault([leaf], [weak, { ...record("3 1 2", named), data: Buffer.alloc(3) }], [], now),
    null,
    "unusable",
  );
  assert.equal(daneFault([leaf], [record("3 1 0", leaf), record("3 1 2", named)], [], now), null, "no digest at all");
});

test("the fault says what was shown, in the records' own terms", () => {
  const wanted = [record("3 1 1", named), record("2 0 1", root)];
  const [own] = [record("3 1 1", leaf)];
  const fault = daneFault([leaf, issuer], wanted, ["mx.example"], now);
  const shown = recordsText([own, record("2 0 1", issuer)]);
  assert.equal(fault, `the certificate fits none of the TLSA records: shown ${shown}`);
  assert.match(recordsText([own]), /^3 1 1 [0-9a-f]{8}…$/);
});

test("without a certificate or a record, nothing matches", () => {
  assert.match(daneFault([], [record("3 1 1", leaf)], [], now) ?? "", /^the host shows no certificate$/);
  assert.match(daneFault([leaf], [], [], now) ?? "", /^no TLSA record is usable$/);
});

test("records by the thousand are written and checked as a few", () => {
  const full = Array.from({ length: 5_000 }, () => record("2 1 0", root));
  assert.match(recordsText(full), /^2 1 0 [0-9a-f]{8}…(?:, 2 1 0 [0-9a-f]{8}…){4} and 4995 more$/);
  assert.notEqual(daneFault([leaf], full, [], now), null);
});

test("whatever certificates and records come, nothing throws, and nothing matches by chance", () => {
  const certificates = fc.constantFrom(leaf, issuer, root, named, below, impostor, selfSigned);
  // What is left of a certificate that was changed in places, where it still is one.
  const changed = fc
    .tuple(certificates, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
    .map(([certificate, changes]) => {
      const der = Buffer.from(certificate.raw);
      for (const [place, octet] of changes) der[place % der.length] = octet;
      try {
        return new X509Certificate(der);
      } catch {
        return certificate;
      }
    });
  const octets = fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes));
  const exact = fc.constantFrom(32, 64).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  const data = fc.oneof(
    octets,
    exact.map((bytes) => Buffer.from(bytes)),
    changed.map(({ raw }) => raw),
  );
  const number = fc.oneof(fc.nat(3), fc.nat(255));
  const records = fc.array(
    fc.record({ usage: number, selector: number, matching: number, data }, { noNullPrototype: true }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(certificates, changed), { maxLength: 8 }),
      records,
      fc.array(fc.oneof(fc.string(), fc.constant("mx.example")), { maxLength: 3 }),
      fc.oneof(fc.integer(), fc.constant(now), fc.constant(Number.NaN)),
      (chain, wanted, names, at) => {
        const fault = daneFault(chain, wanted, names, at);
        const isDigest = wanted.every(({ matching }) => matching === 1 || matching === 2);
        assert.ok(fault === null ? !isDigest : fault !== "", String(fault));
      },
    ),
    { numRuns: 500 },
  );
});
