// The condition that a row still says what was read of it, for who writes what he made of that. It reads and writes nothing.

export interface Condition {
  readonly text: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string | null>>;
}

/** Each attribute as it was read: null is one that is null or not there. */
export function asRead(attributes: Readonly<Record<string, string | object | null>>): Condition {
  const each = Object.entries(attributes).flatMap(([name, value]) => isAsRead(name, value));
  return {
    text: each.map(({ text }) => text).join(" AND "),
    names: Object.assign({}, ...each.map(({ names }) => names)) as Condition["names"],
    values: Object.assign({}, ...each.map(({ values }) => values)) as Condition["values"],
  };
}

/** A map is told by its members, which are texts: not every embedded DynamoDB compares maps. */
function isAsRead(name: string, value: string | object | null): readonly Condition[] {
  const names = { [`#${name}`]: name };
  if (value === null) {
    return [{ text: `(attribute_not_exists(#${name}) OR #${name} = :null)`, names, values: { ":null": null } }];
  }
  if (typeof value === "string") {
    return [{ text: `#${name} = :${name}_read`, names, values: { [`:${name}_read`]: value } }];
  }
  return Object.entries(value).map(([member, its]: [string, string]) => ({
    text: `#${name}.#${member} = :${name}_${member}`,
    names: { ...names, [`#${member}`]: member },
    values: { [`:${name}_${member}`]: its },
  }));
}
