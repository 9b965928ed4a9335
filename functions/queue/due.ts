// Which probes are due in a slot of the schedule. Pure: a slot that is asked for again gives the same requests, with the
// same ids, so that a repeated invocation makes no second probe.
import { createHash } from "node:crypto";
import { keyOfTarget, pairsOf, type Config, type Pair } from "../config/config.ts";
import type { ProbeMessage } from "./request.ts";

/** A slot is so long: how often the Scheduler calls. */
export const slotMs = 300_000;

export interface Due {
  readonly pair: Pair;
  readonly request: ProbeMessage;
  /** When it is to be probed: milliseconds since the epoch, within the slot. */
  readonly atMs: number;
  /** Seconds from the slot's beginning: within SQS's DelaySeconds. */
  readonly delayS: number;
}

/** @param slot the Scheduler's own scheduled time, never the clock's (RFC 3339) */
export function dueIn(slot: string, config: Config): readonly Due[] {
  const fromMs = Date.parse(slot);
  return pairsOf(config).flatMap((pair) => {
    const everyMs = pair.target.everyMinutes * 60_000;
    const offsetMs = offsetOf(pair);
    const atMs = Math.ceil((fromMs - offsetMs) / everyMs) * everyMs + offsetMs;
    return atMs < fromMs + slotMs ? [due(pair, atMs, fromMs, everyMs)] : [];
  });
}

/**
 * A target's own place in its round, the same for ever: no two providers at once, none at the top of the hour, when
 * everybody's jobs run and hosts answer 4yz for that alone.
 */
function offsetOf(pair: Pair): number {
  const hash = Number.parseInt(hashOf(pair), 16);
  const everyS = pair.target.everyMinutes * 60;
  // Of a round of several hours it is the hash that says in which one.
  const hours = everyS % hourS === 0 ? everyS / hourS : 1;
  const withinS = everyS / hours - 2 * topOfHourS;
  return ((Math.floor(hash / withinS) % hours) * hourS + topOfHourS + (hash % withinS)) * 1000;
}

const hourS = 3_600;
const topOfHourS = 60;

function due(pair: Pair, atMs: number, fromMs: number, everyMs: number): Due {
  const { target, egress } = pair;
  const at = new Date(atMs).toISOString();
  const request: ProbeMessage = {
    v: 1,
    kind: "probe",
    id: `scheduled/${target.provider}/${egress.name}/${at}/${hashOf(pair)}`,
    recipient: target.recipient,
    egress: egress.name,
    depth: target.depth,
    // The next round has its own.
    notAfter: new Date(atMs + everyMs).toISOString(),
  };
  return { pair, request, atMs, delayS: Math.round((atMs - fromMs) / 1000) };
}

function hashOf({ target, egress }: Pair): string {
  return createHash("sha256")
    .update(`${keyOfTarget(target)} ${egress.name}`)
    .digest("hex")
    .slice(0, 8);
}
