// Real proxies on loopback: SOCKS5 and HTTP CONNECT by packages that others keep, some that lose nothing (relay.ts), and
// one that answers octet by octet what a test says. They know nothing of mail.
import { Socks5Server } from "@pondwader/socks5-server";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Server } from "proxy-chain";
import { certificate, key } from "../../infra/local/mail/certificate.ts";
import { relay } from "./relay.ts";

export interface TestProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How many tunnels were asked, with the right credentials. */
  connections(): number;
  close(): Promise<void>;
}

const host = "127.0.0.1";

export interface Socks5Options {
  readonly username?: string;
  readonly password?: string;
  /** Whether it leads there; without it, anywhere. */
  readonly allow?: (host: string, port: number) => boolean;
  /** Where names lead; others are looked up. */
  readonly names?: Readonly<Record<string, string>>;
}

/** What became of a connection to a host, as SOCKS5 says it (RFC 1928 §6). */
const statuses: Readonly<Record<string, "CONNECTION_REFUSED" | "HOST_UNREACHABLE" | "NETWORK_UNREACHABLE">> = {
  ECONNREFUSED: "CONNECTION_REFUSED",
  EHOSTUNREACH: "HOST_UNREACHABLE",
  ENETUNREACH: "NETWORK_UNREACHABLE",
  ENOTFOUND: "HOST_UNREACHABLE",
};

export async function startSocks5({ username, password, allow, names = {} }: Socks5Options = {}): Promise<TestProxy> {
  let asked = 0;
  const server = new Socks5Server();
  if (username !== undefined) {
    server.setAuthHandler((connection) => connection.username === username && connection.password === password);
  }
  server.setRulesetValidator(({ destAddress, destPort }) => {
    asked += 1;
    return allow?.(destAddress, destPort) ?? true;
  });
  // Its own forwarding forgets resets.
  server.setConnectionHandler(({ socket, destAddress, destPort }, tell) => {
    relay(socket as net.Socket, { host: names[destAddress] ?? destAddress, port: destPort }, (fault) =>
      tell(fault === null ? "REQUEST_GRANTED" : (statuses[fault] ?? "GENERAL_FAILURE")),
    );
  });
  // Its own listener is left out: only a server of ours tells who is connected.
  return await serve(
    (socket) => server._handleConnection(socket),
    () => asked,
    true,
  );
}

export interface HttpConnectOptions {
  /** PEM. With `clientCa`, clients have to show a certificate that it signed. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientCa?: string };
  readonly username?: string;
  readonly password?: string;
}

export async function startHttpConnect({ tls, username, password }: HttpConnectOptions = {}): Promise<TestProxy> {
  let asked = 0;
  const options = {
    host,
    port: 0,
    prepareRequestFunction: (request: { readonly username: string; readonly password: string }) => {
      const isWelcome = username === undefined || (request.username === username && request.password === password);
      if (isWelcome) asked += 1;
      return { requestAuthentication: !isWelcome };
    },
  };
  const server =
    tls === undefined
      ? new Server(options)
      : new Server({
          ...options,
          serverType: "https",
          httpsOptions: {
            cert: tls.certificate,
            key: tls.key,
            ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          },
        });
  await server.listen();
  const close = async (): Promise<void> => await server.close(true);
  return { host, port: server.port, connections: () => asked, close, [Symbol.asyncDispose]: close };
}

/** Node's own server where there are to be no losses: the package forgets resets, and half of what is half closed. */
export async function startFaithfulConnect(isTls: boolean): Promise<TestProxy> {
  let asked = 0;
  const server = isTls ? https.createServer({ cert: certificate, key }) : http.createServer();
  server.on("connect", ({ url = "" }, socket: net.Socket) => {
    asked += 1;
    const { hostname, port } = new URL(`connect://${url}`);
    relay(socket, { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) }, (fault) => {
      if (fault === null) socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      else socket.end(`HTTP/1.1 502 ${fault}\r\n\r\n`);
    });
  });
  return await listening(server, () => asked);
}

/** What a raw proxy does with one connection. */
export interface Play {
  readonly socket: net.Socket;
  /** Resolves when the client has sent so many octets in all. */
  received(octets: number): Promise<Buffer>;
  /** Resolves when an empty line has come: the end of what HTTP asks. */
  receivedHead(): Promise<Buffer>;
  say(octets: string | Uint8Array): void;
  /** One octet a segment. */
  dribble(octets: string | Uint8Array): Promise<void>;
  fin(): void;
  rst(): void;
}

/** A proxy that does what `play` says, and counts connections. What it has read stays in `received`. */
export async function rawProxy(play: (play: Play) => Promise<void> | void): Promise<TestProxy> {
  let asked = 0;
  return await serve(
    (socket) => {
      asked += 1;
      socket.setNoDelay(true);
      void Promise.resolve(play(playOn(socket))).catch(() => socket.destroy());
    },
    () => asked,
  );
}

function playOn(socket: net.Socket): Play {
  let got = Buffer.alloc(0);
  socket.on("data", (octets: Buffer) => {
    got = Buffer.concat([got, octets]);
  });
  const until = async (isThere: () => boolean): Promise<Buffer> => {
    while (!isThere() && !socket.destroyed && !socket.readableEnded) await delay(1);
    return got;
  };
  return {
    socket,
    received: (octets) => until(() => got.length >= octets),
    receivedHead: () => until(() => got.includes("\r\n\r\n")),
    say: (octets) => void socket.write(octets),
    async dribble(octets) {
      for (const octet of Buffer.from(octets)) {
        if (socket.writable) socket.write(Buffer.of(octet));
        await delay(1);
      }
    },
    fin: () => void socket.end(),
    rst: () => void socket.resetAndDestroy(),
  };
}

async function serve(
  take: (socket: net.Socket) => void,
  connections: () => number,
  allowHalfOpen = false,
): Promise<TestProxy> {
  const server = net.createServer({ allowHalfOpen, noDelay: true }, (socket) => {
    socket.on("error", () => {});
    take(socket);
  });
  return await listening(server, connections);
}

/** A server that ends with its connections. */
async function listening(server: net.Server, connections: () => number): Promise<TestProxy> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, "listening");
  const close = async (): Promise<void> => {
    for (const each of sockets) each.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
  const { port } = server.address() as AddressInfo;
  return { host, port, connections, close, [Symbol.asyncDispose]: close };
}
