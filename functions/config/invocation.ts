// How the time of one invocation of the probe is shared out, and so how long one must be. Pure.
import type { Config } from "./config.ts";

/** Until when there are sessions, and until when the table is waited for. The rest is for telling. */
export const sessionsShare = 0.75;
export const tableShare = 0.85;

/** Lambda's own limit, seconds. */
const longestS = 900;

/** What an invocation needs so that a request has all of its limits.probeSeconds, in whole seconds. */
export function invocationS({ limits }: Pick<Config, "limits">): number {
  return Math.min(longestS, Math.ceil(limits.probeSeconds / sessionsShare));
}
