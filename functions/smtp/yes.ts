// Which positive reply is the right one for a command. Any other is no yes: the two sides are out of step.
import type { Reply } from "./reply.ts";
import type { Exchange } from "./transcript.ts";

/** Whether a complete reply lets the conversation go on from this stage (RFC 5321 §4.3.2). */
export function isYes(exchange: Pick<Exchange, "stage" | "reply">): boolean {
  const { reply, stage } = exchange;
  if (reply === null || reply.partial) return false;
  return isRightCode(stage, reply.code);
}

/** A complete reply that neither refuses nor is the yes that the command can have: 2yz to DATA, 220 to RCPT, 1yz, 6yz. */
export function isWrongYes(exchange: Pick<Exchange, "stage" | "reply">): boolean {
  const { reply, stage } = exchange;
  if (reply === null || reply.partial) return false;
  const { code } = reply;
  return !isNegative(reply) && !isRightCode(stage, code);
}

/** 4yz and 5yz (RFC 5321 §4.2.1), also when the connection ended inside the reply. */
export function isNegative(reply: Reply | null): reply is Reply {
  return reply !== null && reply.code >= 400 && reply.code < 600;
}

/** EHLO is not understood, so that HELO is worth a try (RFC 5321 §4.1.4). Any other refusal is one. */
export function leadsToHelo(reply: Reply | null): boolean {
  return reply !== null && [500, 501, 502, 504].includes(reply.code);
}

/** Whether the transaction has a recipient. */
export function anyAccepted(exchanges: readonly Exchange[]): boolean {
  const mail = exchanges.find((each) => each.stage === "mail");
  return mail !== undefined && isYes(mail) && exchanges.some((each) => each.stage === "rcpt" && isYes(each));
}

function isRightCode(stage: Exchange["stage"], code: number): boolean {
  const positive = code >= 200 && code < 300;
  switch (stage) {
    case "data":
      return code >= 300 && code < 400;
    case "greeting":
    case "starttls":
      return positive && code !== 221;
    case "quit":
      return positive;
    // 220 is a greeting and 221 a farewell: here they belong to another command.
    case "ehlo":
    case "mail":
    case "rcpt":
    case "message":
      return positive && code !== 220 && code !== 221;
    case "dns":
    case "connect":
    case "tls":
      return false;
  }
}
