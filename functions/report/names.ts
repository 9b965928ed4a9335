// What the series are called: namespace, metrics, units, dimensions. Nothing else: functions and infra both import it.
import type { Class } from "../verdict/classes.ts";

export const namespace = "DeliveryProbe";

/** A metric's unit and the dimensions that it is told by. No reply text, host or address is one. */
export interface MetricName {
  readonly unit: "Count" | "None" | "Milliseconds";
  readonly by: readonly Dimension[];
}

export type Dimension = "Provider" | "Egress" | "Class";

const byPair = ["Provider", "Egress"] as const;

/**
 * An attempt is one request's, however many hosts it took. `Blocked` is 1 or 0, and said only where it is known.
 * `RepliesUnmasked` counts sessions that were refused and then failed, so that the failure would have hidden the reply.
 */
// prettier-ignore
export const pairMetrics = {
  Attempts:    { unit: "Count",        by: byPair },
  Accepted:    { unit: "Count",        by: byPair },
  Rejected:    { unit: "Count",        by: byPair },
  Deferred:    { unit: "Count",        by: byPair },
  Unanswered:  { unit: "Count",        by: byPair }, // `unknown` too: nobody answered
  Blocked:     { unit: "None",         by: byPair },
  Refused:     { unit: "Count",        by: byPair }, // only where there is one: a class that pages and has no other alarm
  SessionTime: { unit: "Milliseconds", by: byPair },
} as const satisfies Readonly<Record<string, MetricName>>;

/** Refusals by class, only where there is one. */
export const rejections = { name: "Rejections", unit: "Count", by: ["Provider", "Egress", "Class"] } as const;

// prettier-ignore
export const egressMetrics = {
  Attempts:        { unit: "Count", by: ["Egress"] },
  Unreachable:     { unit: "Count", by: ["Egress"] }, // unanswered at connect
  Misconfigured:   { unit: "Count", by: ["Egress"] }, // refused for what is ours to mend: misconfigurations below
  Probes:          { unit: "Count", by: ["Egress"] }, // of attempts those of probes: what sends do says nothing of the schedule
  Skipped:         { unit: "Count", by: ["Egress"] }, // due, and not probed: backing off, paused, too late, no way out
  RepliesUnmasked: { unit: "Count", by: ["Egress"] },
  SelfCheckFaults: { unit: "Count", by: ["Egress"] }, // daily; only where the checks came to something
  // Of sends, only where there is one: times that one waited for a block to end, and recipients by what became of them.
  Held:            { unit: "Count", by: ["Egress"] },
  Delivered:       { unit: "Count", by: ["Egress"] },
  Failed:          { unit: "Count", by: ["Egress"] },
  Expired:         { unit: "Count", by: ["Egress"] },
  Unknown:         { unit: "Count", by: ["Egress"] }, // they may have the message: it was sent whole and never answered
} as const satisfies Readonly<Record<string, MetricName>>;

/** The class that says that the IP is refused. */
export const blockClass: Class = "ip-reputation";

/** What a receiver finds wrong with our own set-up. */
export const misconfigurations: readonly Class[] = ["authentication", "reverse-dns", "helo"];

/** Amazon SQS's own. */
export const queueNamespace = "AWS/SQS";
