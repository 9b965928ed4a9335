// Text in the columns of a terminal: how many it takes, and how it is cut or filled to so many. It knows no colours, and
// no terminal.
import { visibleLine } from "../../../functions/verdict/visible.ts";

/** Of text that holds no controls. A combining mark counts as one, so that no pile of them is endless. */
export function columnsOf(text: string): number {
  return Array.from(text).reduce((sum, mark) => sum + (wide.test(mark) ? 2 : 1), 0);
}

/** Made visible and cut to so many columns, with `…` where something is left out. */
export function cut(given: string, columns: number): string {
  const text = visibleLine(given);
  if (columnsOf(text) <= columns) return text;
  if (columns < 1) return "";
  let left = columns - 1;
  const marks = Array.from(text);
  const from = marks.findIndex((mark) => (left -= columnsOf(mark)) < 0);
  return `${marks.slice(0, from).join("").trimEnd()}…`;
}

/** Made visible, and cut or filled to just so many columns. */
export function fit(text: string, columns: number, side: "left" | "right" = "left"): string {
  const shown = cut(text, columns);
  const blanks = " ".repeat(Math.max(0, columns - columnsOf(shown)));
  return side === "left" ? `${shown}${blanks}` : `${blanks}${shown}`;
}

/** A column of a table, and how narrow it may become. */
export interface Column {
  readonly wanted: number;
  readonly least: number;
  /** Who gives way first: the lowest; those of equal rank from the left. */
  readonly rank: number;
}

/** What each column gets, so that all of them and the gaps between them fit, if they can. */
export function widthsOf(columns: readonly Column[], gap: number, room: number): readonly number[] {
  const widths = columns.map(({ wanted }) => wanted);
  let over = widths.reduce((sum, each) => sum + each, 0) + gap * (columns.length - 1) - room;
  const order = columns.map((column, index) => ({ ...column, index })).toSorted((a, b) => a.rank - b.rank);
  for (const { wanted, least, index } of order) {
    const given = Math.max(0, Math.min(over, wanted - least));
    widths[index] = wanted - given;
    over -= given;
  }
  return widths;
}

/** Marks that terminals show two columns wide. */
const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
