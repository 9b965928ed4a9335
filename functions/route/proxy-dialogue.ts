// How a proxy is asked for a host, whatever its protocol: what the asking is given, and what it comes to. Types alone.

/** Where the proxy is to lead: an IP address, or a name for it to look up. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** What a proxy answered. */
export type Answer =
  | { readonly kind: "open"; readonly head: Uint8Array; readonly localAddress: string | null }
  | {
      readonly kind: "failed";
      readonly by: "proxy" | "refused";
      /** What it answered, in our words. */
      readonly said: string;
      /** In its own, untrusted; empty where it has our credentials, which it may repeat. */
      readonly quote: string;
    };

/** A proxy being asked: it is given what came, piece by piece, and settles within the call that completes the answer. */
export interface Dialogue {
  readonly data: (octets: Buffer) => void;
  /** The proxy has closed. What is incomplete may be answer enough. */
  readonly end: () => void;
  /** Whether it knows by now which host we want: what it fails at, and its silence, may be that host's. */
  readonly isAsked: () => boolean;
}

export interface DialogueOptions {
  readonly to: Destination;
  readonly timeoutMs: number;
  readonly write: (octets: Uint8Array) => void;
  /** Once; what is settled later is not heard. */
  readonly settle: (answer: Answer) => void;
}
