// Whose hosts a send's domain has, as far as is known before anybody is dialled. It asks the configuration first, then DNS
// for the domain's MX, and no host.
import type { Config, ConfigTarget } from "../config/config.ts";
import { configuredHosts } from "../probe/site.ts";
import { findHosts, type LookupOptions, type NamedHost } from "../route/hosts.ts";
import { parseAddress } from "../smtp/address.ts";

export interface SendSite {
  /** What rates are reckoned by and holds are on: the provider; else the domain. */
  readonly name: string;
  /** As in the series; null: nobody has named these hosts. */
  readonly provider: string | null;
  /** What it says of severities and TLS holds; null: the domain has none. */
  readonly target: ConfigTarget | null;
  /** Where the configuration sends the domain's mail; null: where its MX records do. */
  readonly hosts: readonly NamedHost[] | null;
}

/** Never rejects for what DNS says or does: of a domain without an answer there is only its name. */
export async function siteOfDomain(domain: string, config: Config, lookup: LookupOptions): Promise<SendSite> {
  const target = config.targets.find(({ recipient }) => domainOf(recipient) === domain) ?? null;
  const hosts = configuredHosts(domain, config);
  if (target !== null) return { name: target.provider, provider: target.provider, target, hosts };
  // The table is long, and those of the configuration's targets need none of it.
  const { providerOf } = await import("../verdict/providers.ts");
  const [first] = hosts?.map(({ name }) => name) ?? (await namesInDns(domain, lookup));
  const provider = first === undefined ? null : (providerOf(first)?.id ?? null);
  return { name: provider ?? domain, provider, target, hosts };
}

async function namesInDns(domain: string, lookup: LookupOptions): Promise<readonly string[]> {
  const found = await findHosts(domain, lookup);
  return found.kind === "none" ? [] : found.hosts.flatMap(({ name, fault }) => (fault === null ? [name] : []));
}

function domainOf(recipient: string): string | null {
  const address = parseAddress(recipient);
  return "text" in address ? address.domain : null;
}
