// The wire: one TCP connection, in the clear or under TLS, that never loses a reply which reached this machine.
// It moves octets and tells how the connection ended. It knows no SMTP.
//
// Node loses replies in three ways, and this file is the answer to them (measured on Node 22 to 26, `npm run soak`):
// 1. When a write fails (EPIPE, ECONNRESET) Node destroys the whole socket, with the peer's last reply unread in the
//    kernel. Here a failed write is recorded and the stream never hears of it, so that reading goes on to the end.
// 2. When a peer greets and resets before our loop has seen the connection, Node reports `connect ECONNRESET` and closes
//    the socket over the greeting. Here what the kernel holds is read first.
// 3. Under STARTTLS a peer may answer in the clear where its ServerHello should be, and OpenSSL shows only "wrong
//    version number". Here TLS runs over a tap that keeps those octets.
import net from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";
import { readDescriptor } from "./descriptor.ts";
import { chainOf, tlsFacts, type ShownTls } from "./tls-facts.ts";

export interface WireEnd {
  readonly by: "fin" | "reset" | "failed" | "tls";
  /** The system's own words, such as `ECONNREFUSED`; empty for a plain end. */
  readonly text: string;
}

export interface HandshakeFault {
  /** OpenSSL's words. */
  readonly text: string;
  /** What the peer sent in the clear instead of TLS; unauthenticated evidence. Empty when it spoke TLS. */
  readonly inClear: string;
}

export interface WireHandlers {
  readonly connect: () => void;
  readonly data: (bytes: Uint8Array) => void;
  /** A write failed. The peer's last words may still be on their way. */
  readonly fault: () => void;
  /** Once, after all data. */
  readonly end: (end: WireEnd) => void;
}

type Written = (error?: Error | null) => void;

const fin: WireEnd = { by: "fin", text: "" };
const reset: WireEnd = { by: "reset", text: "ECONNRESET" };

/** How much of a peer's clear text is kept where TLS should be. */
const inClearLimit = 4_096;
/** How long the rest of it is awaited. */
const inClearPatienceMs = 1_000;

export class Wire {
  readonly #socket: net.Socket;
  #top: net.Socket;
  #tap: Duplex | null = null;
  #inClear: Buffer[] = [];
  #secured = false;
  /** Whether the peer answers in the clear where its TLS should be; null before its first octet. */
  #isClear: boolean | null = null;
  readonly #handlers: WireHandlers;
  #announced = false;
  #ended: WireEnd | null = null;
  #writeFault: string | null = null;
  #received = 0;
  #submitted = 0;
  #handed = 0;
  #taken = 0;

