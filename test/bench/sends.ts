// Sends thousands of messages through the local stack to real SMTP servers, of which many put off, refuse or cut off what
// they are sent, while the queue repeats records and the worker is killed again and again; then holds what the servers got,
// and what was told, against what is promised. `npm run sends -- [--sends N] [--kills K] [--seed S]`. The worker is the
// command line's, in a process of its own; queues, table and metrics are embedded.
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { checkConfig, type Config } from "../../functions/config/config.ts";
import { Queues, queueNames, type Outgoing } from "../../functions/queue/queues.ts";
import { dueWakes } from "../../functions/state/wakes.ts";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { startHosts, type Hosts } from "./sends/hosts.ts";
import { Ledger } from "./sends/ledger.ts";
import { actOf, domains, sendsOf, type PlannedSend } from "./sends/plan.ts";
import { findingsOf, isFinal, type Findings } from "./sends/promises.ts";
import { hearResults, type Results } from "./sends/results.ts";
import { killSome, sendsAtATime, startWorker } from "./sends/workers.ts";

export interface SendsOptions {
  readonly sends: number;
  readonly kills: number;
  readonly seed: string;
  /** How long the rest is awaited, after the last kill. */
  readonly limitMs: number;
  readonly say: (line: string) => void;
}

export interface SendsResult extends Findings {
  readonly kills: number;
  /** Sessions that were open when their worker was killed. */
  readonly killedSessions: number;
  /** Records that the queue had twice from the start, and again when all was done. */
  readonly repeatedRecords: number;
  /** Events that were told more than once. */
  readonly toldAgain: number;
  readonly copies: number;
  readonly sessions: number;
  readonly deadLetters: number;
  /** Deliveries that somebody is still to look at. */
  readonly stillToWake: number;
  /** Records that failed for a fault of ours, and came again. */
  readonly failedRecords: number;
  readonly elapsedS: number;
  readonly finalPerS: number;
}

/** A quarter of an hour in 15 seconds, and the sweep every 5. */
const speed = 60;
const slotMs = 300_000 / speed;

