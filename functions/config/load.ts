// Reads the configuration file. What may be in it, config.ts knows.
import { readFile } from "node:fs/promises";
import { checkConfig, type Config } from "./config.ts";

/** The file is wrong: every fault on a line of its own, with its path and what is allowed there. */
export class ConfigFault extends Error {
  override readonly name = "ConfigFault";
}

/** @throws ConfigFault when the file cannot be read, is no JSON, or holds what it must not */
export async function loadConfig(path: string): Promise<Config> {
  const { value, faults } = checkConfig(parsed(await textOf(path), path));
  if (faults === null) return value;
  throw new ConfigFault([`${path} is no configuration:`, ...faults.map((each) => `  ${each}`)].join("\n"));
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigFault(`${path} cannot be read (${code}); name a configuration file, such as a copy of the example`);
  }
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ConfigFault(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
