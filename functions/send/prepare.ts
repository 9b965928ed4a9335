// What of a message is added before it is sent, once: Date, Message-ID and Received where it has none, and a signature. Its own
// octets stay as they are, behind what is added. The same send makes the same octets, so that a receiver can tell a repetition.
import { createHash } from "node:crypto";
import { normalise } from "../smtp/message.ts";
import { signatureOf, type Signer } from "./dkim.ts";
import { authorDomain, fieldsOf, headerFaults, isNamed, type Field } from "./header.ts";

/** A message as it goes on the wire: `head`, then `body`. */
export interface Prepared {
  readonly kind: "prepared";
  /** The fields that were added, each with its CRLF. */
  readonly head: Buffer;
  /** The message that was asked for, with CRLF line ends. */
  readonly body: Buffer;
  /** The author's, as From says. */
  readonly fromDomain: string;
  /** Whose signature it bears; null: none of ours. */
  readonly dkimDomain: string | null;
}

/** Nobody should send it as it is: why, and what to do. */
export interface Unfit {
  readonly kind: "unfit";
  readonly faults: readonly string[];
}

export interface Preparation {
  /** Of the send. */
  readonly id: string;
  readonly message: Uint8Array;
  /** Our name in EHLO; null: the author's domain stands in its place. */
  readonly helo: string | null;
  /** The moment of the first attempt. */
  readonly now: Date;
  /** Who signs for the author's domain; null: nobody. */
  readonly signer: (fromDomain: string) => Promise<Signer | null>;
}

/** @throws whatever `signer` throws */
export async function prepare({ id, message, helo, now, signer }: Preparation): Promise<Prepared | Unfit> {
  const body = normalise(message);
  const faults = headerFaults(body);
  const fields = fieldsOf(body);
  const fromDomain = authorDomain(fields);
  if (faults.length > 0 || fromDomain === null) return { kind: "unfit", faults };
  const missing = (name: string): boolean => !fields.some((each) => isNamed(each, name));
  const hash = createHash("sha256").update(id).digest("hex").slice(0, 32);
  const names = [fromDomain, helo].filter((each) => each !== null);
  const added = [
    ...(missing("Message-ID") ? [`Message-ID: <${hash}@${names.find(isName) ?? fromDomain}>\r\n`] : []),
    ...(missing("Date") ? [`Date: ${dateTime(now)}\r\n`] : []),
  ].join("");
  const by = await signer(fromDomain);
  const signed = Buffer.from(added);
  const signature = by === null ? [] : [await signatureOf(allFields(signed, fields), textOf(body), by)];
  // A trace field stands before all others (RFC 5322 §3.6.7).
  const received = missing("Received")
    ? [Buffer.from(traceOf(names.toReversed().find(isName) ?? null, hash, now))]
    : [];
  const head = Buffer.concat([...received, ...signature, signed]);
  return { kind: "prepared", head, body, fromDomain, dkimDomain: by?.domain ?? null };
}

function allFields(added: Buffer, fields: readonly Field[]): readonly Field[] {
  return [...fieldsOf(added), ...fields];
}

/** What stands behind the first empty line; there may be none. */
function textOf(message: Buffer): Buffer {
  const end = message.indexOf("\r\n\r\n");
  return end === -1 ? message.subarray(message.length) : message.subarray(end + 4);
}

/** An address would tell of our own network what is nobody's to know. */
function isName(helo: string): boolean {
  return !helo.startsWith("[");
}

/** RFC 5322 §3.6.7. It says nothing of whoever asked for the send: that was no SMTP client (RFC 5321 §4.4). */
function traceOf(helo: string | null, hash: string, now: Date): string {
  const by = helo === null ? "" : `by ${helo} (delivery-probe)\r\n `;
  return `Received: ${by}id ${hash};\r\n ${dateTime(now)}\r\n`;
}

/** RFC 5322 §3.3. */
function dateTime(now: Date): string {
  return now.toUTCString().replace(/GMT$/, "+0000");
}
