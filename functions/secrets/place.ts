// Where a secret is kept, in AWS or in a file, in the words of faults and logs, and what of the text there is the secret. It asks nobody.
import type { ConfigSecret } from "../config/config.ts";
import { SecretFault } from "./fault.ts";
import type { Place } from "./store.ts";

export type StoredSecret = Exclude<ConfigSecret, string | { readonly env: string }>;

export function placeOf(given: StoredSecret): Place {
  if ("ssm" in given) {
    return { kind: "ssm", name: given.ssm, field: null, text: `the parameter ${given.ssm} of Systems Manager` };
  }
  if ("file" in given) return { kind: "file", name: given.file, field: null, text: `the file ${given.file}` };
  const { secretsManager: name, field = null } = given;
  return { kind: "secretsManager", name, field, text: `the secret ${name} of Secrets Manager` };
}

/** @throws SecretFault, which does not quote the text: what a parser says of it would */
export function fieldOf(text: string, { field, text: place }: Place): string {
  if (field === null) return text;
  const object = objectOf(text);
  if (object === null) {
    throw new SecretFault(
      `${place} is no JSON object; leave field out, or store {${JSON.stringify(field)}: "…"}`,
      true,
    );
  }
  const value = Object.hasOwn(object, field) ? object[field] : undefined;
  if (typeof value === "string" && value !== "") return value;
  throw new SecretFault(`${place} has no text at ${JSON.stringify(field)}; write field and a key that it has`, true);
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
