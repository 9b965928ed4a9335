// Runs the status command: reads how the system stands and shows it, to people or to programs. What is read,
// status-document.ts knows; how it looks, status-table.ts.
import process from "node:process";
import { visibleJson } from "../verdict/visible.ts";
import { faultStatus } from "./exit.ts";
import { readOptions, UsageFault, type OptionSpec } from "./options.ts";
import { atPlace, placeOptions } from "./place.ts";
import { readStatus, type StatusDocument } from "./status-document.ts";
import { statusTable } from "./status-table.ts";
import { write } from "./write.ts";

export const statusOptions: readonly OptionSpec[] = [
  { name: "json", value: null, many: false, about: "print one document and nothing else" },
  ...placeOptions,
];

/**
 * `status`
 * @returns 0 where nothing that pages is in ALARM, 1 where something is, 70 where the services do not answer, or know
 *   none of the alarms
 * @throws UsageFault
 */
export async function statusCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, statusOptions);
  const [operand] = options.positionals;
  if (operand !== undefined) throw new UsageFault("status takes no argument; write status and its options alone");
  return await atPlace(options, async (place) => {
    const status = await readStatus(place);
    const json = (): string => `${visibleJson(JSON.stringify(status, null, process.stdout.isTTY ? 2 : 0))}\n`;
    await write(process.stdout, options.has("json") ? json() : statusTable(status));
    if (status.alarms.some(({ state }) => state !== null)) return statusOf(status);
    const none = `CloudWatch has no alarm of ${status.name}; is it deployed there, and is that the region?`;
    await write(process.stderr, `delivery-probe: ${none}\n`);
    return faultStatus;
  });
}

function statusOf({ alarms }: StatusDocument): number {
  return alarms.some(({ pages, state }) => pages && state === "ALARM") ? 1 : 0;
}
