// The verdict: one document for all that was tried, the same for the command line, the log and the page (DESIGN §8).
// The peer's own code and text stay apart from our judgement. Pure.
import { stages, type Stage, type Stop, type Transcript } from "../smtp/transcript.ts";
import { asksForTls, peersOf, scopes, type Scope } from "./cause.ts";
import type { Class } from "./classes.ts";
import { isPublic, seenBy } from "./own-address.ts";
import { providerOf } from "./providers.ts";
import { remedyFor, remedyOfStop, type Remedy } from "./remedy.ts";
import { severityOf, type Severity, type SeverityOverrides } from "./severity.ts";
import {
  compareJudgements,
  isRefusal,
  reconcile,
  type Answer,
  type Judgement,
  type Outcome,
  type RecipientJudgement,
  type SessionVerdict,
} from "./reconcile.ts";

/** An answer and the address that gave it. */
export interface HostAnswer extends Answer {
  readonly host: string;
  /** Null when the host has none. */
  readonly address: string | null;
  readonly port: number;
}

/** What a refusal or a failure comes to, for who is woken by it. */
export interface Meaning {
  /** Null when accepted. */
  readonly class: Class | null;
  /** Null when accepted. */
  readonly severity: Severity | null;
  /** The id of who runs the host; null: none that is known. */
  readonly provider: string | null;
  /** The id of the list that the reply names, or null. */
  readonly blocklist: string | null;
  /** Null when accepted. */
  readonly remedy: Remedy | null;
  /** The id of the rule that told the class; null where no reply told it. */
  readonly rule: string | null;
}

/** A refusal that somebody is paged for. */
export interface Finding extends HostAnswer, Meaning {}

export interface RecipientVerdict {
  readonly address: string;
  readonly outcome: Outcome;
  readonly stage: Stage;
  readonly code: number | null;
  readonly status: string | null;
  readonly text: string;
}

/** The way out that was judged. */
export interface Egress {
  readonly name: string;
  /** The address that providers judge: what is configured, else what connections or hosts show; null: not known. */
  readonly address: string | null;
  /** The address that a host says it sees us come from; null: none said. */
  readonly seen: string | null;
}

export interface Verdict extends Meaning {
  /** The schema's version. */
  readonly v: 1;
  readonly outcome: Outcome;
  /** Every refusal of a class that pages, of any host, also where another host accepted; the primary too. */
  readonly findings: readonly Finding[];
  /** How far was asked for: `accepted` means accepted up to there. */
  readonly depth: Transcript["depth"];
  readonly egress: Egress;
  /** The answer, or the failure, that decided; also when accepted. */
  readonly primary: HostAnswer;
  /** Negative replies that are nobody's answer, in the order of the conversation. */
  readonly consequences: readonly HostAnswer[];
  readonly recipients: readonly RecipientVerdict[];
  readonly attempts: readonly Transcript[];
}

/** One recipient's judgement, and the attempt it comes from. */
export interface Word extends RecipientJudgement {
  readonly attempt: Transcript;
}

/**
 * Judges all attempts for the recipients of one request; there is at least one attempt.
 * @param egress with the address that is configured for it, or null
 */
export function judge(
  attempts: readonly Transcript[],
  egress: Pick<Egress, "name" | "address">,
  overrides: SeverityOverrides = {},
): Verdict {
  const sessions = attempts.map((attempt) => ({ attempt, verdict: reconcile(attempt) }));
  const lasts = [...wordsByRecipient(sessions).values()].map(lastWord);
  const decisive = lasts.reduce((best, each) => (compareJudgements(each.judgement, best.judgement) < 0 ? each : best));
  return {
    v: 1,
    outcome: decisive.judgement.outcome,
    ...meaningOf(decisive.judgement, decisive.attempt, overrides),
    findings: findingsOf(sessions, decisive.judgement, overrides),
    depth: decisive.attempt.depth,
    egress: egressOf(egress, attempts),
    primary: hostAnswer(decisive.judgement.answer, decisive.attempt),
    consequences: sessions.flatMap(({ attempt, verdict }) =>
      verdict.consequences.map((each) => hostAnswer(each, attempt)),
    ),
    recipients: lasts.map(({ address, judgement }) => recipientVerdict(address, judgement)),
    attempts,
  };
}

/** Where one attempt shows a private address alone, another may know better. */
function egressOf({ name, address }: Pick<Egress, "name" | "address">, attempts: readonly Transcript[]): Egress {
  const own = attempts.flatMap((each) => peersOf(each).own ?? []);
  const seen = attempts.map(seenBy).find((each) => each !== null) ?? null;
  return { name, address: address ?? own.find(isPublic) ?? own[0] ?? null, seen };
}

/** What an answer, or its absence, comes to. */
function meaningOf(judgement: Judgement, attempt: Transcript, overrides: SeverityOverrides): Meaning {
  const { class: kind, classification, outcome, answer } = judgement;
  const provider = providerOf(attempt.host)?.id ?? null;
  if (kind === null) {
    return { class: null, severity: null, provider, blocklist: null, remedy: null, rule: null };
  }
  const ofStop = answer.code === null && attempt.stop !== null ? remedyOfStop(attempt.stop.reason) : null;
  return {
    class: kind,
    severity: severityOf(kind, outcome === "rejected", overrides),
    provider,
    blocklist: classification?.blocklist ?? null,
    remedy:
      ofStop ??
      remedyFor({
        class: kind,
        classification,
        provider,
        text: answer.text,
        own: peersOf(attempt).own,
      }),
    rule: classification?.rule ?? null,
  };
}

