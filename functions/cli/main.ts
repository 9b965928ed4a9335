// The command line: finds the command, runs it, and turns what happened into an exit status and at most one line.
// What the commands do, their own files know.
import process from "node:process";
import packageFile from "../../package.json" with { type: "json" };
import { faultStatus, usageStatus } from "./exit.ts";
import { explainCommand, explainOptions } from "./explain.ts";
import { nearest, quote, UsageFault, type OptionSpec } from "./options.ts";
import { probeCommand, probeOptions } from "./probe.ts";
import { replay, replayOptions } from "./replay.ts";
import { visibleLine } from "../verdict/visible.ts";
import { write } from "./write.ts";

interface Command {
  readonly name: string;
  readonly operands: string;
  readonly about: string;
  readonly options: readonly OptionSpec[];
  readonly run: (args: readonly string[]) => Promise<number>;
}

const commands: readonly Command[] = [
  {
    name: "probe",
    operands: "<address>...",
    about: "asks the recipients' mail hosts, and prints the one answer that decides",
    options: probeOptions,
    run: probeCommand,
  },
  {
    name: "explain",
    operands: "[reply]",
    about: "tells what one reply means, who must act and what to do: of the command line, or standard input",
    options: explainOptions,
    run: explainCommand,
  },
  {
    name: "replay",
    operands: "[file]",
    about: "judges again what probe --json printed: from a file, or standard input",
    options: replayOptions,
    run: replay,
  },
];

/**
 * Runs one command line, without the interpreter and the program's name.
 * @returns the exit status: 0 accepted, 1 rejected, 2 deferred, 3 unanswered or unknown (of several domains the
 *   highest), 64 usage, 70 a fault of ours
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    if (error instanceof UsageFault) return await say(error.message, usageStatus);
    const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
    if (syscall === "write")
      return await say(`standard output cannot be written (${code}); write to another place`, faultStatus);
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return await say(`this is a fault of delivery-probe itself: ${words.replaceAll(/\s*\n\s*/g, " ")}`, faultStatus);
  }
}

async function run(argv: readonly string[]): Promise<number> {
  const [name, ...args] = argv;
  if (name === undefined) throw new UsageFault(`no command is given; write ${names.join(" or ")}, or --help`);
  if (name === "--help" || name === "-h" || name === "help") return await print(helpOf(args[0]));
  if (name === "--version") return await print(`${packageFile.version}\n`);
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw unknownCommand(name);
  // Behind `--` nothing is an option.
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  if (own.includes("--help") || own.includes("-h")) return await print(commandHelp(command));
  return await command.run(args);
}

const names = commands.map((command) => command.name);

function unknownCommand(name: string): UsageFault {
  const meant = name.includes("@") ? `probe ${name}` : nearest(name, names);
  return new UsageFault(`there is no command ${quote(name)}; write ${meant ?? `one of ${names.join(", ")}`}`);
}

function helpOf(name: string | undefined): string {
  const command = commands.find((each) => each.name === name);
  return command === undefined ? overview() : commandHelp(command);
}

function overview(): string {
  const width = Math.max(...commands.map(({ name, operands }) => `${name} ${operands}`.length));
  return [
    "usage: delivery-probe <command> [options]",
    "",
    ...commands.map(({ name, operands, about }) => `  ${`${name} ${operands}`.padEnd(width)}  ${about}`),
    "",
    "delivery-probe <command> --help tells a command's options; --version this program's version.",
    "Exit status: 0 accepted, 1 rejected, 2 deferred, 3 unanswered or unknown, 64 usage, 70 a fault of the program.",
    "",
  ].join("\n");
}

function commandHelp({ name, operands, about, options }: Command): string {
  const rows = options.map((spec) => ({
    left: `--${spec.name}${spec.value === null ? "" : ` ${spec.value}`}${spec.many ? " ..." : ""}`,
    about: spec.about,
  }));
  const width = Math.max(...rows.map((row) => row.left.length));
  return [
    `usage: delivery-probe ${name} ${operands} [options]`,
    "",
    `  ${about}`,
    "",
    ...rows.map((row) => `  ${row.left.padEnd(width)}  ${row.about}`),
    "",
  ].join("\n");
}

async function print(text: string): Promise<number> {
  await write(process.stdout, text);
  return 0;
}

async function say(text: string, status: number): Promise<number> {
  await write(process.stderr, `delivery-probe: ${visibleLine(text)}\n`);
  return status;
}
