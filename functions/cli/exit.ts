// The exit statuses, as scripts know them. Nothing else.
import type { Outcome } from "../verdict/reconcile.ts";

/** The command line is wrong, or a file that it names (BSD's EX_USAGE). */
export const usageStatus = 64;
/** There is nothing of the name that was given, or not yet (BSD's EX_NOINPUT). */
export const missingStatus = 66;
/** The fault is ours (BSD's EX_SOFTWARE). */
export const faultStatus = 70;

const statuses: Readonly<Record<Outcome, number>> = {
  accepted: 0,
  rejected: 1,
  deferred: 2,
  unanswered: 3,
  unknown: 3,
};

/** The most telling first (DESIGN §6, across hosts), but for a yes: who asks every host wants to know of each no. */
const telling: readonly Outcome[] = ["rejected", "deferred", "unknown", "unanswered", "accepted"];

/** Of the hosts of one domain, at least one, the most telling: a host that is silent hides no other's refusal. */
export function outcomeAcrossHosts(outcomes: readonly Outcome[]): Outcome {
  return telling.find((each) => outcomes.includes(each)) ?? "accepted";
}

/** Of several domains the highest: what was left unanswered is told rather than what was refused, that rather than a yes. */
export function exitStatusOf(outcomes: readonly Outcome[]): number {
  return Math.max(...outcomes.map((outcome) => statuses[outcome]));
}
