// One question asked of a DNS server over the wire, so that its word on signatures is seen (the AD bit), which node:dns
// hides. It checks no signature itself, and does not know what an answer means for mail.
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { encodeQuestion, isName, readMessage } from "./dns-message.ts";
import type { Message, Provenance, Question, RecordData, SecureType } from "./dns-message.ts";
import { askServers, dnsEndpoint, startLimits } from "./dns-servers.ts";
import type { AskOptions, Endpoint, Said, TimeLeft, Unanswered } from "./dns-servers.ts";

/**
 * `absent`: DNS says that there is no such record, or not even the name. `failed`: it did not say, or what it would say
 * is bogus. `isSecure` is worth what the way to the server is worth: it should be on this machine.
 */
export type SecureAnswer<T> =
  | ({ readonly kind: "records"; readonly records: readonly T[]; readonly server: string } & Provenance)
  | ({ readonly kind: "absent"; readonly nameExists: boolean; readonly server: string } & Provenance)
  | Unanswered;

/**
 * One question, asked twice at most of each server; it ends by `timeoutMs`, whatever they do. `name` is `.` for the root.
 * Never rejects for what DNS says or does; an invalid `options.server` is a fault of ours, and throws.
 */
export async function askSecurely<T extends SecureType>(
  type: T,
  name: string,
  options: AskOptions,
): Promise<SecureAnswer<RecordData[T]>> {
  if (!isName(name)) {
    return { kind: "failed", text: `DNS: a name that DNS cannot hold for ${type} ${name}`, said: null };
  }
  return await askServers(`${type} ${name}`, options, async (server, time) => await askOne(type, name, server, time));
}

async function askOne<T extends SecureType>(
  type: T,
  name: string,
  server: string,
  time: TimeLeft,
): Promise<Said<SecureAnswer<RecordData[T]>>> {
  const endpoint = dnsEndpoint(server);
  if (endpoint === null) throw new TypeError(`${server} is no DNS server: write ip, ip:port or [ipv6]:port`);
  const question = { id: randomInt(0x1_0000), type, name };
  const heard = await overUdp(question, endpoint, time);
  const said = heard?.kind === "truncated" ? await overTcp(question, endpoint, time) : heard;
  if (said === null) return null;
  if (said.kind === "records" || said.kind === "absent") return { answer: { ...said, server } };
  return { failure: "text" in said ? said.text : "a malformed answer" };
}

/** Whether the resolver checks signatures: the root is signed, so that one which does says so of the root's SOA. */
export async function validates(options: AskOptions): Promise<"yes" | "no" | "unknown"> {
  const answer = await askSecurely("SOA", ".", options);
  if (answer.kind === "failed") return "unknown";
  return answer.isSecure ? "yes" : "no";
}

/** What a server said, or why there is no word of it; null: nothing within the limit. */
type Heard<T> = Message<T> | { readonly kind: "unreachable"; readonly text: string } | null;

async function overUdp<T extends SecureType>(
  question: Question<T>,
  { address, port }: Endpoint,
  time: TimeLeft,
): Promise<Heard<RecordData[T]>> {
  const { promise, resolve } = Promise.withResolvers<Heard<RecordData[T]>>();
  // A socket a question: its port is the system's choice, at random, and whoever would forge an answer must guess it.
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  let received = 0;
  const limits = startLimits(
    time,
    () => received,
    () => resolve(null),
  );
  socket.on("message", (bytes: Buffer) => {
    received += 1;
    const said = readMessage(bytes, question);
    if (said.kind !== "other") resolve(said);
  });
  socket.on("error", (error) => resolve({ kind: "unreachable", text: unreachable(error) }));
  // Connected: what another address or port sends never gets here, and a closed port is told.
  socket.on("connect", () => socket.send(encodeQuestion(question)));
  socket.connect(port, address);
  try {
    return await promise;
  } finally {
    limits.end();
    socket.close();
  }
}

/** RFC 1035 §4.2.2: the same question, each message behind its length in two octets. */
async function overTcp<T extends SecureType>(
  question: Question<T>,
  { address, port }: Endpoint,
  time: TimeLeft,
): Promise<Heard<RecordData[T]>> {
  const { promise, resolve } = Promise.withResolvers<Heard<RecordData[T]>>();
  const socket = connect({ host: address, port });
  let held: Buffer = Buffer.alloc(0);
  const limits = startLimits(
    time,
    () => held.length,
    () => resolve(null),
  );
  socket.on("data", (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    if (held.length < 2 || held.length < 2 + held.readUInt16BE()) return;
    const said = readMessage(held.subarray(2, 2 + held.readUInt16BE()), question);
    // One connection, one question: what is no answer to it, or is cut again, is a fault of the server's.
    resolve(said.kind === "other" || said.kind === "truncated" ? { kind: "malformed" } : said);
  });
  socket.on("error", (error) => resolve({ kind: "unreachable", text: `${unreachable(error)} over TCP` }));
  socket.on("close", () => resolve({ kind: "unreachable", text: "a connection closed without an answer" }));
  const message = encodeQuestion(question);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  socket.write(Buffer.concat([length, message]));
  try {
    return await promise;
  } finally {
    limits.end();
    socket.destroy();
  }
}

function unreachable(error: NodeJS.ErrnoException): string {
  return error.code === "ECONNREFUSED" ? "no server" : (error.code ?? error.message);
}
