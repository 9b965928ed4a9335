// CloudWatch's metric math, as far as alarms use it: the text made a tree, or an error that says where. It knows
// nothing of values.

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "id"; readonly name: string; readonly at: number }
  /** In METRICS("…") alone. */
  | { readonly kind: "text"; readonly value: string; readonly at: number }
  /** REPEAT, in FILL alone. */
  | { readonly kind: "word"; readonly name: string; readonly at: number }
  | { readonly kind: "negate"; readonly of: Expression; readonly at: number }
  | { readonly kind: "array"; readonly items: readonly Expression[]; readonly at: number }
  | { readonly kind: "call"; readonly name: string; readonly items: readonly Expression[]; readonly at: number }
  | {
      readonly kind: "operation";
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    };

/** From the loosest to the tightest. */
const levels = [["OR"], ["AND"], ["==", "!=", "<=", ">=", "<", ">"], ["+", "-"], ["*", "/"]] as const;
export type Operator = (typeof levels)[number][number];

/** `at`: which character, from 0. */
export class ExpressionFault extends Error {
  constructor(at: number, what: string) {
    super(`${what} at position ${at}`);
  }
}

interface Token {
  readonly kind: "number" | "id" | "word" | "text" | "sign" | "end";
  readonly text: string;
  readonly at: number;
}

const signs: Readonly<Record<string, string>> = { "&&": "AND", "||": "OR" };
const tokenPattern =
  /\s*(?:(?<number>\d+(?:\.\d*)?|\.\d+)|(?<id>[a-z]\w*)|(?<word>[A-Z]\w*)|"(?<text>[^"]*)"|(?<sign>[=!<>]=|&&|\|\||[-+*/<>()[\],]))/y;

/** Throws an ExpressionFault where it is none, or has what is not supported here. */
export function parseExpression(text: string): Expression {
  const tokens = tokensOf(text);
  let position = 0;
  const end = { kind: "end", text: "", at: text.length } as const;
  const peek = (): Token => tokens[position] ?? end;
  const take = (): Token => tokens[position++] ?? end;

  const expected = (what: string): ExpressionFault => {
    const { kind, text: found, at } = peek();
    return new ExpressionFault(at, `Expected ${what}, not ${kind === "end" ? "the end" : `"${found}"`},`);
  };
  const accept = (sign: string): boolean => {
    if (peek().kind !== "sign" || peek().text !== sign) return false;
    position += 1;
    return true;
  };

  function level(depth: number): Expression {
    const operators: readonly string[] | undefined = levels[depth];
    if (operators === undefined) return unary();
    let left = level(depth + 1);
    while (peek().kind === "sign" && operators.includes(peek().text)) {
      const { text: operator, at } = take();
      left = { kind: "operation", operator: operator as Operator, left, right: level(depth + 1), at };
    }
    return left;
  }

  function unary(): Expression {
    const { at } = peek();
    return accept("-") ? { kind: "negate", of: unary(), at } : single();
  }

  function single(): Expression {
    const { kind, text: found, at } = peek();
    if (accept("(")) {
      const inner = level(0);
      if (!accept(")")) throw expected('")"');
      return inner;
    }
    if (accept("[")) return { kind: "array", items: list("]"), at };
    if (kind === "sign" || kind === "end") throw expected("a value");
    position += 1;
    if (kind === "number") return { kind, value: Number(found) };
    if (kind === "id") return { kind, name: found, at };
    if (kind === "text") return { kind, value: found, at };
    return accept("(") ? { kind: "call", name: found, items: list(")"), at } : { kind, name: found, at };
  }

  function list(close: string): readonly Expression[] {
    if (accept(close)) return [];
    const items = [level(0)];
    while (accept(",")) items.push(level(0));
    if (!accept(close)) throw expected(`"," or "${close}"`);
    return items;
  }

  const whole = level(0);
  if (peek().kind !== "end") throw expected("the end");
  return whole;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const written = text.trimEnd();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < written.length) {
    const from = tokenPattern.lastIndex;
    const match = tokenPattern.exec(written);
    if (match?.groups === undefined) {
      throw new ExpressionFault(from, `Not understood: "${written.slice(from, from + 8)}"`);
    }
    const [kind, found] = Object.entries(match.groups).find(([, value]) => value !== undefined) ?? ["sign", ""];
    const at = tokenPattern.lastIndex - match[0].trimStart().length;
    tokens.push(inWords({ kind: kind as Token["kind"], text: found, at }));
  }
  return tokens;
}

/** AND and OR have two forms each. */
function inWords(token: Token): Token {
  if (token.kind === "sign") return { ...token, text: signs[token.text] ?? token.text };
  if (token.text === "AND" || token.text === "OR") return { ...token, kind: "sign" };
  return token;
}
