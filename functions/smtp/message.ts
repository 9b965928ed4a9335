// A message as it goes on the wire: CRLF line ends only, dots stuffed for DATA. It reads no header fields.

/** Octets a write to the kernel; between two of them replies are read. */
export const chunkSize = 65_536;

const cr = 0x0d;
const lf = 0x0a;
const dot = 0x2e;

/**
 * The message with every line ended by CRLF. A bare CR or LF becomes a line end: sent as it is, some receivers would
 * take it for one and others not, which is how mail is smuggled (RFC 5321 §2.3.8 forbids both).
 */
export function normalise(message: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(message.length * 2 + 2);
  let size = 0;
  for (let index = 0; index < message.length; index += 1) {
    const octet = message[index] as number;
    if (octet !== cr && octet !== lf) {
      out[size++] = octet;
      continue;
    }
    if (octet === cr && message[index + 1] === lf) index += 1;
    out[size++] = cr;
    out[size++] = lf;
  }
  if (size > 0 && out[size - 1] !== lf) {
    out[size++] = cr;
    out[size++] = lf;
  }
  return out.subarray(0, size);
}

/** The chunks of a normalised message for BDAT, unchanged (RFC 3030 §2). */
export function* plainChunks(message: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < message.length; start += chunkSize) yield message.subarray(start, start + chunkSize);
}

/** The chunks of a normalised message for DATA: a dot that begins a line is doubled, a lone dot ends it (RFC 5321 §4.5.2). */
export function* stuffedChunks(message: Uint8Array): Generator<Uint8Array> {
  let lineStart = true;
  for (const chunk of plainChunks(message)) {
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
  return message.some((octet) => octet > 0x7f);
}
