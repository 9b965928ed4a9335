// What a service that keeps secrets is to us: it tells the text that stands under a name. It does not know what for.

/** Empty where nothing stands there that is text. Throws what the SDK throws. */
export type Store = (name: string) => Promise<string>;
