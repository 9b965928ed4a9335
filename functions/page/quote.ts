// What others wrote, as a page shows it: under who said it, marked line by line, and cut to length, with nothing in it that
// could pass for ours. It does not know what the words mean.
import type { StoredVerdict } from "../state/verdicts.ts";
import type { Finding } from "../verdict/verdict.ts";
import { visible, visibleLine } from "../verdict/visible.ts";
import { providerName, timeText } from "./said.ts";

/** Lines that somebody else wrote, and who. */
export interface Quote {
  readonly by: string;
  /** Without controls; none is longer than a few hundred characters. */
  readonly lines: readonly string[];
  /** How many lines more there were. */
  readonly more: number;
}

/** A refusal and the verdict that it is from. */
export interface Said {
  readonly finding: Finding;
  readonly stored: StoredVerdict;
}

const lineLimit = 400; // characters
const linesLimit = 10;

/** A host's words under who said them and where in the conversation. */
export function quoteOf({ finding, stored }: Said): Quote {
  const { stage, host, address } = finding;
  const peer = `${host}${address === null ? "" : ` [${address}]`}`;
  return quoted(`${providerName(stored.provider)} said at ${stage} (${peer}, ${timeText(stored.at)})`, finding.text);
}

/** Line by line, so that a line feed in the words forges no line of ours. */
export function quoted(by: string, words: string): Quote {
  const all = words.split("\n");
  const { lines, more } = cutTo({ by, lines: all, more: 0 }, linesLimit);
  return { by: shortened(visibleLine(by)), lines: lines.map((line) => shortened(visibleLine(line))), more };
}

export function cutTo({ by, lines, more }: Quote, limit: number): Quote {
  return { by, lines: lines.slice(0, limit), more: more + Math.max(0, lines.length - limit) };
}

/** What is theirs is marked, so that it passes for none of ours; that something is left out, we say. */
export function quoteLines({ by, lines, more }: Quote): readonly string[] {
  return [`${by}:`, ...lines.map((line) => `> ${line}`), ...(more === 0 ? [] : [leftOutText(more)])];
}

/** `… 3 lines more` */
function leftOutText(more: number): string {
  return `… ${more} ${more === 1 ? "line" : "lines"} more`;
}

/** A reply on one line, for a title: with its code once, and cut. */
export function inALine(text: string): string {
  const [first = "", ...more] = text.split("\n");
  const rest = more.map((line) => line.replace(/^\d{3}[ -](?:[245]\.\d{1,3}\.\d{1,3} )?/, ""));
  const line = [first.replace(/^(\d{3})-/, "$1 "), ...rest].map((each) => visible(each).trim()).join(" ");
  return shortened(visibleLine(line), 160);
}

/** Never within a character that takes two units. */
export function shortened(text: string, limit = lineLimit): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
