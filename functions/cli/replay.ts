// Judges stored sessions again: a verdict that was printed, or transcripts, from a file or from standard input; or what
// came of a request, from the table.
// It checks what a judgement needs and nothing of the judgement that was stored: a better rule may differ.
import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import type { Transcript } from "../smtp/transcript.ts";
import { dialogOf } from "../verdict/incident.ts";
import { judge, type Egress, type Verdict } from "../verdict/verdict.ts";
import { exitStatusOf } from "./exit.ts";
import { quote, readOptions, UsageFault, type Options, type OptionSpec } from "./options.ts";
import { atPlace, placeOptions, type Place } from "./place.ts";
import { print } from "./print.ts";
import { isObject, misfitOf, type Definition } from "./shape.ts";
import { write } from "./write.ts";

export const replayOptions: readonly OptionSpec[] = [
  { name: "json", value: null, many: false, about: "print documents, one a line, and nothing else" },
  {
    name: "dialog",
    value: null,
    many: false,
    about: "print the deciding host's conversation as a test for test/dialogs",
  },
  { name: "request", value: "id", many: false, about: "what came of this request, from the system's table" },
  ...placeOptions,
];

/** Sessions that belong together, as they were stored. */
export interface Stored {
  readonly attempts: readonly Transcript[];
  /** The way out, with the address that was configured for it, or null. */
  readonly egress: Pick<Egress, "name" | "address">;
}

/**
 * `replay [file]`: judges anew and prints as `probe` does.
 * @throws UsageFault when the file cannot be read or holds something else
 */
export async function replay(args: readonly string[]): Promise<number> {
  const options = readOptions(args, replayOptions);
  if (options.has("dialog") && options.has("json")) {
    throw new UsageFault("--dialog and --json are two answers; write one of them");
  }
  const [file = "-", ...more] = options.positionals;
  if (more.length > 0) throw new UsageFault(`replay takes one file, not ${more.length + 1}; write replay ${file}`);
  const request = options.one("request");
  if (request !== null) {
    if (file !== "-") throw new UsageFault(`--request and ${quote(file)} are two sources; write one of them`);
    return await atPlace(options, async (place) =>
      show([await storedVerdict(request, place)], quote(request), options),
    );
  }
  const given = placeOptions.find(({ name }) => options.one(name) !== null);
  if (given !== undefined)
    throw new UsageFault(`--${given.name} is where a request is looked up; write --request id, too`);
  const name = file === "-" ? "standard input" : quote(file);
  const verdicts = readStored(await contentOf(file, name), name).map(({ attempts, egress }) => judge(attempts, egress));
  return await show(verdicts, name, options);
}

/** Judged again by today's rules, and by the severities of the target that it was probed for. */
async function storedVerdict(id: string, { config, clients, now }: Place): Promise<Verdict> {
  const { findVerdict } = await import("../state/verdicts.ts");
  const { tableOf } = await import("../handler.ts");
  const stored = await findVerdict(id, tableOf({ config, clients, now }));
  if (stored === null)
    throw new UsageFault(`the table ${config.name} holds no request ${quote(id)}; look at \`status\``);
  const target = config.targets.find(({ provider }) => provider === stored.provider);
  const { attempts, egress } = sessionsOf(stored.verdict.attempts, stored.egress);
  return judge(attempts, egress, target?.severities);
}

async function show(verdicts: readonly Verdict[], name: string, options: Options): Promise<number> {
  const form = { json: options.has("json"), pretty: process.stdout.isTTY, alone: verdicts.length === 1 };
  const shown = verdicts.map((verdict) => (options.has("dialog") ? namedDialog(verdict, name) : print(verdict, form)));
  await write(process.stdout, shown.join(options.has("dialog") ? "\n" : ""));
  return exitStatusOf(verdicts.map((verdict) => verdict.outcome));
}

