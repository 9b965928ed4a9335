// A mail host as people write it: a name or an address, and a port. It asks no DNS, and does not know what may be dialled.
import { isIP } from "node:net";
import { isHelo } from "../smtp/address.ts";

export interface NamedHost {
  readonly name: string;
  readonly port: number;
}

/** `host[:port]`, 25 without one; IPv6 in brackets (RFC 3986 §3.2.2). Null: none of these. */
export function parseHost(text: string): NamedHost | null {
  const [, bracketed, bare, digits = "25"] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const name = (bracketed ?? bare ?? "").replace(/\.$/, "");
  const port = Number(digits);
  const isName = bracketed === undefined ? isIP(name) === 4 || (name !== "" && isHelo(name)) : isIP(name) === 6;
  return isName && port >= 1 && port <= 65_535 ? { name, port } : null;
}
