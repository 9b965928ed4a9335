// Says what is wrong with JSON that should fit a schema: every fault, with its path and what is allowed there.
// It knows no schema of its own.
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";

z.config(english());

/** Something that fits, or every reason why it does not; a reason is one line that begins with the path. */
export type Checked<T> =
  { readonly value: T; readonly faults: null } | { readonly value: null; readonly faults: readonly string[] };

export function checked<T>(schema: z.ZodMiniType<T>, value: unknown): Checked<T> {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data, faults: null };
  return { value: null, faults: result.error.issues.flatMap(faultsOf) };
}

/** `targets[2].everyMinutes`; the whole document is `$`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const name = /^[\w$-]+$/.test(String(key)) ? String(key) : JSON.stringify(String(key));
    return text === "$" ? name : `${text}.${name}`;
  }, "$");
}

function faultsOf(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${pathText([...issue.path, key])}: there is no such field`);
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) return [unionFault(issue)];
  // Of a record's key the reason is one level down.
  const [inner] = issue.code === "invalid_key" ? issue.issues : [];
  return [`${pathText(issue.path)}: ${wordsOf((inner ?? issue).message)}`];
}

/** Of several forms none fits: each is told, by its first fault. */
function unionFault({ errors, path }: z.core.$ZodIssueInvalidUnion): string {
  const forms = errors.flatMap(([first]) => (first === undefined ? [] : [first]));
  const told = forms.map((each) => {
    const inner = each.path.length === 0 ? "" : `${pathText(each.path)}: `;
    return `${inner}${each.code === "unrecognized_keys" ? `no field ${each.keys.join(", ")}` : wordsOf(each.message)}`;
  });
  return `${pathText(path)}: ${[...new Set(told)].join("; or ")}`;
}

/** zod's own words, without the name of the kind of fault before them. */
function wordsOf(message: string): string {
  const words = message
    .replace(/^(?:Invalid (?:input|option|string|key)|Too (?:small|big)): /, "")
    .replace(/^Invalid discriminator value\. Expected/, "expected one of");
  return words.replace(/^expected (.*), received undefined$/, "is missing; it takes $1");
}
