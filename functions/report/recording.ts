// What is written down of a verdict: its row, what it changes between us and the provider, and the log's line. Pure.
import { decidedAfterMs, dialogOf } from "../verdict/incident.ts";
import { policyNotes } from "../verdict/policy-note.ts";
import type { PairState } from "../state/pairs.ts";
import type { StoredSelfCheck } from "../state/self-checks.ts";
import type { StoredVerdict } from "../state/verdicts.ts";
import { blockAfter } from "./block.ts";
import type { Entry } from "./log.ts";

/** A verdict, and the pair as it is after it. */
export interface Recording {
  readonly stored: StoredVerdict;
  readonly state: PairState;
}

/** @param backOffMs how long the schedule leaves a provider alone that asked us to slow down */
export function recordingOf(
  stored: Omit<StoredVerdict, "blocked" | "reported" | "duplicates">,
  before: PairState,
  backOffMs: number,
): Recording {
  const { id, at, verdict } = stored;
  const { block, blocked } = blockAfter(verdict, before.block, { id, at });
  const notBefore = notBeforeOf(verdict, at, backOffMs);
  const clearedAt = blocked === false ? at : before.clearedAt;
  return {
    stored: { ...stored, blocked, reported: false, duplicates: 0 },
    state: { ...before, block, clearedAt, last: { id, at }, notBefore },
  };
}

/** Until when the schedule leaves a provider alone after a verdict (RFC 3339); null: it does not. */
export function notBeforeOf({ outcome }: StoredVerdict["verdict"], at: string, backOffMs: number): string | null {
  return outcome === "deferred" ? new Date(Date.parse(at) + backOffMs).toISOString() : null;
}

/**
 * The pair after a verdict that was kept from being written, by a process that died or a table that did not answer. Others
 * may have come since: a refusal of the IP stands unless a session has got past it meanwhile, and a yes ends nothing.
 */
export function lateState(stored: StoredVerdict, before: PairState, backOffMs: number): PairState {
  if (before.last === null || before.last.at <= stored.at) return recordingOf(stored, before, backOffMs).state;
  const isOver = before.clearedAt !== null && before.clearedAt >= stored.at;
  if (stored.blocked !== true || isOver) return before;
  return { ...before, block: blockAfter(stored.verdict, before.block, stored).block };
}

/**
 * What a send's verdict changes of the pair: sends have no lease, and others' verdicts come beside it. Only what moves the
 * block, or says it again, is written, so that a send that was taken costs nothing; who comes late ends no block here either.
 * @returns the pair as it is to be (null: as it is), and what `Blocked` says
 */
export function besideOthers(
  { id, at, verdict }: Pick<StoredVerdict, "id" | "at" | "verdict">,
  before: PairState,
): { readonly state: PairState | null; readonly blocked: boolean | null } {
  const { block, blocked } = blockAfter(verdict, before.block, { id, at });
  if (blocked === null || (!blocked && before.block === null)) return { state: null, blocked };
  if (before.last === null || before.last.at <= at) {
    const clearedAt = blocked ? before.clearedAt : at;
    return { state: { ...before, block, clearedAt, last: { id, at } }, blocked };
  }
  if (!blocked) return { state: null, blocked: null };
  const isOver = before.clearedAt !== null && before.clearedAt >= at;
  // One of many that were refused at the same time: the block is as far already, and was said later.
  const isThere = before.block !== null && before.block.stage === block?.stage;
  return { state: isOver || isThere ? null : { ...before, block }, blocked };
}

/** The verdict as one entry of the log, its conversation in the notation of dialogs. */
export function verdictEntry({ id, provider, egress, recipient, at, verdict, blocked }: StoredVerdict): Entry {
  const { outcome, class: kind, severity, blocklist, rule, remedy, primary, attempts } = verdict;
  const { stage, code, status, text, host, address } = primary;
  return {
    level: severity === "page" ? "error" : severity === "warn" ? "warn" : "info",
    event: "verdict",
    id,
    provider,
    egress,
    recipient,
    at,
    outcome,
    class: kind,
    severity,
    blocklist,
    rule,
    stage,
    code,
    status,
    text,
    host,
    address,
    blocked,
    policies: policyNotes(verdict),
    remedy: remedy?.url ?? null,
    attempts: attempts.length,
    decidedMs: Math.round(decidedAfterMs(verdict)),
    dialog: dialogOf(verdict),
  };
}

/** The self-check as one entry of the log. */
export function selfCheckEntry({ id, egress, at, selfCheck, since }: StoredSelfCheck): Entry {
  const { standing, checks, helo, sender } = selfCheck;
  const { address, seen } = selfCheck.egress;
  return {
    level: selfCheckLevels[standing],
    event: "self-check",
    id,
    egress,
    at,
    standing,
    address,
    seen,
    helo,
    sender,
    since,
    checks: checks.map(({ check, standing, text }) => ({ check, standing, text })),
  };
}

/** What could not be learnt is usual: a resolver that hiccups, a list that does not answer. */
const selfCheckLevels = { ok: "info", unknown: "info", fault: "error" } as const;
