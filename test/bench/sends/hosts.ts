// Mail hosts of the package smtp-server on loopback, which take, put off, refuse and cut off as the plan says, and write
// down what they took. What is promised about that, they do not know.
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import type { Ledger } from "./ledger.ts";
import { isCut, isCutAtMail, leaderOf, words, type Act } from "./plan.ts";

export interface Hosts extends AsyncDisposable {
  /** `127.0.0.1:port`, of each. */
  readonly addresses: readonly string[];
  /** Sessions that are open now. */
  readonly open: () => number;
  readonly sessions: () => number;
}

export interface HostsOptions {
  readonly howMany: number;
  readonly ledger: Ledger;
  readonly actOf: (recipient: string) => Act;
  /** Something happened in a session. */
  readonly onStep: () => void;
}

/** One memory for all of them: a recipient that one has put off, another knows. */
export async function startHosts(options: HostsOptions): Promise<Hosts> {
  const seen = new Seen();
  const servers = Array.from({ length: options.howMany }, () => new Host(options, seen));
  await Promise.all(servers.map(async ({ server }) => once(server.listen(0, "127.0.0.1"), "listening")));
  return {
    addresses: servers.map(({ server }) => `127.0.0.1:${(server.server.address() as AddressInfo).port}`),
    open: () => servers.reduce((sum, each) => sum + each.sockets.size, 0),
    sessions: () => servers.reduce((sum, each) => sum + each.sessions, 0),
    [Symbol.asyncDispose]: async () => void (await Promise.all(servers.map((each) => each.close()))),
  };
}

/** How often a recipient came to a stage. */
class Seen {
  readonly #times = new Map<string, number>();

  next(stage: string, recipient: string): number {
    const times = (this.#times.get(`${stage} ${recipient}`) ?? 0) + 1;
    this.#times.set(`${stage} ${recipient}`, times);
    return times;
  }
}

type Done = (error?: Error | null, text?: string) => void;

class Host {
  readonly server: SMTPServer;
  /** By the client's port, which names a session too. */
  readonly sockets = new Map<number, Socket>();
  sessions = 0;
  readonly #options: HostsOptions;
  readonly #seen: Seen;

  constructor(options: HostsOptions, seen: Seen) {
    this.#options = options;
    this.#seen = seen;
    this.server = new SMTPServer({
      disabledCommands: ["AUTH", "STARTTLS"],
      disableReverseLookup: true,
      logger: false,
      name: "mx.example",
      onConnect: (_session, done) => this.#step(done),
      onMailFrom: ({ address }, session, done) => this.#onMail(address, session, done),
      onRcptTo: ({ address }, session, done) => this.#onRcpt(address, session, done),
      onData: (stream, session, done) => void this.#onData(stream, session, done),
    });
    // Clients that are killed leave in every way there is.
    this.server.on("error", () => {});
    this.server.server.on("connection", (socket: Socket) => {
      const port = socket.remotePort ?? 0;
      this.sessions += 1;
      this.sockets.set(port, socket);
      socket.on("close", () => this.sockets.delete(port));
    });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.values()) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(resolve));
  }

  #step(done: Done): void {
    this.#options.onStep();
    done(null);
  }

  #onMail(from: string, session: SMTPServerSession, done: Done): void {
    if (isCutAtMail(from) && this.#seen.next("mail", from) === 1) return this.#reset(session);
    this.#step(done);
  }

  #onRcpt(recipient: string, session: SMTPServerSession, done: Done): void {
    this.#options.onStep();
    const act = this.#options.actOf(recipient);
    const times = this.#seen.next("rcpt", recipient);
    if (act.kind === "refuse" && act.at === "rcpt") return done(refusal(550, words.refuse.rcpt));
    if (act.kind === "defer" && act.at === "rcpt" && times <= act.times) return done(refusal(450, words.defer.rcpt));
    if (isCut(act, "rcpt") && times === 1) return this.#reset(session);
    done(null);
  }

  async #onData(stream: SMTPServerDataStream, session: SMTPServerSession, done: Done): Promise<void> {
    this.#options.onStep();
    const recipients = session.envelope.rcptTo.map(({ address }) => address);
    // Of two at one domain the first one's act is for both, as long as it is among them.
    const leader = recipients.find((each) => each === leaderOf(each)) ?? recipients[0] ?? "";
    const act = this.#options.actOf(leader);
    const times = this.#seen.next("message", leader);
    if (isCut(act, "body") && times === 1) {
      stream.on("error", () => {});
      stream.once("data", () => this.#reset(session));
      return;
    }
    // A client that is killed in the middle of its message has sent none.
    const octets = await buffer(stream).catch(() => null);
    if (octets === null) return;
    this.#options.onStep();
    if (isCut(act, "before-accepting") && times === 1) return this.#reset(session);
    if (act.kind === "refuse" && act.at === "message") return done(refusal(550, words.refuse.message));
    if (act.kind === "defer" && act.at === "message" && times <= act.times) {
      return done(refusal(451, words.defer.message));
    }
    this.#options.ledger.take(recipients, octets);
    if (isCut(act, "after-accepting") && times === 1) return this.#reset(session);
    done(null, "taken");
  }

  #reset(session: SMTPServerSession): void {
    this.sockets.get(session.remotePort)?.resetAndDestroy();
  }
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
