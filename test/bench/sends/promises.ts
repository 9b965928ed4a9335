// What is promised of sends, held against the hosts' ledger and what was told: a line for each promise that was broken.
// Pure. It knows neither how the sends were made nor who was killed meanwhile, only who may be unknown.
import { createHash } from "node:crypto";
import type { Ledger } from "./ledger.ts";
import { actOf, isCut, leaderOf, words, type PlannedSend } from "./plan.ts";
import type { Result } from "./results.ts";

export interface Outcome {
  readonly sends: readonly PlannedSend[];
  readonly seed: string;
  readonly ledger: Pick<Ledger, "of" | "recipients">;
  readonly results: readonly Result[];
}

export interface Findings {
  readonly broken: readonly string[];
  readonly recipients: number;
  readonly delivered: number;
  readonly failed: number;
  /** Cut off by the host once it had the whole message, or in a body that had left us. */
  readonly unknownByPlan: number;
  /** All others: the process was killed in the window. */
  readonly unknownByKill: number;
  /** Of the unknown ones, those that have the message. */
  readonly unknownTaken: number;
  readonly delayed: number;
}

const finals = ["delivered", "failed", "expired", "unknown"] as const;
const resetsAfterBegun = ["body", "before-accepting", "after-accepting"] as const;

export function findingsOf(outcome: Outcome): Findings {
  const broken: string[] = [];
  const counts = { recipients: 0, delivered: 0, failed: 0, unknownByPlan: 0, unknownByKill: 0, unknownTaken: 0 };
  const byRecipient = Map.groupBy(outcome.results, ({ id, recipient }) => `${id} ${recipient}`);
  const asked = new Set<string>();
  for (const send of outcome.sends) {
    for (const recipient of send.to) {
      asked.add(recipient);
      counts.recipients += 1;
      const told = byRecipient.get(`${send.id} ${recipient}`) ?? [];
      const final = told.filter(({ event }) => isFinal(event));
      broken.push(...brokenOf(recipient, send, final, outcome));
      const [last] = final;
      if (last?.event === "delivered" || last?.event === "failed") counts[last.event] += 1;
      if (last?.event !== "unknown") continue;
      counts[isUnknownByPlan(recipient, outcome.seed) ? "unknownByPlan" : "unknownByKill"] += 1;
      counts.unknownTaken += outcome.ledger.of(recipient).length;
    }
  }
  for (const each of outcome.ledger.recipients) if (!asked.has(each)) broken.push(`${each}: nobody sent it anything`);
  for (const each of outcome.results) broken.push(...eventFaults(each, asked));
  const delayed = outcome.results.filter(({ event }) => event === "delayed").length;
  return { broken, ...counts, delayed };
}

export function isFinal(event: Result["event"]): boolean {
  return finals.some((each) => each === event);
}

function brokenOf(recipient: string, send: PlannedSend, final: readonly Result[], outcome: Outcome): readonly string[] {
  const copies = outcome.ledger.of(recipient);
  const [last, ...others] = final;
  const say = (text: string): string => `${recipient}: ${text}`;
  if (last === undefined) return [say(`nothing final was told; the host has it ${copies.length} times`)];
  const broken: string[] = [];
  if (others.length > 0) broken.push(say(`told ${final.map(({ event }) => event).join(" and ")}`));
  const most = last.event === "delivered" || last.event === "unknown" ? 1 : 0;
  const least = last.event === "delivered" ? 1 : 0;
  if (copies.length < least || copies.length > most)
    broken.push(say(`${last.event}, and taken ${copies.length} times`));
  for (const { isWhole, messageId } of copies) {
    if (!isWhole) broken.push(say("it came otherwise than it was sent"));
    if (!isNameOf(messageId, send)) broken.push(say(`its Message-ID is ${messageId}`));
  }
  broken.push(...otherThanPlanned(recipient, last, outcome.seed).map(say));
  return broken;
}

/** Its own where it brought one, else one of ours, which is the same each time. */
function isNameOf(messageId: string | null, { message, id }: PlannedSend): boolean {
  return message.includes("Message-ID: ") ? messageId === `<${id}@sender.example>` : messageId !== null;
}

/** What the host did says what can have become of it; only a kill makes something else of that, and only `unknown`. */
function otherThanPlanned(recipient: string, { event, reason }: Result, seed: string): readonly string[] {
  if (event === "unknown") return [];
  const own = actOf(recipient, seed);
  const leader = actOf(leaderOf(recipient), seed);
  if (own.kind === "refuse" && event !== "failed") return [`${event}, though its host refuses it`];
  if (event === "delivered") return [];
  // A message is refused for all who were in its transaction; who was put off before comes alone the next time.
  const refusal = own.kind === "refuse" ? own : leader;
  const isAbout = refusal === own || (refusal.kind === "refuse" && refusal.at === "message");
  if (event !== "failed" || refusal.kind !== "refuse" || !isAbout)
    return [`${event}, though its host takes it: ${reason}`];
  const said = words.refuse[refusal.at];
  return reason.includes(said) ? [] : [`its host's words are not told, but ${JSON.stringify(reason)}`];
}

function isUnknownByPlan(recipient: string, seed: string): boolean {
  const act = actOf(leaderOf(recipient), seed);
  return resetsAfterBegun.some((at) => isCut(act, at));
}

/** RFC 3339 times, as many as attempts, and an id that is that of the recipient's event alone. */
function eventFaults(result: Result, asked: ReadonlySet<string>): readonly string[] {
  const { eventId, id, recipient, event, attempts, attemptTimes } = result;
  const say = (text: string): string => `${recipient}, ${event}: ${text}`;
  const hash = createHash("sha256")
    .update(JSON.stringify([id, recipient, event]))
    .digest("hex");
  return [
    ...(asked.has(recipient) ? [] : [say("nobody asked for it")]),
    ...(eventId === hash ? [] : [say("another eventId than its own")]),
    ...(attempts === attemptTimes.length
      ? []
      : [say(`${attempts} attempts, and ${attemptTimes.length} times of them`)]),
  ];
}
