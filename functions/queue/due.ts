// Which probes and self-checks are due in a slot of the schedule. Pure: a slot that is asked for again gives the same
// requests, with the same ids, so that a repeated invocation makes no second probe. It asks nobody whether they are wanted.
import { createHash } from "node:crypto";
import { keyOfTarget, pairsOf, type Config, type Pair } from "../config/config.ts";
import type { ProbeMessage, SelfCheckMessage } from "./request.ts";

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
    const everyS = pair.target.everyMinutes * 60;
    const atMs = timeIn(fromMs, everyS, hashOf(pair));
    return atMs === null ? [] : [due(pair, atMs, fromMs, everyS * 1000)];
  });
}

export interface DueSelfCheck {
  readonly egress: string;
  readonly request: SelfCheckMessage;
  readonly atMs: number;
  readonly delayS: number;
}

/**
 * Each egress once a day: records of DNS and entries of blocklists seldom change, and who maintains a list does not like
 * to be asked more.
 * @param slot as dueIn's
 */
export function selfChecksIn(slot: string, { egresses }: Config): readonly DueSelfCheck[] {
  const fromMs = Date.parse(slot);
  return egresses.flatMap(({ name }) => {
    const atMs = timeIn(fromMs, dayS, hashText(`self-check ${name}`));
    if (atMs === null) return [];
    const at = new Date(atMs).toISOString();
    const id = `scheduled/self-check/${name}/${at}`;
    const notAfter = new Date(atMs + dayS * 1000).toISOString();
    const request: SelfCheckMessage = { v: 1, kind: "self-check", id, egress: name, notAfter };
    return [{ egress: name, request, atMs, delayS: delayOf(atMs, fromMs) }];
  });
}

const dayS = 86_400;

/** When what has this hash falls due within the slot; null: not in this one. */
function timeIn(fromMs: number, everyS: number, hash: string): number | null {
  const [everyMs, offsetMs] = [everyS * 1000, offsetOf(everyS, hash)];
  const atMs = Math.ceil((fromMs - offsetMs) / everyMs) * everyMs + offsetMs;
  return atMs < fromMs + slotMs ? atMs : null;
}

/**
 * A place of its own in its round, the same for ever: no two providers at once, none at the top of the hour, when
 * everybody's jobs run and hosts answer 4yz for that alone. In milliseconds.
 */
function offsetOf(everyS: number, text: string): number {
  const hash = Number.parseInt(text, 16);
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
  return { pair, request, atMs, delayS: delayOf(atMs, fromMs) };
}

function delayOf(atMs: number, fromMs: number): number {
  return Math.round((atMs - fromMs) / 1000);
}

function hashOf({ target, egress }: Pair): string {
  return hashText(`${keyOfTarget(target)} ${egress.name}`);
}

function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
