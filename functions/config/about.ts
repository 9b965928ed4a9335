// Says what a field is for, in its schema: editors show it beside the field. It checks nothing.
import * as z from "zod/mini";

/** @returns the schema with this description, which goes into the JSON Schema */
export function about<T extends z.ZodMiniType>(description: string, schema: T): T {
  return schema.check(z.describe(description));
}
