// Reads the message that --message names. It does not know what a message holds.
import { readFile, stat } from "node:fs/promises";
import { quote, UsageFault } from "./options.ts";

/**
 * @returns the file's octets; null where none is named
 * @throws UsageFault
 */
export async function readMessage(path: string | null): Promise<Uint8Array | null> {
  if (path === null) return null;
  const bytes = await readMessageFile(path);
  if (bytes.length > 0) return bytes;
  throw new UsageFault(`the message ${quote(path)} is empty; write the path of a message with a header and a body`);
}

async function readMessageFile(path: string): Promise<Uint8Array> {
  try {
    const { isDevice } = await kindOf(path);
    if (!isDevice) return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageFault(`the message ${quote(path)} cannot be read (${code}); write the path of a file`);
  }
  throw new UsageFault(`the message ${quote(path)} is a device; write the path of a file`);
}

/** A device may never end. A pipe does, and is how a shell passes a command's output. */
async function kindOf(path: string): Promise<{ readonly isDevice: boolean }> {
  const stats = await stat(path);
  return { isDevice: stats.isCharacterDevice() || stats.isBlockDevice() };
}
