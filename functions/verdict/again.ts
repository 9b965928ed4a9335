// Whether the same address is worth one more session that does without something (DESIGN §6 rule 7). Pure.
import type { Retry, Transcript } from "../smtp/transcript.ts";
import { isNegative, isYes } from "../smtp/yes.ts";
import { classOf, peersOf, textOf } from "./cause.ts";
import { leftOver, reconcile } from "./reconcile.ts";

export interface Again {
  readonly retry: Retry;
  readonly recipients: readonly string[];
}

/** What to do without next time, and for whom; null when the session's answer stands. */
export function again(transcript: Transcript, before: readonly Retry[]): Again | null {
  const { recipients } = reconcile(transcript);
  const all = transcript.recipients;
  const untried = (retry: Retry): boolean => !before.includes(retry);
  const isAnyAccepted = recipients.some(({ judgement }) => ["accepted", "unknown"].includes(judgement.outcome));
  if (untried("in-clear") && failedHandshake(transcript)) return { retry: "in-clear", recipients: all };
  if (untried("lock-step") && !isAnyAccepted && refusesPipelining(transcript))
    return { retry: "lock-step", recipients: all };
  if (untried("without-chunking") && refusesChunk(transcript)) {
    const open = recipients.filter(({ judgement }) => judgement.answer.stage === "message");
    // A host that refused MAIL and yet accepted RCPT has refused everybody.
    return open.length > 0 ? { retry: "without-chunking", recipients: open.map(({ address }) => address) } : null;
  }
  const plain = withoutUtf8(transcript);
  if (plain.length > 0) return { retry: "more-recipients", recipients: plain };
  const rest = leftOver(transcript);
  return rest.length > 0 ? { retry: "more-recipients", recipients: rest } : null;
}

/** Those who were not asked only because another's address needs SMTPUTF8: they need a transaction of their own. */
function withoutUtf8({ stop, from, recipients }: Transcript): readonly string[] {
  const needsUtf8 = (text: string): boolean => /[^\x20-\x7e]/.test(text);
  if (stop?.reason !== "needs-smtputf8" || needsUtf8(from) || !recipients.some(needsUtf8)) return [];
  return recipients.filter((each) => !needsUtf8(each));
}

/** Opportunistic TLS goes on without; our caller's wish and a peer that injects end it. */
function failedHandshake({ tlsPolicy, stop, ending }: Transcript): boolean {
  if (tlsPolicy !== "opportunistic") return false;
  return (
    stop?.reason === "handshake" ||
    (ending.stage === "tls" && ["fin", "reset", "timeout", "deadline"].includes(ending.by))
  );
}

function refusesPipelining(transcript: Transcript): boolean {
  const { exchanges } = transcript;
  return exchanges.some(({ reply, group, stage }) => {
    if (!isNegative(reply) || reply.code < 500) return false;
    const isGrouped = exchanges.filter((each) => each.group === group).length > 1;
    // A host that names another cause, and links to a page on pipelines, has not refused the pipelining.
    const words = textOf(reply).replaceAll(/https?:\S+/g, "");
    return (
      isGrouped &&
      /pipelin|synchroni[sz]ation/.test(words) &&
      ["protocol", "unspecified"].includes(classOf(reply, stage, peersOf(transcript)).class)
    );
  });
}

/** Some hosts announce CHUNKING and do not know BDAT. */
function refusesChunk({ exchanges }: Transcript): boolean {
  const chunk = exchanges.find((each) => each.command?.startsWith("BDAT ") === true);
  const isUnknown = [500, 502, 503].includes(chunk?.reply?.code ?? 0);
  return isUnknown && exchanges.some((each) => each.stage === "rcpt" && isYes(each));
}
