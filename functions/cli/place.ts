// Where the system is that a command is about: a local stack by its folder, or AWS by the SDK's own settings and the
// configuration file. It opens clients for a command and closes them. What is asked of them it does not know.
import type { S3 } from "@aws-sdk/client-s3";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { allClients, closeClients, openClients, whenWanted, type Clients, type Endpoints } from "../clients.ts";
import type { Config } from "../config/config.ts";
import { visibleLine } from "../verdict/visible.ts";
import { configFileOf, configVariable, readConfigFile } from "./config-file.ts";
import { faultStatus } from "./exit.ts";
import { quote, UsageFault, type Options, type OptionSpec } from "./options.ts";
import { stackClock } from "./stack-clock.ts";
import { unansweredText } from "./unanswered.ts";
import { write } from "./write.ts";

export const placeOptions: readonly OptionSpec[] = [
  { name: "state", value: "dir", many: false, about: "the local stack that has its state there" },
  {
    name: "config",
    value: "file",
    many: false,
    about: "the configuration of the system in AWS; by default that of DELIVERY_PROBE_CONFIG",
  },
];

export interface Place {
  readonly config: Config;
  readonly clients: Clients;
  /** Opened by the first who asks for it. */
  readonly s3: () => Promise<S3>;
  /** Of the services; null: as the SDK's own settings say. */
  readonly endpoints: Endpoints | null;
  /** The clock of schedules, alarms and rows: a local stack's may run fast. */
  readonly now: () => Date;
  /** The DNS server of a local stack, `ip:port`; null: the system's. */
  readonly resolver: string | null;
  /** The folder of a local stack; null: AWS. */
  readonly folder: string | null;
  /** What names this place on a command line, with a space before it; empty where nothing is needed. */
  readonly words: string;
}

/**
 * Runs something where the options say, and tells in a line of standard error when the services there do not answer.
 * @returns its exit status, or 70 where a service did not answer or refused
 * @throws UsageFault
 */
export async function atPlace(options: Options, run: (place: Place) => Promise<number>): Promise<number> {
  const place = await openPlace(options);
  try {
    return await run(place);
  } catch (error) {
    const text = unansweredText(error, place);
    if (text === null) throw error;
    await write(process.stderr, `delivery-probe: ${visibleLine(text)}\n`);
    return faultStatus;
  } finally {
    closeClients(place.clients);
  }
}

async function openPlace(options: Options): Promise<Place> {
  const folder = options.one("state");
  const file = options.one("config");
  if (folder !== null && file !== null) {
    throw new UsageFault("--state and --config are two places; write --state for a local stack, --config for AWS");
  }
  return folder === null ? await openAws(file) : await openStack(folder);
}

async function openAws(given: string | null): Promise<Place> {
  const file = configFileOf(given, process.env);
  if (file === null) {
    throw new UsageFault(
      `no system is named; write --config file, or set ${configVariable}, for AWS, or --state dir for a local stack`,
    );
  }
  return {
    config: await readConfigFile(file),
    clients: await openClients(allClients),
    s3: whenWanted(null),
    endpoints: null,
    now: () => new Date(),
    resolver: null,
    folder: null,
    words: given === null ? "" : ` --config ${shellWord(given)}`,
  };
}

async function openStack(folder: string): Promise<Place> {
  const { endpoints, resolver } = await readEndpoints(folder);
  const config = await readConfigFile(path.join(folder, "config.json"));
  const words = ` --state ${shellWord(folder)}`;
  const clients = await openClients(allClients, endpoints);
  const s3 = whenWanted(endpoints);
  return { config, clients, s3, endpoints, now: stackClock(folder), resolver, folder, words };
}

/** What `delivery-probe local` writes when all is ready. */
async function readEndpoints(folder: string): Promise<{ endpoints: Endpoints; resolver: string | null }> {
  const file = path.join(folder, "endpoints.json");
  const start = `start delivery-probe local --state ${shellWord(folder)} first`;
  const text = await textOf(file);
  if (text === null) throw new UsageFault(`there is no ${quote(file)}; ${start}`);
  const fields = objectOf(text);
  const url = (name: string): string => {
    const value = fields[name];
    if (typeof value === "string" && URL.canParse(value)) return value;
    throw new UsageFault(`${quote(file)} has no URL ${name}, so that no local stack wrote it; ${start}`);
  };
  const endpoints = {
    sqs: url("sqs"),
    sns: url("sns"),
    cloudWatch: url("cloudwatch"),
    dynamo: url("dynamodb"),
    s3: url("s3"),
  };
  return { endpoints, resolver: typeof fields["resolver"] === "string" ? fields["resolver"] : null };
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ENOTDIR"].includes(code)) return null;
    throw new UsageFault(`${quote(file)} cannot be read (${code}); write --state and the folder of a local stack`);
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** As a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
