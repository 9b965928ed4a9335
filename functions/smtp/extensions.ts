// What a host announces in its reply to EHLO (RFC 5321 §4.1.1.1). Nothing is remembered between sessions: a blocked
// client may be shown fewer extensions, and those announced before STARTTLS are forgotten after it (RFC 3207 §4.2).
import type { Reply } from "./reply.ts";

export interface Extensions {
  /** RFC 2920. */
  readonly pipelining: boolean;
  /** RFC 2034. */
  readonly enhancedStatusCodes: boolean;
  /** RFC 6152. */
  readonly eightBitMime: boolean;
  /** RFC 6531. */
  readonly smtpUtf8: boolean;
  /** RFC 3030. */
  readonly chunking: boolean;
  /** RFC 3207. */
  readonly startTls: boolean;
  /** RFC 8689. */
  readonly requireTls: boolean;
  /** RFC 3461. */
  readonly dsn: boolean;
  /** RFC 1870: the largest message in octets, 0 when announced without a limit, null when not announced. */
  readonly size: number | null;
  /** RFC 9422 §4.2: recipients a transaction, null without a limit. */
  readonly recipientsLimit: number | null;
}

/** After HELO there are none. */
export const noExtensions: Extensions = readExtensions(null);

export function readExtensions(reply: Reply | null): Extensions {
  const announced = new Map<string, string>();
  for (const line of reply?.lines.slice(1) ?? []) {
    // The deprecated `AUTH=LOGIN` writes the parameter with an equals sign.
    const [keyword = "", ...parameters] = line.slice(4).trim().split(/[ =]+/);
    announced.set(keyword.toUpperCase(), parameters.join(" "));
  }
  return {
    pipelining: announced.has("PIPELINING"),
    enhancedStatusCodes: announced.has("ENHANCEDSTATUSCODES"),
    eightBitMime: announced.has("8BITMIME"),
    smtpUtf8: announced.has("SMTPUTF8"),
    chunking: announced.has("CHUNKING"),
    startTls: announced.has("STARTTLS"),
    requireTls: announced.has("REQUIRETLS"),
    dsn: announced.has("DSN"),
    size: announced.has("SIZE") ? (wholeNumber(announced.get("SIZE")) ?? 0) : null,
    recipientsLimit: wholeNumber(/\bRCPTMAX (\d+)/i.exec(announced.get("LIMITS") ?? "")?.[1]) || null,
  };
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
