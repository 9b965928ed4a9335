// A DNS server on loopback, over UDP and TCP, for the domains of the lab and for our own names, whose records are as they
// must be; and for blocklists, on which nobody is. It says of every other name that there is no such name, and asks
// nobody: what is probed locally is never looked up off this machine.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv4, type Server, type Socket } from "node:net";
import * as dns from "dns-packet";
import { dnsLists } from "../../functions/self-check/dns-lists.ts";
import { reverseName } from "../../functions/smtp/reverse-name.ts";

export interface NameServer extends AsyncDisposable {
  /** `127.0.0.1:port`, as a `resolver` is written. */
  readonly address: string;
}

/** Who sends: what self-checks look up. */
export interface OwnNames {
  readonly helo: string;
  /** Null: the null sender's, which has none. */
  readonly senderDomain: string | null;
  /** Of the egresses. */
  readonly addresses: readonly string[];
}

/** @param domains mail domains: each has an MX, `mx.` and the domain, at 127.0.0.1 */
export async function startNameServer(domains: readonly string[], own: OwnNames): Promise<NameServer> {
  const zone = zoneOf(domains, own);
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, zone);
  });
  const udp = await listen(tcp);
  udp.on("message", (query, { port, address }) => {
    const answer = answerTo(query, zone);
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
function serve(socket: Socket, zone: Zone): void {
  let held: Buffer = Buffer.alloc(0);
  socket.setTimeout(5_000, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (octets: Buffer) => {
    held = Buffer.concat([held, octets]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE()) {
      const answer = answerTo(held.subarray(2, 2 + held.readUInt16BE()), zone);
      held = held.subarray(2 + held.readUInt16BE());
      if (answer === null) return void socket.destroy();
      socket.write(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 0xff]), answer]));
    }
  });
}

/** Null: that is no question. */
function answerTo(message: Buffer, zone: Zone): Buffer | null {
  const query = decoded(message);
  const question = query?.questions?.[0];
  if (query === null || question === undefined) return null;
  const found = zone.get(question.name.toLowerCase());
  const answers = (found ?? []).filter(({ type }) => type === question.type);
  return dns.encode({
    type: "response",
    id: query.id ?? 0,
    flags: dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE | (found === undefined ? nameError : 0),
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

/** All records of a name, by it; a name that is not in it does not exist. */
type Zone = ReadonlyMap<string, dns.Answer[]>;

function zoneOf(domains: readonly string[], { helo, senderDomain, addresses }: OwnNames): Zone {
  const mailDomains = [...new Set([...domains, ...(senderDomain === null ? [] : [senderDomain])])];
  const records = [
    // What every list has, to be tried by (RFC 5782 §5).
    ...dnsLists.map(({ zone }) => addressRecord(`2.0.0.127.${zone}`, "127.0.0.2")),
    ...mailDomains.flatMap((domain) => mailRecords(domain)),
    ...addresses.flatMap((address) => [addressRecord(helo, address), pointerRecord(address, helo)]),
    // Who checks SPF asks about the sender's domain, about the HELO name, or both.
    ...[...new Set([helo, ...(senderDomain === null ? [] : [senderDomain])])].map((name) =>
      policyRecord(name, addresses),
    ),
  ];
  return Map.groupBy(records, ({ name }) => name.toLowerCase());
}

function mailRecords(domain: string): readonly dns.Answer[] {
  return [
    { type: "MX", name: domain, ttl, data: { preference: 10, exchange: `mx.${domain}` } },
    addressRecord(`mx.${domain}`, "127.0.0.1"),
  ];
}

const ttl = 60; // seconds

function addressRecord(name: string, address: string): dns.Answer {
  return isIPv4(address) ? { type: "A", name, ttl, data: address } : { type: "AAAA", name, ttl, data: address };
}

function pointerRecord(address: string, data: string): dns.Answer {
  return { type: "PTR", name: reverseName(address), ttl, data };
}

function policyRecord(name: string, addresses: readonly string[]): dns.Answer {
  const terms = addresses.map((address) => `${isIPv4(address) ? "ip4" : "ip6"}:${address}`);
  return { type: "TXT", name, ttl, data: ["v=spf1", ...terms, "-all"].join(" ") };
}
