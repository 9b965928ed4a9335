// Whether bounces have somewhere to go: the sender's domain takes mail, at an address that the Internet reaches. Many
// providers refuse a sender whose domain does not. It asks DNS alone, and no host.
import { findAddresses, findHosts, type Host, type LookupOptions } from "../route/hosts.ts";
import { parseAddress } from "../smtp/address.ts";
import { specialRange } from "../smtp/address-range.ts";
import { isPublic } from "../verdict/own-address.ts";
import { fault, listed, ok, quoted, unanswered, type Found } from "./found.ts";
import type { SelfCheckOptions } from "./options.ts";

/** A domain whose first hosts lead nowhere has others for show. */
const hostsLimit = 5;

const remedy =
  "Publish an MX record for the sender's domain, or set a sender of a domain that takes mail: --from, or identity.sender in the configuration.";

/** The sender's domain, as DNS asks for it; null for the null sender, and for what is no address. */
export function senderDomain(from: string): string | null {
  const sender = from === "" ? null : parseAddress(from);
  return sender === null || "fault" in sender ? null : sender.domain;
}

/** Whether a host that takes the sender's bounces can be reached. */
export async function checkSender({ from, lookup, allowPrivate }: SelfCheckOptions): Promise<Found> {
  if (from === "") return ok("the null sender: nothing bounces; some providers take less of it than of an address");
  const domain = senderDomain(from);
  if (domain === null) return fault(`${quoted(from)} is no sender's address`, remedy);
  const anywhere = { ...lookup, families: "both" } as const;
  const found = await findHosts(domain, anywhere);
  if (found.kind === "none") {
    if (found.outcome === "unanswered") return unanswered(found.text);
    return fault(`bounces to ${from} go nowhere: ${found.text}`, remedy);
  }
  const hosts = found.hosts.slice(0, hostsLimit);
  const leads = await Promise.all(hosts.map(async (each) => await leadOf(each, anywhere, allowPrivate)));
  const working = hosts.filter((_, index) => leads[index]?.kind === "works");
  if (working.length > 0) return ok(`bounces to ${from} go to ${listed(working.map(({ name }) => name))}`);
  const failure = leads.find((each) => each.kind === "failed");
  if (failure !== undefined) return unanswered(failure.text);
  return fault(`bounces to ${from} go nowhere: ${listed(leads.map(({ text }) => text))}`, remedy);
}

/** Where a host leads; `failed`: DNS did not say. */
interface Lead {
  readonly kind: "works" | "nowhere" | "failed";
  readonly text: string;
}

async function leadOf({ name, fault: flaw }: Host, lookup: LookupOptions, allowPrivate: boolean): Promise<Lead> {
  if (flaw !== null) return { kind: "nowhere", text: flaw };
  const found = await findAddresses(name, lookup);
  if (found.kind === "none") return { kind: found.outcome === "rejected" ? "nowhere" : "failed", text: found.text };
  const [first] = found.addresses;
  if (first === undefined || allowPrivate || found.addresses.some(({ address }) => isPublic(address))) {
    return { kind: "works", text: "" };
  }
  // The one that is reached may be in the part that DNS did not tell.
  if (found.fault !== null) return { kind: "failed", text: found.fault };
  return { kind: "nowhere", text: `${name} leads to ${first.address} (${specialRange(first.address)})` };
}
