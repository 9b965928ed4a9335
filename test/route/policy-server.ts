// A real HTTPS server on loopback in the place of a policy's host, which answers as a test wants it.
// Which policies there are, and what is made of them, it does not know.
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { certificate, key } from "./certificates.ts";

export interface PolicyServer extends AsyncDisposable {
  readonly port: number;
  /** What was asked for: `GET mta-sts.policy.test:443 /path`. */
  readonly asked: readonly string[];
  /** Connections that are open now. */
  readonly open: ReadonlySet<Duplex>;
}

export async function servePolicy(answer: RequestListener, options: ServerOptions = {}): Promise<PolicyServer> {
  const asked: string[] = [];
  const open = new Set<Duplex>();
  const server = createServer({ cert: certificate, key, ...options }, (request, response) => {
    asked.push(`${request.method} ${request.headers.host} ${request.url}`);
    answer(request, response);
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    open,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers 200 with a text. */
export function saying(text: string, type = "text/plain"): RequestListener {
  return (_, response) => response.writeHead(200, { "content-type": type }).end(text);
}
