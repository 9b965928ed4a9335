// The hosts' own ledger: who got which message how often, and whether it came as it was sent. It is what all promises are
// held against, so it believes nobody: it looks at the octets.

export interface Copy {
  readonly recipient: string;
  /** As the message says. */
  readonly messageId: string | null;
  /** Whether it ends with the message as it was sent; what was added stands before that. */
  readonly isWhole: boolean;
}

export class Ledger {
  readonly #copies = new Map<string, Copy[]>();
  readonly #sent: (recipient: string) => Buffer | null;

  /** @param sent the message that a recipient is to get; null: none */
  constructor(sent: (recipient: string) => Buffer | null) {
    this.#sent = sent;
  }

  /** What a host has taken, whether or not it could say so. */
  take(recipients: readonly string[], octets: Buffer): void {
    const end = octets.indexOf("\r\n\r\n");
    const messageId = /^message-id: *(\S+)/im.exec(octets.toString("latin1", 0, end))?.[1] ?? null;
    for (const recipient of recipients) {
      const sent = this.#sent(recipient);
      const isWhole = sent !== null && octets.subarray(-sent.length).equals(sent);
      this.#copies.set(recipient, [...this.of(recipient), { recipient, messageId, isWhole }]);
    }
  }

  of(recipient: string): readonly Copy[] {
    return this.#copies.get(recipient) ?? [];
  }

  get recipients(): readonly string[] {
    return [...this.#copies.keys()];
  }

  get copies(): number {
    return [...this.#copies.values()].reduce((sum, each) => sum + each.length, 0);
  }
}
