// The key with which we seal what travels in a queue and is believed when it comes back: whoever may put requests there
// cannot read the table. One row, made by the first who needs it. What is sealed it does not know.
import { randomBytes } from "node:crypto";
import { isConditionFault, type Table } from "./table.ts";

const pk = "seal";
const keyOctets = 32;

/** The key, the same for everybody who shares the table. */
export async function sealKey(table: Table): Promise<Uint8Array> {
  const found = await findKey(table);
  if (found !== null) return found;
  const key = randomBytes(keyOctets);
  try {
    const ConditionExpression = "attribute_not_exists(pk)";
    await table.client.put({ TableName: table.name, Item: { pk, key }, ConditionExpression });
    return key;
  } catch (error) {
    if (!isConditionFault(error)) throw error;
    return (await findKey(table)) ?? key;
  }
}

async function findKey(table: Table): Promise<Uint8Array | null> {
  const { Item } = await table.client.get({ TableName: table.name, Key: { pk }, ConsistentRead: true });
  return (Item?.["key"] as Uint8Array | undefined) ?? null;
}
