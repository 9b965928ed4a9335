// A DNS server on loopback, over UDP and TCP, that answers from a zone as a recursive resolver would.
// It knows the wire, a few ways to fail, and how a resolver that validates says what is signed; it neither caches, nor
// asks anyone, nor signs.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import * as dns from "dns-packet";

/** How a look-up goes wrong: an RCODE, silence, octets that are no answer, or an answer whose length lies. */
export type DnsFailure = "SERVFAIL" | "REFUSED" | "NXDOMAIN" | "silent" | "garbage" | "malformed";

/**
 * By type, in zone-file notation: `{ MX: ["10 mx.example"], A: ["192.0.2.1"], TXT: ["v=spf1 -all"], TLSA: ["3 1 1 0123…"] }`.
 * `signed` is said of the name and of all names below it, as far as none of them says otherwise.
 */
export type Records = Readonly<Partial<Record<dns.RecordType, readonly string[] | DnsFailure>>> & {
  readonly signed?: boolean;
};

/** By name, in lower case and without the final dot. An unknown name is NXDOMAIN, an unknown type NODATA. */
export type Zone = Readonly<Record<string, Records | DnsFailure>>;

export interface DnsServer {
  /** `127.0.0.1:port` */
  readonly server: string;
  /** What was asked, in order: `udp MX example.com`. */
  readonly queries: readonly string[];
  close(): Promise<void>;
}

export interface DnsServerOptions {
  /** Whether answers that are signed say so (AD) to those who ask for it; the root's always are. */
  readonly validates: boolean;
}

const root: Records = { SOA: ["a.root-servers.test"], signed: true };

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** `answered` is called when an answer has left. Answers too long for the asker's datagram are truncated (RFC 2181 §9). */
export async function serveDns(
  zone: Zone,
  answered: () => void = () => {},
  options: DnsServerOptions = { validates: false },
): Promise<DnsServer> {
  const answerTo = (message: Buffer, transport: "udp" | "tcp"): Buffer | null =>
    answer(message, { zone, queries, transport, options });
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
        const answer = answerTo(held.subarray(2, 2 + held.readUInt16BE()), "tcp");
        held = held.subarray(2 + held.readUInt16BE());
        if (answer !== null) socket.write(Buffer.concat([uint16(answer.length), answer]));
      }
    });
  });
  const udp = createSocket("udp4");
  udp.on("message", (query, peer) => {
    const answer = answerTo(query, "udp");
    if (answer !== null) udp.send(answer, peer.port, peer.address, answered);
  });
  const port = await listen(tcp, udp);
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

/** A port that is free over TCP need not be over UDP. */
const triesLimit = 5;

async function listen(tcp: Server, udp: UdpSocket): Promise<number> {
  for (let tries = 1; ; tries++) {
    tcp.listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port } = tcp.address() as AddressInfo;
    try {
      udp.bind(port, "127.0.0.1");
      await once(udp, "listening");
      return port;
    } catch (error) {
      tcp.close();
      await once(tcp, "close");
      if (tries === triesLimit) throw error;
    }
  }
}

interface Asked {
  readonly zone: Zone;
  readonly queries: string[];
  readonly transport: "udp" | "tcp";
  readonly options: DnsServerOptions;
}

function answer(message: Buffer, { zone, queries, transport, options }: Asked): Buffer | null {
  const query = dns.decode(message);
  const question = query.questions?.[0];
  if (question === undefined) return null;
  queries.push(`${transport} ${question.type} ${question.name}`);
  const found = resolve(question.name.toLowerCase(), question.type, zone);
  const opt = query.additionals?.find((each) => each.type === "OPT");
  // RFC 6840 §5.8: AD is for those who showed that they know it.
  const isAsked = query.flag_ad || opt?.flag_do === true;
  const isAuthentic = options.validates && isAsked && found.isSigned;
  if (found.failure === "silent") return null;
  if (found.failure === "garbage") return Buffer.from("this is no DNS message at all");
  const packet: dns.Packet = {
    type: "response",
    id: query.id ?? 0,
    flags:
      dns.RECURSION_DESIRED |
      dns.RECURSION_AVAILABLE |
      (isAuthentic ? dns.AUTHENTIC_DATA : 0) |
      rcodes[rcodeOf(found.failure)],
    questions: [question],
    answers: found.answers,
  };
  const whole = dns.encode(packet);
  // The header promises a record that is not there.
  if (found.failure === "malformed") whole.writeUInt16BE(1, 6);
  if (transport === "tcp" || whole.length <= Math.max(512, opt?.udpPayloadSize ?? 0)) return whole;
  return dns.encode({ ...packet, flags: (packet.flags ?? 0) | dns.TRUNCATED_RESPONSE, answers: [] });
}

interface Found {
  readonly answers: dns.Answer[];
  readonly failure: DnsFailure | null;
  /** All of it: an alias too, and a denial. */
  readonly isSigned: boolean;
}

function resolve(name: string, type: dns.RecordType, zone: Zone, depth = 0): Found {
  const entry = zone[name] ?? (name === "." ? root : "NXDOMAIN");
  const isSigned = isSignedIn(zone, name);
  if (typeof entry === "string") return { answers: [], failure: entry, isSigned };
  const alias = type === "CNAME" ? undefined : entry.CNAME;
  if (typeof alias === "object" && depth < 8) {
    const target = alias[0] ?? "";
    const rest = resolve(target, type, zone, depth + 1);
    const answers: dns.Answer[] = [{ type: "CNAME", name, ttl: 60, data: target }, ...rest.answers];
    return { ...rest, answers, isSigned: isSigned && rest.isSigned };
  }
  const records = entry[type] ?? [];
  if (typeof records === "string") return { answers: [], failure: records, isSigned };
  return { answers: records.map((record) => recordOf(type, name, record)), failure: null, isSigned };
}

/** The nearest name that says whether it is signed decides; where none does, nothing is. */
function isSignedIn(zone: Zone, name: string): boolean {
  if (name === ".") return true;
  const labels = name.split(".");
  for (let index = 0; index < labels.length; index++) {
    const entry = zone[labels.slice(index).join(".")];
    if (typeof entry === "object" && entry.signed !== undefined) return entry.signed;
  }
  return false;
}

function recordOf(type: dns.RecordType, name: string, data: string): dns.Answer {
  switch (type) {
    case "MX": {
      const [preference, exchange] = data.split(" ");
      return { type, name, ttl: 60, data: { preference: Number(preference), exchange: exchange ?? "" } };
    }
    case "TLSA": {
      const [usage, selector, matching, hex = ""] = data.split(" ");
      const certificate = Buffer.from(hex, "hex");
      const numbers = { usage: Number(usage), selector: Number(selector), matchingType: Number(matching) };
      return { type, name, ttl: 60, data: { ...numbers, certificate } };
    }
    case "SOA":
      return { type, name, ttl: 60, data: { mname: data, rname: "hostmaster.test" } };
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
