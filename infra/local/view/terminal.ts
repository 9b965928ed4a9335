// The terminal while a view has it: the other screen, drawn in place, and keys as they are pressed. It gives the terminal
// back as it was, whatever ends the process but SIGKILL. What is drawn, it does not know.
import process from "node:process";
import type { ReadStream, WriteStream } from "node:tty";
import type { Line, Size, Tone } from "./live-view.ts";

/** Another screen, no cursor, and no wrapping: a line that is wider than we think moves no other. */
const enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const leave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

/** "Select Graphic Rendition" of ECMA-48. */
const codes: Readonly<Record<Tone, string>> = { plain: "", head: "1", good: "32", bad: "31", warn: "33", dim: "2" };

export type Output = Pick<WriteStream, "write" | "on" | "off" | "columns" | "rows">;
export type Input = Pick<ReadStream, "setRawMode" | "setEncoding" | "on" | "off" | "pause" | "resume">;

export interface TerminalOptions {
  readonly output: Output;
  /** Null: keys cannot be heard. */
  readonly input: Input | null;
  readonly isColoured: boolean;
  readonly onKey: (key: string) => void;
  readonly onResize: () => void;
}

export class Terminal implements Disposable {
  readonly #options: TerminalOptions;
  #shown = "";
  #isOurs = true;

  constructor(options: TerminalOptions) {
    this.#options = options;
    const { output, input } = options;
    // The monitor hears of a crash before its trace is printed, which would be gone with the other screen.
    process.on("exit", this.#restore);
    process.on("uncaughtExceptionMonitor", this.#restore);
    output.write(enter);
    output.on("resize", this.#resized);
    if (input === null) return;
    input.setRawMode(true);
    input.setEncoding("utf8");
    input.on("data", this.#heard);
    input.resume();
  }

  get size(): Size {
    const { columns, rows } = this.#options.output;
    // Terminals that do not know their size say 0.
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  /** As many lines as the terminal has rows, at most; what is shown already is not drawn again. */
  draw(lines: readonly Line[]): void {
    const text = lines.map((line) => `${textOf(line, this.#options.isColoured)}\x1b[K`).join("\r\n");
    if (!this.#isOurs || text === this.#shown) return;
    this.#shown = text;
    this.#options.output.write(`\x1b[H${text}\x1b[J`);
  }

  [Symbol.dispose](): void {
    const { output, input } = this.#options;
    output.off("resize", this.#resized);
    input?.off("data", this.#heard);
    input?.pause();
    this.#restore();
    process.off("exit", this.#restore);
    process.off("uncaughtExceptionMonitor", this.#restore);
  }

  readonly #resized = (): void => {
    this.#shown = "";
    this.#options.onResize();
  };

  readonly #heard = (text: string): void => {
    for (const key of text.replaceAll(sequence, "\x1b")) this.#options.onKey(key);
  };

  readonly #restore = (): void => {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    const { output, input } = this.#options;
    input?.setRawMode(false);
    // At once, also while the process ends: terminals are written to synchronously.
    output.write(leave);
  };
}

/** Keys that are no character come as these (ECMA-48): each is one key, and none of ours. */
// oxlint-disable-next-line no-control-regex -- an escape is what it begins with
const sequence = /\x1b(?:\[[\d;]*[@-~]|O[@-~])/g;

function textOf(line: Line, isColoured: boolean): string {
  return line
    .map(({ text, tone }) => (isColoured && codes[tone] !== "" ? `\x1b[${codes[tone]}m${text}\x1b[0m` : text))
    .join("");
}
