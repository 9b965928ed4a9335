// What a proxy does once a tunnel stands, without a loss: octets, ends and resets go on in both directions, in their
// order. The packages' own forwarding forgets a reset, or closes what is only half closed.
import net from "node:net";
import tls from "node:tls";
import { Wire } from "../../functions/smtp/wire.ts";

/**
 * Connects to the host, tells what came of it, and then forwards until both sides are done. `client` allows half-open
 * connections; what it sends before `opened` is kept.
 */
export function relay(
  client: net.Socket,
  to: { readonly host: string; readonly port: number },
  opened: (fault: string | null) => void,
): void {
  const host = net.connect({ ...to, allowHalfOpen: true });
  let isOpen = false;
  const wire = new Wire(host, {
    connect() {
      isOpen = true;
      opened(null);
      client.on("data", (octets: Buffer) => wire.write(octets));
      client.on("end", () => wire.finish());
    },
    data: (octets) => {
      if (client.writable) client.write(octets);
    },
    fault() {},
    end({ by, text }) {
      if (!isOpen) return opened(text);
      if (by === "fin") return client.end();
      // Behind what is still on its way to the client. TLS has no reset of its own.
      client.write("", () => (client instanceof tls.TLSSocket ? client.destroy() : client.resetAndDestroy()));
    },
  });
  client.on("error", () => host.resetAndDestroy());
  client.on("close", () => wire.destroy());
}
