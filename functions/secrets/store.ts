// What a keeper of secrets is to us, a service or the file system: it tells the text that stands under a name, and a place
// is where in which of them a secret is. It does not know what for.

/** Empty where nothing stands there that is text. Throws what the SDK throws, or the system. */
export type Store = (name: string) => Promise<string>;

export type StoreKind = "secretsManager" | "ssm" | "file";

export interface Place {
  readonly kind: StoreKind;
  readonly name: string;
  /** The key of the JSON there; null: the text is the secret. */
  readonly field: string | null;
  /** Of what is read at once: the same for all keys of a JSON. */
  readonly text: string;
}
