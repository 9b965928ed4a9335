// Which names and passwords a proxy's protocol can carry. It does not know where they are kept, nor whether they are right.

export interface CredentialFault {
  readonly field: "username" | "password";
  /** What may stand there. */
  readonly allowed: string;
}

/** @param given null for what is not known here: a password that the environment holds */
export function credentialFaults(
  type: "socks5" | "http-connect",
  given: { readonly username: string | null; readonly password: string | null },
): readonly CredentialFault[] {
  return (["username", "password"] as const).flatMap((field) => {
    const text = given[field];
    const allowed = text === null ? null : type === "socks5" ? socksRule(text) : basicRule(field, text);
    return allowed === null ? [] : [{ field, allowed }];
  });
}

/** RFC 1929 §2: the length of each is one octet, and none is of length 0. */
function socksRule(text: string): string | null {
  const octets = Buffer.byteLength(text);
  return octets >= 1 && octets <= 255 ? null : "1 to 255 octets, as SOCKS5 has it (RFC 1929 §2)";
}

/** RFC 7617 §2: the first colon ends the name, and neither has control characters. */
function basicRule(field: CredentialFault["field"], text: string): string | null {
  if (field === "username" && text.includes(":")) return 'a name without ":", which ends one (RFC 7617 §2)';
  return /\p{Cc}/u.test(text) ? "a text without control characters (RFC 7617 §2)" : null;
}
