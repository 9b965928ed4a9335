// Reads the configuration that a command names. What may be in it, functions/config knows.
import type { Config } from "../config/config.ts";
import { UsageFault } from "./options.ts";

/** The environment variable that names the configuration where `--config` does not. */
export const configVariable = "DELIVERY_PROBE_CONFIG";

/** The file that the command line names, else the environment; null: neither does. */
export function configFileOf(given: string | null, env: NodeJS.ProcessEnv): string | null {
  return given ?? (env[configVariable] || null);
}

/** @throws UsageFault with every fault of the file in the one line that there is */
export async function readConfigFile(file: string): Promise<Config> {
  // When it is wanted: most probes have none, and the schema takes a while to load.
  const { loadConfig, ConfigFault } = await import("../config/load.ts");
  try {
    return await loadConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    throw new UsageFault(error.message.replace(/:\n\s*/, ": ").replaceAll(/\n\s*/g, "; "));
  }
}
