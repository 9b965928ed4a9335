// The live view of the local stack: what a screen of a terminal shows of the board, and the terminal itself, which is
// given back as it was. What stands it does not know by itself, and keys it only passes on.
import { standing } from "../../functions/verdict/incident.ts";
import type { Outcome } from "../../functions/verdict/reconcile.ts";
import type { Stage } from "../../functions/smtp/transcript.ts";
import { visibleLine } from "../../functions/verdict/visible.ts";
import type { Board, PairStanding } from "./board.ts";

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** The stack's own time. */
  readonly now: Date;
  readonly speed: number;
  /** Providers that a key blocks and unblocks, in the order of their keys: 1, 2, … */
  readonly providers: readonly { readonly name: string; readonly blocked: boolean }[];
}

/** Never more lines than rows, none longer than the columns; safe on a terminal. */
export function screenLines(board: Board, screen: Screen): readonly string[] {
  const { columns, rows, now, speed } = screen;
  const head = [
    `delivery-probe on this machine, ${timeText(now.toISOString())} (${speed} times as fast)`,
    `keys: 1-${screen.providers.length} block or unblock a provider, q quits · trend: · accepted, x blocked`,
    "",
    ...pairLines(board.pairs, screen),
    "",
    ...alarmLines(board, now),
    "",
  ];
  const room = Math.max(0, rows - head.length);
  return [...head, ...pageLines(board, room)].slice(0, rows).map((line) => cut(visibleLine(line), columns));
}

function pairLines(pairs: readonly PairStanding[], { providers }: Screen): readonly string[] {
  const heads = ["", "provider", "egress", "last verdict", "reply", "class", "trend", ""];
  const cells = pairs.map((pair, index) => {
    const isFirst = pairs[index - 1]?.provider !== pair.provider;
    const key = providers.findIndex(({ name }) => name === pair.provider);
    const name = isFirst ? pair.provider : "";
    return [isFirst && key >= 0 ? `${key + 1}` : "", name, pair.egress, ...verdictCells(pair)];
  });
  return aligned([heads, ...cells]);
}

function verdictCells({ last, trend, blockedSince }: PairStanding): readonly string[] {
  if (last === null) return ["not probed yet", "", "", "", ""];
  const { outcome, stage, code, status } = last as { outcome?: Outcome; stage?: Stage; code?: number; status?: string };
  const verdict = outcome === undefined || stage === undefined ? "" : standing(outcome, stage);
  const reply = [code ?? "-", ...(status == null ? [] : [status])].join(" ");
  const since = blockedSince === null ? "" : `blocked since ${blockedSince.slice(11, 16)}`;
  return [verdict, reply, String(last["class"] ?? ""), trend, since];
}

function alarmLines({ alarms }: Board, now: Date): readonly string[] {
  if (alarms.length === 0) return ["no alarm stands"];
  return alarms.map(({ name, since, isSuppressed }) => {
    const minutes = Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 60_000));
    return `ALARM ${name}, for ${minutes} min${isSuppressed ? ", held back by a wider one" : ""}`;
  });
}

/** The newest in full, as far as there is room, then the others' titles. */
function pageLines({ pages }: Board, room: number): readonly string[] {
  const [newest, ...older] = pages;
  if (newest === undefined) return ["no page yet"];
  const titles = older.map(({ title, at }) => `  ${timeText(at).slice(11, 16)} ${title}`);
  const all = [`PAGE ${timeText(newest.at)}`, ...newest.text.split("\n").map((line) => `  ${line}`)];
  const kept = Math.min(titles.length, Math.max(0, room - all.length - 1), 5);
  return kept === 0 ? all.slice(0, room) : [...all, "earlier:", ...titles.slice(0, kept)].slice(0, room);
}

/** Rows of cells, each column as wide as its widest cell. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Never within a character that takes two units. */
export function cut(text: string, room: number): string {
  if (text.length <= room) return text;
  const kept = text.slice(0, Math.max(0, room - 1)).replace(/[\ud800-\udbff]$/, "");
  return `${kept.trimEnd()}…`;
}

function timeText(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

const alternateScreen = "\x1b[?1049h\x1b[?25l";
const normalScreen = "\x1b[?25h\x1b[?1049l";
const home = "\x1b[H";
const clearRest = "\x1b[K";
const clearBelow = "\x1b[J";

/** A terminal that is drawn over in place. */
export class LiveView implements Disposable {
  readonly #output: NodeJS.WriteStream;
  readonly #input: NodeJS.ReadStream;
  readonly #restore = (): void => void this.#output.write(normalScreen);

  /** @param onKey each key that is pressed, as it comes; Ctrl-C is `\x03` */
  constructor(output: NodeJS.WriteStream, input: NodeJS.ReadStream, onKey: (key: string) => void) {
    this.#output = output;
    this.#input = input;
    output.on("error", () => {});
    // However the process ends, the terminal is as it was.
    process.once("exit", this.#restore);
    output.write(alternateScreen);
    if (!input.isTTY) return;
    input.setRawMode(true).setEncoding("utf8");
    input.on("data", (keys) => {
      for (const key of String(keys)) onKey(key);
    });
  }

  draw(lines: readonly string[]): void {
    this.#output.write(`${home}${lines.map((line) => `${line}${clearRest}`).join("\r\n")}${clearBelow}`);
  }

  [Symbol.dispose](): void {
    process.removeListener("exit", this.#restore);
    this.#restore();
    if (!this.#input.isTTY) return;
    this.#input.setRawMode(false);
    this.#input.pause();
  }
}
