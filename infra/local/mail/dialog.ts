// The dialog notation: a conversation as text, RFC 5321 Appendix D's letters, and what it says about how to hold it.
// It knows no sockets: a mail host plays what is read here, and a test compares the verdict that is expected here.
import { depths, stages, type Depth, type Stage } from "../../../functions/smtp/transcript.ts";
import type { Outcome } from "../../../functions/verdict/reconcile.ts";
import { readStep, wordsOf, type Step } from "./dialog-step.ts";
import { duration, Misreading, oneOf, quote } from "./dialog-value.ts";

/** What one connection plays. */
export type Script = readonly Step[];

export interface Answered {
  readonly outcome: Outcome;
  readonly stage: Stage;
  readonly code: number | null;
  readonly status: string | null;
}

export interface Expectation extends Answered {
  /** `; ended by reset; text "listed"; partial` is `{ended: "reset", text: "listed", partial: ""}`. */
  readonly clauses: Readonly<Record<string, string>>;
}

/** How a dialog may be run: as it stands, under STARTTLS, in pieces of an octet, with the client's event loop busy. */
export type Way = "clear" | "tls" | "bytes" | "busy";

/** What `@` lines say; null where they say nothing. */
export interface Said {
  readonly depth: Depth | null;
  readonly tls: "never" | "opportunistic" | "require" | null;
  readonly to: readonly string[] | null;
  readonly from: string | null;
  readonly timeoutMs: number | null;
  readonly message: "small" | "given" | "8bit" | "utf8" | "large" | null;
  /** What a message has from when it is begun. */
  readonly bodyMs: number | null;
  /** How it ends that the client writes down that it sends the message; it does so at once where nothing is said. */
  readonly commit: "no" | "never" | null;
  readonly ways: readonly Way[] | null;
}

