// A table of its own for a test file, behind the real SDK over HTTP. It knows nothing of what is kept there.
import { closeClients, openClients } from "../../functions/clients.ts";
import { tableDefinition, type Table } from "../../functions/state/table.ts";
import { setUpTable, startTable } from "../../infra/local/table.ts";

export interface FreshTable extends AsyncDisposable {
  readonly table: Table;
}

export const noon = new Date("2026-11-24T12:00:00.000Z");

export async function freshTable(): Promise<FreshTable> {
  const service = await startTable(0, null);
  const { url } = service;
  const clients = await openClients(["dynamo"], { dynamo: url });
  await setUpTable(tableDefinition("test"), clients.dynamo);
  return {
    table: { client: clients.dynamo, name: "test", days: 30, now: () => noon },
    [Symbol.asyncDispose]: async () => {
      closeClients(clients);
      await service[Symbol.asyncDispose]();
    },
  };
}

/** The same table, so many days later. */
export function daysLater(days: number, table: Table): Table {
  return { ...table, now: () => new Date(table.now().getTime() + days * 86_400_000) };
}
