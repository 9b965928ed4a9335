// Signatures, as an independent verifier judges them; whose they are, and which keys make none.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { openKey, openSigner, signatureOf, signerFor, type DkimRow } from "../../functions/send/dkim.ts";
import { fieldsOf } from "../../functions/send/header.ts";
import { SecretFault } from "../../functions/secrets/fault.ts";
import { normalise } from "../../functions/smtp/message.ts";
import { pem, signer, verified } from "./keys.ts";

async function sign(message: Buffer): Promise<Buffer> {
  const end = message.indexOf("\r\n\r\n");
  return await signatureOf(fieldsOf(message), end === -1 ? Buffer.alloc(0) : message.subarray(end + 4), signer);
}

const head = "From: us <us@sender.example>\r\nTo: them@mx.example\r\nSubject: x\r\n";

// prettier-ignore
const messages: readonly (readonly [what: string, message: Buffer])[] = [
  ["a simple body",                  Buffer.from(`${head}\r\nbody\r\n`)],
  ["no body",                        Buffer.from(`${head}\r\n`)],
  ["not even an empty line",         Buffer.from(head)],
  ["a body of empty lines",          Buffer.from(`${head}\r\n\r\n\r\n\r\n`)],
  ["empty lines at its end",         Buffer.from(`${head}\r\nbody\r\n\r\n\r\n`)],
  ["spaces everywhere",              Buffer.from(`${head}\r\n  a \t b  \r\n\t\r\n \r\n`)],
  ["lines of dots",                  Buffer.from(`${head}\r\n.\r\n..\r\n.a\r\n...\r\n`)],
  ["8-bit octets",                   Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.from("äöü \xff\xfe\r\n", "latin1")])],
  ["every octet",                    normalise(Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.from(Uint8Array.from({ length: 256 }, (_, at) => at))]))],
  ["bare line ends, normalised",     normalise(Buffer.from(`${head.replaceAll("\r\n", "\n")}\na\rb\nc\r\r\nd`))],
  ["a line of 100 kB",               Buffer.from(`${head}\r\n${"x ".repeat(50_000)}\r\n`)],
  ["a body that ends in a chunk's last octet", Buffer.from(`${head}\r\n${"x".repeat(65_534)}\r\n`)],
  ["a line end across two chunks",   Buffer.from(`${head}\r\n${"x".repeat(65_535)}\r\ny \r\n`)],
  ["spaces across two chunks",       Buffer.from(`${head}\r\n${"x".repeat(65_530)}${" ".repeat(12)}\r\ny \r\n`)],
  ["a folded header",                Buffer.from("From: us\r\n\t<us@sender.example>\r\nSubject: a\r\n  b\r\n \r\n\tc \r\nTO:\r\n them@mx.example\r\n\r\nbody\r\n")],
  ["a header of 8-bit octets",       Buffer.from("From: Jörg <us@sender.example>\r\nSubject: \u00a0 grüße \u00a0\r\n\r\nbody\r\n")],
  ["a header of Latin-1",            Buffer.from("From: J\xf6rg <us@sender.example>\r\nSubject: \xa0 x \xa0\r\n\r\nbody\r\n", "latin1")],
  ["fields of lists, and of others", Buffer.from(`List-Id: <a.example>\r\nList-Unsubscribe: <https://a.example/u>\r\nX-A: b\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n\tcharset=utf-8\r\n${head}\r\nbody\r\n`)],
  ["another's signature",            Buffer.from(`X-DKIM-Signature: none\r\n${head}\r\nbody\r\n`)],
];

describe("a signature verifies", () => {
  for (const [what, message] of messages) {
    it(`with ${what}`, async () => {
      const signature = await sign(message);
      assert.deepEqual(await verified(Buffer.concat([signature, message])), [["sender.example", "pass"]]);
      assert.deepEqual(await sign(message), signature);
      assert.match(signature.toString("latin1"), /^DKIM-Signature: v=1; [^\0]*\r\n$/);
      for (const line of signature.toString("latin1").split("\r\n")) assert.ok(line.length < 200, line);
    });
  }

  it("and does not when a word of the body, or of a field, is another", async () => {
    const message = Buffer.from(`${head}\r\nbody\r\n`);
    const signature = await sign(message);
    for (const [was, is] of [
      ["body", "Body"],
      ["us@", "me@"],
      ["Subject: x", "Subject: y"],
    ] as const) {
      const other = Buffer.from(message.toString().replace(was, is));
      const [[, result] = []] = await verified(Buffer.concat([signature, other]));
      assert.notEqual(result, "pass", is);
    }
  });
});

test("25 MB are signed in turns with all else, and without a second copy of them", async () => {
  const message = Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.alloc(25_000_000, "0123456789 abcd\r\n.")]);
  const body = normalise(message);
  const before = process.memoryUsage().arrayBuffers;
  let turns = 0;
  let mostBytes = 0;
  const signing = sign(body);
  const isOver = new AbortController();
  void signing.finally(() => isOver.abort());
  while (!isOver.signal.aborted) {
    await turn();
    turns += 1;
    mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers - before);
  }
  const signature = await signing;
  assert.ok(turns > 300, `${turns} turns`);
  assert.ok(mostBytes < 60_000_000, `${mostBytes} bytes`);
  assert.deepEqual(await verified(Buffer.concat([signature, body])), [["sender.example", "pass"]]);
});

