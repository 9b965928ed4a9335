// What our own set-up was found to be: one row a self-check, which is the truth about its request, the last of an egress
// in front. It checks nothing, and tells nobody.
import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Check } from "../self-check/found.ts";
import type { SelfCheck } from "../self-check/self-check.ts";
import { expiryOf, isConditionFault, isExpired, pairIndex, type Table } from "./table.ts";

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
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.name, Key: { pk: keyOf(id) }, ConsistentRead: true }),
  );
  return Item === undefined || isExpired(Item, table) ? null : fromRow(Item);
}

/** @returns false where the request has its self-check already, which stays */
export async function putSelfCheck(stored: StoredSelfCheck, table: Table): Promise<boolean> {
  const { selfCheck, ...facts } = stored;
  try {
    await table.client.send(
      new PutCommand({
        TableName: table.name,
        Item: {
          ...facts,
          pk: keyOf(stored.id),
          pair: placeOf(stored.egress),
          standing: selfCheck.standing,
          document: JSON.stringify(fitted(selfCheck)),
          expiresAt: expiryOf(table),
        },
        ConditionExpression: "attribute_not_exists(pk) OR expiresAt <= :now",
        ExpressionAttributeValues: { ":now": Math.floor(table.now().getTime() / 1000) },
      }),
    );
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

export async function markSelfCheckReported(id: string, table: Table): Promise<void> {
  await table.client.send(
    new UpdateCommand({
      TableName: table.name,
      Key: { pk: keyOf(id) },
      UpdateExpression: "SET reported = :true",
      ConditionExpression: "attribute_exists(pk)",
      ExpressionAttributeValues: { ":true": true },
    }),
  );
}

/** Null: there was none, or so long ago that it is forgotten. */
export async function lastSelfCheck(egress: string, table: Table): Promise<StoredSelfCheck | null> {
  const { Items = [] } = await table.client.send(
    new QueryCommand({
      TableName: table.name,
      IndexName: pairIndex,
      KeyConditionExpression: "#pair = :pair",
      ExpressionAttributeNames: { "#pair": "pair" },
      ExpressionAttributeValues: { ":pair": placeOf(egress) },
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  // Behind an expired row all are.
  const [row] = Items;
  return row === undefined || isExpired(row, table) ? null : fromRow(row);
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

function fromRow(row: Readonly<Record<string, unknown>>): StoredSelfCheck {
  const { id, egress, at, since, reported } = row as unknown as StoredSelfCheck;
  const { document } = row as { readonly document: string };
  return { id, egress, at, selfCheck: JSON.parse(document) as SelfCheck, since, reported };
}
