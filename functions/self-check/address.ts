// Which address hosts see us come from, and whether it is the one that is configured. It asks nobody: what hosts said is
// told to it.
import { specialRange } from "../smtp/address-range.ts";
import { canonical, isSameFamily } from "../smtp/ip-address.ts";
import type { Transcript } from "../smtp/transcript.ts";
import { isPublic, seenBy } from "../verdict/own-address.ts";
import { addressRemedy, fault, ok, quoted, translatedRemedy, unknown, type Found } from "./found.ts";
import type { SelfCheckOptions } from "./options.ts";

/** What one host said. */
export interface Seen {
  readonly host: string;
  readonly address: string;
}

/** What is known before anybody was asked; a private address of ours is not what hosts see. */
export function configuredAddress({ egress, allowPrivate }: SelfCheckOptions): string | null {
  const { address, via } = egress;
  if (address !== null) return canonical(address);
  const bind = via.type === "direct" ? via.bind : null;
  return bind !== null && (allowPrivate || isPublic(bind)) ? canonical(bind) : null;
}

/** What the connections showed: hosts' own words before all, through a proxy too. */
export function learntAddress(attempts: readonly Transcript[]): string | null {
  const shown = attempts.flatMap(({ localAddress, egressAddress }) => [localAddress, egressAddress]);
  const open = shown.find((each) => each !== null && isPublic(each)) ?? null;
  return seenAddresses(attempts)[0]?.address ?? (open === null ? null : canonical(open));
}

/** The one that providers judge: what a host sees, where it is of the known one's family; the other checks are about it. */
export function judgedAddress(known: string | null, seen: readonly Seen[]): string | null {
  return seen.find(({ address }) => known === null || isSameFamily(address, known))?.address ?? known;
}

/** Every address that a host said. */
export function seenAddresses(attempts: readonly Transcript[]): readonly Seen[] {
  return attempts.flatMap((each) => {
    const address = seenBy(each);
    return address === null ? [] : [{ host: each.host, address }];
  });
}

/** What came of speaking to hosts. */
interface Shown {
  readonly seen: readonly Seen[];
  /** Why this machine cannot leave by the egress; null: it can. */
  readonly egressFault: string | null;
}

/**
 * Whether hosts see us come from the address that is set, and one of the Internet's at that.
 * @param known what is known of it, in whatever way
 */
export function checkAddress(options: SelfCheckOptions, known: string | null, { seen, egressFault }: Shown): Found {
  if (egressFault !== null) {
    return fault(
      quoted(egressFault),
      "Bind an address that this machine has (--egress, or egresses[].via.bind in the configuration), and give the egress its credentials and certificates.",
    );
  }
  if (known === null) {
    return unknown(
      "which address hosts see is not known: none is configured, and no host said what it sees",
      addressRemedy,
    );
  }
  const range = isPublic(known) ? null : specialRange(known);
  if (range !== null && !options.allowPrivate) {
    return fault(`${known} is ${range}: no host on the Internet sees mail come from it`, translatedRemedy);
  }
  const same = seen.filter(({ address }) => isSameFamily(address, known));
  const other = same.find(({ address }) => address !== known);
  if (other !== undefined) {
    return fault(
      `${other.host} sees us come from ${other.address}, not from ${known}: NAT, or another way out`,
      "Send the egress's connections out by its address, or set the one that hosts see: egresses[].address in the configuration.",
    );
  }
  return ok(`${sourceOf(known, configuredAddress(options) !== null, same)}${besides(known, seen)}`);
}

function sourceOf(known: string, isConfigured: boolean, [first]: readonly Seen[]): string {
  if (first !== undefined) {
    const sees = `${first.host} sees us come from`;
    return isConfigured ? `${known} is configured, and ${sees} there` : `${sees} ${known}`;
  }
  const own = isConfigured ? "is configured" : "is the connection's own";
  return `${known} ${own}; no host said what it sees`;
}

/** Providers judge each family's apart. */
function besides(known: string, seen: readonly Seen[]): string {
  const other = seen.find(({ address }) => !isSameFamily(address, known));
  if (other === undefined) return "";
  return `; ${other.host} sees ${other.address}, of the other family, which is an egress of its own and not checked here`;
}
