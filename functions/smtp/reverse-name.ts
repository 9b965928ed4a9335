// An address as DNS has it in names: reversed, octet by octet or nibble by nibble (RFC 1035 §3.5, RFC 3596 §2.5).
// It asks nothing.
import { isIPv6 } from "node:net";
import { groups } from "./ip-address.ts";

/** `7.113.0.203`, or 32 nibbles: in front of a blocklist's zone too (RFC 5782 §2.1, §2.4). */
export function reversed(address: string): string {
  const parts = isIPv6(address) ? groups(address).join("").split("") : address.split(".");
  return parts.toReversed().join(".");
}

/** Where the PTR records of an address are. */
export function reverseName(address: string): string {
  return `${reversed(address)}.${isIPv6(address) ? "ip6" : "in-addr"}.arpa`;
}
