// A DNS server on loopback, over UDP and TCP, that answers from a zone as a recursive resolver would.
// It knows the wire and a few ways to fail; it neither caches nor asks anyone.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import * as dns from "dns-packet";

/** How a look-up goes wrong: an RCODE, silence, octets that are no answer, or an answer whose length lies. */
export type DnsFailure = "SERVFAIL" | "REFUSED" | "NXDOMAIN" | "silent" | "garbage" | "malformed";

/** By type, in zone-file notation: `{ MX: ["10 mx.example"], A: ["192.0.2.1"], TXT: ["v=spf1 -all"] }`. */
export type Records = Readonly<Partial<Record<dns.RecordType, readonly string[] | DnsFailure>>>;

/** By name, in lower case and without the final dot. An unknown name is NXDOMAIN, an unknown type NODATA. */
export type Zone = Readonly<Record<string, Records | DnsFailure>>;

export interface DnsServer {
  /** `127.0.0.1:port` */
  readonly server: string;
  /** What was asked, in order: `udp MX example.com`. */
  readonly queries: readonly string[];
  close(): Promise<void>;
}

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** `answered` is called when an answer has left. Answers too long for the asker's datagram are truncated (RFC 2181 §9). */
export async function serveDns(zone: Zone, answered: () => void = () => {}): Promise<DnsServer> {
  const queries: string[] = [];
  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections.add(socket);
    let held: Buffer = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => connections.delete(socket));
    socket.on("data", (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE()) {
        const answer = answerTo(held.subarray(2, 2 + held.readUInt16BE()), zone, queries, "tcp");
        held = held.subarray(2 + held.readUInt16BE());
        if (answer !== null) socket.write(Buffer.concat([uint16(answer.length), answer]));
      }
    });
  });
  const udp = createSocket("udp4");
  udp.on("message", (query, peer) => {
    const answer = answerTo(query, zone, queries, "udp");
    if (answer !== null) udp.send(answer, peer.port, peer.address, answered);
  });
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const { port } = udp.address();
  tcp.listen(port, "127.0.0.1");
  await once(tcp, "listening");
  return {
    server: `127.0.0.1:${port}`,
    queries,
    async close() {
      for (const socket of connections) socket.destroy();
      udp.close();
      tcp.close();
      await once(tcp, "close");
    },
  };
}

function answerTo(message: Buffer, zone: Zone, queries: string[], transport: "udp" | "tcp"): Buffer | null {
  const query = dns.decode(message);
  const question = query.questions?.[0];
  if (question === undefined) return null;
  queries.push(`${transport} ${question.type} ${question.name}`);
  const found = resolve(question.name.toLowerCase(), question.type, zone);
  if (found.failure === "silent") return null;
  if (found.failure === "garbage") return Buffer.from("this is no DNS message at all");
  const answer: dns.Packet = {
    type: "response",
    id: query.id ?? 0,
    flags: dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE | rcodes[rcodeOf(found.failure)],
    questions: [question],
    answers: found.answers,
  };
  const whole = dns.encode(answer);
  // The header promises a record that is not there.
  if (found.failure === "malformed") whole.writeUInt16BE(1, 6);
  const opt = query.additionals?.find((each) => each.type === "OPT");
  if (transport === "tcp" || whole.length <= Math.max(512, opt?.udpPayloadSize ?? 0)) return whole;
  return dns.encode({ ...answer, flags: (answer.flags ?? 0) | dns.TRUNCATED_RESPONSE, answers: [] });
}

interface Found {
  readonly answers: dns.Answer[];
  readonly failure: DnsFailure | null;
}

function resolve(name: string, type: dns.RecordType, zone: Zone, depth = 0): Found {
  const entry = zone[name] ?? "NXDOMAIN";
  if (typeof entry === "string") return { answers: [], failure: entry };
  const alias = type === "CNAME" ? undefined : entry.CNAME;
  if (typeof alias === "object" && depth < 8) {
    const target = alias[0] ?? "";
    const rest = resolve(target, type, zone, depth + 1);
    return { ...rest, answers: [{ type: "CNAME", name, ttl: 60, data: target }, ...rest.answers] };
  }
  const records = entry[type] ?? [];
  if (typeof records === "string") return { answers: [], failure: records };
  return { answers: records.map((record) => recordOf(type, name, record)), failure: null };
}

function recordOf(type: dns.RecordType, name: string, data: string): dns.Answer {
  switch (type) {
    case "MX": {
      const [preference, exchange] = data.split(" ");
      return { type, name, ttl: 60, data: { preference: Number(preference), exchange: exchange ?? "" } };
    }
    case "TXT":
      return { type, name, ttl: 60, data };
    case "A":
    case "AAAA":
    case "CNAME":
    case "NS":
    case "PTR":
      return { type, name, ttl: 60, data };
    default:
      throw new Error(`this server has no notation for ${type}`);
  }
}

function rcodeOf(failure: DnsFailure | null): keyof typeof rcodes {
  return failure === "SERVFAIL" || failure === "REFUSED" || failure === "NXDOMAIN" ? failure : "NOERROR";
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
