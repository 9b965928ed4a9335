// The machine's own files as a store of secrets: each holds one. It keeps nothing.
import { readFile } from "node:fs/promises";

/** Editors and `echo` end a file's last line, which is none of the secret's. */
export async function readFileSecret(path: string): Promise<string> {
  return (await readFile(path, "utf8")).replace(/[\r\n]+$/, "");
}
