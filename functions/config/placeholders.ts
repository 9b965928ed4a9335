// What in a configuration is still an example's: names and addresses that are set aside for documents, and are nobody's on
// the Internet (RFC 6761, RFC 5737, RFC 3849). It does not know whether what else stands there is the operator's.
import { isIP } from "node:net";
import { specialRange } from "../smtp/address-range.ts";
import type { Config } from "./config.ts";
import { splitPort } from "./host.ts";

export interface Placeholder {
  readonly path: string;
  readonly text: string;
  /** What belongs there. */
  readonly instead: string;
}

/** In the file's order. */
export function placeholders(config: Config): readonly Placeholder[] {
  const { identity, egresses, targets, onCall, resolver, sends, aws } = config;
  const all: readonly Placeholder[] = [
    { path: "identity.helo", text: identity.helo, instead: "a name of yours that resolves to the egress and back" },
    { path: "identity.sender", text: identity.sender, instead: "a mailbox of yours that is read" },
    ...egresses.flatMap(({ address, via }, index) => [
      ...texts(address, `egresses[${index}].address`, "the address that providers see, or null"),
      ...("host" in via ? texts(via.host, `egresses[${index}].via.host`, "your proxy's") : []),
    ]),
    ...targets.map(({ recipient }, index) => {
      return { path: `targets[${index}].recipient`, text: recipient, instead: "a mailbox of yours there" };
    }),
    ...texts(onCall.runbook, "onCall.runbook", "where your runbook stands, or null"),
    ...texts(resolver, "resolver", "your DNS server's, or null"),
    ...(sends?.dkim ?? []).map(({ domain }, index) => {
      return { path: `sends.dkim[${index}].domain`, text: domain, instead: "a domain of yours that you send from" };
    }),
    ...aws.emails.map((text, index) => ({ path: `aws.emails[${index}]`, text, instead: "a mailbox of on-call" })),
  ];
  return all.filter(({ text }) => isPlaceholder(hostOf(text)));
}

function texts(text: string | null, path: string, instead: string): readonly Placeholder[] {
  return text === null ? [] : [{ path, text, instead }];
}

/** Of a mailbox, a URL, an address with a port, or of what is a host already. */
function hostOf(text: string): string {
  if (isIP(text) > 0) return text;
  if (/^https?:/.test(text) && URL.canParse(text)) return new URL(text).hostname;
  const domain = text.slice(text.lastIndexOf("@") + 1);
  const literal = /^\[(?:IPv6:)?(.*)\]$/i.exec(domain)?.[1];
  if (literal !== undefined && isIP(literal) > 0) return literal;
  const split = splitPort(domain, 53);
  return "name" in split ? split.name : domain;
}

function isPlaceholder(host: string): boolean {
  if (isIP(host) > 0) return specialRange(host) === "documentation";
  return /(?:^|\.)(?:example|test|invalid|example\.(?:com|net|org))\.?$/i.test(host);
}
