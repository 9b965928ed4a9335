// What a probe is asked for: of whom, by which way, how far, and in what time. It holds what nobody varies but tests, too.
import type { Commit } from "../smtp/commitment.ts";
import type { Address } from "../smtp/address.ts";
import type { Depth, Exchange } from "../smtp/transcript.ts";
import type { SeverityOverrides } from "../verdict/severity.ts";
import type { Egress } from "./egress.ts";
import type { NamedHost } from "./hosts.ts";
import type { PolicyCache } from "./mta-sts.ts";
import type { TlsMode } from "./tls-demand.ts";

export interface ProbeRequest {
  /** All of one domain; none twice. */
  readonly recipients: readonly Address[];
  /** In the place of the domain's MX hosts; null: those. Only one named by hand is dialled wherever it leads. */
  readonly hosts: readonly NamedHost[] | null;
  /** Whether every address of every host is asked, whatever the others answered. */
  readonly allHosts: boolean;
  readonly egress: Egress;
  readonly severities: SeverityOverrides;
  /** Empty for the null reverse-path. */
  readonly from: string;
  /** Null: this machine's name where it is a full one, else an address literal. */
  readonly helo: string | null;
  readonly depth: Depth;
  /** For depth `message`: an RFC 5322 message; null: our own small one. */
  readonly message: Uint8Array | null;
  /** See SessionOptions; each session of the request calls it. */
  readonly commit: Commit | null;
  /** Whether nothing more is begun once somebody has the message, or may have it: the caller writes that down first. */
  readonly oneTransaction: boolean;
  readonly tls: TlsMode;
  /** Of MTA-STS. */
  readonly policies: PolicyCache;
  /** Each command, each DNS look-up and each session; never the sum of the hosts. */
  readonly timeoutMs: number;
  /** All hosts together. Who is left then is told, and not asked. */
  readonly budgetMs: number;
  /** A message and its answer, from when it is begun: `timeoutMs` and `budgetMs` are then for what goes before. 0: for it too. */
  readonly bodyMs: number;
  /** Of hosts found in DNS: 25 (RFC 5321 §4.5.4.2), but where there is no such port to listen on. */
  readonly port: number;
  /** Of the hosts that publish MTA-STS policies: 443. */
  readonly policyPort: number;
  /** The DNS server to ask, `ip[:port]`; null for the system's. */
  readonly resolver: string | null;
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal | null;
  /** After that (Date.now()) no octet leaves; Infinity: there is no such time. */
  readonly untilMs: number;
  readonly progress: ((event: Progress) => void) | null;
}

export type Progress =
  | { readonly kind: "host"; readonly host: string; readonly address: string | null }
  | { readonly kind: "exchange"; readonly exchange: Exchange }
  | { readonly kind: "decided"; readonly elapsedMs: number };

/** What all hosts of a request have together, where nobody says otherwise: five that do not answer within a minute each. */
export const presetBudgetMs = 300_000;

/** What most requests ask for; whoever wants it otherwise says so behind it. */
export const usualRequest = {
  allHosts: false,
  severities: {},
  message: null,
  commit: null,
  oneTransaction: false,
  budgetMs: presetBudgetMs,
  bodyMs: 0,
  port: 25,
  policyPort: 443,
  signal: null,
  untilMs: Infinity,
  progress: null,
} as const satisfies Partial<ProbeRequest>;
