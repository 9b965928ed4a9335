// One accepted connection, read not an octet further than asked for: what nobody asked for stays in the kernel, so that
// a close over it makes the kernel send a reset, as a real host's does. It knows nothing of SMTP.
import { Socket } from "node:net";
import type { SocketConstructorOpts } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import * as ours from "./certificate.ts";
import type { TlsVersion } from "./dialog-step.ts";
import type { Shown } from "./mail-host.ts";

/** Takes octets, and says how many more must surely follow; 0 when it has all. It is given no more than it said. */
export type Taker = (octets: Uint8Array) => number;

/** How the client left. */
export type Left = "fin" | "reset";

const pieceLimit = 65_536;
/** A write that is not called back. */
const stalledMs = 1_000;
/** For the last pieces to leave, or to be read. */
const settleMs = 25;

export class Wire {
  readonly #raw: Socket;
  readonly #shows: Shown;
  /** The raw socket, or TLS above it. */
  #stream: Socket;
  readonly #buffer = Buffer.alloc(pieceLimit);
  #taker: Taker | null = null;
  #wanted = 1;
  #left: Left | null = null;
  #finish: (() => void) | null = null;
  /** At most so many octets a write. */
  #pieceSize = pieceLimit;

  /** Takes over a socket accepted with `pauseOnConnect`, of which nothing has been read. */
  constructor(accepted: Socket, shows: Shown = ours) {
    this.#shows = shows;
    // There is no public way to read a given number of octets of an accepted socket. `onread` is one for sockets that
    // we make: its callback stops the reading at once by returning false. So the handle moves to a socket of our own.
    const owner = accepted as unknown as { _handle: unknown };
    const options = {
      handle: owner._handle,
      allowHalfOpen: true,
      onread: {
        buffer: () => this.#buffer.subarray(0, this.#wanted),
        callback: (size: number, buffer: Uint8Array) => this.#take(buffer.subarray(0, size)),
      },
    };
    owner._handle = null;
    this.#raw = new Socket(options as unknown as SocketConstructorOpts);
    this.#raw.pause();
    this.#stream = this.#raw;
    this.#watch(this.#raw);
  }

  /** Whether the connection is gone on both sides. */
  get closed(): boolean {
    return this.#raw.destroyed || this.#left === "reset";
  }

  /** Reads until the taker has all, or until the client has left. */
  async read(taker: Taker): Promise<Left | null> {
    if (this.#left !== null && this.#stream === this.#raw) return this.#left;
    this.#taker = taker;
    this.#wanted = 1;
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    if (this.#stream === this.#raw) this.#raw.resume();
    else this.#pull();
    await finished;
    return this.#taker === null ? null : this.#left;
  }

  /** Writes, in pieces when dribbling. Resolves when the kernel has it all, or when the client is gone. */
  async send(octets: Uint8Array): Promise<void> {
    for (let start = 0; start < octets.length && !this.closed; start += this.#pieceSize) {
      await this.#write(octets.subarray(start, start + this.#pieceSize));
      if (this.#pieceSize < pieceLimit) await breathe();
    }
    // The kernel keeps small pieces until earlier ones are acknowledged, and a reset would throw them away unsent.
    if (this.#pieceSize < pieceLimit) await delay(settleMs);
  }

  /** From here on at most so many octets leave in a write. */
  dribble(octets: number): void {
    this.#pieceSize = Math.min(this.#pieceSize, octets);
  }

  /** Goes on under TLS, as its server. Resolves with null, or with why the handshake failed. */
  startTls(version: TlsVersion | null): Promise<string | null> {
    const stream = new TLSSocket(this.#raw, {
      isServer: true,
      allowHalfOpen: true,
      secureContext: createSecureContext({
        key: this.#shows.key,
        cert: this.#shows.certificate,
        // Old clients and old hosts exist; ours play them too.
        ciphers: "DEFAULT@SECLEVEL=0",
        minVersion: version ?? "TLSv1",
        maxVersion: version ?? "TLSv1.3",
      }),
    } as ConstructorParameters<typeof TLSSocket>[1]);
    this.#stream = stream;
    this.#watch(stream);
    stream.on("readable", () => this.#pull());
    return new Promise((resolve) => {
      stream.once("secure", () => resolve(null));
      stream.once("error", (error) => resolve(error.message));
      stream.once("close", () => resolve("the client left"));
    });
  }

  /** Ends our side: FIN, and a close_notify before it under TLS. What the client says may still be read. */
  async fin(): Promise<void> {
    if (this.closed) return;
    await new Promise<void>((resolve) => {
      this.#stream.once("close", resolve);
      this.#stream.end(resolve);
    });
  }

  /** Resets the connection. */
  reset(): void {
    this.#raw.resetAndDestroy();
    this.#stream.destroy();
  }

  /** Closes both sides, with what was not read unread. Under TLS, where we read records ahead, it resets. */
  close(): void {
    if (this.#stream === this.#raw) this.#raw.destroy();
    else this.reset();
  }

  #watch(stream: Socket): void {
    neverFail(stream, () => setTimeout(() => this.#leave("reset"), settleMs));
    stream.on("error", () => this.#leave("reset"));
    stream.on("end", () => this.#leave("fin"));
    stream.on("close", () => this.#leave("reset"));
  }

  #leave(left: Left): void {
    this.#left ??= left;
    this.#finish?.();
  }

  #take(octets: Uint8Array): boolean {
    if (this.#taker === null) return false;
    const wanted = this.#taker(octets);
    this.#wanted = Math.min(Math.max(wanted, 1), pieceLimit);
    if (wanted > 0) return true;
    this.#taker = null;
    this.#wanted = 1;
    this.#finish?.();
    return false;
  }

  #pull(): void {
    while (this.#taker !== null) {
      // Without a size it returns what there is, which is nothing here; but it makes an end known.
      const size = Math.min(this.#wanted, this.#stream.readableLength);
      const octets = (size > 0 ? this.#stream.read(size) : this.#stream.read()) as Buffer | null;
      if (octets === null) break;
      this.#take(octets);
    }
    if (this.#left !== null) this.#finish?.();
  }

  /** Under TLS a write whose client has reset may never be called back: our clients always read, so time tells. */
  #write(piece: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed || this.#stream.writableEnded || this.#left !== null) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#leave("reset");
        resolve();
      }, stalledMs);
      this.#stream.write(piece, done);
    });
  }
}

/**
 * A failed write would make Node destroy the socket, with what the client had said before it left still unread. The
 * script goes on instead: reading tells how the client left.
 */
function neverFail(stream: Socket, onFault: () => void): void {
  const write = stream._write.bind(stream);
  const writev = stream._writev?.bind(stream);
  const forgiving = (callback: () => void) => (error?: Error | null) => {
    if (error) onFault();
    callback();
  };
  stream._write = (chunk, encoding, callback) => write(chunk, encoding, forgiving(callback));
  if (writev !== undefined) stream._writev = (chunks, callback) => writev(chunks, forgiving(callback));
}

/** Long enough for the client to see most pieces for themselves, short enough for a thousand of them. */
async function breathe(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
}
