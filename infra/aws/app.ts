// What CDK's command line runs: finds the configuration, says in a line what is wrong with it, synthesises, and prints what
// the system will cost. What is in the stack, stack.ts knows.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { awsFaults, placeholderFaults } from "../../functions/config/aws-faults.ts";
import { ConfigFault, loadConfig } from "../../functions/config/load.ts";
import { estimateOf, estimateText } from "./price.ts";

const example = fileURLToPath(new URL("../config/example.json", import.meta.url));

async function main(): Promise<void> {
  const file = contextOf("config") ?? process.env["DELIVERY_PROBE_CONFIG"] ?? null;
  const config = await loadConfig(file ?? example);
  const faults = awsFaults(config);
  const placeholders = placeholderFaults(config);
  const isDeployed = contextOf("purpose") === "deploy";
  if (isDeployed && file === null) {
    throw new ConfigFault(
      "no configuration is named; set DELIVERY_PROBE_CONFIG to a copy of the example that is yours",
    );
  }
  const [fault, ...others] = isDeployed ? [...faults, ...placeholders] : faults;
  if (fault !== undefined)
    throw new ConfigFault([fault, ...others].map((each) => `${file ?? "the example"}: ${each}`).join("\n"));
  if (placeholders.length > 0) {
    const fields = placeholders.map((each) => each.split(": ")[0]).join(", ");
    say(`${file ?? "the example"} is not to be deployed like this: an example's values are left in ${fields}`);
  }
  // CDK when there is something for it to do: it takes a while to load.
  const { synthesis } = await import("./synthesis.ts");
  const { app } = await synthesis(config);
  app.synth();
  say(estimateText(estimateOf(config)));
}

/** What `cdk -c name=value` said. */
function contextOf(name: string): string | null {
  const context = JSON.parse(process.env["CDK_CONTEXT_JSON"] ?? "{}") as Readonly<Record<string, unknown>>;
  const value = context[name];
  return typeof value === "string" && value !== "" ? value : null;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

try {
  await main();
} catch (error) {
  say(`delivery-probe: ${error instanceof Error ? error.message.trim() : String(error)}`);
  process.exitCode = 1;
}
