// Reconciles one session: from a finished transcript to one answer per recipient and one for the session (DESIGN §6).
// The ending is evidence, and decides only where nobody refused. It names no provider, and looks at no other host. Pure.
import type { Depth, Exchange, Stage, Stop, Transcript } from "../smtp/transcript.ts";
import { isNegative, isYes } from "../smtp/yes.ts";
import {
  answerTo,
  askedOf,
  compareRefusals,
  isOutOfStep,
  isTooManyRecipients,
  recoveredOf,
  refusalFrom,
  type RecipientAnswer,
  type Refusal,
} from "./answers.ts";
import { classOf, peersOf, type Scope } from "./cause.ts";
import type { Class } from "./classes.ts";
import type { Classification } from "./classify.ts";

export type Outcome = "accepted" | "rejected" | "deferred" | "unanswered" | "unknown";

/** What a reply, or its absence, said, and where. */
export interface Answer {
  readonly stage: Stage;
  /** The command that it answers; null for the greeting and where nothing was sent. */
  readonly command: string | null;
  /** As the peer sent it; null when there was no reply. */
  readonly code: number | null;
  readonly status: string | null;
  /** All lines of the reply, verbatim, joined by LF; without a reply what happened, in our words. */
  readonly text: string;
  readonly partial: boolean;
}

export interface Judgement {
  readonly outcome: Outcome;
  /** Null when accepted. */
  readonly class: Class | null;
  /** What the rules make of the reply; null where no refusal was read. */
  readonly classification: Classification | null;
  readonly answer: Answer;
  /** Whom a refusal is about; and its place in the conversation: how two are compared. */
  readonly scope: Scope;
  readonly order: number;
}

export interface SessionVerdict {
  readonly primary: Judgement;
  readonly recipients: readonly RecipientJudgement[];
  /** What other negative replies come to: those that are no recipient's own refusal, whatever they repeat. */
  readonly asides: readonly Judgement[];
  /** Negative replies that are nobody's answer: they state no new cause, lost to a wider one, or were recovered from. */
  readonly consequences: readonly Answer[];
}

export interface RecipientJudgement {
  readonly address: string;
  readonly judgement: Judgement;
  /** All that refused it for a cause of its own: the judgement, where it is one that was read, and what lost to it. */
  readonly refusals: readonly Judgement[];
}

/** A transcript always names at least one recipient. */
export function reconcile(transcript: Transcript): SessionVerdict {
  const asked = askedOf(transcript);
  const recipients = transcript.recipients.map((address) => judgeRecipient(address, transcript));
  const primary = mostTelling(recipients.map(({ judgement }) => judgement));
  const chosen = new Set(recipients.map(({ judgement }) => judgement.order));
  const taken = new Set(recipients.flatMap(({ refusals }) => refusals.map(({ order }) => order)));
  const negatives = [...transcript.exchanges.entries()].filter(([, each]) => isNegative(each.reply));
  return {
    primary,
    recipients,
    asides: negatives
      .filter(([order]) => !taken.has(order))
      .map(([order, each]) => judgeRefusal(refusalFrom(each, order, asked), transcript.depth)),
    consequences: negatives.filter(([order]) => !chosen.has(order)).map(([, each]) => answerOf(each, transcript.depth)),
  };
}

/**
 * The judgement that speaks for all: `unknown` before anything, for somebody may have the message; then refusals, the
 * widest first, 5yz before 4yz; then failures; accepted only if everybody was (rule 4).
 */
function mostTelling(judgements: readonly Judgement[]): Judgement {
  return judgements.reduce((best, each) => (compareJudgements(each, best) < 0 ? each : best));
}

/** Negative when `a` is the more telling one; failures go by the first command left unanswered (rule 1). */
export function compareJudgements(a: Judgement, b: Judgement): number {
  const byKind = rankOf(a) - rankOf(b);
  if (byKind !== 0) return byKind;
  if (!isRefusal(a)) return a.order - b.order;
  return compareRefusals({ ...a, permanent: a.outcome === "rejected" }, { ...b, permanent: b.outcome === "rejected" });
}

