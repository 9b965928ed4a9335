// How one send stands, as `status --send` tells it: what became of each recipient, when it is tried again, and the most
// telling answer so far. It reads, and judges nothing.
import { findDelivery, isOpen, verdictIdOf, type Delivery, type Recipient } from "../state/deliveries.ts";
import { findMessage } from "../state/messages.ts";
import type { Table } from "../state/table.ts";
import { reasonOf } from "../verdict/last-word.ts";
import { visibleLine } from "../verdict/visible.ts";

export interface SendStatus {
  readonly v: 1;
  readonly id: string;
  readonly from: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly expiresAt: string;
  /** When it was called off; null: it was not. */
  readonly cancelledAt: string | null;
  readonly recipients: readonly RecipientStatus[];
  /** Domains whose recipients are not taken on yet, and will be by its record, which comes again. */
  readonly missing: readonly string[];
}

export interface RecipientStatus {
  readonly address: string;
  readonly state: Recipient["state"];
  readonly egress: string;
  readonly attempts: number;
  /** RFC 3339: not before; null: never again. */
  readonly nextAt: string | null;
  /** What it waits for although it is due; null: nothing. */
  readonly heldBy: string | null;
  /** The most telling answer of all attempts, in a line; and the id of its verdict, for `replay --request`. Null: none yet. */
  readonly reason: string | null;
  readonly verdict: string | null;
}

/** @returns null where there is no such send, or none any more */
export async function readSend(id: string, table: Table): Promise<SendStatus | null> {
  const message = await findMessage(id, table);
  if (message === null) return null;
  const deliveries = await Promise.all(message.domains.map(async (domain) => await findDelivery(id, domain, table)));
  return {
    v: 1,
    id,
    from: message.from,
    createdAt: message.createdAt,
    expiresAt: new Date(message.expiresAtMs).toISOString(),
    cancelledAt: message.cancelledAt,
    missing: message.domains.filter((_, index) => deliveries[index] === null),
    recipients: deliveries.flatMap((each) => (each === null ? [] : each.recipients.map((one) => statusOf(one, each)))),
  };
}

function statusOf(recipient: Recipient, delivery: Delivery): RecipientStatus {
  const { address, state, attempts, nextAtMs, word } = recipient;
  const { egress, heldBy } = delivery;
  return {
    address,
    state,
    egress,
    attempts: attempts.length,
    nextAt: isOpen(recipient) ? new Date(nextAtMs).toISOString() : null,
    heldBy: isOpen(recipient) ? heldBy : null,
    reason: word === null ? untried(state) : reasonOf(word),
    verdict: word === null ? null : verdictIdOf(delivery, word.attempt),
  };
}

function untried(state: Recipient["state"]): string | null {
  return state === "expired" || state === "failed"
    ? "nobody was asked: it was over, or could not be sent, before that"
    : null;
}

/** As with probes the one that asks most of whoever looks: all delivered 0, one refused 1, one waiting 2, one unknown 3. */
export function sendExitStatus({ recipients, missing }: SendStatus): number {
  return Math.max(missing.length > 0 ? exitStatuses.waiting : 0, ...recipients.map(({ state }) => exitStatuses[state]));
}

const exitStatuses = { delivered: 0, failed: 1, expired: 1, waiting: 2, committing: 2, unknown: 3 } as const;

/** @param words what names the place on a command line */
export function sendText(status: SendStatus, words: string): string {
  const { id, from, createdAt, expiresAt, cancelledAt, recipients, missing } = status;
  const sender = from === "" ? "the null sender" : from;
  const lines = recipients.flatMap((each) => {
    const { address, heldBy, reason, verdict } = each;
    return [
      `${address}: ${standing(each)}`,
      ...(heldBy === null ? [] : [`  ${heldBy}`]),
      ...(reason === null ? [] : [`  ${reason}`]),
      ...(verdict === null ? [] : [`  npx delivery-probe replay --request '${verdict}'${words}`]),
    ];
  });
  const end = cancelledAt === null ? `tried until ${expiresAt}` : `cancelled ${cancelledAt}`;
  const head = `${id}: from ${sender}, taken on ${createdAt}, ${end}`;
  const others = missing.map((domain) => `${domain}: not taken on yet`);
  return `${[head, ...lines, ...others].map(visibleLine).join("\n")}\n`;
}

function standing({ state, egress, attempts, nextAt }: RecipientStatus): string {
  if (state === "committing") return `being sent now, over ${egress}`;
  const tried = attempts === 0 ? "not tried" : `${attempts} ${attempts === 1 ? "attempt" : "attempts"} over ${egress}`;
  return `${state} (${tried}${nextAt === null ? "" : `, next at ${nextAt}`})`;
}
