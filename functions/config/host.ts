// A host as people write it: a name or an address, and a port. It asks no DNS, and does not know what may be dialled.
import { isIP, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { isHelo } from "../smtp/address.ts";

export interface NamedHost {
  readonly name: string;
  readonly port: number;
}

/** What is wrong with a text, and what to write instead: two parts of one line. */
export interface HostFault {
  readonly wrong: string;
  readonly instead: string;
}

/** `host[:port]` of a mail host, 25 without one; IPv6 in brackets. Null: none of these. */
export function parseHost(text: string): NamedHost | null {
  const host = readHost(text, 25);
  return "wrong" in host ? null : host;
}

/** `host[:port]`, the name in A-labels and without the root's dot; IPv6 in brackets, which the result has not. */
export function readHost(text: string, preset: number): NamedHost | HostFault {
  const split = splitPort(text, preset);
  if ("wrong" in split) return split;
  const { name: written, port } = split;
  const name = (/[^\0-\x7f]/.test(written) ? domainToASCII(written) : written).replace(/\.$/, "");
  if (isIP(name) > 0 || (name !== "" && isHelo(name))) return { name, port };
  return { wrong: "is no host", instead: `a name or an address, such as mx.example.com:${preset}` };
}

/** `host[:port]`, whatever the host's name; IPv6 stands in brackets, since it holds colons itself (RFC 3986 §3.2.2). */
export function splitPort(text: string, preset: number): NamedHost | HostFault {
  if (isIPv6(text)) return { wrong: "may hold a port or not", instead: `[${text}] or [${text}]:${preset}` };
  const [, bracketed, bare, digits] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(.*))?$/s.exec(text) ?? [];
  const name = bracketed ?? bare ?? "";
  if (name === "" || (bracketed !== undefined && !isIPv6(bracketed))) {
    return { wrong: "is no host and port", instead: `host, host:${preset} or [IPv6 address]:${preset}` };
  }
  const port = digits === undefined ? preset : /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port >= 1 && port <= 65_535) return { name, port };
  return { wrong: "has no port that there is", instead: "one from 1 to 65535" };
}