export interface Dialog {
  readonly file: string;
  readonly name: string;
  /** The k-th connection plays the k-th script. At least one. */
  readonly scripts: readonly [Script, ...Script[]];
  readonly said: Said;
  readonly expected: Expectation | null;
  readonly recipients: readonly (Answered & { readonly address: string })[];
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The parts of a dialog while its lines are read. */
interface Draft {
  name: string | null;
  readonly scripts: Step[][];
  readonly said: Writable<Said>;
  expected: Expectation | null;
  readonly recipients: (Answered & { address: string })[];
}

// What our printer puts before a line of a pasted incident: a mark, the connection, the time.
const margin = /^\s*[▶>]?[\s\d.·]*(?=(?:S[:|!]|C[:~]|C\.\.\.|#|=>|@|--))/;

/**
 * Reads a dialog.
 * @throws Error that names the file, the line, and how to say it right.
 */
export function parseDialog(text: string, file: string): Dialog {
  const draft: Draft = { name: null, scripts: [[]], said: nothingSaid(), expected: null, recipients: [] };
  let lineNumber = 0;
  try {
    for (const line of text.split(/\r?\n/)) {
      lineNumber += 1;
      readLine(line.replace(margin, ""), lineNumber, draft);
    }
    draft.scripts.forEach(checkEnding);
    return finish(draft, file);
  } catch (error) {
    if (!(error instanceof Misreading)) throw error;
    throw new Error(`${file}:${error.lineNumber ?? lineNumber}: ${error.message}`, { cause: error });
  }
}

function nothingSaid(): Writable<Said> {
  return {
    depth: null,
    tls: null,
    to: null,
    from: null,
    timeoutMs: null,
    message: null,
    bodyMs: null,
    commit: null,
    ways: null,
  };
}

function finish(draft: Draft, file: string): Dialog {
  const { name, said, expected, recipients } = draft;
  const [first, ...others] = draft.scripts;
  if (name === null) throw new Misreading("a dialog needs a name: begin it with a line `# why it matters`", 1);
  if (first === undefined) throw new Misreading("a dialog needs steps");
  return { file, name, scripts: [first, ...others], said, expected, recipients };
}

function readLine(line: string, lineNumber: number, draft: Draft): void {
  if (line.trim() === "") return;
  if (line.startsWith("#")) {
    draft.name ??= line.slice(1).trim();
    return;
  }
  if (line.startsWith("=>")) return readExpectation(line.slice(2).trim(), draft);
  if (line.startsWith("@")) return readSetting(line.slice(1).trim(), draft.said);
  if (/^--\s*$/.test(line)) {
    draft.scripts.forEach(checkEnding);
    draft.scripts.push([]);
    return;
  }
  const script = draft.scripts.at(-1) ?? [];
  const step = readStep(line, lineNumber);
  checkOrder(script, step);
  script.push(step);
}

/** Whether nothing can follow it on the connection. */
function isLast(step: Step | undefined): boolean {
  return step?.kind === "act" && ["rst", "close", "hang"].includes(step.act.name);
}

function checkOrder(script: Script, step: Step): void {
  if (isLast(script.at(-1))) {
    throw new Misreading(`nothing can follow ${script.at(-1)?.source}: begin the next connection's script with --`);
  }
  const ended = script.some((step) => step.kind === "act" && step.act.name === "fin");
  if (ended && step.kind === "send") throw new Misreading("nothing can be sent after S! fin");
}

function checkEnding(script: Script): void {
  if (script.length === 0) throw new Misreading("a script needs steps: the shortest is `S! fin`");
}

/**
 * Whether a script says how the connection ends: with the answer to QUIT, or with S! fin, rst, close or hang. Where it
 * does not, the host takes what still comes, answers QUIT, and closes.
 */
export function endsItself(script: Script): boolean {
  const last = script.at(-1);
  const asked = script.findLast((step) => wordsOf(step) !== "");
  const answersQuit = asked !== undefined && /^QUIT\b/i.test(wordsOf(asked)) && last?.kind === "send";
  return answersQuit || isLast(last) || script.some((step) => step.kind === "act" && step.act.name === "fin");
}

function readSetting(text: string, said: Writable<Said>): void {
  const [key = "", ...values] = text.split(/\s+/);
  const value = values.join(" ");
  switch (key) {
    case "depth":
      said.depth = oneOf(depths, value, "@ depth");
      return;
    case "tls":
      said.tls = oneOf(["never", "opportunistic", "require"], value, "@ tls");
      return;
    case "message":
      said.message = oneOf(["small", "given", "8bit", "utf8", "large"], value, "@ message");
      return;
    case "ways":
      said.ways = values.map((way) => oneOf(["clear", "tls", "bytes", "busy"], way, "@ ways"));
      return;
    case "to":
      if (value === "") throw new Misreading("say who gets it: @ to a@mx.example b@mx.example");
      said.to = values;
      return;
    case "from":
      said.from = value;
      return;
    case "timeout":
      said.timeoutMs = duration(value, "@ timeout");
      return;
    case "body":
      said.bodyMs = duration(value, "@ body");
      return;
    case "commit":
      said.commit = oneOf(["no", "never"], value, "@ commit");
      return;
    default:
      throw new Misreading(
        `${quote(key)} is no setting: @ depth, tls, to, from, timeout, body, message, commit or ways`,
      );
  }
}

const outcomes: readonly Outcome[] = ["accepted", "rejected", "deferred", "unanswered", "unknown"];

function readExpectation(text: string, draft: Draft): void {
  const [, address, own] = /^(\S*@\S*):\s+(.*)$/.exec(text) ?? [];
  if (address !== undefined && own !== undefined) {
    draft.recipients.push({ address, ...readAnswered(own) });
    return;
  }
  if (draft.expected !== null) {
    throw new Misreading("there is one verdict; a recipient's own is said `=> address: outcome stage [code] [status]`");
  }
  const [answered = "", ...clauses] = text.match(/(?:"[^"]*"|[^;"])+/g) ?? [];
  draft.expected = { ...readAnswered(answered), clauses: Object.fromEntries(clauses.map(readClause)) };
}

function readAnswered(text: string): Answered {
  const [outcome = "", stage = "", ...rest] = text.trim().split(/\s+/);
  const codes = rest.filter((word) => /^\d{3}$/.test(word));
  const statuses = rest.filter((word) => /^\d\.\d{1,3}\.\d{1,3}$/.test(word));
  const other = rest.filter((word) => word !== "-" && !codes.includes(word) && !statuses.includes(word));
  if (other.length > 0 || codes.length > 1 || statuses.length > 1) {
    const odd = other[0] ?? rest.join(" ");
    throw new Misreading(`cannot read ${quote(odd)}: => outcome stage [code or -] [status] [; clause]...`);
  }
  const code = codes[0] === undefined ? null : Number(codes[0]);
  return {
    outcome: oneOf(outcomes, outcome, "the outcome"),
    stage: oneOf(stages, stage, "the stage"),
    code,
    status: statuses[0] ?? null,
  };
}

function readClause(text: string): readonly [key: string, value: string] {
  const [, key, value = ""] = /^\s*([a-z][a-z-]*)(?:\s+by)?\s*(.*?)\s*$/.exec(text) ?? [];
  if (key === undefined) throw new Misreading(`cannot read the clause ${quote(text)}: it is a word and a value`);
  return [key, value.replace(/^"(.*)"$/, "$1")];
}