// prettier-ignore
const choices: readonly (readonly [from: string, domains: readonly string[], index: number | null])[] = [
  ["sender.example",        ["sender.example"], 0],
  ["Sender.Example",        ["sender.example"], 0],
  ["sender.example",        ["SENDER.example"], 0],
  ["mail.sender.example",   ["sender.example"], 0],
  ["a.b.sender.example",    ["example", "sender.example", "b.sender.example", "c.sender.example"], 2],
  ["sender.example",        ["mail.sender.example"], null],
  ["sender.example",        ["ender.example"], null],
  ["sender.example",        ["other.example"], null],
  ["sender.example",        ["sender.example", "sender.example"], 0],
  ["[192.0.2.1]",           ["sender.example"], null],
  ["sender.example",        [], null],
];

describe("who signs for an author", () => {
  for (const [from, domains, index] of choices) {
    it(`of ${from} among ${domains.join(", ") || "nobody"}`, () => {
      const rows = domains.map((domain) => ({ domain }));
      assert.equal(signerFor(from, rows), index === null ? null : rows[index]);
    });
  }
});

const rows: readonly DkimRow[] = [
  { domain: "other.example", selector: "a", key: { env: "OTHER" } },
  { domain: "sender.example", selector: "s2026", key: { file: "/etc/key.pem" } },
];

test("a signer is opened with the key of its row alone", async () => {
  const asked: unknown[] = [];
  const read = async (given: unknown): Promise<string> => {
    asked.push(given);
    return await Promise.resolve(pem);
  };
  const opened = await openSigner("mail.sender.example", rows, read);
  assert.deepEqual([opened?.domain, opened?.selector, opened?.key.type], ["sender.example", "s2026", "private"]);
  assert.equal(await openSigner("nobody.example", rows, read), null);
  assert.deepEqual(asked, [{ file: "/etc/key.pem" }]);
});

test("a key that cannot be read is told with the row's path, and lasts as its fault does", async () => {
  for (const isLasting of [true, false]) {
    const opening = openSigner("sender.example", rows, async () => {
      throw await Promise.resolve(
        new SecretFault("the file /etc/key.pem is not there; store the secret there", isLasting),
      );
    });
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof SecretFault);
      assert.equal(error.message, "sends.dkim[1].key: the file /etc/key.pem is not there; store the secret there");
      return error.isLasting === isLasting;
    });
  }
  const broken = new TypeError("ours");
  await assert.rejects(
    openSigner("sender.example", rows, async () => await Promise.reject(broken)),
    broken,
  );
});

function pemOf(options: { readonly modulusLength: number } | null, encrypted = false): string {
  const pair = options === null ? generateKeyPairSync("ed25519") : generateKeyPairSync("rsa", options);
  const locked = encrypted ? { cipher: "aes-256-cbc", passphrase: "x" } : {};
  return pair.privateKey.export({ type: "pkcs8", format: "pem", ...locked }).toString();
}

const none =
  /^sends\.dkim\[0\]\.key: what is there is no private key in PEM, without a password; make one by openssl genrsa 2048$/;

// prettier-ignore
const keys: readonly (readonly [what: string, text: string, fault: RegExp | null])[] = [
  ["RSA in PKCS #8", pem, null],
  ["RSA in PKCS #1", signer.key.export({ type: "pkcs1", format: "pem" }).toString(), null],
  ["RSA of 1024 bits", pemOf({ modulusLength: 1024 }), null],
  ["RSA of 512 bits", pemOf({ modulusLength: 512 }), /^sends\.dkim\[0\]\.key: the key has 512 bits, which no receiver takes \(RFC 8301\); make one/],
  ["Ed25519", pemOf(null), /^sends\.dkim\[0\]\.key: the key is of ed25519, and DKIM is signed with RSA; make one/],
  ["a public key", generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ type: "spki", format: "pem" }).toString(), none],
  ["a key under a password", pemOf({ modulusLength: 1024 }, true), none],
  ["a key cut short", pem.slice(0, 400), none],
  ["text", "hidden-secret", none],
  ["nothing", "", none],
];

describe("a key", () => {
  for (const [what, text, fault] of keys) {
    it(`${what}: ${fault === null ? "is taken" : "is told to be none, without a word of it"}`, () => {
      if (fault === null) return assert.equal(openKey(text, "key").type, "private");
      assert.throws(
        () => openKey(text, "sends.dkim[0].key"),
        (error) => {
          assert.ok(error instanceof SecretFault && error.isLasting);
          assert.match(error.message, fault);
          assert.doesNotMatch(error.message, /hidden|BEGIN/);
          return true;
        },
      );
    });
  }
});
