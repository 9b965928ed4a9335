// Which of the replies read so far is each recipient's own answer (DESIGN §6 rules 2 to 5). It looks at exchanges
// alone: how the connection ended is for `reconcile`, and cannot change what was said.
import type { Reply } from "../smtp/reply.ts";
import type { Depth, Exchange, TlsPolicy, Transcript } from "../smtp/transcript.ts";
import { anyAccepted, isNegative, isWrongYes, isYes } from "../smtp/yes.ts";
import {
  asksForTls,
  classOf,
  peersOf,
  saysOnlyOrder,
  scopeOf,
  scopes,
  statesCause,
  textOf,
  type Peers,
  type Scope,
} from "./cause.ts";
import type { Classification } from "./classify.ts";

/** What was asked for, and what has been said. */
export interface Asked extends Peers {
  readonly exchanges: readonly Exchange[];
  readonly recipients: readonly string[];
  readonly depth: Depth;
  readonly tlsPolicy: TlsPolicy;
}

/** The same of a session that has ended. */
export function askedOf(transcript: Transcript): Asked {
  const { exchanges, recipients, depth, tlsPolicy } = transcript;
  return { ...peersOf(transcript), exchanges, recipients, depth, tlsPolicy };
}

export interface Refusal {
  readonly exchange: Exchange;
  readonly classification: Classification;
  readonly permanent: boolean;
  readonly scope: Scope;
  /** Its place in the conversation. */
  readonly order: number;
}

/** What two refusals are compared by. */
type Rank = Pick<Refusal, "scope" | "permanent" | "order">;

/** One recipient's answer so far. `wrong-yes`: a positive reply that the command cannot have. */
export type RecipientAnswer =
  /**
   * `refusal`: the most telling; `lost`: what lost to it. `plain`: for good, and the peer said why: no other reply need be
   * awaited (rule 8).
   */
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly lost: readonly Refusal[]; readonly plain: boolean }
  | { readonly kind: "wrong-yes"; readonly exchange: Exchange }
  | { readonly kind: "accepted"; readonly exchange: Exchange }
  | { readonly kind: "open" };

export function answerTo(recipient: string, asked: Asked): RecipientAnswer {
  const refusals = refusalsOf(recipient, asked);
  const [refusal, ...lost] = refusals.toSorted(compareRefusals);
  if (refusal !== undefined) {
    return { kind: "refused", refusal, lost, plain: refusals.some((each) => isPlain(each, asked)) };
  }
  const wrong = asked.exchanges.find((each) => concerns(each, recipient) && isNoYes(each));
  if (wrong !== undefined) return { kind: "wrong-yes", exchange: wrong };
  const exchange = acceptanceOf(recipient, asked);
  return exchange === null ? { kind: "open" } : { kind: "accepted", exchange };
}

/**
 * Recovered: EHLO refused and HELO tried, STARTTLS refused and gone on in the clear. Evidence, and the answer only if
 * nothing better comes (rule 2).
 */
export function recoveredOf({ exchanges, tlsPolicy }: Pick<Asked, "exchanges" | "tlsPolicy">): readonly Exchange[] {
  return exchanges.filter((each, index) => {
    if (!isNegative(each.reply)) return false;
    if (each.stage === "starttls") return tlsPolicy !== "require" && each.command !== null;
    return each.command?.startsWith("EHLO ") === true && exchanges[index + 1]?.command?.startsWith("HELO ") === true;
  });
}

/** Whether a reply came that no command asked for, or QUIT was refused for a reason: then no yes can be trusted (rule 5). */
export function isOutOfStep(asked: Asked): boolean {
  return asked.exchanges.some((each) => {
    if (each.reply === null || each.reply.partial) return false;
    // A 421 may come at any time (RFC 5321 §3.8).
    if (each.command === null) return each.stage !== "greeting" && each.reply.code !== 421;
    return each.stage === "quit" && (isWrongYes(each) || refusesQuit(each, asked));
  });
}

/** A refusal with a cause where QUIT's answer should be. */
function refusesQuit({ stage, reply }: Exchange, asked: Asked): boolean {
  return stage === "quit" && isNegative(reply) && reply.code !== 421 && statesCause(reply, stage, asked);
}

/** The widest first, then 5yz before 4yz, then order (rule 4): negative when `a` is the more telling one. */
export function compareRefusals(a: Rank, b: Rank): number {
  return (
    scopes.indexOf(a.scope) - scopes.indexOf(b.scope) || Number(b.permanent) - Number(a.permanent) || a.order - b.order
  );
}

/** Those that state a cause of their own, and the first in any case. */
function refusalsOf(recipient: string, asked: Asked): readonly Refusal[] {
  const recovered = recoveredOf(asked);
  const isRefusedTls = recovered.some(({ stage }) => stage === "starttls");
  const refusals: Refusal[] = [];
  let isAskedForTls = false;
  for (const [order, exchange] of asked.exchanges.entries()) {
    if (!isNegative(exchange.reply) || recovered.includes(exchange)) continue;
    if (isFarewell(exchange, asked) || !concerns(exchange, recipient)) continue;
    if (!isOwn(exchange, recipient, asked)) continue;
    // The host would not, or could not, and now asks for what it refused: no new cause, and none behind it.
    if (isRefusedTls && asksForTls(exchange.reply.code, classOf(exchange.reply, exchange.stage, asked).class)) {
      isAskedForTls = true;
      continue;
    }
    if (isAskedForTls && saysOnlyOrder(exchange.reply, exchange.stage, asked)) continue;
    if (refusals.some((earlier) => isConsequence(exchange, earlier.exchange, asked))) continue;
    refusals.push(refusalFrom(exchange, order, asked));
  }
  return refusals;
}

