// Who runs what: one row for the schedule and each runner, with the configuration's hash and the program's version that it
// was last seen with. It does not know what a configuration holds, nor which one is right.
import { expiryOf, isExpired, rowsOf, type Row, type Table } from "./table.ts";

/** `worker/` and the egress's name. */
export type RunningName = "schedule" | "functions" | `worker/${string}`;

export interface Running {
  readonly runner: RunningName;
  /** Of its configuration. */
  readonly hash: string;
  /** Of the program. */
  readonly version: string;
  /** When it said so last: RFC 3339, UTC, of the table's clock. */
  readonly at: string;
}

/** Of several processes of one runner, the last that says so is told. */
export async function noteRunning(running: Omit<Running, "at">, table: Table): Promise<void> {
  const Item = { ...running, pk: keyOf(running.runner), at: table.now().toISOString(), expiresAt: expiryOf(table) };
  await table.client.put({ TableName: table.name, Item });
}

/** Those of these that have been heard of, in no order. */
export async function runningOf(runners: readonly RunningName[], table: Table): Promise<readonly Running[]> {
  const rows = await rowsOf(runners.map(keyOf), table);
  return rows.filter((row) => !isExpired(row, table)).map(fromRow);
}

function keyOf(runner: RunningName): string {
  return `running#${runner}`;
}

function fromRow(row: Row): Running {
  const { runner, hash, version, at } = row as unknown as Running;
  return { runner, hash, version, at };
}
