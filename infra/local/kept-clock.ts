// The local clock, which goes on where it was when the last run ended: one that runs fast is ahead of the world, and what
// was written down by it must not lie in the future. It knows nobody who looks at it.
import { readFile, rename, writeFile } from "node:fs/promises";
import { realClock, type Clock } from "./clock.ts";

export interface KeptClock extends AsyncDisposable {
  readonly clock: Clock;
}

/** How often it is written down, in the machine's time: what a SIGKILL loses at most. */
const writtenEveryMs = 1_000;

/** @param file null: the clock begins with the machine's time */
export async function startKeptClock(speed: number, file: string | null): Promise<KeptClock> {
  const lastMs = file === null ? null : await read(file);
  const clock = realClock(speed, Math.max(Date.now(), lastMs === null ? 0 : lastMs + 2 * writtenEveryMs * speed));
  if (file === null) return { clock, [Symbol.asyncDispose]: async () => {} };
  // One write at a time: the next waits for the one before.
  let writing = Promise.resolve();
  const note = (): void => {
    writing = writing.then(() => write(file, clock.now(), speed)).catch(() => {});
  };
  const timer = setInterval(note, writtenEveryMs).unref();
  return {
    clock,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      note();
      await writing;
    },
  };
}

async function read(file: string): Promise<number | null> {
  try {
    return Date.parse((JSON.parse(await readFile(file, "utf8")) as { readonly now: string }).now);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new Error(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
}

/** With its speed, for those who want to know the time between two writes. */
async function write(file: string, ms: number, speed: number): Promise<void> {
  await writeFile(`${file}.tmp`, `${JSON.stringify({ now: new Date(ms).toISOString(), speed })}\n`);
  await rename(`${file}.tmp`, file);
}
