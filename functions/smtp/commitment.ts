// That a message may be delivered from here on must be written down before it is begun (RFC 1047): when our caller is
// asked to, for whom, and what comes of it. It does not know where that is written.

/** Writes down that these may get the message from here on. */
export type Commit = (recipients: readonly string[]) => Promise<boolean>;

/** Asks once for the same recipients, one after another. Who could not write it down has not: a rejection is a no. */
export function commitmentTo(commit: Commit | null): Commit {
  let last: { readonly whom: string; readonly made: Promise<boolean> } | null = null;
  return (recipients) => {
    const whom = JSON.stringify(recipients);
    if (last?.whom === whom) return last.made;
    const made = ask(commit, recipients, last?.made ?? null);
    last = { whom, made };
    return made;
  };
}

async function ask(
  commit: Commit | null,
  recipients: readonly string[],
  before: Promise<boolean> | null,
): Promise<boolean> {
  if (commit === null) return true;
  try {
    await before;
    return await commit(recipients);
  } catch {
    return false;
  }
}
