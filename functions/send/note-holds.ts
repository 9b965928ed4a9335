// Notes what a verdict, a probe's or a send's, says of the holds on such sends. It neither judges, nor lets anybody go.
import type { Said } from "../report/block.ts";
import { changeHolds, type Hold, type Whose } from "../state/holds.ts";
import type { Table } from "../state/table.ts";
import type { Verdict } from "../verdict/verdict.ts";
import { holdAfter } from "./hold.ts";

export interface NotedHolds {
  readonly began: readonly Hold[];
  readonly ended: readonly Hold[];
  /** All that stand after it. */
  readonly standing: readonly Hold[];
}

/** Costs one read where nothing changes. */
export async function noteHolds(
  verdict: Verdict,
  { id, at, ...whose }: Whose & Said,
  table: Table,
): Promise<NotedHolds> {
  const changes = await changeHolds(whose, (key, before) => holdAfter(verdict, key, before, { id, at }), table);
  return {
    began: changes.flatMap(({ before, after }) => (before === null && after !== null ? [after] : [])),
    ended: changes.flatMap(({ before, after }) => (before !== null && after === null ? [before] : [])),
    standing: changes.flatMap(({ after }) => after ?? []),
  };
}
