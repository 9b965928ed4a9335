// Whether what may still arrive can change the verdict (DESIGN §6 rule 8). A server that says 550 and hangs costs no
// timeout; one whose refusal another reply may explain is given a second. Pure.
import type { Exchange } from "../smtp/transcript.ts";
import { isNegative, isWrongYes } from "../smtp/yes.ts";
import { answerTo, type Asked } from "./answers.ts";

/** `leaving`: nothing more will be sent but QUIT. */
export function settled(
  exchanges: readonly Exchange[],
  leaving: boolean,
  asked: Omit<Asked, "exchanges">,
): "open" | "soon" | "now" {
  const outstanding = exchanges.filter((each) => each.reply === null);
  // Up to MAIL each step waits for its answer anyway, and may be recovered from.
  if (!leaving && !exchanges.some((each) => each.stage === "mail")) return "open";
  if (awaitsRecipients(exchanges)) return "open";
  const answers = asked.recipients.map((each) => answerTo(each, { ...asked, exchanges }));
  if (answers.some(({ kind }) => kind === "wrong-yes")) return outstanding.length > 0 ? "soon" : "now";
  if (answers.every(({ kind }) => kind === "refused")) {
    const plain = answers.every((each) => each.kind === "refused" && each.plain);
    return plain || outstanding.length === 0 ? "now" : "soon";
  }
  // A yes can still turn out to be another command's, until QUIT has its answer (rule 5).
  if (answers.every(({ kind }) => kind !== "open")) {
    return exchanges.some((each) => each.stage === "quit" && each.reply !== null) ? "now" : "open";
  }
  if (leaving && outstanding.length === 0) return "now";
  // Who says 421 closes: what it left unanswered need not be waited for long (RFC 5321 §3.8).
  return exchanges.some((each) => each.reply?.code === 421) ? "soon" : "open";
}

/** The plain case of many recipients: some have no answer yet, and nothing said so far stands for all. */
function awaitsRecipients(exchanges: readonly Exchange[]): boolean {
  const isAwaited = exchanges.some((each) => each.stage === "rcpt" && each.reply === null);
  return isAwaited && !exchanges.some(standsForAll) && !exchanges.some(isWrongYes);
}

function standsForAll({ stage, command, reply }: Exchange, index: number): boolean {
  if (reply === null || !isNegative(reply)) return false;
  return stage === "mail" || reply.code === 421 || (command === null && index > 0);
}