/**
 * One for each cause that a session was told: the primary, else its most telling refusal; of a reply that is nobody's
 * answer the cause is told all the same. What is wrong with the conversation counts only where it decided: as a
 * consequence, or where the session was had once more without it, it says nothing.
 */
function findingsOf(sessions: readonly Judged[], primary: Judgement, overrides: SeverityOverrides): readonly Finding[] {
  const counting = new Set([...wordsByRecipient(sessions).values()].flat().map(({ judgement }) => judgement));
  return sessions.flatMap(({ attempt, verdict }) => {
    const own = verdict.recipients.flatMap(({ judgement, refusals }) =>
      refusals.filter(({ class: kind }) => counting.has(judgement) || kind !== "protocol"),
    );
    const asides = verdict.asides.filter(({ class: kind }) => kind !== "protocol");
    const causes = new Map<string, { readonly order: number; readonly finding: Finding }>();
    for (const each of [...own.filter((each) => each === primary), ...own.toSorted(compareJudgements), ...asides]) {
      const meaning = meaningOf(each, attempt, overrides);
      const cause = `${meaning.class} ${meaning.rule} ${meaning.blocklist}`;
      if (meaning.severity !== "page" || causes.has(cause)) continue;
      causes.set(cause, { order: each.order, finding: { ...hostAnswer(each.answer, attempt), ...meaning } });
    }
    return [...causes.values()].toSorted((a, b) => a.order - b.order).map(({ finding }) => finding);
  });
}

/**
 * What each attempt that counts said to each recipient. A session that was had once more, lock-step say, counts only if
 * the later ones have no answer (DESIGN §6 rule 7).
 */
export function wordsOfAttempts(attempts: readonly Transcript[]): ReadonlyMap<string, readonly Word[]> {
  return wordsByRecipient(attempts.map((attempt) => ({ attempt, verdict: reconcile(attempt) })));
}

interface Judged {
  readonly attempt: Transcript;
  readonly verdict: SessionVerdict;
}

function wordsByRecipient(sessions: readonly Judged[]): ReadonlyMap<string, readonly Word[]> {
  const words = sessions.flatMap(({ attempt, verdict }) => verdict.recipients.map((each) => ({ ...each, attempt })));
  const byRecipient = Map.groupBy(words, ({ address }) => address);
  return new Map([...byRecipient].map(([address, its]) => [address, counting(its)]));
}

/** From the last one back, for what comes later decides: in one pass, however many attempts there are. */
function counting(words: readonly Word[]): readonly Word[] {
  const kept: Word[] = [];
  let next: Transcript | null = null;
  let isAnsweredAgain = false;
  for (const word of words.toReversed()) {
    const { attempt, judgement } = word;
    if (next?.retry == null || next.address !== attempt.address) isAnsweredAgain = false;
    next = attempt;
    if (onlyAsksForTls(word)) continue;
    if (!isAnsweredAgain) kept.push(word);
    if (judgement.outcome !== "unanswered") isAnsweredAgain = true;
  }
  return kept.toReversed();
}

/** Gone on in the clear because TLS failed, and told to use TLS: the failure is what there is to mend. */
function onlyAsksForTls({ attempt, judgement }: Word): boolean {
  return attempt.retry === "in-clear" && isRefusal(judgement) && asksForTls(judgement.answer.code, judgement.class);
}

/** Across hosts (DESIGN §6): accepted wins, then `unknown`, then refusals, then the failure at the deepest stage. */
export function lastWord(words: readonly Word[]): Word {
  // What is equal leaves the earlier host in front.
  return words.reduce((best, each) => (compareTelling(tellingOf(each), tellingOf(best)) < 0 ? each : best));
}

/** What words of different conversations, whose places do not compare, are compared by. */
export interface Telling {
  readonly outcome: Outcome;
  readonly code: number | null;
  readonly scope: Scope;
  /** How far it came; -1: nobody could be asked. */
  readonly depth: number;
}

/** Negative when `a` is the more telling one, of two hosts or of two attempts of a send. */
export function compareTelling(a: Telling, b: Telling): number {
  const [ranks, others] = [ranksOf(a), ranksOf(b)];
  const index = ranks.findIndex((rank, at) => rank !== others[at]);
  return index === -1 ? 0 : (ranks[index] ?? 0) - (others[index] ?? 0);
}

/** The first that differs decides. */
function ranksOf({ outcome, code, scope, depth }: Telling): readonly number[] {
  switch (outcome) {
    case "accepted":
      return [0, -depth];
    case "unknown":
      return [1, -depth];
    case "rejected":
      return [2, 0, scopes.indexOf(scope)];
    case "deferred":
      // Because of another's 421: a refusal of its own is the more telling one.
      return [2, code === null ? 2 : 1, scopes.indexOf(scope)];
    case "unanswered":
      return [3, -depth];
  }
}

function tellingOf(word: Word): Telling {
  const { outcome, answer, scope } = word.judgement;
  return { outcome, code: answer.code, scope, depth: wasAsked(word.attempt) ? stages.indexOf(answer.stage) : -1 };
}

/** Of a host that nobody could ask, whatever else failed says more. */
export function wasAsked({ stop }: Transcript): boolean {
  return stop === null || !skipped.has(stop.reason);
}

const skipped: ReadonlySet<Stop["reason"]> = new Set([
  "no-address",
  "no-family",
  "own-host",
  "out-of-time",
  "left-out",
]);

function hostAnswer(answer: Answer, { host, address, port }: Transcript): HostAnswer {
  return { ...answer, host, address, port };
}

function recipientVerdict(address: string, { outcome, answer }: Judgement): RecipientVerdict {
  const { stage, code, status, text } = answer;
  return { address, outcome, stage, code, status, text };
}
