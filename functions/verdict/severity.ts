// Who is to be woken by a class, for good or for the time being. Kept apart from the classes, because an operator may
// see it otherwise (the configuration's targets). It does not know what an alarm is.
import type { Class } from "./classes.ts";

/** `page`: a human now. `warn`: a ticket, or a page when it lasts. `info`: counted. */
export type Severity = "page" | "warn" | "info";

/** Of a refusal for good (5yz), and of any other: a 4yz, or none. */
export interface Severities {
  readonly permanent: Severity;
  readonly transient: Severity;
}

// prettier-ignore
export const severities: Readonly<Record<Class, Severities>> = {
  "ip-reputation":     { permanent: "page", transient: "page" },
  "domain-reputation": { permanent: "page", transient: "page" },
  "authentication":    { permanent: "page", transient: "page" },
  "reverse-dns":       { permanent: "page", transient: "page" },
  "helo":              { permanent: "page", transient: "page" },
  "protocol":          { permanent: "page", transient: "warn" },
  "tls":               { permanent: "warn", transient: "warn" },
  "rate-limit":        { permanent: "warn", transient: "warn" },
  "sender-rejected":   { permanent: "warn", transient: "warn" },
  "content-spam":      { permanent: "warn", transient: "warn" },
  "message-format":    { permanent: "warn", transient: "warn" },
  "relay-denied":      { permanent: "warn", transient: "warn" },
  "policy":            { permanent: "warn", transient: "info" },
  "greylist":          { permanent: "warn", transient: "info" },
  "mailbox-unknown":   { permanent: "info", transient: "info" },
  "mailbox-full":      { permanent: "info", transient: "info" },
  "mailbox-disabled":  { permanent: "info", transient: "info" },
  "system-error":      { permanent: "info", transient: "info" },
  "network":           { permanent: "info", transient: "info" },
  "unspecified":       { permanent: "info", transient: "info" },
};

/** Whom a class wakes where the operator sees it otherwise, for good or for the time being. */
export type SeverityOverrides = Readonly<Partial<Record<Class, Severity>>>;

export function severityOf(kind: Class, permanent: boolean, overrides: SeverityOverrides = {}): Severity {
  return overrides[kind] ?? (permanent ? severities[kind].permanent : severities[kind].transient);
}
