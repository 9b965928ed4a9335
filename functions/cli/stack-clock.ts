// Which time it is in a local stack, whose clock may run fast: by the file in which the stack writes it down again and
// again. It knows no other part of a stack.
import { readFileSync, statSync } from "node:fs";
import path from "node:path";

/** How long a reading is good: as often as the stack writes. */
const readEveryMs = 1_000;

/** @returns its time, never earlier than before; without the file the machine's own */
export function stackClock(folder: string): () => Date {
  const file = path.join(folder, "clock.json");
  let reading = readingOf(file);
  let readMs = Date.now();
  let lastMs = 0;
  return () => {
    if (Date.now() - readMs >= readEveryMs) {
      reading = readingOf(file);
      readMs = Date.now();
    }
    const { clockMs, realMs, speed } = reading;
    lastMs = Math.max(lastMs, clockMs + (Date.now() - realMs) * speed);
    return new Date(lastMs);
  };
}

interface Reading {
  readonly clockMs: number;
  /** The machine's time when it was written. */
  readonly realMs: number;
  readonly speed: number;
}

function readingOf(file: string): Reading {
  try {
    const { now, speed } = JSON.parse(readFileSync(file, "utf8")) as { readonly now?: string; readonly speed?: number };
    const clockMs = Date.parse(String(now));
    if (Number.isFinite(clockMs)) return { clockMs, realMs: statSync(file).mtimeMs, speed: speed ?? 1 };
  } catch {
    // A stack that was never started fast needs none.
  }
  const nowMs = Date.now();
  return { clockMs: nowMs, realMs: nowMs, speed: 1 };
}
