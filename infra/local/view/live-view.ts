// What the screen shows while the local stack runs: pure, from what is known to lines of so many rows and columns. It
// knows nothing of escape codes, nor of where the lines go.
import { standing } from "../../../functions/verdict/incident.ts";
import { columnsOf, cut, fit, widthsOf, type Column } from "./columns.ts";
import type { Scene, ScenePair } from "./scene.ts";
import { replyOf, type SeenPage } from "./seen.ts";

export interface View {
  /** RFC 3339: the stack's time. */
  readonly at: string;
  readonly speed: number;
  readonly scene: Scene;
  /** Those that keys block and unblock, in the order of `providerKeys`. */
  readonly providers: readonly { readonly name: string; readonly blocked: boolean }[];
  /** Those in ALARM that page, in the order in which they are shown. */
  readonly alarms: readonly ViewAlarm[];
  /** Whether the next key names a provider. */
  readonly asksProvider: boolean;
  /** What came of the last key; null: nothing to tell. */
  readonly notice: string | null;
}

export interface ViewAlarm {
  readonly name: string;
  /** RFC 3339. */
  readonly since: string;
  readonly isSuppressed: boolean;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export type Tone = "plain" | "head" | "good" | "bad" | "warn" | "dim";

/** Without controls. */
export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

/** But for the keys that mean something else. */
export const providerKeys = "123456789acdefghijklmnoprstuvwxyz";

/** The whole screen: as many lines as it has rows, none wider than it has columns. */
export function screenOf(view: View, { columns, rows }: Size): readonly Line[] {
  const below = [...noticeLines(view), keysLine(view)];
  const room = Math.max(0, rows - below.length - 1);
  const table = shortened(tableLines(view, columns), room);
  const alarms = alarmLines(view, columns);
  const pages = pageLines(view);
  const left = room - table.length;
  // Space between the parts only where nothing has to give way to it.
  const gap: readonly Line[] = left >= alarms.length + Math.min(pages.length, fewPages) + 3 ? [[]] : [];
  const rest = left - gap.length * 3;
  const alarmRoom = Math.min(alarms.length, Math.max(Math.ceil(rest / 2), rest - pages.length));
  const above = [titleLine(view), ...gap, ...table, ...gap, ...shortened(alarms, alarmRoom), ...gap];
  const shown = [...above, ...pages.slice(0, Math.max(0, rest - alarmRoom))];
  const filling = Array.from({ length: Math.max(0, rows - shown.length - below.length) }, (): Line => []);
  return [...shown, ...filling, ...below].slice(0, rows).map((line) => clipped(line, columns));
}

/** The head and two of them, in rows. */
const fewPages = 7;

function titleLine({ at, speed, providers }: View): Line {
  const blocking = providers.filter(({ blocked }) => blocked).map(({ name }) => name);
  const who = blocking.length === 0 ? "nobody blocks us" : `blocked by ${blocking.join(", ")}`;
  return line(`delivery-probe  ${at.slice(0, 10)} ${at.slice(11, 19)} UTC, ${speed} times as fast  ${who}`, "head");
}

const heads = ["", "provider", "egress", "last verdict", "reply", "class", "trend", "blocked"] as const;

/** In the order of the heads. */
const narrowest: readonly Omit<Column, "wanted">[] = [
  { least: 1, rank: 9 },
  { least: 6, rank: 5 },
  { least: 5, rank: 6 },
  { least: 10, rank: 4 },
  { least: 3, rank: 3 },
  { least: 5, rank: 2 },
  { least: 6, rank: 1 },
  { least: 5, rank: 8 },
];

/** What says how things stand has their colour. */
const coloured: ReadonlySet<string> = new Set(["last verdict", "reply", "class", "trend", "blocked"]);

function tableLines(view: View, columns: number): readonly Line[] {
  const rows = view.scene.pairs.map((pair, index) => ({ pair, cells: cellsOf(pair, index, view) }));
  const all = [heads, ...rows.map(({ cells }) => cells)];
  const wanted = narrowest.map((column, index) => ({
    ...column,
    wanted: Math.max(...all.map((cells) => columnsOf(cells[index] ?? ""))),
  }));
  const isRoomy = wanted.reduce((sum, each) => sum + each.wanted + 2, -2) <= columns;
  const gap = isRoomy ? "  " : " ";
  const widths = widthsOf(wanted, gap.length, columns);
  const rowOf = (cells: readonly string[], toneOf: (head: string) => Tone): Line =>
    heads.map((head, index) => {
      const width = widths[index] ?? 0;
      const cell = cells[index] ?? "";
      // Of a trend the newest is at its end.
      const shown = head === "trend" ? cell.slice(-width) : cell;
      return { text: `${fit(shown, width)}${index === heads.length - 1 ? "" : gap}`, tone: toneOf(head) };
    });
  return [
    rowOf(heads, () => "head"),
    ...rows.map(({ pair, cells }) => rowOf(cells, (head) => (coloured.has(head) ? toneOf(pair) : "plain"))),
  ];
}

function cellsOf(pair: ScenePair, index: number, { scene, providers, at }: View): readonly string[] {
  const { provider, egress, last, trend, blockedSince } = pair;
  const isFirst = scene.pairs[index - 1]?.provider !== provider;
  const key = providerKeys[providers.findIndex(({ name }) => name === provider)] ?? "";
  const own = isFirst ? [key, provider] : ["", ""];
  const since = blockedSince === null ? "" : clockText(blockedSince, at);
  if (last === null) return [...own, egress, "not yet probed", "", "", trend, since];
  return [...own, egress, standing(last.outcome, last.stage), replyOf(last), last.class ?? "", trend, since];
}

function toneOf({ last, blockedSince }: ScenePair): Tone {
  if (blockedSince !== null) return "bad";
  if (last === null) return "dim";
  return last.outcome === "accepted" ? "good" : "warn";
}

function alarmLines({ alarms, at }: View, columns: number): readonly Line[] {
  if (alarms.length === 0) return [line("No alarm is in ALARM.", "head")];
  const widest = Math.max(...alarms.map(({ name }) => columnsOf(name)));
  const width = Math.max(10, Math.min(widest, columns - sinceColumns));
  return [
    line(`In ALARM: ${alarms.length}`, "head"),
    ...alarms.map(({ name, since, isSuppressed }) => {
      const text = `  ${fit(name, width)}  since ${clockText(since, at)}${isSuppressed ? ", suppressed" : ""}`;
      return line(text, isSuppressed ? "dim" : "bad");
    }),
  ];
}

/** What stands beside an alarm's name, at most. */
const sinceColumns = 34;

function pageLines({ scene, at }: View): readonly Line[] {
  if (scene.pages.length === 0) return [line("No page has come yet.", "head")];
  return [line("Pages, the newest first:", "head"), ...scene.pages.flatMap((page) => pageText(page, at))];
}

function pageText({ at: cameAt, title, words, action }: SeenPage, at: string): readonly Line[] {
  return [
    line(`  ${clockText(cameAt, at)}  ${title}`, "plain"),
    ...(words === null ? [] : [line(`         > ${words}`, "dim")]),
    line(`         Do: ${action}`, "dim"),
  ];
}

/** What a key did; else what went wrong last. */
function noticeLines({ notice, scene: { fault } }: View): readonly Line[] {
  if (notice !== null) return [line(notice, "warn")];
  return fault === null ? [] : [line(`fault: ${fault.text}`, "warn")];
}

function keysLine({ providers, asksProvider }: View): Line {
  const keys = providerKeys.slice(0, providers.length);
  const range = keys.length < 2 ? keys : `${keys[0]}-${keys.at(-1)}`;
  if (asksProvider) return line(`block or unblock which provider? ${range}; any other key: none`, "warn");
  return line(`b ${range} (un)block q quit  · accepted ✗ blocked x rejected ~ deferred ? unanswered`, "head");
}

/** `17:05`, of another day `11-24 17:05`. */
function clockText(time: string, at: string): string {
  const clock = time.slice(11, 16);
  return time.slice(0, 10) === at.slice(0, 10) ? clock : `${time.slice(5, 10)} ${clock}`;
}

function line(text: string, tone: Tone): Line {
  return [{ text, tone }];
}

/** So many of the lines; the last says how many are not shown. */
function shortened(lines: readonly Line[], room: number): readonly Line[] {
  if (lines.length <= room) return lines;
  return room < 1 ? [] : [...lines.slice(0, room - 1), line(`  … ${lines.length - room + 1} more`, "dim")];
}

/** Made visible, and cut where it is wider. */
function clipped(spans: Line, columns: number): Line {
  let left = columns;
  return spans.map(({ text, tone }) => {
    const shown = cut(text, left);
    left -= columnsOf(shown);
    return { text: shown, tone };
  });
}
