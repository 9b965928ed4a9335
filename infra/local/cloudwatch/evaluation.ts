// M of N, and what missing data come to: the state that follows from the data points of an alarm's evaluation range.
// AWS's rules of "Configuring how CloudWatch alarms treat missing data", tables and all. It knows nothing of time.
import type { StateValue } from "./rule.ts";

export const treatments = ["missing", "ignore", "breaching", "notBreaching"] as const;
export type Treatment = (typeof treatments)[number];

export interface Criteria {
  /** DatapointsToAlarm: M. */
  readonly datapoints: number;
  /** EvaluationPeriods: N. */
  readonly of: number;
  readonly missing: Treatment;
}

/**
 * How many data points are looked for: more than N, in case some of the last N are missing. AWS says how many in its
 * example alone, five for N = 3, and that it depends on the period; so here it is two more, whatever the period.
 */
export function rangeOf(of: number): number {
  return of + 2;
}

export interface Judgement {
  /** Null: the state that was is kept. */
  readonly state: StateValue | null;
  /** Which of the points counted, by their index. */
  readonly counted: readonly number[];
  /** How many more were missing, and so taken for what the treatment says. */
  readonly filled: number;
}

/** `points`: the evaluation range, oldest first; whether each breaches, null where it is missing. */
export function judge(points: readonly (boolean | null)[], { datapoints, of, missing }: Criteria): Judgement {
  const present = points.flatMap((breaches, index) => (breaches === null ? [] : [{ breaches, index }]));
  // "The most recent real data points that were successfully retrieved, including […] from farther back."
  const last = present.slice(-of);
  const counted = last.map(({ index }) => index);
  const filled = of - last.length;
  const breaching = last.filter(({ breaches }) => breaches).length;
  const found = { counted, filled };
  if (filled === 0 || missing === "notBreaching") return { state: breaching >= datapoints ? "ALARM" : "OK", ...found };
  if (missing === "breaching") return { state: breaching + filled >= datapoints ? "ALARM" : "OK", ...found };
  if (breaching >= datapoints) return { state: "ALARM", ...found };
  // A point within the threshold, wherever in the range it stands, says OK: "0 - - - -" and "0 - X - -" of the tables.
  if (breaching < last.length) return { state: "OK", ...found };
  if (missing === "ignore") return { state: null, ...found };
  // "Avoiding premature transitions to alarm state": when the oldest breaching point is at least as old as M, and all
  // that came later is breaching or missing. A breaching point too young for that tells nothing yet: AWS's page gives
  // no state for it any more ("does not go immediately into ALARM"), its earlier edition's tables had
  // INSUFFICIENT_DATA.
  const [oldest] = counted;
  const premature = oldest !== undefined && points.length - oldest >= datapoints;
  return { state: premature ? "ALARM" : "INSUFFICIENT_DATA", ...found };
}
