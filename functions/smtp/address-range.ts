// Which special range an address is in: loopback, private, metadata and the others that no mail host on the Internet has.
// It knows addresses, never names, and not what follows: whether one is dialled or believed, others decide.
import { BlockList, isIPv4, isIPv6 } from "node:net";

/**
 * RFC 6890 and the IANA special-purpose address registries it set up; the first row that fits names the range. The forms
 * that carry an IPv4 address inside an IPv6 one are special as a class: a translator on the way would unwrap them.
 */
// prettier-ignore
const ranges: readonly (readonly [name: string, network: string, prefix: number])[] = [
  ["metadata",            "169.254.169.254",  32], // AWS, Google, Azure and others: instance credentials
  ["metadata",            "169.254.170.2",    32], // AWS: container credentials
  ["metadata",            "169.254.170.23",   32], // AWS: pod credentials
  ["metadata",            "168.63.129.16",    32], // Azure: looks public, is the host
  ["metadata",            "100.100.100.200",  32], // Alibaba Cloud
  ["metadata",            "192.0.0.192",      32], // Oracle Cloud
  ["unspecified",         "0.0.0.0",           8], // RFC 791 §3.2; Linux dials 0.0.0.0 as loopback
  ["private",             "10.0.0.0",          8], // RFC 1918
  ["private",             "172.16.0.0",       12], // RFC 1918
  ["private",             "192.168.0.0",      16], // RFC 1918
  ["shared (CGNAT)",      "100.64.0.0",       10], // RFC 6598
  ["loopback",            "127.0.0.0",         8], // RFC 1122 §3.2.1.3
  ["link-local",          "169.254.0.0",      16], // RFC 3927
  ["IETF protocols",      "192.0.0.0",        24], // RFC 6890 §2.1
  ["documentation",       "192.0.2.0",        24], // RFC 5737
  ["documentation",       "198.51.100.0",     24], // RFC 5737
  ["documentation",       "203.0.113.0",      24], // RFC 5737
  ["6to4",                "192.88.99.0",      24], // RFC 7526, the relays' anycast
  ["benchmarking",        "198.18.0.0",       15], // RFC 2544
  ["multicast",           "224.0.0.0",         4], // RFC 5771
  ["broadcast",           "255.255.255.255",  32], // RFC 8190
  ["reserved",            "240.0.0.0",         4], // RFC 1112 §4
  ["metadata",            "fd00:ec2::254",   128], // AWS
  ["metadata",            "fd00:ec2::23",    128], // AWS: pod credentials
  ["metadata",            "fd20:ce::254",    128], // Google Cloud
  ["unspecified",         "::",              128], // RFC 4291 §2.5.2
  ["loopback",            "::1",             128], // RFC 4291 §2.5.3
  ["IPv4-mapped",         "::ffff:0:0",       96], // RFC 4291 §2.5.5.2
  ["IPv4-compatible",     "::",               96], // RFC 4291 §2.5.5.1
  ["IPv4-translated",     "::ffff:0:0:0",     96], // RFC 2765 §2.1
  ["NAT64",               "64:ff9b::",        96], // RFC 6052 §2.1
  ["NAT64",               "64:ff9b:1::",      48], // RFC 8215
  ["discard-only",        "100::",            64], // RFC 6666
  ["Teredo",              "2001::",           32], // RFC 4380 §2.6
  ["benchmarking",        "2001:2::",         48], // RFC 5180
  ["documentation",       "2001:db8::",       32], // RFC 3849
  ["IETF protocols",      "2001::",           23], // RFC 2928: ORCHID, PCP, AMT and others, none of them a mail host's
  ["6to4",                "2002::",           16], // RFC 3056
  ["documentation",       "3fff::",           20], // RFC 9637
  ["unique local",        "fc00::",            7], // RFC 4193
  ["link-local",          "fe80::",           10], // RFC 4291 §2.5.6
  ["site-local",          "fec0::",           10], // RFC 3879
  ["multicast",           "ff00::",            8], // RFC 4291 §2.7
];

interface Range {
  readonly name: string;
  readonly list: BlockList;
}

// A BlockList compares across families (an IPv4 address with ::ffff:0:0/96), so each family has its own ranges.
const rangesOf = {
  ipv4: ranges.filter(([, network]) => isIPv4(network)).map(([name, ...network]) => range(name, ...network, "ipv4")),
  ipv6: ranges.filter(([, network]) => isIPv6(network)).map(([name, ...network]) => range(name, ...network, "ipv6")),
};
// All that IANA has given out is in 2000::/3 (RFC 4291 §2.4); the rest is for uses not yet thought of.
const globalUnicast = range("global unicast", "2000::", 3, "ipv6");

/**
 * The name of the special range that an address is in, such as `loopback`; null for one that a mail host on the Internet
 * may have. What is no address at all has a name too: `not an IP address`.
 */
export function specialRange(address: string): string | null {
  // The zone (fe80::1%eth0, RFC 4007 §11) says which interface, and changes no range.
  const bare = address.replace(/%.*$/s, "");
  if (isIPv4(bare)) return bare === address ? rangeOf(bare, "ipv4") : "not an IP address";
  if (!isIPv6(bare)) return "not an IP address";
  return rangeOf(bare, "ipv6") ?? (globalUnicast.list.check(bare, "ipv6") ? null : "reserved");
}

function rangeOf(address: string, family: "ipv4" | "ipv6"): string | null {
  return rangesOf[family].find(({ list }) => list.check(address, family))?.name ?? null;
}

function range(name: string, network: string, prefix: number, family: "ipv4" | "ipv6"): Range {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return { name, list };
}
