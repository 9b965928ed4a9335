// Whether the egress's address has a name that leads back to it (forward-confirmed; RFC 1912 §2.1), which Gmail, Yahoo and
// others demand of senders. What the EHLO name leads to, its own check knows.
import { isIPv6 } from "node:net";
import { ask } from "../route/dns.ts";
import { findAddresses } from "../route/hosts.ts";
import { isHostName, plainName } from "../smtp/host-name.ts";
import { canonical, groups } from "../smtp/ip-address.ts";
import { reverseName } from "../smtp/reverse-name.ts";
import { addressNeeded, fault, listed, ok, unanswered, type Found } from "./found.ts";
import type { SelfCheckOptions } from "./options.ts";

/** RFC 7208 §4.6.4 looks no further either. */
const namesLimit = 10;

/** Whether the address has a name that leads back to it; another one than the EHLO name is remarked, and no fault. */
export async function checkReverseDns(
  helo: string | null,
  address: string | null,
  { lookup }: SelfCheckOptions,
): Promise<Found> {
  if (address === null) return addressNeeded("reverse DNS");
  const reverse = reverseName(address);
  const answer = await ask("PTR", reverse, lookup, (resolver) => resolver.resolvePtr(reverse));
  if (answer.kind === "failed") return unanswered(answer.text);
  const remedy = `Have whoever owns the address set its PTR record to ${helo ?? "the name given in EHLO"}, which must lead back to ${address}; clouds have a form or a call for it.`;
  if (answer.kind === "absent") return fault(`${address} has no PTR record`, remedy);
  const names = [...new Set(answer.records.map(plainName))];
  const leads = await Promise.all(names.slice(0, namesLimit).map((name) => leadsTo(name, address, lookup)));
  const confirmed = names.filter((_, index) => leads[index] === "back");
  if (confirmed.length > 0) {
    const lead = confirmed.length === 1 ? "leads" : "lead";
    return ok(`${address} is ${listed(confirmed)}, which ${lead} back to it${remarks(helo, address, names)}`);
  }
  const failure = leads.find((each) => typeof each === "object");
  if (failure !== undefined) return unanswered(failure.text);
  const records = names.length === 1 ? "record, which does not lead" : "records, none of which leads";
  return fault(`${address} is ${listed(names)} by its PTR ${records} back to it`, remedy);
}

async function leadsTo(
  name: string,
  address: string,
  lookup: SelfCheckOptions["lookup"],
): Promise<"back" | "elsewhere" | { readonly text: string }> {
  // Anything may stand in a PTR record; what is no host's name has no address.
  if (!isHostName(name)) return "elsewhere";
  const found = await findAddresses(name, { ...lookup, families: "both" });
  if (found.kind === "none") return found.outcome === "unanswered" ? { text: found.text } : "elsewhere";
  if (found.addresses.some((each) => canonical(each.address) === address)) return "back";
  return found.fault === null ? "elsewhere" : { text: found.fault };
}

/** What a provider may look askance at, and refuses rarely. */
function remarks(helo: string | null, address: string, names: readonly string[]): string {
  const generic = names.find((name) => isGeneric(name, address));
  return [
    helo === null || names.includes(helo.toLowerCase()) ? "" : `; ${helo}, our name in EHLO, is not among its names`,
    generic === undefined
      ? ""
      : `; ${listed([generic])} looks like a name given to every address of a network: some refuse those`,
  ].join("");
}

/** The address is in it, as access networks and clouds have it: `203-0-113-7.dyn.example`. */
function isGeneric(name: string, address: string): boolean {
  if (isIPv6(address)) {
    const bare = name.replaceAll(/[^\da-f]/g, "");
    return bare.includes(groups(address).slice(4).join(""));
  }
  const numbers = (name.match(/\d+/g) ?? []).map(Number).join(" ");
  const octets = address.split(".");
  const padded = octets.map((each) => each.padStart(3, "0")).join("");
  const hex = octets.map((each) => Number(each).toString(16).padStart(2, "0")).join("");
  const runs = [octets.join(" "), octets.toReversed().join(" ")];
  return runs.some((run) => ` ${numbers} `.includes(` ${run} `)) || name.includes(padded) || name.includes(hex);
}
