// Whether the certificates that a host shows are those which its TLSA records ask for: RFC 7672 §3, RFC 7671 §5.
// It knows neither where the records come from nor whether they could be believed.
import { createHash, createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import { isHostName } from "./host-name.ts";

/** RFC 6698 §2.1, as numbers: anything may stand in DNS. */
export interface TlsaRecord {
  /** 2: a trust anchor of the host's own. 3: the host's own certificate. 0 and 1 are for public authorities. */
  readonly usage: number;
  /** 0: the whole certificate. 1: its SubjectPublicKeyInfo. */
  readonly selector: number;
  /** 0: as it is. 1: its SHA-256. 2: its SHA-512. */
  readonly matching: number;
  readonly data: Buffer;
}

/** Nobody publishes so many, and each may cost a signature's check. */
const recordLimit = 100;

/**
 * Whether a certificate can be held against the record. RFC 7672 §3.1.3: usages 0 and 1 are not for SMTP; data that no
 * certificate can have is as good as none.
 */
export function isUsable({ usage, selector, matching, data }: TlsaRecord): boolean {
  if ((usage !== 2 && usage !== 3) || (selector !== 0 && selector !== 1)) return false;
  if (matching === 1) return data.length === 32;
  if (matching === 2) return data.length === 64;
  if (matching !== 0) return false;
  return (selector === 0 ? parsed(data) : parsedKey(data)) !== null;
}

/** As zone files write them, their data cut, and no more than a line holds: `3 1 1 0123abcd…, 2 0 1 89abcdef…`. */
export function recordsText(records: readonly TlsaRecord[]): string {
  const most = records.slice(0, 5).map(recordText).join(", ");
  return records.length > 5 ? `${most} and ${records.length - 5} more` : most;
}

function recordText({ usage, selector, matching, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matching} ${data.toString("hex", 0, 4)}${data.length > 4 ? "…" : ""}`;
}

/**
 * Null: the host is who the records say. Else what was shown instead, as a clause.
 * `chain` is the host's certificates, its own first; `records` are the usable ones; `names` are those that a certificate
 * under a trust anchor may be for (RFC 7672 §3.2.2). Certificates are hostile input: never throws.
 */
export function daneFault(
  chain: readonly X509Certificate[],
  records: readonly TlsaRecord[],
  names: readonly string[],
  nowMs: number,
): string | null {
  const [leaf, ...above] = chain;
  const wanted = strongest(records.filter((each) => isUsable(each)).slice(0, recordLimit));
  if (leaf === undefined) return "the host shows no certificate";
  if (wanted.length === 0) return "no TLSA record is usable";
  // RFC 7672 §3.1.1: neither names nor dates count for the host's own certificate.
  if (wanted.some((each) => each.usage === 3 && matches(leaf, each))) return null;
  const anchors = wanted.filter(({ usage }) => usage === 2);
  const issuers = issuersOf(leaf, above, nowMs);
  if (!anchors.some((each) => isAnchored([leaf, ...issuers], each, nowMs))) {
    const named = anchors.find((each) => above.some((certificate) => matches(certificate, each)));
    if (named !== undefined) return `${recordText(named)} was shown, but ${pathFault(chain, nowMs)}`;
    return `the certificate fits none of the TLSA records: shown ${recordsText(shown(chain, wanted)) || "no issuer"}`;
  }
  if (!isValidAt(leaf, nowMs)) return `the certificate's time is over or not come: ${dates(leaf)}`;
  if (names.some((name) => isFor(leaf, name))) return null;
  return `the certificate is for ${namesIn(leaf)}, not for ${names.join(" or ")}`;
}

/** RFC 7671 §9: a weaker digest beside a stronger one of the same kind is for those who know no better. */
function strongest(records: readonly TlsaRecord[]): readonly TlsaRecord[] {
  return records.filter(
    ({ usage, selector, matching }) =>
      matching !== 1 ||
      !records.some((other) => other.usage === usage && other.selector === selector && other.matching === 2),
  );
}

/** Those of `above` from which a path of valid signatures, authorities and dates leads down to the leaf. */
function issuersOf(leaf: X509Certificate, above: readonly X509Certificate[], nowMs: number): X509Certificate[] {
  const found = new Set<X509Certificate>();
  // Hosts send their certificates in any order. A set may grow while it is walked, and holds each certificate once.
  const walked = new Set([leaf]);
  for (const subject of walked) {
    for (const issuer of above) {
      if (walked.has(issuer) || !isValidAt(issuer, nowMs) || !hasIssued(issuer, subject)) continue;
      walked.add(issuer);
      found.add(issuer);
    }
  }
  return [...found];
}

/** Whether the record's trust anchor is among the issuers, or, given in full and not sent, has issued one of the path. */
function isAnchored(path: readonly X509Certificate[], record: TlsaRecord, nowMs: number): boolean {
  // RFC 5280 leaves the anchor's own dates alone; OpenSSL, and with it most of those who send, does not.
  if (path.slice(1).some((certificate) => matches(certificate, record))) return true;
  if (record.matching !== 0) return false;
  if (record.selector === 1) {
    const key = parsedKey(record.data);
    return key !== null && path.some((certificate) => isSignedBy(certificate, key));
  }
  const anchor = parsed(record.data);
  return anchor !== null && isValidAt(anchor, nowMs) && path.some((certificate) => hasIssued(anchor, certificate));
}

function hasIssued(issuer: X509Certificate, subject: X509Certificate): boolean {
  try {
    return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function isSignedBy(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.verify(key);
  } catch {
    return false;
  }
}

function matches(certificate: X509Certificate, record: TlsaRecord): boolean {
  return associated(certificate, record)?.equals(record.data) ?? false;
}

/** What the record would hold if it were this certificate's; null where it has no such part. */
function associated(certificate: X509Certificate, { selector, matching }: TlsaRecord): Buffer | null {
  const part = selector === 0 ? certificate.raw : keyIn(certificate.raw);
  if (part === null || matching === 0) return part;
  return createHash(matching === 1 ? "sha256" : "sha512")
    .update(part)
    .digest();
}

/** The SubjectPublicKeyInfo as it stands in the certificate (RFC 5280 §4.1): a key that is written anew may differ. */
function keyIn(der: Buffer): Buffer | null {
  const tbs = element(der, element(der, 0)?.body);
  let at = tbs?.body;
  // Version 1 is not written; behind it stand serial number, signature, issuer, validity and subject.
  if (at !== undefined && der[at] === 0xa0) at = element(der, at)?.end;
  for (let skipped = 0; skipped < 5; skipped++) at = element(der, at)?.end;
  const end = element(der, at)?.end;
  return end === undefined ? null : der.subarray(at, end);
}

/** Where the content of a DER element begins and ends. */
function element(der: Buffer, at: number | undefined): { readonly body: number; readonly end: number } | null {
  const first = at === undefined ? undefined : der[at + 1];
  if (at === undefined || first === undefined) return null;
  const octets = first < 0x80 ? 0 : first & 0x7f;
  const body = at + 2 + octets;
  if (octets > 4 || first === 0x80 || body > der.length) return null;
  const end = body + (octets === 0 ? first : der.readUIntBE(at + 2, octets));
  return end > der.length ? null : { body, end };
}

function isValidAt({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  // A date that is none compares as false.
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}

/** RFC 7672 §3.2.3: the common name counts without alternative names only; a wildcard is the whole first label. */
function isFor(leaf: X509Certificate, name: string): boolean {
  if (!isHostName(name)) return false;
  try {
    return leaf.checkHost(name, { subject: "default", partialWildcards: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Why the certificates that were shown do not lead up to the one that was wanted, though it is among them. */
function pathFault(chain: readonly X509Certificate[], nowMs: number): string {
  const stale = chain.find((certificate) => !isValidAt(certificate, nowMs));
  if (stale === undefined) return "it has not issued the host's certificate, nor an issuer of it that was shown";
  return `the time of a certificate on the way is over or not come: ${dates(stale)}`;
}

function dates({ validFrom, validTo }: X509Certificate): string {
  return `${validFrom} to ${validTo}`;
}

function namesIn(leaf: X509Certificate): string {
  return (leaf.subjectAltName ?? leaf.subject ?? "nobody").slice(0, 200);
}

/** What the chain has in the terms of the records that were wanted, once each. */
function shown(chain: readonly X509Certificate[], wanted: readonly TlsaRecord[]): readonly TlsaRecord[] {
  const terms = new Map(wanted.map((each) => [`${each.usage} ${each.selector} ${each.matching}`, each]));
  return [...terms.values()].flatMap((term) =>
    (term.usage === 3 ? chain.slice(0, 1) : chain.slice(1)).flatMap((certificate) => {
      const data = associated(certificate, term);
      return data === null ? [] : [{ ...term, data }];
    }),
  );
}

function parsed(der: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}

function parsedKey(der: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch {
    return null;
  }
}
