// A message as it goes on the wire: CRLF line ends only, dots stuffed for DATA. It reads no header fields.
import { isAscii } from "node:buffer";

/** Octets a write to the kernel; between two of them replies are read. */
export const chunkSize = 65_536;

const cr = 0x0d;
const lf = 0x0a;
const dot = 0x2e;

/**
 * The message with every line ended by CRLF. A bare CR or LF becomes a line end: sent as it is, some receivers would
 * take it for one and others not, which is how mail is smuggled (RFC 5321 §2.3.8 forbids both). The same octets, and no
 * copy, where nothing is to be changed: the largest messages mostly are as they should be, and must not hold the loop up.
 */
export function normalise(message: Uint8Array): Buffer {
  const given = viewOf(message);
  if (!hasBareLineEnd(given)) return endsLine(given) ? given : Buffer.concat([given, Buffer.from("\r\n")]);
  const out = Buffer.allocUnsafe(given.length * 2 + 2);
  let size = 0;
  let before = 0;
  for (let index = 0; index < given.length; index += 1) {
    const octet = given[index] as number;
    if (octet !== cr && octet !== lf) {
      out[size++] = octet;
    } else if (octet === cr || before !== cr) {
      out[size++] = cr;
      out[size++] = lf;
    }
    before = octet;
  }
  if (out[size - 1] !== lf) {
    out[size++] = cr;
    out[size++] = lf;
  }
  return out.subarray(0, size);
}

/** As text, which is searched faster than octets are walked through. */
function hasBareLineEnd(message: Buffer): boolean {
  return /\r(?!\n)|(?<!\r)\n/.test(message.toString("latin1"));
}

function endsLine(message: Uint8Array): boolean {
  return message.length === 0 || message.at(-1) === lf;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The chunks of a normalised message for BDAT, unchanged (RFC 3030 §2). */
export function* plainChunks(message: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < message.length; start += chunkSize) yield message.subarray(start, start + chunkSize);
}

/** The chunks of a normalised message for DATA: a dot that begins a line is doubled, a lone dot ends it (RFC 5321 §4.5.2). */
export function* stuffedChunks(message: Uint8Array): Generator<Uint8Array> {
  let lineStart = true;
  for (const chunk of plainChunks(message)) {
    const isPlain = !(lineStart && chunk[0] === dot) && !viewOf(chunk).includes("\n.");
    if (isPlain) {
      lineStart = chunk.at(-1) === lf;
      yield chunk;
      continue;
    }
    const out = Buffer.allocUnsafe(chunk.length * 2);
    let size = 0;
    for (const octet of chunk) {
      if (lineStart && octet === dot) out[size++] = dot;
      out[size++] = octet;
      lineStart = octet === lf;
    }
    yield out.subarray(0, size);
  }
  yield Buffer.from(".\r\n");
}

/** Whether the message needs 8BITMIME (RFC 6152 §3). */
export function isEightBit(message: Uint8Array): boolean {
  return !isAscii(message);
}

/** Whether the header section of a normalised message needs SMTPUTF8 (RFC 6532 §3). It does not look into MIME parts. */
export function hasEightBitHeader(message: Uint8Array): boolean {
  if (message[0] === cr) return false;
  const end = viewOf(message).indexOf("\r\n\r\n");
  return !isAscii(end === -1 ? message : message.subarray(0, end));
}