  /**
   * Reads from the first moment, and never pauses: a paused socket is a lost reply. One that stands already, through a
   * proxy, comes paused, and has no `connect` to tell.
   */
  constructor(socket: net.Socket, handlers: WireHandlers) {
    this.#socket = socket;
    this.#top = socket;
    this.#handlers = handlers;
    this.#forgive(socket);
    this.#salvage(socket);
    socket.setNoDelay(true);
    socket.once("connect", () => handlers.connect());
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    // A reset that comes together with the last octets may look like a plain end to Node.
    socket.once("end", () => {
      const { octets, isReset } = readDescriptor(socket);
      if (octets.length > 0) this.#receive(octets);
      this.#end(isReset || this.#writeFault !== null ? reset : fin);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => this.#end(endOf(error, this.#received)));
    socket.once("close", () => this.#end(fin));
    if (socket.isPaused()) socket.resume();
  }

  /** Octets that came from the peer so far: whether a second look found something. */
  get received(): number {
    return this.#received;
  }

  /** The system's name for the write that failed, or null. What was written after it went nowhere. */
  get writeFault(): string | null {
    return this.#writeFault;
  }

  /** How many of the octets given to `write` the kernel has taken. */
  get taken(): number {
    if (this.#writeFault === null && this.#socket.writableLength === 0) this.#taken = this.#handed;
    return this.#taken;
  }

  get localAddress(): string | null {
    return this.#socket.localAddress ?? null;
  }

  /** Octets given to `write` so far. */
  get submitted(): number {
    return this.#submitted;
  }

  /** Hands over octets in one write to the kernel, as far as it takes them. */
  write(bytes: Uint8Array): void {
    this.#submitted += bytes.length;
    if (this.#ended === null && this.#top.writable) this.#top.write(bytes);
    else this.#fail("EPIPE");
  }

  /** Resolves when there is room for more, or when nothing more will leave. */
  async room(): Promise<void> {
    if (!this.#top.writableNeedDrain || this.#ended !== null) return;
    const top = this.#top;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        top.off("drain", done).off("close", done);
        resolve();
      };
      top.on("drain", done).on("close", done);
    });
  }

  /**
   * Speaks TLS from here on (RFC 3207). Opportunistic in the sense of RFC 7435: any certificate and old versions are
   * taken, and reported; whoever requires more looks at what was shown. `strict`: TLS 1.2 or newer, and no old ciphers.
   */
  startTls(name: string, strict: boolean): Promise<ShownTls | HandshakeFault> {
    const tap = this.#makeTap();
    this.#tap = tap;
    const [handed, taken] = [this.#handed, this.taken];
    const secure = tls.connect({
      socket: tap,
      host: name,
      ...(net.isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: false,
      ...(strict
        ? { minVersion: "TLSv1.2" as const }
        : { minVersion: "TLSv1" as const, ciphers: "DEFAULT@SECLEVEL=0" }),
    });
    this.#top = secure;
    this.#forgive(secure);
    // The handshake's octets are none of the writer's.
    this.#handed = handed;
    this.#taken = taken;
    return new Promise((resolve) => {
      const fail = (text: string): void => {
        void this.#clearText().then((inClear) => {
          resolve({ text, inClear });
          this.#announce();
        });
      };
      secure.once("secureConnect", () => {
        this.#secured = true;
        this.#inClear = [];
        resolve({ facts: tlsFacts(secure), chain: chainOf(secure) });
      });
      secure.on("data", (bytes: Buffer) => this.#handlers.data(bytes));
      secure.on("error", (error: NodeJS.ErrnoException) => {
        // OpenSSL's message names threads and source files; its reason says what happened.
        const { reason, code } = error as NodeJS.ErrnoException & { readonly reason?: string };
        const text = reason ?? code ?? error.message;
        this.#ended ??= { by: "tls", text };
        if (this.#secured) this.#announce();
        else fail(text);
      });
      for (const event of ["end", "close"] as const) {
        secure.once(event, () => {
          if (this.#secured) this.#announce();
          else fail("the connection ended during the TLS handshake");
        });
      }
    });
  }

  /** Says that we are done, and reads on. */
  finish(): void {
    if (this.#top.writable) this.#top.end();
  }

  destroy(): void {
    this.#top.destroy();
    this.#socket.destroy();
  }

  /** Octets that arrive go to the reader, or through the tap to TLS. */
  #receive(bytes: Buffer): void {
    this.#received += bytes.length;
    if (this.#tap === null) return this.#handlers.data(bytes);
    if (!this.#secured) this.#keepClear(bytes);
    if (!this.#tap.destroyed) this.#tap.push(bytes);
  }

  /** A TLS record opens with its content type, 20 to 23 (RFC 8446 §5.1), which no SMTP reply does: the first octet tells. */
  #keepClear(bytes: Buffer): void {
    const [first = 0] = bytes;
    this.#isClear ??= first < 0x14 || first > 0x17;
    const kept = this.#inClear.reduce((sum, each) => sum + each.length, 0);
    if (this.#isClear && kept < inClearLimit) this.#inClear.push(bytes.subarray(0, inClearLimit - kept));
  }

  /** What came in the clear, with a moment's patience for the rest of a reply that has begun. */
  async #clearText(): Promise<string> {
    const text = (): string => Buffer.concat(this.#inClear).toString("latin1");
    const until = Date.now() + inClearPatienceMs;
    while (text() !== "" && !/^\d{3}(?!-)[^\n]*\n/m.test(text()) && this.#ended?.by !== "fin" && Date.now() < until) {
      if (this.#socket.destroyed) break;
      await delay(10, undefined, { ref: false });
    }
    return text();
  }

  #makeTap(): Duplex {
    const socket = this.#socket;
    return new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done: Written) {
        if (socket.writable) socket.write(chunk, () => done());
        else done();
      },
      final(done: Written) {
        if (socket.writable) socket.end();
        done();
      },
    });
  }

  /** Makes write errors evidence instead of an end (see above). Not a supported use of Node: the soak pins it. */
  #forgive(socket: net.Socket): void {
    const top = (): boolean => socket === this.#top;
    const write = socket._write.bind(socket);
    const writev = socket._writev?.bind(socket);
    const final = socket._final.bind(socket);
    const settle = (size: number, done: Written): Written => {
      return (error) => {
        if (error) this.#fail((error as NodeJS.ErrnoException).code ?? error.message);
        else if (top() && this.#writeFault === null) this.#taken = Math.max(this.#taken, size);
        done();
      };
    };
    socket._write = (chunk: Buffer, encoding, done) => {
      if (this.#writeFault !== null) return done();
      if (top()) this.#handed += chunk.length;
      write(chunk, encoding, settle(this.#handed, done));
    };
    if (writev !== undefined) {
      socket._writev = (chunks, done) => {
        if (this.#writeFault !== null) return done();
        if (top()) this.#handed += chunks.reduce((sum, each) => sum + (each.chunk as Buffer).length, 0);
        writev(chunks, settle(this.#handed, done));
      };
    }
    socket._final = (done) => final(() => done());
  }

  /** A reset that overtakes our loop fails the connection, though it stood and the peer has spoken. */
  #salvage(socket: net.Socket): void {
    const destroy = socket._destroy.bind(socket);
    socket._destroy = (error, done) => {
      const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
      if (syscall === "connect" && (code === "ECONNRESET" || code === "EPIPE")) {
        const { octets } = readDescriptor(socket);
        this.#handlers.connect();
        if (octets.length > 0) this.#receive(octets);
        this.#ended ??= reset;
      }
      destroy(error, done);
    };
  }

  /** The socket's end, which under TLS is told once the octets before it are through. */
  #end(end: WireEnd): void {
    this.#ended ??= end;
    if (this.#tap === null) return this.#announce();
    if (!this.#tap.destroyed) this.#tap.push(null);
    if (this.#secured && this.#top.destroyed) this.#announce();
  }

  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#ended ??= fin;
    this.#handlers.end(this.#ended);
  }

  #fail(text: string): void {
    if (this.#writeFault !== null) return;
    this.#writeFault = text;
    this.#handlers.fault();
  }
}

function endOf(error: NodeJS.ErrnoException, received: number): WireEnd {
  const text = error.code ?? error.message;
  if (text === "ECONNRESET" || text === "EPIPE") return { by: "reset", text };
  return { by: received > 0 ? "reset" : "failed", text };
}
