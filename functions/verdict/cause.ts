// Whether a refusal says why, and about whom: as much of a reply's class as reconciling needs.
// It knows no words of its own but those of order and of the close, which explain nothing.
import type { Reply } from "../smtp/reply.ts";
import type { Exchange, Transcript } from "../smtp/transcript.ts";
import { classes, type Class } from "./classes.ts";
import { classify, type Classification } from "./classify.ts";
import { ownAddress } from "./own-address.ts";
import { providerOf } from "./providers.ts";
import { readWords } from "./words.ts";

/** Whom a refusal is about, widest first: everything we send there, this message, this recipient. */
export type Scope = "wide" | "message" | "recipient";

export const scopes: readonly Scope[] = ["wide", "message", "recipient"];

/** Who said it, and to whom: what a reply's class depends on besides its words and stage. */
export interface Peers {
  /** The host's name, as its MX record or the user gave it. */
  readonly host: string;
  /** The address that the host sees us come from; null where it is not known. */
  readonly own: string | null;
}

const knownPeers = new WeakMap<Transcript, Peers>();

/** Those of a session that has ended; found once, for it is asked about more than once. */
export function peersOf(transcript: Transcript): Peers {
  const found = knownPeers.get(transcript) ?? { host: transcript.host, own: ownAddress(transcript) };
  knownPeers.set(transcript, found);
  return found;
}

/** The class of a reply, by its words, its stage and its host. */
export function classOf(reply: Reply, stage: Exchange["stage"], { host, own }: Peers): Classification {
  return once(reply, `${stage} ${host} ${own}`, () => classFor(reply.lines.join("\n"), stage, { host, own }));
}

function classFor(text: string, stage: Exchange["stage"], { host, own }: Peers): Classification {
  return classify({ text, stage, provider: providerOf(host)?.id ?? null, own });
}

/** What has been made of each reply, by what was asked of it. */
const known = new WeakMap<Reply, Map<string, unknown>>();

/** Each reply is asked about at every later one while a session runs: a host that says much must not hold us up. */
function once<T>(reply: Reply, question: string, find: () => T): T {
  const answers = known.get(reply) ?? new Map<string, unknown>();
  known.set(reply, answers);
  if (!answers.has(question)) answers.set(question, find());
  return answers.get(question) as T;
}

/**
 * Whether a negative reply states a cause: its status names a subject other than "other" and "protocol" (RFC 3463
 * §3), or its words do.
 */
export function statesCause(reply: Reply, stage: Exchange["stage"], peers: Peers): boolean {
  if (saysOnlyOrder(reply, stage, peers)) return false;
  const subject = reply.status?.split(".")[1];
  if (subject !== undefined && subject !== "0") return true;
  return !["unspecified", "protocol"].includes(classOf(reply, stage, peers).class);
}

/** What is said of the order of commands, or of the close, tells nothing new after a refusal. */
const bare =
  /no valid recipients?|no recipients|valid rcpt|need (?:a )?(?:mail|rcpt|recipient)|(?:mail|rcpt)(?: from| to)? (?:first|command first)|bad sequence|out of (?:sequence|order)|sender not (?:yet )?given|must (?:issue|have).{0,20}(?:mail|rcpt)|\bclos(?:e|es|ing)\b|good ?bye|\bbye\b|disconnect|too many errors|error limit/g;

/** Whether a reply only says that a command came at the wrong time, or that the connection closes. */
export function saysOnlyOrder(reply: Reply, stage: Exchange["stage"], peers: Peers): boolean {
  const subject = reply.status?.split(".")[1] ?? "0";
  if (reply.code === 503 || subject === "5") return true;
  if (subject !== "0" && reply.code !== 421 && "1267".includes(subject)) return false;
  return once(reply, `order ${stage} ${peers.host} ${peers.own}`, () => {
    const text = textOf(reply);
    const rest = text.replaceAll(bare, " ");
    if (rest === text) return false;
    // "554 5.7.1 … blocked using …; closing connection" closes, and says why.
    const left = classFor(`550 ${rest}`, stage, peers).class;
    return ["unspecified", "protocol", "network", "system-error"].includes(left);
  });
}

/**
 * Whom a refusal is about: what its class is about; without a class the stage that it answers (DESIGN §6 rule 4). Up to
 * MAIL everybody is refused. Where nobody was accepted there is no message yet to be about, and what DATA is answered
 * says no more about the receiver than what RCPT was.
 */
export function scopeOf(
  kind: Class,
  { stage, status }: { readonly stage: Exchange["stage"]; readonly status: string | null },
  anyAccepted: boolean,
): Scope {
  const late = stage === "data" || stage === "message" || stage === "quit";
  if (!late && stage !== "rcpt") return "wide";
  const fallback = late && anyAccepted ? "message" : "recipient";
  if (kind === "unspecified") return fallback;
  switch (classes[kind].about) {
    case "ip":
    case "domain":
    case "session":
    case "sender":
      // What is wrong with one RCPT command is wrong with it alone.
      return kind === "protocol" && stage === "rcpt" ? "recipient" : "wide";
    case "receiver":
      // X.2 is the state of one mailbox (RFC 3463 §3.3): `450 4.2.1 mailbox busy`.
      return (late && !anyAccepted) || status?.split(".")[1] === "2" ? "recipient" : "wide";
    case "message":
      return late ? fallback : "message";
    case "recipient":
      return "recipient";
  }
}

/** The words alone, in one line: prefixes repeat inside sentences, and phrases break across lines. */
export function textOf(reply: Reply): string {
  return once(reply, "text", () => readWords(reply.lines.join("\n"), null).text);
}

/**
 * Whether a refusal only says that TLS must come first. 530 is also the code of those who want a login (RFC 3207 §4, RFC
 * 4954 §6), which without TLS nobody gives.
 */
export function asksForTls(code: number | null, kind: Class | null): boolean {
  return kind === "tls" || (code === 530 && kind === "relay-denied");
}
