// The header section of a message that is to be sent: its fields as they stand, and why nobody should send it so. It reads
// octets that `normalise` has made, changes none, and knows no body.
import { isUtf8 } from "node:buffer";
import addressparser from "nodemailer/lib/addressparser";
import { parseAddress } from "../smtp/address.ts";

/** A field as it stands (RFC 5322 §2.2). */
export interface Field {
  /** As it is written; names are compared without case (`isNamed`). */
  readonly name: string;
  /** Unfolded, in UTF-8 where it is that (RFC 6532), else in Latin-1. */
  readonly value: string;
  /** All of it, folds too, without the last CRLF: one character an octet. */
  readonly line: string;
}

/** What is more than any receiver takes: Postfix cuts a header at 100 kB, Exim refuses one of 1 MB. */
const sectionLimit = 262_144;

/** The fields of a normalised message in their order; lines that are none are left out. */
export function fieldsOf(message: Buffer): readonly Field[] {
  return linesOf(message).flatMap((line) => fieldOf(line) ?? []);
}

/**
 * Why a normalised message is not sent as it is: each with the remedy.
 * @returns none where it can be sent
 */
export function headerFaults(message: Buffer): readonly string[] {
  if (message.length === 0)
    return [fault("is empty", "give an RFC 5322 message: header fields, an empty line, a body")];
  if (sectionEnd(message) > sectionLimit) {
    const remedy = "end it with an empty line before the body, or shorten its fields";
    return [fault(`has more than ${sectionLimit} octets of header`, remedy)];
  }
  const lines = linesOf(message);
  const fields = lines.flatMap((line) => fieldOf(line) ?? []);
  return [...lineFaults(lines), ...onceFaults(fields), ...fromFaults(fields), ...bccFaults(fields)];
}

/** Who is shown as the message's author: the domain of the first mailbox in From, in A-labels; null where there is none. */
export function authorDomain(fields: readonly Field[]): string | null {
  const from = fields.find((each) => isNamed(each, "From"))?.value ?? "";
  const [first] = addressparser(from, { flatten: true });
  const domain = /@([^@]*)$/u.exec(first?.address ?? "")?.[1];
  if (domain === undefined) return null;
  // Whatever stands before the "@" is let be: it is the provider's of the mailbox to say what is a mailbox there.
  const parsed = parseAddress(`x@${domain}`);
  return "fault" in parsed ? null : parsed.domain;
}

export function isNamed({ name }: Field, wanted: string): boolean {
  return name.toLowerCase() === wanted.toLowerCase();
}

/** Where the header section ends: behind its last line's CRLF. */
function sectionEnd(message: Buffer): number {
  if (message[0] === 0x0d) return 0;
  const end = message.subarray(0, sectionLimit + 4).indexOf("\r\n\r\n");
  return end === -1 ? message.length : end + 2;
}

/** Lines with those that go on with them; one that goes on with nothing stands alone. */
function linesOf(message: Buffer): readonly string[] {
  const section = message.subarray(0, Math.min(sectionEnd(message), sectionLimit)).toString("latin1");
  return section === "" ? [] : section.replace(/\r\n$/, "").split(/\r\n(?![ \t])/);
}

/** A name is printable ASCII without a colon (RFC 5322 §3.6.8); a space before the colon is obsolete (§4.5), and read as two things. */
const fieldLine = /^([!-9;-~]+):(.*)$/s;

function fieldOf(line: string): Field | null {
  const [, name, value] = fieldLine.exec(line) ?? [];
  if (name === undefined || value === undefined) return null;
  return { name, value: decoded(value.replaceAll("\r\n", "")).trim(), line };
}

function decoded(value: string): string {
  const octets = Buffer.from(value, "latin1");
  return isUtf8(octets) ? octets.toString("utf8") : value;
}

function lineFaults(lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [fault("has no header", "write its fields first, then an empty line and the body")];
  const odd = lines.find((line) => fieldOf(line) === null);
  if (odd !== undefined) {
    const remedy = "write Name: value, and an empty line before the body";
    return [fault(`has a header line that is no field: ${shown(odd)}`, remedy)];
  }
  const nulled = lines.find((line) => line.includes("\0"));
  return nulled === undefined ? [] : [fault(`has a NUL in its header: ${shown(nulled)}`, "remove it")];
}

/** RFC 5322 §3.6: what may stand once at most. With two, a receiver would check the one and show the other. */
const onceNames = "Date From Sender Reply-To To Cc Message-ID In-Reply-To References Subject".split(" ");

function onceFaults(fields: readonly Field[]): readonly string[] {
  return onceNames.flatMap((name) => {
    const count = fields.filter((each) => isNamed(each, name)).length;
    return count < 2 ? [] : [fault(`has ${count} ${name} fields`, "leave one (RFC 5322 §3.6)")];
  });
}

function fromFaults(fields: readonly Field[]): readonly string[] {
  if (!fields.some((each) => isNamed(each, "From"))) {
    return [fault("has no From field", "write who it is from: From: name <local@domain> (RFC 5322 §3.6)")];
  }
  if (authorDomain(fields) !== null) return [];
  return [fault("has a From field without an address", "write From: name <local@domain>")];
}

function bccFaults(fields: readonly Field[]): readonly string[] {
  if (!fields.some((each) => isNamed(each, "Bcc"))) return [];
  return [fault("has a Bcc field, which every recipient would read", "remove it, and name them in to alone")];
}

function fault(wrong: string, instead: string): string {
  return `message: it ${wrong}; ${instead}`;
}

/** Cut, and with whatever a terminal would obey made visible. */
function shown(line: string): string {
  const cut = line.length > 60 ? `${line.slice(0, 60)}…` : line;
  return JSON.stringify(cut).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
