// Runs redrive: tells what lies in the queues of dead letters, moves letters back to their runner's queue, or deletes them.
// How a letter is moved so that none is lost, functions/queue knows.
import process from "node:process";
import type { Config } from "../config/config.ts";
import { timeText } from "../page/said.ts";
import {
  countDeadLetters,
  discardDeadLetters,
  firstDeadLetters,
  redriveDeadLetters,
  type DeadLetter,
} from "../queue/dead-letters.ts";
import { Queues, queueNames, runnersOf, scheduleDeadName } from "../queue/queues.ts";
import { readRequest } from "../queue/request.ts";
import { visibleJson, visibleLine } from "../verdict/visible.ts";
import { nearest, quote, readOptions, UsageFault, type OptionSpec, type Options } from "./options.ts";
import { atPlace, placeOptions, type Place } from "./place.ts";
import { write } from "./write.ts";

export const redriveOptions: readonly OptionSpec[] = [
  { name: "id", value: "id", many: true, about: "only this one, as redrive alone tells it; all by default" },
  { name: "discard", value: null, many: false, about: "delete those of --id, and move nothing" },
  { name: "json", value: null, many: false, about: "print one document and nothing else" },
  ...placeOptions,
];

/** A queue of dead letters, and where its letters go back to. */
interface Pair {
  /** What the command line calls it. */
  readonly name: string;
  /** Null: nobody reads them anew. */
  readonly queue: string | null;
  readonly dead: string;
}

/**
 * `redrive`: what lies in every queue of dead letters. `redrive functions|EGRESS`: moves what lies in that one's.
 * @returns 0, or 70 where the services do not answer
 * @throws UsageFault
 */
export async function redriveCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, redriveOptions);
  const [name, ...more] = options.positionals;
  if (more.length > 0) throw new UsageFault(`redrive takes one name, not ${more.length + 1}; write redrive ${name}`);
  const ids = options.all("id");
  if (name === undefined) {
    const given = ["id", "discard"].find((each) => options.has(each));
    if (given !== undefined)
      throw new UsageFault(`--${given} of whose dead letters? write redrive functions --${given}`);
    return await atPlace(options, async (place) => await list(options, place));
  }
  if (options.has("discard") && ids.length === 0) {
    throw new UsageFault("--discard deletes for good, and wants each --id; write those that redrive alone tells");
  }
  return await atPlace(options, async (place) => {
    const pair = pairOf(name, place.config);
    if (options.has("discard")) return await discard(pair, ids, options, place);
    return await move(pair, ids.length === 0 ? null : ids, options, place);
  });
}

/** Those of the runners, and what the schedule gave up. */
function pairsOf(config: Config): readonly Pair[] {
  const runners = runnersOf(config).map((runner) => {
    const { probe, probeDead } = queueNames(config, runner);
    return { name: runner === "functions" ? runner : runner.worker, queue: probe, dead: probeDead };
  });
  return [...runners, { name: "schedule", queue: null, dead: scheduleDeadName(config) }];
}

function pairOf(name: string, config: Config): Pair {
  const pairs = pairsOf(config);
  const found = pairs.find((each) => each.name === name);
  if (found !== undefined) return found;
  if (config.egresses.some((each) => each.name === name)) {
    throw new UsageFault(`the egress ${quote(name)} is the functions'; write redrive functions`);
  }
  const names = pairs.map((each) => each.name);
  throw new UsageFault(
    `nobody called ${quote(name)} has dead letters; write ${nearest(name, names) ?? `one of ${names.join(", ")}`}`,
  );
}

/** So many of a queue are shown: more than that nobody reads, and each look is a receive. */
const shownLimit = 20;

async function list(options: Options, { config, clients: { sqs } }: Place): Promise<number> {
  const queues = new Queues(sqs);
  const lists = [];
  for (const pair of pairsOf(config)) {
    const url = await urlIfAny(pair.dead, queues);
    const count = url === null ? null : await countDeadLetters(url, sqs);
    const letters = url === null || count === 0 ? [] : await firstDeadLetters(url, shownLimit, sqs);
    // The count may be a minute late.
    lists.push({ ...pair, count: count === null ? null : Math.max(count, letters.length), letters });
  }
  const document = lists.map(({ letters, ...each }) => ({ ...each, letters: letters.map(shown) }));
  const lines = lists.flatMap(({ name, dead, count, letters }) => [
    count === null ? `${name}: there is no queue ${dead}` : `${name}: ${counted(count)} in ${dead}`,
    ...letters.map((each) => `  ${letterText(each)}`),
    ...(count !== null && count > letters.length ? [`  and ${count - letters.length} more`] : []),
  ]);
  return await tell({ v: 1, queues: document }, lines, options);
}