function namedDialog(verdict: Verdict, name: string): string {
  const dialog = dialogOf(verdict);
  if (dialog !== null) return dialog;
  throw new UsageFault(`${name} holds no conversation to play again; write replay without --dialog`);
}

/**
 * A verdict, a transcript, an array of transcripts, or JSON Lines of any of these; each document becomes one.
 * @param name how the source is called in a fault
 * @throws UsageFault that names the path of the first thing that does not fit
 */
export function readStored(content: string, name: string): readonly Stored[] {
  return documentsOf(content.replace(/^\uFEFF/, ""), name).map(({ value, where }) => storedOf(value, where));
}

interface Document {
  readonly value: unknown;
  readonly where: string;
}

function documentsOf(content: string, name: string): readonly Document[] {
  if (content.trim() === "") throw new UsageFault(`${name} is empty; write what \`probe --json\` printed into it`);
  const whole = parsed(content);
  if (whole !== null) return [{ value: whole.value, where: name }];
  const lines = content.split("\n").map((line, index) => ({ line, where: `${name}, line ${index + 1}` }));
  return lines
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, where }) => {
      const value = parsed(line);
      if (value !== null) return { value: value.value, where };
      throw new UsageFault(`${where}: this is no JSON; write one document, or one document a line`);
    });
}

function parsed(json: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(json) as unknown };
  } catch {
    return null;
  }
}

function storedOf(value: unknown, where: string): Stored {
  if (Array.isArray(value)) return unjudged(value, "", where);
  if (!isObject(value)) throw new UsageFault(`${where}: this is no transcript; ${instead}`);
  if (Object.hasOwn(value, "exchanges")) return unjudged([value], null, where);
  if (!Object.hasOwn(value, "attempts")) throw new UsageFault(`${where}: attempts is missing; ${instead}`);
  if (value["v"] !== 1)
    throw new UsageFault(
      `${where}: v is ${quote(JSON.stringify(value["v"]) ?? "missing")}; write a document of version 1`,
    );
  demand(value["attempts"], "attempts", "attempts", where);
  demand(value["egress"], "egress", "egress", where);
  const { attempts, egress } = value as {
    readonly attempts: readonly Recorded[];
    readonly egress: { readonly name: string };
  };
  return sessionsOf(attempts, egress.name);
}

const instead = "write a verdict that `probe --json` printed, or one of its attempts, or an array of them";

/** Transcripts without the verdict around them, which would have named their way out. */
function unjudged(value: readonly unknown[], path: string | null, where: string): Stored {
  if (path === null) demand(value[0], "transcript", "", where);
  else demand(value, "attempts", path, where);
  return sessionsOf(value as readonly Recorded[], "direct");
}

/** A transcript as any version stored it. */
type Recorded = Omit<Transcript, Later> & Partial<Pick<Transcript, Later>>;

/** What older documents lack. */
type Later = "egressAddress" | "policy";

/** What was configured stands in the transcripts; what the verdict made of it is for today's rules. */
function sessionsOf(recorded: readonly Recorded[], name: string): Stored {
  const attempts = recorded.map((each): Transcript => ({
    ...each,
    egressAddress: each.egressAddress ?? null,
    policy: each.policy ?? null,
  }));
  const address = attempts.find(({ egressAddress }) => egressAddress !== null)?.egressAddress ?? null;
  return { attempts, egress: { name, address } };
}

function demand(value: unknown, definition: Definition, path: string, where: string): void {
  const misfit = misfitOf(value, definition, path);
  if (misfit === null) return;
  throw new UsageFault(`${where}: ${misfit.path || "the document"} does not fit; write ${misfit.expected}`);
}

async function contentOf(file: string, name: string): Promise<string> {
  try {
    return file === "-" ? await textOf(process.stdin) : await readFile(file, "utf8");
  } catch (error) {
    throw new UsageFault(`${name} cannot be read (${(error as NodeJS.ErrnoException).code}); write the path of a file`);
  }
}
