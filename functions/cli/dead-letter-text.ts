// Dead letters as redrive tells them: in lines for people, in fields for programs. It reads no queue.
import { timeText } from "../page/said.ts";
import type { DeadLetter } from "../queue/dead-letters.ts";
import { quote } from "./options.ts";

/** Its body may name a mailbox, and be long. */
export function shown({ id, messageId, at, reason, receives }: DeadLetter): object {
  return { id, messageId, at, reason, receives };
}

export function letterText({ id, at, reason, receives }: DeadLetter): string {
  const when = at === null ? "" : `, sent ${timeText(at)}`;
  return `${id}${when}, received ${times(receives)}: ${reason ?? "no reason; the runner's log has it"}`;
}

export function counted(count: number): string {
  return `${count} dead ${count === 1 ? "letter" : "letters"}`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

export function missingOf(ids: readonly string[], found: readonly DeadLetter[]): readonly string[] {
  return ids.filter((id) => !found.some((each) => each.id === id || each.messageId === id));
}

export function missingLines(missing: readonly string[], queues: readonly string[]): readonly string[] {
  return missing.map((id) => `nothing of the id ${quote(id)} was found in ${queues.join(" or ")}`);
}
