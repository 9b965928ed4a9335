// Proxies that lose nothing in a thread of their own, so that they go on while the client's event loop is busy.
// It knows neither what goes through them nor who asks.
import { once } from "node:events";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import type { Proxy } from "../../functions/route/egress.ts";
import { certificate } from "../../infra/local/mail/certificate.ts";
import { startFaithfulConnect, startSocks5 } from "./proxies.ts";

export const ways = ["socks5", "http-connect", "http-connect over TLS"] as const;
export type Way = (typeof ways)[number];

export interface ProxyThread extends AsyncDisposable {
  proxy(way: Way): Proxy;
}

export async function startProxyThread(): Promise<ProxyThread> {
  const worker = new Worker(new URL(import.meta.url));
  const [ports] = (await once(worker, "message")) as [Readonly<Record<Way, number>>];
  const close = async (): Promise<void> => void (await worker.terminate());
  return { proxy: (way) => proxyAt(way, ports[way]), [Symbol.asyncDispose]: close };
}

function proxyAt(way: Way, port: number): Proxy {
  const common = { host: "127.0.0.1", port, credentials: null, passesNames: false } as const;
  if (way === "socks5") return { type: way, ...common };
  const tls = way === "http-connect" ? null : { ca: certificate, certificate: null, key: null };
  return { type: "http-connect", tls, ...common };
}

if (!isMainThread && parentPort !== null) {
  const proxies = await Promise.all([startSocks5(), startFaithfulConnect(false), startFaithfulConnect(true)]);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  parentPort.postMessage(Object.fromEntries(ways.map((way, index) => [way, proxies[index]?.port])));
}
