// A mail host in this process that tells what it has read and when it may answer: for tests of the order of things on
// both sides of a connection. It takes messages by DATA and, unlike `smtp-server`, by BDAT.
import { once } from "node:events";
import net from "node:net";

export interface LineHostOptions {
  /** Announced behind the name. */
  readonly extensions: readonly string[];
  readonly greeting?: string;
  /** What is awaited before a command is answered, and what is answered in the place of yes; null: yes. */
  readonly answer?: (command: string) => Promise<string | null> | string | null;
}

export interface LineHost extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** The commands so far, of all connections. */
  readonly commands: readonly string[];
  /** The messages so far; those of DATA with their dots still stuffed, and with the lone dot. */
  readonly messages: readonly Buffer[];
  readonly connections: () => number;
}

type Body = { readonly by: "dot" } | { readonly by: "count"; readonly octets: number };
type What = Body | { readonly by: "line" };

const loneDot = "\r\n.\r\n";

export async function startLineHost(options: LineHostOptions): Promise<LineHost> {
  const commands: string[] = [];
  const messages: Buffer[] = [];
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    void play(socket, options, commands, messages);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: "127.0.0.1",
    port: (server.address() as net.AddressInfo).port,
    commands,
    messages,
    connections: () => sockets.length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function play(
  socket: net.Socket,
  options: LineHostOptions,
  commands: string[],
  messages: Buffer[],
): Promise<void> {
  const reader = new Reader(socket);
  socket.write(`${options.greeting ?? "220 mx.example ESMTP"}\r\n`);
  for (;;) {
    const line = await reader.take({ by: "line" });
    if (line === null) return;
    const command = line.toString("latin1").trimEnd();
    commands.push(command);
    const chunk = /^BDAT (\d+) LAST$/.exec(command);
    const body: Body | null = chunk === null ? null : { by: "count", octets: Number(chunk[1]) };
    if (body !== null && !(await keep(body, reader, messages))) return;
    const said = (await options.answer?.(command)) ?? replyTo(command, options);
    socket.write(`${said}\r\n`);
    if (command === "QUIT") return void socket.end();
    if (command !== "DATA" || !said.startsWith("354")) continue;
    if (!(await keep({ by: "dot" }, reader, messages))) return;
    commands.push(".");
    socket.write(`${(await options.answer?.(".")) ?? "250 2.0.0 queued"}\r\n`);
  }
}

async function keep(body: Body, reader: Reader, messages: Buffer[]): Promise<boolean> {
  const message = await reader.take(body);
  if (message !== null) messages.push(message);
  return message !== null;
}

function replyTo(command: string, { extensions }: LineHostOptions): string {
  if (command.startsWith("EHLO ")) {
    const all = ["mx.example", ...extensions];
    return all.map((each, index) => `250${index === all.length - 1 ? " " : "-"}${each}`).join("\r\n");
  }
  if (command === "DATA") return "354 go ahead";
  if (command === "QUIT") return "221 2.0.0 bye";
  return command.startsWith("BDAT") ? "250 2.0.0 queued" : "250 2.0.0 ok";
}

/** Octets by the line, by the number, or up to the lone dot. */
class Reader {
  readonly #pieces: AsyncIterator<Buffer>;
  #kept = Buffer.alloc(65_536);
  #size = 0;

  constructor(socket: net.Socket) {
    this.#pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Null: the connection ended before. */
  async take(what: What): Promise<Buffer | null> {
    let from = 0;
    for (;;) {
      const end = endOf(what, this.#kept.subarray(0, this.#size), from);
      if (end !== null) return this.#cut(end);
      from = Math.max(0, this.#size - loneDot.length);
      const next = await this.#pieces.next().catch(() => null);
      if (next === null || next.done === true) return null;
      this.#keep(next.value);
    }
  }

  #keep(piece: Buffer): void {
    while (this.#size + piece.length > this.#kept.length) this.#kept = Buffer.concat([this.#kept, this.#kept]);
    piece.copy(this.#kept, this.#size);
    this.#size += piece.length;
  }

  #cut(end: number): Buffer {
    const octets = Buffer.from(this.#kept.subarray(0, end));
    this.#kept.copyWithin(0, end, this.#size);
    this.#size -= end;
    return octets;
  }
}

function endOf(what: What, kept: Buffer, from: number): number | null {
  if (what.by === "count") return kept.length >= what.octets ? what.octets : null;
  const mark = what.by === "line" ? "\n" : loneDot;
  const at = kept.indexOf(mark, from);
  return at === -1 ? null : at + mark.length;
}