export function isRefusal({ outcome }: Pick<Judgement, "outcome">): boolean {
  return outcome === "rejected" || outcome === "deferred";
}

/**
 * The recipients that want a transaction of their own (RFC 5321 §4.5.3.1.10, RFC 9422 §4.2): one too many for this one,
 * or not offered at all. Not those that a failure, or a 421, left unasked.
 */
export function leftOver({ exchanges, recipients, stop }: Transcript): readonly string[] {
  if (stop !== null) return [];
  const rcpts = exchanges.filter((each) => each.stage === "rcpt" && each.command !== null);
  const isCutOff = exchanges.some((each) => each.reply?.code === 421 || (each.reply === null && each.stage !== "quit"));
  const isOpen = exchanges.some((each) => each.stage === "mail" && isYes(each));
  return recipients.filter((address) => {
    const own = rcpts.find((each) => each.recipient === address);
    if (own === undefined) return isOpen && rcpts.length > 0 && !isCutOff;
    return isTooManyRecipients(own, exchanges);
  });
}

function rankOf({ outcome, answer }: Judgement): number {
  switch (outcome) {
    case "unknown":
      return 0;
    case "rejected":
    case "deferred":
      // Deferred because of another's 421: its own refusal is the more telling one.
      return answer.code === null && outcome === "deferred" ? 2 : 1;
    case "unanswered":
      return 3;
    case "accepted":
      return 4;
  }
}

function judgeRecipient(address: string, transcript: Transcript): RecipientJudgement {
  const answer = answerTo(address, askedOf(transcript));
  const judgement = judgementOf(answer, address, transcript);
  const isRead = isRefusal(judgement) && judgement.answer.code !== null;
  const lost = answer.kind === "refused" ? answer.lost.map((each) => judgeRefusal(each, transcript.depth)) : [];
  return { address, judgement, refusals: isRead ? [judgement, ...lost] : [] };
}

function judgementOf(answer: RecipientAnswer, address: string, transcript: Transcript): Judgement {
  switch (answer.kind) {
    case "refused":
      return judgeRefusal(answer.refusal, transcript.depth);
    case "wrong-yes":
      return wrongYes(answer.exchange, transcript);
    case "accepted":
      return isOutOfStep(askedOf(transcript))
        ? outOfStep(transcript, answer.exchange)
        : accepted(transcript, answer.exchange);
    case "open":
      return judgeOpen(address, transcript);
  }
}

function accepted({ exchanges, depth }: Transcript, exchange: Exchange): Judgement {
  return judgement("accepted", null, answerOf(exchange, depth), exchanges.indexOf(exchange));
}

function judgeRefusal({ exchange, classification, permanent, scope, order }: Refusal, depth: Depth): Judgement {
  const outcome = permanent ? "rejected" : "deferred";
  return { outcome, class: classification.class, classification, answer: answerOf(exchange, depth), scope, order };
}

