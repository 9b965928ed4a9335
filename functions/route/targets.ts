// The hosts of a request in the order to try them, each with where it leads: addresses, nowhere, or back to us.
// It looks up and sorts out. It dials nobody, and does not say what a failure means.
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { specialRange } from "../smtp/address-range.ts";
import { canonical } from "../smtp/ip-address.ts";
import type { ProbeRequest } from "./probe-request.ts";
import type { Egress } from "./egress.ts";
import { findAddresses, findHosts } from "./hosts.ts";
import type { Host, LookupOptions, NamedHost, Nowhere } from "./hosts.ts";
import { ownName } from "./own-name.ts";

export interface Target extends NamedHost {
  readonly leads: Leads;
  /** Itself included: whoever shares out time counts them. */
  readonly hostsLeft: number;
}

export type Leads =
  /** In the order to dial them; null alone: a proxy looks the host up. `fault`: what kept some of them hidden. */
  | { readonly kind: "addresses"; readonly addresses: readonly (string | null)[]; readonly fault: string | null }
  | Nowhere
  /** It is we ourselves. */
  | { readonly kind: "own"; readonly text: string };

/** One host is one way in; ten of them that fail will not be followed by an eleventh that works. */
const hostsLimit = 10;
/** Of those who want to see every one of them. */
const allHostsLimit = 50;
/** How long those of one preference are waited for, to know whether one of them is ourselves, before the first is asked. */
const patienceMs = 1_000;

export interface FoundTargets {
  readonly kind: "targets";
  readonly targets: AsyncIterable<Target>;
  /** Those that are more than we ask. */
  readonly hostsLeftOut: number;
}

/** The hosts, or why there are none. A generator, because what comes later is looked up while others are asked. */
export async function targetsOf(request: ProbeRequest, lookup: LookupOptions): Promise<Nowhere | FoundTargets> {
  const { hosts, recipients } = request;
  if (hosts !== null) {
    const listed = hosts.map((each, index) => ({ ...each, preference: index, fault: null }));
    return { kind: "targets", targets: inTurn(listed, request, lookup), hostsLeftOut: 0 };
  }
  const found = await findHosts(recipients[0]?.domain ?? "", lookup);
  if (found.kind === "none") return found;
  const some = found.hosts.slice(0, request.allHosts ? allHostsLimit : hostsLimit);
  const listed = some.map((each) => ({ ...each, port: request.port, named: "by-mx" as const }));
  const hostsLeftOut = found.hosts.length - some.length;
  return { kind: "targets", targets: inTurn(listed, request, lookup), hostsLeftOut };
}

type Listed = NamedHost & Pick<Host, "preference" | "fault">;

async function* inTurn(hosts: readonly Listed[], request: ProbeRequest, lookup: LookupOptions): AsyncGenerator<Target> {
  const own = request.hosts === null ? ownMarks(request) : nobody;
  const known = new Map<Listed, Leads>();
  // All at once, as Postfix does: which of them is ourselves decides about the others.
  const lookedUp = hosts.map((host) => {
    const leads = leadsOf(host, own, request.egress, lookup);
    // A fault of ours is thrown when its host's turn comes, not before.
    return { host, leads, settled: leads.then((found) => void known.set(host, found)).catch(() => {}) };
  });
  let hostsLeft = hosts.length;
  for (const peers of Map.groupBy(lookedUp, ({ host }) => host.preference).values()) {
    await withinPatience(peers.map(({ settled }) => settled));
    for (const next of peers) {
      const itself = peers.find(({ host }) => known.get(host)?.kind === "own") ?? next;
      const { name, port, named } = itself.host;
      const leads = await itself.leads;
      yield { name, port, named, leads, hostsLeft };
      // All of its preference and behind are left out: whoever gets there would send it to us (RFC 5321 §5.1).
      if (leads.kind === "own") return;
      hostsLeft -= 1;
    }
  }
}

/** None of these rejects. */
async function withinPatience(settled: readonly Promise<void>[]): Promise<void> {
  const patience = new AbortController();
  const over = delay(patienceMs, undefined, { signal: patience.signal }).catch(() => {});
  await Promise.race([Promise.all(settled), over]);
  patience.abort();
}

async function leadsOf(
  { name, named, fault }: Listed,
  own: OwnMarks,
  { via }: Egress,
  lookup: LookupOptions,
): Promise<Leads> {
  if (fault !== null) return { kind: "none", outcome: "rejected", status: null, text: fault };
  if (own.name === name) return { kind: "own", text: ownText(name, `its name is ours in EHLO`) };
  if (via.type !== "direct" && via.passesNames && isIP(name) === 0) {
    return { kind: "addresses", addresses: [null], fault: null };
  }
  const found = await findAddresses(name, lookup, named);
  if (found.kind === "none") return found;
  const addresses = found.addresses.map(({ address }) => address);
  const ours = addresses.find((each) => own.addresses.has(canonical(each)));
  if (ours !== undefined) return { kind: "own", text: ownText(name, `${ours} is our own address`) };
  return { kind: "addresses", addresses, fault: found.fault };
}

function ownText(name: string, why: string): string {
  return `DNS: ${name} is this host itself (${why}): mail would come back, so it and all behind it are left out`;
}

/** How our own host would show among a domain's. */
interface OwnMarks {
  readonly name: string | null;
  readonly addresses: ReadonlySet<string>;
}

const nobody: OwnMarks = { name: null, addresses: new Set() };

function ownMarks({ helo, egress }: ProbeRequest): OwnMarks {
  const { address, via } = egress;
  const ofEgress = [address, via.type === "direct" ? via.bind : null].filter((each) => each !== null);
  const ofMachine = via.type === "direct" && ofEgress.length === 0 ? publicAddresses() : [];
  const addresses = [...ofEgress, ...ofMachine].map(canonical);
  return { name: (helo ?? ownName())?.toLowerCase() ?? null, addresses: new Set(addresses) };
}

function publicAddresses(): readonly string[] {
  const ours = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return ours.map(({ address }) => address).filter((each) => specialRange(each) === null);
}
