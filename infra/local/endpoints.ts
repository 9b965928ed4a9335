// Where the embedded services are, in one file of JSON that any program can read: URLs, queues, topics, the bucket, the
// table, the lab's hosts, and the environment with which an AWS client finds them. It starts none of them.
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Config } from "../../functions/config/config.ts";
import { queueNames, runnersOf, type QueueNames, type Runner } from "../../functions/queue/queues.ts";
import { bucketOf } from "./bucket.ts";
import { resultsName } from "./queue-setup.ts";
import { accountId, region } from "./queues.ts";

/** `DIR/endpoints.json`. */
export interface Endpoints {
  readonly region: string;
  /** URLs. */
  readonly sqs: string;
  readonly sns: string;
  readonly s3: string;
  readonly dynamodb: string;
  readonly cloudwatch: string;
  readonly sink: string;
  /**
   * URLs of the functions' pairs, and of each worker egress's; and of one that is subscribed to the topic of results, in
   * which each message is a result as it was published (raw). Where the configuration takes no sends, nobody reads theirs.
   */
  readonly queues: QueueNames & { readonly results: string; readonly workers: Readonly<Record<string, QueueNames>> };
  /** ARNs: of pages, of what becomes of sends, and of what on-call is told. */
  readonly topics: { readonly pages: string; readonly results: string; readonly oncall: string };
  /** The bucket's name: for messages that are too large for a queue. */
  readonly bucket: string;
  /** The table's name. */
  readonly table: string;
  /** `127.0.0.1:port` by provider, whose mail domain is `provider.example`. */
  readonly lab: Readonly<Record<string, string>>;
  /** The DNS server that knows the lab's domains, and no others: `127.0.0.1:port`. */
  readonly resolver: string;
  /** The configuration in effect; null: in memory alone. */
  readonly config: string | null;
  /** For any AWS SDK, and for our own commands. */
  readonly env: Readonly<Record<string, string>>;
  /** The process that serves them. */
  readonly pid: number;
}

/** Of what has been started. */
export interface Started {
  readonly sqs: string;
  readonly dynamodb: string;
  readonly cloudwatch: string;
  readonly sink: string;
  readonly lab: Readonly<Record<string, string>>;
  readonly resolver: string;
}

export function endpointsOf(started: Started, config: Config, configFile: string | null): Endpoints {
  const { sqs, dynamodb, cloudwatch, sink, lab, resolver } = started;
  const url = (queue: string): string => `${sqs}/${accountId}/${queue}`;
  const queuesOf = (runner: Runner): QueueNames => {
    const { probe, probeDead, send, sendDead } = queueNames(config, runner);
    return { probe: url(probe), probeDead: url(probeDead), send: url(send), sendDead: url(sendDead) };
  };
  const workers = runnersOf(config).flatMap((runner) => (runner === "functions" ? [] : [runner]));
  return {
    region,
    sqs,
    sns: sqs,
    s3: sqs,
    dynamodb,
    cloudwatch,
    sink,
    queues: {
      ...queuesOf("functions"),
      results: url(resultsName(config)),
      workers: Object.fromEntries(workers.map((runner) => [runner.worker, queuesOf(runner)])),
    },
    topics: topicsOf(config),
    bucket: bucketOf(config),
    table: config.name,
    lab,
    resolver,
    config: configFile,
    env: {
      AWS_REGION: region,
      // The embedded services ask for some credentials, and look at none.
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_ENDPOINT_URL_SQS: sqs,
      AWS_ENDPOINT_URL_SNS: sqs,
      AWS_ENDPOINT_URL_S3: sqs,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
      AWS_ENDPOINT_URL_CLOUDWATCH: cloudwatch,
    },
    pid: process.pid,
  };
}

export function topicsOf({ name }: Pick<Config, "name">): Endpoints["topics"] {
  const arn = (topic: string): string => `arn:aws:sns:${region}:${accountId}:${name}-${topic}`;
  return { pages: arn("pages"), results: arn("results"), oncall: arn("oncall") };
}

/** The stack cannot start, for a reason that whoever starts it can mend. */
export class StackFault extends Error {
  override readonly name = "StackFault";
}

const fileName = "endpoints.json";
/** What the last run had, so that the next one has the same ports. */
const lastFileName = "endpoints-last.json";

/**
 * Takes the file away, because nothing of it is there yet, and tells what it said.
 * @throws StackFault when the process that wrote it still serves
 */
export async function takeLastEndpoints(folder: string): Promise<Endpoints | null> {
  const current = await readEndpoints(join(folder, fileName));
  if (current !== null && (await isServed(current))) {
    throw new StackFault(`${folder} is in use by process ${current.pid}; end that one, or use another folder`);
  }
  if (current !== null) await rename(join(folder, fileName), join(folder, lastFileName));
  return current ?? (await readEndpoints(join(folder, lastFileName)));
}

/** At once and whole: that the file is there means that everything in it is. Returns the file's path. */
export async function writeEndpoints(folder: string, endpoints: Endpoints): Promise<string> {
  const file = join(folder, fileName);
  await writeFile(`${file}.tmp`, `${JSON.stringify(endpoints, null, 2)}\n`);
  await rename(`${file}.tmp`, file);
  return file;
}

async function readEndpoints(file: string): Promise<Endpoints | null> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Endpoints;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new Error(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
}

/** A process number may be another's by now, and so may a port; hardly both. */
async function isServed({ pid, sqs }: Endpoints): Promise<boolean> {
  try {
    process.kill(pid, 0);
    return (await fetch(new URL("/health", sqs), { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
