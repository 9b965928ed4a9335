// What is kept in a file from one run to the next: written whole beside it, then put in its place, so that whoever is
// killed in between leaves the file that was. It knows nothing of what it keeps.
import { readFile, rename, rm, writeFile } from "node:fs/promises";

export interface Snapshot {
  /** Something changed: it is written before long, with what changes until then. */
  readonly changed: () => void;
  /** Writes what is not yet written. Throws the last error of writing, if the file is not up to date. */
  readonly close: () => Promise<void>;
}

/** A writing takes its time ten times over until the next, so that a large file does not keep a processor busy. */
const shortestPauseMs = 200;
const pauses = 10;

/** What is in the file; null where there is none. Throws where it is not ours. */
export async function readSnapshot(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new Error(`${file}: not a state that can be read; move it away to start afresh`, { cause: error });
  }
}

/** `null`: nothing is kept. */
export function openSnapshot(file: string | null, save: () => unknown): Snapshot {
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  let pauseMs = shortestPauseMs;
  let isStale = false;
  if (file === null) return { changed: () => undefined, close: () => Promise.resolve() };
  const next = `${file}.next`;

  async function write(to: string): Promise<void> {
    isStale = false;
    const startedMs = performance.now();
    try {
      await writeFile(next, JSON.stringify(save()));
      await rename(next, to);
    } catch (error) {
      isStale = true;
      await rm(next, { force: true });
      throw error;
    }
    pauseMs = Math.max(shortestPauseMs, (performance.now() - startedMs) * pauses);
  }

  return {
    changed() {
      isStale = true;
      timer ??= setTimeout(() => {
        timer = null;
        // One after the other. What cannot be written is written with the next change, or at the close, which throws.
        writing = writing
          .then(() => write(file))
          .catch((error: unknown) => process.emitWarning(error instanceof Error ? error : file));
      }, pauseMs).unref();
    },
    async close() {
      if (timer !== null) clearTimeout(timer);
      await writing;
      if (isStale) await write(file);
    },
  };
}