/** Nobody refused this recipient, and nobody said yes. */
function judgeOpen(address: string, transcript: Transcript): Judgement {
  const { exchanges, stop, ending } = transcript;
  const message = exchanges.find((each) => each.stage === "message" && each.command !== null);
  if (message?.written === true && mayHaveMessage(address, exchanges)) {
    const text = `the message was sent whole and never answered, so it may have been delivered (RFC 1047): ${failure(transcript)}`;
    return judgement("unknown", "network", {
      ...silent("message", message.command, text),
      partial: message.reply !== null,
    });
  }
  if (stop !== null) return judgeStop(stop, transcript);
  const closing = exchanges.find(
    (each) => each.stage === "rcpt" && each.recipient !== address && each.reply?.code === 421,
  );
  const waiting = exchanges.find((each) => awaits(each, address));
  if (closing?.reply != null) {
    const text = `left without an answer after ${closing.command} was answered ${closing.reply.lines.join(" ")}`;
    const answer = silent(waiting?.stage === "data" ? "data" : "rcpt", null, text);
    const classification = classOf(closing.reply, "rcpt", peersOf(transcript));
    const order = exchanges.indexOf(closing);
    return { outcome: "deferred", class: classification.class, classification, answer, scope: "wide", order };
  }
  const before = recovered(transcript);
  if (before !== null) return before;
  const stage = waiting?.stage ?? ending.stage;
  const text = `${failure(transcript)}${lastRead(exchanges)}${stage === "tls" ? demandOf(transcript) : ""}`;
  const answer = silent(stage === "quit" ? transcript.depth : stage, waiting?.command ?? null, text);
  return judgement(
    "unanswered",
    stage === "tls" ? "tls" : "network",
    answer,
    waiting === undefined ? undefined : exchanges.indexOf(waiting),
  );
}

/** Whose policy it is that a failure of TLS is no reason to go on without (RFC 8461 §5, RFC 7672 §2.2). */
function demandOf({ policy, stop }: Transcript): string {
  // A policy that could not be read is itself what failed.
  if (policy?.mode !== "enforce" || policy.text === stop?.text) return "";
  return `; TLS is asked for by ${policy.text}`;
}

/** We ourselves went no further, and nobody had refused. */
function judgeStop(stop: Stop, transcript: Transcript): Judgement {
  const text = stop.reason === "garbage" ? `not an SMTP reply: ${stop.text}` : stop.text;
  const answer = { ...silent(stop.stage, null, text), status: stop.status };
  switch (stop.reason) {
    // What the host told us that it cannot take was not sent.
    case "too-large":
    case "needs-8bitmime":
    case "needs-smtputf8":
      return saidMeanwhile(stop, transcript) ?? judgement("rejected", "message-format", answer);
    // Our own fault, and nobody's silence (rule 9).
    case "uncommitted":
      return saidMeanwhile(stop, transcript) ?? judgement("unanswered", "network", answer);
    case "no-mail-here":
      return judgement("rejected", "relay-denied", answer);
    case "no-address":
    case "own-host":
      // Where all hosts are such ones DNS says that there is no mail, and the status why (RFC 5321 §5.1).
      return stop.status === null
        ? judgement("unanswered", "network", answer)
        : judgement("rejected", "relay-denied", answer);
    case "no-family":
    case "dns-failed":
    case "guarded":
    case "proxy":
    case "proxy-refused":
    case "out-of-time":
    case "left-out":
      return judgement("unanswered", "network", answer);
    case "handshake":
    case "tls-not-offered":
    case "tls-policy":
      return (
        saidMeanwhile(stop, transcript) ??
        recovered(transcript) ??
        judgement("unanswered", "tls", { ...answer, text: `${text}${demandOf(transcript)}` })
      );
    case "garbage":
    case "flood":
    case "wrong-yes":
    case "out-of-step":
    case "injection":
      return recovered(transcript) ?? judgement("unanswered", "protocol", answer);
  }
}

/**
 * A refusal that crossed our QUIT when we had gone no further by our own choice: it was said before the host could know of
 * that, and is the more telling answer. QUIT itself nobody refuses, but those who do not know it.
 */
function saidMeanwhile(stop: Stop, transcript: Transcript): Judgement | null {
  // Behind TLS comes EHLO.
  const stage = stop.stage === "tls" ? "ehlo" : stop.stage;
  const order = transcript.exchanges.findIndex((each) => each.stage === "quit" && isNegative(each.reply));
  const exchange = transcript.exchanges[order];
  if (exchange?.reply == null) return null;
  const classification = classOf(exchange.reply, stage, peersOf(transcript));
  const { code } = exchange.reply;
  if (code !== 421 && (classification.class === "unspecified" || classification.class === "protocol")) return null;
  const refusal = { exchange, classification, permanent: code >= 500, scope: "wide", order } as const;
  const judged = judgeRefusal(refusal, transcript.depth);
  return { ...judged, answer: { ...judged.answer, stage } };
}

