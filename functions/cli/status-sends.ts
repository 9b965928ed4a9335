// How sends stand, as status tells it: what holds some of them and since when, and over each egress how many deliveries
// wait. It reads, and judges nothing.
import { pairsOf, type Config } from "../config/config.ts";
import { sendEgresses } from "../config/send-faults.ts";
import { holdsStanding, type Hold } from "../state/holds.ts";
import type { Table } from "../state/table.ts";
import { dueWakes, type Waking } from "../state/wakes.ts";
import { providers } from "../verdict/providers.ts";

export interface SendsStatus {
  /** Those that stand, the oldest first. */
  readonly holds: readonly HoldStatus[];
  /** By way out: those that sends leave by, and others that some still wait for. */
  readonly waiting: readonly WaitingStatus[];
}

export interface HoldStatus extends Pick<Hold, "since" | "id" | "class" | "stage" | "host" | "text"> {
  readonly provider: string;
  /** What is refused there: the IP of an egress, or a sender's domain. The other one is null. */
  readonly egress: string | null;
  readonly domain: string | null;
}

export interface WaitingStatus {
  readonly egress: string;
  readonly deliveries: number;
  /** Whether there may be more of them: no more than `countLimit` are counted, over all egresses. */
  readonly orMore: boolean;
  /** Since when the one of those counted that was taken on first waits (RFC 3339); null: none does. */
  readonly oldestAt: string | null;
}

export const countLimit = 1_000;

/** Null: no sends are taken, by the configuration or by what is deployed. */
export async function sendsStatus(config: Config, table: Table): Promise<SendsStatus | null> {
  if (config.sends === null) return null;
  const waits = await waitsOf(table);
  if (waits === null) return null;
  const counted = waits.slice(0, countLimit);
  const holds = await holdsStanding({ pairs: pairsFor(config, counted), domains: senderDomains(config) }, table);
  return {
    holds: holds.map(holdStatus).toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since)),
    waiting: waitingStatuses(config, counted, waits.length > countLimit),
  };
}

/** The one that is due first in front; null: what is deployed is of before there were sends, and has no index of them. */
async function waitsOf(table: Table): Promise<readonly Waking[] | null> {
  const waits: Waking[] = [];
  try {
    for await (const each of dueWakes(Number.MAX_SAFE_INTEGER, countLimit + 1, table)) waits.push(each);
    return waits;
  } catch (error) {
    if (error instanceof Error && error.name === "ValidationException" && error.message.includes("index")) return null;
    throw error;
  }
}

function holdStatus({ key, since, id, class: kind, stage, host, text }: Hold): HoldStatus {
  const { provider } = key;
  const what = key.about === "ip" ? { egress: key.egress, domain: null } : { egress: null, domain: key.domain };
  return { provider, ...what, since, id, class: kind, stage, host, text };
}

function waitingStatuses(config: Config, counted: readonly Waking[], orMore: boolean): readonly WaitingStatus[] {
  const byEgress = Map.groupBy(counted, ({ egress }) => egress);
  const egresses = [...new Set([...sendEgresses(config), ...byEgress.keys()])];
  return egresses.map((egress) => {
    const its = byEgress.get(egress) ?? [];
    const [oldestAt = null] = its.map(({ createdAt }) => createdAt).toSorted();
    return { egress, deliveries: its.length, orMore, oldestAt };
  });
}

/**
 * Where a hold may stand: holds have no index. A site of mail goes by its provider's name, where we know one, else by the
 * recipients' domain; of those, whose hold anybody waits for is among the waiting.
 */
function pairsFor(config: Config, counted: readonly Waking[]): readonly { provider: string; egress: string }[] {
  const targets = pairsOf(config).map(({ target }) => target.provider);
  const names = [...new Set([...targets, ...providers.map(({ id }) => id)])];
  const known = names.flatMap((provider) => sendEgresses(config).map((egress) => ({ provider, egress })));
  const all = [...known, ...counted.map(({ domain, egress }) => ({ provider: domain, egress }))];
  return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
}

/** Of all who may send. */
function senderDomains({ identity, requests, sends }: Config): readonly string[] {
  const senders = [identity.sender, ...requests.senders].filter((each) => each.includes("@"));
  const domains = senders.map((each) => each.slice(each.lastIndexOf("@") + 1).replace(/>\s*$/, ""));
  return [
    ...new Set([...domains, ...(sends?.dkim ?? []).map(({ domain }) => domain)].map((each) => each.toLowerCase())),
  ];
}
