// Runs redrive: tells what lies in the queues of dead letters, moves letters back to their runner's queue, or deletes them.
// How a letter is moved so that none is lost, functions/queue knows.
import process from "node:process";
import type { Config } from "../config/config.ts";
import { countDeadLetters, discardDeadLetters, firstDeadLetters, redriveDeadLetters } from "../queue/dead-letters.ts";
import { Queues, queueNames, runnersOf, scheduleDeadName } from "../queue/queues.ts";
import { readRequest } from "../queue/request.ts";
import { visibleJson, visibleLine } from "../verdict/visible.ts";
import { counted, letterText, missingLines, missingOf, shown } from "./dead-letter-text.ts";
import { nearest, quote, readOptions, UsageFault, type OptionSpec, type Options } from "./options.ts";
import { atPlace, placeOptions, type Place } from "./place.ts";
import { urlIfAny, urlOf } from "./queue-url.ts";
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
    const pairs = pairsOfName(name, place.config);
    if (options.has("discard")) return await discard(pairs, ids, options, place);
    return await move(pairs, ids.length === 0 ? null : ids, options, place);
  });
}

/** Those of the runners, of probes and of sends, and what the schedule gave up. */
function pairsOf(config: Config): readonly Pair[] {
  const runners = runnersOf(config).flatMap((runner) => {
    const { probe, probeDead, send, sendDead } = queueNames(config, runner);
    const name = runner === "functions" ? runner : runner.worker;
    const probes = { name, queue: probe, dead: probeDead };
    return config.sends === null ? [probes] : [probes, { name, queue: send, dead: sendDead }];
  });
  return [...runners, { name: "schedule", queue: null, dead: scheduleDeadName(config) }];
}

function pairsOfName(name: string, config: Config): readonly Pair[] {
  const pairs = pairsOf(config);
  const found = pairs.filter((each) => each.name === name);
  if (found.length > 0) return found;
  if (config.egresses.some((each) => each.name === name)) {
    throw new UsageFault(`the egress ${quote(name)} is the functions'; write redrive functions`);
  }
  const names = [...new Set(pairs.map((each) => each.name))];
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

async function move(
  pairs: readonly Pair[],
  ids: readonly string[] | null,
  options: Options,
  place: Place,
): Promise<number> {
  const { config, clients, words } = place;
  const queues = new Queues(clients.sqs);
  // All are there before anything of one is moved.
  const ways = [];
  for (const { queue, dead } of pairs) {
    if (queue === null) throw overFault;
    ways.push({ queue, dead, from: await urlOf(dead, queues, place), to: await urlOf(queue, queues, place) });
  }
  const done = [];
  for (const { from, to, ...way } of ways) {
    const moved = await redriveDeadLetters({ from, to }, ids, clients.sqs);
    const malformed = moved.flatMap(({ id, body }) => {
      const { faults } = readRequest(body, config);
      return faults === null ? [] : [{ id, faults }];
    });
    done.push({ ...way, moved, malformed, left: await countDeadLetters(from, clients.sqs) });
  }
  const moved = done.flatMap((each) => each.moved);
  const missing = missingOf(ids ?? [], moved);
  const lines = [
    ...done.flatMap((each) => [
      `${counted(each.moved.length)} moved from ${each.dead} to ${each.queue}`,
      ...each.moved.map(({ id }) => `  ${id}`),
      ...each.malformed.map(
        ({ id, faults }) => `${id} is still no request that can be worked on, and will come back: ${faults[0]}`,
      ),
    ]),
    ...missingLines(
      missing,
      pairs.map((each) => each.dead),
    ),
    ...(moved.length === 0 ? [] : [`what fails again comes back; look later: delivery-probe redrive${words}`]),
  ];
  const document = {
    v: 1,
    runner: pairs[0]?.name,
    queues: done.map((each) => ({ queue: each.queue, dead: each.dead, moved: each.moved.length, left: each.left })),
    moved: moved.map(shown),
    malformed: done.flatMap((each) => each.malformed),
    missing,
    left: total(done),
  };
  return await tell(document, lines, options);
}

const overFault = new UsageFault(
  "the slots that the schedule gave up are over, and are not worked on anew; write --discard and each --id",
);

async function discard(
  pairs: readonly Pair[],
  ids: readonly string[],
  options: Options,
  place: Place,
): Promise<number> {
  const { sqs } = place.clients;
  const queues = new Queues(sqs);
  const done = [];
  for (const { dead } of pairs) {
    const url = await urlOf(dead, queues, place);
    const discarded = await discardDeadLetters(url, ids, sqs);
    done.push({ dead, discarded, left: await countDeadLetters(url, sqs) });
  }
  const discarded = done.flatMap((each) => each.discarded);
  const missing = missingOf(ids, discarded);
  const lines = [
    ...done.flatMap((each) => [
      `${counted(each.discarded.length)} deleted from ${each.dead}`,
      ...each.discarded.map((letter) => `  ${letterText(letter)}`),
    ]),
    ...missingLines(
      missing,
      pairs.map((each) => each.dead),
    ),
  ];
  const document = {
    v: 1,
    runner: pairs[0]?.name,
    queues: done.map((each) => ({ dead: each.dead, discarded: each.discarded.length, left: each.left })),
    discarded: discarded.map(shown),
    missing,
    left: total(done),
  };
  return await tell(document, lines, options);
}

function total(done: readonly { readonly left: number }[]): number {
  return done.reduce((sum, { left }) => sum + left, 0);
}

async function tell(document: object, lines: readonly string[], options: Options): Promise<number> {
  const json = (): string => `${visibleJson(JSON.stringify(document, null, process.stdout.isTTY ? 2 : 0))}\n`;
  const text = (): string => lines.map((line) => `${visibleLine(line)}\n`).join("");
  await write(process.stdout, options.has("json") ? json() : text());
  return 0;
}
