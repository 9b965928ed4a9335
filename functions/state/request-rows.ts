// Rows that are the truth about a request: written once, looked up by the request, marked when their figures are told, and
// listed by what they are about, the newest first. What such a row holds, its own file knows.
import type { QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import { expiryOf, isConditionFault, isExpired, pairIndex, type Row, type Table } from "./table.ts";

/** Null: there is none, or its time is over. */
export async function findRow(pk: string, table: Table): Promise<Row | null> {
  const { Item } = await table.client.get({ TableName: table.name, Key: { pk }, ConsistentRead: true });
  return Item === undefined || isExpired(Item, table) ? null : Item;
}

/**
 * @param row with `expiresAt` where it is kept otherwise than the table's rows are
 * @returns false where there is a row of that key already, which stays
 */
export async function putOnce(row: Row & { readonly pk: string }, table: Table): Promise<boolean> {
  try {
    await table.client.put({
      TableName: table.name,
      Item: { expiresAt: expiryOf(table), ...row },
      ConditionExpression: "attribute_not_exists(pk) OR expiresAt <= :now",
      ExpressionAttributeValues: { ":now": Math.floor(table.now().getTime() / 1000) },
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

/** Its figures are with CloudWatch, or in the log for it. */
export async function markRowReported(pk: string, table: Table): Promise<void> {
  await table.client.update({
    TableName: table.name,
    Key: { pk },
    UpdateExpression: "SET reported = :true",
    ConditionExpression: "attribute_exists(pk)",
    ExpressionAttributeValues: { ":true": true },
  });
}

/** Those of one place in the index, the newest first, and so many at most. */
export async function lastRows(pair: string, limit: number, table: Table): Promise<readonly Row[]> {
  const found: Row[] = [];
  let from: QueryCommandInput["ExclusiveStartKey"];
  do {
    const { Items = [], LastEvaluatedKey } = await table.client.query({
      TableName: table.name,
      IndexName: pairIndex,
      KeyConditionExpression: "#pair = :pair",
      ExpressionAttributeNames: { "#pair": "pair" },
      ExpressionAttributeValues: { ":pair": pair },
      ScanIndexForward: false,
      Limit: limit - found.length,
      ExclusiveStartKey: from,
    });
    const live = Items.filter((row) => !isExpired(row, table));
    found.push(...live);
    // DynamoDB answers with 1 MB at most, which is three rows of long documents. Behind an expired row all are.
    from = live.length < Items.length ? undefined : LastEvaluatedKey;
  } while (from !== undefined && found.length < limit);
  return found;
}
