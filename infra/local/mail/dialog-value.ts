// The values in a dialog's lines, a word, a time, a number, and the mistake that says how to write one right.
// It knows no line, and not in which file it stands.

/** A line that cannot be read, and how to say it right; the file (and the line, if it is the one at hand) come later. */
export class Misreading extends Error {
  readonly lineNumber: number | null;

  constructor(message: string, lineNumber: number | null = null) {
    super(message);
    this.lineNumber = lineNumber;
  }
}

/** `word`, where it is one of `words`. @throws Misreading that begins with `what` */
export function oneOf<const T extends string>(words: readonly T[], word: string, what: string): T {
  const found = words.find((each) => each === word);
  if (found !== undefined) return found;
  throw new Misreading(`${what} is one of ${words.join(", ")}, not ${quote(word)}`);
}

/** Milliseconds of `200ms` or `1.5s`. @throws Misreading that begins with `what` */
export function duration(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text);
  if (match === null) throw new Misreading(`${what} takes a time such as 200ms or 2s, not ${quote(text)}`);
  return Number(match[1]) * (match[2] === "s" ? 1_000 : 1);
}

/** A whole number from 1. @throws Misreading that begins with `what` */
export function count(text: string, what: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Misreading(`${what}: N is a whole number from 1, not ${quote(text)}`);
  return Number(text);
}

/** What was written, for a message, its first 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
