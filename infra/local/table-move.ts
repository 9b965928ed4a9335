// Gives a table of an older state folder the indexes that it lacks. DynamoDB adds an index to a table that has rows
// (UpdateTable); dynalite takes that request and adds none, so that the rows move to a table that has it, by way of a copy.
// It does not know what a row holds.
//
// At every moment one of the two has all rows: a start that is ended half-way is made good by the next one.
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  type AttributeValue,
  type CreateTableCommandInput,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { setTimeout as sleep } from "node:timers/promises";

/** Moves it where it lacks an index, or where a move was begun and not ended. */
export async function moveTable(definition: CreateTableCommandInput, client: DynamoDBDocumentClient): Promise<void> {
  const name = definition.TableName ?? "";
  const copy = `${name}-moving`;
  if (!(await isWhole(copy, client))) {
    await dropTable(copy, client);
    if (!lacksIndex(await describe(name, client), definition)) return;
    await createTable({ ...definition, TableName: copy }, client);
    await copyRows(name, copy, client);
    await client.send(new PutItemCommand({ TableName: copy, Item: wholeMark }));
  }
  await dropTable(name, client);
  await createTable(definition, client);
  await copyRows(copy, name, client);
  await dropTable(copy, client);
}

/** Makes the table where it is not there yet, and waits until it can be used. */
export async function createTable(definition: CreateTableCommandInput, client: DynamoDBDocumentClient): Promise<void> {
  try {
    await client.send(new CreateTableCommand(definition));
  } catch (error) {
    if ((error as Error).name !== "ResourceInUseException") throw error;
  }
  while ((await describe(definition.TableName ?? "", client))?.TableStatus !== "ACTIVE") await sleep(20);
}

/** In a copy that has all rows; no key of a row is like it. */
const wholeMark = { pk: { S: "the copy is whole" } };

async function isWhole(copy: string, client: DynamoDBDocumentClient): Promise<boolean> {
  // One that was being dropped when all ended has no rows any more.
  if ((await describe(copy, client))?.TableStatus !== "ACTIVE") return false;
  const { Item } = await client.send(new GetItemCommand({ TableName: copy, Key: wholeMark, ConsistentRead: true }));
  return Item !== undefined;
}

function lacksIndex(table: TableDescription | null, { GlobalSecondaryIndexes = [] }: CreateTableCommandInput): boolean {
  if (table === null) return false;
  const there = (table.GlobalSecondaryIndexes ?? []).map(({ IndexName }) => IndexName);
  return GlobalSecondaryIndexes.some(({ IndexName }) => !there.includes(IndexName));
}

/** Null: there is none. */
async function describe(name: string, client: DynamoDBDocumentClient): Promise<TableDescription | null> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table ?? null;
  } catch (error) {
    if ((error as Error).name === "ResourceNotFoundException") return null;
    throw error;
  }
}

async function dropTable(name: string, client: DynamoDBDocumentClient): Promise<void> {
  if ((await describe(name, client)) === null) return;
  await client.send(new DeleteTableCommand({ TableName: name }));
  while ((await describe(name, client)) !== null) await sleep(20);
}

type Row = Record<string, AttributeValue>;

/** DynamoDB's own, of BatchWriteItem. */
const batchLimit = 25;

/** Values as they are on the wire: no number is rounded on its way. */
async function copyRows(from: string, to: string, client: DynamoDBDocumentClient): Promise<void> {
  let start: Row | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({ TableName: from, ConsistentRead: true, ExclusiveStartKey: start }),
    );
    const rows = Items.filter(({ pk }) => pk?.S !== wholeMark.pk.S);
    for (let index = 0; index < rows.length; index += batchLimit) {
      await putRows(to, rows.slice(index, index + batchLimit), client);
    }
    start = LastEvaluatedKey;
  } while (start !== undefined);
}

async function putRows(name: string, rows: readonly Row[], client: DynamoDBDocumentClient): Promise<void> {
  let left = rows.map((Item) => ({ PutRequest: { Item } }));
  while (left.length > 0) {
    const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [name]: left } }));
    left = (UnprocessedItems?.[name] ?? []).flatMap(({ PutRequest }) =>
      PutRequest?.Item === undefined ? [] : [{ PutRequest: { Item: PutRequest.Item } }],
    );
  }
}
