// What stands in the local stack at the moment, put together from what has happened: the last verdicts with their trend,
// the alarms that stand, the pages as they came. It shows nothing, and judges nothing.
import type { Entry } from "../../functions/report/log.ts";
import type { StackEvent } from "./stack.ts";

export interface PairStanding {
  readonly provider: string;
  readonly egress: string;
  /** The verdict's entry of the log; null: none yet. */
  readonly last: Entry | null;
  /** Of the last verdicts, the oldest first: see trendMark. */
  readonly trend: string;
  /** When the block that stands was first said: RFC 3339; null: none stands. */
  readonly blockedSince: string | null;
}

export interface AlarmStanding {
  readonly name: string;
  /** RFC 3339. */
  readonly since: string;
  /** Held back, or waiting to see whether a wider alarm speaks for it. */
  readonly isSuppressed: boolean;
}

export interface PageShown {
  readonly at: string;
  readonly title: string;
  /** All of it, in lines. */
  readonly text: string;
}

export interface Board {
  readonly pairs: readonly PairStanding[];
  /** In ALARM, of those that page. */
  readonly alarms: readonly AlarmStanding[];
  /** The newest first; each once, by whichever route it came. */
  readonly pages: readonly PageShown[];
}

const trendLength = 12;
const pagesKept = 20;
/** A page comes by several routes; one of them is shown. */
const shownRoute = "webhook";

export function emptyBoard(pairs: readonly { readonly provider: string; readonly egress: string }[]): Board {
  return {
    pairs: pairs.map(({ provider, egress }) => ({ provider, egress, last: null, trend: "", blockedSince: null })),
    alarms: [],
    pages: [],
  };
}

/** @param paging names of the alarms that page */
export function boardAfter(board: Board, event: StackEvent, paging: ReadonlySet<string>): Board {
  switch (event.kind) {
    case "log":
      return event.entry.event === "verdict" ? { ...board, pairs: pairsAfter(board.pairs, event.entry) } : board;
    case "alarm":
      return paging.has(event.change.name) ? { ...board, alarms: alarmsAfter(board.alarms, event.change) } : board;
    case "page": {
      const { kind, at, title, text } = event.received;
      if (kind !== shownRoute) return board;
      return { ...board, pages: [{ at, title, text }, ...board.pages].slice(0, pagesKept) };
    }
    case "tick":
      return board;
  }
}

/** `·` accepted, `x` refused for the IP, `!` for another reason, `~` deferred, `?` nobody answered. */
export function trendMark({ outcome, blocked }: Entry): string {
  if (blocked === true) return "x";
  if (outcome === "accepted") return "·";
  if (outcome === "rejected") return "!";
  return outcome === "deferred" ? "~" : "?";
}

function pairsAfter(pairs: readonly PairStanding[], entry: Entry): readonly PairStanding[] {
  const { provider, egress, blocked } = entry;
  return pairs.map((pair) => {
    if (pair.provider !== provider || pair.egress !== egress) return pair;
    const since = blocked === true ? (pair.blockedSince ?? String(entry["at"])) : pair.blockedSince;
    const trend = (pair.trend + trendMark(entry)).slice(-trendLength);
    return { ...pair, last: entry, trend, blockedSince: blocked === false ? null : since };
  });
}

function alarmsAfter(
  alarms: readonly AlarmStanding[],
  { name, state }: Extract<StackEvent, { kind: "alarm" }>["change"],
): readonly AlarmStanding[] {
  const others = alarms.filter((each) => each.name !== name);
  if (state.value !== "ALARM") return others;
  const since = alarms.find((each) => each.name === name)?.since ?? new Date(state.atMs).toISOString();
  return [...others, { name, since, isSuppressed: state.suppressedBy !== null }];
}
