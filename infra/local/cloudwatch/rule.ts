// The rule of a composite alarm: the text made a tree, which alarms it names, and whether it holds. It knows nothing of
// alarms but their names and states. The grammar is that of "Composite alarms" in CloudWatch's guide.
import { Refusal } from "./protocol.ts";

export const stateValues = ["OK", "ALARM", "INSUFFICIENT_DATA"] as const;
export type StateValue = (typeof stateValues)[number];

export type Rule =
  | { readonly kind: "state"; readonly state: StateValue; readonly alarm: string }
  | { readonly kind: "constant"; readonly holds: boolean }
  | { readonly kind: "not"; readonly rule: Rule }
  | { readonly kind: "all" | "any"; readonly rules: readonly Rule[] }
  | {
      readonly kind: "at-least";
      /** How many; or, of all that are named, how many in a hundred. */
      readonly threshold: { readonly unit: "count" | "percent"; readonly value: number };
      readonly negated: boolean;
      readonly state: StateValue;
      readonly alarms: readonly string[];
    };

const mostChildren = 100;
/** "Elements are child alarms, TRUE or FALSE statements, and parentheses. A pair counts as one." */
const mostElements = 500;
const longestRule = 10_240;

/** Throws a ValidationError that says where it is none. Alarms given by their ARN are named by their name. */
export function parseRule(text: string): Rule {
  if (text.length > longestRule) throw fault(longestRule, `The rule is longer than ${longestRule}`);
  let at = 0;
  let elements = 0;

  const match = (pattern: RegExp): string | null => {
    const sticky = new RegExp(`\\s*(?:${pattern.source})`, "y");
    sticky.lastIndex = at;
    const found = sticky.exec(text);
    if (found === null) return null;
    at = sticky.lastIndex;
    return found[0].trim();
  };
  const need = (pattern: RegExp, what: string): string => match(pattern) ?? fail(what);
  const fail = (what: string): never => {
    const rest = text.slice(at).trimStart();
    throw fault(
      text.length - rest.length,
      `Expected ${what}, not ${rest === "" ? "the end" : `"${rest.slice(0, 20)}"`},`,
    );
  };

  function any(): Rule {
    const rules = [all()];
    while (match(/OR\b/) !== null) rules.push(all());
    return rules.length === 1 ? (rules[0] ?? fail("a rule")) : { kind: "any", rules };
  }

  function all(): Rule {
    const rules = [one()];
    while (match(/AND\b/) !== null) rules.push(one());
    return rules.length === 1 ? (rules[0] ?? fail("a rule")) : { kind: "all", rules };
  }

  function one(): Rule {
    if (match(/NOT\b/) !== null) return { kind: "not", rule: one() };
    elements += 1;
    const constant = match(/(?:TRUE|FALSE|True|False|true|false)\b/);
    if (constant !== null) return { kind: "constant", holds: constant.toUpperCase() === "TRUE" };
    if (match(/AT_LEAST\s*\(/) !== null) return atLeast();
    const state = match(/(?:OK|ALARM|INSUFFICIENT_DATA)(?=\s*\()/);
    need(/\(/, "ALARM(…), OK(…), INSUFFICIENT_DATA(…), AT_LEAST(…), TRUE, FALSE, NOT or a parenthesis");
    const inner: Rule = state === null ? any() : { kind: "state", state: state as StateValue, alarm: alarm() };
    need(/\)/, '")"');
    return inner;
  }

  function atLeast(): Rule {
    const amount = need(/\d+\s*%?/, "how many, or how many per cent,");
    need(/,/, '","');
    const negated = match(/NOT\b/) !== null;
    const state = need(/(?:OK|ALARM|INSUFFICIENT_DATA)\b/, "OK, ALARM or INSUFFICIENT_DATA") as StateValue;
    need(/,/, '","');
    need(/\(/, '"("');
    const alarms = [alarm()];
    while (match(/,/) !== null) alarms.push(alarm());
    need(/\)/, '")"');
    need(/\)/, '")"');
    elements += alarms.length;
    const unit = amount.endsWith("%") ? "percent" : "count";
    const value = Number.parseInt(amount, 10);
    const most = unit === "percent" ? 100 : alarms.length;
    if (value < 1 || value > most) {
      throw fault(at, `AT_LEAST takes 1 to ${most}${unit === "percent" ? "%" : ""}, not ${amount},`);
    }
    return { kind: "at-least", threshold: { unit, value }, negated, state, alarms };
  }

  /** "If specified without quotes, alarm names or ARNs must not contain spaces, round brackets, or commas." */
  function alarm(): string {
    const name = need(/"(?:[^"\\]|\\.)+"|[^\s(),"]+/, "the name of an alarm");
    return nameOf(name.startsWith('"') ? name.slice(1, -1).replaceAll(/\\(.)/g, "$1") : name);
  }

  const rule = any();
  if (text.slice(at).trim() !== "") fail("AND, OR or the end");
  if (elements > mostElements) throw fault(at, `More than ${mostElements} elements`);
  if (childrenOf(rule).size > mostChildren) throw fault(at, `More than ${mostChildren} children`);
  return rule;
}

/** The name in an alarm's ARN; a name is one already. */
export function nameOf(alarm: string): string {
  return /^arn:[^:]+:cloudwatch:[^:]*:[^:]*:alarm:(?<name>.+)$/s.exec(alarm)?.groups?.["name"] ?? alarm;
}

/** The names of all alarms that it depends on. */
export function childrenOf(rule: Rule): ReadonlySet<string> {
  switch (rule.kind) {
    case "constant":
      return new Set();
    case "state":
      return new Set([rule.alarm]);
    case "not":
      return childrenOf(rule.rule);
    case "at-least":
      return new Set(rule.alarms);
    case "all":
    case "any":
      return new Set(rule.rules.flatMap((each) => [...childrenOf(each)]));
  }
}

/** `stateOf`: null for an alarm that is gone, which is in no state. */
export function holds(rule: Rule, stateOf: (alarm: string) => StateValue | null): boolean {
  switch (rule.kind) {
    case "constant":
      return rule.holds;
    case "state":
      return stateOf(rule.alarm) === rule.state;
    case "not":
      return !holds(rule.rule, stateOf);
    case "all":
      return rule.rules.every((each) => holds(each, stateOf));
    case "any":
      return rule.rules.some((each) => holds(each, stateOf));
    case "at-least": {
      const { unit, value } = rule.threshold;
      const enough = unit === "count" ? value : Math.ceil((rule.alarms.length * value) / 100);
      return rule.alarms.filter((each) => (stateOf(each) === rule.state) !== rule.negated).length >= enough;
    }
  }
}

function fault(at: number, what: string): Refusal {
  return new Refusal("ValidationError", `AlarmRule: ${what} at position ${at}`);
}
