// A webhook sink: takes what on-call's routes post, as the services do whose places it has, and shows it to whoever
// listens. What a service would refuse, it refuses. It knows no page.
//
//   POST /slack   POST /teams   POST /webhook   POST /pagerduty/v2/enqueue
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { routesOfSink, type SinkKind } from "./sink-routes.ts";

export interface Received {
  readonly kind: SinkKind;
  /** When it came: RFC 3339. */
  readonly at: string;
  readonly body: unknown;
  /** What a person reads first. */
  readonly title: string;
  /** All that a person can read of it, in lines. */
  readonly text: string;
}

export interface Sink extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The last thousand, the oldest first. */
  received(): readonly Received[];
  /** The next so many requests are answered with this status, and not received. */
  fail(next: { readonly status: number; readonly times: number }): void;
}

export interface SinkOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly onPage: (received: Received) => void;
}

const keptLimit = 1_000;
/** PagerDuty's, the largest of the services'. */
const bodyLimit = 512 * 1024;

/** @throws Error when the port is taken */
export async function startSink({ port, onPage }: SinkOptions): Promise<Sink> {
  const kept: Received[] = [];
  let failing = { status: 500, times: 0 };
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (failing.times > 0) {
      failing = { ...failing, times: failing.times - 1 };
      return end(response, failing.status, "as told to fail");
    }
    const route = routesOfSink.find(({ path }) => path === request.url);
    if (route === undefined || request.method !== "POST") return end(response, 404, "no such webhook");
    const said = body === null ? "the request is too large" : route.read(body);
    if (typeof said === "string") return end(response, 400, said);
    const received = { kind: route.kind, at: new Date().toISOString(), ...said };
    kept.push(received);
    if (kept.length > keptLimit) kept.shift();
    onPage(received);
    end(response, route.status, route.answer);
  }
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    received: () => kept,
    fail: (next) => void (failing = next),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Null: it is too long, and what came is not kept. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets <= bodyLimit) chunks.push(chunk);
  }
  return octets > bodyLimit ? null : Buffer.concat(chunks).toString();
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": text.startsWith("{") ? "application/json" : "text/plain" }).end(text);
}
