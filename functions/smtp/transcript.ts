// What one connection to one address said, as plain JSON: it can be stored and judged again.
// Evidence only. Nothing here knows what a reply means for the message.
import type { Reply } from "./reply.ts";

/** In the order of a conversation; `data` answers DATA, `message` the message itself. */
export const stages = [
  "dns",
  "connect",
  "greeting",
  "ehlo",
  "starttls",
  "tls",
  "mail",
  "rcpt",
  "data",
  "message",
] as const;

/** Where in the conversation something was said. */
export type Stage = (typeof stages)[number];

/** How far a session goes before it says QUIT. */
export type Depth = "greeting" | "ehlo" | "rcpt" | "message";

export const depths: readonly Depth[] = ["greeting", "ehlo", "rcpt", "message"];

/** A command and its reply, or none. The k-th reply belongs to the k-th command (RFC 2920 §3.1). */
export interface Exchange {
  readonly stage: Stage | "quit";
  /** The line sent, without CRLF; null when the peer spoke first: the greeting, or a reply to nothing we had sent. */
  readonly command: string | null;
  /** The address that a RCPT command names. */
  readonly recipient: string | null;
  /** 1, 2, …: commands that left in one write share it, so that it counts round trips. */
  readonly group: number;
  /** Whether the last octet was handed to the kernel before the reply came: a yes to half a message is no yes. */
  readonly written: boolean;
  readonly sentMs: number | null;
  readonly reply: Reply | null;
  readonly repliedMs: number | null;
}

/** How the connection ended: evidence, never by itself a refusal (DESIGN §6 rule 1). */
export interface Ending {
  readonly by:
    | "quit" //     we said QUIT, it was answered, and both sides closed
    | "us" //       we closed: everything was decided, or going on was unsafe
    | "fin"
    | "reset"
    | "timeout" //  our limit on one reply
    | "deadline" // our limit on the session
    | "abort" //    our caller's wish
    | "failed"; //  there was no connection: DNS, refused, unreachable, guarded
  /** The stage of the first command left unanswered, or the one that would have come next. */
  readonly stage: Stage | "quit";
  /** In words, such as `connection reset while waiting for the reply to MAIL FROM:<a@b>`. */
  readonly text: string;
}

/** Why we ourselves went no further. */
export interface Stop {
  readonly reason:
    | "garbage" //         what came is no SMTP reply
    | "flood" //           an endless line, an endless reply, replies without end
    | "wrong-yes" //       a positive reply that is not the one the command can have
    | "out-of-step" //     a positive reply to nothing we had sent
    | "injection" //       bytes in the clear behind the 220 to STARTTLS (CVE-2011-0411)
    | "handshake" //       TLS failed
    | "tls-not-offered"
    | "too-large" //       the message exceeds the announced SIZE (RFC 1870 §6.1)
    | "needs-8bitmime"
    | "needs-smtputf8"
    | "uncommitted" //     it could not be written down that the message may be delivered, so that none was begun
    | "no-mail-here" //    DNS says so: NXDOMAIN, a null MX (RFC 7505), no address at all
    | "no-address" //      the host has none, others may
    | "no-family" //       the host has addresses, and none of the family that we leave by
    | "own-host" //        it is we ourselves: mail would come back (RFC 5321 §5.1)
    | "dns-failed" //      DNS does not say
    | "guarded" //         an address, or for a proxy a name, that we do not dial
    | "proxy" //           the proxy did not do its part: nothing is known of the host
    | "proxy-refused" //   the proxy cannot, or will not, reach the host: it says so, or ends without a word
    | "out-of-time" //     the time for all hosts together was over before its turn
    | "left-out" //        there are more hosts or addresses than we ask
    | "tls-policy"; //     what the recipient's domain asks of TLS is not to be had here
  readonly stage: Stage;
  /** RFC 3463, ours and no server's; null where none fits. */
  readonly status: string | null;
  readonly text: string;
}

export interface TlsFacts {
  readonly version: string;
  readonly cipher: string;
  /** The certificate's names, dates and whether it verifies for the host's name; null when the peer showed none. */
  readonly certificate: {
    readonly names: readonly string[];
    readonly issuer: string;
    /** RFC 3339; null where the certificate's date is none. */
    readonly validFrom: string | null;
    readonly validTo: string | null;
    readonly verified: boolean;
    /** Why it does not verify, in OpenSSL's words; null when it does. */
    readonly fault: string | null;
  } | null;
}

/** What the recipient's domain asks of TLS (RFC 8461, RFC 7672), and what this session found. */
export interface DomainPolicy {
  readonly by: "mta-sts" | "dane";
  /** `enforce`: a failure ends the session; `testing`: it is told; `none`: nothing is asked; `unknown`: that could not be learnt. */
  readonly mode: "enforce" | "testing" | "none" | "unknown";
  /** The policy in words, with its name: whose it is and what it asks. */
  readonly text: string;
  /** What is not as it asks; null: nothing that was seen. */
  readonly fault: string | null;
}

/** `require` is encryption, whatever the certificate; what it shows is in `TlsFacts`. */
export type TlsPolicy = "never" | "opportunistic" | "require";

/** Why a host was asked once more, by a session that does without something (DESIGN §6 rule 7). */
export type Retry = "lock-step" | "without-chunking" | "in-clear" | "more-recipients";

export interface Transcript {
  readonly host: string;
  readonly address: string | null;
  readonly port: number;
  /** Our own address on this connection, null when there was none, and behind a proxy. */
  readonly localAddress: string | null;
  /** The address that the host should see us come from; null: not known. */
  readonly egressAddress: string | null;
  readonly depth: Depth;
  readonly tlsPolicy: TlsPolicy;
  /** Null where nobody looked for one. */
  readonly policy: DomainPolicy | null;
  readonly from: string;
  readonly recipients: readonly string[];
  /** Null for the first session with an address. */
  readonly retry: Retry | null;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly tls: TlsFacts | null;
  readonly exchanges: readonly Exchange[];
  readonly stop: Stop | null;
  readonly ending: Ending;
  /**
   * Milliseconds since the start: connected; decided, when nothing was left to wait for (what comes later all the same
   * is heard); the connection gone.
   */
  readonly timings: {
    readonly connectedMs: number | null;
    readonly decidedMs: number;
    readonly endedMs: number;
  };
}
