// Ways out by which functions in AWS cannot leave, or must not: port 25 is closed to them outside a VPC, and what is in the
// clear must not cross the Internet. Workers leave as their machines do, and are not looked at.
import { isIP } from "node:net";
import { specialRange } from "../smtp/address-range.ts";
import { familyOf } from "../smtp/ip-address.ts";
import type { Config, ConfigEgress } from "./config.ts";
import { splitPort } from "./host.ts";

interface Placed {
  readonly egress: ConfigEgress;
  readonly path: string;
}

/** @returns every fault with its path and what to write instead */
export function egressFaultsInAws(config: Config): readonly string[] {
  const placed = config.egresses
    .map((egress, index): Placed => ({ egress, path: `egresses[${index}]` }))
    .filter(({ egress }) => egress.runner === "functions");
  const inVpc = placed.filter(({ egress }) => egress.via.type === "vpc");
  return [
    ...placed.flatMap((each) => viaFaults(each, inVpc.length > 0)),
    ...inVpc.slice(1).map(({ path }) => {
      return `${path}.via.type: ${inVpc[0]?.path} is the VPC's one NAT address already; write a proxy, or drop one of them`;
    }),
    ...(placed.length === 0 ? [] : resolverFaults(config, inVpc.length > 0)),
    ...daneFaults(config),
  ];
}

function viaFaults(placed: Placed, isInVpc: boolean): readonly string[] {
  const { via } = placed.egress;
  switch (via.type) {
    case "direct":
      return directFaults(placed);
    case "vpc":
      return familyFaults(placed);
    case "socks5":
    case "http-connect":
      return proxyFaults(placed, isInVpc);
  }
}

function directFaults({ egress: { via }, path }: Placed): readonly string[] {
  const instead = 'write via "vpc", "socks5" or "http-connect", or runner "worker"';
  if (via.type === "direct" && via.bind !== null) {
    return [`${path}.via.bind: a function has no address of its own to leave from; ${instead}`];
  }
  return [`${path}.via: AWS closes port 25 to functions outside a VPC, and opens it to none; ${instead}`];
}

/** A NAT gateway's Elastic IP is of IPv4. */
function familyFaults({ egress: { address, families }, path }: Placed): readonly string[] {
  return [
    ...(families === null || families === "4" ? [] : [`${path}.families: "4" or null, as its NAT gateway has no IPv6`]),
    ...(address !== null && familyOf(address) === "6"
      ? [`${path}.address: ${address} is of IPv6, and its NAT gateway's is an IPv4 address; write that, or null`]
      : []),
  ];
}

function proxyFaults({ egress: { via }, path }: Placed, isInVpc: boolean): readonly string[] {
  if (via.type === "direct" || via.type === "vpc") return [];
  const { host, password } = via;
  const isClear = via.type === "socks5" || via.tls === null;
  const isExposed = !isInVpc || (isIP(host) > 0 && reachOf(host) === "public");
  return [
    ...hostFaults(host, `${path}.via.host`, isInVpc),
    ...(isClear && password !== null && isExposed
      ? [`${path}.via: its password would cross the Internet in the clear; write "http-connect" with tls`]
      : []),
  ];
}

function resolverFaults({ resolver }: Config, isInVpc: boolean): readonly string[] {
  if (resolver === null) return [];
  const server = isIP(resolver) > 0 ? { name: resolver } : splitPort(resolver, 53);
  return "name" in server ? hostFaults(server.name, "resolver", isInVpc) : [];
}

function hostFaults(host: string, path: string, isInVpc: boolean): readonly string[] {
  const reach = reachOf(host);
  if (reach === "own") return [`${path}: ${host} is the function itself; write where it is seen from elsewhere`];
  if (reach === "public" || isInVpc) return [];
  return [
    `${path}: ${host} cannot be reached by functions outside a VPC; write a public one, or an egress with via "vpc"`,
  ];
}

/** From where a host can be reached, as its text tells; of a name it tells nothing. */
function reachOf(host: string): "own" | "private" | "public" {
  if (/^(?:.*\.)?localhost$/i.test(host)) return "own";
  if (isIP(host) === 0) return "public";
  const range = specialRange(host);
  if (["loopback", "unspecified", "link-local", "metadata"].includes(range ?? "")) return "own";
  return ["private", "shared (CGNAT)", "unique local", "site-local"].includes(range ?? "") ? "private" : "public";
}

/** Without an answer that is proven, a DANE probe says of every host that nothing is known. */
function daneFaults({ resolver, egresses, targets }: Config): readonly string[] {
  if (resolver !== null) return [];
  const own = egresses.filter(({ runner }) => runner === "functions").map(({ name }) => name);
  return targets.flatMap(({ tls, egresses: names }, index) => {
    const over = own.find((name) => names?.includes(name) ?? true);
    if (tls !== "dane" || over === undefined) return [];
    const why = `over ${over} needs a resolver that validates DNSSEC, which the functions' own does not`;
    return [`targets[${index}].tls: "dane" ${why}; write resolver, or egresses of workers`];
  });
}
