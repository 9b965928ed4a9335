// `npm start`: the whole system on this machine, with a lab of mail hosts, its time compressed so that a first page comes
// within seconds. On a terminal a live view; elsewhere a line for each thing that happens; `--once` a round and its pages.
// It decides nothing: the verdicts are the probe's, the alarms CloudWatch's, the pages the page function's.
//
//   node infra/local/start.ts [--once] [--block PROVIDER]... [--speed N] [--state DIR]
//
// Exit status 0; with --once 1 when a verdict or a page is missing; 64 when the command line is wrong.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { write } from "../../functions/cli/write.ts";
import { loadConfig } from "../../functions/config/load.ts";
import { pairsOf } from "../../functions/config/config.ts";
import { alarmsOf } from "../../functions/report/alarms.ts";
import { visibleLine } from "../../functions/verdict/visible.ts";
import { boardAfter, emptyBoard, type Board } from "./board.ts";
import { StackFault } from "./endpoints.ts";
import { lineOf } from "./event-line.ts";
import { LiveView, screenLines } from "./live-view.ts";
import { once } from "./once.ts";
import { startStack, type Stack } from "./stack.ts";

/** What the person who typed can mend. */
class UsageFault extends Error {}

const example = fileURLToPath(new URL("../config/example.json", import.meta.url));

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof UsageFault || error instanceof StackFault;
  await write(process.stderr, `${visibleLine(error instanceof Error ? error.message : String(error))}\n`);
  process.exitCode = isUsage ? 64 : 1;
}

async function main(): Promise<number> {
  const { isOnce, blocked, speed, state } = readArguments();
  const ending = ended();
  const config = await loadConfig(example);
  await using stack = await startStack({ config, state, speed, blocked, env: process.env, run: true });
  const watched = watch(stack);
  if (isOnce) return await runOnce(stack, watched.board, speed);
  if (process.stdout.isTTY) await showLive(stack, watched, speed, ending);
  else await printLines(stack, ending);
  return 0;
}

interface Arguments {
  readonly isOnce: boolean;
  readonly blocked: readonly string[];
  readonly speed: number;
  readonly state: string | null;
}

/** @throws UsageFault */
function readArguments(): Arguments {
  const { once: isOnce = false, block = ["icloud"], speed = "300", state = null } = parsed();
  const factor = Number(speed);
  if (!(factor >= 1 && factor <= 3_600)) throw new UsageFault(`--speed ${speed}: write a number from 1 to 3600`);
  return { isOnce, blocked: block, speed: factor, state };
}

interface Given {
  readonly once?: boolean;
  readonly block?: readonly string[];
  readonly speed?: string;
  readonly state?: string;
}

function parsed(): Given {
  try {
    return parseArgs({
      options: {
        once: { type: "boolean" },
        block: { type: "string", multiple: true },
        speed: { type: "string" },
        state: { type: "string" },
      },
    }).values;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new UsageFault(`${what.split("\n")[0]} Write --once, --block PROVIDER, --speed NUMBER, --state FOLDER.`);
  }
}

interface Watched {
  readonly board: () => Board;
  /** Resolves when something has happened since the last call. */
  readonly changed: () => Promise<void>;
}

function watch(stack: Stack): Watched {
  const paging = new Set(
    alarmsOf(stack.config)
      .filter(({ pages }) => pages)
      .map(({ name }) => name),
  );
  const pairs = pairsOf(stack.config).map(({ target, egress }) => ({ provider: target.provider, egress: egress.name }));
  let board = emptyBoard(pairs);
  let next = Promise.withResolvers<void>();
  stack.onEvent((event) => {
    board = boardAfter(board, event, paging);
    next.resolve();
  });
  return {
    board: () => board,
    changed: async () => {
      await next.promise;
      next = Promise.withResolvers();
    },
  };
}

async function runOnce(stack: Stack, board: () => Board, speed: number): Promise<number> {
  const { lines, complaints } = await once(stack, board, speed);
  await write(process.stdout, `${lines.join("\n")}\n`);
  await write(process.stderr, complaints.map((each) => `${visibleLine(each)}\n`).join(""));
  return complaints.length === 0 ? 0 : 1;
}

async function printLines(stack: Stack, ending: Promise<void>): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  stack.onEvent((event) => {
    const line = lineOf(event);
    if (line !== null) writing = writing.then(() => write(process.stdout, `${line}\n`));
  });
  await ending;
  await writing;
}

/** At most so many times a second, and once a second when nothing happens: time goes on. */
const drawEveryMs = 100;
const drawAtLeastMs = 1_000;

async function showLive(
  stack: Stack,
  { board, changed }: Watched,
  speed: number,
  ending: Promise<void>,
): Promise<void> {
  const quit = Promise.withResolvers<void>();
  const providers = (): Stack["providers"] => {
    const targets = new Set(stack.config.targets.map(({ provider }) => provider));
    return stack.providers.filter(({ name }) => targets.has(name)).slice(0, 9);
  };
  const toggle = (key: string): void => {
    const provider = providers()[Number(key) - 1];
    if (provider !== undefined) void stack.setBlocked(provider.name, !provider.blocked);
  };
  using view = new LiveView(process.stdout, process.stdin, (key) => {
    if (key === "q" || key === "\x03") quit.resolve();
    else if (/^[1-9]$/.test(key)) toggle(key);
  });
  let isOver = false;
  void Promise.race([quit.promise, ending]).then(() => (isOver = true));
  while (!isOver) {
    const { columns, rows } = process.stdout;
    const now = new Date(stack.clock.now());
    view.draw(screenLines(board(), { columns, rows, now, speed, providers: providers() }));
    await sleep(drawEveryMs);
    await Promise.race([changed(), sleep(drawAtLeastMs), quit.promise, ending]);
  }
}

/** Resolves at the first signal; the next one ends the process as it would any other. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    const hear = (): void => {
      for (const each of signals) process.off(each, hear);
      resolve();
    };
    for (const each of signals) process.on(each, hear);
  });
}
