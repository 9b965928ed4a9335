// What a self-check is asked for: whose set-up it is, and how hosts are spoken to. It checks nothing.
import type { Egress } from "../route/egress.ts";
import type { LookupOptions } from "../route/hosts.ts";
import type { Verdict } from "../verdict/verdict.ts";

/** How the hosts of a domain are spoken to, up to EHLO; or why they are not, now. */
export type OpenSession = (domain: string) => Promise<Verdict | Unasked>;

/** Whoever must not be asked now, by whoever opens sessions. */
export interface Unasked {
  /** Why, in a line. */
  readonly unasked: string;
}

/** Whose set-up is checked, and by whom it is asked for. */
export interface SelfCheckOptions {
  readonly egress: Egress;
  /** Null: this machine's own name. */
  readonly helo: string | null;
  /** The envelope's sender; empty for the null sender. */
  readonly from: string;
  readonly lookup: LookupOptions;
  /** Domains whose hosts are asked whether port 25 is open. */
  readonly ask: readonly string[];
  readonly allowPrivate: boolean;
  readonly open: OpenSession;
}
