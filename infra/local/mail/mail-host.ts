// Mail hosts on loopback that play dialogs: what a test or the lab holds in its hand. The hosts live in a thread of
// their own, so that they go on while the client's event loop is busy; how they play is that thread's affair.
import { Worker } from "node:worker_threads";
import type { Dialog } from "./dialog.ts";

/** A host's certificate in PEM, its issuers behind it, and its key. */
export interface Shown {
  readonly certificate: string;
  readonly key: string;
}

export interface MailHostOptions {
  /** Play the dialog under STARTTLS (see `canRunUnderTls`). */
  readonly tls?: boolean;
  /** Every octet in a write of its own. */
  readonly bytes?: boolean;
  /** Serve for ever: every connection plays the first script anew. Only the last connections' record is kept. */
  readonly repeat?: boolean;
  /** A client may say QUIT before its script is over: it gets the replies that it is owed, and no fault. */
  readonly mayQuit?: boolean;
  /** Under TLS; `certificate.ts` when left out. */
  readonly shows?: Shown;
  /** On loopback; 127.0.0.1 when left out. */
  readonly address?: string;
  /** Any free one when left out. */
  readonly port?: number;
}

/**
 * A host that plays one dialog. What it has to tell is told when the connections that came have been played to their
 * ends, or two seconds after the question; waits of the script are cut short then. So ask when the client is done.
 */
export interface MailHost extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Where clients left the script, for people; empty when all went as written. Not finished is a fault, too. */
  result(): Promise<readonly string[]>;
  /** How many connections came, those refused included. */
  connections(): Promise<number>;
  /** The client's lines, per connection, without line ends; of messages too, their dots still stuffed. */
  received(): Promise<readonly (readonly string[])[]>;
  /** The whole messages of all connections: dots unstuffed, chunks put together. */
  messages(): Promise<readonly Uint8Array[]>;
  /** What connections play from now on: another dialog, or null for an open host, which takes all that is said well. */
  change(dialog: Dialog | null): Promise<void>;
  /** Stops listening and resets what is open. */
  close(): Promise<void>;
}

/** What a host has to tell. */
export interface Played {
  readonly faults: readonly string[];
  readonly connections: number;
  readonly received: readonly (readonly string[])[];
  readonly messages: readonly Uint8Array[];
}

export type Question =
  | { readonly kind: "start"; readonly host: number; readonly dialog: Dialog; readonly options: MailHostOptions }
  | { readonly kind: "change"; readonly host: number; readonly dialog: Dialog | null }
  | { readonly kind: "tell"; readonly host: number }
  | { readonly kind: "close"; readonly host: number };

export type Reaction =
  | { readonly kind: "started"; readonly address: string; readonly port: number }
  | { readonly kind: "changed" }
  | { readonly kind: "told"; readonly played: Played }
  | { readonly kind: "closed" }
  | { readonly kind: "failed"; readonly message: string };

/** One thread with any number of hosts in it. Keeps the process alive until it is closed. */
export class MailHosts implements AsyncDisposable {
  readonly #worker = new Worker(new URL("./mail-host-worker.ts", import.meta.url));
  readonly #waiting = new Map<number, { resolve: (reaction: Reaction) => void; reject: (error: Error) => void }>();
  #asked = 0;
  #gone: Error | null = null;

  constructor() {
    this.#worker.on("message", ({ id, reaction }: { id: number; reaction: Reaction }) => {
      this.#waiting.get(id)?.resolve(reaction);
      this.#waiting.delete(id);
    });
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", () => this.#end(new Error("the mail hosts' thread has ended")));
  }

  /**
   * Starts a host.
   * @throws Error when it cannot listen
   */
  async start(dialog: Dialog, options: MailHostOptions = {}): Promise<MailHost> {
    this.#asked += 1;
    const host = this.#asked;
    const { address, port } = await this.#ask({ kind: "start", host, dialog, options }, "started");
    const tell = async () => (await this.#ask({ kind: "tell", host }, "told")).played;
    const close = async () => {
      if (this.#gone === null) await this.#ask({ kind: "close", host }, "closed");
    };
    return {
      address,
      port,
      result: async () => (await tell()).faults,
      connections: async () => (await tell()).connections,
      received: async () => (await tell()).received,
      messages: async () => (await tell()).messages,
      change: async (dialog) => void (await this.#ask({ kind: "change", host, dialog }, "changed")),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** Closes all hosts. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ask<K extends Reaction["kind"]>(question: Question, kind: K): Promise<Extract<Reaction, { kind: K }>> {
    if (this.#gone !== null) throw this.#gone;
    this.#asked += 1;
    const id = this.#asked;
    const reaction = await new Promise<Reaction>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      this.#worker.postMessage({ id, question });
    });
    if (reaction.kind === "failed") throw new Error(reaction.message);
    if (reaction.kind !== kind) throw new Error(`the mail hosts' thread answered ${reaction.kind}, not ${kind}`);
    return reaction as Extract<Reaction, { kind: K }>;
  }

  #end(error: Error): void {
    this.#gone ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
  }
}

/** Starts one host in a thread of its own, which ends with it. For many, `MailHosts` is cheaper. */
export async function startMailHost(dialog: Dialog, options: MailHostOptions = {}): Promise<MailHost> {
  const hosts = new MailHosts();
  const close = () => hosts.close();
  try {
    return { ...(await hosts.start(dialog, options)), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
