// The DNS blocklists that are asked about the egress's address: few, alive, and used by those who refuse mail. What each
// is and how one leaves it, functions/verdict/blocklists.ts knows by the same id.

/** One list, and how its answers are read. */
export interface DnsList {
  /** Of functions/verdict/blocklists.ts; of a listing whose code is none of these. */
  readonly id: string;
  readonly zone: string;
  /** Whether IPv6 addresses are on it. */
  readonly ipv6: boolean;
  /** By the A record that answers. */
  readonly codes: Readonly<Record<string, string>>;
  /** Whether it leaves resolvers that nobody registered without an answer, so that its silence says nothing. */
  readonly registers: boolean;
}

/** In the order in which they are told. */
// prettier-ignore
export const dnsLists: readonly DnsList[] = [
  // docs.spamhaus.com, "Available Zones"; .5 to .7 were XBL's, and may be again.
  { id: "spamhaus-zen", zone: "zen.spamhaus.org",         ipv6: true,  registers: false, codes: {
    "127.0.0.2": "spamhaus-sbl", "127.0.0.3": "spamhaus-css", "127.0.0.4": "spamhaus-xbl", "127.0.0.5": "spamhaus-xbl",
    "127.0.0.6": "spamhaus-xbl", "127.0.0.7": "spamhaus-xbl", "127.0.0.9": "spamhaus-drop", "127.0.0.10": "spamhaus-pbl",
    "127.0.0.11": "spamhaus-pbl",
  } },
  { id: "spamcop",      zone: "bl.spamcop.net",           ipv6: false, registers: false, codes: {} },
  { id: "barracuda",    zone: "b.barracudacentral.org",   ipv6: false, registers: true,  codes: {} },
  { id: "psbl",         zone: "psbl.surriel.com",         ipv6: false, registers: false, codes: {} },
  { id: "mailspike",    zone: "bl.mailspike.net",         ipv6: false, registers: false, codes: {} },
  { id: "dronebl",      zone: "dnsbl.dronebl.org",        ipv6: true,  registers: false, codes: {} },
];
