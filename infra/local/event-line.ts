// What happens in the local stack, a line each, for people who read along and for files. It keeps nothing.
import type { Entry } from "../../functions/report/log.ts";
import { visibleLine } from "../../functions/verdict/visible.ts";
import type { StackEvent } from "./stack.ts";

/** Safe on a terminal. Null: not worth a line. */
export function lineOf(event: StackEvent): string | null {
  const line = textOf(event);
  return line === null ? null : visibleLine(line);
}

function textOf(event: StackEvent): string | null {
  switch (event.kind) {
    case "log":
      return logText(event.entry);
    case "alarm":
      return `alarm      ${event.change.name}: ${event.change.previous.value} -> ${event.change.state.value}`;
    case "page":
      return `page       ${event.received.title} (${event.received.kind})`;
    case "tick":
      return `scheduled  ${event.slot}: ${event.result.sent} sent, ${event.result.skipped} left out`;
  }
}

function logText({ level, event, ...fields }: Entry): string | null {
  if (event === "verdict") {
    const { provider, egress, outcome, stage, text, id } = fields;
    const first = String(text).split("\n")[0];
    return `verdict    ${String(provider)} over ${String(egress)}: ${String(outcome)} at ${String(stage)}: ${first} (${String(id)})`;
  }
  if (level === "info") return null;
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${level.padEnd(9)}  ${[event, ...facts].join(" ")}`;
}
