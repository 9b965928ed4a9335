// How a SOCKS5 proxy is asked for a connection (RFC 1928), with a name and password where there are any (RFC 1929).
// The `socks` package speaks; it is given no socket, which it would read and resume by itself, but one octet at a time.
import net from "node:net";
import { Duplex } from "node:stream";
import { SocksClient } from "socks";
import type { Socks5 } from "./egress.ts";
import type { Answer, Dialogue, DialogueOptions } from "./tunnel.ts";

/** RFC 1928 §6. Each says that this host is not to be had; what else there is says that the proxy is at fault. */
const replies: Readonly<Record<number, string>> = {
  1: "general failure",
  2: "connection not allowed by its ruleset",
  3: "network unreachable",
  4: "host unreachable",
  5: "connection refused by destination host",
  6: "TTL expired",
  7: "command not supported",
  8: "address type not supported",
};

/** Of the package's own timer, which hears nothing but the clock: ours come first. */
const patienceMs = 10_000;
const timerLimitMs = 2 ** 31 - 1;

/** Asks at once. */
export function askSocks5(proxy: Socks5, { to, timeoutMs, write, settle }: DialogueOptions): Dialogue {
  const fault = credentialsFault(proxy);
  if (fault !== null) {
    settle({ kind: "failed", by: "proxy", said: fault, quote: "" });
    return { data() {}, end() {}, isAsked: () => false };
  }
  /** What was written last, and what came since. */
  let asked: Uint8Array = new Uint8Array();
  let answer: number[] = [];
  let isMethods = true;
  let bound: string | null = null;
  let isOpen = false;
  let isOver = false;
  const line = new Duplex({
    read() {},
    write(octets: Buffer, _encoding, done) {
      isMethods = asked.length === 0;
      asked = octets;
      answer = [];
      write(octets);
      done();
    },
  });
  line.on("error", () => {});
  const isAsked = (): boolean => !isMethods && asked[0] === 5;
  const fail = (): void => {
    isOver = true;
    settle(failure(isMethods ? "methods" : asked[0] === 1 ? "credentials" : "request", answer));
  };

  const { credentials, host, port } = proxy;
  const client = new SocksClient({
    command: "connect",
    destination: to,
    proxy: {
      type: 5,
      host,
      port,
      ...(credentials === null ? {} : { userId: credentials.username, password: credentials.password }),
    },
    timeout: Math.min(timeoutMs + patienceMs, timerLimitMs),
  });
  client.on("error", fail);
  client.on("established", ({ remoteHost }) => {
    isOpen = true;
    bound = boundAddress(remoteHost?.host);
  });
  client.connect(line);

  const take = (octets: Buffer): void => {
    for (const [index, octet] of octets.entries()) {
      if (isOver) return;
      answer.push(octet);
      line.emit("data", octets.subarray(index, index + 1));
      if (!isOpen) continue;
      isOver = true;
      // An address of a type that there is none of: the package goes on without having read it.
      if (![1, 3, 4].includes(answer[3] ?? 0)) return settle(notSocks(answer));
      return settle({ kind: "open", head: octets.subarray(index + 1), localAddress: bound });
    }
  };
  return {
    data(octets) {
      try {
        take(octets);
      } catch {
        fail();
      }
    },
    end() {
      // Some proxies send no more of a refusal than its code.
      const isRefusal = isAsked() && answer[0] === 5 && (answer[1] ?? 0) !== 0;
      if (isRefusal && !isOver) fail();
      isOver = true;
    },
    isAsked,
  };
}

/** RFC 1929 §2: one octet tells the length of each. */
function credentialsFault({ credentials }: Socks5): string | null {
  if (credentials === null) return null;
  const sizes = [credentials.username, credentials.password].map((each) => Buffer.byteLength(each));
  if (sizes.every((size) => size >= 1 && size <= 255)) return null;
  return "nothing, for it was not asked: SOCKS5 has usernames and passwords of 1 to 255 octets only (RFC 1929)";
}

function failure(asked: "methods" | "credentials" | "request", answer: readonly number[]): Answer {
  const [version = 0, code = 0] = answer;
  switch (asked) {
    case "methods":
      if (version !== 5) return notSocks(answer);
      return proxyFault(
        code === 0xff
          ? "no acceptable authentication method (255)"
          : `authentication by a method that we do not have (${code})`,
      );
    case "credentials":
      if (code === 0) return notSocks(answer);
      return proxyFault(`the credentials are refused (${code})`);
    case "request": {
      const reply = replies[code];
      if (version !== 5 || code === 0) return notSocks(answer);
      if (reply === undefined) return proxyFault(`a reply that SOCKS5 does not know (${code})`);
      return { kind: "failed", by: "refused", said: `${reply} (${code})`, quote: "" };
    }
  }
}

function notSocks(answer: readonly number[]): Answer {
  return { kind: "failed", by: "proxy", said: "what is not SOCKS5:", quote: Buffer.from(answer).toString("latin1") };
}

function proxyFault(said: string): Answer {
  return { kind: "failed", by: "proxy", said, quote: "" };
}

/** BND.ADDR (RFC 1928 §6), where it is an address that says something. */
function boundAddress(host: string | undefined): string | null {
  const family = net.isIP(host ?? "");
  if (host === undefined || family === 0) return null;
  const { address } = new net.SocketAddress({ address: host, family: family === 6 ? "ipv6" : "ipv4" });
  return address === "0.0.0.0" || address === "::" ? null : address;
}
