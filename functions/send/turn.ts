// Whether a delivery may go now, and by which way: not while something holds it, and not faster than the provider's limits
// allow (DESIGN §10, §11). It asks no host.
import { resolverOf } from "../handler.ts";
import { randomUUID } from "node:crypto";
import type { Stamped } from "../report/metrics.ts";
import { heldFigure } from "../report/send-figures.ts";
import { claimCanary, holdsOn, triedAtMs, type Hold, type ReadHold } from "../state/holds.ts";
import { senderDomainOf, type StoredMessage } from "../state/messages.ts";
import { giveBack, keepTurn, takeTurn } from "../state/rates.ts";
import { egressesOf, queueOf, type Held, type Runs } from "./runs.ts";
import { visibleLine } from "../verdict/visible.ts";
import { siteOfDomain, type SendSite } from "./site.ts";

/** A turn, with a place among those that a provider takes at a time. */
export interface Turn {
  readonly kind: "now";
  readonly egress: string;
  readonly site: SendSite;
  readonly giveBack: () => Promise<void>;
}

export type Claimed =
  | Turn
  /** Who leaves by it reads another queue. */
  | { readonly kind: "elsewhere"; readonly egress: string }
  | {
      readonly kind: "later";
      readonly waitMs: number;
      readonly heldBy: string | null;
      readonly stamped: readonly Stamped[];
    };

/** How soon a send that is held is looked at again: what is over releases it so late. Not all at the same time. */
export function heldForMs(): number {
  return 240_000 * (1 + Math.random() / 4);
}

export async function claimTurn(held: Held, message: StoredMessage, runs: Runs): Promise<Claimed> {
  const { deps, sends, table } = runs;
  const { delivery } = held;
  const lookup = { server: resolverOf(deps), timeoutMs: lookupMs, families: "both", signal: null } as const;
  const site = await siteOfDomain(delivery.domain, deps.config, lookup);
  const { egress, holds } = await wayOf(held, site, senderDomainOf(message), runs);
  const [hold] = holds;
  if (hold !== undefined && !isCanaryDue(holds, runs)) return heldBack(held, hold, runs);
  if (queueOf(egress, deps) !== queueOf(delivery.egress, deps)) return { kind: "elsewhere", egress };
  const place = { provider: site.name, egress, owner: delivery.lease?.owner ?? randomUUID() };
  const limits = sends.rates[site.name] ?? sends.rates.default;
  const turn = await takeTurn({ ...place, holdMs, priority: delivery.priority }, limits, table);
  if (!turn.taken) {
    return { kind: "later", waitMs: turn.waitMs, heldBy: `waits for its turn with ${site.name}`, stamped: [] };
  }
  // Claimed by who has a turn, or the one canary of an interval would be spent on waiting for it.
  if (hold !== undefined && !(await isCanary(holds, runs).catch(() => false))) {
    await giveBack(place, table);
    return heldBack(held, hold, runs);
  }
  // A renewal that fails is no fault yet: the next one may not.
  const keeping = setInterval(() => void keepTurn(place, holdMs, table).catch(() => null), keepMs);
  const end = async (): Promise<void> => {
    clearInterval(keeping);
    await giveBack(place, table);
  };
  return { kind: "now", egress, site, giveBack: end };
}

function heldBack({ delivery }: Held, hold: Hold, { deps }: Runs): Claimed {
  const { id, domain, egress } = delivery;
  const heldBy = wordsOf(hold);
  deps.log({ level: "info", event: "held", id, domain, by: heldBy });
  return { kind: "later", waitMs: heldForMs(), heldBy, stamped: [{ at: deps.now(), figures: [heldFigure(egress)] }] };
}

/** The place of a process that dies is free again after so long. */
const holdMs = 60_000;
const keepMs = 20_000;
const lookupMs = 5_000;

interface Way {
  readonly egress: string;
  /** What stands there; none: it is free. */
  readonly holds: readonly ReadHold[];
}

/** The way that it takes now; or another one, where the request allows any and this one is held, or is none any more. */
async function wayOf({ delivery }: Held, site: SendSite, domain: string, runs: Runs): Promise<Way> {
  const standing = async (egress: string): Promise<readonly ReadHold[]> =>
    await holdsOn({ provider: site.name, egress, domain }, runs.table);
  const all = egressesOf(runs);
  const isKnown = !delivery.anyEgress || all.includes(delivery.egress);
  const own = isKnown ? await standing(delivery.egress) : [];
  if (isKnown && own.length === 0) return { egress: delivery.egress, holds: [] };
  const others = delivery.anyEgress ? all.filter((each) => each !== delivery.egress) : [];
  for (const egress of others) {
    if ((await standing(egress)).length === 0) return { egress, holds: [] };
  }
  const [first] = others;
  if (isKnown || first === undefined) return { egress: delivery.egress, holds: own };
  return { egress: first, holds: await standing(first) };
}

function isCanaryDue(holds: readonly ReadHold[], { sends, table }: Runs): boolean {
  const intervalMs = sends.canaryMinutes * 60_000;
  return holds.every((each) => triedAtMs(each) + intervalMs <= table.now().getTime());
}

/** Where nobody else puts what stands to the test, one send an interval does. */
async function isCanary(holds: readonly ReadHold[], { sends, table }: Runs): Promise<boolean> {
  for (const each of holds) if (!(await claimCanary(each, sends.canaryMinutes * 60_000, table))) return false;
  return true;
}

/** What holds it, in the words of who refused. */
function wordsOf(hold: Hold): string {
  const { key, since, class: kind, text } = hold;
  const whom = key.about === "ip" ? `egress ${key.egress}` : `the domain ${key.domain}`;
  return `held: ${key.provider} has refused ${whom} since ${since} (${kind}): ${visibleLine(text.replaceAll(/\s*\n\s*/g, " / "))}`;
}
