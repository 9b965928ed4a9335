// Where secrets stand in the configuration, and who reads each: those who grant the right to read them, those who load what
// reads them, and those who say where one must not be, all go by this list. It reads none.
import type { Config, ConfigEgress, ConfigRoute, ConfigSecret } from "./config.ts";
import { sendEgresses } from "./send-faults.ts";

/** `probe`, `send`: the functions' own; `worker`: that of the egress. */
export type SecretReader = "page" | "probe" | "send" | "worker";

export interface SecretField {
  /** `egresses[0].via.password` */
  readonly path: string;
  readonly secret: ConfigSecret;
  readonly reader: SecretReader;
  /** The egress that it is of, or whose worker reads it; null: a route's, or a key that the functions sign with. */
  readonly egress: string | null;
  /** Whether its text may be known to anybody, as a certificate's. */
  readonly isPublic: boolean;
}

/** A row for each who reads it: what several read is there several times. */
export function secretFields(config: Pick<Config, "egresses" | "onCall" | "sends">): readonly SecretField[] {
  const { egresses, onCall, sends } = config;
  const sending = sendEgresses(config);
  return [
    ...egresses.flatMap((each, index) => {
      return egressFields(each, `egresses[${index}].via`, sending.includes(each.name));
    }),
    ...(sends?.dkim ?? []).flatMap(({ key }, index) => {
      const senders = egresses.filter(({ name }) => sending.includes(name));
      return keyFields(key, `sends.dkim[${index}].key`, senders);
    }),
    ...onCall.routes.flatMap((each, index) => routeFields(each, `onCall.routes[${index}]`)),
  ];
}

function egressFields({ name, runner, via }: ConfigEgress, path: string, sends: boolean): readonly SecretField[] {
  if (via.type === "direct" || via.type === "vpc") return [];
  const tls = via.type === "http-connect" ? via.tls : null;
  const given = [
    [`${path}.password`, via.password, false],
    [`${path}.tls.certificate`, tls?.certificate ?? null, true],
    [`${path}.tls.key`, tls?.key ?? null, false],
  ] as const;
  // A worker probes and sends in one process.
  const functions = sends ? (["probe", "send"] as const) : (["probe"] as const);
  const readers = runner === "functions" ? functions : (["worker"] as const);
  return given.flatMap(([path, secret, isPublic]) =>
    secret === null ? [] : readers.map((reader) => ({ path, secret, reader, egress: name, isPublic })),
  );
}

/** Who sends signs: the functions together, each worker for itself. */
function keyFields(secret: ConfigSecret, path: string, senders: readonly ConfigEgress[]): readonly SecretField[] {
  const workers = senders.filter(({ runner }) => runner === "worker");
  const key = { path, secret, isPublic: false };
  return [
    ...(workers.length < senders.length ? [{ ...key, reader: "send" as const, egress: null }] : []),
    ...workers.map(({ name }) => ({ ...key, reader: "worker" as const, egress: name })),
  ];
}

function routeFields(route: ConfigRoute, path: string): readonly SecretField[] {
  return routeSecrets(route).map(([field, secret]) => {
    return { path: `${path}.${field}`, secret, reader: "page", egress: null, isPublic: false };
  });
}

function routeSecrets(route: ConfigRoute): readonly (readonly [field: string, secret: ConfigSecret])[] {
  switch (route.type) {
    case "sns":
      return [];
    case "pagerduty":
      return [["routingKey", route.routingKey]];
    case "slack":
    case "teams":
      return [["url", route.url]];
    case "webhook": {
      const headers = Object.entries(route.headers).map(([name, given]) => [`headers.${name}`, given] as const);
      return [["url", route.url], ...headers];
    }
  }
}
