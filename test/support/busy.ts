// Keeps the event loop busy around each write of new client sockets: the moment in which Node loses replies. What the
// peer says and does meanwhile waits in the kernel, its reset included.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/**
 * Blocks for `ms` milliseconds before and after writes `from` to `to` (counted from 1) of every client socket, until
 * disposed. A long message has many writes; the first ones are where the peer ends the conversation.
 */
export function busyAroundWrites(ms: number, from = 1, to = 10): Disposable {
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    let writes = 0;
    const around = (write: () => void): void => {
      writes += 1;
      const busy = writes >= from && writes <= to;
      if (busy) block(ms);
      write();
      if (busy) block(ms);
    };
    // Not `write` itself: `connect` puts that one back.
    const { _write: one, _writev: many } = socket;
    socket._write = (...args) => around(() => one.apply(socket, args));
    if (many !== undefined) socket._writev = (...args) => around(() => many.apply(socket, args));
  };
  subscribe("net.client.socket", onSocket);
  return { [Symbol.dispose]: () => void unsubscribe("net.client.socket", onSocket) };
}

export function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) {}
}
