// What a TLS connection shows of itself, as data. A certificate is hostile input: nothing in it is a fault of ours.
import type { X509Certificate } from "node:crypto";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { TlsFacts } from "./transcript.ts";

/** What a handshake came to: the facts that are told, and the certificates that a policy looks at. */
export interface ShownTls {
  readonly facts: TlsFacts;
  /** The host's own first, each the issuer of the one before; as the host sent them. */
  readonly chain: readonly X509Certificate[];
}

/** What is told of a handshake that succeeded: version, cipher, and the host's certificate as it describes itself. */
export function tlsFacts(secure: TLSSocket): TlsFacts {
  const certificate = secure.getPeerCertificate();
  const isShown = Object.keys(certificate).length > 0;
  return {
    version: secure.getProtocol() ?? "unknown",
    cipher: secure.getCipher().standardName,
    certificate: isShown
      ? {
          names: namesOf(certificate),
          issuer: String(certificate.issuer?.CN ?? certificate.issuer?.O ?? ""),
          validFrom: dateOf(certificate.valid_from),
          validTo: dateOf(certificate.valid_to),
          verified: secure.authorized,
          fault: secure.authorized ? null : String(secure.authorizationError),
        }
      : null,
  };
}

/** A chain that is longer is none that anybody checks. */
const chainLimit = 20;

/** The host's certificate and those behind it, as far as the handshake brought them; empty where there was none. */
export function chainOf(secure: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = secure.getPeerX509Certificate();
  while (next !== undefined && chain.length < chainLimit) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** RFC 3339; null where the certificate's own date is none. */
function dateOf(text: string): string | null {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** The alternative names, else the common name (RFC 6125 §6.4.4). */
function namesOf(certificate: PeerCertificate): string[] {
  const alternatives = (certificate.subjectaltname ?? "").split(", ").filter((each) => each !== "");
  if (alternatives.length > 0) return alternatives.map((each) => each.replace(/^(DNS|IP Address):/, ""));
  return [certificate.subject?.CN].flat().filter((each) => each !== undefined);
}
