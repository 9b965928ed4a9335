// Whether a refusal says why, and about whom: as much of a reply's meaning as reconciling needs.
// It gives no class and no remedy.
import type { Reply } from "../smtp/reply.ts";
import type { Exchange } from "../smtp/transcript.ts";

/** Whom a refusal is about, widest first: everything we send there, this message, this recipient. */
export type Scope = "wide" | "message" | "recipient";

export const scopes: readonly Scope[] = ["wide", "message", "recipient"];

/** Families of wording that name a cause; the first that fits tells the scope. Null: the stage's own. */
const wordings: readonly { readonly says: RegExp; readonly scope: Scope | null }[] = [
  // Who we are: the IP, its lists and names, our domain and its records.
  {
    says: /\b(?:dns)?[br]bls?\b|block ?list|black ?list|listed (?:in|at|on|by)\b|reputation|spamhaus|barracuda|spamcop|proofpoint/,
    scope: "wide",
  },
  {
    says: /\b(?:your|client|sending|source|remote|connecting)\b.{0,30}\b(?:ip|host|address|network|server)\b.{0,60}\b(?:block|reject|denied|ban|refus|not allowed|bad)/,
    scope: "wide",
  },
  {
    says: /\b(?:block|bann|reject|refus|denied).{0,60}\b(?:your|client|sending|source)\b.{0,30}\b(?:ip|host|network|server)\b/,
    scope: "wide",
  },
  {
    says: /\b\d{1,3}(?:\.\d{1,3}){3}\b.{0,80}(?:block|list|reject|refus|denied|bann)|(?:block|list|reject|refus|denied|bann).{0,80}\b\d{1,3}(?:\.\d{1,3}){3}\b/,
    scope: "wide",
  },
  {
    says: /reverse (?:dns|hostname|lookup)|\bptr\b|\brdns\b|\b(?:helo|ehlo)\b.{0,40}(?:reject|invalid|not found|must|bad)/,
    scope: "wide",
  },
  { says: /\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated|authentication (?:required|checks?|fail)/, scope: "wide" },
  {
    says: /gr[ae]y ?list|rate.?limit|too (?:many|much) (?:connection|message|mail)|too fast|throttl|frequen|temporarily deferred/,
    scope: "wide",
  },
  { says: /\btls\b.{0,30}(?:required|must|not available|unavailable)|starttls|encrypt/, scope: "wide" },
  { says: /sender.{0,40}(?:reject|denied|not exist|unknown|verif|not found|invalid)|domain of sender/, scope: "wide" },
  // What we send.
  {
    says: /spam|virus|malware|phish|content|message (?:size|too|rejected)|too (?:large|big)|exceeds|header|attachment|\burl\b/,
    scope: "message",
  },
  // To whom.
  {
    says: /user|mailbox|recipient|address|account|quota|over ?quota|\bfull\b|no such|does not exist|inactive|disabled|relay/,
    scope: "recipient",
  },
  // A cause, whoever it is about.
  {
    says: /block|bann|denied|polic|abuse|not (?:allowed|permitted|authorized|accepted)|unsolicited|https?:|try again|later|busy|overload|resources|storage/,
    scope: null,
  },
];

/** What is said of the order of commands, or of the close, tells nothing new after a refusal. */
const bare =
  /no valid recipients?|no recipients|valid rcpt|need (?:a )?(?:mail|rcpt|recipient)|(?:mail|rcpt)(?: from| to)? (?:first|command first)|bad sequence|out of (?:sequence|order)|sender not (?:yet )?given|must (?:issue|have).{0,20}(?:mail|rcpt)|\bclos(?:e|es|ing)\b|good ?bye|\bbye\b|disconnect|too many errors|error limit/;

/**
 * Whether a negative reply states a cause: its status names a subject other than "other" and "protocol" (RFC 3463
 * §3), or its words do.
 */
export function statesCause(reply: Reply): boolean {
  if (saysOnlyOrder(reply)) return false;
  const subject = reply.status?.split(".")[1];
  if (subject !== undefined && subject !== "0") return true;
  const text = wordsOf(reply);
  return wordings.some(({ says }) => says.test(text));
}

/** Whether a reply only says that a command came at the wrong time, or that the connection closes. */
export function saysOnlyOrder(reply: Reply): boolean {
  if (reply.code === 503 || reply.status?.split(".")[1] === "5") return true;
  const text = wordsOf(reply);
  if (!bare.test(text)) return false;
  // "554 5.7.1 … blocked using …; closing connection" closes, and says why.
  const rest = text.replace(new RegExp(bare, "g"), " ");
  const subject = reply.status?.split(".")[1] ?? "0";
  return (
    !causes.some((says) => says.test(rest)) && (subject === "0" || reply.code === 421 || !"1267".includes(subject))
  );
}

const causes = wordings.filter(({ scope }) => scope === "wide").map(({ says }) => says);

/**
 * Whom a refusal is about: by its words, else by the stage that it answers. Where nobody was accepted there is no
 * message yet to be about.
 */
export function scopeOf(reply: Reply, stage: Exchange["stage"], anyAccepted: boolean): Scope {
  const text = wordsOf(reply);
  const worded = wordings.find(({ says }) => says.test(text))?.scope ?? null;
  if (worded === "wide") return "wide";
  switch (stage) {
    case "rcpt":
      return "recipient";
    case "data":
    case "message":
    case "quit":
      return worded === "recipient" || !anyAccepted ? "recipient" : "message";
    case "dns":
    case "connect":
    case "greeting":
    case "ehlo":
    case "starttls":
    case "tls":
    case "mail":
      return "wide";
  }
}

/** The words alone, in one line: prefixes repeat inside sentences, and phrases break across lines. */
export function wordsOf(reply: Reply): string {
  return reply.lines
    .map((line) => line.replace(/^\d{3}[ -]?\s*(?:[245]\.\d{1,3}\.\d{1,3}\s*)?/, ""))
    .join(" ")
    .toLowerCase();
}

/** Whether a refusal only says that TLS must come first (RFC 3207 §4). */
export function demandsTls({ code, text }: { readonly code: number | null; readonly text: string }): boolean {
  return code === 530 || /\b(?:must|need)\b.{0,40}starttls/i.test(text);
}
