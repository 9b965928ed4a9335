// Whether the name given in EHLO is one that hosts take: a full name that leads to the egress's address (RFC 5321 §4.1.4).
// Whether the address leads back to it, the check of reverse DNS knows.
import { isIP } from "node:net";
import { findAddresses } from "../route/hosts.ts";
import { isHelo } from "../smtp/address.ts";
import { canonical, readLiteral } from "../smtp/ip-address.ts";
import { addressRemedy, fault, listed, ok, quoted, unanswered, unknown, type Found } from "./found.ts";
import type { SelfCheckOptions } from "./options.ts";

/**
 * Whether the name given in EHLO is a full one that leads to the address.
 * @param helo null: an address literal is given
 */
export async function checkHelo(
  helo: string | null,
  address: string | null,
  { lookup }: SelfCheckOptions,
): Promise<Found> {
  const flaw = flawOf(helo, address);
  if (flaw !== null || helo === null) return fault(flaw ?? "", nameRemedy);
  const found = await findAddresses(helo, { ...lookup, families: "both" });
  if (found.kind === "none") {
    if (found.outcome === "unanswered") return unanswered(found.text);
    return fault(
      `${helo}, our name in EHLO, leads nowhere: ${found.text}`,
      `Publish an A or AAAA record for ${helo} with the egress's address${address === null ? "" : `, ${address}`}.`,
    );
  }
  const addresses = found.addresses.map((each) => canonical(each.address));
  if (address === null) {
    return unknown(
      `${helo} has ${listed(addresses)}; whether that is the egress's address is not known`,
      addressRemedy,
    );
  }
  if (addresses.includes(address)) return ok(`${helo} leads to ${address}`);
  // The address looked for may be in the part that DNS did not tell.
  if (found.fault !== null) return unanswered(found.fault);
  return fault(
    `${helo}, our name in EHLO, leads to ${listed(addresses)}, not to ${address}`,
    `Publish ${address} for ${helo} too, or give each egress a name of its own in EHLO.`,
  );
}

const nameRemedy =
  "Set the EHLO name, a full host name that leads to the egress's address: --helo, or identity.helo in the configuration.";

/** What is wrong with the name as it stands; null: nothing. */
function flawOf(helo: string | null, address: string | null): string | null {
  if (helo === null) {
    return "no name is configured for EHLO and this machine has no full one, so that an address literal is given: many providers refuse those";
  }
  const literal = readLiteral(helo);
  if (literal !== null) {
    const others = address === null || canonical(literal) === address ? "" : `, not even of ${address}`;
    return `${quoted(helo)} in EHLO is an address literal${others}: many providers refuse those`;
  }
  if (isIP(helo) !== 0) return `${helo} in EHLO is an address, where a host's name belongs: many providers refuse it`;
  if (!isHelo(helo)) return `${quoted(helo)} in EHLO is no host's name`;
  if (!helo.includes(".") || privateNames.test(helo)) {
    return `${helo} in EHLO is no full name that the Internet knows: many providers refuse it`;
  }
  return null;
}

/** RFC 6761 and what networks use beside it. Names of examples are let be: they stand for real ones. */
const privateNames = /(?:^|\.)(?:localhost|localdomain|local|lan|internal|intranet|home|corp|arpa|invalid)$/i;
