// A question of DNS and its answer as octets (RFC 1035 §4, EDNS of RFC 6891), with what only the header tells: whether the
// resolver found the answer signed. It sends nothing, and does not know whom to believe.
import * as dns from "dns-packet";
import type { TlsaRecord } from "../smtp/dane-match.ts";
import { plainName } from "../smtp/host-name.ts";

/** What a record of a type holds; names in lower case, without the final dot. */
export interface RecordData {
  readonly A: string;
  readonly AAAA: string;
  readonly CNAME: string;
  /** The host; preferences are not for here. */
  readonly MX: string;
  /** The primary name server. */
  readonly SOA: string;
  readonly TLSA: TlsaRecord;
}

export type SecureType = keyof RecordData;

export interface Question<T extends SecureType = SecureType> {
  readonly id: number;
  readonly type: T;
  /** `.` for the root. */
  readonly name: string;
}

/** `other`: no answer to this question, or none at all. `failure`: the server's RCODE, in DNS's words. */
export type Message<T> =
  | { readonly kind: "other" | "malformed" | "truncated" }
  | { readonly kind: "failure"; readonly text: string }
  | ({ readonly kind: "records"; readonly records: readonly T[] } & Provenance)
  | ({ readonly kind: "absent"; readonly nameExists: boolean } & Provenance);

export interface Provenance {
  /** Whether the resolver vouches that all of the answer is signed, CNAMEs and denials too (RFC 4035 §3.2.3). */
  readonly isSecure: boolean;
  /** The name asked for, or the one that its CNAMEs lead to. */
  readonly canonical: string;
}

/** What passes most networks in one piece. */
const udpPayloadSize = 1_232;

/** A chain that is longer is none that anybody follows. */
const aliasLimit = 16;

const headerOctets = 12;

/** RFC 8914: the option in which a resolver says why it says SERVFAIL. Its free text is anybody's, and is left out. */
const extendedError = 15;
const reasons: Readonly<Record<number, string>> = {
  1: "unsupported DNSKEY algorithm",
  2: "unsupported DS digest",
  5: "DNSSEC indeterminate",
  6: "DNSSEC bogus",
  7: "DNSSEC signature expired",
  8: "DNSSEC signature not yet valid",
  9: "DNSKEY missing",
  10: "RRSIGs missing",
  11: "no zone key",
  12: "NSEC missing",
  22: "no name server of the zone within reach",
  23: "network error",
};

/** AD in the query asks for AD in the answer (RFC 6840 §5.7); the signatures themselves are not wanted. */
export function encodeQuestion({ id, type, name }: Question): Buffer {
  const edns = { udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };
  return dns.encode({
    type: "query",
    id,
    flags: dns.RECURSION_DESIRED | dns.AUTHENTIC_DATA,
    questions: [{ type, name, class: "IN" }],
    additionals: [{ type: "OPT", name: ".", ...edns }],
  });
}

/** Whether DNS can hold the name (RFC 1035 §2.3.4); names are compared and written as they stand, so ASCII alone. */
export function isName(name: string): boolean {
  if (name === ".") return true;
  return name.length <= 253 && name.split(".").every((label) => /^[!-~]{1,63}$/.test(label) && !label.includes("\\"));
}

/** What a datagram, or a message over TCP, says to the question. Anybody may have sent it: never throws. */
export function readMessage<T extends SecureType>(bytes: Buffer, question: Question<T>): Message<RecordData[T]> {
  if (bytes.length < headerOctets || bytes.readUInt16BE(0) !== question.id) return { kind: "other" };
  const flags = bytes.readUInt16BE(2);
  if ((flags & 0x8000) === 0) return { kind: "other" };
  // What was cut may end anywhere, inside a record too: nothing in it is read.
  if ((flags & dns.TRUNCATED_RESPONSE) !== 0) return { kind: "truncated" };
  const packet = decoded(bytes);
  if (packet === null) return { kind: "malformed" };
  const rcode = rcodeOf(packet, flags);
  // A server that does not understand a question need not repeat it.
  const isBlank = packet.questions?.length === 0 && rcode !== 0 && rcode !== 3;
  if (!isBlank && !isAnswerTo(packet, question)) return { kind: "other" };
  if (rcode !== 0 && rcode !== 3) return { kind: "failure", text: failureText(packet, rcode) };
  const { records, canonical } = follow(packet.answers ?? [], question);
  const isSecure = (flags & dns.AUTHENTIC_DATA) !== 0;
  if (rcode === 0 && records.length > 0) return { kind: "records", records, isSecure, canonical };
  return { kind: "absent", nameExists: rcode === 0, isSecure, canonical };
}

