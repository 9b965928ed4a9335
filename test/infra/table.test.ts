// The embedded DynamoDB, by the SDK over HTTP.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { allClients, closeClients, openClients, type Clients } from "../../functions/clients.ts";
import { tableDefinition } from "../../functions/state/table.ts";
import { setUpTable, startTable } from "../../infra/local/table.ts";

async function clientsOf(url: string): Promise<Clients> {
  return await openClients(allClients, { sqs: url, sns: url, dynamo: url, cloudWatch: url });
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
