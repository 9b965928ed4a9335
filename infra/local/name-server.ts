// A DNS server on loopback, over UDP and TCP, for the domains of the lab. It says of every other name that there is no
// such name, and asks nobody: what is probed locally is never looked up off this machine.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import * as dns from "dns-packet";

export interface NameServer extends AsyncDisposable {
  /** `127.0.0.1:port`, as a `resolver` is written. */
  readonly address: string;
}

/** @param domains mail domains: each has an MX, `mx.` and the domain, at 127.0.0.1 */
export async function startNameServer(domains: readonly string[]): Promise<NameServer> {
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, domains);
  });
  const udp = await listen(tcp);
  udp.on("message", (query, { port, address }) => {
    const answer = answerTo(query, domains);
    if (answer !== null) udp.send(answer, port, address);
  });
  return {
    address: `127.0.0.1:${udp.address().port}`,
    [Symbol.asyncDispose]: async () => {
      udp.close();
      for (const socket of sockets) socket.destroy();
      tcp.close();
      await once(tcp, "close");
    },
  };
}

/** On one port that is free for both; a port that is free for one may be taken for the other. */
async function listen(tcp: Server, tries = 5): Promise<UdpSocket> {
  const udp = createSocket("udp4");
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  try {
    tcp.listen(udp.address().port, "127.0.0.1");
    await once(tcp, "listening");
    return udp;
  } catch (error) {
    udp.close();
    if (tries === 1) throw error;
    return await listen(tcp, tries - 1);
  }
}

/** RFC 1035 §4.2.2: over TCP a message has its length before it, and a connection may bring more than one. */
function serve(socket: Socket, domains: readonly string[]): void {
  let held: Buffer = Buffer.alloc(0);
  socket.setTimeout(5_000, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (octets: Buffer) => {
    held = Buffer.concat([held, octets]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE()) {
      const answer = answerTo(held.subarray(2, 2 + held.readUInt16BE()), domains);
      held = held.subarray(2 + held.readUInt16BE());
      if (answer === null) return void socket.destroy();
      socket.write(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 0xff]), answer]));
    }
  });
}

/** Null: that is no question. */
function answerTo(message: Buffer, domains: readonly string[]): Buffer | null {
  const query = decoded(message);
  const question = query?.questions?.[0];
  if (query === null || question === undefined) return null;
  const name = question.name.toLowerCase();
  const domain = domains.find((each) => name === each || name === `mx.${each}`);
  const answers = domain === undefined ? [] : recordsOf(name, domain, question.type);
  return dns.encode({
    type: "response",
    id: query.id ?? 0,
    flags: dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE | (domain === undefined ? nameError : 0),
    questions: [question],
    answers,
  });
}

/** RFC 1035 §4.1.1. */
const nameError = 3;

function decoded(message: Buffer): dns.DecodedPacket | null {
  try {
    return dns.decode(message);
  } catch {
    return null;
  }
}

function recordsOf(name: string, domain: string, type: string): dns.Answer[] {
  if (type === "MX" && name === domain) {
    return [{ type: "MX", name, ttl: 60, data: { preference: 10, exchange: `mx.${domain}` } }];
  }
  return type === "A" && name !== domain ? [{ type: "A", name, ttl: 60, data: "127.0.0.1" }] : [];
}
