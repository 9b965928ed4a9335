// Verdicts as a table for people, a row each, in lines of a page's width. It judges nothing.
import { decidedAfterMs, standing } from "../../../functions/verdict/incident.ts";
import type { Verdict } from "../../../functions/verdict/verdict.ts";
import { visibleLine } from "../../../functions/verdict/visible.ts";
import { columnsOf, cut, fit } from "./columns.ts";
import { replyOf, wordsOf } from "./seen.ts";

export const width = 100; // columns

export interface Row {
  readonly provider: string;
  readonly egress: string;
  /** Null: it was not probed. */
  readonly verdict: Verdict | null;
}

const heads = ["provider", "egress", "verdict", "reply", "class", "ms", "first words"] as const;
/** Numbers stand at the right of their columns. */
const atRight: readonly string[] = ["ms"];

/** The heads, and a line a row; the last column has what room there is. */
export function verdictTable(rows: readonly Row[]): readonly string[] {
  const all = [heads, ...rows.map((row) => cellsOf(row).map(visibleLine))];
  const widths = heads.map((_, column) => Math.max(...all.map((cells) => columnsOf(cells[column] ?? ""))));
  const last = heads.length - 1;
  const room = width - widths.slice(0, last).reduce((sum, each) => sum + each + 2, 0);
  return all.map((cells) =>
    cells
      .map((cell, column) => {
        if (column === last) return cut(cell, room);
        return fit(cell, widths[column] ?? 0, atRight.includes(heads[column] ?? "") ? "right" : "left");
      })
      .join("  ")
      .trimEnd(),
  );
}

function cellsOf({ provider, egress, verdict }: Row): readonly string[] {
  if (verdict === null) return [provider, egress, "not probed", "", "", "", ""];
  const { class: kind, primary } = verdict;
  return [
    provider,
    egress,
    standing(verdict.outcome, primary.stage),
    replyOf(primary),
    kind ?? "-",
    String(Math.round(decidedAfterMs(verdict))),
    wordsOf(primary),
  ];
}