/**
 * Null where it does not decode. The decoder reads on beyond a record's end, and beyond the message's (`192.undefined…`),
 * so that it has to end where the lengths say.
 */
function decoded(bytes: Buffer): dns.DecodedPacket | null {
  const end = endOf(bytes);
  if (end === null) return null;
  try {
    const packet = dns.decode(bytes);
    return dns.decode.bytes === end ? packet : null;
  } catch {
    return null;
  }
}

/** Where the records that the header promises end, by the lengths they state; null where they do not fit. */
function endOf(bytes: Buffer): number | null {
  let at = headerOctets;
  for (let left = bytes.readUInt16BE(4); left > 0; left--) {
    at = nameEnd(bytes, at) + 4;
    if (at > bytes.length) return null;
  }
  for (let left = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10); left > 0; left--) {
    at = nameEnd(bytes, at) + 10;
    if (at > bytes.length) return null;
    at += bytes.readUInt16BE(at - 2);
    if (at > bytes.length) return null;
  }
  return at;
}

/** RFC 1035 §4.1.4: a name ends with an empty label, or with a pointer. */
function nameEnd(bytes: Buffer, start: number): number {
  let at = start;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
  return at + 1;
}

function isAnswerTo(packet: dns.DecodedPacket, { type, name }: Question): boolean {
  const [asked, ...more] = packet.questions ?? [];
  if (asked === undefined || more.length > 0) return false;
  return asked.type === type && asked.class === "IN" && plainName(asked.name) === plainName(name);
}

/** The records asked for, at the end of the CNAMEs that lead to them. */
function follow<T extends SecureType>(
  answers: readonly dns.Answer[],
  { type, name }: Question<T>,
): { readonly records: readonly RecordData[T][]; readonly canonical: string } {
  const canonical = type === "CNAME" ? plainName(name) : aliased(answers, plainName(name));
  const records = answers
    .filter((each) => each.type === type && plainName(each.name) === canonical)
    .map((each) => dataOf(each))
    .filter((each) => each !== null);
  return { records: records as RecordData[T][], canonical };
}

function aliased(answers: readonly dns.Answer[], name: string): string {
  let canonical = name;
  for (let step = 0; step < aliasLimit; step++) {
    const alias = answers.find((each) => each.type === "CNAME" && plainName(each.name) === canonical);
    if (alias?.type !== "CNAME") break;
    canonical = plainName(alias.data);
  }
  return canonical;
}

function dataOf(answer: dns.Answer): RecordData[SecureType] | null {
  switch (answer.type) {
    case "A":
    case "AAAA":
      return answer.data;
    case "CNAME":
      return plainName(answer.data);
    case "MX":
      return plainName(answer.data.exchange);
    case "SOA":
      return plainName(answer.data.mname);
    case "TLSA": {
      const { usage, selector, matchingType, certificate } = answer.data;
      return { usage, selector, matching: matchingType, data: certificate };
    }
    default:
      return null;
  }
}

/** Twelve bits, of which the header has four (RFC 6891 §6.1.3). */
function rcodeOf(packet: dns.DecodedPacket, flags: number): number {
  return ((optOf(packet)?.extendedRcode ?? 0) << 4) | (flags & 0xf);
}

function failureText(packet: dns.DecodedPacket, rcode: number): string {
  const words = { 1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED" }[rcode] ?? `RCODE ${rcode}`;
  // The types of the package know no option so new.
  const options: readonly { readonly code: number; readonly data?: unknown }[] = optOf(packet)?.options ?? [];
  const data = options.find(({ code }) => code === extendedError)?.data;
  const reason = Buffer.isBuffer(data) && data.length >= 2 ? reasons[data.readUInt16BE(0)] : undefined;
  return reason === undefined ? words : `${words} (${reason})`;
}

function optOf(packet: dns.DecodedPacket): dns.OptAnswer | undefined {
  return packet.additionals?.find((each) => each.type === "OPT");
}
