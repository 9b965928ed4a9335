// That a message may be delivered from here on must be written down before it is begun (RFC 1047): when our caller is
// asked to, for whom, and what comes of it. It does not know where that is written.

/** Writes down that these may get the message from here on. */
export type Commit = (recipients: readonly string[]) => Promise<boolean>;

/** What one session has of it. */
export interface Commitment {
  /** Once for the same recipients, one after another. Who could not write it down has not: a rejection is a no. */
  readonly made: Commit;
  /** The session begins nothing any more: what was not asked for yet is not asked for behind it. */
  readonly close: () => void;
}

export function commitmentTo(commit: Commit | null): Commitment {
  let last: { readonly whom: string; readonly made: Promise<boolean> } | null = null;
  let isClosed = false;
  const ask = async (recipients: readonly string[], before: Promise<boolean> | null): Promise<boolean> => {
    if (commit === null) return true;
    if (before !== null) await before;
    if (isClosed) return false;
    try {
      return await commit(recipients);
    } catch {
      return false;
    }
  };
  return {
    made: (recipients) => {
      const whom = JSON.stringify(recipients);
      if (last?.whom === whom) return last.made;
      const made = ask(recipients, last?.made ?? null);
      last = { whom, made };
      return made;
    },
    close: () => void (isClosed = true),
  };
}
