// Writes the JSON Schemas of what people write by hand: the configuration, for an editor's completion, and a queue's
// requests, for producers in any language. They follow from the code's own; a test holds them together.
//
//   node infra/config/schemas.ts
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { configSchema } from "../../functions/config/schema.ts";
import { requestSchema } from "../../functions/queue/request.ts";

/** Each with the file that holds it. */
export const schemas = [
  { file: new URL("schema.json", import.meta.url), text: textOf(configSchema, "urn:delivery-probe:config:1") },
  {
    file: new URL("../../functions/queue/request.schema.json", import.meta.url),
    text: textOf(requestSchema, "urn:delivery-probe:request:1"),
  },
] as const;

function textOf(schema: z.ZodMiniType, id: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return `${JSON.stringify({ $schema, $id: id, ...rest }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await Promise.all(schemas.map(async ({ file, text }) => writeFile(file, text)));
}
