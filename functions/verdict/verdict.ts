// The verdict: one document for all that was tried, the same for the command line, the log and the page (DESIGN §8).
// The peer's own code and text stay apart from our judgement. Pure.
import type { Stage, Transcript } from "../smtp/transcript.ts";
import {
  compareJudgements,
  isRefusal,
  reconcile,
  type Answer,
  type Class,
  type Judgement,
  type Outcome,
} from "./reconcile.ts";

/** An answer and the address that gave it. */
export interface HostAnswer extends Answer {
  readonly host: string;
  /** Null when the host has none. */
  readonly address: string | null;
  readonly port: number;
}

export interface RecipientVerdict {
  readonly address: string;
  readonly outcome: Outcome;
  readonly stage: Stage;
  readonly code: number | null;
  readonly status: string | null;
  readonly text: string;
}

export interface Egress {
  readonly name: string;
  /** The address that providers judge, null when no connection showed it. */
  readonly address: string | null;
}

export interface Verdict {
  /** The schema's version. */
  readonly v: 1;
  readonly outcome: Outcome;
  /** Null when accepted. */
  readonly class: Class | null;
  /** What the rules say of the reply's meaning; null and empty where no rule has spoken. */
  readonly severity: null;
  readonly provider: null;
  readonly blocklist: null;
  readonly remedy: null;
  readonly rule: null;
  readonly findings: readonly HostAnswer[];
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
interface Last {
  readonly address: string;
  readonly judgement: Judgement;
  readonly attempt: Transcript;
}

/** Judges all attempts for the recipients of one request; there is at least one attempt. */
export function judge(attempts: readonly Transcript[], egress: string): Verdict {
  const sessions = attempts.map((attempt) => ({ attempt, verdict: reconcile(attempt) }));
  const recipients = [...new Set(attempts.flatMap((each) => each.recipients))];
  const lasts = recipients.map((address) => lastWord(address, sessions));
  const decisive = lasts.reduce((best, each) => (compareJudgements(each.judgement, best.judgement) < 0 ? each : best));
  return {
    v: 1,
    outcome: decisive.judgement.outcome,
    class: decisive.judgement.class,
    severity: null,
    provider: null,
    blocklist: null,
    remedy: null,
    rule: null,
    findings: [],
    depth: decisive.attempt.depth,
    egress: { name: egress, address: attempts.find((each) => each.localAddress !== null)?.localAddress ?? null },
    primary: hostAnswer(decisive.judgement.answer, decisive.attempt),
    consequences: sessions.flatMap(({ attempt, verdict }) =>
      verdict.consequences.map((each) => hostAnswer(each, attempt)),
    ),
    recipients: lasts.map(({ address, judgement }) => recipientVerdict(address, judgement)),
    attempts,
  };
}

/**
 * Across hosts (DESIGN §6): accepted wins, then `unknown`, then refusals, then the failure at the deepest stage. A
 * session that was asked once more, lock-step say, is heard only if the second one has no answer.
 */
function lastWord(
  address: string,
  sessions: readonly { readonly attempt: Transcript; readonly verdict: ReturnType<typeof reconcile> }[],
): Last {
  const words = sessions.flatMap(({ attempt, verdict }) => {
    return verdict.recipients.filter((each) => each.address === address).map((each) => ({ ...each, attempt }));
  });
  const heard = words.filter((each, index) => {
    const again = words[index + 1];
    const isAsked = again?.attempt.retry != null && again.attempt.address === each.attempt.address;
    return !isAsked || again.judgement.outcome === "unanswered";
  });
  return heard.reduce((best, each) => (compareAcrossHosts(each, best) < 0 ? each : best));
}

function compareAcrossHosts(a: Last, b: Last): number {
  const accepted = Number(b.judgement.outcome === "accepted") - Number(a.judgement.outcome === "accepted");
  if (accepted !== 0) return accepted;
  // Refusals of two hosts: 5yz first, then scope; the earlier host stays in front.
  if (isRefusal(a.judgement) && isRefusal(b.judgement)) {
    const permanent = Number(b.judgement.outcome === "rejected") - Number(a.judgement.outcome === "rejected");
    return permanent || compareJudgements({ ...a.judgement, order: 0 }, { ...b.judgement, order: 0 });
  }
  const byKind = compareJudgements(a.judgement, b.judgement);
  if (byKind !== 0) return byKind;
  return stages.indexOf(b.judgement.answer.stage) - stages.indexOf(a.judgement.answer.stage);
}

/** In the order of a conversation. */
const stages: readonly Stage[] = [
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
];

function hostAnswer(answer: Answer, { host, address, port }: Transcript): HostAnswer {
  return { ...answer, host, address, port };
}

function recipientVerdict(address: string, { outcome, answer }: Judgement): RecipientVerdict {
  const { stage, code, status, text } = answer;
  return { address, outcome, stage, code, status, text };
}
