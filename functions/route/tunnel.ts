// A connection to a host through a proxy, up to the host's first octet: reaching the proxy, asking it, handing over what
// stands. It knows neither SMTP nor how a proxy is asked, which each protocol's own file does.
import net from "node:net";
import tls from "node:tls";
import { Limits } from "../smtp/limit.ts";
import { visibleLine } from "../verdict/visible.ts";
import { proxyText, type Proxy } from "./egress.ts";
import { askHttp } from "./http-connect.ts";
import type { Answer, Destination, Dialogue, DialogueOptions } from "./proxy-dialogue.ts";
import { askSocks5 } from "./socks5.ts";

export interface Tunnel {
  readonly kind: "open";
  /** Paused: whoever listens for `data` and resumes it loses nothing, whatever the host did meanwhile. */
  readonly socket: net.Socket;
  /** Octets of the host that came together with the proxy's answer. */
  readonly head: Uint8Array;
  /** The address that the proxy says it leaves from; null where it says none. */
  readonly localAddress: string | null;
}

export interface NoTunnel {
  readonly kind: "failed";
  /**
   * `proxy`: it did not do its part. `refused`: it says that it cannot or will not reach the host, or ends without a word
   * once it was told which. `limit`: the signal, or our time while it may have been waiting for the host.
   */
  readonly by: "proxy" | "refused" | "limit";
  /** Names the proxy and what it answered; never what we told it of us. */
  readonly text: string;
}

type Stage = "connect" | "tls" | "answer";

const quoteLimit = 200;
/** What a proxy is asked for, and nothing that could end a line or a field of the asking. */
const plainName = /^[\w.-]{1,255}$/;

/**
 * Opens a connection to the host through the proxy, within `timeoutMs` in all. Never throws: what fails is told, and
 * leaves no socket and no timer.
 */
export async function openTunnel(
  proxy: Proxy,
  to: Destination,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal | null },
): Promise<Tunnel | NoTunnel> {
  const name = `the proxy ${proxyText(proxy)}`;
  if (limits.signal?.aborted === true) return failed("limit", `given up before ${name} was asked`);
  if (!plainName.test(to.host) && (!net.isIPv6(to.host) || to.host.includes("%"))) {
    return failed("refused", `${name} cannot be asked for ${visibleLine(to.host)}: neither a name nor an address`);
  }
  try {
    const socket = dial(proxy);
    return await new Promise((resolve) => follow(socket, proxy, to, limits, resolve));
  } catch (error) {
    // A port that is none, PEM that is none.
    return failed("proxy", `${name} cannot be asked: ${visibleLine(reasonOf(error))}`);
  }
}

/**
 * The proxy's name is looked up as the system does it: operators name proxies in /etc/hosts, by search domains and by mDNS,
 * which c-ares knows nothing of. Nothing can cancel getaddrinfo, and a process that ends waits for it: where the system's
 * resolver is silent, up to its own limit (resolv.conf's, 10 s by default) behind the verdict. An address spares that.
 */
function dial(proxy: Proxy): net.Socket {
  const { host, port } = proxy;
  if (proxy.type === "socks5" || proxy.tls === null) return net.connect({ host, port });
  const { ca, certificate, key } = proxy.tls;
  return tls.connect({
    host,
    port,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === null ? {} : { ca }),
    ...(certificate === null ? {} : { cert: certificate }),
    ...(key === null ? {} : { key }),
    ALPNProtocols: ["http/1.1"],
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says: our credentials go there.
    rejectUnauthorized: true,
  });
}

