// How a SOCKS5 proxy is asked for a connection (RFC 1928), with a name and password where there are any (RFC 1929).
// The `socks` package speaks; it is given no socket, which it would read and resume by itself, but one octet at a time.
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { SocksClient } from "socks";
import { canonical } from "../smtp/ip-address.ts";
import type { Socks5 } from "./egress.ts";
import type { Answer, Dialogue, DialogueOptions } from "./proxy-dialogue.ts";

/** RFC 1928 §6. Each says that this host is not to be had, and so do those that it leaves unassigned (Tor has some). */
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
  // With credentials it may repeat them.
  const notSocks = (): Answer => {
    const quote = proxy.credentials === null ? Buffer.from(answer).toString("latin1") : "";
    return { kind: "failed", by: "proxy", said: `what is not SOCKS5${quote === "" ? "" : ":"}`, quote };
  };
  const fail = (): void => {
    isOver = true;
    settle(failure(isMethods ? "methods" : asked[0] === 1 ? "credentials" : "request", answer) ?? notSocks());
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
      if (![1, 3, 4].includes(answer[3] ?? 0)) return settle(notSocks());
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

/** Null: what was answered is not SOCKS5. */
function failure(asked: "methods" | "credentials" | "request", answer: readonly number[]): Answer | null {
  const [version = 0, code = 0] = answer;
  switch (asked) {
    case "methods":
      if (version !== 5) return null;
      return proxyFault(
        code === 0xff
          ? "no acceptable authentication method (255)"
          : `authentication by a method that we do not have (${code})`,
      );
    case "credentials":
      if (code === 0) return null;
      return proxyFault(`the credentials are refused (${code})`);
    case "request": {
      const reply = replies[code] ?? "a reply that SOCKS5 does not know";
      if (version !== 5 || code === 0) return null;
      return { kind: "failed", by: "refused", said: `${reply} (${code})`, quote: "" };
    }
  }
}

function proxyFault(said: string): Answer {
  return { kind: "failed", by: "proxy", said, quote: "" };
}

/** BND.ADDR (RFC 1928 §6), where it is an address that says something. */
function boundAddress(host: string | undefined): string | null {
  if (host === undefined || isIP(host) === 0) return null;
  const address = canonical(host);
  return address === "0.0.0.0" || address === "::" ? null : address;
}
