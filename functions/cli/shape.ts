// Holds a value against the published schema and names the first place that does not fit.
// It knows the words of JSON Schema that our schema uses, and refuses a schema that uses others.
import schema from "./verdict.schema.json" with { type: "json" };

/** A place in a document, such as `attempts[0].ending.by`, and what should have been there. */
export interface Misfit {
  readonly path: string;
  readonly expected: string;
}

export type Definition = keyof typeof schema.$defs;

interface Schema {
  readonly [keyword: string]: unknown;
}

type Check = (value: unknown, rule: never, path: string, schema: Schema) => Misfit | null;

/**
 * The first place where the value does not fit the definition of verdict.schema.json, or null. The schema is read as it
 * is, so that what is published and what is checked cannot part. Of a library's size a few words of JSON Schema need
 * little: ajv alone would be larger than all the rest of the bundle.
 */
export function misfitOf(value: unknown, definition: Definition, path: string): Misfit | null {
  return check(value, schema.$defs[definition], path);
}

function check(value: unknown, against: Schema, path: string): Misfit | null {
  for (const [keyword, rule] of Object.entries(against)) {
    const test = keywords[keyword];
    if (test === undefined) throw new Error(`verdict.schema.json uses "${keyword}", which is not read here`);
    const misfit = test(value, rule as never, path, against);
    if (misfit !== null) return misfit;
  }
  return null;
}

// Each keyword judges only the types that it is about, as JSON Schema 2020-12 has it.
const keywords: Readonly<Record<string, Check>> = {
  description: () => null,
  const: (value, rule: unknown, path) => fits(value === rule, path, JSON.stringify(rule)),
  enum: (value, rule: readonly unknown[], path) => fits(rule.includes(value), path, oneOf(rule.map(String))),
  type: (value, rule: string | readonly string[], path) => checkType(value, [rule].flat(), path),
  minimum: (value, rule: number, path) => fits(typeof value !== "number" || value >= rule, path, `at least ${rule}`),
  maximum: (value, rule: number, path) => fits(typeof value !== "number" || value <= rule, path, `at most ${rule}`),
  pattern: (value, rule: string, path) =>
    fits(typeof value !== "string" || new RegExp(rule, "u").test(value), path, `text like ${rule}`),
  minItems: (value, rule: number, path) =>
    fits(!Array.isArray(value) || value.length >= rule, path, `${rule} or more entries`),
  maxItems: (value, rule: number, path) =>
    fits(!Array.isArray(value) || value.length <= rule, path, `${rule} or fewer entries`),
  required: (value, rule: readonly string[], path) => {
    const absent = isObject(value) ? rule.find((name) => !Object.hasOwn(value, name)) : undefined;
    return absent === undefined ? null : { path: join(path, absent), expected: "a value" };
  },
  additionalProperties: (value, _rule: false, path, against) => {
    const known = against["properties"] as Schema;
    const stray = isObject(value) ? Object.keys(value).find((name) => !Object.hasOwn(known, name)) : undefined;
    return stray === undefined ? null : { path: join(path, stray), expected: "nothing: it is no such field" };
  },
  properties: (value, rule: Readonly<Record<string, Schema>>, path) => {
    if (!isObject(value)) return null;
    return first(Object.entries(rule), ([name, each]) =>
      Object.hasOwn(value, name) ? check(value[name], each, join(path, name)) : null,
    );
  },
  items: (value, rule: Schema, path) =>
    Array.isArray(value)
      ? first([...value.entries()], ([index, each]) => check(each, rule, `${path}[${index}]`))
      : null,
  $ref: (value, rule: string, path) => check(value, schema.$defs[rule.replace("#/$defs/", "") as Definition], path),
  // Ours are all `null or …`: the last alternative's misfit is the one worth telling.
  anyOf: (value, rule: readonly Schema[], path) => {
    const misfits = rule.map((each) => check(value, each, path));
    return misfits.includes(null) ? null : (misfits.at(-1) ?? null);
  },
};

function checkType(value: unknown, types: readonly string[], path: string): Misfit | null {
  const actual = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const fit = types.includes(actual) || (types.includes("integer") && Number.isInteger(value));
  return fits(fit, path, oneOf(types));
}

function fits(fit: boolean, path: string, expected: string): Misfit | null {
  return fit ? null : { path, expected };
}

function first<T>(entries: readonly T[], test: (entry: T) => Misfit | null): Misfit | null {
  for (const entry of entries) {
    const misfit = test(entry);
    if (misfit !== null) return misfit;
  }
  return null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? String(words[0]) : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