async function move(pair: Pair, ids: readonly string[] | null, options: Options, place: Place): Promise<number> {
  const { config, clients, words } = place;
  if (pair.queue === null) {
    throw new UsageFault(
      "the slots that the schedule gave up are over, and are not worked on anew; write --discard and each --id",
    );
  }
  const queues = new Queues(clients.sqs);
  const from = await urlOf(pair.dead, queues, place);
  const to = await urlOf(pair.queue, queues, place);
  const moved = await redriveDeadLetters({ from, to }, ids, clients.sqs);
  const malformed = moved.flatMap((each) => {
    const { faults } = readRequest(each.body, config);
    return faults === null ? [] : [{ id: each.id, faults }];
  });
  const missing = missingOf(ids ?? [], moved);
  const left = await countDeadLetters(from, clients.sqs);
  const { name, queue, dead } = pair;
  const lines = [
    `${counted(moved.length)} moved from ${dead} to ${queue}`,
    ...moved.map((each) => `  ${each.id}`),
    ...malformed.map(
      ({ id, faults }) => `${id} is still no request that can be worked on, and will come back: ${faults[0]}`,
    ),
    ...missingLines(missing, dead),
    ...(moved.length === 0 ? [] : [`what fails again comes back; look later: delivery-probe redrive${words}`]),
  ];
  return await tell(
    { v: 1, runner: name, queue, dead, moved: moved.map(shown), malformed, missing, left },
    lines,
    options,
  );
}

async function discard(pair: Pair, ids: readonly string[], options: Options, place: Place): Promise<number> {
  const { name, dead } = pair;
  const { sqs } = place.clients;
  const url = await urlOf(dead, new Queues(sqs), place);
  const discarded = await discardDeadLetters(url, ids, sqs);
  const missing = missingOf(ids, discarded);
  const left = await countDeadLetters(url, sqs);
  const lines = [
    `${counted(discarded.length)} deleted from ${dead}`,
    ...discarded.map((each) => `  ${letterText(each)}`),
    ...missingLines(missing, dead),
  ];
  return await tell({ v: 1, runner: name, dead, discarded: discarded.map(shown), missing, left }, lines, options);
}

/** Its body may name a mailbox, and be long. */
function shown({ id, messageId, at, reason, receives }: DeadLetter): object {
  return { id, messageId, at, reason, receives };
}

function letterText({ id, at, reason, receives }: DeadLetter): string {
  const when = at === null ? "" : `, sent ${timeText(at)}`;
  return `${id}${when}, received ${times(receives)}: ${reason ?? "no reason; the runner's log has it"}`;
}

function counted(count: number): string {
  return `${count} dead ${count === 1 ? "letter" : "letters"}`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function missingOf(ids: readonly string[], found: readonly DeadLetter[]): readonly string[] {
  return ids.filter((id) => !found.some((each) => each.id === id || each.messageId === id));
}

function missingLines(missing: readonly string[], dead: string): readonly string[] {
  return missing.map((id) => `nothing of the id ${quote(id)} was found in ${dead}`);
}

async function urlOf(queue: string, queues: Queues, { folder }: Place): Promise<string> {
  const url = await urlIfAny(queue, queues);
  if (url !== null) return url;
  const where = folder === null ? "AWS_REGION" : "the folder of the stack";
  throw new UsageFault(`there is no queue ${quote(queue)}; look at ${where} and the configuration's name`);
}

async function urlIfAny(queue: string, queues: Queues): Promise<string | null> {
  try {
    return await queues.url(queue);
  } catch (error) {
    // "AWS.SimpleQueueService.NonExistentQueue" by the older protocol.
    if (error instanceof Error && /QueueDoesNotExist|NonExistentQueue/.test(error.name)) return null;
    throw error;
  }
}

async function tell(document: object, lines: readonly string[], options: Options): Promise<number> {
  const json = (): string => `${visibleJson(JSON.stringify(document, null, process.stdout.isTTY ? 2 : 0))}\n`;
  const text = (): string => lines.map((line) => `${visibleLine(line)}\n`).join("");
  await write(process.stdout, options.has("json") ? json() : text());
  return 0;
}
