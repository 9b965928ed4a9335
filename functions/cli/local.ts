// `delivery-probe local`: runs the whole system on this machine until it is told to end, and tells a line for each thing
// that happens. The system itself is in infra/local, which a checkout has and an installed package has not.
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Config } from "../config/config.ts";
import { visibleLine } from "../verdict/visible.ts";
import { readConfigFile } from "./config-file.ts";
import { faultStatus } from "./exit.ts";
import { quote, readOptions, UsageFault, type OptionSpec } from "./options.ts";
import { write } from "./write.ts";

export const localOptions: readonly OptionSpec[] = [
  {
    name: "state",
    value: "dir",
    many: false,
    about: "keep everything there; its endpoints.json says when all is ready",
  },
  {
    name: "speed",
    value: "n",
    many: false,
    about: "run the clock of schedules and alarms n times as fast; 1 by default",
  },
  { name: "config", value: "file", many: false, about: "the configuration; the project's example by default" },
  { name: "block", value: "name", many: true, about: "have this provider of the lab refuse us" },
];

/** The configuration where none is given. */
const example = fileURLToPath(new URL("../../infra/config/example.json", import.meta.url));

/** Of the stack in infra/local/stack.ts what is used here: its types are not ours to import. */
interface Stack extends AsyncDisposable {
  readonly endpoints: { readonly sqs: string };
  readonly providers: readonly { readonly name: string; readonly blocked: boolean }[];
}

type StartStack = (options: {
  readonly config: Config;
  readonly state: string | null;
  readonly speed: number;
  readonly blocked: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly run: true;
}) => Promise<Stack>;

/** The stack, and what people see of it, in lines. */
interface Local {
  readonly startStack: StartStack;
  readonly onSeen: (stack: Stack, listener: (seen: unknown) => void) => void;
  readonly lineOf: (seen: unknown) => string;
}

/** @returns 0, when SIGINT or SIGTERM has ended it and everything is closed */
export async function localCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, localOptions);
  const [operand] = options.positionals;
  if (operand !== undefined) throw new UsageFault(`local takes no operand such as ${quote(operand)}; see local --help`);
  const state = options.one("state");
  const speed = readSpeed(options.one("speed"));
  const { startStack, onSeen, lineOf } = await importStack();
  const config = await readConfigFile(options.one("config") ?? example);
  const ending = signalled();
  const lines = new Lines();
  try {
    const blocked = options.all("block");
    await using stack = await startStack({ config, state, speed, blocked, env: process.env, run: true });
    onSeen(stack, (seen) => lines.print(lineOf(seen)));
    lines.print(visibleLine(readyLine(stack, state)));
    lines.print(`${await ending}: stopping`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // What whoever starts it can mend.
    if (error.name === "StackFault") throw new UsageFault(error.message);
    await lines.written();
    await write(process.stderr, `delivery-probe: ${visibleLine(`the local stack ended: ${error.message}`)}\n`);
    return faultStatus;
  }
  await lines.written();
  return 0;
}

function readSpeed(text: string | null): number {
  const speed = Number(text ?? "1");
  if (speed >= 1 && speed <= 3_600) return speed;
  throw new UsageFault(`--speed ${quote(text ?? "")} is no speed; write a number from 1 to 3600`);
}

/** By an address that is computed, so that neither a bundle nor the sources depend on it. */
async function importStack(): Promise<Local> {
  const folder = new URL("../../infra/local/", import.meta.url);
  if (!existsSync(new URL("stack.ts", folder))) {
    throw new UsageFault(
      "local runs from a checkout of the project alone, not from the installed package; clone it, npm ci",
    );
  }
  const [stack, watch, seen] = await Promise.all(
    ["stack.ts", "view/watch.ts", "view/seen.ts"].map(
      async (file) => (await import(new URL(file, folder).href)) as object,
    ),
  );
  return { ...stack, ...watch, ...seen } as Local;
}

/** Resolves with the signal's name. The next one ends the process as it would any other. */
function signalled(): Promise<string> {
  return new Promise((resolve) => {
    const signals = ["SIGINT", "SIGTERM"] as const;
    const hear = (signal: NodeJS.Signals): void => {
      for (const each of signals) process.off(each, hear);
      resolve(signal);
    };
    for (const each of signals) process.on(each, hear);
  });
}

/** Lines in the order in which they came, each written when the one before is out. */
class Lines {
  #writing: Promise<void> = Promise.resolve();

  print(line: string): void {
    this.#writing = this.#writing.then(() => write(process.stdout, `${line}\n`));
  }

  async written(): Promise<void> {
    await this.#writing;
  }
}

function readyLine({ endpoints, providers }: Stack, state: string | null): string {
  const place = state === null ? `SQS and SNS at ${endpoints.sqs}` : `${state}/endpoints.json`;
  const blocking = providers.filter(({ blocked }) => blocked).map(({ name }) => name);
  const who = blocking.length === 0 ? "no provider refuses us" : `refused by ${blocking.join(", ")}`;
  return `ready      ${place}; ${who}`;
}
