// That a message may be delivered from here on must be written down before it is begun (RFC 1047): when our caller is
// asked to, and what comes of it. It does not know where that is written.

/** Asks once, whenever it is first called. Who could not write it down has not: a rejection is a no. */
export function commitmentTo(commit: (() => Promise<boolean>) | null): () => Promise<boolean> {
  let made: Promise<boolean> | null = null;
  return () => (made ??= ask(commit));
}

async function ask(commit: (() => Promise<boolean>) | null): Promise<boolean> {
  if (commit === null) return true;
  try {
    return await commit();
  } catch {
    return false;
  }
}
