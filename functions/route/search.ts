// Which answers end the search for a host, and for whom (DESIGN §6, across hosts). It asks nobody. Pure.
import type { Stage, Transcript } from "../smtp/transcript.ts";
import { leftOver, type Judgement } from "../verdict/reconcile.ts";
import { wordsOfAttempts, type Word } from "../verdict/verdict.ts";

/** Those who have no final answer yet. One left `unknown` is never offered again: it may have the message. */
export function openRecipients(recipients: readonly string[], attempts: readonly Transcript[]): readonly string[] {
  const words = wordsOfAttempts(attempts);
  return recipients.filter((text) => !words.get(text)?.some(isFinal));
}

/**
 * A 5yz to MAIL, RCPT, DATA or the message ends the search; a greeting or EHLO refused does not. Nor does a 4yz, but at
 * any stage where it asks us to slow down or not to come: the site's next host is the same site.
 */
function isFinal({ address, judgement, refusals, attempt }: Word): boolean {
  const { outcome, answer } = judgement;
  if (outcome === "accepted" || outcome === "unknown") return true;
  // Who was one too many wants another transaction, not another time.
  if (leftOver(attempt).includes(address)) return false;
  if (outcome === "deferred") return [judgement, ...refusals].some(asksToStayAway);
  const deep: readonly Stage[] = ["mail", "rcpt", "data", "message"];
  return outcome === "rejected" && answer.code !== null && deep.includes(answer.stage);
}

function asksToStayAway({ outcome, class: kind }: Judgement): boolean {
  return outcome === "deferred" && (kind === "ip-reputation" || kind === "rate-limit" || kind === "greylist");
}
