// A configuration's hash: a short name for what is in it, so that a person sees whether two runners have the same. It says
// nothing of what differs.
import { createHash } from "node:crypto";
import type { Config } from "./config.ts";

/** 12 hex digits. The order in which a file has its fields is no difference, nor is what stands there for editors. */
export function configHash({ $schema: _, ...config }: Config): string {
  return createHash("sha256")
    .update(JSON.stringify(inOrder(config)))
    .digest("hex")
    .slice(0, 12);
}

/** The same value, with the fields of each object in the order of their names. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // A name such as __proto__ is a field like others; one that is all digits would come first.
  return fields.map(([name, each]) => [name, inOrder(each)]);
}
