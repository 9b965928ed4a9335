// Runs the explain command: one reply from the command line or standard input, a stream of them as JSON lines, or the
// table of rules. What a reply means, functions/verdict knows.
import process from "node:process";
import { text as textOf } from "node:stream/consumers";
import type { Said } from "../verdict/classify.ts";
import { explain, type Explanation } from "../verdict/explain.ts";
import { ruleGroups } from "../verdict/rules/table.ts";
import type { Rule } from "../verdict/rules/rule.ts";
import { usageStatus } from "./exit.ts";
import { explanationLines } from "./meaning.ts";
import { readOptions, UsageFault, type OptionSpec } from "./options.ts";
import { readAddress, readProvider, readSaid, readStage } from "./said.ts";
import { visibleJson, visibleLine } from "../verdict/visible.ts";
import { write } from "./write.ts";

export const explainOptions: readonly OptionSpec[] = [
  { name: "stage", value: "stage", many: false, about: "what it answered: greeting, ehlo, mail, rcpt, data, message" },
  {
    name: "mx",
    value: "host",
    many: false,
    about: "the host that said it, or its provider: gmail, outlook, icloud, …",
  },
  { name: "address", value: "ip", many: false, about: "the address that was judged: ours" },
  { name: "json", value: null, many: false, about: "print one document and nothing else" },
  {
    name: "jsonl",
    value: null,
    many: false,
    about: 'read lines of {"reply","stage","mx","address"}, print a document for each',
  },
  { name: "rules", value: null, many: false, about: "list the rules in the order in which they are tried" },
];

/**
 * `explain [reply]`, `explain --jsonl`, `explain --rules`.
 * @throws UsageFault
 */
export async function explainCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, explainOptions);
  const hasReply = options.positionals.length > 0;
  const json = options.has("json");
  if (options.has("rules")) {
    const others = ["stage", "mx", "address", "jsonl"].filter((each) => options.has(each));
    if (hasReply || others.length > 0) throw new UsageFault("--rules explains nothing; write explain --rules alone");
    await write(process.stdout, ruleLines(json));
    return 0;
  }
  const shared = {
    stage: readStage(options.one("stage"), "--stage "),
    provider: readProvider(options.one("mx")),
    own: readAddress(options.one("address"), "--address "),
  };
  if (options.has("jsonl")) {
    if (hasReply) throw new UsageFault("--jsonl reads replies from standard input; write explain --jsonl < replies");
    return await explainLines(shared);
  }
  // An unquoted reply comes as many words.
  if (!hasReply && process.stdin.isTTY) throw new UsageFault(noReply);
  const text = hasReply ? options.positionals.join(" ") : await textOf(process.stdin);
  if (text.trim() === "") throw new UsageFault(noReply);
  const explanation = explain({ text: text.trim(), ...shared });
  const shown = json
    ? `${visibleJson(JSON.stringify(documentOf(explanation), null, process.stdout.isTTY ? 2 : 0))}\n`
    : [...explanationLines(explanation), ...(explanation.refuses ? [] : ["note: this refuses nothing"])]
        .map((line) => `${visibleLine(line)}\n`)
        .join("");
  await write(process.stdout, shown);
  return 0;
}

const noReply = 'no reply is given; write explain "550 5.7.1 …", or pipe it in';

/** A document for each line, in order. A line that is none gets a document too, with what is wrong with it. */
async function explainLines(shared: Omit<Said, "text">): Promise<number> {
  let faults = 0;
  let number = 0;
  for await (const line of linesOf(process.stdin)) {
    number += 1;
    if (line.trim() === "") continue;
    const document = documentOfLine(line, shared);
    if ("error" in document) {
      faults += 1;
      await write(process.stderr, `delivery-probe: line ${number}: ${visibleLine(document.error)}\n`);
    }
    await write(process.stdout, `${visibleJson(JSON.stringify(document))}\n`);
  }
  return faults === 0 ? 0 : usageStatus;
}

/** By LF alone: JSON may hold what Unicode calls a line's end, and node:readline would cut there. */
async function* linesOf(stream: NodeJS.ReadStream): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

function documentOfLine(line: string, shared: Omit<Said, "text">): object & { readonly error?: string } {
  try {
    return documentOf(explain(readSaid(line.replace(/^\uFEFF/, ""), shared)));
  } catch (error) {
    if (error instanceof UsageFault) return { error: error.message };
    throw error;
  }
}

/** As DESIGN §8 has it, and in its order. */
function documentOf({ class: kind, rule, provider, blocklist, remedy, about, severity }: Explanation): object {
  return { class: kind, rule, provider, blocklist, remedy, about, severity };
}

function ruleLines(json: boolean): string {
  const rules = ruleGroups.flatMap(({ rules: rows }) => rows);
  if (json) return rules.map((rule) => `${JSON.stringify(rule, patternText)}\n`).join("");
  const width = Math.max(...rules.map(({ id }) => id.length));
  return rules.map((rule) => `${rule.id.padEnd(width)}  ${rule.class.padEnd(17)}  ${conditionsOf(rule)}\n`).join("");
}

function patternText(_key: string, value: unknown): unknown {
  return value instanceof RegExp ? value.source : value;
}

/** What a rule asks for, in a line. */
function conditionsOf({ at, stage, code, status, text, words, unless, blocklist }: Rule): string {
  const parts = [
    ...(at === undefined ? [] : [`at ${at.join(", ")}`]),
    ...(stage === undefined ? [] : [`stage ${stage.map((each) => each ?? "unknown").join(", ")}`]),
    ...(code === undefined ? [] : [`code ${code.map((each) => each ?? "none").join(", ")}`]),
    ...(status === undefined ? [] : [`status ${status.source}`]),
    ...[text, words].flatMap((each) => (each === undefined ? [] : [each].flat().map(({ source }) => `/${source}/`))),
    ...(unless === undefined ? [] : [`unless /${unless.source}/`]),
    ...(blocklist === undefined ? [] : [`list ${blocklist}`]),
  ];
  return parts.join("; ");
}
