// Reads a command's options by the command's own table, and says in one line what is wrong and what to write instead.
// It knows how command lines are written. It does not know what any value means.
import { parseArgs } from "node:util";

/** What the person who typed can mend: one line, which says what is wrong and what to write instead. Exit status 64. */
export class UsageFault extends Error {
  override readonly name = "UsageFault";
}

/** One option of a command: what its value is called in the help; null for a switch. */
export interface OptionSpec {
  readonly name: string;
  readonly value: string | null;
  readonly many: boolean;
  readonly about: string;
}

export interface Options {
  readonly positionals: readonly string[];
  /** Whether a switch was given. */
  readonly has: (name: string) => boolean;
  /** The option's value, or null. */
  readonly one: (name: string) => string | null;
  /** All values of an option that may be given more than once, in order. */
  readonly all: (name: string) => readonly string[];
}

/**
 * Options and positionals of one command. `--name value` and `--name=value` are the same; `--` ends the options.
 * @throws UsageFault for an option that the table does not have, a value missing, unwanted or given twice
 */
export function readOptions(args: readonly string[], specs: readonly OptionSpec[]): Options {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      specs.map((spec) => [spec.name, { type: spec.value === null ? "boolean" : "string" } as const]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals: string[] = [];
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(clean("the argument", token.value));
    if (token.kind !== "option") continue;
    const spec = specs.find((each) => each.name === token.name && token.rawName.startsWith("--"));
    if (spec === undefined) throw unknownOption(token.rawName, specs);
    const given = values.get(spec.name) ?? [];
    if (given.length > 0 && !spec.many && spec.value !== null) {
      throw new UsageFault(`${token.rawName} is given twice; write it once`);
    }
    values.set(spec.name, [...given, valueOf(spec, token.value, token.inlineValue ?? false)]);
  }
  return {
    positionals,
    has: (name) => values.has(name),
    one: (name) => values.get(name)?.[0] ?? null,
    all: (name) => values.get(name) ?? [],
  };
}

/** The nearest of the known words when it is near enough to have been meant, or null. */
export function nearest(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map((each) => ({ each, distance: each.startsWith(word) && word.length > 1 ? 1 : editDistance(word, each) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.each.length / 3)) ? best.each : null;
}

/** The text, when it holds nothing that would end a line of SMTP (RFC 5321 §2.3.8) or a string of the system. */
function clean(what: string, text: string): string {
  // Not repeated: what an option holds may be a password.
  if (/[\r\n\0]/.test(text)) throw new UsageFault(`${what} holds a line end or a NUL; write it without`);
  return text;
}

/** What was typed, as it goes into a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function valueOf(spec: OptionSpec, value: string | undefined, inline: boolean): string {
  const name = `--${spec.name}`;
  if (spec.value === null) {
    if (value !== undefined) throw new UsageFault(`${name} takes no value; write ${name} alone`);
    return "";
  }
  // `--from --json` is a value forgotten, not a sender of that name.
  if (value === undefined || (!inline && value.startsWith("--"))) {
    throw new UsageFault(`${name} lacks its value; write ${name} ${spec.value}`);
  }
  return clean(name, value);
}

function unknownOption(raw: string, specs: readonly OptionSpec[]): UsageFault {
  const names = specs.map((spec) => spec.name);
  const name = raw.replace(/^-+/, "");
  const meant = nearest(name, names);
  const instead = meant === null ? `one of ${names.map((each) => `--${each}`).join(" ")}` : `--${meant}`;
  return new UsageFault(`there is no option ${quote(raw)}; write ${instead}`);
}

/** Levenshtein's distance: insertions, deletions and substitutions between two short words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
