// The thread in which mail hosts play: listens, gives each connection its script, and tells what became of it. It
// refuses what is not loopback, for it accepts every client and its key is public.
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { underTls } from "./dialog-setup.ts";
import type { Dialog, Script } from "./dialog.ts";
import { play } from "./mail-host-play.ts";
import type { Fault, Journal } from "./mail-host-play.ts";
import { Wire } from "./mail-host-wire.ts";
import { playOpen } from "./open-host.ts";
import type { MailHostOptions, Played, Question, Reaction } from "./mail-host.ts";

/** What a host that serves for ever remembers, in connections and in faults. */
const keptLimit = 100;
/** How long a host that is asked waits for clients to go. */
const patienceMs = 2_000;

const hosts = new Map<number, PlayingHost>();

parentPort?.on("message", ({ id, question }: { id: number; question: Question }) => {
  void react(question)
    .catch((error: unknown): Reaction => ({ kind: "failed", message: String(error) }))
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
    .then((reaction) => parentPort?.postMessage({ id, reaction }));
});

async function react(question: Question): Promise<Reaction> {
  if (question.kind === "start") {
    const host = new PlayingHost(question.dialog, question.options);
    const { address, port } = await host.listen();
    hosts.set(question.host, host);
    return { kind: "started", address, port };
  }
  const host = hosts.get(question.host);
  if (question.kind === "close") {
    host?.close();
    hosts.delete(question.host);
    return { kind: "closed" };
  }
  if (host === undefined) throw new Error("the mail host is closed");
  if (question.kind === "change") {
    host.change(question.dialog);
    return { kind: "changed" };
  }
  return { kind: "told", played: await host.tell() };
}

class PlayingHost {
  #dialog: Dialog;
  /** Whether what the dialog says is left aside, for a host that takes all. */
  #isOpen = false;
  readonly #options: MailHostOptions;
  readonly #server: Server;
  readonly #playing = new Map<Wire, { readonly number: number; readonly ended: Promise<void> }>();
  readonly #pauses = new Set<() => void>();
  #hurried = 0;
  #connections = 0;
  #faults: string[] = [];
  #journals: Journal[] = [];

  constructor(dialog: Dialog, options: MailHostOptions) {
    this.#dialog = dialog;
    this.#options = options;
    this.#server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  async listen(): Promise<AddressInfo> {
    const { address = "127.0.0.1", port = 0 } = this.#options;
    if (!/^(?:127\.|::1$)/.test(address)) throw new Error(`a mail host listens on loopback only, not on ${address}`);
    this.#server.listen(port, address);
    await once(this.#server, "listening");
    return this.#server.address() as AddressInfo;
  }

  /** Connections that are open play on as they began. */
  change(dialog: Dialog | null): void {
    this.#isOpen = dialog === null;
    this.#dialog = dialog ?? this.#dialog;
  }

  async tell(): Promise<Played> {
    // A connection that came and went may still have to be accepted: two turns of the loop see it.
    await setImmediate();
    await setImmediate();
    const open = await this.#settle();
    const { scripts, file } = this.#dialog;
    const missing = this.#options.repeat === true ? [] : scripts.map((_, index) => index + 1).slice(this.#connections);
    return {
      faults: [
        ...this.#faults,
        ...open.map((number) => `${file}: connection ${number} is still open: the client has not left`),
        ...missing.map((number) => `${file}: connection ${number} of ${scripts.length} never came`),
      ],
      connections: this.#connections,
      received: this.#journals.map(({ lines }) => lines),
      messages: this.#journals.flatMap(({ messages }) => messages),
    };
  }

  close(): void {
    this.#server.close();
    for (const wire of this.#playing.keys()) wire.reset();
    for (const end of this.#pauses) end();
  }

  /** Waits until all connections have ended. Returns the numbers of those that have not. */
  async #settle(): Promise<number[]> {
    this.#hurried += 1;
    for (const end of this.#pauses) end();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([patience, Promise.all([...this.#playing.values()].map(({ ended }) => ended))]);
    clearTimeout(timer);
    this.#hurried -= 1;
    return [...this.#playing.values()].map(({ number }) => number);
  }

  #accept(socket: Socket): void {
    this.#connections += 1;
    const number = this.#connections;
    const wire = new Wire(socket, this.#options.shows);
    const script = this.#dialog.scripts[this.#options.repeat === true ? 0 : number - 1];
    if (script === undefined) {
      const { file, scripts } = this.#dialog;
      this.#faults.push(`${file}: connection ${number} came, and there are scripts for ${scripts.length}`);
      wire.reset();
      return;
    }
    const ended = this.#play(this.#options.tls === true ? underTls(script) : script, wire, number);
    this.#playing.set(wire, { number, ended });
  }

  async #play(script: Script, wire: Wire, number: number): Promise<void> {
    const journal: Journal = { lines: [], messages: [] };
    this.#journals = [...this.#journals, journal].slice(-keptLimit);
    if (this.#options.bytes === true) wire.dribble(1);
    const dialog = this.#dialog;
    try {
      const fault = this.#isOpen
        ? await playOpen(wire, journal)
        : await play(script, wire, journal, (waitMs) => this.#pause(waitMs), this.#options.mayQuit ?? false);
      if (fault === null) return;
      this.#faults = [...this.#faults, this.#describe(dialog, script, fault, number)].slice(-keptLimit);
    } catch (error) {
      wire.reset();
      this.#faults.push(`${dialog.file}: connection ${number}: the mail host failed: ${String(error)}`);
    } finally {
      this.#playing.delete(wire);
    }
  }

  #pause(waitMs: number): Promise<void> {
    if (this.#hurried > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      this.#pauses.add(end);
    });
  }

  #describe({ file, scripts }: Dialog, script: Script, { at, came }: Fault, number: number): string {
    const lineNumber = script[Math.min(at, script.length - 1)]?.lineNumber ?? 1;
    const under = this.#options.tls === true ? ", under STARTTLS" : "";
    const lines = script.map(({ source }, index) => `${index === at ? "▶" : " "} ${source}`);
    const behind = at === script.length ? ["▶ (the script is over)"] : [];
    const text = [...lines, ...behind].toSpliced(at + 1, 0, `  came: ${came}`);
    return [`${file}:${lineNumber}: connection ${number} of ${scripts.length}${under} left its script`, ...text].join(
      "\n",
    );
  }
}
