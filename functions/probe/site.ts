// Whom a request is about: the target of the configuration, and who is asked, as far as is known before anybody is. It
// asks nobody.
import type { Config, ConfigTarget } from "../config/config.ts";
import { parseHost } from "../config/host.ts";
import type { Probe } from "../queue/request.ts";
import type { NamedHost } from "../route/hosts.ts";
import { parseAddress } from "../smtp/address.ts";

export interface Site {
  /** What it says of provider and severities holds; null: the request is about none. */
  readonly target: ConfigTarget | null;
  /** What leases are on, and what a block is kept of: the target's provider, or the host's, or the domain. */
  readonly name: string;
}

/** The series of hosts that nobody has named: a domain is no dimension. */
export const unknownProvider = "other";

export async function siteOf(probe: Probe, config: Config): Promise<Site> {
  const { mx, recipient } = probe;
  const target = targetOf(probe, config.targets);
  if (mx === null) return { target, name: target?.provider ?? recipient.domain };
  // Few requests name hosts, and the providers' table is long.
  const { providerOf } = await import("../verdict/providers.ts");
  const isIts = (host: Host, { provider }: ConfigTarget): boolean =>
    providerOf(host.name)?.id === provider || isConfigured(host, recipient.domain, config);
  if (target !== null && mx.every((host) => isIts(host, target))) {
    return { target, name: target.provider };
  }
  // Hosts that somebody names say nothing of the provider whose mailbox is asked for: a yes of theirs ends no block of its.
  const [first] = mx;
  return { target: null, name: (first === undefined ? null : providerOf(first.name)?.id) ?? first?.name ?? "" };
}

/** Where the configuration sends a domain's mail, in the place of its MX hosts; null: it does not. */
export function configuredHosts(domain: string, { hosts }: Config): readonly NamedHost[] | null {
  if (!Object.hasOwn(hosts, domain)) return null;
  const places = hosts[domain]?.flatMap((each) => parseHost(each) ?? []);
  return places?.map((each) => ({ ...each, named: "by-hand" })) ?? null;
}

function targetOf({ recipient, depth }: Probe, targets: readonly ConfigTarget[]): ConfigTarget | null {
  const its = targets.filter((each) => {
    const address = parseAddress(each.recipient);
    return "text" in address && address.text === recipient.text;
  });
  return its.find((each) => each.depth === depth) ?? its[0] ?? null;
}

type Host = NonNullable<Probe["mx"]>[number];

function isConfigured({ name, port }: Host, domain: string, config: Config): boolean {
  return configuredHosts(domain, config)?.some((each) => each.name === name && each.port === port) ?? false;
}
