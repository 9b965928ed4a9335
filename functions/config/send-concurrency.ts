// How many sends it is worth working on at a time, as the configuration's rates have it: more of them would but wait for each
// other's turn. It does not hold anybody to it; the leases in the table do.
import type { Config } from "./config.ts";

/** Lambda's least for a queue's reader, and as many connections as one process should have for this. */
const [least, most] = [2, 100];

/** The sum over the providers that are named and one who is not. */
export function sendConcurrency({ rates }: NonNullable<Config["sends"]>): number {
  const sum = Object.values(rates).reduce((sum, { concurrency }) => sum + concurrency, 0);
  return Math.min(most, Math.max(least, sum));
}
