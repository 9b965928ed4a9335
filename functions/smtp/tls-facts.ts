// What a TLS connection shows of itself, as data. A certificate is hostile input: nothing in it is a fault of ours.
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { TlsFacts } from "./transcript.ts";

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
