// An egress of the configuration as probes take it: its secrets read from where they are. It opens no connection.
import { secretOf, type Config, type ConfigEgress, type ConfigSecret } from "../config/config.ts";
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

/** An egress, and whether this machine can leave by it. */
export interface Opened {
  /** With a fault, without what could not be read. */
  readonly egress: Egress;
  /** Null: it can, as far as is known without a connection. */
  readonly fault: EgressFault | null;
}

/** What is ours to mend is data here: whoever asks has a request in hand, and somebody to tell. */
export async function openedEgress(name: string, config: Config, env: NodeJS.ProcessEnv): Promise<Opened> {
  const row = config.egresses.find((each) => each.name === name);
  if (row === undefined) return { egress: { ...direct, name }, fault: noSuchEgress(name, config) };
  try {
    const egress = openEgress(row, env);
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

/** @throws EgressFault where one of its secrets is missing */
export function openEgress(row: ConfigEgress, env: NodeJS.ProcessEnv): Egress {
  const { name, address } = row;
  return { name, address, families: configuredFamilies(row), via: openVia(row, env) };
}

function openVia({ name, via }: ConfigEgress, env: NodeJS.ProcessEnv): Via {
  const read = (given: ConfigSecret): string => readSecret(given, name, env);
  switch (via.type) {
    case "direct":
      return via;
    case "socks5": {
      const { type, host, port, passesNames } = via;
      return { type, host, port, credentials: openCredentials(via, read), passesNames };
    }
    case "http-connect": {
      const { type, host, port, passesNames } = via;
      const credentials = openCredentials(via, read);
      return { type, host, port, tls: openTls(via.tls, read), credentials, passesNames };
    }
  }
}

type ProxyRow = Exclude<ConfigEgress["via"], { readonly type: "direct" }>;
type TlsRow = Extract<ProxyRow, { readonly type: "http-connect" }>["tls"];

function openTls(tls: TlsRow, read: (given: ConfigSecret) => string): HttpConnect["tls"] {
  if (tls === null) return null;
  const { ca, certificate, key } = tls;
  return { ca, certificate: certificate === null ? null : read(certificate), key: key === null ? null : read(key) };
}

function openCredentials(row: ProxyRow, read: (given: ConfigSecret) => string): Credentials | null {
  const { username, password } = row;
  return username === null || password === null ? null : { username, password: read(password) };
}

function readSecret(given: ConfigSecret, name: string, env: NodeJS.ProcessEnv): string {
  try {
    return secretOf(given, env);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new EgressFault(`egress ${name}: ${words}; set it to the secret that the configuration leaves there`);
  }
}