export async function runSends({ sends: howMany, kills, seed, limitMs, say }: SendsOptions): Promise<SendsResult> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "sends-"));
  try {
    const sends = sendsOf(howMany, seed);
    const bySender = new Map(sends.flatMap((send) => send.to.map((each) => [each, send.message] as const)));
    const ledger = new Ledger((recipient) => bySender.get(recipient) ?? null);
    const steps = new Steps();
    const act = (recipient: string): ReturnType<typeof actOf> => actOf(recipient, seed);
    await using hosts = await startHosts({ howMany: 10, ledger, actOf: act, onStep: () => steps.done() });
    const config = configFor(hosts);
    await using stack = await startStack({ config, state: folder, speed, blocked: [], env: {}, run: false });
    await using results = await hearResults(stack.endpoints.topics.results, stack.clients);
    return await run({ sends, kills, seed, limitMs, say, folder, ledger, steps, hosts, stack, results });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What happens in sessions, for those who wait for the next of it. */
class Steps {
  #next = Promise.withResolvers<void>();

  done(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  async next(): Promise<void> {
    await this.#next.promise;
  }
}

/** Two providers have a second host, which is tried where the first one puts off. */
function configFor({ addresses }: Hosts): Config {
  const { value, faults } = checkConfig({
    name: "sends",
    identity: { helo: "mail.sender.example", sender: "probe@sender.example" },
    egresses: [{ name: "direct", runner: "functions" }],
    targets: [{ provider: "accepting", recipient: "probe@accepting.example", everyMinutes: 1_440 }],
    hosts: Object.fromEntries(
      domains.map((domain, index) => [
        domain,
        [addresses[index], addresses[index + domains.length]].filter((each) => each !== undefined),
      ]),
    ),
    limits: { sessionSeconds: 5, concurrency: 40, gapSeconds: 0 },
    requests: { recipients: ["*"], senders: ["@sender.example"], ports: "any", privateAddresses: true },
    sends: {
      attemptSeconds: 8,
      answerSeconds: 3,
      expiresHours: 336,
      rates: { default: { concurrency: 100, perMinute: 10_000 } },
    },
  });
  if (value === null) throw new Error(faults.join("; "));
  return value;
}

interface Run extends Omit<SendsOptions, "sends"> {
  readonly sends: readonly PlannedSend[];
  readonly folder: string;
  readonly ledger: Ledger;
  readonly steps: Steps;
  readonly hosts: Hosts;
  readonly stack: Stack;
  readonly results: Results;
}

async function run(given: Run): Promise<SendsResult> {
  const { sends, kills, seed, limitMs, say, folder, ledger, steps, hosts, stack, results } = given;
  const messages = sends.flatMap((send) => Array.from({ length: send.times }, () => messageOf(send)));
  const queue = queueNames(stack.config, "functions").send;
  const queues = new Queues(stack.clients.sqs);
  await queues.send(queue, messages);
  const began = Date.now();
  await using _ticking = startTicking(stack);
  let killedSessions = 0;
  let failedRecords = 0;
  const onLine = (line: string): void => {
    if (line.includes('"event":"failed"')) {
      failedRecords += 1;
      if (failedRecords <= 5) say(line);
    }
  };
  const onKill = (): void => {
    killedSessions += hosts.open();
  };
  const recipients = sends.reduce((sum, { to }) => sum + to.length, 0);
  const done = async (share: number): Promise<void> => {
    while (ledger.copies < share * recipients) await sleep(20);
  };
  using _telling = startTelling(given, began);
  await killSome({ kills, folder, onLine, done, step: async () => await steps.next(), onKill });
  say(`${kills} kills done after ${secondsSince(began)} s`);
  const worker = await startWorker(folder, onLine);
  await allFinal(given, Date.now() + limitMs);
  const elapsedS = secondsSince(began);
  // What is redriven long after sends nothing and tells nothing new.
  const late = sends.filter((_, index) => index % 50 === 0);
  await queues.send(queue, late.map(messageOf));
  await quiet(stack);
  await worker.stop();
  const findings = findingsOf({ sends, seed, ledger, results: [...results.heard.values()] });
  const deadLetters = await countOf(queueNames(stack.config, "functions").sendDead, stack);
  const stillToWake = await countWakes(stack);
  const broken = [...findings.broken];
  if (deadLetters > 0) broken.push(`${deadLetters} dead letters`);
  if (stillToWake > 0) broken.push(`${stillToWake} deliveries are still to be woken`);
  // A record that a killed worker had in hand is one delivery, to two at most.
  if (findings.unknownByKill > kills * sendsAtATime * 2) broken.push("more are unknown than the killed had in hand");
  return {
    ...findings,
    broken,
    kills,
    killedSessions,
    repeatedRecords: messages.length - sends.length + late.length,
    toldAgain: results.again(),
    copies: ledger.copies,
    sessions: hosts.sessions(),
    deadLetters,
    stillToWake,
    failedRecords,
    elapsedS,
    finalPerS: Math.round((findings.recipients / elapsedS) * 10) / 10,
  };
}

function messageOf({ id, from, to, message }: PlannedSend): Outgoing {
  const body = { v: 1, kind: "send", id, from, to, message: { base64: message.toString("base64") } };
  return { body: JSON.stringify(body), attributes: {}, delayS: 0 };
}

/** The schedule, whose sweep wakes what waits. */
function startTicking(stack: Stack): AsyncDisposable {
  const over = new AbortController();
  const ticking = (async () => {
    while (!over.signal.aborted) {
      await stack.tick();
      await sleep(slotMs, null, { signal: over.signal }).catch(() => {});
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await ticking;
    },
  };
}

function startTelling({ say, ledger, results, hosts }: Run, began: number): Disposable {
  const timer = setInterval(() => {
    const final = [...results.heard.values()].filter(({ event }) => isFinal(event)).length;
    say(`${secondsSince(began)} s: ${ledger.copies} taken, ${final} final, ${hosts.sessions()} sessions`);
  }, 10_000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function allFinal({ sends, results }: Run, untilMs: number): Promise<void> {
  const recipients = sends.reduce((sum, { to }) => sum + to.length, 0);
  while (Date.now() < untilMs) {
    const final = [...results.heard.values()].filter(({ event }) => isFinal(event));
    if (new Set(final.map(({ recipient }) => recipient)).size >= recipients) return;
    await sleep(250);
  }
}

/** Nothing is ready in the queue, nothing in hand; what waits there wakes nothing more. */
async function quiet(stack: Stack): Promise<void> {
  const name = queueNames(stack.config, "functions").send;
  for (let quiet = 0; quiet < 5; await sleep(500)) quiet = (await countOf(name, stack)) === 0 ? quiet + 1 : 0;
}

async function countOf(name: string, { clients }: Stack): Promise<number> {
  const QueueUrl = await new Queues(clients.sqs).url(name);
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const { Attributes } = await clients.sqs.getQueueAttributes({ QueueUrl, AttributeNames: [...names] });
  return names.reduce((sum, each) => sum + Number(Attributes?.[each] ?? 0), 0);
}

async function countWakes({ clients, config, clock }: Stack): Promise<number> {
  const table = { client: clients.dynamo, name: config.name, days: 30, now: () => new Date(clock.now()) };
  let count = 0;
  for await (const _each of dueWakes(Number.MAX_SAFE_INTEGER, 100_000, table)) count += 1;
  return count;
}

function secondsSince(began: number): number {
  return Math.round((Date.now() - began) / 100) / 10;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { sends: { type: "string" }, kills: { type: "string" }, seed: { type: "string" } },
  });
  const [sends, kills] = [Number(values.sends ?? 5_000), Number(values.kills ?? 30)];
  const seed = values.seed ?? randomUUID();
  const say = (line: string): void => console.log(line);
  say(`${sends} sends, ${kills} kills, --seed ${seed}`);
  const { broken, ...result } = await runSends({ sends, kills, seed, limitMs: 900_000, say });
  say(JSON.stringify(result, null, 2));
  say(broken.length === 0 ? "every promise was kept" : `${broken.length} promises broken:`);
  for (const each of broken.slice(0, 50)) say(`  ${each}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
