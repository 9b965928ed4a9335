// What the kernel holds for a socket that Node is done with. It reads the descriptor itself: not a supported use of
// Node, and harmless where there is none.
import { readSync } from "node:fs";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

export interface Held {
  readonly octets: Buffer;
  readonly isReset: boolean;
}

const pieceSize = 65_536;
const piecesLimit = 16;

/**
 * The octets left, and whether the peer has reset; nothing where descriptors are not to be had, or where the kernel holds
 * TLS to a proxy.
 */
export function readDescriptor(socket: Socket): Held {
  if (socket instanceof TLSSocket) return { octets: Buffer.alloc(0), isReset: false };
  const fd = (socket as unknown as { readonly _handle: { readonly fd?: number } | null })._handle?.fd;
  if (fd === undefined || fd < 0) return { octets: Buffer.alloc(0), isReset: false };
  const kept: Buffer[] = [];
  const piece = Buffer.alloc(pieceSize);
  try {
    for (let pieces = 0; pieces < piecesLimit; pieces += 1) {
      const size = readSync(fd, piece);
      if (size === 0) break;
      kept.push(Buffer.from(piece.subarray(0, size)));
    }
    return { octets: Buffer.concat(kept), isReset: false };
  } catch (error) {
    // EAGAIN is no end, and says that there is no more.
    return { octets: Buffer.concat(kept), isReset: (error as NodeJS.ErrnoException).code === "ECONNRESET" };
  }
}
