// An IP address as text: its one spelling, its family, and how it is written where more than an address may stand.
// It knows no ranges: what an address is good for, others say.
import { isIP, isIPv6 } from "node:net";

/** As texts, options and the configuration name it. */
export type Family = "4" | "6";

/**
 * The one spelling of an address that has many (RFC 5952 §4); what is no address stays what it is. An IPv4-mapped one
 * (RFC 4291 §2.5.5.2) is the IPv4 address in it, since that is what hosts see. A zone (RFC 4007 §11) names an interface of
 * one machine, means nothing to another, and is left out.
 */
export function canonical(text: string): string {
  if (!isIPv6(text)) return text;
  const address = compressed(text);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(address)?.slice(1);
  if (mapped === undefined) return address;
  return mapped.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]).join(".");
}

/** The eight of an IPv6 address, IPv4-mapped too, each of four nibbles. */
export function groups(address: string): readonly string[] {
  const [head = [], tail = []] = compressed(address)
    .split("::")
    .map((each) => (each === "" ? [] : each.split(":")));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail].map((each) => each.padStart(4, "0"));
}

/** An IPv4-mapped address is dialled, and seen, as IPv4. */
export function familyOf(address: string): Family {
  return isIPv6(canonical(address)) ? "6" : "4";
}

/** Providers judge each family's apart. Null is an address that is not known, and may be of either. */
export function isSameFamily(address: string | null, other: string | null): boolean {
  return address === null || other === null || familyOf(address) === familyOf(other);
}

/** IPv6 in brackets, since it holds colons itself (RFC 3986 §3.2.2): `[2001:db8::1]:25`, `mx.example:25`. */
export function hostAndPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** As EHLO and mailboxes write it (RFC 5321 §4.1.3): `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
export function literalOf(address: string): string {
  const bare = canonical(address);
  return isIPv6(bare) ? `[IPv6:${bare}]` : `[${bare}]`;
}

/** The address in an address literal, as it stands there; null for what is none. Not all who write IPv6 tag it. */
export function readLiteral(text: string): string | null {
  const address = /^\[(?:IPv6:)?(.*)\]$/i.exec(text)?.[1] ?? "";
  return isIP(address) === 0 ? null : address;
}

/** By the rules of URLs (RFC 5952 §4), without a zone, and with no IPv4 address spelt in it. */
function compressed(address: string): string {
  return new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
}
