// A verdict as an incident: what stands, in two or three words, and the deciding conversation in the notation of dialogs,
// for the log, the page and test/dialogs/. It judges nothing.
import { dialogText } from "../smtp/dialog.ts";
import type { Outcome } from "./reconcile.ts";
import type { HostAnswer, Verdict } from "./verdict.ts";

/** The deciding host's sessions as a test for test/dialogs; null where there was no conversation to play again. */
export function dialogOf(verdict: Verdict): string | null {
  const { primary, outcome, recipients } = verdict;
  const { host, stage, code, status } = primary;
  const sessions = verdict.attempts.filter((each) => {
    const isIts = each.host === host && each.address === primary.address && each.port === primary.port;
    return isIts && each.exchanges.length > 0;
  });
  const [first, ...more] = sessions;
  if (first === undefined) return null;
  const title = `${host} at ${first.startedAt}: ${standing(outcome, stage)}.`;
  return dialogText([first, ...more], { outcome, stage, code, status, recipients }, title);
}

/** A yes before the message is a yes so far: hosts that refuse the message later have said the same. */
export function standing(outcome: Outcome, stage: HostAnswer["stage"]): string {
  return outcome === "accepted" && stage !== "message" ? `accepted up to ${stage}` : `${outcome} at ${stage}`;
}

/** From the first connection until nothing could change the verdict any more, in milliseconds, over all attempts. */
export function decidedAfterMs({ attempts }: Verdict): number {
  const earlier = attempts.slice(0, -1).reduce((sum, { timings }) => sum + timings.endedMs, 0);
  return earlier + (attempts.at(-1)?.timings.decidedMs ?? 0);
}
