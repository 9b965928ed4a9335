// Signs a message for a domain (RFC 6376), with RSA keys: every receiver checks those, Ed25519's (RFC 8463) hardly one. What
// is signed, and when, is not its own to say; the message passes through it, and is neither changed nor copied.
import { createPrivateKey, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import RelaxedBody from "nodemailer/lib/dkim/relaxed-body";
import sign from "nodemailer/lib/dkim/sign";
import type { ConfigSecret } from "../config/config.ts";
import { SecretFault } from "../secrets/fault.ts";
import { chunkSize } from "../smtp/message.ts";
import type { Field } from "./header.ts";

/** A row of the configuration's `sends.dkim`. */
export interface DkimRow {
  readonly domain: string;
  readonly selector: string;
  readonly key: ConfigSecret;
}

export interface Signer {
  readonly domain: string;
  readonly selector: string;
  readonly key: KeyObject;
}

/**
 * The DKIM-Signature field with its CRLF. The same message and key make the same octets: RSA with PKCS #1 v1.5 draws no lots.
 * @param body all behind the empty line
 */
export async function signatureOf(fields: readonly Field[], body: Buffer, signer: Signer): Promise<Buffer> {
  const lines = fields.map(({ name, line }) => ({ key: name.toLowerCase(), line }));
  const field = sign(lines, "sha256", await bodyHash(body), {
    domainName: signer.domain,
    keySelector: signer.selector,
    privateKey: signer.key,
  });
  if (field === false) throw new Error(`the key of ${signer.domain} does not sign`);
  return Buffer.from(`${field}\r\n`, "latin1");
}

/** In turns: a body of 25 MB would hold up every session for a quarter of a second. */
async function bodyHash(body: Buffer): Promise<string> {
  const hasher = new RelaxedBody({ hashAlgo: "sha256" });
  for (let start = 0; start < body.length; start += chunkSize) {
    hasher.updateHash(body.subarray(start, start + chunkSize));
    await turn();
  }
  const hashed = once(hasher, "hash");
  hasher.end();
  const [hash] = await hashed;
  return String(hash);
}

/**
 * Who signs for the author's domain; null: nobody.
 * @param read reads a secret, which may have been changed since the last message
 * @throws SecretFault, which names the row
 */
export async function openSigner(
  fromDomain: string,
  rows: readonly DkimRow[],
  read: (given: ConfigSecret) => Promise<string>,
): Promise<Signer | null> {
  const row = signerFor(fromDomain, rows);
  if (row === null) return null;
  const { domain, selector } = row;
  const path = `sends.dkim[${rows.indexOf(row)}].key`;
  return { domain: domain.toLowerCase(), selector, key: openKey(await readAt(path, row, read), path) };
}

/** The row of the domain itself, else of its nearest parent: the signature is aligned with both (RFC 9989 §3.2.10.1). */
export function signerFor<Row extends Pick<DkimRow, "domain">>(fromDomain: string, rows: readonly Row[]): Row | null {
  const domain = fromDomain.toLowerCase();
  const over = rows.filter((row) => `.${domain}`.endsWith(`.${row.domain.toLowerCase()}`));
  return over.reduce<Row | null>((best, row) => (row.domain.length > (best?.domain.length ?? 0) ? row : best), null);
}

async function readAt(path: string, { key }: DkimRow, read: (given: ConfigSecret) => Promise<string>): Promise<string> {
  try {
    return await read(key);
  } catch (error) {
    throw error instanceof SecretFault ? new SecretFault(`${path}: ${error.message}`, error.isLasting) : error;
  }
}

/** RFC 8301 §3.2: no verifier takes a shorter one. */
const leastBits = 1_024;

/**
 * @param path of the configuration, for the fault
 * @throws SecretFault, which does not quote the text
 */
export function openKey(pem: string, path: string): KeyObject {
  const key = privateKeyOf(pem);
  const make = "make one by openssl genrsa 2048";
  if (key === null) {
    throw new SecretFault(`${path}: what is there is no private key in PEM, without a password; ${make}`, true);
  }
  if (key.asymmetricKeyType !== "rsa") {
    throw new SecretFault(
      `${path}: the key is of ${key.asymmetricKeyType}, and DKIM is signed with RSA; ${make}`,
      true,
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < leastBits) {
    throw new SecretFault(`${path}: the key has ${bits} bits, which no receiver takes (RFC 8301); ${make}`, true);
  }
  return key;
}

function privateKeyOf(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}
