// Writes down what came of a request: its row, what it changes between us and the provider, and the log's line. The row
// comes first: once it is there, the request is never probed again. It does not send figures, and pages nobody.
import { dialogOf } from "../verdict/incident.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { settle, type PairState } from "../state/pairs.ts";
import { putVerdict, type StoredVerdict } from "../state/verdicts.ts";
import type { Table } from "../state/table.ts";
import { blockAfter } from "./figures.ts";
import type { Entry } from "./log.ts";

/** What is to be written, with all that it needs: it can be written by another process, later. */
export interface Recording {
  readonly stored: StoredVerdict;
  /** The pair as it is after the verdict. */
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
  const notBefore = verdict.outcome === "deferred" ? new Date(Date.parse(at) + backOffMs).toISOString() : null;
  return {
    stored: { ...stored, blocked, reported: false, duplicates: 0 },
    state: { ...before, block, last: { id, at }, notBefore },
  };
}

/** @returns false where the request had a verdict already: then this one is not written */
export async function writeRecording({ stored, state }: Recording, table: Table): Promise<boolean> {
  const isFirst = await putVerdict(stored, table);
  if (isFirst) await settle(state, table);
  return isFirst;
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
    remedy: remedy?.url ?? null,
    attempts: attempts.length,
    decidedMs: Math.round(decidedMs(verdict)),
    dialog: dialogOf(verdict),
  };
}

/** Over all attempts. */
function decidedMs({ attempts }: Verdict): number {
  const earlier = attempts.slice(0, -1).reduce((sum, { timings }) => sum + timings.endedMs, 0);
  return earlier + (attempts.at(-1)?.timings.decidedMs ?? 0);
}
