// The MTA-STS policies that domains were seen to publish, for all processes. One row a domain, kept as long as the policy
// itself says. How one is found, and what it asks of a session, it does not know.
import type { CachedPolicy, PolicyCache } from "../route/mta-sts.ts";
import { isExpired, rowsOf, type Table } from "./table.ts";

/** Both reject where the table does not answer. */
export function tablePolicies(table: Table): PolicyCache {
  return {
    async get(domain) {
      const [row] = await rowsOf([keyOf(domain)], table);
      return row === undefined || isExpired(row, table) ? null : fromRow(row);
    },
    async set(domain, { policy, fetchedAtMs }) {
      const expiresAt = Math.ceil(fetchedAtMs / 1000) + policy.maxAgeS;
      const Item = { pk: keyOf(domain), policy, fetchedAtMs, expiresAt };
      await table.client.put({ TableName: table.name, Item });
    },
  };
}

function keyOf(domain: string): string {
  return `policy#${domain}`;
}

function fromRow(row: Readonly<Record<string, unknown>>): CachedPolicy {
  const { policy, fetchedAtMs } = row as unknown as CachedPolicy;
  return { policy, fetchedAtMs };
}
