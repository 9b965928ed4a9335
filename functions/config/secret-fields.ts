// Where secrets stand in the configuration, and who reads each: those who grant the right to read them, those who load what
// reads them, and those who say where one must not be, all go by this list. It reads none.
import type { Config, ConfigEgress, ConfigRoute, ConfigSecret } from "./config.ts";

export interface SecretField {
  /** `egresses[0].via.password` */
  readonly path: string;
  readonly secret: ConfigSecret;
  /** `probe`: the functions' probe; `worker`: that of the egress. */
  readonly reader: "page" | "probe" | "worker";
  /** The egress that it is of; null: a route's. */
  readonly egress: string | null;
  /** Whether its text may be known to anybody, as a certificate's. */
  readonly isPublic: boolean;
}

export function secretFields({ egresses, onCall }: Pick<Config, "egresses" | "onCall">): readonly SecretField[] {
  return [
    ...egresses.flatMap((each, index) => egressFields(each, `egresses[${index}].via`)),
    ...onCall.routes.flatMap((each, index) => routeFields(each, `onCall.routes[${index}]`)),
  ];
}

function egressFields({ name, runner, via }: ConfigEgress, path: string): readonly SecretField[] {
  if (via.type === "direct" || via.type === "vpc") return [];
  const tls = via.type === "http-connect" ? via.tls : null;
  const given = [
    [`${path}.password`, via.password, false],
    [`${path}.tls.certificate`, tls?.certificate ?? null, true],
    [`${path}.tls.key`, tls?.key ?? null, false],
  ] as const;
  const reader = runner === "functions" ? "probe" : "worker";
  return given.flatMap(([path, secret, isPublic]) =>
    secret === null ? [] : [{ path, secret, reader, egress: name, isPublic }],
  );
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
