// Who is sent what, and how each one's host takes it: made up from a seed, and the same for it each time, so that the
// hosts and those who check them need not tell each other. It knows no server and no queue.
import { createHash } from "node:crypto";

/** What the host of a recipient does. A defer passes, a reset comes once; a refusal is for good. */
export type Act =
  | { readonly kind: "accept" }
  | { readonly kind: "defer"; readonly at: "rcpt" | "message"; readonly times: number }
  | { readonly kind: "refuse"; readonly at: "rcpt" | "message" }
  | { readonly kind: "reset"; readonly at: ResetPoint };

/** The last two leave us not knowing: the whole message is with the host, which says nothing (RFC 1047). */
const resetPoints = ["mail", "rcpt", "body", "before-accepting", "after-accepting"] as const;
type ResetPoint = (typeof resetPoints)[number];

export interface PlannedSend {
  readonly id: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly message: Buffer;
  /** How often the queue has it. */
  readonly times: number;
}

export const shares = { defer: 0.2, refuse: 0.05, reset: 0.05, twice: 0.1 } as const;
/** Some share a provider's host, some have two. */
export const domains = Array.from({ length: 8 }, (_, index) => `p${index}.example`);
const sender = "orders@sender.example";
export const words = {
  defer: { rcpt: "4.2.0 greylisted, please come back in five minutes", message: "4.3.0 the queue is full for now" },
  refuse: { rcpt: "5.1.1 no such mailbox here", message: "5.6.0 nobody here reads messages such as this one" },
} as const;

/** Two in ten go to two mailboxes of one domain, one in ten to two domains. */
export function sendsOf(howMany: number, seed: string): readonly PlannedSend[] {
  return Array.from({ length: howMany }, (_, index) => {
    const id = `send-${index}`;
    const number = chance(seed, id, "shape");
    const [first = "", other = ""] = [index, index + 3].map((each) => domains[each % domains.length]);
    const to = [`${id}@${first}`];
    if (number < 0.2) to.push(`${id}-second@${first}`);
    else if (number < 0.3) to.push(`${id}@${other}`);
    const isCutAt = (at: ResetPoint): boolean => to.some((each) => isCut(actOf(each, seed), at));
    // At MAIL no recipient is named yet.
    const from = isCutAt("mail") ? `cut-${id}@sender.example` : sender;
    const times = chance(seed, id, "times") < shares.twice ? 2 : 1;
    const octets = isCutAt("body") ? largeOctets : sizeOf(chance(seed, id, "size"));
    return { id, from, to, message: messageOf(id, octets), times };
  });
}

/** What is said to the message, or done to the session, is done to both of a domain: so the second one has no part in that. */
export function actOf(recipient: string, seed: string): Act {
  const number = chance(seed, recipient, "act");
  const other = chance(seed, recipient, "where");
  const at = isSecond(recipient) || other < 0.5 ? "rcpt" : "message";
  if (number < shares.defer) return { kind: "defer", at, times: chance(seed, recipient, "times") < 0.5 ? 1 : 2 };
  if (number < shares.defer + shares.refuse) return { kind: "refuse", at };
  if (number < shares.defer + shares.refuse + shares.reset && !isSecond(recipient)) {
    return { kind: "reset", at: resetPoints[Math.floor(other * resetPoints.length)] ?? "mail" };
  }
  return { kind: "accept" };
}

/** Of two recipients at one domain the one whose act is for both; else the recipient itself. */
export function leaderOf(recipient: string): string {
  return recipient.replace("-second@", "@");
}

function isSecond(recipient: string): boolean {
  return recipient !== leaderOf(recipient);
}

export function isCut(act: Act, at: ResetPoint): boolean {
  return act.kind === "reset" && act.at === at;
}

export function isCutAtMail(from: string): boolean {
  return from.startsWith("cut-");
}

/** More than fits in one segment. */
const largeOctets = 180_000;

function sizeOf(number: number): number {
  if (number < 0.02) return 100_000;
  return number < 0.15 ? 20_000 : 1_000;
}

/** Half of them bring a Message-ID. All bring lines that begin with dots, and octets of 8 bits; the line ends are as they must be. */
function messageOf(id: string, octets: number): Buffer {
  const isNamed = Number(id.split("-")[1]) % 2 === 0;
  const head = [
    `From: <${sender}>`,
    "To: undisclosed-recipients:;",
    `Subject: ${id}`,
    ...(isNamed ? [`Message-ID: <${id}@sender.example>`] : []),
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
  ];
  const lines = [".", "..two", `Grüße, ${id}`, ".leading", "a line of text that says nothing, as most of them do", ""];
  const some = Buffer.from(`${lines.join("\r\n")}\r\n`);
  const body = Buffer.concat(Array.from({ length: Math.ceil(octets / some.length) }, () => some));
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}

/** From 0 to 1, evenly; the same for the same words. */
function chance(...of: readonly string[]): number {
  return createHash("sha256").update(JSON.stringify(of)).digest().readUInt32BE() / 2 ** 32;
}
