// `npm start`: the whole system on this machine, with its clock run fast, so that on-call's page comes within seconds of
// a provider's first refusal. On a terminal a view that shows all of it, and keys to have a provider block us or not; else
// a line for each thing that happens. It reads options and puts the parts together; it decides nothing.
//
// With --once it runs rounds until the alarms that must follow have led to their pages, prints the verdicts and the pages,
// and exits: 0 when all was as it must be, 1 when not, and says what is missing.
//
//   node infra/local/start.ts [--once] [--block NAME]... [--speed N] [--state DIR]
import process from "node:process";
import { fileURLToPath } from "node:url";
import { usageStatus } from "../../functions/cli/exit.ts";
import { nearest, quote, readOptions, UsageFault, type OptionSpec } from "../../functions/cli/options.ts";
import { write } from "../../functions/cli/write.ts";
import type { Config } from "../../functions/config/config.ts";
import { loadConfig } from "../../functions/config/load.ts";
import { visible, visibleLine } from "../../functions/verdict/visible.ts";
import { StackFault } from "./endpoints.ts";
import { limitMsFor } from "./view/expected-alarms.ts";
import { runRounds, type Rounds } from "./view/once.ts";
import { compared } from "./view/other-client.ts";
import { startStack, type Stack } from "./stack.ts";
import { verdictTable } from "./view/verdict-table.ts";
import { watchLines, watchView } from "./view/watch.ts";

/** The conversation that the project was born from. */
const foundingProvider = "icloud";
/** A round of a quarter of an hour in three seconds. */
const usualSpeed = 300;
const fastest = 3_600;

const specs: readonly OptionSpec[] = [
  { name: "once", value: null, many: false, about: "run until the pages have come, print them, and exit" },
  {
    name: "block",
    value: "name",
    many: true,
    about: `a provider of the lab that blocks us; ${foundingProvider} by default`,
  },
  { name: "speed", value: "n", many: false, about: `run the clock n times as fast; ${usualSpeed} by default` },
  { name: "state", value: "dir", many: false, about: "keep everything there between runs" },
  { name: "help", value: null, many: false, about: "print this" },
];

interface Settings {
  readonly isOnce: boolean;
  readonly blocked: readonly string[];
  readonly speed: number;
  readonly state: string | null;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageFault || error instanceof StackFault;
  const text = error instanceof Error ? error.message : String(error);
  await write(process.stderr, `npm start: ${visibleLine(text)}\n`);
  process.exitCode = isUsage ? usageStatus : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const config = await loadConfig(fileURLToPath(new URL("../config/example.json", import.meta.url)));
  const settings = readSettings(args, config);
  if (settings === null) {
    await print(helpLines());
    return 0;
  }
  const ending = ended();
  const { speed, state, blocked, isOnce } = settings;
  await using stack = await startStack({ config, state, speed, blocked, env: process.env, run: true });
  if (isOnce) return await once(stack, settings, ending);
  await watch(stack, settings, ending);
  return 0;
}

/**
 * @returns null: help is asked for
 * @throws UsageFault
 */
function readSettings(args: readonly string[], config: Config): Settings | null {
  const options = readOptions(args, specs);
  if (options.has("help")) return null;
  const [operand] = options.positionals;
  if (operand !== undefined) throw new UsageFault(`there is no operand such as ${quote(operand)}; write --block NAME`);
  const known = [...new Set(config.targets.map(({ provider }) => provider))];
  const blocked = options.all("block");
  const unknown = blocked.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const instead = nearest(unknown, known) ?? `one of ${known.join(", ")}`;
    throw new UsageFault(`--block ${quote(unknown)} is no provider that is probed; write ${instead}`);
  }
  return {
    isOnce: options.has("once"),
    blocked: blocked.length === 0 ? [foundingProvider] : [...new Set(blocked)],
    speed: readSpeed(options.one("speed")),
    state: options.one("state"),
  };
}

function readSpeed(text: string | null): number {
  const speed = Number(text ?? usualSpeed);
  if (speed >= 1 && speed <= fastest) return speed;
  throw new UsageFault(`--speed ${quote(text ?? "")} is no speed; write a number from 1 to ${fastest}`);
}

function helpLines(): readonly string[] {
  const rows = specs.map(
    ({ name, value, about }) => `  ${`--${name}${value === null ? "" : ` ${value}`}`.padEnd(16)}${about}`,
  );
  return ["npm start -- [options]: the whole system on this machine, with mail hosts that block us", ...rows];
}

async function watch(stack: Stack, { speed }: Settings, ending: Promise<string>): Promise<void> {
  const { stdout, stdin, env } = process;
  if (stdout.isTTY && env["TERM"] !== "dumb") {
    const isColoured = (env["NO_COLOR"] ?? "") === "";
    return await watchView(stack, { speed, output: stdout, input: stdin.isTTY ? stdin : null, isColoured, ending });
  }
  let printing = print([`${beginning(stack, speed)}; SIGINT ends it`]);
  await watchLines(stack, { ending, print: (line) => void (printing = printing.then(() => print([line]))) });
  await printing;
}

async function once(stack: Stack, { blocked, speed }: Settings, ending: Promise<string>): Promise<number> {
  const limitMs = limitMsFor(stack.config, blocked, speed);
  await print([`${beginning(stack, speed)}; until its pages have come, ${Math.round(limitMs / 1000)} s at most`, ""]);
  const rounds = await runRounds(stack, { blocked, limitMs, ending });
  await print([...verdictTable(rounds.rows), "", ...pageLines(rounds.pages), ...(await comparison(stack, rounds))]);
  // What a host tells of a script that was left has lines of its own.
  await write(process.stderr, rounds.complaints.map((each) => `${visible(each)}\n`).join(""));
  return rounds.complaints.length === 0 ? 0 : 1;
}

function beginning({ providers, config }: Stack, speed: number): string {
  const names = new Set(config.targets.map(({ provider }) => provider));
  const blocking = providers.filter(({ blocked }) => blocked).map(({ name }) => name);
  return (
    `${names.size} providers over ${config.egresses.length} egresses, the clock ${speed} times as fast; ` +
    `blocked by ${blocking.join(", ")}`
  );
}

/** The first as on-call reads it; of the others the titles. */
function pageLines(pages: Rounds["pages"]): readonly string[] {
  const [first, ...more] = pages;
  if (first === undefined) return ["No page came: none was due, or an earlier run has told it.", ""];
  return [
    `The first of ${pages.length} pages:`,
    "",
    ...first.text
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`.trimEnd()),
    "",
    ...(more.length === 0 ? [] : ["The others:", ...more.map(({ title }) => `  ${title}`), ""]),
  ];
}

async function comparison({ lab }: Stack, { rows }: Rounds): Promise<readonly string[]> {
  const verdict = rows.find(({ provider }) => provider === foundingProvider)?.verdict ?? null;
  const asked = lab.hosts.find(({ dialog }) => dialog.provider === foundingProvider);
  return verdict === null || asked === undefined || verdict.outcome === "accepted"
    ? []
    : await compared(asked, verdict);
}

async function print(lines: readonly string[]): Promise<void> {
  await write(process.stdout, lines.map((line) => `${visibleLine(line)}\n`).join(""));
}

/** Resolves with what ends it. The next signal ends the process as it would any other. */
function ended(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const hear = (signal: NodeJS.Signals): void => {
    for (const each of signals) process.off(each, hear);
    resolve(signal);
  };
  for (const each of signals) process.on(each, hear);
  // A reader who has left wants no more of it.
  process.stdout.on("error", () => resolve("its reader"));
  return promise;
}
