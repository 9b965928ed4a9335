// Runs pause and resume: who is left alone by the schedule for a while, said by a person with a reason. What a pause
// does the schedule knows.
import process from "node:process";
import type { Config } from "../config/config.ts";
import { tableOf } from "../handler.ts";
import { timeText } from "../page/said.ts";
import { pause, pausesOf, resume, type Pause, type Paused } from "../state/pauses.ts";
import { visibleLine } from "../verdict/visible.ts";
import { nearest, quote, readOptions, UsageFault, type OptionSpec, type Options } from "./options.ts";
import { atPlace, placeOptions, type Place } from "./place.ts";
import { write } from "./write.ts";

export const pauseOptions: readonly OptionSpec[] = [
  { name: "reason", value: "text", many: false, about: "why, for whoever looks at it later" },
  { name: "for", value: "time", many: false, about: "how long: 30m, 2h or 3d" },
  { name: "until", value: "time", many: false, about: "or until when, such as 2026-11-25T08:00:00Z" },
  ...placeOptions,
];

export const resumeOptions: readonly OptionSpec[] = placeOptions;

/**
 * `pause provider|egress NAME --reason TEXT --for TIME`; without operands the pauses that there are.
 * @throws UsageFault
 */
export async function pauseCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, pauseOptions);
  if (options.positionals.length === 0) {
    const given = ["reason", "for", "until"].find((each) => options.has(each));
    if (given !== undefined) throw new UsageFault(`--${given} of which pause? write ${usage}`);
    return await atPlace(options, list);
  }
  const paused = readPaused(options, "pause");
  const reason = readReason(options.one("reason"));
  const end = readEnd(options);
  return await atPlace(options, async (place) => {
    checkName(paused, place.config);
    const since = place.now();
    const untilMs = end.kind === "for" ? since.getTime() + end.ms : end.atMs;
    if (untilMs <= since.getTime())
      throw new UsageFault(`--until is over: it is ${timeText(since.toISOString())}; write a time to come`);
    const until = new Date(untilMs).toISOString();
    return await begin({ ...paused, reason, since: since.toISOString(), until }, place);
  });
}

/**
 * `resume provider|egress NAME`
 * @throws UsageFault
 */
export async function resumeCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, resumeOptions);
  const paused = readPaused(options, "resume");
  return await atPlace(options, async (place) => {
    checkName(paused, place.config);
    const ended = await resume(paused, tableOf(place));
    const who = `${paused.kind} ${paused.name}`;
    await print([ended === null ? `${who} was not paused` : `${who} is probed again; ended: ${pauseText(ended)}`]);
    return 0;
  });
}

/** `provider icloud until 2026-11-24 19:00 UTC, since 2026-11-24 17:00 UTC: we talk to them` */
export function pauseText({ kind, name, reason, since, until }: Pause): string {
  return `${kind} ${name} until ${timeText(until)}, since ${timeText(since)}: ${reason}`;
}

/** Whatever of a configuration can be paused, in its order. */
export function pausable({ targets, egresses }: Config): readonly Paused[] {
  const providers = [...new Set(targets.map(({ provider }) => provider))];
  return [
    ...providers.map((name) => ({ kind: "provider" as const, name })),
    ...egresses.map(({ name }) => ({ kind: "egress" as const, name })),
  ];
}

/** The table gives them in any order. */
export function inOrder(pauses: readonly Pause[], config: Config): readonly Pause[] {
  return pausable(config).flatMap(({ kind, name }) =>
    pauses.filter((each) => each.kind === kind && each.name === name),
  );
}

const usage = "pause provider icloud --reason 'we talk to them' --for 2h";
const reasonLimit = 300; // characters
/** A pause that somebody forgets keeps a block unseen. */
const longestMs = 366 * 86_400_000;

async function list(place: Place): Promise<number> {
  const pauses = inOrder(await pausesOf(pausable(place.config), tableOf(place)), place.config);
  await print(pauses.length === 0 ? ["nothing is paused"] : pauses.map(pauseText));
  return 0;
}

async function begin(given: Pause, place: Place): Promise<number> {
  const table = tableOf(place);
  const [before] = await pausesOf([given], table);
  await pause(given, table);
  await print([
    `paused: ${pauseText(given)}`,
    ...(before === undefined ? [] : [`in the place of: ${pauseText(before)}`]),
    `what is due is skipped; to end it before: delivery-probe resume ${given.kind} ${given.name}${place.words}`,
  ]);
  return 0;
}

function readPaused({ positionals }: Options, command: "pause" | "resume"): Paused {
  const [kind = "", name, ...more] = positionals;
  const form = command === "pause" ? usage : "resume provider icloud";
  if (kind !== "provider" && kind !== "egress") {
    const wrong =
      kind === "" ? "what is to be resumed is not given" : `${quote(kind)} is no kind of thing to ${command}`;
    throw new UsageFault(`${wrong}; write provider or egress before its name: ${form}`);
  }
  if (name === undefined) throw new UsageFault(`which ${kind} is not given; write ${command} ${kind} and its name`);
  if (more.length > 0) throw new UsageFault(`${command} takes one name, not ${more.length + 1}; write ${form}`);
  return { kind, name };
}

function readReason(text: string | null): string {
  const reason = text?.trim() ?? "";
  if (reason === "") throw new UsageFault("a pause needs its reason; write --reason and a few words");
  if (reason.length <= reasonLimit) return reason;
  throw new UsageFault(`--reason has ${reason.length} characters; write ${reasonLimit} or fewer`);
}

type End = { readonly kind: "for"; readonly ms: number } | { readonly kind: "until"; readonly atMs: number };

function readEnd(options: Options): End {
  const length = options.one("for");
  const time = options.one("until");
  if (length !== null && time !== null) throw new UsageFault("--for and --until are two ends; write one of them");
  if (length !== null) return { kind: "for", ms: readLength(length) };
  if (time !== null) return { kind: "until", atMs: readTime(time) };
  throw new UsageFault("a pause needs its end; write --for 2h, or --until and a time");
}

function readLength(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ms = Number(digits) * ({ m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 0);
  if (ms > 0 && ms <= longestMs) return ms;
  throw new UsageFault(`--for ${quote(text)} is no length; write minutes, hours or days up to 366d, such as 30m or 2h`);
}

/** RFC 3339 §5.6, which demands an offset from UTC. */
function readTime(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text);
  const ms = isTime ? Date.parse(text.replace(" ", "T").toUpperCase()) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new UsageFault(`--until ${quote(text)} is no time; write one with its zone, such as 2026-11-25T08:00:00Z`);
  }
  if (ms - Date.now() <= longestMs) return ms;
  throw new UsageFault(`--until ${quote(text)} is more than 366 days away; write an earlier time`);
}

/** One that the schedule does not know would be paused for nothing, and nobody would notice. */
function checkName({ kind, name }: Paused, config: Config): void {
  const names = pausable(config).flatMap((each) => (each.kind === kind ? [each.name] : []));
  if (names.includes(name)) return;
  const meant = nearest(name, names);
  const instead = meant ?? (names.length === 1 ? names[0] : `one of ${names.join(", ")}`);
  throw new UsageFault(`the configuration has no ${kind} ${quote(name)}; write ${instead}`);
}

async function print(lines: readonly string[]): Promise<void> {
  await write(process.stdout, lines.map((line) => `${visibleLine(line)}\n`).join(""));
}
