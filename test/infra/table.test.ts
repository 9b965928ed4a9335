// The embedded DynamoDB, by the SDK over HTTP.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import {
  DeleteItemCommand,
  DeleteTableCommand,
  ListTablesCommand,
  PutItemCommand,
  ScanCommand,
  type AttributeValue,
  type ScanCommandInput,
  type ScanCommandOutput,
} from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { allClients, closeClients, openClients, type Clients } from "../../functions/clients.ts";
import { pairIndex, tableDefinition, wakeIndex } from "../../functions/state/table.ts";
import { setUpTable, startTable } from "../../infra/local/table.ts";

async function clientsOf(url: string): Promise<Clients> {
  return await openClients(allClients, { sqs: url, sns: url, dynamo: url, cloudWatch: url });
}

type Item = Record<string, AttributeValue>;

/** A row in a line, its fields by name, octets by their hash. */
function textOf(row: object): string {
  const fields = Object.entries(row).map(([name, value]) => {
    const octets = (value as { readonly B?: Uint8Array }).B;
    const text = octets === undefined ? JSON.stringify(value) : createHash("sha256").update(octets).digest("hex");
    return `${name} ${text}`;
  });
  return fields.toSorted().join(", ");
}

suite("the embedded table", () => {
  test("can be used at once when it is set up, and set up again", async () => {
    await using service = await startTable(0, null);
    const clients = await clientsOf(service.url);
    await setUpTable(tableDefinition("test"), clients.dynamo);
    await clients.dynamo.send(new PutCommand({ TableName: "test", Item: { pk: "one", about: "kept" } }));
    await setUpTable(tableDefinition("test"), clients.dynamo);
    const { Item } = await clients.dynamo.send(new GetCommand({ TableName: "test", Key: { pk: "one" } }));
    assert.equal(Item?.["about"], "kept");
    closeClients(clients);
  });

  test("with a folder, its rows are there after a restart", async () => {
    const folder = await mkdtemp(join(tmpdir(), "table-"));
    for (const turn of ["write", "read"] as const) {
      await using service = await startTable(0, join(folder, "table"));
      const clients = await clientsOf(service.url);
      await setUpTable(tableDefinition("test"), clients.dynamo);
      const Item = { pk: "one" };
      if (turn === "write") await clients.dynamo.send(new PutCommand({ TableName: "test", Item }));
      const found = await clients.dynamo.send(new GetCommand({ TableName: "test", Key: { pk: "one" } }));
      assert.deepEqual(found.Item, { pk: "one" });
      closeClients(clients);
    }
    await rm(folder, { recursive: true });
  });

  const definition = tableDefinition("test");
  const { GlobalSecondaryIndexes: indexes = [], AttributeDefinitions: attributes = [] } = definition;
  /** As it was before there were sends. */
  const older = {
    ...definition,
    GlobalSecondaryIndexes: indexes.filter(({ IndexName }) => IndexName === pairIndex),
    AttributeDefinitions: attributes.filter(({ AttributeName = "" }) => !AttributeName.startsWith("wake")),
  };

  /** Rows of all that a row can hold, more than fit into one answer of DynamoDB. */
  const rows = Array.from({ length: 60 }, (_, index): Item => ({
    pk: { S: `row-${index}` },
    pair: { S: "icloud aws" },
    at: { S: `2026-11-24T12:00:00.0${index + 10}Z` },
    number: { N: "12345678901234567890" },
    bytes: { B: Buffer.alloc(30_000, index) },
    list: { L: [{ NULL: true }, { M: { is: { BOOL: true } } }] },
  }));

  async function hasAll(clients: Clients, rows: readonly Item[]): Promise<void> {
    const Key = { pk: { S: "late" } };
    await clients.dynamo.send(
      new PutItemCommand({ TableName: "test", Item: { ...Key, wakeShard: { S: "wake#0" }, wakeAtMs: { N: "5" } } }),
    );
    for (const [IndexName, name, value] of [
      [pairIndex, "pair", "icloud aws"],
      [wakeIndex, "wakeShard", "wake#0"],
    ] as const) {
      const { Items = [] } = await clients.dynamo.query({
        TableName: "test",
        IndexName,
        KeyConditionExpression: "#name = :value",
        ExpressionAttributeNames: { "#name": name },
        ExpressionAttributeValues: { ":value": value },
        Limit: 5,
      });
      assert.equal(Items.length, IndexName === pairIndex ? 5 : 1);
    }
    await clients.dynamo.send(new DeleteItemCommand({ TableName: "test", Key }));
    const found: object[] = [];
    for (let from: ScanCommandInput["ExclusiveStartKey"] | null = null; from !== undefined;) {
      const { Items = [], LastEvaluatedKey }: ScanCommandOutput = await clients.dynamo.send(
        new ScanCommand({ TableName: "test", ...(from === null ? {} : { ExclusiveStartKey: from }) }),
      );
      found.push(...Items);
      from = LastEvaluatedKey;
    }
    assert.deepEqual(found.map(textOf).toSorted(), rows.map(textOf).toSorted());
    const { TableNames } = await clients.dynamo.send(new ListTablesCommand({}));
    assert.deepEqual(TableNames, ["test"]);
  }

  async function putOlder(clients: Clients, rows: readonly Item[]): Promise<void> {
    await setUpTable(older, clients.dynamo);
    for (const Item of rows) await clients.dynamo.send(new PutItemCommand({ TableName: "test", Item }));
  }

  test("one that an older folder has gets the index that it lacks, and keeps every row as it is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "table-"));
    for (const turn of ["older", "newer", "again"] as const) {
      await using service = await startTable(0, join(folder, "table"));
      const clients = await clientsOf(service.url);
      if (turn === "older") await putOlder(clients, rows);
      else await setUpTable(definition, clients.dynamo);
      if (turn !== "older") await hasAll(clients, rows);
      closeClients(clients);
    }
    await rm(folder, { recursive: true });
  });

  test("a move that is ended half-way, after however many calls, is made good by the next start", async () => {
    await using service = await startTable(0, null);
    const few = rows.slice(0, 27).map((each): Item => ({ ...each, bytes: { B: Buffer.from("few") } }));
    let calls = 0;
    for (let endsAfter = 0, isWhole = false; !isWhole; endsAfter++) {
      const clients = await clientsOf(service.url);
      for (const TableName of ["test", "test-moving"]) {
        await clients.dynamo.send(new DeleteTableCommand({ TableName })).catch(() => null);
      }
      await putOlder(clients, few);
      const dying = await clientsOf(service.url);
      calls = 0;
      dying.dynamo.middlewareStack.add(
        (next) => async (args) => {
          if (calls === endsAfter) throw new Error("killed");
          calls += 1;
          return await next(args);
        },
        { step: "initialize" },
      );
      isWhole = await setUpTable(definition, dying.dynamo).then(
        () => true,
        (error: unknown) => {
          assert.match(String(error), /killed/);
          return false;
        },
      );
      await setUpTable(definition, clients.dynamo);
      await hasAll(clients, few);
      closeClients(dying);
      closeClients(clients);
    }
    assert.ok(calls > 20, `${calls}`);
  });

  test("a client that goes away in the middle of a request takes nothing with it", async () => {
    await using service = await startTable(0, null);
    const clients = await clientsOf(service.url);
    await setUpTable(tableDefinition("test"), clients.dynamo);
    const head =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 100\r\n\r\n";
    for (const sent of [`${head}{"TableName"`, head + "x".repeat(100), "POST / HT"]) {
      const socket = connect(service.port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(sent);
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.resetAndDestroy();
      await once(socket, "close");
    }
    await clients.dynamo.send(new PutCommand({ TableName: "test", Item: { pk: "still here" } }));
    closeClients(clients);
  });

  test("a port that is taken is told", async () => {
    await using service = await startTable(0, null);
    await assert.rejects(startTable(service.port, null), { code: "EADDRINUSE" });
  });
});
