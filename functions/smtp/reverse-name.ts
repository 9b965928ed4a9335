// An address as DNS has it in names: reversed, octet by octet or nibble by nibble (RFC 1035 §3.5, RFC 3596 §2.5).
// It asks nothing.
import { isIP, isIPv6, SocketAddress } from "node:net";

/** The one spelling of an address that has many (RFC 5952 §2); what is no address stays what it is. */
export function canonical(address: string): string {
  if (isIP(address) === 0) return address;
  return new SocketAddress({ address, family: isIPv6(address) ? "ipv6" : "ipv4" }).address;
}

/** `7.113.0.203`, or 32 nibbles: in front of a blocklist's zone too (RFC 5782 §2.1, §2.4). */
export function reversed(address: string): string {
  const parts = isIPv6(address) ? groups(address).join("").split("") : address.split(".");
  return parts.toReversed().join(".");
}

/** Where the PTR records of an address are. */
export function reverseName(address: string): string {
  return `${reversed(address)}.${isIPv6(address) ? "ip6" : "in-addr"}.arpa`;
}

/** The eight of four nibbles each. */
export function groups(address: string): readonly string[] {
  const bare = canonical(address).replace(/%.*$/, "");
  const hex = bare.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [front = "", back] = hex.split("::");
  const head = front.split(":").filter((each) => each !== "");
  const tail = (back ?? "").split(":").filter((each) => each !== "");
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail].map((each) => each.padStart(4, "0"));
}
