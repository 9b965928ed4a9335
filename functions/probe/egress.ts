// An egress of the configuration as probes take it: its secrets read from where they are. It opens no connection.
import { secretOf, type Config, type ConfigEgress, type ConfigSecret } from "../config/config.ts";
import { credentialFaults } from "../config/credentials.ts";
import { familiesOf } from "../config/egress.ts";
import { EgressFault, type Credentials, type Egress, type HttpConnect, type Via } from "../route/egress.ts";

/** @throws EgressFault where there is no such egress, or one of its secrets is missing or is none that a proxy takes */
export function egressNamed(name: string, config: Config, env: NodeJS.ProcessEnv): Egress {
  const row = config.egresses.find((each) => each.name === name);
  if (row !== undefined) return openEgress(row, env);
  const names = config.egresses.map((each) => each.name).join(", ");
  throw new EgressFault(`the configuration has no egress ${JSON.stringify(name)}; it has ${names}`);
}

/** @throws EgressFault where one of its secrets is missing, or is none that a proxy takes */
export function openEgress(row: ConfigEgress, env: NodeJS.ProcessEnv): Egress {
  const { name, address } = row;
  return { name, address, families: familiesOf(row), via: openVia(row, env) };
}

function openVia({ name, via }: ConfigEgress, env: NodeJS.ProcessEnv): Via {
  const read = (given: ConfigSecret): string => readSecret(given, name, env);
  switch (via.type) {
    case "direct":
      return via;
    case "socks5": {
      const { type, host, port, passesNames } = via;
      return { type, host, port, credentials: openCredentials(via, name, read), passesNames };
    }
    case "http-connect": {
      const { type, host, port, passesNames } = via;
      const credentials = openCredentials(via, name, read);
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

/** What the environment holds is seen only now: whether the proxy's protocol can carry it is asked again. */
function openCredentials(row: ProxyRow, name: string, read: (given: ConfigSecret) => string): Credentials | null {
  const { type, username, password: given } = row;
  if (username === null || given === null) return null;
  const password = read(given);
  const [fault] = credentialFaults(type, { username, password });
  if (fault === undefined) return { username, password };
  throw new EgressFault(`egress ${name}: the proxy's ${fault.field} is none; it takes ${fault.allowed}`);
}

function readSecret(given: ConfigSecret, name: string, env: NodeJS.ProcessEnv): string {
  try {
    return secretOf(given, env);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new EgressFault(`egress ${name}: ${words}; set it to the secret that the configuration leaves there`);
  }
}
