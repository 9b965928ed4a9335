// What happens in the local stack, as far as a person wants to see it: of its events the verdicts, alarms that begin or
// end, pages and faults; each as data and in a line. It knows no screen, and keeps nothing.
import type { Page } from "../../../functions/page/text.ts";
import type { Entry } from "../../../functions/report/log.ts";
import { standing } from "../../../functions/verdict/incident.ts";
import type { Outcome } from "../../../functions/verdict/reconcile.ts";
import type { HostAnswer } from "../../../functions/verdict/verdict.ts";
import { visibleLine } from "../../../functions/verdict/visible.ts";
import type { AlarmChange } from "../cloudwatch/alarm-change.ts";
import type { Received } from "../sink.ts";
import type { StackEvent } from "../stack.ts";

/** Times are RFC 3339, of the stack's clock. */
export type Seen = SeenVerdict | SeenAlarm | SeenPage | SeenSend | SeenFault;

export interface SeenVerdict {
  readonly kind: "verdict";
  readonly at: string;
  /** The request's. */
  readonly id: string;
  readonly provider: string;
  readonly egress: string;
  readonly recipient: string;
  readonly outcome: Outcome;
  readonly stage: HostAnswer["stage"];
  readonly code: number | null;
  readonly status: string | null;
  readonly class: string | null;
  /** The host's words as they came; without a reply ours. */
  readonly text: string;
  /** What it says of a block of our IP; null: nothing. */
  readonly blocked: boolean | null;
}

/** A change of an alarm that is in ALARM, or was. */
export interface SeenAlarm {
  readonly kind: "alarm";
  readonly at: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Why nobody is told, or not yet; null: whoever is to be told is. */
  readonly heldBackBy: string | null;
}

export interface SeenPage {
  readonly kind: "page";
  readonly at: string;
  readonly title: string;
  /** What hosts, or CloudWatch, said, on a line; null where the title says it, or nobody is quoted. */
  readonly words: string | null;
  readonly action: string;
  /** All of it, in lines, as on-call reads it. */
  readonly text: string;
}

/** What became of a recipient of a send, or what one waits for. */
interface SeenSend {
  readonly kind: "send";
  readonly at: string;
  readonly text: string;
}

/** Something of ours that went wrong, as the log has it. */
export interface SeenFault {
  readonly kind: "fault";
  readonly at: string;
  readonly text: string;
}

/**
 * @param now the stack's time, for what tells none of its own
 * @returns null where there is nothing to see; of a page that goes out by many routes one is seen, the webhook's
 */
export function seenOf(event: StackEvent, now: string): Seen | null {
  switch (event.kind) {
    case "log":
      return seenInLog(event.entry, now);
    case "alarm":
      return seenAlarm(event.change);
    case "page":
      return seenPage(event.received, now);
    case "tick":
      return null;
  }
}

/** In one line, for what is no terminal. */
export function lineOf(seen: Seen): string {
  return visibleLine(`${seen.at.slice(11, 16)}  ${seen.kind.padEnd(7)}  ${lineText(seen)}`);
}

/** The reply's words on one line, without the code and the status of each; without a reply, ours. */
export function wordsOf({ code, status, text }: Pick<SeenVerdict, "code" | "status" | "text">): string {
  if (code === null) return text.replaceAll("\n", " ");
  return text
    .split("\n")
    .map((line) => {
      const said = line.replace(/^\d{3}[ -]?/, "");
      return (status !== null && said.startsWith(status) ? said.slice(status.length) : said).trim();
    })
    .join(" ");
}

/** `550 5.7.1`, or a dash. */
export function replyOf({ code, status }: Pick<SeenVerdict, "code" | "status">): string {
  return [code ?? "-", ...(status === null ? [] : [status])].join(" ");
}

function lineText(seen: Seen): string {
  switch (seen.kind) {
    case "verdict": {
      const said = [...(seen.code === null ? [] : [replyOf(seen)]), wordsOf(seen)].join(" ");
      const kind = seen.class === null ? "" : ` (${seen.class})`;
      // The schedule's own requests are known by their target.
      const id = seen.id.startsWith("scheduled/") ? "" : ` [${seen.id}]`;
      return `${seen.provider} over ${seen.egress}: ${standing(seen.outcome, seen.stage)}: ${said}${kind}${id}`;
    }
    case "alarm":
      return `${seen.name}: ${changeText(seen)}`;
    case "page":
      return [seen.title, ...(seen.words === null ? [] : [`> ${seen.words}`]), `Do: ${seen.action}`].join("  ");
    case "send":
    case "fault":
      return seen.text;
  }
}

/** That it is let go again, the page says that comes then. */
function changeText({ from, to, heldBackBy }: SeenAlarm): string {
  return `${from} -> ${to}${heldBackBy === null ? "" : `, held back (${heldBackBy})`}`;
}

function seenInLog(entry: Entry, now: string): Seen | null {
  const { level, event, ...fields } = entry;
  if (event === "verdict") {
    // The log's entry of a verdict has these fields (functions/report/recording.ts).
    const {
      at,
      id,
      provider,
      egress,
      recipient,
      outcome,
      stage,
      code,
      status,
      class: kind,
      text,
      blocked,
    } = fields as unknown as SeenVerdict;
    return {
      kind: "verdict",
      at,
      id,
      provider,
      egress,
      recipient,
      outcome,
      stage,
      code,
      status,
      class: kind,
      text,
      blocked,
    };
  }
  const send = sendText(entry);
  if (send !== null) return { kind: "send", at: now, text: send };
  if (level === "info") return null;
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return { kind: "fault", at: now, text: [event, ...facts].join(" ") };
}

/** Null: the entry is of none. */
function sendText({ event, ...fields }: Entry): string | null {
  const { id, recipient, domain, result, reason, by } = fields as Readonly<Record<string, unknown>>;
  if (event === "result") return `${String(recipient)} ${String(result)}: ${String(reason)} [${String(id)}]`;
  return event === "held" ? `${String(domain)} ${String(by)} [${String(id)}]` : null;
}

function seenAlarm({ name, state, previous }: AlarmChange): SeenAlarm | null {
  if (state.value !== "ALARM" && previous.value !== "ALARM") return null;
  const at = new Date(state.atMs).toISOString();
  return { kind: "alarm", at, name, from: previous.value, to: state.value, heldBackBy: state.suppressedBy };
}

function seenPage({ kind, body }: Received, now: string): SeenPage | null {
  if (kind !== "webhook") return null;
  // What the webhook's route posts (functions/page/routes/webhook.ts).
  const { title, quotes, action, text } = body as Page & { readonly text: string };
  const said = quotes.flatMap(({ lines }) => lines);
  const first = said[0]?.replace(/^\d{3}[ -](?:[245]\.\d+\.\d+ )?/, "") ?? "";
  const words = said.length === 0 || title.includes(first) ? null : said.join(" / ");
  return { kind: "page", at: now, title, words, action: action.text, text };
}
