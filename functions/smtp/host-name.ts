// The name of a host as DNS compares it, and whether it is one. It asks no DNS, and knows nothing of IDNA.

/** In lower case (RFC 1035 §2.3.3), without the final dot; the root's stays `.`. */
export function plainName(name: string): string {
  return name.replace(/\.$/, "").toLowerCase() || ".";
}

/** Anything may stand in DNS, and a resolver writes odd octets as \DDD. Underscores are no host's, but many hosts have them. */
export function isHostName(name: string): boolean {
  return /^[\w-]+(?:\.[\w-]+)*$/.test(name);
}

/** Names that never lead to a host on the Internet: each row is a last label, or the last two. */
// prettier-ignore
const localZones: readonly string[] = [
  "localhost",                                                // RFC 6761 §6.3
  "localdomain",                                              // not delegated: /etc/hosts of many systems
  "local",                                                    // RFC 6762 §3, multicast DNS
  "internal",                                                 // reserved by ICANN, 2024; Google Cloud's metadata.google.internal
  "home.arpa",                                                // RFC 8375
  "intranet", "private", "corp", "home", "lan",               // RFC 6762 Appendix G: never delegated, in private use
];

/**
 * Why a host's name can be no mail host's on the Internet, such as `.internal`; null: it may be one. Whoever looks names
 * up as a system does it reads a number as an IPv4 address (`2130706433`, `127.1`, `0x7f.1`), and finishes a single label
 * with its own domain.
 */
export function localName(name: string): string | null {
  const plain = plainName(name);
  const [last = "", ...rest] = plain.split(".").toReversed();
  if (/^(?:\d+|0x[\da-f]*)$/.test(last)) return "a number";
  const zone = localZones.find((each) => plain === each || plain.endsWith(`.${each}`));
  if (zone !== undefined) return `.${zone}`;
  return rest.length === 0 ? "a single label" : null;
}
