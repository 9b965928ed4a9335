// How a dialog's client has to be set up, read from the dialog itself: who says what to whom, and how far.
// It knows neither the client nor the host; what a script does not show, its `@` lines say.
import type { Depth } from "../../../functions/smtp/transcript.ts";
import { wordsOf, type Act, type Step } from "./dialog-step.ts";
import type { Dialog, Said, Script, Way } from "./dialog.ts";

/** The client's side of a dialog. */
export interface Setup {
  readonly helo: string;
  readonly from: string;
  readonly recipients: readonly string[];
  readonly depth: Depth;
  readonly tls: NonNullable<Said["tls"]>;
  /** Null: the script does not depend on it. */
  readonly timeoutMs: number | null;
  readonly message: NonNullable<Said["message"]>;
  readonly bodyMs: number;
  readonly commit: Said["commit"];
  /** The ways in which the dialog is to be run. */
  readonly ways: readonly Way[];
}

/** Infers a dialog's setup. What `@` lines say goes before what the scripts show. */
export function setupOf(dialog: Dialog): Setup {
  const { said } = dialog;
  const commands = dialog.scripts.flat();
  const shown = (pattern: RegExp) => commands.flatMap((step) => shownBy(step, pattern) ?? []);
  const recipients = [...new Set(shown(/^RCPT TO:<(.*?)>/i))];
  return {
    helo: shown(/^(?:EHLO|HELO) (\S+)$/i)[0] ?? "probe.example",
    from: said.from ?? shown(/^MAIL FROM:<(.*?)>/i)[0] ?? "probe@sender.example",
    recipients: said.to ?? (recipients.length > 0 ? recipients : ["someone@mx.example"]),
    depth: said.depth ?? shownDepth(dialog),
    tls: said.tls ?? (commands.some((step) => /^STARTTLS\b/i.test(wordsOf(step))) ? "opportunistic" : "never"),
    timeoutMs: said.timeoutMs,
    message: said.message ?? "small",
    bodyMs: said.bodyMs ?? 0,
    commit: said.commit,
    ways: said.ways ?? ["clear", "bytes", "busy", ...(canRunUnderTls(dialog) ? (["tls"] as const) : [])],
  };
}

/** What a command names. A pattern that leaves it open names nothing. */
function shownBy(step: Step, pattern: RegExp): string | null {
  const named = pattern.exec(wordsOf(step))?.[1] ?? null;
  return named !== null && step.kind === "pattern" && /[*+?^$()[\]{}|]/.test(named) ? null : named;
}

function shownDepth({ scripts }: Dialog): Depth {
  const steps = scripts.flat();
  if (steps.some((step) => step.kind === "body" || /^(?:DATA|BDAT)\b/i.test(wordsOf(step)))) return "message";
  if (steps.some((step) => /^MAIL\b/i.test(wordsOf(step)))) return "rcpt";
  const asked = scripts.map(askedBeforeQuit);
  if (asked.includes("ehlo")) return "ehlo";
  return asked.includes("nothing") ? "greeting" : "rcpt";
}

/** What a script's QUIT came behind, when the last reply before it was positive. */
function askedBeforeQuit(script: Script): "nothing" | "ehlo" | null {
  const quit = script.findIndex((step) => /^QUIT\b/i.test(wordsOf(step)));
  const before = script.slice(0, Math.max(quit, 0));
  const reply = before.findLast((step) => step.kind === "send");
  if (reply === undefined || !/(?:^|\n)2\d\d[^\n-][^\n]*\n?$/.test(Buffer.from(reply.octets).toString("latin1"))) {
    return null;
  }
  const command = before.map(wordsOf).findLast((words) => words !== "");
  if (command === undefined) return "nothing";
  return /^(?:EHLO|HELO)\b/i.test(command) ? "ehlo" : null;
}

/**
 * Whether a dialog can be played under STARTTLS: it has an EHLO to say behind it, and says nothing of TLS itself. HELO
 * has no extensions, so that a script which falls back to it never comes to STARTTLS (RFC 5321 §4.1.1.1).
 */
export function canRunUnderTls(dialog: Dialog): boolean {
  const steps = dialog.scripts.flat();
  const speaksOfTls = steps.some(
    (step) => /^(?:STARTTLS|HELO)\b/i.test(wordsOf(step)) || (step.kind === "act" && step.act.name === "tls"),
  );
  return !speaksOfTls && dialog.said.tls !== "never" && steps.some(isEhlo);
}

/** The same script under STARTTLS: from its first EHLO on everything is said once more, behind TLS (RFC 3207 §4.2). */
export function underTls(script: Script): Script {
  const at = script.findIndex(isEhlo);
  const ehlo = script[at];
  if (ehlo === undefined) return script;
  const { lineNumber } = ehlo;
  const say = (text: string): Step => ({
    kind: "send",
    octets: Buffer.from(`${text}\r\n`),
    source: `S: ${text}`,
    lineNumber,
  });
  const act: Act = { name: "tls", version: null };
  const upgrade: Step[] = [
    ehlo,
    say("250-mx.example"),
    say("250 STARTTLS"),
    { kind: "line", text: "STARTTLS", source: "C: STARTTLS", lineNumber },
    say("220 2.0.0 go ahead"),
    { kind: "act", act, source: "S! tls", lineNumber },
  ];
  return [...script.slice(0, at), ...upgrade, ...script.slice(at)];
}

function isEhlo(step: Step): boolean {
  return /^EHLO\b/i.test(wordsOf(step));
}
