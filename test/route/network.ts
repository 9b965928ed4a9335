// A small network on loopback: a DNS zone and mail hosts on 127.0.0.2, 127.0.0.3, … that all listen on one port, as the
// Internet's do on 25. It plays what it is told, and knows who was dialled. It does not know what should come of it.
import { once } from "node:events";
import { createServer, isIP, type AddressInfo } from "node:net";
import { promisify } from "node:util";
import { parseDialog } from "../../infra/local/mail/dialog.ts";
import type { MailHost, MailHosts, Shown } from "../../infra/local/mail/mail-host.ts";
import { serveDns, type Records, type Zone } from "./dns-server.ts";

/**
 * Where and what: `{ "a .2": "S! hang" }` is host a.test at 127.0.0.2, and what is said there, in the notation of
 * test/dialogs. Null: nobody listens. Hosts are preferred in the order in which they stand, if no number before the name
 * says otherwise: `"10 b .3"`. A host without an address has no name in DNS.
 */
export type Places = Readonly<Record<string, string | null>>;

export interface Network extends AsyncDisposable {
  /** Of the DNS server: `ip:port`. */
  readonly resolver: string;
  /** Of all mail hosts. */
  readonly port: number;
  /** What went otherwise than written, of the hosts at these addresses; and who else was dialled. */
  surprises(dialled: ReadonlySet<string>): Promise<readonly string[]>;
}

/** The domain whose hosts they are. */
export const domain = "to.test";

export interface NetworkOptions {
  /** Whether the DNS server says what is signed. */
  readonly validates?: boolean;
  /** What all mail hosts show under TLS. */
  readonly shows?: Shown;
}

/** `zone` adds to what the places say, or replaces it, name by name; TLSA records stand under the hosts' port. */
export async function openNetwork(
  mailHosts: MailHosts,
  places: Places,
  zone: Zone | ((port: number) => Zone) = {},
  { validates = false, shows }: NetworkOptions = {},
): Promise<Network> {
  const sites = Object.entries(places).map(siteOf);
  const { port, hosts, release } = await listen(mailHosts, sites, shows);
  const more = typeof zone === "function" ? zone(port) : zone;
  const dns = await serveDns({ ...zoneOf(sites), ...more }, () => {}, { validates });
  return {
    resolver: dns.server,
    port,
    async surprises(dialled) {
      const told = await Promise.all(
        [...hosts].map(async ([address, host]) => {
          if (dialled.has(address)) return await host.result();
          return (await host.connections()) === 0 ? [] : [`${address} was dialled`];
        }),
      );
      return told.flat();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([dns.close(), release(), ...[...hosts.values()].map((each) => each.close())]);
    },
  };
}

/** `.2` is 127.0.0.2. */
export function longAddress(address: string): string {
  return address.startsWith(".") ? `127.0.0${address}` : address;
}

/** The other way round, for hosts too: `a` is a.test. */
export function short(text: string): string {
  return text.replace(/^127\.0\.0(?=\.)/, "").replace(/\.test$/, "");
}

interface Site {
  readonly preference: number | null;
  readonly name: string;
  readonly address: string | null;
  readonly says: string | null;
}

function siteOf([where, says]: readonly [string, string | null]): Site {
  const [, preference, name = "", address] = /^(?:(\d+) )?(\S+)(?: (\S+))?$/.exec(where) ?? [];
  if (name === "") throw new Error(`cannot read the place ${where}`);
  return {
    preference: preference === undefined ? null : Number(preference),
    name: `${name}.test`,
    address: address === undefined ? null : longAddress(address),
    says,
  };
}

function zoneOf(sites: readonly Site[]): Zone {
  const byName = [...Map.groupBy(sites, ({ name }) => name)];
  const hosts = byName.map(([name, its]) => {
    const addresses = its.map(({ address }) => address).filter((each) => each !== null);
    const records: Records = {
      A: addresses.filter((each) => isIP(each) === 4),
      AAAA: addresses.filter((each) => isIP(each) === 6),
    };
    return [name, addresses.length === 0 ? "NXDOMAIN" : records] as const;
  });
  const MX = byName.map(([name, its], index) => `${its[0]?.preference ?? (index + 1) * 10} ${name}`);
  return { ...Object.fromEntries(hosts), [domain]: { MX } };
}

/** A port that is free at one address may be a client's at another. */
const triesLimit = 10;
/** No host is here: who holds a port at this address has it at all others, as far as networks are concerned. */
const reservedAt = "127.255.255.254";

interface Listening {
  readonly port: number;
  readonly hosts: ReadonlyMap<string, MailHost>;
  readonly release: () => Promise<void>;
}

async function listen(mailHosts: MailHosts, sites: readonly Site[], shows?: Shown): Promise<Listening> {
  const listening = sites.flatMap(({ address, says }) =>
    address === null || says === null ? [] : [{ address, says }],
  );
  for (let tries = 1; ; tries++) {
    const { port, release } = await reserve();
    const hosts = new Map<string, MailHost>();
    try {
      for (const { address, says } of listening) {
        const dialog = parseDialog(`# ${address}\n${says}`, address);
        hosts.set(address, await mailHosts.start(dialog, { address, port, ...(shows === undefined ? {} : { shows }) }));
      }
      return { port, hosts, release };
    } catch (error) {
      await Promise.all([release(), ...[...hosts.values()].map((each) => each.close())]);
      if (tries === triesLimit) throw error;
    }
  }
}

async function reserve(): Promise<Pick<Listening, "port" | "release">> {
  const server = createServer();
  server.listen(0, reservedAt);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, release: async () => await promisify(server.close.bind(server))() };
}
