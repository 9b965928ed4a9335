// An SMTP server on loopback that says to each recipient what it was told to, and keeps what it received.
import { once } from "node:events";
import type net from "node:net";
import { SMTPServer } from "smtp-server";

export interface Received {
  readonly to: readonly string[];
  readonly data: string;
}

export interface Receiver extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly received: readonly Received[];
  readonly sessions: number;
  /** What this recipient is answered, one after another, to RCPT; `swallow`: takes it, and closes after the message. */
  plan(recipient: string, answers: readonly string[]): void;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const plans = new Map<string, string[]>();
  const swallowing = new Set<string>();
  let sessions = 0;
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    onConnect: (_session, callback) => {
      sessions += 1;
      callback();
    },
    onRcptTo: ({ address }, session, callback) => {
      const answer = plans.get(address)?.shift() ?? "250 ok";
      if (answer === "swallow") swallowing.add(session.id);
      if (answer === "swallow" || answer.startsWith("2")) return callback();
      const [code = "", ...words] = answer.split(" ");
      return callback(Object.assign(new Error(words.join(" ")), { responseCode: Number(code) }));
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        received.push({ to, data: Buffer.concat(chunks).toString("latin1") });
        if (!swallowing.delete(session.id)) return callback(null, "queued");
        for (const connection of server.connections) connection.close();
      });
    },
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as net.AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    received,
    get sessions() {
      return sessions;
    },
    plan: (recipient, answers) => void plans.set(recipient, [...answers]),
    [Symbol.asyncDispose]: async () => await new Promise((resolve) => server.close(() => resolve())),
  };
}
