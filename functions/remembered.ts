// Finds something out once, for all who want to know. It does not know what.

/** What is found out once; a failure is not remembered. */
export function remembered<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | null = null;
  return async () => {
    found ??= find().catch((error: unknown) => {
      found = null;
      throw error;
    });
    return await found;
  };
}
