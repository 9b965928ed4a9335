// How an HTTP proxy is asked for a connection (RFC 9110 §9.3.6), with Basic credentials where there are any (RFC 7617).
// Node's HTTP client speaks and reads the answer; the socket is none of its business.
import http from "node:http";
import { Duplex } from "node:stream";
import { hostAndPort } from "../smtp/ip-address.ts";
import type { Credentials, HttpConnect } from "./egress.ts";
import type { Answer, Destination, Dialogue, DialogueOptions } from "./proxy-dialogue.ts";

/**
 * With these a proxy says that this host is not to be had. 403: rules go by destination (Squid's `http_access deny`), and
 * where they refuse them all, asking for the next costs little. 408: what came whole cannot have been waited for.
 */
const hostStatuses: ReadonlySet<number> = new Set([403, 404, 408, 451]);
/** Of the 5xx, which are the host's too (RFC 9110 §15: an unknown one is a 500), those that no host is to blame for. */
const ownFailures: ReadonlySet<number> = new Set([501, 505, 511]);
/** Interim answers, after which the final one is awaited; nobody needs more. */
const interimLimit = 10;
/** How much of what is not HTTP is kept to be quoted. */
const openingLimit = 512;

/** Asks at once. */
export function askHttp(proxy: HttpConnect, { to, write, settle }: DialogueOptions): Dialogue {
  let opening = Buffer.alloc(0);
  let interims = 0;
  let isOver = false;
  let line: Duplex | null = null;
  const isTold = proxy.credentials !== null;

  const finish = (answer: Answer): void => {
    if (isOver) return;
    isOver = true;
    settle(answer);
  };
  /** The request, or, after an interim answer, a reader alone for the next one. */
  const ask = (send: (octets: Buffer) => void): Duplex => {
    const stream = lineTo(send);
    const request = connectRequest(proxy, to, stream);
    request.on("connect", (answer, _socket, rest) => {
      const head = Buffer.concat([rest, (stream.read() as Buffer | null) ?? Buffer.alloc(0)]);
      const { statusCode: status = 0 } = answer;
      // RFC 9110 §15.2. Node takes any answer to CONNECT for the final one.
      if (status >= 200 || interims >= interimLimit) return finish(answerOf(answer, head, isTold));
      interims += 1;
      line = ask(() => {});
      line.push(head);
    });
    request.on("error", () => {
      const quote = isTold ? "" : opening.toString("latin1");
      finish({ kind: "failed", by: "proxy", said: `what is not HTTP${quote === "" ? "" : ":"}`, quote });
    });
    request.end();
    return stream;
  };
  line = ask(write);
  return {
    data(octets) {
      if (isOver) return;
      if (opening.length < openingLimit) opening = Buffer.concat([opening, octets.subarray(0, openingLimit)]);
      line?.push(octets);
    },
    end() {
      isOver = true;
      line?.destroy();
    },
    isAsked: () => true,
  };
}

/** What Node's client takes for its socket. */
function lineTo(send: (octets: Buffer) => void): Duplex {
  const line = new Duplex({
    read() {},
    write(octets: Buffer, _encoding, done) {
      send(octets);
      done();
    },
  });
  return line.on("error", () => {});
}

/** Without an agent: `createConnection` is asked, and nothing of the environment. */
function connectRequest({ credentials }: HttpConnect, to: Destination, line: Duplex): http.ClientRequest {
  const authority = hostAndPort(to.host, to.port);
  return http.request({
    method: "CONNECT",
    path: authority,
    headers: {
      Host: authority,
      ...(credentials === null ? {} : { "Proxy-Authorization": basic(credentials) }),
    },
    createConnection: () => line,
  });
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** `isTold`: the proxy has credentials of ours, and may repeat them, spelt as it likes: its words are left out. */
function answerOf(answer: http.IncomingMessage, head: Buffer, isTold: boolean): Answer {
  const { statusCode = 0, statusMessage = "" } = answer;
  // Any 2xx opens, and what follows is the host's, whatever lengths the header tells (RFC 9110 §9.3.6).
  if (statusCode >= 200 && statusCode < 300) return { kind: "open", head, localAddress: null };
  const by = isOfHost(statusCode) ? "refused" : "proxy";
  if (isTold) {
    return { kind: "failed", by, said: `${statusCode} ${http.STATUS_CODES[statusCode] ?? ""}`.trim(), quote: "" };
  }
  const words = [statusMessage, firstLine(answer, head)];
  return { kind: "failed", by, said: String(statusCode), quote: words.filter((part) => part !== "").join(": ") };
}

function isOfHost(status: number): boolean {
  return hostStatuses.has(status) || (status >= 500 && status < 600 && !ownFailures.has(status));
}

/** Of a text, as far as it came with the header; else empty. */
function firstLine({ headers }: http.IncomingMessage, head: Buffer): string {
  const isText = /^text\/plain\b/i.test(headers["content-type"] ?? "") && headers["transfer-encoding"] === undefined;
  const [first = ""] = head
    .toString("utf8")
    .trim()
    .split(/[\r\n]/);
  return isText ? first : "";
}
