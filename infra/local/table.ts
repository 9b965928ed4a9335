// The embedded DynamoDB on loopback (dynalite). It knows no table of ours, and no row.
//
// dynalite 4 throws where nobody can catch it when a client goes away in the middle of a request, which a worker that
// is killed does.
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createTable, moveTable } from "./table-move.ts";

export interface TableService extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/**
 * @param port 0: any free one
 * @param path the folder where tables are kept, over a SIGKILL too; null: nowhere
 * @throws Error when the port is taken
 */
export async function startTable(port: number, path: string | null): Promise<TableService> {
  const { default: dynalite } = await import("dynalite");
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0, ...(path === null ? {} : { path }) });
  forgive(server);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A client that went away needs no answer. */
function forgive(server: Server): void {
  const handlers = server.listeners("request") as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    for (const handler of handlers) handler(request, response);
    request.removeAllListeners("error");
  });
}

/** Makes the table where it is not there yet, or lacks an index, and waits until it can be used. */
export async function setUpTable(definition: CreateTableCommandInput, client: DynamoDBDocumentClient): Promise<void> {
  await moveTable(definition, client);
  await createTable(definition, client);
}
