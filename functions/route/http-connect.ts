// How an HTTP proxy is asked for a connection (RFC 9110 §9.3.6), with Basic credentials where there are any (RFC 7617).
// Node's HTTP client speaks and reads the answer; the socket is none of its business.
import http from "node:http";
import { isIPv6 } from "node:net";
import { Duplex } from "node:stream";
import type { Credentials, HttpConnect } from "./egress.ts";
import type { Answer, Destination, Dialogue, DialogueOptions } from "./tunnel.ts";

/** With these a proxy says that the host is not to be had, also with 500 (tinyproxy); all others speak of us and the proxy. */
const hostStatuses: ReadonlySet<number> = new Set([403, 404, 451, 500, 502, 503, 504]);
/** Interim answers, after which the final one is awaited; nobody needs more. */
const interimLimit = 10;
/** How much of what is not HTTP is kept to be quoted. */
const openingLimit = 512;

/** Asks at once. */
export function askHttp(proxy: HttpConnect, { to, write, settle }: DialogueOptions): Dialogue {
  if (proxy.credentials?.username.includes(":") === true) {
    // RFC 7617 §2.
    const said = 'nothing, for it was not asked: a username with ":" cannot be told by Basic authentication';
    settle({ kind: "failed", by: "proxy", said, quote: "" });
    return { data() {}, end() {}, isAsked: () => false };
  }
  let opening = Buffer.alloc(0);
  let interims = 0;
  let isOver = false;
  let line: Duplex | null = null;

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
      if (status >= 200 || interims >= interimLimit) return finish(answerOf(answer, head));
      interims += 1;
      line = ask(() => {});
      line.push(head);
    });
    request.on("error", () => {
      finish({ kind: "failed", by: "proxy", said: "what is not HTTP:", quote: opening.toString("latin1") });
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
  const authority = `${isIPv6(to.host) ? `[${to.host}]` : to.host}:${to.port}`;
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

function answerOf({ statusCode = 0, statusMessage = "", headers }: http.IncomingMessage, head: Buffer): Answer {
  // Any 2xx opens, and what follows is the host's, whatever lengths the header tells (RFC 9110 §9.3.6).
  if (statusCode >= 200 && statusCode < 300) return { kind: "open", head, localAddress: null };
  const isText = /^text\/plain\b/i.test(headers["content-type"] ?? "") && headers["transfer-encoding"] === undefined;
  const [first = ""] = isText
    ? head
        .toString("utf8")
        .trim()
        .split(/[\r\n]/)
    : [];
  return {
    kind: "failed",
    by: hostStatuses.has(statusCode) ? "refused" : "proxy",
    said: String(statusCode),
    quote: [statusMessage, first].filter((part) => part !== "").join(": "),
  };
}
