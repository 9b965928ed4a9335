// The one table: its name, its keys, and how a row is addressed. What a row holds, the files beside it know.
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import type {
  BatchGetCommandInput,
  BatchGetCommandOutput,
  DeleteCommandInput,
  DeleteCommandOutput,
  GetCommandInput,
  GetCommandOutput,
  PutCommandInput,
  PutCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  UpdateCommandInput,
  UpdateCommandOutput,
} from "@aws-sdk/lib-dynamodb";

export interface Table {
  readonly client: TableClient;
  readonly name: string;
  /** Rows are kept so long. */
  readonly days: number;
  readonly now: () => Date;
}

/** What is asked of DynamoDB: a part of the SDK's DynamoDBDocument, in one form of its many. */
export interface TableClient {
  get(input: GetCommandInput, call?: Call): Promise<GetCommandOutput>;
  put(input: PutCommandInput, call?: Call): Promise<PutCommandOutput>;
  update(input: UpdateCommandInput, call?: Call): Promise<UpdateCommandOutput>;
  delete(input: DeleteCommandInput, call?: Call): Promise<DeleteCommandOutput>;
  query(input: QueryCommandInput, call?: Call): Promise<QueryCommandOutput>;
  batchGet(input: BatchGetCommandInput, call?: Call): Promise<BatchGetCommandOutput>;
}

interface Call {
  readonly abortSignal: AbortSignal;
}

/** The same table, whose answers are waited for until the signal says that there is no time left. */
export function boundedTable(table: Table, abortSignal: AbortSignal): Table {
  const { client } = table;
  const call: Call = { abortSignal };
  const bounded: TableClient = {
    get: (input) => client.get(input, call),
    put: (input) => client.put(input, call),
    update: (input) => client.update(input, call),
    delete: (input) => client.delete(input, call),
    query: (input) => client.query(input, call),
    batchGet: (input) => client.batchGet(input, call),
  };
  return { ...table, client: bounded };
}

/** Verdicts by pair, in the order of time. */
export const pairIndex = "byPair";
/** What somebody must be woken for, in the order of when: only rows that have its keys are in it. */
export const wakeIndex = "byWake";

/** What the table is made of: one key, two indexes. TTL is on `expiresAt`; readers filter by it, since DynamoDB is late. */
export function tableDefinition(name: string): CreateTableCommandInput {
  return {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "pk", AttributeType: "S" },
      { AttributeName: "pair", AttributeType: "S" },
      { AttributeName: "at", AttributeType: "S" },
      { AttributeName: "wakeShard", AttributeType: "S" },
      { AttributeName: "wakeAtMs", AttributeType: "N" },
    ],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    GlobalSecondaryIndexes: [
      {
        IndexName: pairIndex,
        KeySchema: [
          { AttributeName: "pair", KeyType: "HASH" },
          { AttributeName: "at", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "ALL" },
      },
      {
        IndexName: wakeIndex,
        KeySchema: [
          { AttributeName: "wakeShard", KeyType: "HASH" },
          { AttributeName: "wakeAtMs", KeyType: "RANGE" },
        ],
        // Such a row may hold hundreds of kilobytes, and each change of one would be written here again.
        Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["id", "domain", "egress", "createdAt"] },
      },
    ],
  };
}

/** DynamoDB's own, of BatchGetItem. */
const batchLimit = 100;

/** The rows of these keys that there are, in no order. */
export async function rowsOf(keys: readonly string[], { client, name }: Table): Promise<readonly Row[]> {
  const found: Row[] = [];
  for (let pending = [...new Set(keys)].map((pk) => ({ pk })); pending.length > 0;) {
    const Keys = pending.slice(0, batchLimit);
    const { Responses, UnprocessedKeys } = await client.batchGet({
      RequestItems: { [name]: { Keys, ConsistentRead: true } },
    });
    found.push(...(Responses?.[name] ?? []));
    const again = (UnprocessedKeys?.[name]?.Keys ?? []) as { readonly pk: string }[];
    pending = [...again, ...pending.slice(batchLimit)];
  }
  return found;
}

export type Row = Readonly<Record<string, unknown>>;

/** Seconds since the epoch, as TTL wants them. */
export function expiryOf({ days, now }: Table): number {
  return Math.ceil(now().getTime() / 1000) + days * 86_400;
}

export function isExpired(row: Row, { now }: Table): boolean {
  return typeof row["expiresAt"] === "number" && row["expiresAt"] * 1000 <= now().getTime();
}

/** Whether a condition of ours was not met, which is an answer and no fault. */
export function isConditionFault(error: unknown): boolean {
  return error instanceof Error && error.name === "ConditionalCheckFailedException";
}
