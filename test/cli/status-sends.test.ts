// How sends stand, read from a table with holds and deliveries in it.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { countLimit, sendsStatus } from "../../functions/cli/status-sends.ts";
import { changeHolds, type Hold } from "../../functions/state/holds.ts";
import { wakeShardOf } from "../../functions/state/wakes.ts";
import { closeClients, openClients } from "../../functions/clients.ts";
import { pairIndex, tableDefinition, type Table } from "../../functions/state/table.ts";
import { setUpTable, startTable } from "../../infra/local/table.ts";
import { configFor } from "../support/services.ts";

const service = await startTable(0, null);
const clients = await openClients(["dynamo"], { dynamo: service.url });
await setUpTable(tableDefinition("test"), clients.dynamo);
const noon = new Date("2026-11-24T12:00:00.000Z");
const table: Table = { client: clients.dynamo, name: "test", days: 30, now: () => noon };
after(async () => {
  closeClients(clients);
  await service[Symbol.asyncDispose]();
});

const config = configFor(
  { "icloud.example": ["127.0.0.1"] },
  { sends: {}, requests: { senders: ["@Shop.example", "", "<x@other.example>"] } },
);

async function hold(provider: string, about: "ip" | "domain", minutesAgo: number): Promise<void> {
  const since = new Date(noon.getTime() - minutesAgo * 60_000).toISOString();
  const said = {
    stage: "rcpt",
    host: `mx.${provider}`,
    since,
    id: `send/${provider}`,
    lastAt: since,
    canaryAt: null,
  } as const;
  const words = {
    text: `550 5.7.1 ${provider} refuses it`,
    class: about === "ip" ? "ip-reputation" : "authentication",
  } as const;
  await changeHolds(
    { provider, egress: "aws", domain: "shop.example" },
    (key, before): Hold | null => (key.about === about ? { key, ...said, ...words } : before),
    table,
  );
}

async function waiting(id: string, domain: string, egress: string, minutesAgo: number): Promise<void> {
  const createdAt = new Date(noon.getTime() - minutesAgo * 60_000).toISOString();
  const wake = { wakeAtMs: noon.getTime() + minutesAgo, wakeShard: wakeShardOf(id) };
  const Item = { pk: `delivery#${id}#${domain}`, id, domain, egress, createdAt, ...wake };
  await table.client.put({ TableName: table.name, Item });
}

suite("how sends stand", () => {
  test("nothing where the configuration takes none", async () => {
    assert.equal(await sendsStatus({ ...config, sends: null }, table), null);
  });

  test("nothing where what is deployed is older than sends, and a table that is away is a fault", async () => {
    const {
      GlobalSecondaryIndexes: indexes = [],
      AttributeDefinitions: attributes = [],
      ...rest
    } = tableDefinition("older");
    const older = {
      ...rest,
      GlobalSecondaryIndexes: indexes.filter(({ IndexName }) => IndexName === pairIndex),
      AttributeDefinitions: attributes.filter(({ AttributeName = "" }) => !AttributeName.startsWith("wake")),
    };
    await setUpTable(older, clients.dynamo);
    assert.equal(await sendsStatus(config, { ...table, name: "older" }), null);
    await assert.rejects(sendsStatus(config, { ...table, name: "away" }), { name: "ResourceNotFoundException" });
  });

  test("before any, each egress that sends leave by waits for none", async () => {
    const none = { deliveries: 0, orMore: false, oldestAt: null };
    assert.deepEqual(await sendsStatus(config, table), {
      holds: [],
      waiting: [
        { egress: "aws", ...none },
        { egress: "mail-1", ...none },
      ],
    });
  });

  test("holds of a target, of a provider that we know and of a domain that somebody waits for, the oldest first", async () => {
    await hold("icloud", "ip", 10);
    await hold("gmail", "domain", 30);
    await hold("small.example", "ip", 20);
    await hold("nobody-waits.example", "ip", 20);
    await waiting("a", "small.example", "aws", 5);
    await waiting("b", "small.example", "aws", 90);
    await waiting("c", "other.example", "gone", 1);
    const status = await sendsStatus(config, table);
    assert.deepEqual(
      status?.holds.map(({ provider, egress, domain, class: kind }) => [provider, egress, domain, kind]),
      [
        ["gmail", null, "shop.example", "authentication"],
        ["small.example", "aws", null, "ip-reputation"],
        ["icloud", "aws", null, "ip-reputation"],
      ],
    );
    const [first] = status.holds;
    assert.equal(first?.since, "2026-11-24T11:30:00.000Z");
    assert.equal(first.text, "550 5.7.1 gmail refuses it");
    assert.deepEqual(status.waiting, [
      { egress: "aws", deliveries: 2, orMore: false, oldestAt: "2026-11-24T10:30:00.000Z" },
      { egress: "mail-1", deliveries: 0, orMore: false, oldestAt: null },
      { egress: "gone", deliveries: 1, orMore: false, oldestAt: "2026-11-24T11:59:00.000Z" },
    ]);
  });

  test("no more than so many are counted, and that there may be more is said", async () => {
    for (let from = 0; from < countLimit; from += 50) {
      const ids = Array.from({ length: 50 }, (_, index) => `many-${from + index}`);
      await Promise.all(ids.map(async (id) => await waiting(id, "many.example", "mail-1", 1)));
    }
    const counted = (await sendsStatus(config, table))?.waiting ?? [];
    assert.equal(
      counted.reduce((sum, { deliveries }) => sum + deliveries, 0),
      countLimit,
    );
    assert.ok(counted.every(({ orMore }) => orMore));
  });
});
