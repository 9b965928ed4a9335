// Which deliveries somebody must look at, and when: the index over the rows that say so. Only their sweep needs it; what is
// to be done with one, its own row says.
import { createHash } from "node:crypto";
import type { QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import { isConditionFault, wakeIndex, type Row, type Table } from "./table.ts";

/** A delivery that waits, as the index has it, which may be behind its row. */
export interface Waking {
  readonly id: string;
  readonly domain: string;
  readonly egress: string;
  /** RFC 3339: when the send was taken on. */
  readonly createdAt: string;
  /** By the clock of schedules. */
  readonly wakeAtMs: number;
}

/** One partition of an index takes 1,000 writes a second, and each attempt makes a few. */
const shards = ["wake#0", "wake#1", "wake#2", "wake#3"] as const;

/** Where in the index the deliveries of a send are. */
export function wakeShardOf(id: string): string {
  const [octet = 0] = createHash("sha256").update(id).digest();
  return shards[octet % shards.length] ?? shards[0];
}

/**
 * What is due before a time, the longest due first, whatever the shard.
 * @param limit of all
 */
export async function* dueWakes(untilMs: number, limit: number, table: Table): AsyncGenerator<Waking, void> {
  const sources = shards.map((shard) => wakesIn(shard, untilMs, table));
  const heads = await Promise.all(sources.map(async (each) => (await each.next()).value ?? null));
  for (let found = 0; found < limit; found++) {
    const first = heads.reduce((one, other) => earlier(one, other), null);
    if (first === null) return;
    const index = heads.indexOf(first);
    heads[index] = (await sources[index]?.next())?.value ?? null;
    yield first;
  }
}

/**
 * Moves a wake to a later time, unless somebody has moved it or taken it away since it was read.
 * @returns whether it was still there: of two who have read the same, one alone moves it
 */
export async function postponeWake(
  { id, domain, wakeAtMs }: Pick<Waking, "id" | "domain" | "wakeAtMs">,
  toMs: number,
  table: Table,
): Promise<boolean> {
  try {
    await table.client.update({
      TableName: table.name,
      Key: { pk: `delivery#${id}#${domain}` },
      UpdateExpression: "SET wakeAtMs = :to",
      ConditionExpression: "wakeAtMs = :read",
      ExpressionAttributeValues: { ":to": Math.ceil(toMs), ":read": wakeAtMs },
    });
    return true;
  } catch (error) {
    if (isConditionFault(error)) return false;
    throw error;
  }
}

type Head = Waking | null;

function earlier(one: Head, other: Head): Head {
  if (one === null || other === null) return one ?? other;
  return other.wakeAtMs < one.wakeAtMs ? other : one;
}

async function* wakesIn(shard: string, untilMs: number, table: Table): AsyncGenerator<Waking, void> {
  let from: QueryCommandInput["ExclusiveStartKey"];
  do {
    const { Items = [], LastEvaluatedKey } = await table.client.query({
      TableName: table.name,
      IndexName: wakeIndex,
      KeyConditionExpression: "wakeShard = :shard AND wakeAtMs < :until",
      ExpressionAttributeValues: { ":shard": shard, ":until": untilMs },
      Limit: pageRows,
      ExclusiveStartKey: from,
    });
    yield* Items.map(fromRow);
    from = LastEvaluatedKey;
  } while (from !== undefined);
}

/** A page is far below DynamoDB's 1 MB, so that who wants few does not pay for many. */
const pageRows = 250;

function fromRow(row: Row): Waking {
  const { id, domain, egress, createdAt, wakeAtMs } = row as unknown as Waking;
  return { id, domain, egress, createdAt, wakeAtMs };
}
