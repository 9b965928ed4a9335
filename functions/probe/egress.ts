// An egress of the configuration as probes take it: its secrets read from where they are. It opens no connection by it.
import type { Config, ConfigEgress, ConfigSecret } from "../config/config.ts";
import { configuredFamilies } from "../config/egress.ts";
import {
  checkEgress,
  direct,
  EgressFault,
  type Credentials,
  type Egress,
  type HttpConnect,
  type Via,
} from "../route/egress.ts";
import type { Secrets } from "../secrets.ts";
import { SecretFault } from "../secrets/fault.ts";

/** An egress, and whether this machine can leave by it. */
export interface Opened {
  /** With a fault, without what could not be read. */
  readonly egress: Egress;
  /** Null: it can, as far as is known without a connection. */
  readonly fault: EgressFault | null;
}

/** What is ours to mend is data here: whoever asks has a request in hand, and somebody to tell. */
export async function openedEgress(name: string, config: Config, secrets: Secrets): Promise<Opened> {
  const row = config.egresses.find((each) => each.name === name);
  if (row === undefined) return { egress: { ...direct, name }, fault: noSuchEgress(name, config) };
  try {
    const egress = await openEgress(row, secrets);
    return { egress, fault: await faultOf(egress) };
  } catch (error) {
    const bare = { ...direct, name, address: row.address, families: configuredFamilies(row) };
    return { egress: bare, fault: egressFault(error) };
  }
}

function noSuchEgress(name: string, { egresses }: Config): EgressFault {
  const names = egresses.map((each) => each.name).join(", ");
  return new EgressFault(`the configuration has no egress ${JSON.stringify(name)}; it has ${names}`);
}

async function faultOf(egress: Egress): Promise<EgressFault | null> {
  try {
    await checkEgress(egress);
    return null;
  } catch (error) {
    return egressFault(error);
  }
}

/** @throws all that is none */
function egressFault(error: unknown): EgressFault {
  if (error instanceof EgressFault) return error;
  throw error;
}

/** @throws EgressFault where one of its secrets cannot be read */
export async function openEgress(row: ConfigEgress, secrets: Secrets): Promise<Egress> {
  const { name, address } = row;
  return { name, address, families: configuredFamilies(row), via: await openVia(row, secrets) };
}

/** All that it takes is read here, before anything is dialled. */
async function openVia({ name, via }: ConfigEgress, secrets: Secrets): Promise<Via> {
  const read = async (given: ConfigSecret): Promise<string> => await readSecret(given, name, secrets);
  switch (via.type) {
    case "direct":
      return via;
    case "vpc":
      // Where its routes lead is the template's.
      return { type: "direct", bind: null };
    case "socks5": {
      const { type, host, port, passesNames } = via;
      return { type, host, port, credentials: await openCredentials(via, read), passesNames };
    }
    case "http-connect": {
      const { type, host, port, passesNames } = via;
      const credentials = await openCredentials(via, read);
      return { type, host, port, tls: await openTls(via.tls, read), credentials, passesNames };
    }
  }
}

type ProxyRow = Exclude<ConfigEgress["via"], { readonly type: "direct" | "vpc" }>;
type TlsRow = Extract<ProxyRow, { readonly type: "http-connect" }>["tls"];

type Read = (given: ConfigSecret) => Promise<string>;

async function openTls(tls: TlsRow, read: Read): Promise<HttpConnect["tls"]> {
  if (tls === null) return null;
  const { ca, certificate, key } = tls;
  return {
    ca,
    certificate: certificate === null ? null : await read(certificate),
    key: key === null ? null : await read(key),
  };
}

async function openCredentials(row: ProxyRow, read: Read): Promise<Credentials | null> {
  const { username, password } = row;
  return username === null || password === null ? null : { username, password: await read(password) };
}

async function readSecret(given: ConfigSecret, name: string, secrets: Secrets): Promise<string> {
  try {
    return await secrets.read(given);
  } catch (error) {
    throw error instanceof SecretFault ? new EgressFault(`egress ${name}: ${error.message}`) : error;
  }
}
