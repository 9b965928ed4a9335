// Notes what a send's verdict says of the block that stands between us and a provider: in the row of the pair that its
// probes use too. It neither judges, nor asks for the lease.
import { unknownProvider } from "../probe/site.ts";
import { besideOthers } from "../report/recording.ts";
import { changeBlock } from "../state/pairs.ts";
import type { Table } from "../state/table.ts";
import type { StoredVerdict } from "../state/verdicts.ts";

/**
 * Of hosts that nobody has named nothing is kept: a yes of one would end the block of another.
 * @returns what `Blocked` says after it; null: nothing
 */
export async function noteBlock(
  said: Pick<StoredVerdict, "id" | "provider" | "egress" | "at" | "verdict">,
  table: Table,
): Promise<boolean | null> {
  if (said.provider === unknownProvider) return null;
  const { blocked } = await changeBlock(said, (pair) => besideOthers(said, pair), table);
  return blocked;
}
