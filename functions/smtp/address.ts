// A mailbox as SMTP writes it: what goes between "<" and ">" in MAIL and RCPT (RFC 5321 §4.1.2, RFC 6531 §3.3).
// It knows syntax alone: not whether the domain exists, nor whether the host announced SMTPUTF8.
import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";

export interface Address {
  /** As it goes on the wire, without "<" and ">"; "" is the null reverse-path. */
  readonly text: string;
  /** As it goes on the wire, a quoted string with its quotation marks. */
  readonly local: string;
  /** In A-labels and lower case, or an address literal with its brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
  readonly domain: string;
  /** Whether the local part is beyond ASCII, so that only a host with SMTPUTF8 can take it (RFC 6531 §3.2). */
  readonly needsSmtpUtf8: boolean;
}

/** One line, safe to print: what is wrong with the address, and what to write instead. */
export interface AddressFault {
  readonly fault: string;
}

/** What is wrong with a part, and what to write instead. */
interface Flaw {
  readonly wrong: string;
  readonly instead: string;
}

const localLimit = 64; //   octets: RFC 5321 §4.5.3.1.1
const domainLimit = 255; // octets: RFC 5321 §4.5.3.1.2
const labelLimit = 63; //   octets: RFC 1035 §2.3.4
const mailboxLimit = 254; // a path has 256 octets with its "<" and ">": RFC 5321 §4.5.3.1.3
const textLimit = 2_048; // characters: more is no slip of the pen, and is not looked at

/**
 * Controls (a CR or LF would begin another command), lone surrogates (no UTF-8 can say them), and what nobody sees but
 * pasting brings along: bidirectional marks, zero-width spaces, soft hyphens. Joiners stay: scripts need them.
 */
const hidden = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\u00ad\u200b\u2060\ufeff]/u;
/** Spaces beyond ASCII too: they come with pasting, and look like the one that must be quoted. */
const notAtext = /[^\w.!#$%&'*+\-/=?^`{|}~\u0080-\u{10ffff}]|\s/u;

/** A forward-path: `local@domain`, with or without "<" and ">". */
export function parseAddress(text: string): Address | AddressFault {
  if (text.length > textLimit) return fault(text, tooLong("it", text, mailboxLimit));
  const unseen = hidden.exec(text)?.[0];
  if (unseen !== undefined) return fault(text, { wrong: `holds ${codePoint(unseen)}`, instead: "write it without" });
  // RFC 6532 §3.1 asks for NFC. It can turn a character into ASCII (U+037E into ";"), so it comes before all checks.
  const mailbox = unwrapped(text.normalize("NFC"));
  const split = splitMailbox(mailbox);
  if ("wrong" in split) return fault(text, split);
  const { local, domain } = split;
  const localFlaw = findLocalFlaw(local, domain);
  if (localFlaw !== null) return fault(text, localFlaw);
  const parsed = parseDomain(domain);
  if (typeof parsed !== "string") return fault(text, parsed);
  const path = `${local}@${parsed}`;
  if (octets(path) > mailboxLimit) return fault(text, tooLong("it", path, mailboxLimit));
  return { text: path, local, domain: parsed, needsSmtpUtf8: !isAscii(local) };
}

/** A reverse-path: as `parseAddress`, and "" or "<>" for the null one, which no bounce answers (RFC 5321 §4.5.5). */
export function parseSender(text: string): Address | AddressFault {
  if (text === "" || text === "<>") return { text: "", local: "", domain: "", needsSmtpUtf8: false };
  return parseAddress(text);
}

/** Whether EHLO may say this: a domain in ASCII or an address literal (RFC 5321 §4.1.1.1). */
export function isHelo(text: string): boolean {
  return text.length <= domainLimit && isAscii(text) && typeof parseDomain(text) === "string";
}

function unwrapped(text: string): string {
  return text.startsWith("<") && text.endsWith(">") ? text.slice(1, -1) : text;
}

function splitMailbox(mailbox: string): { readonly local: string; readonly domain: string } | Flaw {
  const wordy = /^[^@]*<([^<>]+@[^<>]+)>$/.exec(mailbox) ?? /^\s+(\S+)\s*$|^(\S+)\s+$/u.exec(mailbox);
  if (wordy !== null) return { wrong: "has more around the address", instead: `write ${wordy[1] ?? wordy[2]}` };
  // RFC 5321 §4.1.2 and Appendix C: source routes are obsolete, and are not to be generated.
  const routed = /^@[^:]*:(.*)$/u.exec(mailbox);
  if (routed !== null) return { wrong: "has a source route", instead: `write ${routed[1]}` };
  const quoted = /^"(?:[^"\\]|\\.)*"/u.exec(mailbox)?.[0];
  if (quoted === undefined && mailbox.startsWith('"')) {
    return { wrong: "opens a quotation mark and does not close it", instead: 'write "local part"@domain' };
  }
  const at = quoted === undefined ? mailbox.lastIndexOf("@") : quoted.length;
  if (at === -1 || at === mailbox.length) return { wrong: 'has no "@"', instead: "write local@domain" };
  if (mailbox[at] !== "@") {
    return { wrong: `has ${character(mailbox, at)} after its quoted local part`, instead: 'write "local part"@domain' };
  }
  return { local: mailbox.slice(0, at), domain: mailbox.slice(at + 1) };
}