/** Resolves within the event that brings the proxy's answer, so that its taker is there before the socket is read again. */
function follow(
  socket: net.Socket,
  proxy: Proxy,
  to: Destination,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | null },
  resolve: (opened: Tunnel | NoTunnel) => void,
): void {
  const name = `the proxy ${proxyText(proxy)}`;
  const isTls = socket instanceof tls.TLSSocket;
  let stage: Stage = "connect";
  let received = 0;
  let dialogue: Dialogue | null = null;
  let isSettled = false;
  const limits = new Limits(() => received);

  const settle = (answer: Answer | NoTunnel): void => {
    if (isSettled) return;
    isSettled = true;
    limits.end();
    socket
      .off("connect", connected)
      .off("secureConnect", begin)
      .off("data", read)
      .off("end", ended)
      .off("close", ended);
    // The one that stays: an error that nobody hears would end the process.
    socket.off("error", broken).on("error", () => {});
    if (answer.kind === "open") {
      hold(socket);
      resolve({ ...answer, socket });
      return;
    }
    socket.destroy();
    resolve("text" in answer ? answer : failed(answer.by, textOf(answer)));
  };
  const textOf = ({ said, quote }: { readonly said: string; readonly quote: string }): string =>
    [`${name} answered: ${said}`, cleaned(quote)].filter((part) => part !== "").join(" ");
  const faultBy = (): "refused" | "proxy" => (dialogue?.isAsked() === true ? "refused" : "proxy");
  const begin = (): void => {
    received += 1;
    stage = "answer";
    const options: DialogueOptions = { to, timeoutMs, settle, write: (octets) => void socket.write(octets) };
    dialogue = proxy.type === "socks5" ? askSocks5(proxy, options) : askHttp(proxy, options);
  };
  const connected = (): void => {
    received += 1;
    stage = "tls";
    if (!isTls) begin();
  };
  const read = (octets: Buffer): void => {
    received += octets.length;
    dialogue?.data(octets);
  };
  const ended = (): void => {
    dialogue?.end();
    const text = stage === "tls" ? `TLS to ${name} failed: it closed the connection` : `${name} closed ${before}`;
    settle(failed(faultBy(), text));
  };
  const broken = (error: NodeJS.ErrnoException): void => {
    dialogue?.end();
    settle(failed(isOfTls(error) ? "proxy" : faultBy(), brokenText(name, stage, error)));
  };

  socket.setNoDelay(true);
  socket.on("connect", connected).on("data", read).on("end", ended).on("close", ended).on("error", broken);
  if (isTls) socket.on("secureConnect", begin);
  limits.start(timeoutMs, () => {
    const by = dialogue?.isAsked() === true ? "limit" : "proxy";
    settle(failed(by, `${name} ${waitedFor[stage]} within ${Math.round(timeoutMs) / 1000} s`));
  });
  if (signal !== null)
    limits.follow(signal, () => settle(failed("limit", `given up: ${name} ${waitedFor[stage]} by then`)));
}

const before = "the connection before it had answered";

const waitedFor: Readonly<Record<Stage, string>> = {
  connect: "was not reached",
  tls: "did not finish the TLS handshake",
  answer: "did not answer",
};

function brokenText(name: string, stage: Stage, error: NodeJS.ErrnoException): string {
  // The system's words and OpenSSL's; the proxy's only as its certificate names it, which comes before our credentials.
  const reason = cleaned(reasonOf(error));
  if (stage === "connect") return `${name} cannot be reached: ${reason}`;
  if (stage === "tls" || isOfTls(error)) return `TLS to ${name} failed: ${reason}`;
  return `${name} reset ${before} (${reason})`;
}

/** Under TLS 1.3 a proxy may refuse our certificate after the handshake, with an alert (RFC 8446 §4.4.2.4). */
function isOfTls({ code }: NodeJS.ErrnoException): boolean {
  return code?.startsWith("ERR_SSL") === true;
}

/** OpenSSL's message names threads and source files; its reason says what happened. */
function reasonOf(error: unknown): string {
  const { reason, code, message } = error as NodeJS.ErrnoException & { readonly reason?: string };
  if (typeof reason === "string" && reason !== "") return reason;
  return code?.startsWith("E") === true && !code.startsWith("ERR_") ? code : (message ?? String(error));
}

/**
 * Leaves in the kernel what comes from now on, until somebody resumes: Node reads on for a paused socket, and drops what
 * it has read when a reset comes. Not a supported use of Node; without it the taker must come in the same turn.
 */
function hold(socket: net.Socket): void {
  socket.pause();
  const { _handle: handle } = socket as unknown as { readonly _handle: Handle | null };
  if (typeof handle?.readStop !== "function") return;
  handle.readStop();
  socket.once("resume", () => handle.readStart());
}

interface Handle {
  readStop(): void;
  readStart(): void;
}

/** One line, cut. */
function cleaned(words: string): string {
  const [line = ""] = words.trim().split(/[\r\n]/);
  return Array.from(visibleLine(line)).slice(0, quoteLimit).join("").trim();
}

function failed(by: NoTunnel["by"], text: string): NoTunnel {
  return { kind: "failed", by, text };
}
