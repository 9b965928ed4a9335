// The command line: finds the command, runs it, and turns what happened into an exit status and at most one line.
// What the commands do, their own files know.
import process from "node:process";
import packageFile from "../../package.json" with { type: "json" };
import { commands, type Command } from "./commands.ts";
import { faultStatus, usageStatus } from "./exit.ts";
import { nearest, quote, UsageFault } from "./options.ts";
import { visibleLine } from "../verdict/visible.ts";
import { wrapped } from "./wrap.ts";
import { write } from "./write.ts";

/**
 * Runs one command line, without the interpreter and the program's name.
 * @returns the exit status: 0 accepted, 1 rejected, 2 deferred, 3 unanswered or unknown (of several domains the
 *   highest, of all hosts of one the most telling); of a self-check 0 ok, 1 a fault, 3 not known; 64 usage, 70 a fault of ours
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
  if (name === undefined) throw new UsageFault(`no command is given; write one of ${names.join(", ")}, or --help`);
  if (name === "--help" || name === "-h" || name === "help") return await print(await helpOf(args[0]));
  if (name === "--version") return await print(`${packageFile.version}\n`);
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw unknownCommand(name);
  // Behind `--` nothing is an option.
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  if (own.includes("--help") || own.includes("-h")) return await print(await commandHelp(command));
  const { run } = await command.load();
  return await run(args);
}

const names = commands.map((command) => command.name);

function unknownCommand(name: string): UsageFault {
  const meant = name.includes("@") ? `probe ${name}` : nearest(name, names);
  return new UsageFault(`there is no command ${quote(name)}; write ${meant ?? `one of ${names.join(", ")}`}`);
}

async function helpOf(name: string | undefined): Promise<string> {
  const command = commands.find((each) => each.name === name);
  return command === undefined ? overview() : await commandHelp(command);
}

function overview(): string {
  const width = Math.max(...commands.map(({ name, operands }) => `${name} ${operands}`.length));
  return [
    "usage: delivery-probe <command> [options]",
    "",
    ...commands.flatMap(({ name, operands, about }) =>
      wrapped(`  ${`${name} ${operands}`.padEnd(width)}  ${about}`, " ".repeat(width + 4), helpWidth),
    ),
    "",
    "delivery-probe <command> --help tells a command's options; --version this program's version.",
    "Exit status: 0 accepted, 1 rejected, 2 deferred, 3 unanswered or unknown, 64 usage, 70 a fault of the program;",
    "of probe --self-check 0 ok, 1 a fault, 3 not known.",
    "",
  ].join("\n");
}

async function commandHelp({ name, operands, about, load }: Command): Promise<string> {
  const { options } = await load();
  const rows = options.map((spec) => ({
    left: `--${spec.name}${spec.value === null ? "" : ` ${spec.value}`}${spec.many ? " ..." : ""}`,
    about: spec.about,
  }));
  const width = Math.max(...rows.map((row) => row.left.length));
  return [
    `usage: delivery-probe ${[name, operands].join(" ").trim()} [options]`,
    "",
    `  ${about}`,
    "",
    ...rows.flatMap((row) => wrapped(`  ${row.left.padEnd(width)}  ${row.about}`, " ".repeat(width + 4), helpWidth)),
    "",
  ].join("\n");
}

const helpWidth = 120;

async function print(text: string): Promise<number> {
  await write(process.stdout, text);
  return 0;
}

async function say(text: string, status: number): Promise<number> {
  await write(process.stderr, `delivery-probe: ${visibleLine(text)}\n`);
  return status;
}
