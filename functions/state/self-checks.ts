// What our own set-up was found to be: one row a self-check, which is the truth about its request, the last of an egress
// in front. It checks nothing, and tells nobody.
import type { Check } from "../self-check/found.ts";
import type { SelfCheck } from "../self-check/self-check.ts";
import { findRow, lastRows, markRowReported, putOnce } from "./request-rows.ts";
import type { Row, Table } from "./table.ts";

export interface StoredSelfCheck {
  /** The request's. */
  readonly id: string;
  readonly egress: string;
  /** When it was done: RFC 3339, UTC, of the table's clock. */
  readonly at: string;
  readonly selfCheck: SelfCheck;
  /** Of each fault that stands, when it was first seen: RFC 3339. */
  readonly since: Since;
  /** Whether its figures are with CloudWatch, or in the log for it. */
  readonly reported: boolean;
}

export type Since = Readonly<Partial<Record<Check["check"], string>>>;

/** The faults that stand after these checks. What could not be learnt this time mends nothing that was found before. */
export function standingSince(checks: readonly Check[], before: Since, at: string): Since {
  const rows = checks.flatMap(({ check, standing }) => {
    const since = before[check] ?? (standing === "fault" ? at : null);
    return standing === "ok" || since === null ? [] : [[check, since] as const];
  });
  return Object.fromEntries(rows);
}

export async function findSelfCheck(id: string, table: Table): Promise<StoredSelfCheck | null> {
  const row = await findRow(keyOf(id), table);
  return row === null ? null : fromRow(row);
}

/** @returns false where the request has its self-check already, which stays */
export async function putSelfCheck(stored: StoredSelfCheck, table: Table): Promise<boolean> {
  const { selfCheck, ...facts } = stored;
  const { standing } = selfCheck;
  const document = JSON.stringify(fitted(selfCheck));
  return await putOnce({ ...facts, pk: keyOf(stored.id), pair: placeOf(stored.egress), standing, document }, table);
}

export async function markSelfCheckReported(id: string, table: Table): Promise<void> {
  await markRowReported(keyOf(id), table);
}

/** Null: there was none, or so long ago that it is forgotten. */
export async function lastSelfCheck(egress: string, table: Table): Promise<StoredSelfCheck | null> {
  const [row] = await lastRows(placeOf(egress), 1, table);
  return row === undefined ? null : fromRow(row);
}

function keyOf(id: string): string {
  return `self-check#${id}`;
}

/** In the index of pairs, beside them: no provider's name is empty. */
function placeOf(egress: string): string {
  return `#self-check#${egress}`;
}

/** What DNS and hosts say may be long, and a row holds 400 KB: a page shows less than this of it. */
const textLimit = 4_000; // characters

function fitted(selfCheck: SelfCheck): SelfCheck {
  const checks = selfCheck.checks.map((each) =>
    each.text.length <= textLimit ? each : { ...each, text: `${each.text.slice(0, textLimit)}…` },
  );
  return { ...selfCheck, checks };
}

function fromRow(row: Row): StoredSelfCheck {
  const { id, egress, at, since, reported } = row as unknown as StoredSelfCheck;
  const { document } = row as { readonly document: string };
  return { id, egress, at, selfCheck: JSON.parse(document) as SelfCheck, since, reported };
}
