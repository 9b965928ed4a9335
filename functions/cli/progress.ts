// What is happening, on one line that is written over: for a terminal, and gone when the verdict comes.
// It keeps nothing, and shows no text of a host's as it came.
import type { Progress } from "../route/probe-request.ts";
import { visibleLine } from "../verdict/visible.ts";

const clearLine = "\r\x1b[2K";

/** Shows progress on the stream, or nothing where nobody watches. */
export function progressOn(stream: NodeJS.WriteStream): {
  readonly show: (domain: string, event: Progress) => void;
  readonly clear: () => void;
} {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} };
  // A terminal that went away is no fault of ours.
  stream.on("error", () => {});
  return {
    show: (domain, event) => {
      const text = visibleLine(`${domain}: ${wordsOf(event)}`);
      // A line longer than the terminal would wrap, and could not be written over.
      stream.write(clearLine + text.slice(0, Math.max(10, stream.columns - 1)));
    },
    clear: () => void stream.write(clearLine),
  };
}

function wordsOf(event: Progress): string {
  switch (event.kind) {
    case "host":
      return event.address === null ? `looking up ${event.host}` : `asking ${event.host} [${event.address}]`;
    case "exchange": {
      const { command, reply } = event.exchange;
      return `${command ?? "greeting"} → ${reply?.lines.at(-1) ?? "no reply"}`;
    }
    case "decided":
      return `decided after ${Math.round(event.elapsedMs)} ms`;
  }
}