/** A recovered refusal decides where nothing later does; EHLO's only where HELO went unanswered too (rule 2). */
function recovered(transcript: Transcript): Judgement | null {
  const last = recoveredOf(transcript).findLast(({ stage, command }) => {
    return (
      stage === "starttls" ||
      !transcript.exchanges.some((each) => each.command !== command && isYes(each) && each.command !== null)
    );
  });
  if (last?.reply == null) return null;
  const classification = classOf(last.reply, last.stage, peersOf(transcript));
  const permanent = last.reply.code >= 500;
  const order = transcript.exchanges.indexOf(last);
  return judgeRefusal({ exchange: last, classification, permanent, scope: "wide", order }, transcript.depth);
}

function wrongYes(exchange: Exchange, transcript: Transcript): Judgement {
  // What was sent whole may have been taken, whatever the answer means, and whichever command it answers.
  const isSent = transcript.exchanges.some((each) => each.stage === "message" && each.command !== null && each.written);
  const outcome = isSent ? "unknown" : "unanswered";
  return judgement(outcome, "protocol", answerOf(exchange, transcript.depth), transcript.exchanges.indexOf(exchange));
}

/** The yes stands in the transcript; whose it is, nobody knows (rule 5). The words that tell so are the answer. */
function outOfStep(transcript: Transcript, accepted: Exchange): Judgement {
  const telling = transcript.exchanges.find(
    (each) => each.reply !== null && (each.stage === "quit" || each.command === null) && isNegative(each.reply),
  );
  const { depth, exchanges } = transcript;
  const answer = { ...answerOf(telling ?? accepted, depth), stage: depth };
  return judgement(
    depth === "message" ? "unknown" : "unanswered",
    "protocol",
    answer,
    exchanges.indexOf(telling ?? accepted),
  );
}

function judgement(outcome: Outcome, kind: Class | null, answer: Answer, order = Number.MAX_SAFE_INTEGER): Judgement {
  return { outcome, class: kind, classification: null, answer, scope: "wide", order };
}

/** What was said of QUIT was said at the depth we had come to. */
function answerOf({ stage, command, reply }: Exchange, depth: Depth): Answer {
  return {
    stage: stage === "quit" ? depth : stage,
    command,
    code: reply?.code ?? null,
    status: reply?.status ?? null,
    text: reply?.lines.join("\n") ?? "",
    partial: reply?.partial ?? false,
  };
}

function silent(stage: Stage, command: string | null, text: string): Answer {
  return { stage, command, code: null, status: null, text, partial: false };
}

function awaits(exchange: Exchange, address: string): boolean {
  if (exchange.stage === "quit" || (exchange.stage === "rcpt" && exchange.recipient !== address)) return false;
  return exchange.reply === null || exchange.reply.partial;
}

/** Sent whole to a recipient that nobody refused. A lone dot after 354 is no message: it has no recipients. */
function mayHaveMessage(address: string, exchanges: readonly Exchange[]): boolean {
  const own = exchanges.find((each) => each.stage === "rcpt" && each.recipient === address);
  return own !== undefined && (own.reply === null || own.reply.partial || isYes(own));
}

function failure({ ending, exchanges, stop }: Transcript): string {
  if (stop !== null) return `${stop.text}; ${ending.text}`;
  const begun = exchanges.find((each) => each.reply?.partial === true)?.reply;
  return begun == null ? ending.text : `${ending.text}, inside the reply "${begun.lines.join(" ")}"`;
}

function lastRead(exchanges: readonly Exchange[]): string {
  const last = exchanges.findLast((each) => each.reply !== null && !each.reply.partial)?.reply;
  return last == null ? "" : `; the last reply read was ${last.lines.at(-1)}`;
}
