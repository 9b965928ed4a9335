// How the system stands, for people, in lines of a terminal's width. It reads nothing, and shows no text of a host's,
// or of CloudWatch's, as it came.
import { spanText, timeText } from "../page/said.ts";
import { standing } from "../verdict/incident.ts";
import { visibleLine } from "../verdict/visible.ts";
import { pauseText } from "./pause.ts";
import { runningLines } from "./status-running.ts";
import type { AlarmStatus, EgressStatus, PairStatus, StatusDocument } from "./status-document.ts";
import { countLimit, type HoldStatus, type SendsStatus, type WaitingStatus } from "./status-sends.ts";

export const width = 100; // columns

/** The whole of it, each line ended. */
export function statusTable(status: StatusDocument): string {
  const lines = [
    headline(status),
    ...runningLines(status.config.hash, status.running, status.at),
    ...section(`alarms: ${countsText(status.alarms)}`, alarmLines(status)),
    ...section("providers:", pairLines(status)),
    ...(status.egresses.length === 0 ? [] : section("our own set-up:", egressLines(status))),
    ...(status.sends === null ? [] : section("sends:", sendLines(status.sends, status.at))),
    ...(status.pauses.length === 0 ? [] : section("paused:", status.pauses.map(pauseText))),
  ];
  return lines.map((line) => `${fitted(visibleLine(line), width)}\n`).join("");
}

function headline({ name, at, alarms }: StatusDocument): string {
  const paging = alarms.filter(({ state, pages }) => state === "ALARM" && pages).length;
  const told =
    paging === 1 ? "1 paging alarm is in ALARM" : `${paging === 0 ? "no" : paging} paging alarms are in ALARM`;
  return `${name}, ${timeText(at)}: ${told}`;
}

function countsText(alarms: readonly AlarmStatus[]): string {
  const counts = Map.groupBy(alarms, ({ state }) => stateWords[state ?? "none"]);
  return Object.values(stateWords)
    .flatMap((word) => (counts.has(word) ? [`${counts.get(word)?.length} ${word}`] : []))
    .join(", ");
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return ["", title, ...lines.map((line) => `  ${line}`)];
}

/**
 * Those that are not OK: what pages before what does not, ALARM before what is not known. That what does not page has no
 * data is said by the counts.
 */
function alarmLines({ alarms, at }: StatusDocument): readonly string[] {
  const rank = ({ state, pages }: AlarmStatus): number =>
    state === "ALARM" ? (pages ? 0 : 1) : state === null ? 2 : 3;
  const shown = alarms
    .filter(({ state, pages }) => state !== "OK" && (pages || state !== "INSUFFICIENT_DATA"))
    .toSorted((a, b) => rank(a) - rank(b));
  const columns = Math.min(60, Math.max(0, ...shown.map(({ name }) => name.length)));
  return shown.flatMap(({ name, state, since, reason, suppressedBy, pages }) => {
    const row = `${stateWords[state ?? "none"].padEnd(7)}  ${name.padEnd(columns)}  `;
    if (since === null || reason === null) return [row.trimEnd()];
    if (state !== "ALARM") return [`${row}for ${spanText(since, at)}: ${reason}`];
    const notes = [
      ...(suppressedBy === null ? [] : [`suppressed (${suppressedBy})`]),
      ...(pages ? [] : ["does not page"]),
      ...(reason === "" ? [] : [reason]),
    ];
    return [`${row}${sinceText(since, at)}`, ...(notes.length === 0 ? [] : [`  ${notes.join("; ")}`])];
  });
}

const stateWords = { ALARM: "ALARM", none: "missing", INSUFFICIENT_DATA: "no data", OK: "OK" } as const;

/** A row a pair, and below it what there is to say beyond a yes. */
function pairLines({ pairs, at }: StatusDocument): readonly string[] {
  const rows = pairs.map((pair) => {
    const { provider, egress, last } = pair;
    const said = last === null ? "never probed" : standing(last.outcome, last.stage);
    const kind = last?.class ?? "";
    const ago = last === null ? "" : `${spanText(last.at, at)} ago`;
    return { cells: [provider, egress, said, kind, ago], more: moreLines(pair, at) };
  });
  const head = ["provider", "egress", "last verdict", "class", "when"];
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[index]?.length ?? 0)),
  );
  const rowOf = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd();
  return [rowOf(head), ...rows.flatMap(({ cells, more }) => [rowOf(cells), ...more.map((line) => `  ${line}`)])];
}

