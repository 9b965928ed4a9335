// Whether our own set-up is right: what providers look at before they look at a message. A fault is said here first.
// It knows no queue and no alarm; how a host is spoken to is given to it.
import { ownName } from "../route/own-name.ts";
import { checkAddress, configuredAddress, judgedAddress, learntAddress, seenAddresses } from "./address.ts";
import { checkBlocklists } from "./blocklists.ts";
import type { Check, Found, Standing } from "./found.ts";
import type { SelfCheckOptions } from "./options.ts";
import { checkHelo } from "./helo.ts";
import { checkPort25, reachHosts } from "./port-25.ts";
import { checkReverseDns } from "./reverse-dns.ts";
import { checkSender } from "./sender.ts";
import { checkSpf } from "./spf.ts";

/** The document: one egress, and all that was found of it. */
export interface SelfCheck {
  /** The schema's version. */
  readonly v: 1;
  /** RFC 3339: when it began. */
  readonly at: string;
  readonly egress: {
    readonly name: string;
    /** The address that hosts see, as far as is known. */
    readonly address: string | null;
    /** The address that a host says it sees; null: none said. */
    readonly seen: string | null;
  };
  /** The name given in EHLO; null: an address literal is. */
  readonly helo: string | null;
  /** The envelope's sender; empty for the null sender. */
  readonly sender: string;
  /** The worst of the checks: a fault, then what is unknown. */
  readonly standing: Standing;
  readonly checks: readonly Check[];
}

/**
 * Asks DNS, and the hosts of `ask`. What they say, or fail to say, is in the document; each question is bounded by
 * `lookup.timeoutMs`, each host by `open`. Only a fault of our code throws.
 */
export async function selfCheck(options: SelfCheckOptions): Promise<SelfCheck> {
  const at = new Date().toISOString();
  const helo = options.helo ?? ownName();
  const reached = reachHosts(options);
  const known = reached.then(({ attempts }) => configuredAddress(options) ?? learntAddress(attempts));
  const seen = reached.then(({ attempts }) => seenAddresses(attempts));
  // Where hosts see another one than is configured, that one is judged.
  const judged = Promise.all([known, seen]).then(([address, said]) => judgedAddress(address, said));
  const named = async (check: Check["check"], found: Promise<Found>): Promise<Check> => ({ check, ...(await found) });
  const ofJudged = async (check: (address: string | null) => Promise<Found>): Promise<Found> =>
    await check(await judged);
  const checks = await Promise.all([
    named(
      "address",
      Promise.all([known, seen, reached]).then(([address, said, { egressFault }]) =>
        checkAddress(options, address, { seen: said, egressFault }),
      ),
    ),
    named(
      "helo",
      ofJudged((address) => checkHelo(helo, address, options)),
    ),
    named(
      "reverse-dns",
      ofJudged((address) => checkReverseDns(helo, address, options)),
    ),
    named("sender", checkSender(options)),
    named(
      "spf",
      ofJudged((address) => checkSpf(helo, address, options)),
    ),
    named(
      "port-25",
      reached.then((reach) => checkPort25(reach, options)),
    ),
    named(
      "blocklists",
      ofJudged((address) => checkBlocklists(address, options)),
    ),
  ]);
  const [address, [first = null]] = [await known, await seen];
  return {
    v: 1,
    at,
    egress: { name: options.egress.name, address, seen: first?.address ?? null },
    helo,
    sender: options.from,
    standing: worst(checks),
    checks,
  };
}

function worst(checks: readonly Check[]): Standing {
  const standings: readonly Standing[] = checks.map(({ standing }) => standing);
  return (["fault", "unknown"] as const).find((each) => standings.includes(each)) ?? "ok";
}
