// Reads the options that name a host and a port: --mx and --resolver. It asks no DNS.
import { isIP } from "node:net";
import { readHost, splitPort, type HostFault, type NamedHost } from "../config/host.ts";
import { hostAndPort } from "../smtp/ip-address.ts";
import { quote, UsageFault } from "./options.ts";

/** @throws UsageFault */
export function readMailHost(text: string): NamedHost {
  const host = readHost(text, 25);
  if ("wrong" in host) throw faultOf("--mx", text, host);
  return host;
}

/**
 * @returns in the form that node:dns takes, the port always there; null where none is given
 * @throws UsageFault
 */
export function readResolver(text: string | null): string | null {
  if (text === null) return null;
  const server = splitPort(text, 53);
  if ("wrong" in server) throw faultOf("--resolver", text, server);
  const { name, port } = server;
  if (isIP(name) !== 0) return hostAndPort(name, port);
  throw new UsageFault(`--resolver ${quote(text)} is no IP address; write one such as 192.0.2.53 or [2001:db8::53]:53`);
}

function faultOf(option: string, text: string, { wrong, instead }: HostFault): UsageFault {
  return new UsageFault(`${option} ${quote(text)} ${wrong}; write ${instead}`);
}