function moreLines({ last, block, backOffUntil }: PairStatus, at: string): readonly string[] {
  return [
    ...(last === null || last.outcome === "accepted" ? [] : [oneLine(last.text)]),
    ...(block === null ? [] : [`blocked at ${block.stage} by ${block.host}, ${sinceText(block.since, at)}`]),
    ...(backOffUntil === null ? [] : [`left alone until ${timeText(backOffUntil)}, as it asked`]),
  ];
}

/** A row an egress, and below it each check that is not well. */
function egressLines({ egresses, at }: StatusDocument): readonly string[] {
  const columns = Math.max(0, ...egresses.map(({ name }) => name.length));
  return egresses.flatMap(({ name, selfCheck }) => {
    const row = `${name.padEnd(columns)}  `;
    if (selfCheck === null) return [`${row}never checked`];
    const words = selfCheckWords[selfCheck.standing];
    return [
      `${row}${words}, ${spanText(selfCheck.at, at)} ago`,
      ...checkLines(selfCheck, at).map((line) => `  ${line}`),
    ];
  });
}

const selfCheckWords = { ok: "as it must be", fault: "wrong", unknown: "not known whether it is right" } as const;

function checkLines({ checks, since }: NonNullable<EgressStatus["selfCheck"]>, at: string): readonly string[] {
  return checks.flatMap(({ check, standing, text }) => {
    const from = since[check];
    const note = from === undefined ? "" : `, ${sinceText(from, at)}`;
    if (standing === "ok") return [];
    return [`${check}${standing === "unknown" ? ", not known" : ""}${note}: ${oneLine(text)}`];
  });
}

/** A row an egress, and one for each hold, with the words of who refused. */
function sendLines({ holds, waiting }: SendsStatus, at: string): readonly string[] {
  const columns = Math.max(0, ...waiting.map(({ egress }) => egress.length));
  return [
    ...waiting.map((each) => `${each.egress.padEnd(columns)}  ${waitingText(each, at)}`),
    ...holds.flatMap((each) => holdLines(each, at)),
  ];
}

function waitingText({ deliveries, orMore, oldestAt }: WaitingStatus, at: string): string {
  if (oldestAt === null)
    return orMore ? `none of the ${countText(countLimit)} that are due first` : "no delivery waits";
  if (deliveries === 1 && !orMore) return `1 delivery waits, ${sinceText(oldestAt, at)}`;
  return `${countText(deliveries)} deliveries ${orMore ? "or more " : ""}wait, the oldest ${sinceText(oldestAt, at)}`;
}

function countText(count: number): string {
  return count.toLocaleString("en");
}

function holdLines({ provider, egress, domain, class: kind, since, text }: HoldStatus, at: string): readonly string[] {
  const way = egress === null ? `mail from ${domain}` : `over ${egress}`;
  return [`held: ${provider}, ${way}: ${kind}, ${sinceText(since, at)}`, `  ${oneLine(text)}`];
}

/** Of a reply of many lines the first says most; line feeds would forge rows. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " / ");
}

function sinceText(since: string, at: string): string {
  return `since ${timeText(since)} (${spanText(since, at)})`;
}

/** Cut to so many columns of a terminal. */
function fitted(text: string, columns: number): string {
  const marks = Array.from(text).map((mark) => ({ mark, columns: wide.test(mark) ? 2 : 1 }));
  const all = marks.reduce((sum, each) => sum + each.columns, 0);
  if (all <= columns) return text;
  let left = columns - 1;
  const shown = marks.filter((each) => (left -= each.columns) >= 0);
  return `${shown.map(({ mark }) => mark).join("")}…`;
}

/** Marks that terminals show two columns wide; a combining mark counts as one, so that no pile of them is endless. */
const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
