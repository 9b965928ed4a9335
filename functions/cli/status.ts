// Runs the status command: reads how the system stands and shows it, to people or to programs. What is read,
// status-document.ts knows; how it looks, status-table.ts.
import process from "node:process";
import { tableOf } from "../handler.ts";
import { visibleJson, visibleLine } from "../verdict/visible.ts";
import { faultStatus, missingStatus } from "./exit.ts";
import { quote, readOptions, UsageFault, type Options, type OptionSpec } from "./options.ts";
import { atPlace, placeOptions, type Place } from "./place.ts";
import { readSend, sendExitStatus, sendText } from "./send-status.ts";
import { readStatus, type StatusDocument } from "./status-document.ts";
import { statusTable } from "./status-table.ts";
import { write } from "./write.ts";

export const statusOptions: readonly OptionSpec[] = [
  {
    name: "send",
    value: "id",
    many: false,
    about:
      "what became of the recipients of this send; exit status 0 all delivered, 1 one failed, 2 one waits, 3 one is unknown, 66 there is no such send",
  },
  { name: "json", value: null, many: false, about: "print one document and nothing else" },
  ...placeOptions,
];

/**
 * `status`, `status --send ID`
 * @returns 0 where nothing that pages is in ALARM, 1 where something is, 70 where the services do not answer, or know
 *   none of the alarms
 * @throws UsageFault
 */
export async function statusCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args, statusOptions);
  const [operand] = options.positionals;
  if (operand !== undefined) throw new UsageFault("status takes no argument; write status and its options alone");
  const id = options.one("send");
  if (id !== null) return await atPlace(options, async (place) => await tellSend(id, options, place));
  return await atPlace(options, async (place) => {
    const status = await readStatus(place);
    await write(process.stdout, options.has("json") ? jsonOf(status) : statusTable(status));
    if (status.alarms.some(({ state }) => state !== null)) return statusOf(status);
    const none = `CloudWatch has no alarm of ${status.name}; is it deployed there, and is that the region?`;
    await write(process.stderr, `delivery-probe: ${none}\n`);
    return faultStatus;
  });
}

async function tellSend(id: string, options: Options, place: Place): Promise<number> {
  const status = await readSend(id, tableOf(place));
  if (status === null) {
    const text = `nothing is known of a send ${quote(id)}: it waits in its queue, is a dead letter (redrive tells), or was over two weeks ago`;
    await write(process.stderr, `delivery-probe: ${visibleLine(text)}\n`);
    return missingStatus;
  }
  await write(process.stdout, options.has("json") ? jsonOf(status) : sendText(status, place.words));
  return sendExitStatus(status);
}

function jsonOf(document: object): string {
  return `${visibleJson(JSON.stringify(document, null, process.stdout.isTTY ? 2 : 0))}\n`;
}

function statusOf({ alarms }: StatusDocument): number {
  return alarms.some(({ pages, state }) => pages && state === "ALARM") ? 1 : 0;
}
