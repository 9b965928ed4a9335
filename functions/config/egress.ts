// What a row of the configuration's egresses comes to: which IP versions it dials, and where its fields do not fit each
// other. It reads no secret and opens no connection.
import { familyOf, isSameFamily } from "../smtp/ip-address.ts";
import { credentialFaults } from "../smtp/proxy-credentials.ts";
import type { Config } from "./config.ts";

type Row = Config["egresses"][number];
type Families = NonNullable<Row["families"]>;

/** @returns every fault with its path and what may stand there */
export function egressFaults(row: Row, path: string): readonly string[] {
  const { address, families, runner, via } = row;
  const own = ownAddress(row);
  const isMixed = via.type === "direct" && own !== null && !isSameFamily(via.bind, own);
  return [
    ...(families !== null && own !== null && families !== familyOf(own)
      ? [`${path}.families: "${familyOf(own)}", which ${own} is of, or null`]
      : []),
    ...(via.type === "vpc" && runner === "worker"
      ? [`${path}.via.type: "direct", as a worker's machine has it: the VPC is the functions' own`]
      : []),
    ...(isMixed ? [`${path}.via.bind: an IPv${familyOf(own)} address, as ${address} is one, or null`] : []),
    ...viaFaults(via, `${path}.via`),
  ];
}

/**
 * Providers judge v4 and v6 apart, so that an egress whose address is known dials that one's family only. A NAT gateway
 * has an IPv4 address and no other.
 */
export function configuredFamilies(row: Row): Families {
  const own = ownAddress(row);
  if (row.families === null && own === null && row.via.type === "vpc") return "4";
  return row.families ?? (own === null ? "both" : familyOf(own));
}

function ownAddress({ address, via }: Row): string | null {
  return address ?? (via.type === "direct" ? via.bind : null);
}

function viaFaults(via: Row["via"], path: string): readonly string[] {
  if (via.type === "direct" || via.type === "vpc") return [];
  const { type, username, password } = via;
  const faults = credentialFaults(type, { username, password: typeof password === "string" ? password : null });
  return [
    ...pairFaults(path, "username", "password", via),
    ...(type === "http-connect" && via.tls !== null ? pairFaults(`${path}.tls`, "certificate", "key", via.tls) : []),
    ...faults.map(({ field, allowed }) => `${path}.${field}: ${allowed}`),
  ];
}

/** Two fields that are nothing without each other. */
function pairFaults<K extends string>(
  path: string,
  one: K,
  other: K,
  given: Readonly<Record<K, unknown>>,
): readonly string[] {
  if ((given[one] === null) === (given[other] === null)) return [];
  const [missing, there] = given[one] === null ? [one, other] : [other, one];
  return [`${path}.${missing}: what goes with ${there}, or neither of them`];
}