function findLocalFlaw(local: string, domain: string): Flaw | null {
  if (local === "") return { wrong: 'has nothing before its "@"', instead: "write local@domain" };
  if (octets(local) > localLimit) return tooLong("its local part", local, localLimit);
  if (local.startsWith('"')) {
    // Only printable ASCII may follow a backslash (quoted-pairSMTP).
    if (/^"(?:[^"\\]|\\[ -~])*"$/u.test(local)) return null;
    return { wrong: "has a backslash before a character that needs none", instead: "write it without the backslash" };
  }
  if (/@.*[,;\s]|[,;\s].*@/u.test(local))
    return { wrong: "looks like several addresses", instead: "write one at a time" };
  const instead = `write it quoted: "${local.replace(/["\\]/g, "\\$&")}"@${domain}`;
  const odd = notAtext.exec(local);
  if (odd !== null) return { wrong: `has ${character(local, odd.index)} in its local part`, instead };
  // Some Japanese providers gave out such addresses; quoted, they can be reached.
  if (/^\.|\.\.|\.$/.test(local)) return { wrong: "has a dot too many in its local part", instead };
  return null;
}

/** The domain in A-labels and lower case, or an address literal. */
function parseDomain(text: string): string | Flaw {
  if (text.startsWith("[")) return parseLiteral(text);
  if (text === "") return { wrong: 'has no domain after its "@"', instead: "write local@domain" };
  // domainToASCII reads its argument as part of a URL: "a/b" would become "a". So no other ASCII ever reaches it.
  const odd = /[^a-z\d.\-\u0080-\u{10ffff}]/iu.exec(text);
  if (odd !== null) {
    return {
      wrong: `has ${character(text, odd.index)} in its domain`,
      instead: "write letters, digits, hyphens and dots",
    };
  }
  const domain = isAscii(text) ? text.toLowerCase() : domainToASCII(text);
  if (domain === "")
    return { wrong: "has a domain that IDNA does not allow", instead: "write the one that is registered" };
  if (domain.length > domainLimit) return tooLong("its domain", domain, domainLimit);
  const labels = domain.split(".");
  if (labels.includes("")) {
    return {
      wrong: "has a dot too many in its domain",
      instead: `write ${labels.filter((each) => each !== "").join(".")}`,
    };
  }
  const long = labels.find((label) => label.length > labelLimit);
  if (long !== undefined) return tooLong(`the label ${shown(long)} of its domain`, long, labelLimit);
  const hyphened = labels.find((label) => !/^[a-z\d](?:[a-z\d-]*[a-z\d])?$/.test(label));
  if (hyphened !== undefined) {
    return { wrong: `has ${shown(hyphened)} in its domain`, instead: "begin and end each part with a letter or digit" };
  }
  if (isIPv4(domain))
    return { wrong: "has a bare address for its domain", instead: `write it in brackets: [${domain}]` };
  // No top-level domain is a number (RFC 3696 §2), but to some resolvers 127.1 and 0x7f.1 are addresses.
  if (/^(?:\d+|0x[\da-f]*)$/.test(labels.at(-1) ?? "")) {
    return { wrong: "has a number at the end of its domain", instead: "write a domain such as example.com" };
  }
  return domain;
}

/** RFC 5321 §4.1.3. A General-address-literal names a network that nobody can dial. */
function parseLiteral(text: string): string | Flaw {
  const inner = /^\[(.*)\]$/.exec(text)?.[1] ?? "";
  if (isIPv4(inner)) return text;
  const tagged = /^ipv6:(.*)$/i.exec(inner)?.[1];
  const address = tagged ?? inner;
  const valid = isIPv6(address) && !address.includes("%");
  if (valid && tagged !== undefined) return `[IPv6:${address.toLowerCase()}]`;
  const instead = valid ? `write [IPv6:${address}]` : "write [192.0.2.1] or [IPv6:2001:db8::1]";
  return { wrong: "has an address literal that is none", instead };
}

function fault(text: string, { wrong, instead }: Flaw): AddressFault {
  return { fault: printable(`${shown(text)} ${wrong}; ${instead}`) };
}

function tooLong(what: string, text: string, limit: number): Flaw {
  return { wrong: `is too long: ${what} has ${octets(text)} octets`, instead: `write ${limit} at most` };
}

/** A piece of the input, quoted, and cut where it is long. */
function shown(text: string): string {
  // A cut through a surrogate pair leaves a half, which JSON escapes.
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function character(text: string, index: number): string {
  const char = String.fromCodePoint(text.codePointAt(index) ?? 0);
  if (char === " ") return "a space";
  return /[!-~]/.test(char) ? JSON.stringify(char) : codePoint(char);
}

function codePoint(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** JSON leaves DEL, C1 controls and bidirectional marks as they are; a terminal would obey them. */
function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => {
    const units = Array.from({ length: char.length }, (_, index) => char.charCodeAt(index));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

function octets(text: string): number {
  return Buffer.byteLength(text);
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