/** QUIT, and the lone dot that leaves DATA where nobody was accepted: their answers are consequences (rules 2 and 6). */
function isFarewell({ stage, command }: Exchange, { exchanges }: Asked): boolean {
  return stage === "quit" || (stage === "message" && command === "." && !anyAccepted(exchanges));
}

function isPlain({ permanent, exchange }: Refusal, asked: Asked): boolean {
  return permanent && exchange.reply !== null && statesCause(exchange.reply, exchange.stage, asked);
}

/** A positive reply that cannot be this command's: another's, or one to a message that had not left whole (rule 5). */
function isNoYes(exchange: Exchange): boolean {
  if (exchange.stage === "quit") return false;
  return isWrongYes(exchange) || (exchange.stage === "message" && isYes(exchange) && !exchange.written);
}

/** A later reply that states no new cause (rule 2). */
function isConsequence(later: Exchange, earlier: Exchange, asked: Asked): boolean {
  if (later.reply === null || earlier.reply === null) return false;
  if (!statesCause(later.reply, later.stage, asked)) return true;
  return textOf(later.reply) === textOf(earlier.reply);
}

/** Another recipient's RCPT says nothing about this one. */
function concerns({ stage, recipient: named }: Exchange, recipient: string): boolean {
  return stage !== "rcpt" || named === null || named === recipient;
}

/**
 * Where somebody else was accepted, the answers to DATA and the message are theirs, and a recipient that was refused
 * before has its own. What was said out of turn is for those who had no answer by then.
 */
function isOwn(exchange: Exchange, recipient: string, { exchanges }: Asked): boolean {
  const own = exchanges.find((each) => each.stage === "rcpt" && each.recipient === recipient);
  const refused = own !== undefined && own !== exchange && isNegative(own.reply);
  if (exchange.stage === "data" || exchange.stage === "message") return !refused || !anyAccepted(exchanges);
  if (exchange.stage === "rcpt" && exchange.recipient === null) return own?.reply == null;
  return true;
}

export function refusalFrom(exchange: Exchange, order: number, asked: Asked): Refusal {
  const { exchanges } = asked;
  const reply = exchange.reply as Reply;
  const permanent = reply.code >= 500 && !isTooManyRecipients(exchange, exchanges);
  const classification = classOf(reply, exchange.stage, asked);
  const at = { stage: exchange.stage, status: reply.status };
  const scope = scopeOf(classification.class, at, anyAccepted(exchanges));
  return { exchange, classification, permanent, scope, order };
}

/**
 * 452 and 552 may speak of the number of recipients (RFC 5321 §4.5.3.1.10): the rest then wants a transaction of its
 * own. A 552 is read so only behind an accepted recipient and where nothing speaks of quota.
 */
export function isTooManyRecipients(exchange: Exchange, exchanges: readonly Exchange[]): boolean {
  const { reply, stage } = exchange;
  if (stage !== "rcpt" || reply === null || ![452, 552].includes(reply.code)) return false;
  const before = exchanges.slice(0, exchanges.indexOf(exchange));
  if (!before.some((each) => each.stage === "rcpt" && isYes(each))) return false;
  const words = textOf(reply);
  const ofQuota = /quota|full|storage|space|mailbox/.test(words) || reply.status?.split(".")[1] === "2";
  return reply.code === 552 ? !ofQuota : reply.status === "4.5.3" || /too many/.test(words);
}

/** The reply that accepts at the depth asked for; for a message only one read after its last octet was written. */
function acceptanceOf(recipient: string, { exchanges, depth, tlsPolicy }: Asked): Exchange | null {
  const last = (stage: Exchange["stage"]): Exchange | undefined =>
    exchanges.findLast((each) => each.stage === stage && each.command !== null && isYes(each));
  const own = exchanges.find((each) => each.stage === "rcpt" && each.recipient === recipient && isYes(each));
  switch (depth) {
    case "greeting":
      return exchanges.find((each) => each.stage === "greeting" && isYes(each)) ?? null;
    case "ehlo": {
      // Once STARTTLS was sent, only what EHLO says behind it counts, unless it was refused and gone on without.
      const startTls = exchanges.findLastIndex((each) => each.stage === "starttls" && !isNegative(each.reply));
      if (startTls === -1 && tlsPolicy === "require") return null;
      return exchanges.slice(startTls + 1).find((each) => each.stage === "ehlo" && isYes(each)) ?? null;
    }
    case "rcpt":
      return (last("mail") && own) ?? null;
    case "message": {
      const message = last("message");
      return own !== undefined && message?.written === true ? message : null;
    }
  }
}
