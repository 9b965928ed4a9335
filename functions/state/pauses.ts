// Who is left alone by the schedule, why and until when, because somebody said so: a provider or an egress. One row each.
import { rowsOf, type Table } from "./table.ts";

export interface Paused {
  readonly kind: "provider" | "egress";
  readonly name: string;
}

export interface Pause extends Paused {
  readonly reason: string;
  /** RFC 3339. */
  readonly since: string;
  readonly until: string;
}

export async function pause(given: Pause, table: Table): Promise<void> {
  // A pause that is over is history of a day.
  const expiresAt = Math.ceil(Date.parse(given.until) / 1000) + 86_400;
  await table.client.put({ TableName: table.name, Item: { ...given, pk: keyOf(given), expiresAt } });
}

/** @returns the pause that was ended, or null where there was none */
export async function resume(given: Paused, table: Table): Promise<Pause | null> {
  const { Attributes } = await table.client.delete({
    TableName: table.name,
    Key: { pk: keyOf(given) },
    ReturnValues: "ALL_OLD",
  });
  return Attributes === undefined || isOver(Attributes, table) ? null : fromRow(Attributes);
}

/** The pauses in force, of these. */
export async function pausesOf(given: readonly Paused[], table: Table): Promise<readonly Pause[]> {
  const rows = await rowsOf(given.map(keyOf), table);
  return rows.filter((row) => !isOver(row, table)).map(fromRow);
}

function keyOf({ kind, name }: Paused): string {
  return `pause#${kind}#${name}`;
}

function isOver(row: Readonly<Record<string, unknown>>, { now }: Table): boolean {
  return Date.parse(String(row["until"])) <= now().getTime();
}

function fromRow(row: Readonly<Record<string, unknown>>): Pause {
  const { kind, name, reason, since, until } = row as unknown as Pause;
  return { kind, name, reason, since, until };
}
