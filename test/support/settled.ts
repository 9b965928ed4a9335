// Writes a pair's state as a session does, with the lease in hand.
import { acquire, release, settle, type PairState } from "../../functions/state/pairs.ts";
import type { Table } from "../../functions/state/table.ts";

/** Whoever has the lease loses it. */
export async function settled(state: PairState, table: Table): Promise<void> {
  const lease = { provider: state.provider, egress: state.egress, owner: crypto.randomUUID() };
  let leased = await acquire(lease, 60_000, table);
  while (leased.lease === null) leased = await acquire(lease, 60_000, table);
  await settle(lease, leased.state, () => state, table);
  await release(lease, 0, table);
}
