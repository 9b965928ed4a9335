// Who is left alone by the schedule, why and until when, because somebody said so: a provider or an egress. One row each.
import { BatchGetCommand, DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { Table } from "./table.ts";

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
  await table.client.send(new PutCommand({ TableName: table.name, Item: { ...given, pk: keyOf(given), expiresAt } }));
}

/** @returns the pause that was ended, or null where there was none */
export async function resume(given: Paused, table: Table): Promise<Pause | null> {
  const { Attributes } = await table.client.send(
    new DeleteCommand({ TableName: table.name, Key: { pk: keyOf(given) }, ReturnValues: "ALL_OLD" }),
  );
  return Attributes === undefined || isOver(Attributes, table) ? null : fromRow(Attributes);
}

/** The pauses in force, of these. */
export async function pausesOf(given: readonly Paused[], table: Table): Promise<readonly Pause[]> {
  const found: Pause[] = [];
  const keys = [...new Set(given.map(keyOf))].map((pk) => ({ pk }));
  for (let pending = keys; pending.length > 0;) {
    const { Responses, UnprocessedKeys } = await table.client.send(
      new BatchGetCommand({ RequestItems: { [table.name]: { Keys: pending.slice(0, 100), ConsistentRead: true } } }),
    );
    found.push(...(Responses?.[table.name] ?? []).filter((row) => !isOver(row, table)).map(fromRow));
    const again = (UnprocessedKeys?.[table.name]?.Keys ?? []) as { pk: string }[];
    pending = [...again, ...pending.slice(100)];
  }
  return found;
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
