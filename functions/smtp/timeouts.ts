// How long each answer may take, in milliseconds: RFC 5321 §4.5.3.2, which leaves EHLO, STARTTLS and TLS to us.
// The session's own deadline caps them all.
import type { Exchange } from "./transcript.ts";

export const stageLimitsMs: Readonly<Record<Exchange["stage"], number>> = {
  dns: 60_000,
  connect: 60_000,
  greeting: 300_000,
  ehlo: 300_000,
  starttls: 120_000,
  tls: 120_000,
  mail: 300_000,
  rcpt: 300_000,
  data: 120_000,
  message: 600_000,
  quit: 300_000,
};

/** A piece of the message that makes no headway (RFC 5321 §4.5.3.2.5). */
export const blockLimitMs = 180_000;
