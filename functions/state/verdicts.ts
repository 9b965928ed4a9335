// The last verdicts: one row a request, which is the truth about it. A request whose row is there is never probed again.
// It does not judge, and tells nobody.
import { gunzipSync, gzipSync } from "node:zlib";
import type { Verdict } from "../verdict/verdict.ts";
import { findRow, lastRows, markRowReported, putOnce } from "./request-rows.ts";
import type { Row, Table } from "./table.ts";

export interface StoredVerdict {
  /** The request's. */
  readonly id: string;
  /** As in the series: the target's provider, else the one that the MX host tells. */
  readonly provider: string;
  readonly egress: string;
  readonly recipient: string;
  /** When it was decided: RFC 3339, UTC. */
  readonly at: string;
  /** The document, its recipients masked if so configured. */
  readonly verdict: Verdict;
  /** What `Blocked` says after it; null: nothing. */
  readonly blocked: boolean | null;
  /** Of what was asked, so that another request of the same id is told. */
  readonly digest: string;
  /** Whether its figures are with CloudWatch, or in the log for it. */
  readonly reported: boolean;
  /** How often the request came again after its verdict. */
  readonly duplicates: number;
}

/** A row holds 400 KB; a document that is longer is packed, which a transcript's repeating lines are good for. */
const plainLimit = 300_000; // octets
const packedLimit = 350_000; // octets

export async function findVerdict(id: string, table: Table): Promise<StoredVerdict | null> {
  const row = await findRow(keyOf(id), table);
  return row === null ? null : fromRow(row);
}

/** @returns false where the request has a verdict already, which stays */
export async function putVerdict(stored: StoredVerdict, table: Table): Promise<boolean> {
  const { verdict, ...facts } = stored;
  const keys = { pk: keyOf(stored.id), pair: pairOf(stored.provider, stored.egress) };
  return await putOnce({ ...facts, ...keys, ...summaryOf(verdict), ...documentOf(verdict) }, table);
}

export async function markReported(id: string, table: Table): Promise<void> {
  await markRowReported(keyOf(id), table);
}

export async function countDuplicate(id: string, table: Table): Promise<void> {
  await table.client.update({
    TableName: table.name,
    Key: { pk: keyOf(id) },
    UpdateExpression: "ADD duplicates :one",
    ConditionExpression: "attribute_exists(pk)",
    ExpressionAttributeValues: { ":one": 1 },
  });
}

/** The last of a provider over an egress, the newest first. */
export async function lastVerdicts(
  provider: string,
  egress: string,
  limit: number,
  table: Table,
): Promise<readonly StoredVerdict[]> {
  return (await lastRows(pairOf(provider, egress), limit, table)).map(fromRow);
}

function keyOf(id: string): string {
  return `request#${id}`;
}

export function pairOf(provider: string, egress: string): string {
  return `${provider}#${egress}`;
}

/** What a person who reads the table in a console looks for; nothing reads it back. */
function summaryOf({ outcome, class: kind, severity, primary }: Verdict): object {
  return { outcome, class: kind, severity, stage: primary.stage, code: primary.code, text: primary.text.slice(0, 500) };
}

function documentOf(verdict: Verdict): { readonly document: string } | { readonly packed: Uint8Array } {
  const document = JSON.stringify(verdict);
  return Buffer.byteLength(document) <= plainLimit ? { document } : { packed: gzipSync(document) };
}

/**
 * The verdict as a row can hold it. A hostile host's replies may be long and pack badly: then they are cut, the longest
 * first, with a mark; the answer that decided is cut last.
 */
export function fitted(verdict: Verdict): Verdict {
  const isFitting = (each: Verdict): boolean => {
    const document = JSON.stringify(each);
    return Buffer.byteLength(document) <= plainLimit || gzipSync(document).length <= packedLimit;
  };
  if (isFitting(verdict)) return verdict;
  for (const limit of [10_000, 2_000, 500, 100]) {
    const cut = { ...(cutTexts(verdict, limit) as Verdict), primary: verdict.primary };
    if (isFitting(cut)) return cut;
  }
  return { ...(cutTexts(verdict, 100) as Verdict), attempts: [] };
}

/** Texts and the lines of replies, all of one value together, to so many characters. */
function cutTexts(value: unknown, limit: number): unknown {
  if (typeof value === "string")
    return value.length <= limit ? value : `${value.slice(0, limit)}… (${value.length} characters)`;
  if (Array.isArray(value)) {
    if (!value.every((each) => typeof each === "string")) return value.map((each) => cutTexts(each, limit));
    const lines = value.map((each) => String(cutTexts(each, limit)));
    let room = limit;
    const kept = lines.filter((each) => (room -= each.length) + each.length > 0);
    return kept.length === lines.length ? lines : [...kept, `… (${lines.length - kept.length} lines more)`];
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cutTexts(each, limit)]));
}

function fromRow(row: Row): StoredVerdict {
  const { id, provider, egress, recipient, at, blocked, digest, reported, duplicates } =
    row as unknown as StoredVerdict;
  const { document, packed } = row as { readonly document?: string; readonly packed?: Uint8Array };
  const json = document ?? gunzipSync(packed ?? new Uint8Array()).toString();
  const verdict = JSON.parse(json) as Verdict;
  return { id, provider, egress, recipient, at, verdict, blocked, digest, reported, duplicates };
}
