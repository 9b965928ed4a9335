// Reads secrets where the configuration says that they are: at run time, so that one that is changed there is taken up
// within five minutes. It does not know what a secret opens, and no fault and no log of it holds one.
import { settingsAt } from "./clients.ts";
import type { ConfigSecret } from "./config/config.ts";
import type { Log } from "./report/log.ts";
import { lateFault, SecretFault, storeFault } from "./secrets/fault.ts";
import { fieldOf, placeOf } from "./secrets/place.ts";
import type { Place, Store, StoreKind } from "./secrets/store.ts";

export interface Secrets {
  /**
   * @param signal until when it is waited for; others who wait for the same one go on
   * @throws SecretFault
   */
  readonly read: (given: ConfigSecret, signal?: AbortSignal) => Promise<string>;
  /** Loads what it takes to read these, so that it is not loaded in mid-session (DESIGN §10). Never throws. */
  readonly load: (given: readonly ConfigSecret[]) => Promise<void>;
}

export interface SecretsOptions {
  readonly log: Log;
  /** The machine's own clock. */
  readonly nowMs?: () => number;
  /** Of both services, where they are not AWS's own: in tests. */
  readonly endpoint?: string | null;
}

/** @param env the environment, where what {"env": "NAME"} says is */
export function openSecrets(env: NodeJS.ProcessEnv, options: SecretsOptions): Secrets {
  const stores = new Stores(options);
  return {
    read: async (given, signal) => {
      if (typeof given === "string") return given;
      if ("env" in given) return variable(given.env, env);
      const place = placeOf(given);
      return fieldOf(await inTime(stores.read(place), place, signal), place);
    },
    load: async (given) => {
      const kinds = given.flatMap((each) => (typeof each === "string" || "env" in each ? [] : placeOf(each).kind));
      await Promise.allSettled(kinds.map((kind) => stores.open(kind)));
    },
  };
}

function variable(name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  const words = `the environment variable ${name} is not set; set it to the secret that the configuration leaves there`;
  throw new SecretFault(words, true);
}

async function inTime(text: Promise<string>, place: Place, signal: AbortSignal | undefined): Promise<string> {
  if (signal === undefined) return await text;
  const { promise: over, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(lateFault(place));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([text, over]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** As long as a secret that has been changed may go on being used. */
const keptMs = 300_000;
/** After a reading that failed: a service that does not answer would hold up whoever wants the secret, every time. */
const againMs = 30_000;

interface Held {
  readonly text: string;
  readonly untilMs: number;
}

/** What has been read, and what is being read. */
class Stores {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #settings: object;
  readonly #opened = new Map<StoreKind, Promise<Store>>();
  readonly #held = new Map<string, Held>();
  readonly #asked = new Map<string, Promise<string>>();

  constructor({ log, nowMs = Date.now, endpoint = null }: SecretsOptions) {
    this.#log = log;
    this.#nowMs = nowMs;
    this.#settings = settingsAt(endpoint ?? undefined);
  }

  async open(kind: StoreKind): Promise<Store> {
    const opened = this.#opened.get(kind) ?? openers[kind](this.#settings);
    this.#opened.set(kind, opened);
    return await opened;
  }

  /** Those who want the same one at once share the call. */
  async read(place: Place): Promise<string> {
    const { text: key } = place;
    const held = this.#held.get(key);
    if (held !== undefined && this.#nowMs() < held.untilMs) return held.text;
    const asked = this.#asked.get(key) ?? this.#ask(place, held).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    return await asked;
  }

  async #ask(place: Place, held: Held | undefined): Promise<string> {
    try {
      const store = await this.open(place.kind);
      const text = await store(place.name);
      if (text === "") throw new SecretFault(`${place.text} holds no text; store the secret there as text`, true);
      this.#held.set(place.text, { text, untilMs: this.#nowMs() + keptMs });
      return text;
    } catch (error) {
      const fault = storeFault(error, place);
      if (held === undefined) throw fault;
      this.#log({ level: "warn", event: "secret-unread", secret: place.text, fault: fault.message });
      this.#held.set(place.text, { text: held.text, untilMs: this.#nowMs() + againMs });
      return held.text;
    }
  }
}

const openers: Readonly<Record<StoreKind, (settings: object) => Promise<Store>>> = {
  secretsManager: async (settings) => (await import("./secrets/secrets-manager.ts")).openSecretsManager(settings),
  ssm: async (settings) => (await import("./secrets/parameter-store.ts")).openParameterStore(settings),
  file: async () => (await import("./secrets/files.ts")).readFileSecret,
};
