// An AWS API's request as a template's properties: CloudFormation has the same fields, which CDK spells with a small
// beginning. So what is put locally and what is deployed come from one place. It knows no service.

/** The same, the first word of every field in small letters: alarmName, okActions. Values, and the order of lists, stay. */
export function propertiesOf(request: object): Readonly<Record<string, unknown>> {
  return small(request) as Readonly<Record<string, unknown>>;
}

function small(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(small);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [smallName(name), small(each)]));
}

function smallName(name: string): string {
  return name.replace(/^(?:[A-Z]+(?=[A-Z][a-z]|$)|[A-Z])/, (word) => word.toLowerCase());
}
